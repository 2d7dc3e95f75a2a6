"""The intensity-volume histogram: against the references, a slow twin, and its rules at the ends of the axis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.features.ivh import ivh
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.imaging import ivh as axes
from radiomics_pipeline.imaging.ivh import intensity_volume
from radiomics_pipeline.params.extraction import IvhAsTheyAre, IvhBinNumber, IvhBinSize, SeriesParams
from radiomics_pipeline.types import Grid, Region, Volume
from tests.ibsi1 import CONFIGURATIONS, is_met, references, sample_of
from tests.naive import intensities as naive
from tests.phantom import digital_phantom

AS_THEY_ARE = IvhAsTheyAre(method="none")
AREAS = {"digital": (0.32, 0.0), "C": (0.681, 0.003), "D": (0.563, 0.012), "E": (0.663, 0.006)}
"""Area under the curve and its tolerance in the IBSI manual (arXiv:1612.07003); later taken out of the standard."""


def bins(width: float) -> IvhBinSize:
    return IvhBinSize(method="fixed-bin-size", width=width)


def numbers(n: int) -> IvhBinNumber:
    return IvhBinNumber(method="fixed-bin-number", bins=n)


def line(values) -> tuple[Volume, Region]:
    grid = Grid((1, 1, len(values)), (1.0, 1.0, 1.0))
    mask = np.ones(grid.shape, bool)
    return Volume(np.array(values, float).reshape(grid.shape), grid, "SUV"), Region(mask, mask, grid)


def compute(values, scale=AS_THEY_ARE, limits=(None, None)):
    volume, region = line(values)
    return ivh.compute(Sample(volume, region, ivh=intensity_volume(volume, region, scale, limits)))


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_references_are_met(configuration, shared):
    expected = references(configuration, "intensity_volume_histogram", shared)
    values, reasons = ivh.compute(sample_of(configuration, shared))
    assert not reasons
    codes = {feature.ibsi: values[feature.name] for feature in ivh.features.values()}
    assert codes.keys() == expected.keys() | {"9CMM"}
    assert {code: v for code, v in codes.items() if code in expected and not is_met(v, *expected[code])} == {}
    if configuration in AREAS:
        assert is_met(codes["9CMM"], *AREAS[configuration])


def test_an_axis_that_is_not_given_is_that_of_the_intensities_as_they_are():
    values, _ = ivh.compute(digital_phantom())
    assert values["VolumeAtIntensityFraction10"] == 24 / 74
    assert values["IntensityAtVolumeFraction90"] == 2.0
    assert values["AreaUnderCurve"] == pytest.approx(0.2 * (0.5 + (24 + 24 + 23 + 7 + 3.5) / 74), rel=1e-12)


def same(found, expected):
    values, reasons = found
    assert reasons.keys() == {name for name, v in expected.items() if math.isnan(v)}
    assert values == pytest.approx(expected, rel=1e-12, abs=1e-14, nan_ok=True)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.integers(-9, 30), min_size=1, max_size=60).filter(lambda v: len(set(v)) > 1))
def test_whole_numbers_are_counted_one_by_one(values):
    same(compute(values), naive.intensity_volume(values, range(min(values), max(values) + 1)))
    same(compute(values, limits=(-10, 33)), naive.intensity_volume(values, range(-10, 34)))
    same(compute(values, limits=(None, 40)), naive.intensity_volume(values, range(min(values), 41)))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 399), min_size=2, max_size=60), st.sampled_from([0.125, 0.5, 1.0, 2.5]))
def test_bins_of_one_size_stand_for_their_centres(eighths, width):
    values = [e / 8 for e in eighths]
    centres = [(math.floor(v / width) + 0.5) * width for v in values]
    whole = [(k + 0.5) * width for k in range(round(50 / width))]
    if len(set(centres)) > 1:
        same(compute(values, bins(width), (0, 50)), naive.intensity_volume(centres, whole))
        same(
            compute(values, bins(width), (0, None)),
            naive.intensity_volume(centres, whole[: whole.index(max(centres)) + 1]),
        )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=60).filter(lambda v: len(set(v)) > 1), st.integers(2, 40))
def test_a_fixed_number_of_bins_stands_for_its_numbers_whatever_the_range(values, n):
    low, high = min(values), max(values)
    levels = [min(n * (v - low) // (high - low) + 1, n) for v in values]
    same(compute(values, numbers(n), (-100, 100)), naive.intensity_volume(levels, range(1, n + 1)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_intensities_between_whole_numbers_are_reached_by_the_steps_below_them(seed):
    values = np.random.default_rng(seed).normal(0, 4, 40)
    low, high = float(values.min()), float(values.max())
    points = [*np.arange(low, high, 1.0).tolist(), high]
    same(compute(values), naive.intensity_volume(values.tolist(), points))


def test_a_long_axis_is_not_counted_point_by_point(monkeypatch):
    values = np.random.default_rng(1).integers(-1000, 1000, 500)
    expected = compute(values)
    monkeypatch.setattr(axes, "MOST_COUNTED", 0)
    assert compute(values) == expected
    found, _ = compute([0, 1, 10**15])
    assert found["VolumeAtIntensityFraction10"] == pytest.approx(1 / 3)


def test_the_upper_end_of_a_range_closes_the_last_bin():
    values = [0.0, 1.0, 2.0, 10.0]
    cut, _ = compute(values, bins(2.5), (0, 10))
    assert cut == compute([0.0, 1.0, 2.0, 9.9], bins(2.5), (0, 10))[0]
    uneven, _ = compute(values, bins(3.0), (0, 10))  # bins 0-3, 3-6, 6-9 and one that holds 10
    assert uneven["IntensityAtVolumeFraction90"] == 4.5


def test_scale_and_shift_of_arbitrary_units_change_nothing():
    values = np.random.default_rng(2).integers(0, 4000, 300) / 8
    assert compute(values, numbers(1000)) == compute(values * 4 - 64, numbers(1000))


def test_order_and_number_of_copies_of_the_voxels_change_nothing():
    values = np.random.default_rng(3).integers(-50, 50, 100)
    expected, _ = compute(values)
    assert compute(values[::-1])[0] == expected
    assert compute(np.repeat(values, 7))[0] == pytest.approx(expected, rel=1e-14)


def test_one_intensity_has_no_fractions_and_no_area():
    for scale in (AS_THEY_ARE, bins(0.1)):
        for values in ([5.0], [5.0, 5.0, 5.0]):
            found, reasons = compute(values, scale)
            assert found["AreaUnderCurve"] == 0
            assert len(reasons) == len(ivh.features) - 1
            assert (
                reasons["VolumeAtIntensityFraction10"] == "the intensity axis has a single point, and so no fractions"
            )
            assert "more than 90 % of the volume" in reasons["IntensityAtVolumeFraction90"]


def test_one_intensity_within_a_range_has_fractions():
    found, reasons = compute([5, 5], limits=(0, 10))
    assert not reasons
    assert found["VolumeAtIntensityFraction10"] == 1
    assert found["VolumeAtIntensityFraction90"] == 0
    assert found["IntensityAtVolumeFraction90"] == 6
    assert found["AreaUnderCurve"] == 0  # by definition, where there is one intensity only


def test_many_voxels_at_the_upper_end_leave_the_intensity_undefined():
    found, reasons = compute([1, 2, 3, 3, 3])
    assert math.isnan(found["IntensityAtVolumeFraction10"])
    assert "more than 10 % of the volume reach the upper end" in reasons["IntensityAtVolumeFraction10"]
    assert found["IntensityAtVolumeFraction90"] == 2


@pytest.mark.parametrize("scale", [AS_THEY_ARE, bins(0.1), numbers(1000)], ids=["none", "size", "number"])
def test_a_range_beyond_numbers_is_undefined(scale):
    _, reasons = compute([-1e308, 0, 1e308], scale)
    assert set(reasons.values()) == {"the range of intensities exceeds the range of numbers"}


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("HU", AS_THEY_ARE),
        ("SUV", bins(0.1)),
        ("SUVbw", bins(0.1)),
        ("Bq/ml", numbers(1000)),
        ("counts", numbers(1000)),
    ],
)
def test_the_axis_follows_the_unit_unless_one_is_asked_for(unit, scale):
    discretise = {"method": "fixed-bin-number", "bins": 32}
    assert SeriesParams(unit=unit, discretise=discretise).ivh == scale
    asked = SeriesParams(unit=unit, discretise=discretise, ivh={"method": "fixed-bin-size", "width": 3})
    assert asked.ivh == bins(3)


@pytest.mark.parametrize("top", [2e305, 2e306, 2e307, 1.7e308])
def test_an_axis_with_more_points_than_numbers_reach_is_undefined(top):
    found, reasons = compute([0.0, 1.0, top], bins(0.1))
    assert all(math.isnan(value) for value in found.values())
    assert set(reasons.values()) == {"the range of intensities exceeds the range of numbers"}
