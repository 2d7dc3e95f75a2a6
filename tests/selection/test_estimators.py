import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sksurv.linear_model import CoxnetSurvivalAnalysis

from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.params.selection import RedundancyParams
from radiomics_pipeline.selection.learners import penalised
from radiomics_pipeline.selection.learners.penalised import PenalisedCox, PenalisedLogistic
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated, find_redundancy
from radiomics_pipeline.selection.steps.usable import DropUnusable, same_share
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study, table_of


@parametrize_with_checks([DropCorrelated(), DropUnusable(), PenalisedLogistic()])
def test_estimators_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_one_feature_of_each_cluster_is_kept():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(50, 3))
    x = np.column_stack([base, base[:, 0] ** 3, -np.exp(base[:, 1])])
    kept = DropCorrelated(0.9).fit(x)
    assert kept.labels_.tolist() == [0, 1, 2, 0, 1]
    assert kept.get_support().tolist() == [True, True, True, False, False]
    assert DropCorrelated(0.9).fit_transform(pd.DataFrame(x, columns=list("abcde"))).shape == (50, 3)


def test_share_of_the_most_frequent_value_counts_present_cells_and_ignores_rounding():
    x = np.array([[1, 1, 0.1 + 0.2, np.nan], [1, 2, 0.3, np.nan], [2, 3, 0.3, np.nan], [np.nan, 3, 0.3, np.nan]])
    assert same_share(x) == pytest.approx([2 / 3, 1 / 2, 1, 1])


def test_mostly_missing_and_nearly_constant_columns_are_dropped():
    x = np.random.default_rng(0).normal(size=(40, 4))
    x[:10, 1] = np.nan
    x[1:, 2] = 5.0
    assert DropUnusable(0.8, 0.95).fit(x).get_support().tolist() == [True, False, False, True]
    with pytest.raises(TableError, match="all 1 columns"):
        DropUnusable().fit(x[:, [2]])


def test_a_column_of_zeros_and_ones_is_usable():
    x = np.tile([[0.0], [1.0]], (20, 1))
    assert DropUnusable().fit(x).get_support().all()


def test_redundancy_of_a_table_names_clusters_reasons_and_the_largest_rho_left():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(40, 2))
    values = np.column_stack([np.ones(40), base, base[:, 0] * 2, np.full(40, np.nan)])
    found = find_redundancy(table_of(values, columns=("k", "z", "b", "a", "m")), RedundancyParams())
    rows = {row.feature: row for row in found.rows}
    assert [row.feature for row in found.rows] == ["k", "z", "b", "a", "m"]
    assert rows["k"].reason.startswith("near-constant")
    assert rows["m"].reason.startswith("mostly missing")
    assert (rows["a"].kept, rows["z"].kept, rows["z"].representative) == (True, False, "a")
    assert (rows["z"].cluster, rows["a"].cluster, rows["b"].cluster, rows["k"].cluster) == (1, 1, 2, None)
    assert rows["z"].rho == 1.0
    assert found.left_pair == ("a", "b")
    assert 0 <= found.largest_rho_left < 0.9
    assert len(found.notes) == 3


def test_redundancy_does_not_depend_on_the_order_of_columns_and_rows():
    rng = np.random.default_rng(2)
    base = rng.normal(size=(30, 6))
    values = np.repeat(base, 3, axis=1) + 0.3 * rng.normal(size=(30, 18))
    names = tuple(f"f{i:02d}" for i in range(18))
    kept = {
        r.feature: r.representative for r in find_redundancy(table_of(values, columns=names), RedundancyParams()).rows
    }
    order, rows = rng.permutation(18), rng.permutation(30)
    moved = table_of(values[rows][:, order], columns=tuple(names[i] for i in order))
    assert {r.feature: r.representative for r in find_redundancy(moved, RedundancyParams()).rows} == kept


