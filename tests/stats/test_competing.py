import numpy as np
import pytest
from sksurv.nonparametric import cumulative_incidence_competing_risks

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.competing import cumulative_incidence, incidence_at
from radiomics_pipeline.stats.kaplan_meier import kaplan_meier


def study(n=90, seed=0, *, tied=False):
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 15, n).astype(float) if tied else rng.exponential(size=n)
    return time, rng.choice([0, 1, 2, 3], n, p=[0.4, 0.3, 0.2, 0.1])


@pytest.mark.parametrize("tied", [False, True])
def test_incidence_and_bounds_equal_scikit_survival(tied):
    time, cause = study(tied=tied)
    found = cumulative_incidence(time, cause)
    at, curves, bounds = cumulative_incidence_competing_risks(cause, time, conf_type="log-log")
    np.testing.assert_array_equal(found.times, at)
    np.testing.assert_allclose(found.incidence, curves[1:], atol=1e-13)
    known = found.incidence > 0
    np.testing.assert_allclose(found.lower[known], bounds[1:, 0][known], atol=1e-9)
    np.testing.assert_allclose(found.upper[known], bounds[1:, 1][known], atol=1e-9)
    assert np.isnan(found.lower[~known]).all()


@pytest.mark.parametrize("tied", [False, True])
def test_incidences_and_the_event_free_share_sum_to_one(tied):
    time, cause = study(tied=tied)
    found = cumulative_incidence(time, cause)
    np.testing.assert_allclose(found.incidence.sum(axis=0) + found.event_free, 1, atol=1e-13)
    np.testing.assert_allclose(found.event_free, kaplan_meier(time, cause > 0).survival, atol=1e-13)


def test_with_one_cause_it_is_one_less_kaplan_meier():
    time, cause = study()
    found = cumulative_incidence(time, cause == 1)
    np.testing.assert_allclose(found.incidence[0], 1 - kaplan_meier(time, cause == 1).survival, atol=1e-13)


def test_without_censoring_it_is_a_share_with_a_binomial_variance():
    rng = np.random.default_rng(3)
    time, cause = rng.exponential(size=200), rng.integers(1, 3, 200)
    found = cumulative_incidence(time, cause)
    for at in (50, 120):
        share = ((cause == 1) & (time <= found.times[at])).mean()
        assert found.incidence[0, at] == pytest.approx(share)
        assert found.variance[0, at] == pytest.approx(share * (1 - share) / 200, rel=0.02)


def test_the_variance_is_that_of_repeated_studies():
    found, estimates = [], []
    for seed in range(400):
        time, cause = study(60, seed)
        curve = cumulative_incidence(time, cause)
        at = np.searchsorted(curve.times, 0.8, side="right") - 1
        estimates.append(curve.incidence[0, at])
        found.append(curve.variance[0, at])
    assert np.mean(found) == pytest.approx(np.var(estimates), rel=0.15)


def test_taking_competing_events_as_censored_would_give_too_high_an_incidence():
    time, cause = study()
    at = 60
    assert 1 - kaplan_meier(time, cause == 1).survival[at] > cumulative_incidence(time, cause).incidence[0, at] + 0.02


def test_groups_at_a_horizon_and_reasons():
    time, cause = np.array([1.0, 2, 3, 4, 1, 2]), np.array([1, 2, 0, 1, 1, 0])
    found = incidence_at(time, cause, np.array([0, 0, 0, 0, 1, 1]), 3.5, groups=3)
    assert found.survival[0] == pytest.approx(0.75)
    assert "followed up to 2 only" in found.reasons[1]
    assert found.reasons[2] == "no row is in this group"
    assert found.events.tolist() == [1, 1, 0]
    assert incidence_at(time, cause, np.zeros(6, int), 3.5, of=2).survival[0] == pytest.approx(1 - 4 / 6 / 4)


def test_what_is_no_cause_is_refused():
    with pytest.raises(TableError, match="whole numbers"):
        cumulative_incidence([1.0, 2.0], [0.5, 1])
    with pytest.raises(TableError, match="match"):
        cumulative_incidence([1.0, 2.0], [1])
    with pytest.raises(TableError, match="cause 3"):
        cumulative_incidence([1.0, 2.0], [1, 3], causes=2)
    with pytest.raises(ParamsError, match="horizon"):
        incidence_at([1.0], [1], [0], 0)
