from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv.linear_model import CoxnetSurvivalAnalysis, CoxPHSurvivalAnalysis

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.layout import layout_of
from radiomics_pipeline.selection.learners import penalised
from radiomics_pipeline.selection.learners.penalised import PenalisedLogistic
from radiomics_pipeline.selection.plans import build, named_plan
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.fitting import best_cut
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.selection.validation.metrics import metrics_of, primary
from radiomics_pipeline.types.outcome import KINDS, Clinical, Outcome
from tests.selection.studies import study, table_of

PARAMS = SelectionParams(validation=ValidationParams(folds=4, repeats=2, inner_folds=3))


class Spy(TransformerMixin, BaseEstimator):
    """Notes the rows it is fitted to by their first column."""

    fitted: list = []  # shared: pipelines are cloned

    def fit(self, X, y=None):
        Spy.fitted.append(set(X[:, 0]))
        self.done_ = True
        return self

    def transform(self, X):
        return X


def folds_of(table, outcome, **options):
    return draw_folds(table, outcome, **({"folds": 4, "repeats": 2, "seed": 0} | options))


def test_a_fitted_pipeline_is_refused_wherever_its_fitted_step_stands():
    table, outcome, _ = study()
    folds = folds_of(table, outcome)
    scaler = StandardScaler().fit(table.values)
    for pipeline in (
        make_pipeline(scaler, LogisticRegression()),
        make_pipeline(LogisticRegression().fit(table.values, outcome.y)),
        make_pipeline(PenalisedLogistic(prepare=scaler)),
        LogisticRegression().fit(table.values, outcome.y),
    ):
        with pytest.raises(ParamsError, match="has been fitted"):
            evaluate(pipeline, table, outcome, folds)


def test_every_step_is_fitted_to_the_training_rows_only():
    table, outcome, _ = study()
    Spy.fitted.clear()
    folds = folds_of(table, outcome)
    evaluate(make_pipeline(Spy(), LogisticRegression()), table, outcome, folds)
    assert Spy.fitted == [set(table.values[f.train, 0]) for f in folds]


def test_scores_and_predictions_are_those_of_a_plain_loop():
    table, outcome, _ = study()
    folds = folds_of(table, outcome)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    found = evaluate(pipeline, table, outcome, folds)
    expected = []
    for fold, score in zip(folds, found.scores, strict=True):
        model = clone(pipeline).fit(table.values[fold.train], outcome.y[fold.train])
        shown = model.predict_proba(table.values[fold.test])[:, 1]
        expected += shown.tolist()
        assert score == pytest.approx(roc_auc_score(outcome.y[fold.test], shown))
    assert [row.prediction for row in found.predictions] == pytest.approx(expected)
    assert found.performance.mean == pytest.approx(np.mean(found.scores))
    assert found.performance.n_folds == 8
    assert [row.outcome for row in found.predictions[:15]] == [(int(outcome.event[i]),) for i in folds[0].test]


def test_any_scikit_learn_pipeline_has_a_road_to_a_score():
    table, outcome, _ = study()
    folds = folds_of(table, outcome)
    ridge = evaluate(make_pipeline(DropCorrelated(), Ridge()), table, outcome, folds)
    assert ridge.performance.mean > 0.6
    assert all("f000" in chosen for chosen in ridge.selected)
    mixed = evaluate(make_pipeline(PCA(3), LogisticRegression()), table, outcome, folds)
    assert not any(mixed.selected)


def test_selected_columns_are_named_after_the_columns_of_the_table():
    table, outcome, _ = study(columns=6, effect=3)
    values = np.column_stack([np.ones(60), table.values, table.values[:, 0] + 1e-3])
    names = ("constant", *table.columns, "twin")
    table = replace(table, columns=names, values=values)
    pipeline = build(named_plan("lasso"), layout_of(names), "binary", PARAMS)
    found = evaluate(pipeline, table, outcome, folds_of(table, outcome))
    assert all("f000" in chosen and not {"constant", "twin"} & chosen for chosen in found.selected)


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_one_and_two_processes_and_any_order_of_patients_rows_give_the_same_bytes(kind):
    table, outcome, clinical = study(kind=kind, columns=60)
    table = replace(table, patient=tuple(f"p{i // 2:02d}" for i in range(60)))
    pipeline = build(named_plan("clinical+elastic-net"), layout_of(table.columns, clinical), kind, PARAMS)
    one = evaluate(pipeline, table, outcome, folds_of(table, outcome), clinical=clinical)
    two = evaluate(pipeline, table, outcome, folds_of(table, outcome), clinical=clinical, n_jobs=2)
    assert repr(one) == repr(two)
    order = np.random.default_rng(0).permutation(60)
    moved, moved_outcome = table.rows(order), outcome.rows(order)
    other = evaluate(pipeline, moved, moved_outcome, folds_of(moved, moved_outcome), clinical=clinical.rows(order))
    assert repr(one) == repr(other)


