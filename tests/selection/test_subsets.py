import itertools

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from statsmodels.duration.hazard_regression import PHReg

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.kernels.subsets import cox_subsets, efron_likelihood, linear_subsets, logistic_subsets
from radiomics_pipeline.selection.combine.best_subset import (
    BEST_SUBSET,
    BestSubsetCox,
    BestSubsetLinear,
    BestSubsetLogistic,
)
from radiomics_pipeline.selection.combine.families import FAMILIES
from radiomics_pipeline.selection.combine.screen import CLIP, choose, pair_p
from radiomics_pipeline.selection.combine.subsets import all_subsets, best_of_sizes, subsets_up_to
from tests.naive_stats import efron
from tests.selection.studies import study

LEFT = np.float64(1e-12)


def columns(n=200, p=10, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, p))
    return np.ascontiguousarray((x - x.mean(axis=0)) / x.std(axis=0))


def binary(x, seed=1, effect=1.0):
    rng = np.random.default_rng(seed)
    return (rng.random(len(x)) < 1 / (1 + np.exp(-effect * (x[:, 0] + 0.5 * x[:, 1])))).astype(float)


def survival(x, seed=2):
    """Whole times with many ties, rows by falling time: columns, time, event."""
    rng = np.random.default_rng(seed)
    times = np.ceil(10 * rng.exponential(size=len(x)) * np.exp(-0.7 * x[:, 0]))
    event = rng.random(len(x)) < 0.6
    order = np.argsort(-times, kind="stable")
    return np.ascontiguousarray(x[order]), times[order], event[order]


def structured(time, event):
    y = np.empty(len(time), dtype=[("event", "?"), ("time", "<f8")])
    y["event"], y["time"] = event, time
    return y


@parametrize_with_checks([BestSubsetLogistic(), BestSubsetLinear()])
def test_best_subsets_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_logistic_subsets_equal_statsmodels():
    x = columns()
    y = binary(x)
    masks = all_subsets(10)[1:][::17]
    found, loglik, converged = logistic_subsets(x, y, masks, 0.0, LEFT, 50)
    assert converged.all()
    for mask, row, value in zip(masks, found, loglik, strict=True):
        twin = sm.Logit(y, sm.add_constant(x[:, mask])).fit(disp=0, method="newton", tol=1e-13)
        np.testing.assert_allclose(row[np.r_[True, mask]], twin.params, atol=1e-8)
        assert value == pytest.approx(twin.llf, abs=1e-8)
        assert not row[1:][~mask].any()


def test_cox_subsets_with_ties_equal_statsmodels_and_the_definition():
    x, times, event = survival(columns())
    masks = all_subsets(10)[1:][::61]
    found, loglik, converged = cox_subsets(x, times, event, masks, 0.0, LEFT, 50)
    assert converged.all()
    for mask, row, value in zip(masks, found, loglik, strict=True):
        twin = PHReg(times, x[:, mask], status=event.astype(int), ties="efron").fit(disp=0, tol=1e-13)
        np.testing.assert_allclose(row[mask], twin.params, atol=1e-8)
        assert value == pytest.approx(twin.llf, abs=1e-8)
    one = found[0] @ x.T
    assert efron_likelihood(one[None], times, event)[0] == pytest.approx(efron(1.0, one, times, event), abs=1e-9)


def test_linear_subsets_equal_statsmodels():
    x = columns(60, 6)
    y = x[:, 0] + np.random.default_rng(0).normal(size=60)
    rest = y - y.mean()
    masks = all_subsets(6)
    found, squares = linear_subsets(x.T @ x, x.T @ rest, float(rest @ rest), masks, 0.0)
    for mask, row, value in zip(masks[1:], found[1:], squares[1:], strict=True):
        twin = sm.OLS(y, sm.add_constant(x[:, mask])).fit()
        np.testing.assert_allclose(row[mask], twin.params[1:], atol=1e-10)
        assert value == pytest.approx(twin.ssr, abs=1e-10)


def test_a_ridge_gives_the_penalised_optimum():
    x = columns(80, 3)
    y = binary(x)
    found, _, _ = logistic_subsets(x, y, np.ones((1, 3), bool), 2.0, LEFT, 50)
    p = 1 / (1 + np.exp(-(found[0, 0] + x @ found[0, 1:])))
    np.testing.assert_allclose(x.T @ (y - p), 2.0 * found[0, 1:], atol=1e-7)
    assert (y - p).sum() == pytest.approx(0, abs=1e-7)


