"""Methods of delineation: spheres of known size, published volumes, a slow twin, and what must not change them."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch, MissingRoi, SegmentationError
from radiomics_pipeline.imaging.segment import segment
from radiomics_pipeline.imaging.segment.fuzzy import MOST_VALUES, fuzzy_centres, fuzzy_threshold
from radiomics_pipeline.imaging.segment.growcut import growcut
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.params.segmentation import AnyMethod, Segmentation
from radiomics_pipeline.types import Grid, Volume
from radiomics_pipeline.types.context import ReferenceValues
from tests.naive import growcut as naive
from tests.spheres import sphere_phantom

METHODS = {
    "fixed": {"threshold": 3},
    "percent-of-maximum": {"percent": 41},
    "background-adapted": {},
    "two-point": {},
    "fuzzy-c-means": {},
    "growcut": {},
    "watershed": {},
    "reference": {"region": "liver", "factor": 1.5, "sd": 2},
}
LIVER = {"liver": ReferenceValues(mean=2.0, sd=0.25, maximum=3.0, voxels=100, volume_ml=0.8)}


def params_of(method, **given_) -> AnyMethod:
    return TypeAdapter(Segmentation).validate_python({"method": method, **METHODS[method], **given_})


def ball(shape, voxel_mm, radius_mm):
    z, y, x = np.ix_(*(((np.arange(n) - (n - 1) / 2) * voxel_mm) ** 2 for n in shape))
    return z + y + x <= radius_mm**2


def volume_errors(diameter_mm, contrast, params, voxel_mm=2.0, seeds=range(6)):
    """Relative volume errors, by the volume of the true sphere."""
    true_ml = math.pi / 6 * diameter_mm**3 / 1000
    errors = []
    for seed in seeds:
        volume, _ = sphere_phantom(diameter_mm, contrast, voxel_mm=voxel_mm, seed=seed)
        search = ball(volume.grid.shape, voxel_mm, diameter_mm / 2 + 15)
        errors.append(segment(volume, search, params).lesions[0].volume_ml / true_ml - 1)
    return np.array(errors)


@pytest.mark.parametrize(
    ("method", "diameter_mm", "contrast", "low", "high"),
    [
        *(("two-point", d, c, -0.12, 0.12) for d in (17, 37) for c in (8, 4)),
        *(("background-adapted", d, c, -0.12, 0.12) for d in (17, 37) for c in (8, 4)),
        *(("fuzzy-c-means", d, c, -0.05, 0.05) for d in (17, 37) for c in (8, 4)),
        *(("percent-of-maximum", d, 8, -0.15, 0.15) for d in (17, 37)),
        *(("growcut", d, c, -0.12, 0.12) for d in (17, 37) for c in (8, 4)),
        *(("watershed", 37, c, -0.12, 0.12) for c in (8, 4)),
    ],
)
def test_spheres_have_their_volume(method, diameter_mm, contrast, low, high):
    assert low < volume_errors(diameter_mm, contrast, params_of(method)).mean() < high


@pytest.mark.parametrize(
    ("method", "given_"), [("fixed", {"threshold": 2.5}), ("background-adapted", {}), ("two-point", {})]
)
def test_half_way_between_a_large_sphere_and_its_background_lies_its_border(method, given_):
    volume, _ = sphere_phantom(60, 4, fwhm_mm=3, noise=0)
    search = ball(volume.grid.shape, 2.0, 45)
    found = segment(volume, search, params_of(method, **given_)).lesions[0]
    assert found.volume_ml == pytest.approx(math.pi / 6 * 6**3, rel=0.015)
    assert found.threshold == pytest.approx(2.5, abs=0.06)


@pytest.mark.parametrize(
    ("method", "given_", "diameter_mm", "contrast", "measured"),
    [
        ("percent-of-maximum", {"percent": 41}, 17, 8, 0.18),
        ("percent-of-maximum", {"percent": 41}, 37, 8, 0.10),
        ("percent-of-maximum", {"percent": 41}, 37, 4, 0.22),
        ("percent-of-maximum", {"percent": 50}, 17, 8, -0.09),
        ("percent-of-maximum", {"percent": 50}, 37, 4, 0.05),
        ("background-adapted", {}, 17, 8, 0.03),
        ("background-adapted", {}, 37, 8, -0.07),
        ("background-adapted", {}, 17, 4, -0.01),
        ("two-point", {}, 17, 8, -0.04),
        ("two-point", {}, 17, 4, -0.04),
        ("two-point", {}, 37, 4, -0.02),
        ("fuzzy-c-means", {}, 17, 8, 0.03),
        ("fuzzy-c-means", {}, 37, 8, -0.03),
    ],
)
def test_spheres_of_4_mm_voxels_err_as_was_measured_elsewhere(method, given_, diameter_mm, contrast, measured):
    errors = volume_errors(diameter_mm, contrast, params_of(method, **given_), voxel_mm=4.0)
    assert errors.mean() == pytest.approx(measured, abs=0.04)


def test_41_percent_inside_a_mask_gives_the_volumes_read_from_published_masks(shared):
    table = shared / "nm_data" / "sts_pet_expected" / "sts_pet_expected.csv"
    checked = 0
    for row in csv.DictReader(table.read_text("utf-8").splitlines()):
        folder = shared / "ibsi" / "sts" / "nifti" / row["patient"]
        if not folder.is_dir() or int(row["patient"][-3:]) > 20:
            continue
        volume, labels = load_pair(*(read_file(folder / f"PET_{n}.nii.gz") for n in ("image", "mask")), "SUV")
        found = segment(volume, labels > 0, params_of("percent-of-maximum"))
        assert found.lesions[0].volume_ml == pytest.approx(float(row["mtv41_inside_mask_ml"]), abs=6e-4)
        checked += 1
    assert checked >= 5


def test_thresholds_are_what_their_formulas_say():
    volume, _ = sphere_phantom(17, 4)
    search = ball(volume.grid.shape, 2.0, 20)
    highest = volume.array[search].max()
    two = segment(volume, search, params_of("two-point", background="liver"), references=LIVER).lesions[0].threshold
    core = volume.array[search & (volume.array >= 0.7 * highest)]
    assert two == pytest.approx((core.mean() + 2.0) / 2, rel=1e-12)
    adapted = params_of("background-adapted", background="liver", percent=40)
    z, y, x = np.indices(volume.grid.shape) * 2.0
    means = [
        volume.array[(z - 2 * a) ** 2 + (y - 2 * b) ** 2 + (x - 2 * c) ** 2 <= 6.2035**2].mean()
        for a, b, c in np.argwhere(search & (volume.array > 0.8 * highest))
    ]
    expected = 2.0 + 0.4 * (max(means) - 2.0)
    found = segment(volume, search, adapted, references=LIVER).lesions[0].threshold
    assert found == pytest.approx(expected, rel=1e-12)
    assert segment(volume, search, params_of("reference"), references=LIVER).lesions[0].threshold == 3.5
    assert segment(volume, search, params_of("percent-of-maximum")).lesions[0].threshold == 0.41 * highest


def test_the_background_of_the_shell_is_that_around_the_lesion():
    volume, _ = sphere_phantom(22, 6, noise=0)
    slope = Volume(volume.array + 0.5, volume.grid, "SUV")
    search = ball(volume.grid.shape, 2.0, 26)
    threshold = segment(slope, search, params_of("two-point")).lesions[0].threshold
    core = slope.array[slope.array >= 0.7 * slope.array.max()].mean()
    assert threshold == pytest.approx((core + 1.5) / 2, rel=1e-3)


def test_fuzzy_centres_are_a_fixed_point_of_the_definition():
    values = np.random.default_rng(1).normal(np.repeat([0, 4, 9], 300), 0.5)
    centres = fuzzy_centres(values, 3, 2.0)
    away = np.abs(values[:, None] - centres)
    membership = 1 / ((away[:, :, None] / away[:, None, :]) ** 2).sum(axis=2)
    again = (membership**2 * values[:, None]).sum(axis=0) / (membership**2).sum(axis=0)
    assert centres == pytest.approx(again, abs=1e-6)
    half = values[membership[:, 2] + membership[:, 1] / 2 >= 0.5].min()
    below = values[membership[:, 2] + membership[:, 1] / 2 < 0.5].max()
    assert below < fuzzy_threshold(values, 3, 2.0) <= half


def test_very_many_intensities_are_gathered_without_harm():
    values = np.random.default_rng(2).normal(np.repeat([0, 4, 9], MOST_VALUES // 2), 0.5)
    thinned = np.sort(values)[1::3]
    assert fuzzy_threshold(values, 3, 2.0) == pytest.approx(fuzzy_threshold(thinned, 3, 2.0), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(3, 4, 5), (1, 6, 6), (5, 5, 2)]), st.integers(2, 40))
def test_growcut_agrees_with_the_automaton(seed, shape, intensities):
    random = np.random.default_rng(seed)
    image = random.integers(0, intensities, shape).astype(float)
    image.flat[:2] = 0, intensities
    active = random.random(shape) < 0.9
    seeds = random.integers(0, 8, shape)
    lesion, background = active & (seeds == 1), active & (seeds == 2)
    values = image[active]
    if np.ptp(values) == 0:
        return
    expected = naive.growcut(image, lesion, background, active, np.ptp(values))
    assert np.array_equal(growcut(image, lesion, background, active), expected == 1)


def test_growcut_of_one_intensity_keeps_its_seeds():
    lesion = np.zeros((3, 3, 3), bool)
    lesion[1, 1, 1] = True
    everywhere = np.ones((3, 3, 3), bool)
    assert np.array_equal(growcut(np.ones((3, 3, 3)), lesion, everywhere & ~lesion, everywhere), lesion)


@pytest.fixture(scope="module")
def phantom():
    volume, _ = sphere_phantom(17, 6, voxel_mm=3.0)
    return volume, ball(volume.grid.shape, 3.0, 21)


@pytest.mark.parametrize("method", METHODS)
def test_flips_and_turns_change_nothing(phantom, method):
    volume, search = phantom
    params = params_of(method)
    mask = segment(volume, search, params, references=LIVER).lesions[0].mask
    for turn in (lambda a: a[::-1], lambda a: a[:, ::-1, ::-1], lambda a: a.transpose(2, 0, 1)):
        turned = Volume(turn(volume.array), volume.grid, "SUV")
        assert np.array_equal(segment(turned, turn(search), params, references=LIVER).lesions[0].mask, turn(mask))


@pytest.mark.parametrize("method", METHODS)
def test_a_crop_around_the_search_volume_and_its_shell_changes_nothing(phantom, method):
    volume, search = phantom
    wide = np.pad(volume.array, 9, constant_values=50.0)
    grid = Grid(wide.shape, volume.spacing_mm)
    params = params_of(method)
    near = segment(volume, search, params, references=LIVER).lesions[0]
    far = segment(Volume(wide, grid, "SUV"), np.pad(search, 9), params, references=LIVER).lesions[0]
    assert np.array_equal(far.mask[9:-9, 9:-9, 9:-9], near.mask)
    assert far.volume_ml == near.volume_ml


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("fixed", "reference")])
def test_scaled_intensities_change_no_relative_method(phantom, method):
    volume, search = phantom
    scaled = Volume(volume.array * 4096.0, volume.grid, "Bq/ml")
    masks = [segment(v, search, params_of(method)).lesions[0].mask for v in (volume, scaled)]
    assert np.array_equal(*masks)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_again_is_the_same(phantom, method):
    first, second = (segment(*phantom, params_of(method, lesions="split"), references=LIVER) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)


@pytest.mark.parametrize("method", ["growcut", "watershed"])
def test_clicks_are_the_seeds_where_the_image_is_searched(phantom, method):
    volume, _ = phantom
    click = np.zeros(volume.grid.shape, bool)
    middle = tuple(n // 2 for n in volume.grid.shape)
    click[middle] = True
    found = segment(volume, None, params_of(method, search="image", margin_mm=20), seeds=click).lesions[0]
    assert found.mask[middle]
    assert found.volume_ml == pytest.approx(math.pi / 6 * 1.7**3, rel=0.75)
    with pytest.raises(SegmentationError, match="needs clicks"):
        segment(volume, None, params_of(method, search="image"))


def test_what_cannot_be_delineated_is_refused(phantom):
    volume, search = phantom
    flat = Volume(np.ones(volume.grid.shape), volume.grid, "SUV")
    negative = Volume(-np.ones(volume.grid.shape), volume.grid, "SUV")
    with pytest.raises(SegmentationError, match=r"no voxel found at or above 99 SUV; the highest .* is \d"):
        segment(volume, search, params_of("fixed", threshold=99))
    with pytest.raises(SegmentationError, match="no classes"):
        segment(flat, search, params_of("fuzzy-c-means"))
    with pytest.raises(SegmentationError, match="does not exceed the background, 1 SUV"):
        segment(flat, search, params_of("two-point", background="liver"), references={"liver": _values(1.0)})
    with pytest.raises(SegmentationError, match="highest intensity in the search volume is -1 SUV"):
        segment(negative, search, params_of("percent-of-maximum"))
    with pytest.raises(SegmentationError, match="highest intensity in the search volume is -1 SUV"):
        segment(negative, search, params_of("growcut"))
    with pytest.raises(SegmentationError, match="no voxel of the image lies 300 to 400 mm"):
        segment(volume, search, params_of("two-point", shell_mm=(300, 400)))
    with pytest.raises(SegmentationError, match="all lesion"):
        segment(Volume(np.ones((1, 1, 1)), Grid((1, 1, 1), (1, 1, 1))), None, params_of("growcut", preselect=ONE))
    with pytest.raises(MissingRoi, match="no reference region 'liver'"):
        segment(volume, search, params_of("reference"))
    with pytest.raises(MissingRoi, match="in `references` are: liver"):
        segment(volume, search, params_of("two-point", background="blood"), references=LIVER)
    with pytest.raises(EmptyRegion):
        segment(volume, np.zeros_like(search), params_of("fixed"))
    with pytest.raises(GeometryMismatch):
        segment(volume, search[1:], params_of("fixed"))


ONE = {"threshold": 1}


def _values(mean):
    return ReferenceValues(mean=mean, sd=0.1, maximum=mean, voxels=10, volume_ml=1.0)
