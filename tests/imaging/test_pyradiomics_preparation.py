"""Image and mask prepared as PyRadiomics prepares them: the same arrays as its functions give, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.errors import BadMask, BadVoxels, DiscretisationError, EmptyRegion, TooLarge
from radiomics_pipeline.imaging.pyradiomics.discretise import discretise, overflows
from radiomics_pipeline.imaging.pyradiomics.itk import to_itk
from radiomics_pipeline.imaging.pyradiomics.masks import check_mask, resegment
from radiomics_pipeline.imaging.pyradiomics.normalise import normalise
from radiomics_pipeline.imaging.pyradiomics.prepare import prepare
from radiomics_pipeline.imaging.pyradiomics.resample import regrid
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Grid, Region, Volume

TYPES = (np.uint8, np.int16, np.int32, np.float32, np.float64)


@pytest.fixture(scope="module")
def theirs(pyradiomics):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from radiomics import imageoperations
    return imageoperations


def rotation(rng):
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    axes[:, 0] *= np.sign(np.linalg.det(axes))
    return tuple(axes.ravel().tolist())


def sample(seed, dtype=np.float64):
    """An image on an odd grid, and a box somewhere in it, with holes."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(7, 24, 3))
    spacing = tuple(float(s) for s in rng.choice([1, 1.5, 2, 0.9765625, 4.07283, 3.27], 3))
    direction = rotation(rng) if seed % 2 else (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    grid = Grid(shape, spacing, tuple(float(o) for o in rng.normal(0, 200, 3)), direction)
    mask = np.zeros(shape, bool)
    low = rng.integers(0, np.array(shape) - 5)
    mask[tuple(slice(a, a + n) for a, n in zip(low, rng.integers(1, 6, 3), strict=True))] = True
    mask &= rng.random(shape) < 0.9
    mask[tuple(low)] = True
    return Volume(rng.normal(60, 20, shape).clip(0, 110).astype(dtype), grid, native=True), mask


def drawn(volume, mask):
    """A region whose mask lies on the image's grid."""
    return Region(mask, mask, volume.grid)


def solid(dtype=np.float64):
    """An image with a larger box."""
    shape = (12, 14, 16)
    grid = Grid(shape, (3.27, 2.0, 1.5), (1.5, -20.25, 300.0), rotation(np.random.default_rng(3)))
    mask = np.zeros(shape, bool)
    mask[3:8, 4:10, 5:12] = True
    array = np.random.default_rng(7).normal(60, 20, shape).clip(0, 110)
    return Volume(array.astype(dtype), grid, native=True), mask


def same(image, volume):
    assert image.GetSize() == volume.grid.shape[::-1]
    assert image.GetSpacing() == volume.grid.spacing_mm[::-1]
    assert image.GetOrigin() == volume.grid.origin_mm
    array = sitk.GetArrayFromImage(image)
    assert array.dtype == volume.array.dtype
    assert np.array_equal(array, volume.array)


@pytest.mark.parametrize("seed", range(40))
def test_resampling_gives_the_same_grid_and_voxels(theirs, seed):
    volume, mask = sample(seed, TYPES[seed % 5])
    rng = np.random.default_rng(1000 + seed)
    spacing = tuple(float(s) for s in rng.choice([0, 1, 1.5, 2, 3, 0.7], 3))
    settings = Settings(
        resampledPixelSpacing=spacing,
        padDistance=int(rng.choice([0, 1, 5])),
        interpolator=str(rng.choice(["sitkBSpline", "sitkLinear", "sitkNearestNeighbor"])),
    )
    labels = to_itk(mask.astype(np.uint32), volume.grid)
    given = {k: getattr(settings, k) for k in ("padDistance", "interpolator")}
    image, resampled = theirs.resampleImage(
        to_itk(volume.array, volume.grid), labels, resampledPixelSpacing=list(spacing), label=1, **given
    )
    inside = sitk.GetArrayFromImage(resampled) == 1
    if not inside.any():
        with pytest.raises(EmptyRegion, match="none of the region's"):
            regrid(volume, drawn(volume, mask), settings)
        return
    found, moved = regrid(volume, drawn(volume, mask), settings)
    same(image, found)
    assert np.array_equal(inside, moved)


@pytest.mark.parametrize("mm", [0.001, 0.5, 3.0, 100.0])
@pytest.mark.parametrize("share", [5e-9, 0.99e-5, 1.01e-5, 1.1e-5, 3e-5])
@pytest.mark.parametrize("sign", [-1, 1])
def test_spacings_all_but_the_same_are_not_interpolated_to(theirs, mm, share, sign):
    volume, mask = solid()
    volume = Volume(volume.array, Grid(volume.grid.shape, (mm, mm, mm)), native=True)
    spacing = [mm * (1 + sign * share)] * 3
    image, resampled = theirs.resampleImage(
        to_itk(volume.array, volume.grid),
        to_itk(mask.astype(np.uint32), volume.grid),
        resampledPixelSpacing=spacing,
        interpolator="sitkBSpline",
        padDistance=2,
        label=1,
    )
    found, moved = regrid(volume, drawn(volume, mask), Settings(resampledPixelSpacing=spacing, padDistance=2))
    same(image, found)
    assert np.array_equal(sitk.GetArrayFromImage(resampled) == 1, moved)
    assert bool(np.isin(found.array, volume.array).all()) is bool(mm * share <= 1e-8 + 1e-5 * spacing[0])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("outliers", [None, 1.5])
def test_normalising_gives_the_same_voxels(theirs, dtype, outliers):
    volume, _ = sample(3, dtype)
    image = theirs.normalizeImage(to_itk(volume.array, volume.grid), normalizeScale=100, removeOutliers=outliers)
    same(image, normalise(volume, Settings(normalizeScale=100, removeOutliers=outliers)))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    "given",
    [
        {"resegmentRange": [50]},
        {"resegmentRange": [50, 70]},
        {"resegmentRange": [70, 50]},
        {"resegmentRange": [0.5], "resegmentMode": "relative"},
        {"resegmentRange": [0.4, 0.75], "resegmentMode": "relative"},
        {"resegmentRange": [-1, 1.2], "resegmentMode": "sigma"},
    ],
    ids=str,
)
def test_resegmentation_keeps_the_same_voxels(theirs, dtype, given):
    volume, mask = solid(dtype)
    kept = theirs.resegmentMask(
        to_itk(volume.array, volume.grid), to_itk(mask.astype(np.uint32), volume.grid), label=1, **given
    )
    found = resegment(volume, mask, Settings(**given))
    assert np.array_equal(sitk.GetArrayFromImage(kept) == 1, found)
    assert 1 < found.sum() < mask.sum()


