"""Every value of the families of `standard: pyradiomics` against PyRadiomics itself, option by option."""

from __future__ import annotations

import importlib
import math
import warnings
from contextlib import suppress

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.sparse.linalg import ArpackNoConvergence

from radiomics_pipeline.errors import TooLarge
from radiomics_pipeline.features.pyradiomics import maximal_correlation
from radiomics_pipeline.features.pyradiomics.firstorder import firstorder
from radiomics_pipeline.features.pyradiomics.glcm import glcm
from radiomics_pipeline.features.pyradiomics.gldm import gldm
from radiomics_pipeline.features.pyradiomics.glrlm import glrlm
from radiomics_pipeline.features.pyradiomics.glszm import glszm
from radiomics_pipeline.features.pyradiomics.ngtdm import ngtdm
from radiomics_pipeline.features.pyradiomics.sample import FeatureSettings, PyradiomicsSample
from radiomics_pipeline.types import Levels

FAMILIES = (firstorder, glcm, gldm, glrlm, glszm, ngtdm)
THEIRS = {
    "firstorder": "RadiomicsFirstOrder",
    "glcm": "RadiomicsGLCM",
    "gldm": "RadiomicsGLDM",
    "glrlm": "RadiomicsGLRLM",
    "glszm": "RadiomicsGLSZM",
    "ngtdm": "RadiomicsNGTDM",
}
SPACING_MM = (3.0, 1.5, 2.0)
RELATIVE = 1e-9
OPTIONS = {
    "default": {},
    "shift": {"voxelArrayShift": 1000},
    "asymmetric": {"symmetricalGLCM": False},
    "unweighted": {"weightingNorm": "no_weighting"},
    "manhattan": {"weightingNorm": "manhattan"},
    "euclidean": {"weightingNorm": "euclidean"},
    "infinity": {"weightingNorm": "infinity"},
    "euclidean-asymmetric": {"weightingNorm": "euclidean", "symmetricalGLCM": False},
    "distance-2": {"distances": [2]},
    "distances-1-2": {"distances": [1, 2]},
    "dependence-1": {"gldm_a": 1},
    "flat-z": {"force2D": True, "force2Ddimension": 0},
    "flat-y": {"force2D": True, "force2Ddimension": 1},
    "flat-x": {"force2D": True, "force2Ddimension": 2},
    "flat-z-manhattan": {"force2D": True, "weightingNorm": "manhattan", "distances": [1, 2]},
}
OUR_NAMES = {
    "voxelArrayShift": "voxel_array_shift",
    "symmetricalGLCM": "symmetrical_glcm",
    "weightingNorm": "weighting_norm",
    "distances": "distances",
    "gldm_a": "gldm_a",
    "force2D": "force_2d",
    "force2Ddimension": "force_2d_dimension",
}


