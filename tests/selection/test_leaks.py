"""Recipes that leak, on features that know nothing: each is refused, or in the project's own way gives 0.5.

A control shows how far above 0.5 the leaky way would have lain on the same tables.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_selection import SelectKBest, SelectorMixin, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.alone import rank_alone
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import Fold, draw_folds
from radiomics_pipeline.selection.validation.nested import BestOf
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import table_of

FEW, MANY = 14, 200
"""Seeds of the fast and of the slow form, fixed beforehand: 0, 1, ..."""
seeds = pytest.mark.parametrize("n_seeds", [FEW, pytest.param(MANY, marks=pytest.mark.exhaustive)])


def noise(seed, n=40, p=150, share=0.5):
    rng = np.random.default_rng([77, seed])
    event = rng.permutation(np.arange(n) < share * n)
    return table_of(rng.normal(size=(n, p))), Outcome.binary(event)


def plan(*steps):
    return make_pipeline(*steps, StandardScaler(), LogisticRegression(C=0.1))


def honest(pipeline, table, outcome, seed):
    folds = draw_folds(table, outcome, folds=4, repeats=1, seed=seed)
    return evaluate(pipeline, table, outcome, folds).performance.mean


def by_row(values, event, model, seed):
    """Mean AUC of cross-validation over rows as they are, as people do it by hand."""
    scores = []
    for train, test in StratifiedKFold(4, shuffle=True, random_state=seed).split(values, event):
        model.fit(values[train], event[train])
        scores.append(roc_auc_score(event[test], model.predict_proba(values[test])[:, 1]))
    return float(np.mean(scores))


def is_chance(scores):
    """Within 3.5 standard errors of 0.5; of few seeds the t quantile of the same tail, for their own spread."""
    reach = 3.5 if len(scores) >= MANY else t.ppf(norm.cdf(3.5), len(scores) - 1)
    return abs(np.mean(scores) - 0.5) < reach * np.std(scores, ddof=1) / np.sqrt(len(scores))


def mrmr_columns(values, event, n):
    """Greedy: correlation with the outcome less the mean correlation with those chosen."""
    r = np.abs(np.corrcoef(np.column_stack([values, event]), rowvar=False))
    relevance, among = r[:-1, -1], r[:-1, :-1]
    chosen = [int(relevance.argmax())]
    while len(chosen) < n:
        gain = relevance - among[:, chosen].mean(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return np.array(chosen)


def screened_columns(values, event, n):
    """The smallest p values of the project's own screen."""
    rows = rank_alone(table_of(values), Outcome.binary(event))
    return np.argsort([row.p for row in rows], kind="stable")[:n]


def best_columns(values, event, n):
    return np.argsort(-f_classif(values, event)[0])[:n]


class Choose(SelectorMixin, BaseEstimator):
    """Columns by one of the functions above."""

    def __init__(self, by=best_columns, n=8):
        self.by = by
        self.n = n

    def fit(self, X, y):
        X = validate_data(self, X)
        self.support_ = np.isin(np.arange(X.shape[1]), self.by(X, y, self.n))
        return self

    def _get_support_mask(self):
        check_is_fitted(self)
        return self.support_


@seeds
@pytest.mark.parametrize("by", [best_columns, mrmr_columns, screened_columns])
def test_columns_chosen_first_are_refused_and_chosen_inside_give_chance(by, n_seeds):
    leaky, nested = [], []
    for seed in range(n_seeds):
        table, outcome = noise(seed)
        columns = by(table.values, outcome.event, 8)
        leaky.append(by_row(table.values[:, columns], outcome.event, plan(), seed))
        nested.append(honest(plan(Choose(by)), table, outcome, seed))
    assert np.mean(leaky) > 0.8
    assert not is_chance(leaky)
    assert is_chance(nested)
    with pytest.raises(ParamsError, match="has been fitted"):
        honest(plan(Choose(by).fit(table.values, outcome.event)), table, outcome, 0)
    chosen = table_of(table.values[:, columns])
    folds = draw_folds(chosen, outcome, folds=4, repeats=1, seed=0)
    with pytest.raises(TableError, match="chosen by the outcome of all rows"):
        evaluate(plan(), chosen, outcome, folds, history=(f"outcome:{by.__name__}",))


@seeds
@pytest.mark.parametrize("how", ["copies", "between"])
def test_oversampling_first_is_refused_and_class_weights_give_chance(how, n_seeds):
    leaky, weighted = [], []
    for seed in range(n_seeds):
        table, outcome = noise(seed, p=8, share=0.25)
        rng = np.random.default_rng(seed)
        few = np.flatnonzero(outcome.event)
        drawn = rng.choice(few, 20)
        new = table.values[drawn]
        if how == "between":
            new = new + rng.random((20, 1)) * (table.values[rng.choice(few, 20)] - new)
        values = np.vstack([table.values, new])
        event = np.concatenate([outcome.event, np.ones(20, bool)])
        leaky.append(by_row(values, event, KNeighborsClassifier(3), seed))
        made, truth = table_of(values), Outcome.binary(event)
        folds = draw_folds(made, truth, folds=4, repeats=1, seed=seed)
        with pytest.raises(TableError, match="oversampled"):
            evaluate(plan(), made, truth, folds)
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        weighted.append(honest(model, table, outcome, seed))
    assert np.mean(leaky) > 0.65
    assert not is_chance(leaky)
    assert is_chance(weighted)


