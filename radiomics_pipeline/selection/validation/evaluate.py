"""The only road to a score: an unfitted pipeline, refitted in every fold."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.stats.concordance import harrell_c
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.performance import Evaluation, PerformanceRow, PredictionRow
from radiomics_pipeline.types.table import FeatureTable

Progress = Callable[[int, int, str], None]
"""Called with the folds done, the folds in all, and the plan's name."""


def evaluate(
    pipeline: Any,
    table: FeatureTable,
    outcome: Outcome,
    folds: Sequence[Fold],
    *,
    clinical: Clinical | None = None,
    plan: str = "pipeline",
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Score an unfitted scikit-learn pipeline on rows that it has not seen, fold by fold.

    pipeline : unfitted; takes float64 [rows, features + clinical columns] with NaN cells, predicts by
        decision_function, predict_proba or predict. Its last step gets `groups` (patients) if its fit takes them
    clinical : further columns, after the features
    n_jobs : processes; the result does not depend on it, nor on the order of the table's rows

    Scores are AUCs or Harrell's Cs of single test folds, never of pooled predictions, whose folds differ in
    their intercepts. Raises ParamsError for a fitted pipeline and OutcomeError where rows do not match.
    """
    refuse_fitted(pipeline)
    if len(table) != len(outcome) or (clinical is not None and len(clinical.values) != len(table)):
        raise OutcomeError(f"outcome or clinical rows do not match the table's {len(table)} rows")
    X = table.values if clinical is None else np.hstack([table.values, clinical.values])
    names = table.columns + (() if clinical is None else clinical.columns)
    groups = np.array(table.patient, dtype=object)
    tasks = (delayed(_fit_and_predict)(pipeline, X, outcome, groups, fold) for fold in folds)
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        results.append(result)
        if progress is not None:
            progress(len(results), len(folds), plan)
    metric = "auc" if outcome.kind == "binary" else "c_index"
    scores = tuple(_score(result["risk"], outcome.rows(f.test)) for result, f in zip(results, folds, strict=True))
    predictions = [
        row for result, f in zip(results, folds, strict=True) for row in _rows(plan, f, result, table, outcome)
    ]
    share = float(np.mean([len(f.test) / len(f.train) for f in folds]))
    mean, lower, upper = corrected_interval(np.array(scores), share)
    scored = sum(not np.isnan(s) for s in scores)
    row = PerformanceRow(plan, metric, mean, max(lower, 0.0), min(upper, 1.0), scored)
    chosen = tuple(frozenset(names[c] for c in result["selected"]) for result in results)
    return Evaluation(plan, metric, scores, chosen, tuple(predictions), row, _notes(plan, results, scored))


def refuse_fitted(pipeline: Any) -> None:
    """ParamsError where the pipeline, or anything inside it, has been fitted."""
    parts = [pipeline, *(p for p in pipeline.get_params(deep=True).values() if isinstance(p, BaseEstimator))]
    for part in parts:
        learned = [name for name in vars(part) if name.endswith("_") and not name.startswith("_")]
        if learned:
            raise ParamsError(
                f"{type(part).__name__} has been fitted (it holds {learned[0]}): what it learned may come from the "
                "rows that are to be predicted. Pass an unfitted pipeline, such as sklearn.base.clone(pipeline)"
            )


def _fit_and_predict(pipeline: Any, X: np.ndarray, outcome: Outcome, groups: np.ndarray, fold: Fold) -> dict[str, Any]:
    """One fold: a fresh copy of the pipeline fitted to the training rows, the test rows predicted."""
    model = clone(pipeline)
    last = model.steps[-1] if hasattr(model, "steps") else None
    takes_groups = has_fit_parameter(last[1] if last else model, "groups")
    name = f"{last[0]}__groups" if last else "groups"
    extra = {name: groups[fold.train]} if takes_groups else {}
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(np.array(X[fold.train]), outcome.rows(fold.train).y, **extra)
        test = np.array(X[fold.test])
        risk = _risk(model, test)
        shown = model.predict_proba(test)[:, 1] if hasattr(model, "predict_proba") else risk
    for other in caught:
        if not issubclass(other.category, ConvergenceWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    stopped = any(issubclass(w.category, ConvergenceWarning) for w in caught)
    return {"risk": risk, "shown": shown, "selected": selected_columns(model, X.shape[1]), "stopped": stopped}


def _risk(model: Any, test: np.ndarray) -> np.ndarray:
    """A number that rises with the outcome, float64 [rows]."""
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(test), np.float64)
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(test)[:, 1], np.float64)
    return np.asarray(model.predict(test), np.float64)


def selected_columns(model: Any, n_columns: int) -> tuple[int, ...]:
    """Columns of X that a fitted pipeline's last step gives a nonzero coefficient; empty where none can be named."""
    steps = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    final = steps[-1]
    if hasattr(final, "selected_"):
        chosen = np.asarray(final.selected_)
    elif hasattr(final, "coef_"):
        chosen = np.flatnonzero(np.any(np.atleast_2d(np.asarray(final.coef_)) != 0, axis=0))
    else:
        return ()
    if len(steps) > 1:
        if not all(hasattr(step, "get_feature_names_out") for step in steps[:-1]):
            return ()
        names = model[:-1].get_feature_names_out(np.array([f"{c}" for c in range(n_columns)], dtype=object))
        origin = [str(name).split("_")[0] for name in names]
        if not all(o.isdigit() for o in origin):  # a step that mixes columns, such as PCA
            return ()
        chosen = np.array([int(origin[int(c)]) for c in chosen], np.int64)
    return tuple(sorted({int(c) for c in chosen}))


def _score(risk: np.ndarray, outcome: Outcome) -> float:
    if outcome.time is None:
        return float(auc_delong(risk[:, None], outcome.event).area[0])
    return float(harrell_c(risk[:, None], outcome.time, outcome.event).index[0])


def _rows(plan: str, fold: Fold, result: dict[str, Any], table: FeatureTable, outcome: Outcome) -> list[PredictionRow]:
    return [
        PredictionRow(
            table.case[i],
            table.patient[i],
            table.roi[i],
            table.label[i],
            plan,
            fold.repeat,
            fold.number,
            outcome.cells(int(i)),
            float(shown),
        )
        for i, shown in zip(fold.test, result["shown"], strict=True)
    ]


def _notes(plan: str, results: list[dict[str, Any]], scored: int) -> tuple[str, ...]:
    notes = []
    stopped = Counter(r["stopped"] for r in results)[True]
    if stopped:
        notes.append(f"{plan}: in {stopped} of {len(results)} folds an optimiser stopped before it had converged")
    if scored < len(results):
        notes.append(f"{plan}: {len(results) - scored} of {len(results)} folds have no comparable pair and no score")
    return tuple(notes)