@pytest.mark.parametrize(("range_", "kept"), [([1, 3], 0), ([3, 1], 0), ([-1, 3], 0), ([2], 1)])
def test_shares_of_a_maximum_below_0_are_sorted_before_they_become_intensities(theirs, range_, kept):
    volume, mask = solid()
    volume = Volume(-1 - volume.array, volume.grid, native=True)
    given = {"resegmentRange": range_, "resegmentMode": "relative"}
    labels = to_itk(mask.astype(np.uint32), volume.grid)
    if kept == 0:
        with pytest.raises(ValueError, match="0 voxel"):
            theirs.resegmentMask(to_itk(volume.array, volume.grid), labels, label=1, **given)
        with pytest.raises(EmptyRegion, match=r"leaves 0 of \d+ voxels"):
            resegment(volume, mask, Settings(**given))
        return
    expected = sitk.GetArrayFromImage(theirs.resegmentMask(to_itk(volume.array, volume.grid), labels, label=1, **given))
    assert np.array_equal(expected == 1, resegment(volume, mask, Settings(**given)))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("given", [{"binWidth": 25}, {"binWidth": 0.3}, {"binWidth": 5}, {"binCount": 16}], ids=str)
@pytest.mark.parametrize("seed", [2, 5, 8])
def test_binning_gives_the_same_levels(theirs, dtype, given, seed):
    volume, mask = sample(seed, dtype)
    expected, _ = theirs.binImage(volume.array.copy(), np.where(mask), **given)
    levels = discretise(volume.array[mask], mask, Settings(**given))
    assert np.array_equal(levels.array[mask], expected[mask])
    assert levels.count == expected[mask].max()
    assert not levels.array[~mask].any()


def flat(values, dtype=float):
    """A row of voxels, all in the mask."""
    return np.array(values, dtype), np.ones((1, 1, len(values)), bool)


@pytest.mark.parametrize(
    ("values", "given", "levels"),
    [
        ([54, 74, 75, 166], {"binWidth": 25}, [1, 1, 2, 5]),
        ([-7, 0, 24, 25], {"binWidth": 25}, [1, 2, 2, 3]),
        ([0, 99, 100], {"binWidth": 25}, [1, 4, 5]),  # a maximum on an edge begins a level
        ([50, 50], {"binWidth": 25}, [1, 1]),
        ([0, 1, 2, 4], {"binCount": 4}, [1, 2, 3, 4]),  # here it does not
        ([0, 4, 5], {"binCount": 2, "binWidth": 1}, [1, 2, 2]),
    ],
)
def test_levels_are_those_of_the_definition(values, given, levels):
    assert discretise(*flat(values), Settings(**given)).array.ravel().tolist() == levels


