from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t
from sklearn.dummy import DummyClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.validation.compare import compare
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.selection.validation.schemes import temporal
from tests.selection.studies import study

MODEL = make_pipeline(StandardScaler(), LogisticRegression())
FEW = make_pipeline(SelectKBest(k=1), LogisticRegression())


def two(folds_of=lambda t, o: draw_folds(t, o, folds=4, repeats=2, seed=0), **options):
    table, outcome, _ = study(n=80, columns=10, effect=2.0, **options)
    folds = folds_of(table, outcome)
    return tuple(evaluate(m, table, outcome, folds, plan=n) for m, n in ((MODEL, "all"), (FEW, "one")))


def test_differences_are_paired_by_fold_and_their_interval_is_corrected():
    first, second = two()
    row = next(r for r in compare(first, second) if r.metric == "auc")
    gaps = np.array(first.scores) - np.array(second.scores)
    error = np.sqrt(gaps.var(ddof=1) * (1 / 8 + 20 / 60))
    assert row.difference == pytest.approx(gaps.mean())
    assert (row.lower, row.upper) == pytest.approx(t.interval(0.95, 7, gaps.mean(), error))
    assert row.p == pytest.approx(2 * t.sf(abs(gaps.mean() / error), 7))
    assert (row.first, row.second, row.n_folds, row.test) == ("all", "one", 8, "corrected resampled t")
    names = [r.metric for r in compare(first, second)]
    assert names == [m.metric for m in first.metrics]
    slope = next(r for r in compare(first, second) if r.metric == "calibration_slope")
    assert np.isnan(slope.p)
    assert np.isfinite(slope.difference)


def test_a_single_test_part_is_compared_by_delongs_test():
    first, second = two(lambda t, o: temporal(t, o, np.arange(80.0), cut="40").folds)
    rows = {r.metric: r for r in compare(first, second)}
    assert rows["auc"].test == "DeLong"
    assert rows["auc"].difference == pytest.approx(first.scores[0] - second.scores[0])
    assert rows["auc"].lower < rows["auc"].difference < rows["auc"].upper
    assert np.isnan(rows["brier"].p)
    assert compare(first, first)[0].p == 1.0


def test_other_folds_or_rows_are_refused():
    first, _ = two()
    other, _ = two(lambda t, o: draw_folds(t, o, folds=4, repeats=2, seed=1))
    with pytest.raises(ParamsError, match="not tested on the same rows"):
        compare(first, other)
    with pytest.raises(ParamsError, match="one set of folds"):
        compare(first, replace(first, predictions=first.predictions[:-1]))


def test_folds_without_a_score_in_one_plan_are_left_out_of_the_difference():
    first, second = two()
    scores = dict(second.fold_scores) | {"auc": (float("nan"), *second.scores[1:])}
    row = compare(first, replace(second, fold_scores=scores))[0]
    assert row.n_folds == 7
    assert row.difference == pytest.approx(np.mean(np.array(first.scores[1:]) - np.array(second.scores[1:])))


def test_a_plan_that_knows_nothing_is_worse():
    table, outcome, _ = study(n=80, columns=10, effect=3.0)
    folds = draw_folds(table, outcome, folds=4, repeats=2, seed=0)
    first, second = (evaluate(m, table, outcome, folds, plan=n) for m, n in ((FEW, "a"), (DummyClassifier(), "b")))
    row = compare(first, second)[0]
    assert row.second_mean == 0.5
    assert row.p < 0.01
