"""What each feature gives to single predictions: XGBoost's own SHAP values, coefficient times value of linear models.

XGBoost computes exact SHAP values of its trees (Lundberg et al., Nat Mach Intell 2020;2:56, doi
10.1038/s42256-019-0138-9). They describe the model, not the disease: of two correlated features one may get all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import rankdata
from sklearn.pipeline import Pipeline

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.columns import columns_before, place_names
from radiomics_pipeline.selection.learners.recalibrated import Recalibrated
from radiomics_pipeline.selection.learners.tuned import Tuned
from radiomics_pipeline.selection.validation.fitting import fit_fresh, one_thread
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.types.combination import NAN, ContributionRow
from radiomics_pipeline.types.outcome import Outcome

SHAP, LINEAR = "SHAP (XGBoost)", "coefficient x value"


@dataclass(frozen=True)
class Explained:
    """Predictions taken apart, on the scale on which contributions add up (log odds, log hazard, number).

    values : float64 [rows, columns of X]; base : float64 [rows], what no column gives
    """

    values: np.ndarray
    base: np.ndarray
    method: str


def explain(model: Any, X: np.ndarray) -> Explained:
    """Contributions of every column of X to a fitted pipeline's predictions.

    X : float64 [rows, columns], as the pipeline takes it. Contributions of prepared columns are booked to the column
    that each came from, an indicator of missing cells to its column; those of linear models are relative to a row of
    the training means where the last step before scales. A recalibrated plan's are those to its recalibrated log odds.
    Raises ParamsError where the model is neither XGBoost nor linear, has several classes, or a step mixes columns:
    permutation importance serves these.
    """
    names = place_names(range(X.shape[1]))
    part = _unwrapped(_Part(model, np.asarray(X, np.float64), names))
    origin = columns_before(part.names)
    if origin is None:
        raise ParamsError(f"a step before {type(part.model).__name__} mixes columns; {OTHERWISE}")
    values, base, method = _of_learner(part.model, part.z)
    if values.shape[1] != len(origin):
        raise ParamsError(
            f"{type(part.model).__name__} uses {values.shape[1]} of {len(origin)} prepared columns; {OTHERWISE}"
        )
    whole = np.zeros((len(X), X.shape[1]))
    np.add.at(whole.T, origin, part.slope * values.T)
    return Explained(whole, part.slope * base + part.offset, method)


OTHERWISE = "use permutation importance, which any model allows"


@dataclass(frozen=True)
class _Part:
    """A model inside others, with its input z, of whose columns `names` tells where they came from.

    slope, offset : what the model's log odds are multiplied by, and what is added, by those around it
    """

    model: Any
    z: np.ndarray
    names: np.ndarray
    slope: float = 1.0
    offset: float = 0.0


def _unwrapped(part: _Part) -> _Part:
    """The learner inside pipelines and wrappers of a whole plan, given what the steps before it prepare."""
    model = part.model
    if isinstance(model, Pipeline):
        last = model.steps[-1][1]
        return _unwrapped(replace(_after(part, model[:-1]) if len(model.steps) > 1 else part, model=last))
    if isinstance(model, Tuned):
        return _unwrapped(replace(part, model=model.estimator_))
    if isinstance(model, Recalibrated):
        own = model.calibration_
        if len(own.offsets) != 2:
            raise ParamsError(f"a plan of {len(own.offsets)} classes has contributions to each; {OTHERWISE}")
        slope, offset = part.slope * own.slope, part.offset + part.slope * float(own.offsets[1] - own.offsets[0])
        return _unwrapped(replace(part, model=model.estimator_, slope=slope, offset=offset))
    prepare = getattr(model, "prepare_", None)
    return part if prepare is None else _after(part, prepare)


def _after(part: _Part, step: Any) -> _Part:
    names = _names_after(step, part.names)
    return replace(part, z=np.asarray(step.transform(part.z), np.float64), names=names)


def _names_after(step: Any, names: np.ndarray) -> np.ndarray:
    if not hasattr(step, "get_feature_names_out"):
        raise ParamsError(f"{type(step).__name__} does not say which columns it gives; {OTHERWISE}")
    return np.asarray(step.get_feature_names_out(names))


def _of_learner(final: Any, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    booster = final.get_booster() if hasattr(final, "get_booster") else getattr(final, "booster_", None)
    if booster is not None:
        return (*_shap(final, booster, z), SHAP)
    if hasattr(final, "contributions"):
        return (*final.contributions(z), LINEAR)
    if hasattr(final, "coef_"):
        weights = np.atleast_2d(np.asarray(final.coef_, np.float64))
        if weights.shape[0] != 1 and weights.shape[1] == 1:  # scikit-survival's [columns, penalties]
            weights = weights.T
        if weights.shape[0] == 1:
            start = getattr(final, "intercept_", None)
            base = 0.0 if start is None else float(np.ravel(start)[0])
            return z * weights[0], np.full(len(z), base), LINEAR
    raise ParamsError(f"{type(final).__name__} has no contributions of single columns; {OTHERWISE}")


def _shap(final: Any, booster: Any, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import xgboost

    data = xgboost.DMatrix(z, feature_names=booster.feature_names)
    last = getattr(final, "best_iteration", None)  # of early stopping: later trees do not predict
    rounds = (0, 0) if last is None else (0, int(last) + 1)
    found = booster.predict(data, pred_contribs=True, iteration_range=rounds)
    if found.ndim != 2:
        raise ParamsError(f"{type(final).__name__} has {found.shape[1]} classes with contributions of their own")
    found = found.astype(np.float64)
    return found[:, :-1], found[:, -1]


def held_out_contributions(
    pipeline: Any,
    X: np.ndarray,
    outcome: Outcome,
    folds: Sequence[Fold],
    names: Sequence[str],
    *,
    patient: Sequence[str] | np.ndarray | None = None,
    representative: np.ndarray | None = None,
    plan: str = "pipeline",
    seed: int = 0,
    n_jobs: int = 1,
) -> tuple[ContributionRow, ...]:
    """Contributions to predictions of rows left out, one row a feature with any, the largest first.

    pipeline : unfitted, refitted in every fold; patient : of each row; plan : what the rows call the pipeline
    representative : int64 [columns], the column under which each one's contribution is booked (of a cluster, whose
        member in the model differs between folds), summed row by row before the absolute value is taken
    """
    if X.shape[1] != len(names) or len(X) != len(outcome):
        raise TableError(f"X of shape {X.shape} for {len(outcome)} outcomes and {len(names)} names")
    own = np.arange(len(names)) if representative is None else np.asarray(representative, np.int64)
    groups = np.arange(len(X)).astype(object) if patient is None else np.asarray(patient, dtype=object)
    tasks = (delayed(_fold)(pipeline, X, outcome, groups, fold, (seed, fold.repeat, fold.number)) for fold in folds)
    parts = Parallel(n_jobs=n_jobs)(tasks)
    method = parts[0].method
    booked = []
    for part in parts:
        whole = np.zeros_like(part.values)
        np.add.at(whole.T, own, part.values.T)
        booked.append(whole)
    values = np.vstack(booked)
    seen = np.vstack([X[fold.test] for fold in folds])
    size = np.abs(values).mean(axis=0)
    return tuple(
        ContributionRow(
            plan,
            str(names[c]),
            float(size[c]),
            float(values[:, c].mean()),
            _agreement(values[:, c], seen[:, c]),
            method,
            len(values),
        )
        for c in np.argsort(-size, kind="stable")
        if size[c] > 0
    )


def _fold(  # noqa: PLR0917 -- as fit_fresh
    pipeline: Any, X: np.ndarray, outcome: Outcome, groups: np.ndarray, fold: Fold, seed: Sequence[int]
) -> Explained:
    with one_thread():
        model, _ = fit_fresh(pipeline, X, outcome, groups, fold.train, seed)
        return explain(model, np.array(X[fold.test]))


def _agreement(contribution: np.ndarray, value: np.ndarray) -> float:
    """Spearman's correlation of contribution and value; NaN where either is constant."""
    there = ~np.isnan(value)
    a, b = contribution[there], value[there]
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return NAN
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
