"""Mean intensities in spheres of 1 cm3: against the references, a slow twin, and spheres that can be worked out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.features.local_intensity import RADIUS_MM, local_intensity
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.imaging.spheres import sphere
from radiomics_pipeline.types import Grid, Region, Volume
from tests.ibsi1 import CONFIGURATIONS, is_met, references, sample_of
from tests.naive.intensities import mean_in_sphere, peaks


def sample(image, mask, spacing_mm=(1.0, 1.0, 1.0), offset=(0, 0, 0), intensity_mask=None) -> Sample:
    """A mask [z, y, x] that begins at an index of an image around it."""
    grid = Grid(mask.shape, spacing_mm)
    part = tuple(slice(o, o + n) for o, n in zip(offset, mask.shape, strict=True))
    inside = mask if intensity_mask is None else intensity_mask
    around = Volume(image, Grid(image.shape, spacing_mm), "SUV")
    return Sample(Volume(image[part], grid, "SUV"), Region(mask, inside, grid), around=around, offset=offset)


def compute(*args, **options):
    values, reasons = local_intensity.compute(sample(*args, **options))
    assert not reasons
    return values["LocalIntensityPeak"], values["GlobalIntensityPeak"]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_references_are_met(configuration, shared):
    expected = references(configuration, "local_intensity", shared)
    values, _ = local_intensity.compute(sample_of(configuration, shared))
    codes = {feature.ibsi: values[feature.name] for feature in local_intensity.features.values()}
    assert codes.keys() == expected.keys()
    assert {code: v for code, v in codes.items() if not is_met(v, *expected[code])} == {}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_peaks_are_those_of_looking_at_every_voxel(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 7, 3)
    before, behind = rng.integers(0, 4, 3), rng.integers(0, 4, 3)
    image = rng.normal(0, 100, shape + before + behind)
    if seed % 2:
        image = np.rint(image / 100)  # many voxels of highest intensity
    mask = rng.random(shape) < 0.6
    mask.flat[rng.integers(mask.size)] = True
    spacing_mm = tuple(float(s) for s in rng.uniform(1.2, 8, 3))
    offset = tuple(int(b) for b in before)
    found = compute(image, mask, spacing_mm, offset)
    assert found == pytest.approx(peaks(image, mask, offset, spacing_mm), rel=1e-12, abs=1e-12 * np.abs(image).max())


def test_running_sums_lose_nothing_of_small_intensities_beside_large_ones():
    rng = np.random.default_rng(0)
    image = rng.gamma(2, 1, (9, 9, 900))
    image[:, :, :60] = 1e6
    mask = np.zeros((1, 1, 800), bool)
    mask[0, 0, 100:] = True
    found = compute(image, mask, (3.0, 3.0, 3.0), (4, 4, 100))
    centres = [(4, 4, 100 + x) for x in range(100, 800)]
    means = [mean_in_sphere(image[:, :, x - 3 : x + 4], (4, 4, 3), (3.0, 3.0, 3.0)) for _, _, x in centres]
    assert found[1] == pytest.approx(max(means), rel=1e-14)


def test_the_sphere_holds_about_a_cubic_centimetre():
    for spacing_mm in ((0.5, 0.5, 0.5), (0.8, 0.4, 0.6)):
        rows = sphere(spacing_mm)
        voxels = (2 * rows + 1)[rows >= 0].sum()
        assert voxels * np.prod(spacing_mm) == pytest.approx(1000, rel=0.02)
    assert sphere((10.0, 10.0, 10.0)).tolist() == [[0]]
    assert sphere((RADIUS_MM, 100.0, 100.0)).tolist() == [[0], [0], [0]]


def test_intensities_outside_the_region_count_and_those_beyond_the_sphere_do_not():
    image = np.zeros((9, 9, 9))
    image[4, 4, 4] = 7.0
    mask = np.ones((1, 1, 1), bool)
    assert compute(image, mask, (5.0, 5.0, 5.0), (4, 4, 4)) == (1.0, 1.0)  # the centre and its 6 neighbours
    image[4, 4, 5] = 14.0
    assert compute(image, mask, (5.0, 5.0, 5.0), (4, 4, 4)) == (3.0, 3.0)
    image[4, 4, 6] = image[4, 5, 5] = 1e6
    assert compute(image, mask, (5.0, 5.0, 5.0), (4, 4, 4)) == (3.0, 3.0)


def test_what_lies_outside_the_image_does_not_count():
    image = np.full((3, 3, 3), 2.0)
    corner = np.zeros((3, 3, 3), bool)
    corner[0, 0, 0] = True
    assert compute(image, corner, (5.0, 5.0, 5.0)) == (2.0, 2.0)
    image[0, 0, 1] = 6.0
    assert compute(image, corner, (5.0, 5.0, 5.0)) == (3.0, 3.0)  # the corner and its 3 neighbours


def test_centres_are_voxels_of_the_intensity_mask():
    image = np.array([[[1.0, 2.0, 9.0, 100.0, 1.0]]])
    mask = np.ones((1, 1, 5), bool)
    kept = np.array([[[True, True, False, False, True]]])
    spacing_mm = (10.0, 10.0, 5.0)
    assert compute(image, mask, spacing_mm, intensity_mask=kept) == (4.0, 50.5)  # (1 + 2 + 9) / 3, (100 + 1) / 2


def test_of_several_maxima_the_highest_mean_is_taken():
    image = np.array([[[5.0, 0.0, 0.0, 5.0, 4.0, 0.0]]])
    assert compute(image, np.ones(image.shape, bool), (10.0, 10.0, 5.0))[0] == 3.0


def test_a_region_with_no_image_around_it_is_all_there_is():
    image = np.arange(27.0).reshape(3, 3, 3)
    mask = np.ones((3, 3, 3), bool)
    grid = Grid(mask.shape, (4.0, 4.0, 4.0))
    alone = Sample(Volume(image, grid, "SUV"), Region(mask, mask, grid))
    values, _ = local_intensity.compute(alone)
    assert tuple(values.values()) == compute(image, mask, (4.0, 4.0, 4.0))


def test_more_of_the_image_than_the_sphere_reaches_changes_nothing():
    rng = np.random.default_rng(3)
    image = rng.gamma(2, 1, (30, 31, 32))
    mask = rng.random((6, 5, 4)) < 0.7
    spacing_mm = (3.0, 2.5, 2.0)
    near = image[10 - 2 : 16 + 2, 11 - 2 : 16 + 2, 12 - 3 : 16 + 3]
    assert compute(image, mask, spacing_mm, (10, 11, 12)) == compute(near, mask, spacing_mm, (2, 2, 3))


def test_a_flat_image_gives_its_intensity_twice():
    mask = np.ones((7, 8, 9), bool)
    assert compute(np.full((7, 8, 9), 100.3), mask, (2.0, 2.0, 2.0)) == (100.3, 100.3)


def test_flips_and_other_orders_of_axes_change_nothing():
    rng = np.random.default_rng(4)
    image, mask = rng.normal(0, 9, (8, 9, 10)), rng.random((8, 9, 10)) < 0.5
    spacing_mm = (3.0, 2.0, 1.5)
    expected = compute(image, mask, spacing_mm)
    assert compute(image[::-1, :, ::-1], mask[::-1, :, ::-1], spacing_mm) == pytest.approx(expected, rel=1e-14)
    turned = compute(image.transpose(2, 0, 1), mask.transpose(2, 0, 1), (1.5, 3.0, 2.0))
    assert turned == pytest.approx(expected, rel=1e-14)


def test_sums_beyond_the_range_of_numbers_are_undefined():
    image = np.full((3, 3, 3), 1e308)
    values, reasons = local_intensity.compute(sample(image, np.ones((3, 3, 3), bool)))
    assert np.isnan(list(values.values())).all()
    assert set(reasons.values()) == {"the value exceeds the range of numbers"}
