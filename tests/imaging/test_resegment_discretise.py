"""Re-segmentation and discretisation by their definitions."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.errors import DiscretisationError, EmptyRegion
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.imaging.resegment import resegment
from radiomics_pipeline.kernels.intensities import count_levels, count_steps, find_range, keep_range, sum_deviations
from radiomics_pipeline.params.extraction import Resegment
from radiomics_pipeline.params.levels import FixedBinNumber, FixedBinSize, NoDiscretisation
from radiomics_pipeline.types import Grid, Region, Volume


def line(*values: float, unit: str = "SUV") -> tuple[Volume, Region]:
    grid = Grid((1, 1, len(values)), (1.0, 1.0, 1.0))
    mask = np.ones(grid.shape, bool)
    return Volume(np.array(values, float).reshape(grid.shape), grid, unit), Region(mask, mask, grid)


def kept(region: Region) -> list[bool]:
    return region.intensity.ravel().tolist()


def size(width: float, origin: float = 0.0) -> FixedBinSize:
    return FixedBinSize(method="fixed-bin-size", width=width, origin=origin)


def number(bins: int) -> FixedBinNumber:
    return FixedBinNumber(method="fixed-bin-number", bins=bins)


def test_both_ends_of_a_range_are_kept_and_the_outline_stays():
    volume, region = line(-0.1, 0.0, 2.0, 4.0, 4.1)
    cut = resegment(volume, region, Resegment(range=(0, 4)))
    assert kept(cut) == [False, True, True, True, False]
    assert cut.morphology.all()


def test_an_open_end_keeps_everything_on_its_side():
    volume, region = line(-5, 0, 1e6)
    assert kept(resegment(volume, region, Resegment(range=(0, None)))) == [False, True, True]
    assert kept(resegment(volume, region, Resegment(range=(None, 0)))) == [True, True, False]
    assert kept(resegment(volume, region, Resegment())) == [True, True, True]


def test_outliers_are_those_beyond_the_deviation_of_all_voxels_with_divisor_n():
    values = [0.0] * 15 + [100.0]
    volume, region = line(*values)
    mean, std = np.mean(values), np.std(values)
    just_inside, just_outside = (100 - mean) / std + 1e-9, (100 - mean) / std - 1e-9
    assert kept(resegment(volume, region, Resegment(sigma=just_inside)))[-1]
    assert not kept(resegment(volume, region, Resegment(sigma=just_outside)))[-1]


def test_range_and_outliers_are_both_judged_on_the_whole_outline():
    volume, region = line(-1000.0, *[0.0] * 8, 30.0)
    both = resegment(volume, region, Resegment(range=(-500, None), sigma=1))
    assert kept(both) == [False, *[True] * 9]


def test_nothing_left_names_the_range_and_the_intensities():
    volume, region = line(5000, 9000)
    with pytest.raises(EmptyRegion, match=r"\[0, 40\] SUV; its intensities run from 5000 to 9000"):
        resegment(volume, region, Resegment(range=(0, 40)))


def test_nothing_left_names_the_deviations_too_where_they_are_a_limit():
    volume, region = line(0, 0, 0, 100)
    with pytest.raises(EmptyRegion, match=r"\[40, 60\] SUV and to mean ± 0.1 standard deviations, \[20.669.*, 29.330"):
        resegment(volume, region, Resegment(range=(40, 60), sigma=0.1))
    with pytest.raises(EmptyRegion, match=r"\[-inf, inf\] and to mean ± 0.1 standard deviations, \["):
        resegment(*line(0, 0, 0, 100, unit=""), Resegment(sigma=0.1))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=40), st.integers(0, 9), st.sampled_from([0.5, 1.0, 2.5]))
def test_passes_over_intensities_are_those_of_each_voxel(values, seed, width):
    image = np.array(values, float)
    mask = np.random.default_rng(seed).random(len(values)) < 0.7
    mask[0] = True
    inside = [v for v, m in zip(values, mask, strict=True) if m]
    assert find_range(image, mask) == (min(inside), max(inside))
    kept, count = keep_range(image, mask, -5.0, 5.0)
    assert kept.tolist() == [bool(m) and -5 <= v <= 5 for v, m in zip(values, mask, strict=True)]
    assert count == kept.sum()
    levels = count_steps(image, mask, -20.0, 1.0, width, 90)
    assert levels.tolist() == [math.floor((v + 20) / width) + 1 if m else 0 for v, m in zip(values, mask, strict=True)]
    assert count_levels(levels, 90).tolist() == [levels.tolist().count(level) for level in range(91)]


def test_no_level_leaves_its_range_whatever_comes():
    image = np.array([-np.inf, -1e300, -1.0, 0.0, 2.5, 9.0, 1e300, np.inf, np.nan])
    everywhere = np.ones(len(image), bool)
    assert count_steps(image, everywhere, 0.0, 1.0, 1.0, 4).tolist() == [1, 1, 1, 1, 3, 4, 4, 4, 1]
    assert count_steps(image, everywhere, 0.0, 1e300, 1e-300, 4).tolist() == [1, 1, 1, 1, 4, 4, 4, 4, 1]


def test_sums_of_deviations_are_those_of_each_value():
    values = np.sort(np.random.default_rng(0).normal(3, 2, 2500))
    scaled = [(v - 3) / 2 for v in values]
    expected = [math.fsum(abs(d) ** p if p == 1 else d**p for d in scaled) for p in (1, 2, 3, 4)]
    expected += [math.fsum(abs(v - 2.5) for v in values), math.fsum(v * v for v in values)]
    assert sum_deviations(values, 3.0, 2.0, 2.5) == pytest.approx(expected, rel=1e-12)


def test_fixed_bin_size_counts_from_its_origin():
    volume, region = line(0.0, 0.24, 0.25, 0.5, 3.1)
    levels = discretise(volume, region, size(0.25))
    assert levels.array.ravel().tolist() == [1, 1, 2, 3, 13]
    assert levels.count == 13


def test_fixed_bin_number_puts_the_maximum_in_the_last_bin():
    volume, region = line(1.0, 1.9, 2.0, 5.0)
    assert discretise(volume, region, number(4)).array.ravel().tolist() == [1, 1, 2, 4]


def test_fixed_bin_number_multiplies_before_it_divides():
    assert discretise(*line(0, 49, 98), number(8)).array.ravel().tolist() == [1, 5, 8]


def test_fixed_bin_number_does_not_see_scale_and_shift():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1000, 200) / 8
    one = discretise(*line(*values), number(32)).array
    other = discretise(*line(*(values * 4 - 64)), number(32)).array
    np.testing.assert_array_equal(one, other)


def test_a_flat_region_is_one_level():
    levels = discretise(*line(7.0, 7.0), number(32))
    assert levels.count == 1
    assert levels.array.max() == 1


def test_voxels_outside_the_intensity_mask_have_level_0():
    volume, region = line(-1, 0, 1)
    cut = resegment(volume, region, Resegment(range=(0, None)))
    assert discretise(volume, cut, size(1)).array.ravel().tolist() == [0, 1, 2]


def test_intensities_below_the_first_bin_are_refused():
    with pytest.raises(DiscretisationError, match=r"1 of 3 voxels lie below the first bin.*lowest: -2"):
        discretise(*line(-2, 0, 1), size(1))


def test_too_many_levels_are_refused_with_their_number():
    with pytest.raises(DiscretisationError, match=r"80001 grey levels.*is the image in SUV"):
        discretise(*line(0, 20000), size(0.25))


@pytest.mark.parametrize("outlier", [1e9, 1e300])
def test_one_outlier_far_away_is_named_instead_of_filling_the_memory(outlier):
    with pytest.raises(DiscretisationError, match=re.escape(f"run from 1 to {outlier:g}; is")):
        discretise(*line(1, 2, outlier), size(0.25))
    assert discretise(*line(1, 2, outlier), number(32)).array.ravel().tolist() == [1, 1, 32]


@pytest.mark.parametrize("values", [(-1e308, 1e308), (0, 1e307), (-1e300, 0, 1.7e308)])
def test_a_range_beyond_that_of_numbers_is_refused(values):
    with pytest.raises(DiscretisationError, match=re.escape(f"run from {min(values):g} to {max(values):g}: 32 times")):
        discretise(*line(*values), number(32))


def test_activities_taken_for_suv_are_refused():
    values = np.random.default_rng(0).gamma(2, 5000, 1000)  # Bq/ml
    with pytest.raises(DiscretisationError, match=r"grey levels \(at most 4096\).*is the image in SUV"):
        discretise(*line(*values), size(0.25))


def test_as_many_levels_as_allowed_are_levels():
    levels = discretise(*line(0, 4095.5), size(1))
    assert levels.count == 4096
    with pytest.raises(DiscretisationError, match="4097 grey levels"):
        discretise(*line(0, 4096), size(1))


def test_without_discretisation_intensities_must_be_levels():
    none = NoDiscretisation(method="none")
    assert discretise(*line(1, 6), none).count == 6
    for wrong in (0.0, 1.5, -3.0):
        with pytest.raises(DiscretisationError, match="no whole numbers from 1"):
            discretise(*line(1, wrong), none)
