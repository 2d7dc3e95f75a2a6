"""Every feature gives a number, or NaN with its reason, on any region."""

from __future__ import annotations

import math

import numpy as np
import pytest

from radiomics_pipeline.features import FAMILIES
from tests.phantom import make_sample


def compute_all(intensities, mask, **options):
    """All values and all reasons by (family, feature), 3D:avg and 3D:mrg both."""
    values, reasons = {}, {}
    for family in FAMILIES:
        for requested in ("3D:avg", "3D:mrg"):
            sample = make_sample(intensities, mask, aggregation=family.aggregation_of(requested), **options)
            found, why = family.compute(sample)
            assert found.keys() == family.features.keys()
            values |= {(family.token, name): v for name, v in found.items()}
            reasons |= {(family.token, name): r for name, r in why.items()}
    return values, reasons


def check(values, reasons):
    for key, value in values.items():
        assert math.isnan(value) == (key in reasons), key
        assert math.isfinite(value) or math.isnan(value), key
        assert math.copysign(1, value) > 0 or value != 0, key  # no -0.0
        assert reasons.get(key, "because").strip()


def random(shape, seed=0):
    return np.random.default_rng(seed).integers(1, 6, shape).astype(float)


def holes():
    mask = np.ones((5, 5, 5), bool)
    mask[2, 2, 2] = False
    return mask


def scattered():
    mask = np.zeros((9, 9, 9), bool)
    mask[::4, ::4, ::4] = True
    return mask


def diagonal():
    return np.eye(6, dtype=bool)[:, None, :]


REGIONS = {
    "one voxel": np.ones((1, 1, 1), bool),
    "two voxels": np.ones((1, 1, 2), bool),
    "a line": np.ones((1, 7, 1), bool),
    "a diagonal": diagonal(),
    "one slice": np.ones((1, 6, 5), bool),
    "two far voxels": np.array([[[1] + [0] * 300 + [1]]], bool),
    "holes": holes(),
    "scattered": scattered(),
    "a box": np.ones((3, 4, 5), bool),
}
INTENSITIES = {
    "levels": random,
    "constant": lambda shape: np.full(shape, 3.0),
    "constant tenths": lambda shape: np.full(shape, 0.1),
    "zero": np.zeros,
    "negative": lambda shape: -random(shape),
    "sum of zero": lambda shape: np.where(np.arange(np.prod(shape)) % 2, 1.0, -1.0).reshape(shape),
    "counts of millions": lambda shape: 1e6 + random(shape),
    "beyond squares": lambda shape: 1e200 * random(shape),
    "tiny": lambda shape: 1e-300 * random(shape),
}


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("intensities", INTENSITIES)
def test_a_number_or_a_reason(region, intensities):
    mask = REGIONS[region]
    check(*compute_all(INTENSITIES[intensities](mask.shape), mask, spacing_mm=(5.0, 0.7, 1.3)))


@pytest.mark.parametrize("region", REGIONS)
def test_intensity_mask_of_one_voxel(region):
    mask = REGIONS[region]
    single = np.zeros_like(mask)
    single[tuple(np.argwhere(mask)[-1])] = True
    values, reasons = compute_all(random(mask.shape), mask, intensity_mask=single)
    check(values, reasons)
    assert values["intensity", "Variance"] == 0
    assert values["intensity", "Skewness"] == values["intensity", "Kurtosis"] == 0


def test_values_that_the_standard_names_for_a_constant_region():
    values, reasons = compute_all(np.full((3, 3, 3), 0.1), np.ones((3, 3, 3), bool))
    for family in ("intensity", "histogram"):
        for name in ("Variance", "Skewness", "Kurtosis"):
            assert values[family, name] == 0
    assert values["intensity", "Mean"] == 0.1
    undefined = {name for family, name in reasons if family == "glcm"}
    assert undefined == {"Correlation", "InformationCorrelation1"}
    assert {n for f, n in reasons if f == "histogram"} == {
        "MaximumHistogramGradient",
        "MaximumHistogramGradientIntensity",
        "MinimumHistogramGradient",
        "MinimumHistogramGradientIntensity",
    }
    assert {n for f, n in reasons if f == "morphology"} == {"MoransI", "GearysC"}


def test_one_voxel_has_a_mesh_but_no_axes_and_no_neighbours():
    values, reasons = compute_all(np.ones((1, 1, 1)), np.ones((1, 1, 1), bool), spacing_mm=(2.0, 3.0, 4.0))
    assert values["morphology", "VolumeMesh"] == pytest.approx(24 / 6)
    assert values["morphology", "Maximum3DDiameter"] == 4.0
    assert reasons["morphology", "MajorAxisLength"] == "one voxel has no principal axes"
    assert all(
        reasons["glcm", name] == "no two voxels of the region are neighbours" for f, name in values if f == "glcm"
    )


def test_flat_region_has_lengths_of_zero_but_no_ellipsoid():
    values, reasons = compute_all(random((1, 6, 5)), np.ones((1, 6, 5), bool))
    assert values["morphology", "LeastAxisLength"] == 0
    assert values["morphology", "Flatness"] == 0
    assert "flat" in reasons["morphology", "VolumeDensityAEE"]
    assert "flat" in reasons["morphology", "AreaDensityAEE"]


def test_overflow_is_named():
    values, reasons = compute_all(1e200 * random((3, 3, 3)), np.ones((3, 3, 3), bool))
    assert reasons["intensity", "Energy"] == "the value exceeds the range of numbers"
    assert values["intensity", "Skewness"] == pytest.approx(
        compute_all(random((3, 3, 3)), np.ones((3, 3, 3), bool))[0]["intensity", "Skewness"]
    )
