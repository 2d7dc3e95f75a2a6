"""Permutation importance on rows left out: the score that is lost when a cluster of features is shuffled.

Breiman, Mach Learn 2001;45:5, doi 10.1023/A:1010933404324. On training rows it would measure what was learned by heart.
Correlated features are shuffled together: alone, each would hide behind the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.validation.fitting import fit_fresh, one_thread, predict_held, selected_columns
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.selection.validation.metrics import Metric, metrics_of, score
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from radiomics_pipeline.types.combination import ImportanceRow
from radiomics_pipeline.types.outcome import Outcome

DEFAULT = {"binary": ("auc", "log_loss"), "continuous": ("r2",), "survival": ("c_index",)}


def permutation_importance(
    pipeline: Any,
    X: np.ndarray,
    outcome: Outcome,
    folds: Sequence[Fold],
    names: Sequence[str],
    *,
    clusters: np.ndarray | None = None,
    metrics: Sequence[str] = (),
    repeats: int = 10,
    patient: Sequence[str] | np.ndarray | None = None,
    seed: int = 0,
    n_jobs: int = 1,
) -> tuple[ImportanceRow, ...]:
    """Loss of each metric when the columns of a cluster are shuffled in the test rows of a fold, together.

    pipeline : unfitted, refitted in every fold
    clusters : int64 [columns], of each column its cluster's representative column; None: each column by itself. A
        column of a negative number is never shuffled (side columns)
    metrics : names; none: auc and log_loss, r2, or c_index
    repeats : permutations in each fold; drop is the mean over them, then over the folds, with Nadeau and Bengio's
        corrected interval over folds

    Rows: for each metric the clusters, largest loss first. A cluster no column of which is in the fitted model has a
    loss of 0 in that fold.
    """
    if X.shape[1] != len(names) or len(X) != len(outcome):
        raise TableError(f"X of shape {X.shape} for {len(outcome)} outcomes and {len(names)} names")
    own = np.arange(len(names)) if clusters is None else np.asarray(clusters, np.int64)
    heads = np.unique(own[own >= 0])
    wanted = _metrics(outcome, metrics)
    groups = np.arange(len(X)).astype(object) if patient is None else np.asarray(patient, dtype=object)
    members = [np.flatnonzero(own == head) for head in heads]
    tasks = (
        delayed(_fold)(pipeline, X, outcome, groups, fold, members, wanted, repeats, (seed, fold.repeat, fold.number))
        for fold in folds
    )
    drops = np.stack(Parallel(n_jobs=n_jobs)(tasks))
    share = float(np.mean([len(f.test) / len(f.train) for f in folds]))
    rows = []
    for m, metric in enumerate(wanted):
        found = [corrected_interval(drops[:, h, m], share) for h in range(len(heads))]
        for h in np.argsort([-np.nan_to_num(f[0], nan=-np.inf) for f in found], kind="stable"):
            others = "; ".join(str(names[c]) for c in members[h])
            count = int((~np.isnan(drops[:, h, m])).sum())
            drop, lower, upper = found[h]
            rows.append(ImportanceRow(str(names[heads[h]]), others, metric.name, drop, lower, upper, count))
    return tuple(rows)


def _metrics(outcome: Outcome, names: Sequence[str]) -> tuple[Metric, ...]:
    names = tuple(names) or DEFAULT.get(outcome.kind, (metrics_of(outcome.kind)[0].name,))
    known = {m.name: m for m in metrics_of(outcome.kind) if m.better in ("higher", "lower") and m.needs != "survival"}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ParamsError(f"no permutation importance by {unknown[0]!r} for this outcome; there are {', '.join(known)}")
    return tuple(known[name] for name in names)


def _fold(  # noqa: PLR0917
    pipeline: Any,
    X: np.ndarray,
    outcome: Outcome,
    groups: np.ndarray,
    fold: Fold,
    members: Sequence[np.ndarray],
    metrics: Sequence[Metric],
    repeats: int,
    seed: tuple[int, ...],
) -> np.ndarray:
    """Losses of one fold, float64 [clusters, metrics]."""
    with one_thread():
        model, _ = fit_fresh(pipeline, X, outcome, groups, fold.train, seed)
        test = np.array(X[fold.test])
        empty = Held(outcome.rows(fold.test), outcome.rows(fold.train), patient=groups[fold.test])
        whole = _scores(predict_held(model, test, empty), metrics)
        used = _used(model, X.shape[1])
        drops = np.zeros((len(members), len(metrics)))
        for h, columns in enumerate(members):
            if used is not None and not used.intersection(columns.tolist()):
                drops[h] = whole - whole
                continue
            rng = np.random.default_rng([*seed, h])
            lost = np.zeros((repeats, len(metrics)))
            for r in range(repeats):
                shuffled = test.copy()
                shuffled[:, columns] = test[np.ix_(rng.permutation(len(test)), columns)]
                lost[r] = whole - _scores(predict_held(model, shuffled, empty), metrics)
            drops[h] = lost.mean(axis=0)
    return drops * np.array([1.0 if m.better == "higher" else -1.0 for m in metrics])


def _used(model: Any, n_columns: int) -> set[int] | None:
    """Columns in the fitted model; None where it does not name them."""
    found = set(selected_columns(model, n_columns))
    final = model
    while isinstance(final, Pipeline) or hasattr(final, "estimator_"):
        final = final.steps[-1][1] if isinstance(final, Pipeline) else final.estimator_
    if hasattr(final, "selected_"):
        nothing = len(final.selected_) == 0
    else:
        nothing = hasattr(final, "coef_") and not np.any(final.coef_)
    return found if found or nothing else None


def _scores(held: Held, metrics: Sequence[Metric]) -> np.ndarray:
    return np.array([score(metric, held)[0] for metric in metrics])