def test_eight_bits_hold_levels_to_the_end():
    assert discretise(*flat([3, 130, 250], np.uint8), Settings(binWidth=25)).array.ravel().tolist() == [1, 6, 11]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32])
@pytest.mark.parametrize("width", [25, 40, 200, 25.0])
def test_levels_that_overflow_there_are_known(theirs, dtype, width):
    """At both ends of the type, over its whole range, and in the middle."""
    held, told = np.iinfo(dtype), set()
    settings = Settings(binWidth=width)
    step = 1 if held.bits == 8 else held.max // 9
    lows = [held.min, held.min + 20, held.min + 24, held.min + 60, 0 if held.min else 10]
    highs = [lows[-1] + 5 * step, held.max - 2 * 25, held.max - 2 * 25 + 1, held.max - 2, held.max, lows[0] + 61]
    for low in lows:
        for high in highs:
            inside, mask = flat(sorted({low, (low + high) // 2, high}), dtype)
            if not low < high or (high - low) / width > 2**16:
                continue
            levels = discretise(inside, mask, settings).array
            try:
                with np.errstate(all="ignore"):
                    expected, _ = theirs.binImage(inside.reshape(mask.shape), np.where(mask), binWidth=width)
                differs = not np.array_equal(expected, levels)
            except (OverflowError, ValueError):
                differs = True
            assert overflows(inside, settings) is differs, (low, high)
            told.add(differs)
    assert told == {False} if isinstance(width, float) else True in told


def test_levels_finer_than_the_digits_of_the_intensities_are_refused():
    values = np.float32(1e9) + np.float32(64) * np.arange(4, dtype=np.float32)
    with pytest.raises(DiscretisationError, match=r"binCount 32: .*too few digits"):
        discretise(*flat(values, np.float32), Settings(binCount=32))


def test_bins_far_too_narrow_are_refused():
    with pytest.raises(DiscretisationError, match=r"larger binWidth than 0\.01"):
        discretise(*flat([0, 1e6]), Settings(binWidth=0.01))


def test_regions_too_small_are_refused():
    mask = np.zeros((4, 4, 4), bool)
    with pytest.raises(EmptyRegion):
        check_mask(mask, Settings())
    mask[1, 1, 1] = True
    with pytest.raises(BadMask, match="single voxel"):
        check_mask(mask, Settings(minimumROIDimensions=1))
    mask[1, 1, 2] = True
    with pytest.raises(BadMask, match="along 1 of 3 axes"):
        check_mask(mask, Settings())
    check_mask(mask, Settings(minimumROIDimensions=1))
    with pytest.raises(BadMask, match="2 voxels, minimumROISize asks for more than 2"):
        check_mask(mask, Settings(minimumROIDimensions=1, minimumROISize=2))


def test_what_cannot_be_prepared_says_where():
    volume, mask = solid()
    with pytest.raises(EmptyRegion, match="widen resegmentRange") as refusal:
        prepare(volume, drawn(volume, mask), Settings(resegmentRange=[1000, 2000]))
    assert refusal.value.stage == "resegment"
    with pytest.raises(TooLarge, match="use larger voxels") as refusal:
        prepare(volume, drawn(volume, mask), Settings(resampledPixelSpacing=(0.001, 0.001, 0.001)))
    assert refusal.value.stage == "resample"
    constant = Volume(np.full(mask.shape, 7, np.int16), volume.grid, native=True)
    with pytest.raises(BadVoxels, match="every voxel is 7"):
        prepare(constant, drawn(constant, mask), Settings(normalize=True))


def test_pre_cropping_keeps_what_lies_around():
    volume, mask = solid()
    z, y, x = np.nonzero(mask)
    found, cropped = regrid(volume, drawn(volume, mask), Settings(preCrop=True, padDistance=1))
    first = tuple(max(0, int(n.min()) - 1) for n in (z, y, x))
    assert found.array[0, 0, 0] == volume.array[first]
    assert cropped.sum() == mask.sum()
    assert np.allclose(found.grid.origin_mm, volume.grid.position_mm(first))


def test_a_plane_is_not_resampled_across():
    volume, mask = solid()
    mask = mask & (np.arange(mask.shape[0]) == np.nonzero(mask)[0][0])[:, None, None]
    found, moved = regrid(volume, drawn(volume, mask), Settings(resampledPixelSpacing=(0.5, 0.5, 0.5)))
    assert found.spacing_mm == (volume.spacing_mm[0], 0.5, 0.5)
    assert np.ptp(np.nonzero(moved)[0]) == 0