@seeds
def test_lesions_split_by_row_are_refused_and_split_by_patient_give_chance(n_seeds):
    leaky, grouped = [], []
    for seed in range(n_seeds):
        rng = np.random.default_rng([5, seed])
        patients, rows = 24, 4
        event = np.repeat(rng.permutation(np.arange(patients) < 12), rows)
        values = np.repeat(rng.normal(size=(patients, 10)), rows, axis=0) + 0.3 * rng.normal(size=(patients * rows, 10))
        table = table_of(values, patient=tuple(f"p{i // rows:02d}" for i in range(patients * rows)))
        outcome, model = Outcome.binary(event), KNeighborsClassifier(3)
        leaky.append(by_row(values, event, model, seed))
        grouped.append(honest(KNeighborsClassifier(3), table, outcome, seed))
    assert np.mean(leaky) > 0.9
    assert is_chance(grouped)
    alone = replace(table, patient=table.case)
    split = draw_folds(alone, outcome, folds=4, repeats=1, seed=0)
    with pytest.raises(ParamsError, match="patients stand in both parts"):
        evaluate(KNeighborsClassifier(3), table, outcome, split)


@seeds
def test_the_best_of_twenty_is_too_good_and_the_choice_nested_gives_chance(n_seeds):
    leaky, nested = [], []
    for seed in range(n_seeds):
        table, outcome = noise(seed, p=60)
        tried = [Three(start) for start in range(0, 60, 3)]
        leaky.append(max(by_row(table.values, outcome.event, model, seed) for model in tried))
        nested.append(honest(BestOf([Three(m.start) for m in tried], inner_folds=3), table, outcome, seed))
    assert np.mean(leaky) > 0.62
    assert not is_chance(leaky)
    assert is_chance(nested)


class Three(ClassifierMixin, BaseEstimator):
    """Three columns from `start` on, along the line between the means of the classes."""

    def __init__(self, start=0):
        self.start = start

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        part = X[:, self.start : self.start + 3]
        high, low = part[y == 1].mean(axis=0), part[y == 0].mean(axis=0)
        self.line_, self.middle_ = high - low, (high + low) / 2
        return self

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-(X[:, self.start : self.start + 3] - self.middle_) @ self.line_))
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)


def test_values_harmonised_first_are_refused_by_the_tables_history():
    table, outcome = noise(0, p=10)
    with pytest.raises(TableError, match="ComBat"):
        evaluate(
            plan(),
            table,
            outcome,
            draw_folds(table, outcome, folds=4, repeats=1, seed=0),
            history=("extract", "rows:ComBat"),
        )


def test_training_rows_tested_again_are_refused():
    table, outcome = noise(0, p=10)
    with pytest.raises(ParamsError, match="stand in the training and in the test part"):
        evaluate(plan(), table, outcome, [Fold(1, 1, np.arange(40), np.arange(40))])


@seeds
def test_survival_with_columns_chosen_first_is_refused_and_chosen_inside_gives_chance(n_seeds):
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.metrics import concordance_index_censored

    leaky, nested = [], []
    for seed in range(n_seeds):
        rng = np.random.default_rng([6, seed])
        table = table_of(rng.normal(size=(40, 60)))
        event, lost = rng.exponential(size=40), 2 * rng.exponential(size=40)
        outcome = Outcome.survival(np.minimum(event, lost), event <= lost)
        columns = _by_c(table.values, outcome.y, 5)
        folds = draw_folds(table, outcome, folds=4, repeats=1, seed=seed)
        scores = []
        for fold in folds:
            model = CoxPHSurvivalAnalysis(alpha=1.0).fit(table.values[fold.train][:, columns], outcome.y[fold.train])
            risk = model.predict(table.values[fold.test][:, columns])
            scores.append(concordance_index_censored(outcome.event[fold.test], outcome.time[fold.test], risk)[0])
        leaky.append(float(np.mean(scores)))
        cox = make_pipeline(Choose(_by_c, 5), StandardScaler(), CoxPHSurvivalAnalysis(alpha=1.0))
        nested.append(evaluate(cox, table, outcome, folds).performance.mean)
    assert np.mean(leaky) > 0.65
    assert not is_chance(leaky)
    assert is_chance(nested)
    with pytest.raises(ParamsError, match="has been fitted"):
        evaluate(
            make_pipeline(SelectKBest(k=2).fit(table.values, outcome.event), CoxPHSurvivalAnalysis()),
            table,
            outcome,
            folds,
        )


def _by_c(values, y, n):
    outcome = Outcome(("time", "event"), "survival", y["event"], y["time"])
    alone = np.array([row.value for row in rank_alone(table_of(values), outcome)])
    return np.argsort(-np.abs(alone - 0.5))[:n]