def ball(seed, shape=(9, 11, 10), spread=60.0, dtype=np.float64):
    """A noisy gradient in a ball that leaves some voxels out."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in shape), indexing="ij"))
    mask = ((places**2).sum(axis=0) < 0.9) & (rng.random(shape) < 0.95)
    return (100 + 80 * places[1] + spread * rng.normal(size=shape)).astype(dtype), mask


def row(*values):
    """Voxels beside each other along x."""
    return np.array(values, np.float64).reshape(1, 1, -1), np.ones((1, 1, len(values)), bool)


def two_voxels(offset, values=(10.0, 140.0)):
    """Two voxels apart by an offset (z, y, x)."""
    shape = tuple(o + 1 for o in offset)
    image, mask = np.full(shape, 55.0), np.zeros(shape, bool)
    for place, value in zip(((0, 0, 0), offset), values, strict=True):
        image[place], mask[place] = value, True
    return image, mask


def disconnected():
    """Two balls and a voxel by itself."""
    image, mask = ball(5, (6, 7, 8))
    more, other = ball(6, (6, 7, 6))
    gap = np.zeros((6, 7, 3), bool)
    gap[0, 0, 1] = True
    return np.concatenate([image, np.full(gap.shape, 30.0), more], 2), np.concatenate([mask, gap, other], 2)


def checkerboard():
    """Levels whose neighbours are all of the other level, next to an island of a third."""
    image = 20.0 + 50 * (np.indices((4, 5, 6)).sum(axis=0) % 2)
    mask = np.ones(image.shape, bool)
    mask[:, :, 4], image[:, :, 5] = False, 130.0
    return image, mask


def rare_pair():
    """A large region of one level, and an island of two voxels: shares of 1e-5, where the added 2.2e-16 shows."""
    image, mask = np.full((42, 42, 42), 10.0), np.zeros((42, 42, 42), bool)
    mask[:, :, :38] = True
    mask[0, 0, 40:], image[0, 0, 40:] = True, 60.0
    return image, mask


CASES = {
    "ball": ball(0),
    "int16": ball(1, dtype=np.int16),
    "float32": ball(2, dtype=np.float32),
    "slice": ball(3, (1, 14, 12)),
    "negative": (ball(4)[0] - 400, ball(4)[1]),
    "anisotropic": ball(7, (3, 20, 5)),
    "few-levels": ball(8, spread=4.0),
    "disconnected": disconnected(),
    "checkerboard": checkerboard(),
    "one-level": (np.full((3, 4, 3), 0.1), np.ones((3, 4, 3), bool)),
    "one-level-row": row(7.0, 7.0, 7.0),
    "one-voxel": row(5.0),
    "two-voxels": row(5.0, 130.0),
    "three-voxels": row(5.0, 130.0, 40.0),
    "diagonal": two_voxels((1, 1, 1)),
    "apart": two_voxels((2, 2, 2)),
    "apart-one-level": two_voxels((2, 2, 2), (3.0, 3.0)),
    "gap": two_voxels((0, 0, 2)),
    "gap-one-level": two_voxels((0, 0, 2), (3.0, 3.0)),
    "on-no-line": two_voxels((0, 1, 2)),
    "rare-pair": rare_pair(),
}


def theirs(radiomics, image, mask, options, bin_width=25.0, spacing_mm=SPACING_MM, families=tuple(THEIRS)):
    """PyRadiomics' values by family and feature; a class without them fails."""
    images = [sitk.GetImageFromArray(array) for array in (image, mask.astype(np.uint8))]
    for each in images:
        each.SetSpacing(spacing_mm[::-1])
    found = {}
    for token in families:
        name = THEIRS[token]
        module = importlib.import_module(f"{radiomics.__name__}.{token}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            features = getattr(module, name)(*images, binWidth=bin_width, **options)
            features.enableAllFeatures()
            if token == "firstorder":
                features.enableFeatureByName("StandardDeviation")
            with suppress(RuntimeError):  # where no voxel of the box is as far away as `distances`
                found[token] = {feature: float(value) for feature, value in features.execute().items()}
    return found


def make_sample(radiomics, image, mask, options, bin_width=25.0, spacing_mm=SPACING_MM):
    """The sample of our features, with PyRadiomics' bins."""
    bins, _ = radiomics.imageoperations.binImage(image.astype(np.float64), np.nonzero(mask), binWidth=bin_width)
    array = np.where(mask, bins, 0).astype(np.int32)
    settings = {OUR_NAMES[name]: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
    return PyradiomicsSample(
        mask, spacing_mm, image[mask], Levels(array, int(array.max())), FeatureSettings(**settings)
    )


def ours(*args, **kwargs):
    """Our values by family and feature, and the reasons of those that are NaN."""
    sample = make_sample(*args, **kwargs)
    return {family.token: family.compute(sample) for family in FAMILIES}


def differences(expected, found):
    """Features whose values differ, with both; NaN of theirs must be NaN of ours, with a reason."""
    wrong = []
    for token in THEIRS:
        numbers, reasons = found[token]
        values = expected.get(token, dict.fromkeys(numbers, math.nan))
        assert sorted(values) == sorted(numbers)
        for feature, value in values.items():
            number = numbers[feature]
            if math.isnan(value) and math.isnan(number) and reasons[feature]:
                continue
            if not math.isclose(number, value, rel_tol=RELATIVE, abs_tol=vanishing(feature, values)):
                wrong.append((token, feature, value, number))
    return wrong


def vanishing(feature, values):
    """What is rounding in a value that cancels: 1e-12 of its scale, or the root of the smallest step below 1."""
    if feature in ("Imc2", "MCC"):
        return 3e-8
    return 1e-12 * max(1.0, values["ClusterTendency"] ** 1.5 if feature == "ClusterShade" else 0.0)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("case", CASES)
def test_every_value_is_that_of_pyradiomics(case, options, pyradiomics):
    image, mask = CASES[case]
    assert differences(theirs(pyradiomics, image, mask, options), ours(pyradiomics, image, mask, options)) == []


@pytest.mark.parametrize("seed", range(150))
def test_small_random_regions(seed, pyradiomics):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 7, 3))
    mask = rng.random(shape) < rng.choice([0.3, 0.6, 1.0])
    mask.flat[rng.integers(mask.size)] = True
    box = tuple(slice(places.min(), places.max() + 1) for places in np.nonzero(mask))
    mask = mask[box]
    image = rng.integers(0, rng.choice([2, 3, 5, 20]), mask.shape) * rng.choice([25.0, 7.3]) - rng.choice([0, 50.0])
    spacing_mm = tuple(rng.choice([0.7, 1.0, 2.5], 3).tolist())
    options = list(OPTIONS.values())[rng.integers(len(OPTIONS))]
    expected = theirs(pyradiomics, image, mask, options, spacing_mm=spacing_mm)
    assert differences(expected, ours(pyradiomics, image, mask, options, spacing_mm=spacing_mm)) == []