def test_a_category_not_seen_in_training_and_missing_cells_do_no_harm():
    table, outcome, clinical = study()
    site = np.zeros(60)
    site[7] = 1.0  # one patient of a centre of its own
    site[9] = np.nan
    values = np.column_stack([clinical.values[:, :2], site])
    values[3, 0] = np.nan
    features = table.values.copy()
    features[5, 2] = np.nan
    table = replace(table, values=features)
    odd = Clinical(clinical.columns, values, (None, ("f", "m"), ("A", "B")))
    layout = layout_of(table.columns, odd)
    for plan in ("clinical", "lasso", "signature", "clinical+lasso"):
        pipeline = build(named_plan(plan), layout, "binary", PARAMS)
        found = evaluate(pipeline, table, outcome, folds_of(table, outcome), clinical=odd)
        assert np.isfinite([row.prediction for row in found.predictions]).all()


def test_patients_reach_the_inner_folds_of_the_last_step(monkeypatch):
    seen = []
    original = penalised.deal

    def spy(event, groups, folds, rng):
        seen.append(tuple(groups))
        return original(event, groups, folds, rng)

    monkeypatch.setattr(penalised, "deal", spy)
    table, outcome, _ = study()
    table = replace(table, patient=tuple(f"p{i // 3:02d}" for i in range(60)))
    folds = folds_of(table, outcome, folds=3, repeats=1)
    evaluate(make_pipeline(StandardScaler(), PenalisedLogistic()), table, outcome, folds)
    assert seen == [tuple(table.patient[i] for i in fold.train) for fold in folds]


def test_outcomes_of_other_length_are_refused():
    table, outcome, _ = study()
    with pytest.raises(OutcomeError, match="do not match"):
        evaluate(LogisticRegression(), table, outcome.rows(np.arange(50)), folds_of(table, outcome))


def test_folds_without_a_comparable_pair_have_no_score_and_a_note():
    table = table_of(np.random.default_rng(0).normal(size=(12, 3)))
    time = np.full(12, 5.0)
    event = np.ones(12)
    time[:3] = 1.0
    outcome = Outcome.survival(time, event)
    pipeline = build(named_plan("volume"), layout_of(table.columns, None, "f000"), "survival", PARAMS)
    folds = folds_of(table, outcome, folds=6, repeats=1)
    found = evaluate(pipeline, table, outcome, folds)
    lost = int(np.isnan(found.scores).sum())
    assert lost > 0
    assert found.performance.n_folds == 6 - lost
    assert "no comparable pair" in found.notes[0]


def test_optimisers_that_stopped_early_are_counted_in_a_note():
    table, outcome, _ = study()
    found = evaluate(LogisticRegression(max_iter=1), table, outcome, folds_of(table, outcome))
    assert "8 of 8 folds an optimiser stopped" in found.notes[0]


def test_progress_is_called_once_a_fold():
    table, outcome, _ = study()
    calls = []
    evaluate(
        LogisticRegression(), table, outcome, folds_of(table, outcome), plan="x", progress=lambda *a: calls.append(a)
    )
    assert calls == [(k, 8, "x") for k in range(1, 9)]


def test_every_metric_of_a_kind_has_a_row_and_the_primary_one_is_the_performance():
    table, outcome, _ = study()
    found = evaluate(make_pipeline(StandardScaler(), LogisticRegression()), table, outcome, folds_of(table, outcome))
    names = [m.metric for m in found.metrics]
    assert names == [m.name for m in metrics_of("binary", ValidationParams().thresholds)]
    first = found.metrics[0]
    assert (first.metric, first.mean, first.lower, first.upper) == (
        found.metric,
        found.performance.mean,
        found.performance.lower,
        found.performance.upper,
    )
    assert found.fold_scores["auc"] == found.scores
    assert [len(found.fold_scores[n]) for n in ("brier", "calibration_slope")] == [8, 2]
    assert found.test_share == pytest.approx(1 / 3)
    slope = next(m for m in found.metrics if m.metric == "calibration_slope")
    assert slope.lower < slope.mean < slope.upper


def labelled(kind, table):
    """An outcome of any kind that goes with the first feature."""
    x = table.values[:, 0] + 0.3 * np.random.default_rng(1).normal(size=len(table))
    level = [str(v) for v in np.digitize(x, [-0.5, 0.5])]
    if kind == "continuous":
        return Outcome.continuous(x)
    if kind in ("multiclass", "ordinal"):
        return Outcome.multiclass(level) if kind == "multiclass" else Outcome.ordinal(level)
    lost = np.random.default_rng(2).uniform(0.5, 6, len(table))
    time = np.minimum(np.exp(-x), lost)
    seen = (np.exp(-x) <= lost).astype(float)
    if kind == "survival":
        return Outcome.survival(time, seen)
    return Outcome.competing(time, seen * (1 + np.random.default_rng(3).integers(0, 2, len(table))))


