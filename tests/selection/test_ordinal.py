import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks
from statsmodels.miscmodels.ordinal_model import OrderedModel

from radiomics_pipeline.selection.learners.inner import class_folds
from radiomics_pipeline.selection.learners.logistic import RidgeLogistic
from radiomics_pipeline.selection.learners.ordinal import ProportionalOdds


@parametrize_with_checks([ProportionalOdds()])
def test_proportional_odds_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def grades(n=200, p=4, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    line = 1.5 * x[:, 0] - x[:, 1] + rng.logistic(size=n)
    return x, np.digitize(line, np.linspace(-2, 2, classes - 1))


def test_without_a_penalty_it_is_statsmodels():
    x, y = grades()
    found = ProportionalOdds(penalty=1e-9).fit(x, y)
    twin = OrderedModel(y, x, distr="logit").fit(method="bfgs", disp=False, gtol=1e-9, maxiter=1000)
    np.testing.assert_allclose(found.coef_, twin.params[:4], atol=1e-5)
    np.testing.assert_allclose(found.predict_proba(x), twin.predict(x), atol=1e-5)


@pytest.mark.parametrize("p", [3, 60])
def test_under_a_ridge_it_is_the_minimum_that_a_general_optimiser_finds(p):
    x, y = grades(40, p)
    found = ProportionalOdds(penalty=2.0).fit(x, y)
    truth = y[:, None] == np.arange(4)

    def loss(values):
        edges = np.concatenate([[-40], values[:1], values[:1] + np.cumsum(np.exp(values[1:3])), [40]])
        probability = np.diff(expit(edges - (x @ values[3:])[:, None]), axis=1)
        return -np.log(probability[truth]).sum() + (values[3:] ** 2).sum()

    start = np.concatenate([[-1.0, 0.0, 0.0], np.zeros(p)])
    twin = minimize(loss, start, method="BFGS", options={"gtol": 1e-6, "maxiter": 2000}).x
    np.testing.assert_allclose(found.coef_, twin[3:], atol=1e-4)
    np.testing.assert_allclose(found.thresholds_[0], twin[0], atol=1e-3)


def test_two_classes_are_logistic_regression():
    x, y = grades(60, 100, 2)
    found = ProportionalOdds(penalty=20.0).fit(x, y)
    twin = LogisticRegression(C=1 / 20.0, tol=1e-12, max_iter=10**5).fit(x, y)
    np.testing.assert_allclose(found.coef_, twin.coef_[0], atol=1e-6)
    np.testing.assert_allclose(
        found.predict_proba(x), RidgeLogistic(penalty=20.0).fit(x, y).predict_proba(x), atol=1e-6
    )


def test_the_penalty_is_that_of_the_smallest_deviance_left_out():
    x, y = grades(80, 20)
    found = ProportionalOdds(steps=5).fit(x, y)
    place = class_folds(y, np.arange(80), 5, 0)
    spread = ((x - x.mean(axis=0)) ** 2).sum() / 80
    loss = []
    for penalty in spread / np.geomspace(1e-3, 1e3, 5):
        parts = [
            log_loss(
                y[place == f],
                ProportionalOdds(penalty).fit(x[place != f], y[place != f]).predict_proba(x[place == f]),
                normalize=False,
                labels=np.arange(4),
            )
            for f in range(5)
        ]
        loss.append(sum(parts))
    np.testing.assert_allclose(found.loss_, loss, rtol=2e-2)
    assert np.argmin(found.loss_) == np.argmin(loss)


def test_high_classes_go_with_high_scores_and_thresholds_rise():
    x, y = grades()
    found = ProportionalOdds().fit(x, y)
    assert found.coef_[0] > 0.5 > -0.3 > found.coef_[1]
    assert (np.diff(found.thresholds_) > 0).all()
    assert np.corrcoef(found.predict_proba(x) @ np.arange(4), y)[0, 1] > 0.6


def test_turning_the_order_round_turns_coefficients_and_probabilities():
    x, y = grades()
    first, second = (ProportionalOdds(penalty=3.0).fit(x, codes) for codes in (y, 3 - y))
    np.testing.assert_allclose(first.coef_, -second.coef_, atol=1e-7)
    np.testing.assert_allclose(first.predict_proba(x), second.predict_proba(x)[:, ::-1], atol=1e-7)


def test_separated_grades_end_in_finite_numbers():
    x = np.arange(30.0)[:, None] / 10
    found = ProportionalOdds().fit(x, np.arange(30) // 10)
    assert np.isfinite(found.thresholds_).all()
    assert (found.predict(x) == np.arange(30) // 10).mean() > 0.8
