from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.selection.validation import guards
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import Fold, draw_folds
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.side import Side
from tests.selection.studies import study, table_of


class Holder(TransformerMixin, BaseEstimator):
    """Holds anything."""

    def __init__(self, held=None):
        self.held = held

    def fit(self, X, y=None):
        self.done_ = True
        return self

    def transform(self, X):
        return X


class SMOTE(Holder):
    """Stands for the resamplers of imbalanced-learn."""

    def fit_resample(self, X, y):
        return X, y


class CentreScaler(Holder):
    """Takes the last column for the centre, and says so."""

    context = ("centre",)

    def transform(self, X):
        return X[:, :-1] - X[:, -1:]


def scored(pipeline, **options):
    table, outcome, _ = study(columns=6)
    folds = draw_folds(table, outcome, folds=4, repeats=1, seed=0)
    return evaluate(pipeline, table, outcome, folds, **options)


def test_fitted_estimators_are_found_in_lists_dicts_and_frozen_ones():
    table, outcome, _ = study(columns=6)
    fitted = StandardScaler().fit(table.values)
    model = LogisticRegression().fit(table.values, outcome.y)
    for pipeline in (
        make_pipeline(Holder([("a", fitted)]), LogisticRegression()),
        make_pipeline(Holder({"a": {"b": fitted}}), LogisticRegression()),
        CalibratedClassifierCV(FrozenEstimator(model)),
        make_pipeline(SelectKBest(f_classif, k=2).fit(table.values, outcome.y), LogisticRegression()),
    ):
        with pytest.raises(ParamsError, match="has been fitted"):
            scored(pipeline)
    assert scored(make_pipeline(Holder([StandardScaler()]), LogisticRegression())).performance.n_folds == 4


def test_a_fitted_booster_is_found():
    xgboost = pytest.importorskip("xgboost")
    table, outcome, _ = study(columns=6)
    guards.refuse_fitted(xgboost.XGBClassifier(n_estimators=2))
    with pytest.raises(ParamsError, match="has been fitted"):
        guards.refuse_fitted(xgboost.XGBClassifier(n_estimators=2).fit(table.values, outcome.y))


def test_resampling_inside_a_pipeline_is_refused_and_weights_are_recommended():
    with pytest.raises(ParamsError, match="class_weight"):
        scored(make_pipeline(SMOTE(), LogisticRegression()))


def test_arrays_of_one_value_a_row_are_refused():
    outcome = study(columns=6)[1]
    for held in (outcome.value, np.arange(60.0), outcome.value.tolist(), tuple(outcome.value)):
        with pytest.raises(ParamsError, match="one value for each of the 60 rows"):
            scored(make_pipeline(Holder(held), LogisticRegression()))
    assert scored(make_pipeline(Holder([1, 2, 3]), LogisticRegression())).performance.n_folds == 4


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("outcome:mRMR", "chosen by the outcome of all rows"),
        ("rows:ComBat", "harmonisation"),
        ("made:SMOTE", "oversampling"),
    ],
)
def test_a_table_with_a_history_is_refused(entry, message):
    with pytest.raises(TableError, match=message):
        scored(LogisticRegression(), history=("extract", entry))
    assert scored(LogisticRegression(), history=("extract", "join")).performance.n_folds == 4


def test_folds_that_share_rows_or_patients_are_refused():
    table, outcome, _ = study()
    rows = np.arange(60)
    with pytest.raises(ParamsError, match="stand in the training and in the test part"):
        evaluate(LogisticRegression(), table, outcome, [Fold(1, 1, rows[:40], rows[30:])])
    lesions = replace(table, patient=tuple(f"p{i // 3:02d}" for i in range(60)))
    with pytest.raises(ParamsError, match="rows of 1 patients stand in both parts"):
        evaluate(LogisticRegression(), lesions, outcome, [Fold(1, 1, rows[:40], rows[40:])])
    for fold in (
        Fold(1, 1, rows[:30], rows[:0]),
        Fold(1, 1, rows[:30], rows[30:] + 1),
        Fold(1, 1, rows[:9], rows[9:] - 60),
    ):
        with pytest.raises(ParamsError, match="the test part has"):
            evaluate(LogisticRegression(), table, outcome, [fold])
    with pytest.raises(ParamsError, match="no folds"):
        evaluate(LogisticRegression(), table, outcome, [])
    with pytest.raises(ParamsError, match="twice in the test part"):
        evaluate(LogisticRegression(), table, outcome, [Fold(1, 1, rows[:40], np.array([50, 51, 51]))])


