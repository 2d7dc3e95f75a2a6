"""Myocardial perfusion for real: the 267 patients of SPECTF Heart, 44 counts at rest and stress, normal or not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.layout import layout_of
from radiomics_pipeline.selection.learners.table import LEARNERS
from radiomics_pipeline.selection.plans import build, named_plan
from radiomics_pipeline.selection.registry import method_named
from radiomics_pipeline.selection.steps.screen import Screen
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import table_of


def information(X, y):
    """Information gain of each count; its neighbours' noise is the same in every run."""
    return mutual_info_classif(X, y, random_state=0)


def boosting():
    """Counts chosen by information gain, then boosted trees, both inside the fold."""
    return make_pipeline(
        SelectKBest(information, k=20), GradientBoostingClassifier(n_estimators=100, max_depth=2, random_state=0)
    )


def logitboost():
    """The MACE study's plan: counts ranked by information gain, then boosted stumps, both inside the fold."""
    return make_pipeline(Screen("information", keep=20), method_named("logitboost", LEARNERS).make({}, "binary", 0))


def network():
    """The ventilation-perfusion study's network, 15 hidden units, on scaled counts."""
    return make_pipeline(StandardScaler(), method_named("network-28-15-1", LEARNERS).make({}, "binary", 0))


PIPELINES = {"boosting": boosting, "logitboost": logitboost, "network": network}


@pytest.fixture(scope="module")
def spectf(shared):
    rows = np.vstack(
        [np.loadtxt(shared / f"nm_data/spectf/SPECTF.{part}", delimiter=",") for part in ("train", "test")]
    )
    assert rows.shape == (267, 45)
    return rows[:, 1:], rows[:, 0]


def pooled_auc(values: np.ndarray, truth: np.ndarray, model: str) -> float:
    """AUC of all predictions together, out of 10 folds."""
    table, outcome = table_of(values), Outcome.binary(truth)
    params = SelectionParams(validation=ValidationParams(folds=10, repeats=1, inner_folds=5))
    folds = draw_folds(table, outcome, folds=10, repeats=1, seed=1)
    if model in PIPELINES:
        pipeline = PIPELINES[model]()
    else:
        pipeline = build(named_plan(model), layout_of(table.columns), "binary", params)
    found = evaluate(pipeline, table, outcome, folds)
    risk = {row.case: row.prediction for row in found.predictions}
    return float(roc_auc_score(truth, [risk[case] for case in table.case]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "least"), [("boosting", 0.78), ("logitboost", 0.78), ("network", 0.78), ("lasso", 0.80)]
)
def test_real_perfusion_is_told_from_normal_and_noise_is_not(spectf, model, least):
    values, truth = spectf
    assert least <= pooled_auc(values, truth, model) <= 0.90
    chance = [pooled_auc(values, np.random.default_rng(seed).permutation(truth), model) for seed in range(3)]
    assert 0.38 < np.mean(chance) < 0.62, chance


def test_the_published_split_is_told_apart_by_the_studies_models(spectf):
    values, truth = spectf
    for model, least in (("network", 0.74), ("logitboost", 0.74)):
        fitted = PIPELINES[model]().fit(values[:80], truth[:80].astype(int))
        assert least <= roc_auc_score(truth[80:], fitted.predict_proba(values[80:])[:, 1]) <= 0.90
