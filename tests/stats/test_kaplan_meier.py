import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from sksurv.compare import compare_survival
from sksurv.nonparametric import kaplan_meier_estimator

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.kaplan_meier import kaplan_meier, log_rank, survival_at

TIED = np.random.default_rng(0).integers(1, 13, 80).astype(float), np.random.default_rng(1).random(80) < 0.5
APART = np.random.default_rng(2).exponential(size=60), np.random.default_rng(3).random(60) < 0.6
# Time to relapse in weeks under 6-mercaptopurine and placebo: Freireich et al., Blood 1963;21:699
MERCAPTOPURINE = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def leukaemia():
    time = np.array(MERCAPTOPURINE + PLACEBO, np.float64)
    return time, np.array(RELAPSED + [1] * 21) == 1, np.repeat([0, 1], 21)


@pytest.mark.parametrize(("time", "event"), [TIED, APART])
def test_the_curve_and_its_bounds_equal_lifelines_and_scikit_survival(time, event):
    found = kaplan_meier(time, event)
    at, curve, bounds = kaplan_meier_estimator(event, time, conf_type="log-log")
    np.testing.assert_array_equal(found.times, at)
    np.testing.assert_allclose(found.survival, curve, atol=1e-14)
    inside = (curve > 0) & (curve < 1)
    np.testing.assert_allclose(found.lower[inside], bounds[0][inside], atol=1e-12)
    np.testing.assert_allclose(found.upper[inside], bounds[1][inside], atol=1e-12)
    assert np.isnan(found.lower[~inside]).all()
    fitter = KaplanMeierFitter().fit(time, event)
    table = fitter.event_table.iloc[1:]
    assert found.at_risk.tolist() == table["at_risk"].tolist()
    assert found.events.tolist() == table["observed"].tolist()
    assert found.censored.tolist() == table["censored"].tolist()
    assert found.median[0] == fitter.median_survival_time_


def test_the_published_leukaemia_curve_and_log_rank_are_found():
    time, event, group = leukaemia()
    found = kaplan_meier(time[:21], event[:21])
    at = np.searchsorted(found.times, [6, 7, 10, 13, 16, 22, 23])
    np.testing.assert_allclose(found.survival[at], [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], atol=5e-4)
    np.testing.assert_allclose(found.error[at], [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], atol=6e-5)
    assert found.median[0] == 23
    test = log_rank(time, event, group)
    assert test.statistic == pytest.approx(16.79, abs=5e-3)
    np.testing.assert_allclose(test.expected, [19.25, 10.75], atol=5e-3)
    assert test.observed.tolist() == [9, 21]


def test_numbers_at_risk_are_those_just_before_a_time():
    found = kaplan_meier(np.array([1.0, 2.0, 2.0, 5.0]), np.array([True, False, True, True]))
    assert found.at_risk_at(np.array([0, 1, 1.5, 2, 5, 6])).tolist() == [4, 4, 3, 3, 1, 0]


@pytest.mark.parametrize("groups", [2, 4])
def test_log_rank_of_several_groups_equals_lifelines_and_scikit_survival(groups):
    time, event = TIED
    group = np.random.default_rng(4).integers(0, groups, len(time))
    found = log_rank(time, event, group)
    other = multivariate_logrank_test(time, group, event)
    assert found.statistic == pytest.approx(other.test_statistic, rel=1e-9)
    assert found.p == pytest.approx(other.p_value, rel=1e-9)
    y = np.empty(len(time), dtype=[("event", "?"), ("time", "<f8")])
    y["event"], y["time"] = event, time
    assert found.statistic == pytest.approx(compare_survival(y, group)[0], rel=1e-9)
    assert found.degrees == groups - 1


def test_a_group_that_left_before_the_first_event_takes_no_part():
    time, event = np.array([1.0, 1.0, 3, 4, 5, 6]), np.array([0, 0, 1, 1, 1, 0]) == 1
    whole = log_rank(time, event, np.array(["c", "c", "a", "b", "a", "b"]))
    rest = log_rank(time[2:], event[2:], np.array(["a", "b", "a", "b"]))
    assert (whole.degrees, whole.statistic) == (1, pytest.approx(rest.statistic))


def test_log_rank_without_groups_or_events_has_a_reason():
    time, event = APART
    assert "two groups" in log_rank(time, event, np.zeros(60)).reason
    assert "no row" in log_rank(time, np.zeros(60, bool), np.arange(60) % 2).reason
    assert np.isnan(log_rank(time, np.zeros(60, bool), np.arange(60) % 2).p)


def test_survival_at_a_horizon_per_group_is_that_of_its_curve():
    time, event, group = leukaemia()
    found = survival_at(time, event, group, 10, groups=3)
    for k in (0, 1):
        fitter = KaplanMeierFitter().fit(time[group == k], event[group == k])
        assert found.survival[k] == pytest.approx(float(fitter.predict(10)))
        bounds = fitter.confidence_interval_survival_function_.loc[:10].iloc[-1]
        assert (found.lower[k], found.upper[k]) == (pytest.approx(bounds.iloc[0]), pytest.approx(bounds.iloc[1]))
    assert found.events.tolist() == [5, 13, 0]
    assert found.at_risk.tolist() == [15, 8, 0]
    assert found.reasons == ("", "", "no row is in this group")


def test_a_group_not_followed_to_the_horizon_has_no_survival_there():
    found = survival_at([1.0, 2, 3, 9], [1, 0, 0, 1], [0, 0, 0, 1], 5)
    assert np.isnan(found.survival[0])
    assert "followed up to 3 only" in found.reasons[0]
    assert "1 rows at risk" in found.reasons[1]
    assert (found.survival[1], found.error[1]) == (1, 0)
    dead = survival_at([1.0, 2, 3], [1, 1, 1], [0, 0, 0], 5)
    assert dead.survival[0] == 0


def test_the_unit_of_time_and_the_order_of_rows_do_not_matter():
    time, event = TIED
    order = np.random.default_rng(9).permutation(len(time))
    one, two = kaplan_meier(time, event), kaplan_meier(time[order] * 30.4, event[order])
    np.testing.assert_array_equal(one.survival, two.survival)
    np.testing.assert_array_equal(one.lower, two.lower)


def test_what_is_no_time_or_event_is_refused():
    with pytest.raises(TableError, match="missing"):
        kaplan_meier([1.0, np.nan], [1, 0])
    with pytest.raises(TableError, match="match"):
        kaplan_meier([1.0, 2], [1])
    with pytest.raises(TableError, match="other than 0 and 1"):
        kaplan_meier([1.0, 2], [1, 2])
    with pytest.raises(ParamsError, match="horizon"):
        survival_at([1.0], [1], [0], -1)
