"""Resampling against SimpleITK and scipy, and the rules of its grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radiomics_pipeline.errors import EmptyRegion, TooLarge
from radiomics_pipeline.imaging import resample as module
from radiomics_pipeline.imaging.resample import ALONG_AXIS, resample, resampled_grid, whole_image
from radiomics_pipeline.kernels.interpolation import interpolate_linearly
from radiomics_pipeline.params.extraction import Resample
from radiomics_pipeline.types import Grid, Region, Volume
from tests.images import lesion
from tests.naive import intensities as naive

GRID = Grid((10, 12, 14), (3.0, 2.0, 2.0), (5.0, -7.0, 11.0))


def sample(seed: int = 0, grid: Grid = GRID) -> tuple[Volume, Region]:
    image, mask = lesion(seed, grid.shape)
    mask = mask.astype(bool)
    return Volume(image.astype(np.float64), grid, "SUV"), Region(mask, mask, grid)


def image_and_region(volume: Volume, region: Region, params: Resample | None) -> tuple[Volume, Region]:
    found = resample(volume, region, params)
    assert (found.around, found.offset) == (None, (0, 0, 0))
    return found.volume, found.region


def on_grid(volume: Volume, grid: Grid, interpolator: int) -> np.ndarray:
    image = sitk.GetImageFromArray(volume.array)
    image.SetSpacing(volume.grid.spacing_mm[::-1])
    image.SetOrigin(volume.grid.origin_mm)
    image.SetDirection(volume.grid.direction)
    reference = sitk.Image([int(n) for n in grid.shape[::-1]], sitk.sitkUInt8)
    reference.SetSpacing(grid.spacing_mm[::-1])
    reference.SetOrigin(grid.origin_mm)
    reference.SetDirection(grid.direction)
    return sitk.GetArrayFromImage(sitk.Resample(image, reference, sitk.Transform(), interpolator, 0.0))


@pytest.mark.parametrize(("method", "itk"), [("linear", sitk.sitkLinear), ("nearest", sitk.sitkNearestNeighbor)])
@pytest.mark.parametrize("voxel_mm", [1.3, 2.7, 4.0])
def test_values_equal_simpleitk_inside_the_region(method, itk, voxel_mm):
    volume, region = sample()
    image, outline = image_and_region(volume, region, Resample(voxel_mm=voxel_mm, image=method))
    expected = on_grid(volume, image.grid, itk)
    np.testing.assert_allclose(image.array[outline.morphology], expected[outline.morphology], rtol=1e-9)


@pytest.mark.parametrize("voxel_mm", [1.3, 2.7])
def test_cubic_splines_equal_scipy_at_the_same_points(voxel_mm):
    volume, region = sample()
    image, _ = image_and_region(volume, region, Resample(voxel_mm=voxel_mm, image="cubic"))
    step = np.array(image.grid.spacing_mm) / GRID.spacing_mm
    first = (np.array(image.grid.origin_mm) - GRID.origin_mm)[::-1] / GRID.spacing_mm
    points = [first[a] + step[a] * np.arange(image.grid.shape[a]) for a in range(3)]
    expected = ndimage.map_coordinates(volume.array, np.meshgrid(*points, indexing="ij"), order=3, mode="mirror")
    np.testing.assert_allclose(image.array, expected, rtol=1e-9)


def test_a_spline_that_sees_a_part_of_a_long_image_equals_one_that_sees_all():
    grid = Grid((150, 9, 9), (1.0, 1.0, 1.0))
    rng = np.random.default_rng(1)
    array = rng.normal(size=grid.shape) * 100
    mask = np.zeros(grid.shape, bool)
    mask[70:74, 3:6, 3:6] = True
    image, _ = image_and_region(
        Volume(array, grid, ""), Region(mask, mask, grid), Resample(voxel_mm=0.7, image="cubic", mask="nearest")
    )
    first = (np.array(image.grid.origin_mm))[::-1]
    points = [first[a] + 0.7 * np.arange(image.grid.shape[a]) for a in range(3)]
    expected = ndimage.map_coordinates(array, np.meshgrid(*points, indexing="ij"), order=3, mode="mirror")
    np.testing.assert_allclose(image.array, expected, atol=1e-8)


def test_the_mask_is_interpolated_and_cut_at_the_threshold():
    volume, region = sample()
    for threshold in (0.25, 0.5, 0.75):
        _, outline = image_and_region(volume, region, Resample(voxel_mm=1.5, mask_threshold=threshold))
        share = on_grid(Volume(region.morphology.astype(float), GRID, ""), outline.grid, sitk.sitkLinear)
        clear = np.abs(share - threshold) > 1e-6
        np.testing.assert_array_equal(outline.morphology[clear], (share >= threshold)[clear])


def test_the_new_grid_keeps_the_centre_and_covers_the_old_one():
    for spacing in (0.7, 1.0, 2.0, 3.3, 50.0):
        new = resampled_grid(GRID, (spacing, spacing, spacing))
        middle = [(n - 1) / 2 for n in GRID.shape]
        new_middle = [(n - 1) / 2 for n in new.shape]
        np.testing.assert_allclose(new.position_mm(tuple(new_middle)), GRID.position_mm(tuple(middle)), atol=1e-9)
        for n, old, count in zip(GRID.shape, GRID.spacing_mm, new.shape, strict=True):
            assert (count - 1) * spacing < n * old <= count * spacing + 1e-9


def test_a_ratio_that_is_whole_gives_no_extra_point():
    assert resampled_grid(Grid((60, 100, 99), (3.0, 0.3, 0.1)), (2.0, 0.1, 0.3)).shape == (90, 300, 33)


def test_the_native_grid_is_kept_to_the_last_bit():
    volume, region = sample()
    for params in (None, Resample(voxel_mm=4, when="coarser")):
        image, outline = image_and_region(volume, region, params)
        np.testing.assert_array_equal(image.array[outline.morphology], volume.array[region.morphology])
        assert image.spacing_mm == GRID.spacing_mm


def test_only_a_coarser_grid_is_resampled_when_asked_for():
    volume, region = sample()
    assert resample(volume, region, Resample(voxel_mm=2.9, when="coarser"))[0].spacing_mm == (2.9, 2.9, 2.9)
    assert resample(volume, region, Resample(voxel_mm=2.9995, when="coarser"))[0].spacing_mm == GRID.spacing_mm


def test_slices_stay_where_they_are_slicewise():
    volume, region = sample()
    image, outline = image_and_region(volume, region, Resample(voxel_mm=1.0, slicewise=True))
    assert image.spacing_mm == (3.0, 1.0, 1.0)
    for z in range(image.grid.shape[0]):
        alone = Grid((1, 12, 14), GRID.spacing_mm)
        slice_z = z + round((image.grid.origin_mm[2] - GRID.origin_mm[2]) / 3.0)
        plane = Volume(volume.array[slice_z : slice_z + 1], alone, "")
        mask = region.morphology[slice_z : slice_z + 1]
        single, roi = image_and_region(plane, Region(mask, mask, alone), Resample(voxel_mm=1.0, slicewise=True))
        np.testing.assert_allclose(
            np.sort(image.array[z][outline.morphology[z]]), np.sort(single.array[0][roi.morphology[0]])
        )


def test_rounding_gives_whole_numbers():
    volume, region = sample()
    image, _ = image_and_region(volume, region, Resample(voxel_mm=1.5, round=True))
    np.testing.assert_array_equal(image.array, np.rint(image.array))


def test_cropping_the_image_outside_the_region_changes_nothing_when_the_grid_stays():
    volume, region = sample()
    padded = np.pad(volume.array, ((4, 4), (6, 6), (2, 2)), constant_values=9.0)
    mask = np.pad(region.morphology, ((4, 4), (6, 6), (2, 2)))
    grid = Grid(padded.shape, GRID.spacing_mm)
    for method in ("linear", "nearest"):
        params = Resample(voxel_mm=1.0, image=method)
        a, ra = image_and_region(volume, region, params)
        b, rb = image_and_region(Volume(padded, grid, "SUV"), Region(mask, mask, grid), params)
        np.testing.assert_array_equal(ra.morphology, rb.morphology)
        np.testing.assert_allclose(a.array[ra.morphology], b.array[rb.morphology], rtol=1e-12)


def test_a_region_lost_on_a_coarse_grid_is_an_error_with_its_size():
    volume, _ = sample()
    mask = np.zeros(GRID.shape, bool)
    mask[4, 5, 6] = True
    with pytest.raises(EmptyRegion, match="none of its 1 voxels is left on a grid of 9 x 9 x 9 mm"):
        resample(volume, Region(mask, mask, GRID), Resample(voxel_mm=9))


@pytest.mark.parametrize("voxel_mm", [0.01, 1e-7])
def test_a_grid_that_would_not_fit_in_memory_is_refused_with_its_size(voxel_mm):
    volume, region = sample()
    with pytest.raises(TooLarge, match=f"voxels of {voxel_mm:g} x {voxel_mm:g} x {voxel_mm:g} mm"):
        resample(volume, region, Resample(voxel_mm=voxel_mm))


def test_an_empty_mask_is_an_error():
    volume, _ = sample()
    mask = np.zeros(GRID.shape, bool)
    with pytest.raises(EmptyRegion):
        resample(volume, Region(mask, mask, GRID), None)


def test_rounding_of_halves_does_not_hang_on_the_last_digit():
    rng = np.random.default_rng(5)
    grid = Grid((12, 10, 10), (3.0, 1.7, 1.7))
    array = rng.integers(-200, 200, grid.shape).astype(float)
    mask = np.ones(grid.shape, bool)
    params = Resample(voxel_mm=2, round=True)
    upright, _ = image_and_region(Volume(array, grid, "HU"), Region(mask, mask, grid), params)
    flipped, _ = image_and_region(Volume(array[::-1, :, ::-1], grid, "HU"), Region(mask, mask, grid), params)
    np.testing.assert_array_equal(flipped.array[::-1, :, ::-1], upright.array)


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_a_flat_image_stays_flat(method):
    grid = Grid((10, 12, 14), (3.0, 2.5, 2.0))
    mask = np.ones(grid.shape, bool)
    params = Resample(voxel_mm=3, image=method)
    image, _ = image_and_region(Volume(np.full(grid.shape, 100.3), grid, ""), Region(mask, mask, grid), params)
    assert np.ptp(image.array) == 0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_linear_interpolation_is_that_between_eight_voxels(seed):
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 100, rng.integers(1, 6, 3))
    array.flags.writeable = False
    places = [np.sort(rng.uniform(0, n - 1, rng.integers(1, 6))) for n in array.shape]
    places[0][-1] = array.shape[0] - 1  # on the last voxel
    along = np.concatenate(places)
    last = np.repeat(np.array(array.shape) - 1, [len(p) for p in places])
    first = along.astype(np.uint64)
    second = np.minimum(first + np.uint64(1), last.astype(np.uint64))
    found = interpolate_linearly(array, np.array([len(p) for p in places]), first, second, along - first)
    for at, value in naive.interpolate_linearly(array, [p.tolist() for p in places]).items():
        assert found[at] == pytest.approx(value, rel=1e-12, abs=1e-10)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_splines_are_those_through_all_values_of_a_line(seed):
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 100, (rng.integers(1, 3), rng.integers(1, 40), rng.choice([1, 3, 300])))
    n = array.shape[1]
    places = np.append(np.sort(rng.uniform(0, n - 1, 4)), [0, n - 1])
    for axis in range(3):
        found = ALONG_AXIS["cubic"](np.ascontiguousarray(np.moveaxis(array, 1, axis)), places, axis)
        found = np.moveaxis(found, axis, 1)
        for a, b in ((0, 0), (-1, -1), (0, array.shape[2] // 2)):
            expected = naive.interpolate_splines(array[a, :, b], places)
            assert found[a, :, b] == pytest.approx(expected, rel=1e-10, abs=1e-9)


WAYS = {
    "native": None,
    "linear": Resample(voxel_mm=1.7),
    "rounded": Resample(voxel_mm=2.7, round=True),
    "slicewise": Resample(voxel_mm=1.3, slicewise=True, image="nearest"),
    "cubic": Resample(voxel_mm=1.3, image="cubic"),
}


@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("margin_mm", [1.0, 6.3, 14.0, math.inf])
def test_a_margin_adds_the_image_around_and_changes_nothing_inside(params, margin_mm):
    volume, region = sample()
    bright = volume.array.copy()
    bright[0, 0, 0] = 1e7  # far outside: it must not set the digits that the region is rounded to
    volume = Volume(bright, GRID, "SUV")
    image, outline = image_and_region(volume, region, params)
    found = resample(volume, region, params, margin_mm)
    assert found.volume.array.tobytes() == image.array.tobytes()
    assert found.region.morphology.tobytes() == outline.morphology.tobytes()
    part = tuple(slice(o, o + n) for o, n in zip(found.offset, image.array.shape, strict=True))
    np.testing.assert_array_equal(found.around.array[part], image.array)
    whole = resampled_grid(GRID, image.spacing_mm)
    first = np.rint((np.array(image.grid.origin_mm) - whole.origin_mm)[::-1] / image.spacing_mm).astype(int)
    for axis in range(3):
        more = int(min(margin_mm, 1000.0) / image.spacing_mm[axis])
        behind = whole.shape[axis] - first[axis] - image.grid.shape[axis]
        assert found.offset[axis] == min(more, first[axis])
        assert found.around.grid.shape[axis] == image.grid.shape[axis] + found.offset[axis] + min(more, behind)
    np.testing.assert_allclose(found.around.grid.position_mm(found.offset), image.grid.origin_mm, atol=1e-9)


def test_the_image_around_is_the_resampled_image():
    volume, region = sample()
    found = resample(volume, region, Resample(voxel_mm=1.7), 5.0)
    expected = on_grid(volume, found.around.grid, sitk.sitkLinear)
    inner = tuple(slice(2, n - 2) for n in found.around.grid.shape)  # SimpleITK gives 0 beyond the last voxel centres
    np.testing.assert_allclose(found.around.array[inner], expected[inner], rtol=1e-9)


def test_a_margin_that_holds_too_many_voxels_is_refused():
    grid = Grid((600, 600, 600), (1.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, bool)
    mask[300, 300, 300] = True
    with pytest.raises(TooLarge, match="6000 x 6000 x 6000 voxels"):
        resample(Volume(np.zeros(grid.shape), grid, "HU"), Region(mask, mask, grid), Resample(voxel_mm=0.1), math.inf)


@pytest.mark.parametrize("hot", [1e6, 1e15, 1e200, -1e300])
@pytest.mark.parametrize("method", ["nearest", "linear", "cubic"])
def test_what_lies_outside_the_region_does_not_set_the_digits_inside(method, hot):
    if method == "cubic":
        hot = math.copysign(1e6, hot)  # its spline has faded to nothing at the region; that of more has not
    grid = Grid((90, 6, 6), (2.0, 2.0, 2.0))
    array = np.random.default_rng(1).gamma(2, 1, grid.shape)
    mask = np.zeros(grid.shape, bool)
    mask[2:4, 1:5, 1:5] = mask[-4:-2, 1:5, 1:5] = True
    bright = array.copy()
    bright[45, 3, 3] = hot  # in the region's box
    params = Resample(voxel_mm=1.7, image=method)
    plain, outline = image_and_region(Volume(array, grid, "SUV"), Region(mask, mask, grid), params)
    image, _ = image_and_region(Volume(bright, grid, "SUV"), Region(mask, mask, grid), params)
    assert np.abs(image.array).max() >= 0.1 * abs(hot)
    inside = outline.morphology
    np.testing.assert_allclose(image.array[inside], plain.array[inside], rtol=1e-12)


def test_voxels_far_larger_than_the_region_stay_as_they_are():
    grid = Grid((1, 1, 9), (1.0, 1.0, 1.0))
    array = np.array([1.0, 1.1, 1.2, 1.3, 1.2, 1.1, 1e5 / 3, 1e15 / 3, 1e307]).reshape(grid.shape)
    mask = np.zeros(grid.shape, bool)
    mask[..., :5] = True
    params = Resample(voxel_mm=1 / 3, image="nearest")
    found = resample(Volume(array, grid, ""), Region(mask, mask, grid), params, math.inf)
    assert set(array[0, 0, 6:]) < set(found.around.array.ravel())


@pytest.mark.parametrize("voxel_mm", [1e7, 1e300])
def test_voxels_larger_than_any_image_are_refused(voxel_mm):
    volume, region = sample()
    with pytest.raises(TooLarge, match=r"voxels of .* mm, at most 1e\+06 mm each; use smaller voxels"):
        resample(volume, region, Resample(voxel_mm=voxel_mm))


@pytest.mark.parametrize("voxel_mm", [1e-300, 5e-324])
def test_voxels_too_small_to_count_are_refused(voxel_mm):
    volume, region = sample()
    with pytest.raises(TooLarge, match="at most 268435456 in all; use larger voxels"):
        resample(volume, region, Resample(voxel_mm=voxel_mm))


@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("slab", [1, 700, 2**23])
def test_figures_of_the_whole_image_are_those_of_all_its_voxels(monkeypatch, params, slab):
    monkeypatch.setattr(module, "SLAB_VOXELS", slab)
    volume, region = sample()
    found = resample(volume, region, params, math.inf)
    figures = whole_image(volume, params, found.volume.array[found.region.morphology])
    whole = found.around
    assert (figures.shape, figures.spacing_mm) == (whole.grid.shape, whole.spacing_mm)
    expected = whole.array.mean(), whole.array.min(), whole.array.max()
    assert (figures.mean, figures.lowest, figures.highest) == pytest.approx(expected, rel=1e-11)


def test_a_whole_image_of_too_many_voxels_has_a_size_and_no_intensities(monkeypatch):
    monkeypatch.setattr(module, "MAX_VOXELS", 1000)
    volume, _ = sample()
    figures = whole_image(volume, Resample(voxel_mm=1), volume.array)
    assert figures.shape == (30, 24, 28)
    assert (figures.mean, figures.lowest, figures.highest) == (None, None, None)