def test_separated_classes_and_orders_stay_finite():
    x = columns(40, 2)
    y = (x[:, 0] > 0).astype(float)
    for ridge in (0.0, 1.0):
        found, loglik, _ = logistic_subsets(x, y, all_subsets(2), ridge, 1e-10, 60)
        assert np.isfinite(found).all()
        assert np.isfinite(loglik).all()
    _, loglik, _ = logistic_subsets(x, y, np.array([[True, False]]), 0.0, 1e-10, 60)
    assert loglik[0] > -1e-6
    order = np.argsort(x[:, 0], kind="stable")
    times = np.arange(40, 0, -1.0)
    found, loglik, _ = cox_subsets(
        np.ascontiguousarray(x[order]), times, np.ones(40, bool), all_subsets(2), 0.0, 1e-10, 60
    )
    assert np.isfinite(found).all()
    assert loglik[1] > -1e-3


def test_a_doubled_column_gets_no_second_coefficient():
    x = columns(50, 2)
    doubled = np.ascontiguousarray(np.column_stack([x, x[:, 0]]))
    y = binary(x)
    found, loglik, _ = logistic_subsets(doubled, y, np.array([[True, True, True], [True, True, False]]), 0.0, LEFT, 50)
    assert loglik[0] == pytest.approx(loglik[1], abs=1e-9)
    assert found[0, 3] == 0


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_all_subsets_of_ten_candidates_are_fitted(kind):
    x = columns()
    family = FAMILIES[kind]
    y = binary(x) if kind == "binary" else structured(*survival(x)[1:])
    assert family.fit(x, y, all_subsets(10), 1.0).converged.all()


def test_subsets_are_all_there_once():
    assert all_subsets(3).tolist()[5] == [True, False, True]
    rows = subsets_up_to(5, 2)
    assert sorted(map(tuple, np.unique(rows, axis=0).tolist())) == sorted(map(tuple, rows.tolist()))
    assert len(rows) == 1 + 5 + 10


def test_the_best_of_each_size_is_that_of_a_slow_search():
    x = columns(80, 5)
    y = binary(x)
    found = choose(x, y - y.mean(), 5)
    best = best_of_sizes(x, y, FAMILIES["binary"], found, largest=3, beam=5, ridge=0.0)
    assert best.exhaustive
    for size in (1, 2, 3):
        slow = max(
            itertools.combinations(range(5), size),
            key=lambda c: sm.Logit(y, sm.add_constant(x[:, list(c)])).fit(disp=0).llf,
        )
        assert set(found.columns[best.sets[size]].tolist()) == set(slow)


def test_a_beam_finds_what_all_subsets_find_where_features_add_up(monkeypatch):
    x = columns(150, 14, seed=4)
    y = binary(x, effect=2.0)
    found = choose(x, y - y.mean(), 14)
    settings = {"largest": 4, "beam": 10, "ridge": 1.0}
    whole = best_of_sizes(x, y, FAMILIES["binary"], found, **settings)
    monkeypatch.setattr("radiomics_pipeline.selection.combine.subsets.EXHAUSTIVE", 0)
    beam = best_of_sizes(x, y, FAMILIES["binary"], found, **settings)
    assert whole.exhaustive
    assert not beam.exhaustive
    assert beam.tried < whole.tried
    np.testing.assert_array_equal(beam.sets, whole.sets)


def test_the_screen_of_products_equals_a_regression_for_each_pair():
    rng = np.random.default_rng(0)
    x = columns(70, 6, seed=5)
    x[:, 3] = np.exp(x[:, 3])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    response = rng.normal(size=70)
    response -= response.mean()
    found = pair_p(x, response)
    cut = np.clip(x, -CLIP, CLIP)
    for i, j in itertools.combinations(range(6), 2):
        twin = sm.OLS(response, sm.add_constant(np.column_stack([x[:, i], x[:, j], cut[:, i] * cut[:, j]]))).fit()
        assert found[i, j] == pytest.approx(twin.pvalues[3], rel=1e-8)
        assert found[j, i] == pytest.approx(found[i, j], rel=1e-12)


def test_constant_columns_are_no_candidates_and_none_at_all_is_allowed():
    x = np.column_stack([np.ones(30), columns(30, 2)])
    y = np.arange(30) % 2
    assert 0 not in choose(x, y - 0.5, 3).columns
    fitted = BestSubsetLogistic().fit(np.ones((30, 2)), y)
    np.testing.assert_allclose(fitted.predict_proba(np.ones((3, 2)))[:, 1], 0.5)


