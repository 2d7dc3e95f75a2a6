"""Statistics against scipy, and the rules that it does not know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from radiomics_pipeline.features.histogram import histogram
from radiomics_pipeline.features.intensity import intensity
from tests.phantom import make_sample


def of(values, family=intensity):
    values = np.asarray(values, float).reshape(1, 1, -1)
    return family.compute(make_sample(values, np.ones(values.shape, bool)))


def test_statistics_are_those_of_scipy():
    x = np.random.default_rng(0).gamma(2, 3, 501)
    found, _ = of(x)
    assert found["Skewness"] == pytest.approx(stats.skew(x))
    assert found["Kurtosis"] == pytest.approx(stats.kurtosis(x))
    assert found["Variance"] == pytest.approx(x.var())
    assert found["InterquartileRange"] == pytest.approx(stats.iqr(x))
    assert found["Percentile10"] == pytest.approx(np.percentile(x, 10))
    assert found["CoefficientOfVariation"] == pytest.approx(stats.variation(x))
    low, high = np.percentile(x, [10, 90])
    middle = x[(x >= low) & (x <= high)]
    assert found["RobustMeanAbsoluteDeviation"] == pytest.approx(np.abs(middle - middle.mean()).mean())
    assert found["MedianAbsoluteDeviation"] == pytest.approx(np.abs(x - np.median(x)).mean())
    assert found["Energy"] == pytest.approx((x**2).sum())
    assert found["RootMeanSquare"] == pytest.approx(math.sqrt((x**2).mean()))


def test_percentile_on_a_value_is_that_value():
    x = np.arange(21) / 10  # the 10th percentile is the third value, the 90th the nineteenth
    found, _ = of(x)
    assert (found["Percentile10"], found["Percentile90"]) == (x[2], x[18])


def test_skewness_of_nearly_equal_counts_of_millions():
    x = 1e6 + np.array([0.0, 0.0, 1.0])
    assert of(x)[0]["Skewness"] == pytest.approx(stats.skew([0, 0, 1]))


def test_mean_of_zero_leaves_variation_undefined():
    values, reasons = of([-1, 0, 1])
    assert math.isnan(values["CoefficientOfVariation"])
    assert reasons["CoefficientOfVariation"] == "the mean is 0"
    assert math.isnan(values["QuartileCoefficientOfDispersion"])


def test_two_values_leave_nothing_between_the_percentiles():
    values, reasons = of([1, 2])
    assert math.isnan(values["RobustMeanAbsoluteDeviation"])
    assert "no value lies between" in reasons["RobustMeanAbsoluteDeviation"]


@pytest.mark.parametrize(
    ("levels", "mode"),
    [([1, 1, 2, 5, 5, 9], 5), ([1, 1, 3, 3], 1), ([2], 2), ([1, 2, 3], 2), ([1, 1, 2, 3, 3], 1)],
    ids=["nearest to the mean", "lower of two equally near", "single", "all once", "around the mean"],
)
def test_mode_of_several(levels, mode):
    assert of(levels, histogram)[0]["Mode"] == mode


def test_gradient_counts_levels_without_a_voxel():
    found, _ = of([1, 1, 1, 4, 4], histogram)  # counts 3 0 0 2
    assert (found["MaximumHistogramGradient"], found["MaximumHistogramGradientIntensity"]) == (2, 4)
    assert (found["MinimumHistogramGradient"], found["MinimumHistogramGradientIntensity"]) == (-3, 1)


def test_gradient_intensity_is_the_lowest_of_several():
    found, _ = of([1, 2, 3], histogram)
    assert (found["MaximumHistogramGradientIntensity"], found["MinimumHistogramGradientIntensity"]) == (1, 1)