@pytest.mark.parametrize("edge_mm", [5.0, 20.0, 40.0])
def test_weights_that_vanish(edge_mm, pyradiomics):
    image, mask = ball(11)
    settings = (image, mask, OPTIONS["euclidean"], 25.0, (edge_mm,) * 3)
    assert differences(theirs(pyradiomics, *settings), ours(pyradiomics, *settings)) == []


@pytest.mark.parametrize("option", ["default", "asymmetric", "euclidean", "distances-1-2"])
def test_many_grey_levels_most_of_them_without_a_voxel(option, pyradiomics):
    image, mask = ball(9, (5, 7, 7))
    settings = (image, mask, OPTIONS[option], 0.4)
    found = ours(pyradiomics, *settings)
    assert make_sample(pyradiomics, *settings).levels.count > 700
    assert differences(theirs(pyradiomics, *settings), found) == []


@pytest.mark.parametrize(("series", "bin_width"), [("PET", 0.25), ("CT", 25.0)])
def test_real_lesion(series, bin_width, pyradiomics, shared):
    folder = shared / "ibsi" / "sts" / "nifti" / "STS_002"
    if not folder.is_dir():
        pytest.skip("no sarcoma patients in the reference data")
    image = sitk.ReadImage(str(folder / f"{series}_image.nii.gz"))
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{series}_mask.nii.gz"))) > 0
    box = tuple(slice(places.min(), places.max() + 1) for places in np.nonzero(mask))
    settings = (sitk.GetArrayFromImage(image)[box], mask[box], {}, bin_width, image.GetSpacing()[::-1])
    assert differences(theirs(pyradiomics, *settings), ours(pyradiomics, *settings)) == []


@pytest.mark.parametrize("option", ["default", "asymmetric", "euclidean", "euclidean-asymmetric", "distances-1-2"])
def test_pairs_that_are_sorted_give_what_pairs_in_matrices_give(option, pyradiomics, monkeypatch):
    image, mask = ball(10)
    sample = make_sample(pyradiomics, image, mask, OPTIONS[option], 5.0)
    expected, _ = glcm.compute(sample)
    monkeypatch.setattr("radiomics_pipeline.features.pyradiomics.cooccurrence.FEW_LEVELS", 0)
    monkeypatch.setattr("radiomics_pipeline.features.pyradiomics.cooccurrence.LARGEST_MATRIX", 0)
    monkeypatch.setattr(maximal_correlation, "LARGEST_SMALL", 0)
    unlike, _ = glcm.compute(sample)
    assert unlike == pytest.approx(expected, rel=1e-11)
    monkeypatch.setattr(maximal_correlation, "LARGEST_FULL", 10)
    values, _ = glcm.compute(sample)
    assert values == pytest.approx(expected, rel=1e-11)


