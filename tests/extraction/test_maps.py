"""Feature maps: against PyRadiomics' own, box by box, and what holds for all of them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.extraction.ibsi_maps import REFUSED
from radiomics_pipeline.extraction.map_work import BATCH, Kernel
from radiomics_pipeline.extraction.maps import plan_maps
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.params.run import PyradiomicsRun, RunParams
from radiomics_pipeline.types import Grid, Region, Volume

SPACING_XYZ = (1.0, 1.5, 2.0)
QUICK, OTHERS = ("firstorder", "glcm"), ("glrlm", "glszm", "gldm", "ngtdm")


def image_and_mask(kind="noise"):
    """A small region, an isolated voxel in the corner of the image; `flat`: large parts of one intensity."""
    rng = np.random.default_rng(0)
    image = rng.normal(100, 40, (6, 7, 8)).round()
    mask = np.zeros(image.shape, bool)
    mask[2:4, 3:6, 3:6] = True
    mask[2:4, 3, 3] = False
    mask[0, 0, 0] = True
    if kind == "flat":
        image[1:4, 2:6, 2:5], image[0] = 110, 60
        mask[1, 2:5, 2:5] = True
    if kind == "int16":
        return (image * 3 - 200).astype(np.int16), mask
    return image.astype(np.float32), mask


def run_of(setting=None, **voxel_setting):
    return PyradiomicsRun(series={"": {"setting": setting or {}, "voxelSetting": voxel_setting}})


def maps_of(plan, image, mask, *, crop=True, grid=None):
    """All maps by name, and their grid."""
    grid = grid or Grid(image.shape, SPACING_XYZ[::-1])
    work = plan.prepare(Volume(image, grid, native=plan.source.native), Region(mask, mask, grid), crop=crop)
    found = np.full((len(plan.maps), math.prod(work.grid.shape)), work.outside)
    for indices, values in work.blocks():
        found[:, indices] = values
    return {s.name: row.reshape(work.grid.shape) for s, row in zip(plan.maps, found, strict=True)}, work.grid


def theirs(pyradiomics, image, mask, families, setting, **voxel_setting):
    """The maps of PyRadiomics as SimpleITK's images, by name."""
    volume, region = sitk.GetImageFromArray(image), sitk.GetImageFromArray(mask.astype(np.uint8))
    for item in (volume, region):
        item.SetSpacing(SPACING_XYZ)
    extractor = pyradiomics.featureextractor.RadiomicsFeatureExtractor(
        **{"additionalInfo": False, **setting, **voxel_setting}
    )
    extractor.disableAllFeatures()
    for name in families:
        extractor.enableFeatureClassByName(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return extractor.execute(volume, region, voxelBased=True)


def unlike(name, mine, other, outside):
    """Where a map of ours is not that of PyRadiomics, but for the two features that it leaves out at times."""
    if name == "original_glcm_MCC" and (other == outside).all():
        return np.zeros(mine.shape, bool)
    small = 100 if name.endswith(("Imc2", "MCC")) else 1e-3  # square roots of what may be 0 but for rounding
    wrong = ~(np.abs(mine - other) <= 1e-9 * np.maximum(np.abs(other), small)) & ~(np.isnan(mine) & np.isnan(other))
    return wrong & ~np.isnan(other) if name == "original_glcm_JointAverage" else wrong


CASES = [
    ("noise", {}, {}),
    ("noise", {}, {"maskedKernel": False}),
    ("flat", {}, {"maskedKernel": False, "kernelRadius": 2}),
    ("flat", {}, {"kernelRadius": 2, "initValue": -7}),
    ("int16", {"force2D": True}, {}),
    ("noise", {"force2D": True, "force2Ddimension": 2}, {"maskedKernel": False}),
    ("flat", {"weightingNorm": "euclidean"}, {}),
    ("noise", {"weightingNorm": "no_weighting"}, {"kernelRadius": 2}),
    ("noise", {"distances": [2]}, {}),
    ("flat", {"distances": [1, 2]}, {"kernelRadius": 2}),
    ("noise", {"symmetricalGLCM": False}, {}),
    ("int16", {"voxelArrayShift": 300, "binCount": 6}, {}),
    ("noise", {"binWidth": 5}, {"maskedKernel": False}),
    ("noise", {"resampledPixelSpacing": [1.3, 1.3, 1.3]}, {}),
    ("int16", {"resegmentRange": [-50, 250]}, {"maskedKernel": False}),
    ("noise", {"normalize": True, "binWidth": 0.3}, {}),
    ("noise", {"gldm_a": 1, "preCrop": True, "padDistance": 1}, {"maskedKernel": False, "kernelRadius": 2}),
]


@pytest.mark.parametrize("families", [QUICK, OTHERS])
@pytest.mark.parametrize(("kind", "setting", "voxel_setting"), CASES)
def test_maps_are_those_of_pyradiomics(pyradiomics, kind, setting, voxel_setting, families):
    image, mask = image_and_mask(kind)
    expected = theirs(pyradiomics, image, mask, families, setting, **voxel_setting)
    found, grid = maps_of(plan_maps(run_of(setting, **voxel_setting), features=families), image, mask)
    assert set(expected) == set(found)
    for name, other in expected.items():
        np.testing.assert_allclose(grid.origin_mm, other.GetOrigin(), atol=1e-9)
        np.testing.assert_allclose(grid.spacing_mm[::-1], other.GetSpacing())
        array = sitk.GetArrayFromImage(other)
        assert found[name].shape == array.shape, name
        wrong = unlike(name, found[name], array, voxel_setting.get("initValue", 0))
        assert not wrong.any(), (name, found[name][wrong], array[wrong])


def test_on_the_whole_grid_maps_are_the_same_with_the_initial_value_around():
    image, mask = image_and_mask()
    plan = plan_maps(run_of(initValue=-2))
    (cropped, part), (whole, grid) = (maps_of(plan, image, mask, crop=crop) for crop in (True, False))
    assert grid.shape == image.shape
    at = np.round(np.array(part.origin_mm)[::-1] / grid.spacing_mm).astype(int)
    box = tuple(slice(a, a + n) for a, n in zip(at, part.shape, strict=True))
    for name, array in whole.items():
        np.testing.assert_array_equal(array[box], cropped[name])
        assert (array[~mask] == -2).all()


def test_defaults_follow_the_file_of_pyradiomics():
    run = PyradiomicsRun(
        series={
            "": {
                "featureClass": {"shape": None, "glcm": ["Contrast"], "ngtdm": None},
                "voxelSetting": {"kernelRadius": 3, "maskedKernel": False},
            }
        }
    )
    plan = plan_maps(run)
    assert plan.names == {
        "glcm": ["Contrast"],
        "ngtdm": ["Busyness", "Coarseness", "Complexity", "Contrast", "Strength"],
    }
    assert plan.kernel == Kernel(3, masked=False)
    assert list(plan_maps(run_of()).names) == ["firstorder", "glcm"]
    assert len(plan_maps(run_of()).maps) == 18 + 24
    assert plan_maps(run_of(), features=("firstorder_StandardDeviation",)).maps[0].unit == ""


def ibsi(**options):
    section = {"unit": "HU", "discretise": {"method": "fixed-bin-number", "bins": 8}, **options}
    return RunParams(series={"CT": section})


ALL = tuple(family.token for family in FAMILIES if family.token not in REFUSED)


def test_a_kernel_as_large_as_the_region_gives_the_features_of_the_region():
    image, mask = image_and_mask()
    mask[0, 0, 0] = False
    grid = Grid(image.shape, SPACING_XYZ[::-1])
    found, _ = maps_of(plan_maps(ibsi(), features=ALL, radius=8), image, mask, grid=grid)
    from radiomics_pipeline.extraction.ibsi import plan_ibsi

    plan = plan_ibsi(ibsi().series["CT"], "CT", named=False)
    values = plan.extract(Volume(image, grid), Region(mask, mask, grid)).values
    for name, array in found.items():
        np.testing.assert_allclose(array[mask], values[name], rtol=1e-9, atol=1e-9, err_msg=name)
        assert np.isnan(array[~mask]).all()


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("options", [{}, {"resample": {"voxel_mm": 1.2}}])
def test_values_do_not_depend_on_how_much_image_lies_around(masked, options):
    image, mask = image_and_mask()
    mask[0, 0, 0] = False
    wide, wider = np.pad(image, 3, mode="edge"), np.pad(mask, 3)
    plan = plan_maps(ibsi(**options), features=("intensity_Mean", "glcm_Contrast", "ngldm"), masked=masked)
    one, other = (
        maps_of(plan, a, m, grid=Grid(a.shape, (2.0, 2.0, 2.0)))[0] for a, m in ((image, mask), (wide, wider))
    )
    for name, array in one.items():
        a, b = (m[np.isfinite(m)] for m in (array, other[name]))
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        assert len(a) > 15


def test_resampled_maps_lie_on_the_grid_of_the_features():
    image, mask = image_and_mask()
    mask[:], mask[2:4, 3:6, 3:6] = False, True
    grid = Grid(image.shape, (2.0, 2.0, 2.0), (5.0, 6.0, 7.0))
    found, target = maps_of(
        plan_maps(ibsi(resample={"voxel_mm": 1}), features=("intensity_Mean",)), image, mask, grid=grid, crop=False
    )
    (array,) = found.values()
    assert target.shape == tuple(2 * n for n in image.shape)
    centres = [grid.position_mm(v) for v in np.argwhere(mask)]
    inside = [target.position_mm(v) for v in np.argwhere(np.isfinite(array))]
    np.testing.assert_allclose(np.mean(inside, axis=0), np.mean(centres, axis=0))


def test_the_radius_in_mm_is_rounded_down_along_each_axis():
    assert Kernel(radius_mm=3.0).voxels((3.3, 1.5, 1.0)) == (0, 2, 3)
    assert Kernel(radius_mm=0.3).voxels((0.1, 0.1, 0.1)) == (3, 3, 3)
    with pytest.raises(ParamsError, match="holds one voxel"):
        Kernel(radius_mm=0.9).voxels((1.0, 1.0, 1.0))
    for wrong in ({}, {"radius": 1, "radius_mm": 1.0}, {"radius": 0}, {"radius_mm": -1.0}, {"radius_mm": math.inf}):
        with pytest.raises(ParamsError):
            Kernel(**wrong)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (("morphology",), "no maps of morphology: a box"),
        (("ivh",), "no maps of ivh: its volumes"),
        (("localintensity_LocalIntensityPeak",), "no maps of localintensity: its peaks"),
        (("glmc",), "did you mean 'glcm'"),
        (("glcm_Contrats",), "did you mean 'Contrast'"),
    ],
)
def test_features_without_maps_are_refused_with_the_reason(features, message):
    with pytest.raises(ParamsError, match=message):
        plan_maps(ibsi(), features=features)


def test_series_and_engine_are_checked():
    two = RunParams(series={name: ibsi().series["CT"].model_dump() for name in ("CT", "PET")})
    assert plan_maps(two, "PET").series == "PET"
    with pytest.raises(ParamsError, match="sections for CT, PET"):
        plan_maps(two)
    with pytest.raises(ParamsError, match="engine"):
        plan_maps(PyradiomicsRun(engine="pyradiomics", series={"": {}}))


def test_blocks_are_bounded_and_in_order():
    rng = np.random.default_rng(1)
    image = rng.normal(size=(4, 60, 70))
    mask = rng.random(image.shape) < 0.5
    plan = plan_maps(ibsi(), features=("intensity_Mean",))
    grid = Grid(image.shape, (1.0, 1.0, 1.0))
    work = plan.prepare(Volume(image, grid), Region(mask, mask, grid))
    blocks = [indices for indices, _ in work.blocks()]
    assert max(map(len, blocks)) == BATCH
    np.testing.assert_array_equal(np.concatenate(blocks), np.flatnonzero(mask))
    assert work.voxels == mask.sum()
