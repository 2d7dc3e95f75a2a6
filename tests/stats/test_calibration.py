import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from statsmodels.nonparametric.smoothers_lowess import lowess as reference_lowess

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.calibration import (
    calibration,
    calibration_curve,
    in_the_large,
    observed_expected,
    recalibration,
)
from radiomics_pipeline.stats.lowess import lowess


def predictions(seed, n=200, slope=0.6, shift=0.4):
    rng = np.random.default_rng(seed)
    x = rng.normal(-0.5, 1.2, n)
    return expit(x), rng.random(n) < expit(slope * x + shift)


@pytest.mark.parametrize("seed", range(5))
def test_intercept_and_slope_equal_statsmodels(seed):
    p, event = predictions(seed)
    y, x = event.astype(float), logit(p)
    both = sm.Logit(y, sm.add_constant(x)).fit(disp=0, tol=1e-12)
    alone = sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial(), offset=x).fit(tol=1e-12)
    intercept, slope = recalibration(p, event)
    for found, k in ((intercept, 0), (slope, 1)):
        assert found.value == pytest.approx(both.params[k], abs=1e-8)
        assert found.error == pytest.approx(both.bse[k], rel=1e-7)
        assert (found.lower, found.upper) == pytest.approx(tuple(both.conf_int()[k]), abs=1e-7)
    large = in_the_large(p, event)
    assert large.value == pytest.approx(alone.params[0], abs=1e-8)
    assert large.error == pytest.approx(alone.bse[0], rel=1e-7)


def test_errors_over_patients_equal_the_sandwich_of_statsmodels():
    p, event = predictions(1)
    groups = np.random.default_rng(2).integers(0, 60, len(p))
    kind = {"cov_type": "cluster", "cov_kwds": {"groups": groups, "use_correction": False}}
    both = sm.Logit(event.astype(float), sm.add_constant(logit(p))).fit(disp=0, **kind)
    found = recalibration(p, event, groups=groups)
    assert [f.error for f in found] == pytest.approx(list(both.bse), rel=1e-6)
    apart = recalibration(p, event, groups=np.arange(len(p)))
    assert apart == recalibration(p, event), "patients of one row each: the model's own error"
    ones = np.ones((len(p), 1))
    alone = sm.GLM(event.astype(float), ones, family=sm.families.Binomial(), offset=logit(p)).fit(**kind)
    assert in_the_large(p, event, groups=groups).error == pytest.approx(alone.bse[0], rel=1e-6)


def test_right_probabilities_are_calibrated_and_moved_ones_are_moved_back():
    p, event = predictions(5, 40_000, slope=1, shift=0)
    found = calibration(p[:4000], event[:4000])
    assert abs(recalibration(p, event)[1].value - 1) < 0.05
    assert abs(in_the_large(p, event).value) < 0.05
    assert found.curve.ici < 0.03
    stretched = expit(2 * logit(p) + 1)
    intercept, slope = recalibration(stretched, event)
    assert slope.value == pytest.approx(recalibration(p, event)[1].value / 2, abs=1e-8)
    assert slope.upper < 1
    assert in_the_large(stretched, event).value < 0
    assert intercept.value < 0


def test_recalibrating_twice_changes_nothing():
    p, event = predictions(8)
    intercept, slope = recalibration(p, event)
    again = recalibration(expit(intercept.value + slope.value * logit(p)), event)
    assert (again[0].value, again[1].value) == pytest.approx((0, 1), abs=1e-8)


@pytest.mark.parametrize(
    ("p", "event", "said"),
    [
        ([0.1, 0.2, 0.3], [0, 0, 0], "one class"),
        ([0.3, 0.3, 0.3], [0, 1, 0], "predictions are the same"),
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], "separate"),
        ([0.1, 0.2, 0.2, 0.9], [0, 0, 1, 1], "separate"),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], "separate"),
        ([0.1, 0.2], [0, 1], "separate"),
    ],
)
def test_a_slope_that_cannot_be_had_is_nan_with_its_reason(p, event, said):
    for found in recalibration(np.array(p), np.array(event)):
        assert np.isnan([found.value, found.error, found.lower]).all()
        assert said in found.note


def test_calibration_in_the_large_stays_finite_under_separation_and_for_equal_predictions():
    assert in_the_large(np.array([0.1, 0.9]), np.array([0, 1])).value == pytest.approx(0, abs=1e-9)
    assert in_the_large(np.full(4, 0.5), np.array([0, 0, 0, 1])).value == pytest.approx(-np.log(3), abs=1e-9)


def test_certain_probabilities_are_counted_and_held_off_their_ends():
    p, event = predictions(3)
    p[:3] = 0, 1, 1
    found = recalibration(p, event)[1]
    assert "3 probabilities of 0 or 1" in found.note
    assert np.isfinite(found.value)