def test_the_outcome_among_the_columns_is_refused():
    table, outcome, clinical = study(columns=6)
    folds = draw_folds(table, outcome, folds=4, repeats=1, seed=0)
    named = replace(table, columns=("target", *table.columns[1:]))
    with pytest.raises(TableError, match="'target' is the outcome and a feature"):
        evaluate(LogisticRegression(), named, outcome, folds)
    renamed = Clinical(("age", "target", "site"), clinical.values, clinical.categories)
    with pytest.raises(TableError, match="'target'"):
        evaluate(LogisticRegression(), table, outcome, folds, clinical=renamed)
    named = replace(table, columns=("centre", *table.columns[1:]))
    with pytest.raises(TableError, match="side column"):
        evaluate(LogisticRegression(), named, outcome, folds, side=Side(centre=("a", "b") * 30))


def test_a_plan_that_takes_side_columns_for_features_is_refused():
    side = Side(centre=("a", "b") * 30)
    with pytest.raises(ParamsError, match="side column"):
        scored(make_pipeline(StandardScaler(), LogisticRegression()), side=side)
    with pytest.raises(ParamsError, match="side column"):
        scored(make_pipeline(FunctionTransformer(lambda X: X[:, -2:]), LogisticRegression()), side=side)
    dropped = make_pipeline(FunctionTransformer(lambda X: X[:, :-1]), LogisticRegression())
    assert scored(dropped, side=side).performance.n_folds == 4
    assert scored(make_pipeline(CentreScaler(), LogisticRegression()), side=side).performance.n_folds == 4


def test_predictions_that_depend_on_the_other_test_rows_are_refused():
    def by_itself(X):
        return (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9)

    for step in (by_itself, lambda X: X.argsort(axis=0).argsort(axis=0) / len(X)):
        with pytest.raises(ParamsError, match="by itself"):
            scored(make_pipeline(FunctionTransformer(step), LogisticRegression()))
    assert scored(make_pipeline(StandardScaler(), LogisticRegression())).performance.n_folds == 4


def oversampled(values, event, how, rng):
    """The table with the rarer class brought to the size of the other one."""
    few, many = np.flatnonzero(event), int((~event).sum())
    drawn = rng.choice(few, many - len(few))
    new = values[drawn]
    if how == "smote":
        other = rng.choice(few, len(drawn))
        new = new + rng.random((len(drawn), 1)) * (values[other] - new)
    return np.vstack([values, new]), np.concatenate([event, np.ones(len(drawn), bool)])


@pytest.mark.parametrize("how", ["copies", "smote"])
def test_a_table_that_was_oversampled_is_refused(how):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 8))
    rows, event = oversampled(values, np.arange(60) < 20, how, rng)
    table, outcome = table_of(rows), Outcome.binary(event)
    folds = draw_folds(table, outcome, folds=4, repeats=1, seed=0)
    with pytest.raises(TableError, match="oversampled"):
        evaluate(LogisticRegression(), table, outcome, folds)


def test_a_patient_entered_twice_is_noted_and_plain_tables_are_not_judged():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(100, 8))
    values[7] = values[3]
    assert "2 rows equal" in guards.refuse_made_rows(table_of(values))[0]
    assert guards.refuse_made_rows(table_of(rng.normal(size=(100, 8)))) == ()
    line = rng.normal(size=(50, 1)) @ rng.normal(size=(1, 8))
    assert guards.refuse_made_rows(table_of(line)) == ()
    assert guards.refuse_made_rows(table_of(rng.integers(0, 2, (50, 8)).astype(float))) == ()
    assert guards.refuse_made_rows(table_of(rng.normal(size=(50, 3)))) == ()
    lesions = np.repeat(rng.normal(size=(30, 8)), 2, axis=0)
    assert guards.refuse_made_rows(table_of(lesions, patient=tuple(f"p{i // 2:02d}" for i in range(60)))) == ()
    with pytest.raises(TableError, match="equal rows of other patients"):
        guards.refuse_made_rows(table_of(lesions))


def test_outcomes_of_other_length_are_refused():
    table, outcome, _ = study()
    folds = draw_folds(table, outcome, folds=4, repeats=1, seed=0)
    with pytest.raises(OutcomeError, match="do not match"):
        evaluate(LogisticRegression(), table, outcome.rows(np.arange(50)), folds)
