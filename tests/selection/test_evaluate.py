from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.params.selection import FoldParams, SelectionParams
from radiomics_pipeline.selection.learners import penalised
from radiomics_pipeline.selection.learners.penalised import PenalisedLogistic
from radiomics_pipeline.selection.models import PLANS, layout_of, plans_for
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.types.outcome import Clinical, Outcome
from tests.selection.studies import study, table_of

PARAMS = SelectionParams(validation=FoldParams(folds=4, repeats=2, inner_folds=3))


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
    plan = next(p for p in PLANS if p.name == "lasso")
    found = evaluate(plan.build(plan, layout_of(names, None, ""), PARAMS), table, outcome, folds_of(table, outcome))
    assert all("f000" in chosen and not {"constant", "twin"} & chosen for chosen in found.selected)


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_one_and_two_processes_and_any_order_of_rows_give_the_same_bytes(kind):
    table, outcome, clinical = study(kind=kind, columns=60)
    layout = layout_of(table.columns, clinical, "")
    plan = next(p for p in plans_for(kind, layout) if "clinical" in p.inputs and "radiomics" in p.inputs)
    pipeline = plan.build(plan, layout, PARAMS)
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
    layout = layout_of(table.columns, odd, "")
    for plan in plans_for("binary", layout):
        found = evaluate(plan.build(plan, layout, PARAMS), table, outcome, folds_of(table, outcome), clinical=odd)
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
    layout = layout_of(table.columns, None, "f000")
    plan = next(p for p in plans_for("survival", layout) if p.name == "volume")
    folds = folds_of(table, outcome, folds=6, repeats=1)
    found = evaluate(plan.build(plan, layout, PARAMS), table, outcome, folds)
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