def test_eigenvalues_are_all_found_where_the_search_for_one_fails(pyradiomics, monkeypatch):
    def fail(*_, **__):
        raise ArpackNoConvergence("no", np.empty(0), np.empty(0))

    image, mask = ball(10)
    sample = make_sample(pyradiomics, image, mask, {}, 5.0)
    expected = glcm.compute(sample)
    monkeypatch.setattr(maximal_correlation, "eigsh", fail)
    monkeypatch.setattr(maximal_correlation, "LARGEST_SMALL", 0)
    monkeypatch.setattr(maximal_correlation, "LARGEST_FULL", 10)
    assert glcm.compute(sample)[0]["MCC"] == pytest.approx(expected[0]["MCC"], rel=1e-12)
    monkeypatch.setattr(maximal_correlation, "LARGEST_SOLVED", 10)
    values, reasons = glcm.compute(sample)
    assert math.isnan(values["MCC"])
    assert "too close together" in reasons["MCC"]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.token)
def test_features_stand_in_the_order_of_pyradiomics(family, pyradiomics):
    module = importlib.import_module(f"{pyradiomics.__name__}.{family.token}")
    deprecated = getattr(module, THEIRS[family.token]).getFeatureNames()
    ours = [feature.name for feature in family.features.values() if feature.default]
    assert ours == [name for name, old in deprecated.items() if not old]


def test_deprecated_features_but_one_give_no_column(pyradiomics):
    image, mask = ball(0)
    images = sitk.GetImageFromArray(image), sitk.GetImageFromArray(mask.astype(np.uint8))
    classes = pyradiomics.getFeatureClasses()
    for family in FAMILIES:
        wanted = [name for name, old in classes[family.token].getFeatureNames().items() if old]
        extractor = pyradiomics.featureextractor.RadiomicsFeatureExtractor(additionalInfo=False)
        extractor.disableAllFeatures()
        extractor.enableFeaturesByName(**{family.token: wanted})
        columns = [name.split("_")[-1] for name in extractor.execute(*images)] if wanted else []
        assert columns == [feature.name for feature in family.features.values() if not feature.default]


def test_a_region_without_neighbours_says_so(pyradiomics):
    found = ours(pyradiomics, *two_voxels((2, 2, 2)), {})
    assert found["glcm"][1]["Contrast"].startswith("no two voxels of the region are neighbours")
    assert "no two voxels at the distance" in ours(pyradiomics, *row(5.0), {})["ngtdm"][1]["Busyness"]
    assert "on one line" in ours(pyradiomics, *two_voxels((0, 1, 2)), {})["glrlm"][1]["RunEntropy"]


@pytest.mark.parametrize("distances", [[1, 40], [3, 9], [2, 10**6], [1, 2, 3, 4]])
def test_distances_beyond_the_region_are_dropped_before_they_are_looked_for(distances, pyradiomics):
    image, mask = ball(12, (6, 5, 7))
    options = {"distances": distances}
    if max(distances) > 100:  # which PyRadiomics would spend hours on
        expected = theirs(pyradiomics, image, mask, {"distances": [2]})
    else:
        expected = theirs(pyradiomics, image, mask, options)
    assert differences(expected, ours(pyradiomics, image, mask, options)) == []


def test_several_distances_between_high_grey_levels(pyradiomics):
    image, mask = ball(13, (9, 9, 9))
    settings = (image, mask, {"distances": [1, 2, 3, 4]}, 0.01)
    found = ours(pyradiomics, *settings)
    assert make_sample(pyradiomics, *settings).levels.count > 20_000
    expected = theirs(pyradiomics, *settings, families=("gldm", "ngtdm"))
    for token in ("gldm", "ngtdm"):
        assert found[token][0] == pytest.approx(expected[token], rel=1e-9)


def test_more_neighbours_than_can_be_counted_are_a_failure_of_the_case(pyradiomics, monkeypatch):
    monkeypatch.setattr("radiomics_pipeline.features.pyradiomics.neighbours.MAX_CELLS", 100)
    with pytest.raises(TooLarge, match=r"26 neighbours of a voxel.*use smaller distances or fewer grey levels"):
        ours(pyradiomics, *ball(13), {})