def test_extreme_but_overlapping_predictions_converge():
    p = np.array([1e-7, 1e-6, 0.999999, 1e-5, 0.5, 0.9999])
    event = np.array([0, 1, 1, 0, 1, 0])
    intercept, slope = recalibration(p, event)
    x = logit(np.clip(p, 1e-6, 1 - 1e-6))
    fitted = expit(intercept.value + slope.value * x)
    assert np.abs([(event - fitted).sum(), ((event - fitted) * x).sum()]).max() < 1e-8


@pytest.mark.parametrize("spread", [0.01, 1, 5, 30])
def test_small_tables_with_sure_and_wrong_predictions_converge(spread):
    rng = np.random.default_rng(5)
    solved = 0
    for _ in range(300):
        n = int(rng.integers(3, 25))
        p, event = expit(rng.normal(spread * rng.normal(), spread, n)), rng.random(n) < rng.choice([0.1, 0.5, 0.9])
        (intercept, slope), large = recalibration(p, event), in_the_large(p, event)
        x = logit(np.clip(p, 1e-6, 1 - 1e-6))
        if not np.isnan(slope.value):
            left = event - expit(intercept.value + slope.value * x)
            assert max(abs(left.sum()), abs((left * x).sum())) < 1e-6
            solved += 1
        if not np.isnan(large.value):
            assert abs((event - expit(large.value + x)).sum()) < 1e-6
    assert solved > 100


def test_observed_over_expected_with_its_interval():
    p, event = np.full(100, 0.1), np.arange(100) < 20
    found = observed_expected(p, event)
    assert found.value == pytest.approx(2)
    assert found.upper / found.value == pytest.approx(np.exp(1.959963984540054 * np.sqrt(0.8 / 20)))
    assert found.lower * found.upper == pytest.approx(4)
    assert observed_expected(p, np.zeros(100, bool)).value == 0
    assert "no event" in observed_expected(np.zeros(3), np.array([0, 1, 0])).note


@pytest.mark.parametrize("span", [0.3, 0.75, 1.0])
def test_smooth_line_equals_lowess_of_statsmodels(span):
    rng = np.random.default_rng(4)
    x = rng.random(120)
    y = (rng.random(120) < x).astype(float)
    at = np.linspace(0.02, 0.98, 41)
    expected = reference_lowess(y, x, frac=span, it=0, delta=0, xvals=at)
    assert lowess(x, y, at, span) == pytest.approx(expected, abs=1e-9)


def test_smooth_line_through_a_line_is_the_line_and_through_ties_their_mean():
    x = np.random.default_rng(1).random(50)
    assert lowess(x, 3 - 2 * x, np.array([0.1, 0.5, 0.9])) == pytest.approx([2.8, 2, 1.2], abs=1e-10)
    tied = np.repeat([0.2, 0.8], [9, 1])
    y = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 1.0])
    assert lowess(tied, y, np.array([0.2]), 0.5) == pytest.approx([2 / 9])
    assert lowess(np.array([0.0, 1]), np.array([0.0, 1]), np.array([0.5])) == pytest.approx([0.5])
    assert np.isnan(lowess(np.array([0.5]), np.array([1.0]), np.array([0.5]))).all()
    with pytest.raises(ParamsError, match="span"):
        lowess(x, x, x, 0.0)


def test_calibration_indices_are_distances_of_the_curve_from_the_diagonal():
    p, event = predictions(6)
    curve = calibration_curve(p, event)
    assert (np.diff(curve.at) > 0).all()
    line = reference_lowess(event.astype(float), p, frac=0.75, it=0, delta=0, xvals=p)
    gap = np.abs(np.clip(line, 0, 1) - p)
    assert curve.ici == pytest.approx(gap.mean(), abs=1e-9)
    assert (curve.e50, curve.e90) == pytest.approx(tuple(np.quantile(gap, (0.5, 0.9))), abs=1e-9)
    assert curve.e_max == pytest.approx(gap.max(), abs=1e-9)


def test_a_large_table_is_smoothed_at_fewer_places_without_a_difference_that_matters():
    p, event = predictions(6, 1500)
    line = np.clip(reference_lowess(event.astype(float), p, frac=0.75, it=0, delta=0, xvals=np.sort(p)), 0, 1)
    assert calibration_curve(p, event).observed == pytest.approx(line, abs=1e-4)


def test_the_curve_is_not_drawn_past_the_predictions_nor_for_a_handful_of_rows():
    p, event = predictions(6)
    curve = calibration_curve(p, event, at=np.array([0.0, 0.4, 1.0]))
    assert np.isnan(curve.observed).tolist() == [True, False, True]
    few = calibration(p[:5], event[:5])
    assert np.isnan(few.curve.ici)
    assert "fewer than 10" in few.curve.note


def test_equal_predictions_are_as_far_off_as_their_share():
    curve = calibration_curve(np.full(20, 0.3), np.arange(20) < 10)
    assert curve.ici == pytest.approx(0.2)
    assert "the same" in curve.note


def test_all_of_it_carries_its_counts_and_refuses_what_is_no_probability():
    p, event = predictions(6)
    found = calibration(p, event)
    assert (found.n_rows, found.n_events) == (200, int(event.sum()))
    with pytest.raises(TableError, match="within 0 and 1"):
        calibration(logit(p), event)
