"""One fit of an unfitted pipeline, and what it predicts, in the form that metrics take."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from radiomics_pipeline.selection.columns import columns_before, place_names
from radiomics_pipeline.selection.validation.centres import lenient
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.types.outcome import CLASSES, TIMED, Outcome

N_TIMES = 50
"""Times at which survival curves are read, equally spaced up to the limit."""


def fit_fresh(  # noqa: PLR0917 -- the five belong together
    pipeline: Any, X: np.ndarray, outcome: Outcome, groups: np.ndarray, rows: np.ndarray, seed: Sequence[int] = (0,)
) -> tuple[Any, bool]:
    """A fresh copy of the pipeline fitted to these rows, and whether an optimiser stopped before it had converged.

    groups : of each row of X the patient, handed to the last step where its fit takes `groups`
    seed : of estimators whose random_state is None, so that the same call gives the same fit
    """
    model = _seeded(clone(pipeline), seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(np.array(X[rows]), outcome.rows(rows).y, **_groups_argument(model, groups[rows]))
    for other in caught:
        if not issubclass(other.category, ConvergenceWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return model, any(issubclass(w.category, ConvergenceWarning) for w in caught)


def _seeded(model: Any, seed: Sequence[int]) -> Any:
    """Every random_state that is None set to a number that follows from `seed`."""
    number = int(np.random.SeedSequence(list(seed)).generate_state(1)[0] % (2**31 - 1))
    params = model.get_params(deep=True)
    open_ones = {k: number for k, v in params.items() if v is None and k.split("__")[-1] == "random_state"}
    return model.set_params(**open_ones) if open_ones else model


def _groups_argument(model: Any, groups: np.ndarray) -> dict[str, np.ndarray]:
    """The keyword by which the last step gets the patients; empty where it takes none."""
    path = []
    while isinstance(model, Pipeline):
        step, model = model.steps[-1]
        path.append(step)
    takes = hasattr(model, "fit") and has_fit_parameter(model, "groups")
    return {"__".join([*path, "groups"]): groups} if takes else {}


def predict_held(model: Any, test: np.ndarray, held: Held) -> Held:
    """What a fitted pipeline predicts for rows, added to their outcomes.

    test : float64 [rows, columns]; held : of the same rows, with the times at which curves are read
    """
    kind = held.outcome.kind
    probability = class_probabilities(model, test, held.outcome) if kind in CLASSES else None
    if kind in TIMED:
        risk = np.asarray(model.predict(test), np.float64)
        if not getattr(_last(model), "_predict_risk_score", True):  # scikit-survival: predicts times
            risk = -risk
        curves = survival_curves(model, test, held.times)
        return replace(held, risk=risk, survival=curves)
    if kind == "binary" and hasattr(model, "decision_function"):
        return replace(held, risk=np.asarray(model.decision_function(test), np.float64), probability=probability)
    if probability is None:
        return held if kind == "multiclass" else replace(held, risk=np.asarray(model.predict(test), np.float64))
    position = probability @ np.arange(probability.shape[1], dtype=np.float64)
    return replace(held, risk=None if kind == "multiclass" else position, probability=probability)


def class_probabilities(model: Any, test: np.ndarray, outcome: Outcome) -> np.ndarray | None:
    """Probabilities float64 [rows, classes], 0 for a class not trained on; None without predict_proba."""
    if not hasattr(model, "predict_proba"):
        return None
    found = np.asarray(model.predict_proba(test), np.float64)
    n_classes = 2 if outcome.kind == "binary" else len(outcome.categories)
    known = np.asarray(getattr(model, "classes_", np.arange(found.shape[1]))).astype(np.int64)
    whole = np.zeros((len(test), n_classes))
    whole[:, known] = found
    return whole


def survival_curves(model: Any, test: np.ndarray, times: np.ndarray | None) -> np.ndarray | None:
    """Probability of no event (of interest) up to each time, float64 [rows, times]; None where there are no curves.

    From `predict_survival(X, times)`, or scikit-survival's `predict_survival_function`, whose steps are read (1 before
    the first, the last one on from there).
    """
    if times is None:
        return None
    if hasattr(model, "predict_survival"):
        found = model.predict_survival(test, times)
        return None if found is None else np.asarray(found, np.float64)
    if isinstance(model, Pipeline):
        return survival_curves(model.steps[-1][1], model[:-1].transform(test) if len(model.steps) > 1 else test, times)
    if not hasattr(model, "predict_survival_function") or not getattr(model, "fit_baseline_model", True):
        return None
    functions = model.predict_survival_function(test)
    at, steps = functions[0].x, np.array([f.y for f in functions])
    padded = np.hstack([np.ones((len(steps), 1)), steps])
    return np.asarray(padded[:, np.searchsorted(at, times, side="right")])


def training_cut(
    pipeline: Any,
    X: np.ndarray,
    outcome: Outcome,
    groups: np.ndarray,
    rows: np.ndarray,
    *,
    rule: str,
    inner_folds: int,
    seed: Sequence[int],
) -> float:
    """Probability from which a row counts as positive, from training rows alone; NaN for other outcomes than binary.

    rule : "prevalence", the share of positives: for right probabilities it gives the best balanced accuracy; or
        "inner", the best balanced accuracy of out-of-fold predictions of the training rows (the plan is refitted in
        `inner_folds` parts, patients kept together)
    """
    if outcome.kind != "binary":
        return float("nan")
    part = outcome.rows(rows)
    if rule == "prevalence":
        return float(part.event.mean())
    n = inner_count(part.event, groups[rows], inner_folds, both=True)
    place = deal(part.event, groups[rows], n, np.random.default_rng(list(seed)))
    p = np.full(len(rows), np.nan)
    inner = lenient(pipeline)
    for number in range(n):
        model, _ = fit_fresh(inner, X, outcome, groups, rows[place != number], seed)
        found = class_probabilities(model, np.array(X[rows[place == number]]), outcome)
        if found is None:
            return float("nan")
        p[place == number] = found[:, 1]
    return best_cut(p, part.event)


def best_cut(p: np.ndarray, event: np.ndarray) -> float:
    """Cut of the best balanced accuracy (Youden's index), midway between two probabilities; of several, the median."""
    levels = np.unique(p)
    if len(levels) < 2:
        return float(event.mean())
    cuts = (levels[1:] + levels[:-1]) / 2
    sensitivity = (p[event][None, :] >= cuts[:, None]).mean(axis=1)
    specificity = (p[~event][None, :] < cuts[:, None]).mean(axis=1)
    total = sensitivity + specificity
    best = np.flatnonzero(total >= total.max() - 1e-12)
    return float(cuts[best[len(best) // 2]])


def selected_columns(model: Any, n_columns: int) -> tuple[int, ...]:
    """Columns of X that a fitted pipeline's last step gives a nonzero coefficient; empty where none can be named."""
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    final = steps[-1]
    if len(steps) == 1 and hasattr(final, "estimator_"):  # a wrapper of the whole pipeline
        return selected_columns(final.estimator_, n_columns)
    if hasattr(final, "selected_"):
        chosen = np.asarray(final.selected_)
    elif hasattr(final, "coef_"):
        chosen = np.flatnonzero(np.any(np.atleast_2d(np.asarray(final.coef_)) != 0, axis=0))
    else:
        return ()
    if len(steps) > 1:
        if not all(hasattr(step, "get_feature_names_out") for step in steps[:-1]):
            return ()
        origin = columns_before(model[:-1].get_feature_names_out(place_names(range(n_columns))))
        if origin is None:
            return ()
        chosen = origin[chosen]
    return tuple(sorted({int(c) for c in chosen}))


@contextmanager
def one_thread() -> Iterator[None]:
    """Context in which a fit stays in one thread of one process: folds run side by side instead.

    Without it scikit-learn would send each tree of a forest to the cluster, where joblib's backend is Dask.
    """
    with threadpool_limits(1), parallel_config(backend="sequential"):
        yield


def _last(model: Any) -> Any:
    while isinstance(model, Pipeline):
        model = model.steps[-1][1]
    return model