class CauseCox(BaseEstimator):
    """Cox model of the event (of interest), with curves."""

    def fit(self, X, y):
        plain = np.empty(len(y), dtype=[("event", "?"), ("time", "<f8")])
        plain["event"], plain["time"] = y["event"], y["time"]
        self.model_ = CoxPHSurvivalAnalysis(alpha=1.0).fit(X, plain)
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_survival(self, X, times):
        functions = self.model_.predict_survival_function(X)
        return np.array([[1.0 if t < f.x[0] else f(min(t, f.x[-1])) for t in times] for f in functions])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_outcome_has_all_its_metrics_and_any_number_of_processes_gives_the_same_bytes(kind):
    table, outcome, _ = study(n=120, columns=4)
    outcome = outcome if kind == "binary" else labelled(kind, table)
    model = Ridge() if kind == "continuous" else CauseCox() if outcome.time is not None else LogisticRegression()
    pipeline = make_pipeline(StandardScaler(), model)
    found = evaluate(pipeline, table, outcome, folds_of(table, outcome))
    assert repr(found) == repr(evaluate(pipeline, table, outcome, folds_of(table, outcome), n_jobs=2))
    assert {m.metric for m in found.metrics if m.n_folds == 0} == set()
    assert [m.metric for m in found.metrics] == [m.name for m in metrics_of(kind, ValidationParams().thresholds)]
    assert found.metric == primary(kind).name
    assert found.performance.lower > (0.5 if primary(kind).chance == 0.5 else 0)
    row = found.predictions[0]
    assert len(row.probabilities) == {"binary": 2, "multiclass": 3, "ordinal": 3}.get(kind, 0)
    assert np.isnan(row.survival) == (outcome.time is None)


def test_the_curves_of_scikit_survival_are_read_without_a_wrapper():
    table, outcome, _ = study(kind="survival", columns=4)
    folds = folds_of(table, outcome)
    plain = evaluate(make_pipeline(StandardScaler(), CoxPHSurvivalAnalysis(alpha=1.0)), table, outcome, folds)
    wrapped = evaluate(make_pipeline(StandardScaler(), CauseCox()), table, outcome, folds)
    np.testing.assert_allclose(plain.fold_scores["integrated_brier"], wrapped.fold_scores["integrated_brier"])
    net = CoxnetSurvivalAnalysis(alphas=[0.01])
    assert "no survival curves" in evaluate(net, table, outcome, folds).metrics[-1].note


def test_a_horizon_beyond_the_follow_up_is_reported_and_never_scored():
    table, outcome, _ = study(kind="survival", columns=4)
    params = ValidationParams(horizon=float(np.sort(outcome.time)[-3]))
    found = evaluate(make_pipeline(CauseCox()), table, outcome, folds_of(table, outcome), params=params)
    rows = {m.metric: m for m in found.metrics}
    assert rows["integrated_brier"].n_folds < 8
    assert "is followed up to" in rows["integrated_brier"].note
    assert rows["c_index"].n_folds == 8
    assert not any("horizon" in note for note in found.notes)
    default = evaluate(make_pipeline(CauseCox()), table, outcome, folds_of(table, outcome))
    assert "the median time of the events" in default.notes[0]


def test_the_cut_comes_from_training_rows_by_prevalence_or_by_inner_folds():
    table, outcome, _ = study(n=90, columns=4)
    folds = folds_of(table, outcome)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    found = evaluate(model, table, outcome, folds)
    expected = []
    for fold in folds:
        p = clone(model).fit(table.values[fold.train], outcome.y[fold.train]).predict_proba(table.values[fold.test])
        expected.append(balanced_accuracy_score(outcome.y[fold.test], p[:, 1] >= outcome.y[fold.train].mean()))
    assert found.fold_scores["balanced_accuracy"] == pytest.approx(expected)
    inner = evaluate(model, table, outcome, folds, params=ValidationParams(cut="inner", inner_folds=3))
    assert inner.fold_scores["auc"] == found.fold_scores["auc"]
    assert inner.fold_scores["balanced_accuracy"] != found.fold_scores["balanced_accuracy"]


def test_the_best_cut_separates_what_can_be_separated():
    assert best_cut(np.array([0.1, 0.2, 0.6, 0.8]), np.array([False, False, True, True])) == pytest.approx(0.4)
    assert best_cut(np.full(4, 0.3), np.array([True, False, False, False])) == 0.25


def test_estimators_without_a_random_state_give_the_same_result_every_time():
    table, outcome, _ = study(columns=5)
    forest = RandomForestClassifier(n_estimators=5)
    one, two = (evaluate(forest, table, outcome, folds_of(table, outcome)).scores for _ in range(2))
    assert one == two
    assert one != evaluate(forest, table, outcome, folds_of(table, outcome), seed=1).scores


def test_several_classes_without_probabilities_are_refused():
    table, _, _ = study(columns=4)
    outcome = labelled("multiclass", table)
    with pytest.raises(ParamsError, match="needs predict_proba"):
        evaluate(RidgeClassifier(), table, outcome, folds_of(table, outcome))


def test_predictions_that_are_no_numbers_are_refused():
    table, outcome, _ = study(columns=4)

    class Nothing(LogisticRegression):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    with pytest.raises(ParamsError, match="predictions are no numbers"):
        evaluate(Nothing(), table, outcome, folds_of(table, outcome))