def test_the_penalty_is_chosen_with_every_step_refitted_on_inner_training_rows():
    seen = []

    class Spy(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(len(X))
            return super().fit(X, y, sample_weight)

    table, outcome, _ = study(n=40, columns=10)
    PenalisedLogistic(prepare=Spy(), inner_folds=4).fit(table.values, outcome.y)
    assert seen[0] == 40
    assert sorted(seen[1:]) == [30, 30, 30, 30]


def test_inner_folds_keep_a_patients_rows_together(monkeypatch):
    splits = []
    original = penalised.deal

    def spy(event, groups, folds, rng):
        place = original(event, groups, folds, rng)
        splits.append((np.asarray(groups), place))
        return place

    monkeypatch.setattr(penalised, "deal", spy)
    table, outcome, _ = study(n=60, columns=5)
    groups = np.repeat(np.arange(20), 3)
    PenalisedLogistic().fit(table.values, outcome.y, groups)
    names, place = splits[0]
    assert all(len(set(place[names == g])) == 1 for g in range(20))


def test_noise_selects_nothing_or_little_and_a_strong_feature_is_found():
    table, outcome, _ = study(n=80, columns=50, effect=2.5)
    found = PenalisedLogistic().fit(table.values, outcome.y)
    assert 0 in found.selected_
    assert found.coef_[0] == np.abs(found.coef_).max()


def test_inner_folds_are_fewer_where_events_are_few_and_one_event_is_refused():
    x = np.random.default_rng(0).normal(size=(30, 4))
    assert PenalisedLogistic(inner_folds=5).fit(x, np.arange(30) < 3).inner_folds_ == 3
    with pytest.raises(OutcomeError, match="too few"):
        PenalisedLogistic().fit(x, np.arange(30) < 1)


def test_an_optimiser_that_stops_early_warns(monkeypatch):
    monkeypatch.setattr(
        penalised, "logistic_path", lambda z, y, p, *_: (np.zeros((len(p), z.shape[1])), np.zeros(len(p)), p > p[-1])
    )
    with pytest.warns(ConvergenceWarning, match="no solution"):
        PenalisedLogistic().fit(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2)


def test_the_first_penalty_of_cox_is_that_of_scikit_survival_and_coefficients_are_its_own():
    table, outcome, _ = study(n=60, columns=8, kind="survival")
    z = StandardScaler().fit_transform(table.values)
    found = PenalisedCox(l1_ratios=(0.7,)).fit(table.values, outcome.y)
    first = CoxnetSurvivalAnalysis(l1_ratio=0.7, n_alphas=2).fit(z, outcome.y).alphas_[0]
    assert found._first_penalty(z, outcome.y) / 0.7 == pytest.approx(first, rel=1e-10)
    twin = CoxnetSurvivalAnalysis(l1_ratio=0.7, alphas=[found.penalty_], tol=1e-9, max_iter=10**6).fit(z, outcome.y)
    np.testing.assert_allclose(found.coef_, twin.coef_[:, 0], atol=1e-3)
    assert 0 in found.selected_


def test_penalties_at_which_cox_overflows_are_left_out_of_the_choice(monkeypatch):
    table, outcome, _ = study(n=40, columns=5, kind="survival")
    original = CoxnetSurvivalAnalysis.fit

    def fit(self, X, y):
        if len(self.alphas) > 12:
            raise ArithmeticError("Numerical error, because weights are too large.")
        return original(self, X, y)

    monkeypatch.setattr(CoxnetSurvivalAnalysis, "fit", fit)
    found = PenalisedCox(steps=30).fit(table.values, outcome.y)
    assert np.isfinite(found.loss_[0, :6]).all()
    assert np.isinf(found.loss_[0, 12:]).all()
    assert found.coef_.any()


def test_cox_on_noise_may_select_nothing_without_a_warning():
    table, _, _ = study(n=40, columns=30)
    outcome = Outcome.survival(np.random.default_rng(8).exponential(size=40), np.arange(40) % 2)
    found = PenalisedCox().fit(table.values, outcome.y)
    assert len(found.selected_) < 10


def test_where_no_column_is_filled_as_asked_those_filled_best_are_kept():
    x = np.random.default_rng(0).normal(size=(10, 3))
    x[:4, 0] = x[:3, 1] = x[:3, 2] = np.nan
    assert DropUnusable(min_filled=0.8).fit(x).get_support().tolist() == [False, True, True]
    with pytest.raises(TableError, match="nearly constant or empty"):
        DropUnusable().fit(np.ones((10, 3)))
