import numpy as np
import pytest
from scipy.stats import chi2
from statsmodels.duration.hazard_regression import PHReg

from radiomics_pipeline.stats.cox import cox_lrt, cox_robust_p
from radiomics_pipeline.stats.deviance import cox_loss, logistic_loss
from tests import naive_stats as naive
from tests.naive_stats import survival_sample as sample


@pytest.mark.parametrize("seed", range(6))
def test_likelihood_ratio_p_equals_statsmodels_with_ties_after_efron(seed):
    values, time, event = sample(seed)
    found = cox_lrt(values, time, event)
    for c, x in enumerate(values.T):
        model = PHReg(time, x, status=event.astype(int), ties="efron")
        gain = model.fit().llf - model.loglike(np.zeros(1))
        assert found.gain[c] == pytest.approx(gain, abs=1e-8)
        assert found.p[c] == pytest.approx(chi2.sf(2 * gain, 1), abs=1e-8)
        assert found.coefficient[c] / x.std(ddof=1) == pytest.approx(model.fit().params[0], abs=1e-5)
    assert found.converged.all()


def test_gain_is_the_difference_of_two_likelihoods_from_the_definition():
    values, time, event = sample(7, n=15)
    found = cox_lrt(values, time, event)
    x = (values[:, 0] - values[:, 0].mean()) / values[:, 0].std(ddof=1)
    gain = naive.efron(found.coefficient[0], x, time, event) - naive.efron(0, x, time, event)
    assert found.gain[0] == pytest.approx(gain, abs=1e-9)
    assert naive.efron(found.coefficient[0] + 0.01, x, time, event) < naive.efron(found.coefficient[0], x, time, event)


def test_shift_and_scale_leave_p_and_gaps_leave_their_rows_out():
    values, time, event = sample(8)
    p = cox_lrt(values, time, event).p
    np.testing.assert_allclose(cox_lrt(values * 1e6 + 1e7, time, event).p, p, atol=1e-8)
    with_gap = values.copy()
    with_gap[:5, 2] = np.nan
    found = cox_lrt(with_gap, time, event).p
    assert found[2] == pytest.approx(cox_lrt(values[5:], time[5:], event[5:]).p[2], abs=1e-12)
    np.testing.assert_array_equal(found[[0, 1, 3, 4]], p[[0, 1, 3, 4]])


def test_a_column_that_orders_all_events_has_a_finite_small_p():
    time = np.arange(1.0, 21.0)
    found = cox_lrt(-time[:, None], time, np.ones(20, bool))
    assert 0 < found.p[0] < 1e-6


def test_a_constant_column_has_no_p():
    found = cox_lrt(np.ones((10, 1)), np.arange(1.0, 11.0), np.ones(10, bool))
    assert np.isnan(found.p[0])
    assert np.isnan(cox_robust_p(np.ones((10, 1)), np.arange(1.0, 11.0), np.ones(10, bool), np.arange(10))[0])


def test_repeating_every_patients_row_leaves_the_robust_p():
    values, time, event = sample(9, n=60)
    time = time + np.linspace(0, 0.5, 60)
    once = cox_robust_p(values, time, event, np.arange(60))
    twice = cox_robust_p(
        np.repeat(values, 2, axis=0), np.repeat(time, 2), np.repeat(event, 2), np.repeat(np.arange(60), 2)
    )
    np.testing.assert_allclose(twice, once, rtol=1e-9)
    assert once[0] < 0.01


def test_losses_are_those_of_the_definition():
    values, time, event = sample(10)
    found = cox_loss(values.T, time, event)
    np.testing.assert_allclose(found, [-naive.breslow(x, time, event) for x in values.T], rtol=1e-12)
    eta = np.array([[0.0, 2.0, -800.0]])
    expected = np.log(2) + np.log1p(np.exp(-2)) + 800
    assert logistic_loss(eta, np.array([0, 1, 1]))[0] == pytest.approx(expected)


def test_robust_p_holds_its_level_where_the_likelihood_ratio_does_not():
    rng = np.random.default_rng(20260104)
    patients, rows = 40, 4
    groups = np.repeat(np.arange(patients), rows)
    time = rng.exponential(size=patients)[groups]
    event = (rng.random(patients) < 0.6)[groups]
    values = rng.normal(size=(patients, 3000))[groups] + 0.7 * rng.normal(size=(patients * rows, 3000))
    assert 0.02 < np.mean(cox_robust_p(values, time, event, groups) < 0.05) < 0.07
    assert np.mean(cox_lrt(values, time, event).p < 0.05) > 0.15
