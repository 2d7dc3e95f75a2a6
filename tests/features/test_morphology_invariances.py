"""What leaves the form of a region unchanged, and what changes it in a known way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.features.morphology import morphology
from tests.phantom import make_sample

SEEDS = st.integers(0, 100_000)
TURNS = [
    (order, flips) for order in itertools.permutations(range(3)) for flips in itertools.product((1, -1), repeat=3)
]  # the 48 symmetries of the grid: rotations by 90 degrees, and these mirrored


def blob(seed, *, largest=14):
    """Intensities, a blob with noise on its edge, part of it re-segmented away, and spacing."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(2, largest, 3))
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    mask = (places**2).sum(axis=0) + rng.normal(0, 0.2, shape) < 1.1
    mask[:2, :2, :2] = True
    inside = mask & (rng.random(shape) < 0.9)
    inside[:2, :2, :2] = True
    return rng.normal(5, 2, shape), mask, inside, tuple(float(s) for s in rng.uniform(0.5, 4, 3))


def compute(intensities, mask, inside, spacing_mm):
    sample = make_sample(intensities, mask, intensity_mask=inside, spacing_mm=spacing_mm)
    values, reasons = morphology.compute(sample)
    assert not reasons
    assert len(values) == 29
    return values


def assert_same(found, expected):
    for name, value in expected.items():
        # Moran's I and the shift of the centre may be near 0, where only their absolute error is small
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


@settings(max_examples=12, deadline=None, derandomize=True)
@given(SEEDS)
def test_turned_and_mirrored_regions_have_the_same_form(seed):
    intensities, mask, inside, spacing_mm = blob(seed)
    expected = compute(intensities, mask, inside, spacing_mm)
    for order, flips in TURNS[1:]:
        steps = tuple(slice(None, None, s) for s in flips)
        parts = (part[steps].transpose(order) for part in (intensities, mask, inside))
        assert_same(compute(*parts, tuple(spacing_mm[a] for a in order)), expected)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS, st.floats(0.01, 100))
def test_other_units_of_length_change_lengths_areas_and_volumes_alone(seed, factor):
    intensities, mask, inside, spacing_mm = blob(seed)
    powers = {"mm": 1, "mm^2": 2, "mm^3": 3, "1/mm": -1, "{u}*mm^3": 3, "1": 0}
    expected = compute(intensities, mask, inside, spacing_mm)
    scaled = {name: v * factor ** powers[morphology.features[name].unit] for name, v in expected.items()}
    assert_same(compute(intensities, mask, inside, tuple(s * factor for s in spacing_mm)), scaled)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS, st.floats(1e-6, 1e6))
def test_other_units_of_intensity_change_the_integrated_intensity_alone(seed, factor):
    intensities, mask, inside, spacing_mm = blob(seed)
    expected = compute(intensities, mask, inside, spacing_mm)
    expected["IntegratedIntensity"] *= factor
    assert_same(compute(intensities * factor, mask, inside, spacing_mm), expected)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS, st.floats(-1e3, 1e3))
def test_autocorrelation_does_not_see_an_offset(seed, offset):
    intensities, mask, inside, spacing_mm = blob(seed)
    expected = compute(intensities, mask, inside, spacing_mm)
    found = compute(intensities + offset, mask, inside, spacing_mm)
    for name in ("MoransI", "GearysC"):
        assert found[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-11)


def test_what_the_mask_leaves_out_does_not_matter():
    intensities, mask, inside, spacing_mm = blob(4)
    expected = compute(intensities, mask, inside, spacing_mm)
    assert compute(np.where(inside, intensities, 1e9), mask, inside, spacing_mm) == expected


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("largest", [14, 40])
def test_autocorrelation_does_not_feel_a_large_offset(seed, largest):
    intensities, mask, inside, spacing_mm = blob(seed, largest=largest)
    intensities = np.rint(intensities * 1024) / 1024  # which leaves room for the offset's digits
    plain = compute(intensities, mask, inside, spacing_mm)
    far = compute(intensities + 2.0**33, mask, inside, spacing_mm)
    for name in ("MoransI", "GearysC"):
        assert far[name] == pytest.approx(plain[name], rel=1e-11, abs=1e-12)


def test_a_range_beyond_that_of_numbers_has_no_autocorrelation():
    intensities, mask, inside, spacing_mm = blob(0)
    intensities[:2, 0, 0] = 1.7e308, -1.7e308
    with np.errstate(over="ignore", invalid="ignore"):
        _, reasons = morphology.compute(make_sample(intensities, mask, intensity_mask=inside, spacing_mm=spacing_mm))
    assert reasons["MoransI"] == reasons["GearysC"] == "the range of intensities exceeds the range of numbers"