def test_a_strong_feature_is_chosen_and_coefficients_reproduce_the_prediction():
    table, outcome, _ = study(n=120, columns=30, effect=2.0)
    fitted = BestSubsetLogistic().fit(table.values, outcome.y)
    assert 0 in fitted.selected_
    z = StandardScaler().fit_transform(table.values)
    np.testing.assert_allclose(z @ fitted.coef_ + fitted.intercept_, fitted.decision_function(table.values), atol=1e-10)
    assert set(np.flatnonzero(fitted.coef_)) == set(fitted.selected_)


def test_two_features_useless_alone_are_found_by_their_product_only():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 100))
    y = (2 * x[:, 3] * x[:, 7] + rng.logistic(size=200) > 0).astype(int)
    new = rng.normal(size=(1000, 100))
    truth = 2 * new[:, 3] * new[:, 7] + rng.logistic(size=1000) > 0
    for c in (3, 7):
        assert abs(roc_auc_score(y, x[:, c]) - 0.5) < 0.09
    plain = BestSubsetLogistic().fit(x, y)
    with_products = BestSubsetLogistic(interactions=True).fit(x, y)
    assert {3, 7} <= set(with_products.selected_)
    assert [3, 7] in np.sort(with_products.pairs_, axis=1).tolist()
    assert roc_auc_score(truth, with_products.predict_proba(new)[:, 1]) > 0.75
    assert abs(roc_auc_score(truth, plain.predict_proba(new)[:, 1]) - 0.5) < 0.06


def test_cox_and_linear_find_the_feature_and_curves_fall():
    table, outcome, _ = study(n=150, columns=20, effect=1.2, kind="survival")
    fitted = BestSubsetCox().fit(table.values, outcome.y)
    assert 0 in fitted.selected_
    curves = fitted.predict_survival(table.values[:5], [0.0, 0.2, 1.0, 5.0])
    assert (curves[:, 0] == 1).all()
    assert (np.diff(curves, axis=1) <= 0).all()
    risk = fitted.predict(table.values[:5])
    np.testing.assert_array_equal(np.argsort(risk), np.argsort(-curves[:, 2]))
    numbers = BestSubsetLinear().fit(table.values, table.values[:, 0] + table.values[:, 4])
    assert {0, 4} <= set(numbers.selected_)


def test_every_step_the_candidates_and_the_subset_are_found_again_in_inner_folds():
    seen = []

    class Spy(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(len(X))
            return super().fit(X, y, sample_weight)

    table, outcome, _ = study(n=40, columns=10)
    BestSubsetLogistic(prepare=Spy(), inner_folds=4).fit(table.values, outcome.y)
    assert sorted(seen) == [30, 30, 30, 30, 40]


def test_columns_are_named_through_steps_that_drop_some():
    table, outcome, _ = study(n=120, columns=12, effect=2.5)
    values = np.column_stack([np.full(120, np.nan), table.values])
    values[0, 1] = np.nan
    prepare = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    with pytest.warns(UserWarning, match="without any observed values"):
        fitted = BestSubsetLogistic(prepare=prepare).fit(values, outcome.y)
    assert 1 in fitted.selected_


def test_noise_gives_half_and_mostly_no_feature():
    scores, sizes, screened = [], [], 0
    for seed in range(40):
        rng = np.random.default_rng([7, seed])
        x, y = rng.normal(size=(60, 80)), np.arange(60) % 2
        test = rng.normal(size=(40, 80))
        fitted = BestSubsetLogistic(inner_folds=4, interactions=bool(seed % 2), pair_level=1.0).fit(x, y)
        scores.append(roc_auc_score(np.arange(40) % 2, fitted.decision_function(test)))
        sizes.append(fitted.size_)
        screened += len(fitted.candidates_.pairs) > 0
    assert screened > 3  # else the half with products would be a copy of the other
    error = np.std(scores, ddof=1) / len(scores) ** 0.5
    assert abs(np.mean(scores) - 0.5) < 3.5 * error
    assert np.mean(np.array(sizes) == 0) > 0.5


def test_the_table_row_builds_each_kind_and_refuses_others():
    assert isinstance(BEST_SUBSET.make({}, "binary", 3), BestSubsetLogistic)
    assert isinstance(BEST_SUBSET.make({"largest": 2}, "survival", 3), BestSubsetCox)
    assert BEST_SUBSET.make({}, "continuous", 3).seed == 3
    with pytest.raises(ParamsError, match="serves"):
        BEST_SUBSET.make({}, "multiclass", 0)
    assert Pipeline([("model", BEST_SUBSET.make({}, "binary", 0))])
