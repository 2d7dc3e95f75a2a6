import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from radiomics_pipeline.kernels.logistic import logistic_path


def problem(n=60, p=20, seed=0):
    rng = np.random.default_rng(seed)
    x = np.asfortranarray(rng.normal(size=(n, p)))
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    return x, y


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.1])
def test_path_equals_scikit_learn(l1_ratio):
    x, y = problem()
    first = np.abs(x.T @ (y - y.mean())).max() / len(y) / l1_ratio
    penalties = first * np.geomspace(1, 0.02, 12)
    coefficients, intercepts, converged = logistic_path(x, y, penalties, l1_ratio, 1e-9, 100, 1000, 1.0)
    assert converged.all()
    assert not coefficients[0].any()
    for k in (2, 6, 11):
        twin = LogisticRegression(
            l1_ratio=l1_ratio, C=1 / (len(y) * penalties[k]), solver="saga", tol=1e-11, max_iter=100_000
        ).fit(x, y)
        np.testing.assert_allclose(coefficients[k], twin.coef_[0], atol=1e-6)
        assert intercepts[k] == pytest.approx(twin.intercept_[0], abs=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_path_meets_the_conditions_of_an_optimum_with_more_columns_than_rows(l1_ratio):
    x, y = problem(n=40, p=300, seed=1)
    first = np.abs(x.T @ (y - y.mean())).max() / len(y) / l1_ratio
    penalties = first * np.geomspace(1, 0.1, 10)
    coefficients, intercepts, converged = logistic_path(x, y, penalties, l1_ratio, 1e-8, 100, 1000, 1.0)
    assert converged.all()
    for penalty, beta, intercept in zip(penalties, coefficients, intercepts, strict=True):
        gap = y - 1 / (1 + np.exp(-(x @ beta + intercept)))
        gradient = x.T @ gap / len(y) - penalty * (1 - l1_ratio) * beta
        assert abs(gap.mean()) < 1e-6
        assert np.abs(gradient).max() < penalty * l1_ratio + 1e-6
        inside = beta != 0
        np.testing.assert_allclose(gradient[inside], penalty * l1_ratio * np.sign(beta[inside]), atol=1e-6)


def test_too_few_steps_are_reported_and_separable_classes_end():
    x, y = problem(n=30, p=100, seed=2)
    y = (x[:, 0] > 0).astype(float)
    penalties = np.geomspace(0.4, 1e-6, 30)
    assert not logistic_path(x, y, penalties, 1.0, 1e-12, 1, 2, 1.0)[2].all()
    coefficients, _, converged = logistic_path(x, y, penalties, 1.0, 1e-6, 50, 1000, 0.99)
    assert converged.all()
    assert np.isfinite(coefficients).all()
    np.testing.assert_array_equal(coefficients[-1], coefficients[-2])
