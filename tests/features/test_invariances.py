"""What must not change a feature, and what must change it in a known way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.histogram import histogram
from radiomics_pipeline.features.intensity import intensity
from radiomics_pipeline.features.morphology import morphology
from tests.phantom import make_sample

ITERATED = {"VolumeDensityMVEE", "AreaDensityMVEE"}
"""Found by iteration, to a tolerance."""


def region(seed, *, largest=9):
    """Intensities, two masks and spacing, at random: a blob with noise on its edge."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, largest, 3))
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    mask = (places**2).sum(axis=0) + rng.normal(0, 0.3, shape) < 1.2
    mask.flat[0] = True
    inside = mask & (rng.random(shape) < 0.9)
    inside.flat[0] = True
    levels = rng.integers(1, 7, shape)
    return levels.astype(float), mask, inside, tuple(float(s) for s in rng.uniform(0.5, 4, 3))


def compute_all(intensities, mask, inside, spacing_mm, *, families=FAMILIES):
    found = {}
    for family in families:
        for aggregation in {family.aggregation_of(requested): None for requested in ("3D:avg", "3D:mrg")}:
            sample = make_sample(
                intensities, mask, intensity_mask=inside, spacing_mm=spacing_mm, aggregation=aggregation
            )
            found |= {(family.token, aggregation, k): v for k, v in family.compute(sample)[0].items()}
    return found


INWARD = tuple(family for family in FAMILIES if not family.reach_mm)
"""Families that see nothing beyond the region."""


def assert_same(one, other, *, rel=1e-9):
    for key, value in one.items():
        tolerance = 1e-3 if key[-1] in ITERATED else rel
        assert other[key] == pytest.approx(value, rel=tolerance, abs=1e-11, nan_ok=True), key


SEEDS = st.integers(0, 10_000)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS)
def test_mirrored_region(seed):
    intensities, mask, inside, spacing_mm = region(seed)
    expected = compute_all(intensities, mask, inside, spacing_mm)
    for axes in [(0,), (1,), (2,), (0, 1, 2)]:
        parts = (np.flip(part, axes) for part in (intensities, mask, inside))
        assert_same(expected, compute_all(*parts, spacing_mm))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(SEEDS)
def test_axes_in_another_order(seed):
    intensities, mask, inside, spacing_mm = region(seed)
    expected = compute_all(intensities, mask, inside, spacing_mm)
    for order in list(itertools.permutations(range(3)))[1:]:
        parts = (part.transpose(order) for part in (intensities, mask, inside))
        assert_same(expected, compute_all(*parts, tuple(spacing_mm[a] for a in order)))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_more_background_around(seed, margin):
    intensities, mask, inside, spacing_mm = region(seed)
    wide = [(margin[0], margin[1]), (margin[2], margin[3]), (margin[4], margin[5])]
    padded = (np.pad(part, wide, constant_values=fill) for part, fill in ((intensities, 99.0), (mask, 0), (inside, 0)))
    expected = compute_all(intensities, mask, inside, spacing_mm, families=INWARD)
    assert_same(expected, compute_all(*padded, spacing_mm, families=INWARD))


def test_outside_intensities_do_not_matter():
    intensities, mask, inside, spacing_mm = region(5)
    other = np.where(inside, intensities, 1e9)
    expected = compute_all(intensities, mask, inside, spacing_mm, families=INWARD)
    assert expected == pytest.approx(compute_all(other, mask, inside, spacing_mm, families=INWARD), nan_ok=True)
    assert len(INWARD) == len(FAMILIES) - 1


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS)
def test_what_encloses_more_is_larger(seed):
    intensities, mask, _, spacing_mm = region(seed)
    values, _ = morphology.compute(make_sample(intensities, mask, spacing_mm=spacing_mm))
    within = [values[f"VolumeDensity{name}"] for name in ("AABB", "OMBB", "ConvexHull")]
    assert 0 < within[0] <= within[1] * (1 + 1e-9)
    assert within[1] <= within[2] * (1 + 1e-9)
    assert within[2] <= 1 + 1e-9
    assert 0 < values["VolumeDensityMVEE"] <= values["VolumeDensityConvexHull"] * (1 + 1e-4)


def test_same_input_gives_the_same_bytes():
    first, second = (compute_all(*region(11, largest=20)) for _ in range(2))
    assert first == second


@settings(max_examples=20, deadline=None, derandomize=True)
@given(SEEDS, st.floats(0.1, 10))
def test_larger_voxels_scale_lengths_areas_and_volumes(seed, factor):
    intensities, mask, _, spacing_mm = region(seed)
    powers = {"mm": 1, "mm^2": 2, "mm^3": 3, "1/mm": -1, "{u}*mm^3": 3, "1": 0}
    expected, _ = morphology.compute(make_sample(intensities, mask, spacing_mm=spacing_mm))
    larger = tuple(s * factor for s in spacing_mm)
    found, _ = morphology.compute(make_sample(intensities, mask, spacing_mm=larger))
    for name, feature in morphology.features.items():
        tolerance = 1e-3 if name in ITERATED else 1e-9
        scaled = expected[name] * factor ** powers[feature.unit]
        assert found[name] == pytest.approx(scaled, rel=tolerance, abs=1e-11, nan_ok=True)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, st.floats(0.01, 100))
def test_intensities_in_another_unit(seed, factor):
    intensities, mask, inside, spacing_mm = region(seed)
    powers = {"{u}": 1, "{u}^2": 2, "{u}*mm^3": 1}
    for family in (intensity, morphology):
        expected, _ = family.compute(make_sample(intensities, mask, intensity_mask=inside, spacing_mm=spacing_mm))
        scaled = make_sample(intensities * factor, mask, intensity_mask=inside, spacing_mm=spacing_mm)
        found, _ = family.compute(scaled)
        for name, feature in family.features.items():
            value = expected[name] * factor ** powers.get(feature.unit, 0)
            assert found[name] == pytest.approx(value, rel=1e-8, abs=1e-11, nan_ok=True), name


@pytest.mark.parametrize("shift", [-1000.0, 1e6])
def test_shifted_intensities_move_location_and_keep_spread(shift):
    intensities, mask, _, _ = region(7)
    moved = {"Mean", "Median", "Minimum", "Maximum", "Percentile10", "Percentile90"}
    kept = {name for name in intensity.features if "Deviation" in name or "Range" in name} | {
        "Variance",
        "Skewness",
        "Kurtosis",
    }
    expected, _ = intensity.compute(make_sample(intensities, mask))
    found, _ = intensity.compute(make_sample(intensities + shift, mask))
    for name in moved:
        assert found[name] == pytest.approx(expected[name] + shift, rel=1e-12)
    for name in kept:
        assert found[name] == pytest.approx(expected[name], rel=1e-8)
    shape, _ = morphology.compute(make_sample(intensities, mask))
    shifted, _ = morphology.compute(make_sample(intensities + shift, mask))
    for name in ("MoransI", "GearysC"):
        assert shifted[name] == pytest.approx(shape[name], rel=1e-7)


def test_histogram_of_intensities_that_are_levels_equals_their_statistics():
    intensities, mask, inside, _ = region(3)
    sample = make_sample(intensities, mask, intensity_mask=inside)
    of_levels, of_intensities = histogram.compute(sample)[0], intensity.compute(sample)[0]
    for name in of_levels.keys() & of_intensities.keys():
        assert of_levels[name] == pytest.approx(of_intensities[name], rel=1e-12)
