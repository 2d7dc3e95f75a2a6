"""The only road to a score: an unfitted pipeline, refitted in every fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.layout import inputs_of
from radiomics_pipeline.selection.validation import guards
from radiomics_pipeline.selection.validation.centres import refuse_unseen_centres
from radiomics_pipeline.selection.validation.fitting import (
    N_TIMES,
    fit_fresh,
    one_thread,
    predict_held,
    selected_columns,
    training_cut,
)
from radiomics_pipeline.selection.validation.folds import Fold, trained_on
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.selection.validation.metrics import horizon_of
from radiomics_pipeline.selection.validation.summary import summarise
from radiomics_pipeline.types.outcome import TIMED, Clinical, Outcome
from radiomics_pipeline.types.performance import NAN, Evaluation, PredictionRow
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable

Progress = Callable[[int, int, str], None]
"""Called with the folds done, the folds in all, and the plan's name."""


@dataclass(frozen=True)
class Setting:
    """What all folds of one evaluation share.

    X : float64 [rows, features + clinical + side columns]; names, of its columns; side, of the last ones
    groups : [rows], the patients; times, horizon, limit : as in Held
    """

    X: np.ndarray
    outcome: Outcome
    groups: np.ndarray
    cases: tuple[str, ...]
    names: tuple[str, ...]
    side: tuple[str, ...]
    params: ValidationParams
    seed: int
    times: np.ndarray | None
    horizon: float
    limit: float


@dataclass(frozen=True)
class FoldResult:
    """One fold's predictions, the columns of X that were used, and whether an optimiser stopped early."""

    held: Held
    selected: tuple[int, ...]
    stopped: bool


def evaluate(
    pipeline: Any,
    table: FeatureTable,
    outcome: Outcome,
    folds: Sequence[Fold],
    *,
    clinical: Clinical | None = None,
    side: Side | None = None,
    plan: str = "pipeline",
    params: ValidationParams | None = None,
    history: Sequence[str] = (),
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Score an unfitted scikit-learn pipeline on rows that it has not seen, fold by fold.

    pipeline : unfitted; takes float64 [rows, features + clinical columns + side columns] with NaN cells. Classes: it
        gives predict_proba (decision_function or predict serve for the AUC alone); numbers: predict; times: predict,
        higher is earlier, and predict_survival for the Brier scores. Its last step gets `groups` (patients) if its
        fit takes them
    clinical, side : further columns, after the features
    params : horizon, thresholds and cut of the metrics
    history : what the table has been through (guards.HISTORY)
    seed : of estimators whose random_state is None, and of inner folds for the cut
    n_jobs : processes; the result does not depend on it

    Metrics are those of single test folds, then their mean, never of pooled predictions, whose folds differ in their
    intercepts (but calibration, for which single folds are too small). Raises ParamsError and TableError where
    guards.py finds a leak, OutcomeError where rows do not match.
    """
    setting = prepare(pipeline, table, outcome, folds, clinical, side, params, history, seed)
    notes = list(guards.refuse_made_rows(table))
    results = run_folds(pipeline, setting, folds, plan=plan, n_jobs=n_jobs, progress=progress)
    held = [r.held for r in results]
    metrics, scores, primary = summarise(plan, held, folds, setting.params.thresholds)
    stopped = sum(r.stopped for r in results)
    if stopped:
        notes.append(f"{plan}: in {stopped} of {len(results)} folds an optimiser stopped before it had converged")
    if metrics[0].note:
        notes.append(f"{plan}: {metrics[0].metric}: {metrics[0].note}")
    if outcome.kind in TIMED and setting.params.horizon is None:
        notes.append(
            f"horizon {setting.horizon:g}, the median time of the events; curves and the weighted C end at "
            f"{setting.limit:g}, up to which a fifth of the rows is followed "
            "(selection.validation.horizon names another)"
        )
    return Evaluation(
        plan,
        metrics[0].metric,
        scores[metrics[0].metric],
        tuple(frozenset(setting.names[c] for c in r.selected) for r in results),
        tuple(row for r, f in zip(results, folds, strict=True) for row in prediction_rows(plan, f, r.held, table)),
        primary,
        tuple(notes),
        metrics,
        scores,
        float(np.mean([len(f.test) / len(f.train) for f in folds])),
    )


def prepare(  # noqa: PLR0917
    pipeline: Any,
    table: FeatureTable,
    outcome: Outcome,
    folds: Sequence[Fold],
    clinical: Clinical | None = None,
    side: Side | None = None,
    params: ValidationParams | None = None,
    history: Sequence[str] = (),
    seed: int = 0,
) -> Setting:
    """Every guard that needs no fit, and what the folds share."""
    if len(table) != len(outcome) or (clinical is not None and len(clinical.values) != len(table)):
        raise OutcomeError(f"outcome or clinical rows do not match the table's {len(table)} rows")
    side_names = () if side is None else side.names
    guards.refuse_fitted(pipeline)
    guards.refuse_resampling(pipeline)
    guards.refuse_given_rows(pipeline, outcome)
    guards.refuse_history(history)
    guards.refuse_outcome_columns(table, clinical, outcome, side_names)
    guards.check_folds(folds, table)
    params = params or ValidationParams()
    horizon, limit = horizon_of(outcome, params.horizon, trained_on(folds))
    times = None
    if outcome.time is not None:
        times = np.unique(np.append(limit * np.arange(1, N_TIMES + 1) / N_TIMES, horizon))
    names = (*table.columns, *(() if clinical is None else clinical.columns), *side_names)
    X = inputs_of(table, clinical, side)
    if len(X) != len(table) or X.shape[1] != len(names):
        raise OutcomeError(f"side columns of {len(X)} rows do not match the table's {len(table)}")
    refuse_unseen_centres(pipeline, X, side_names, folds)
    groups = np.array(table.patient, dtype=object)
    return Setting(X, outcome, groups, table.case, names, side_names, params, seed, times, horizon, limit)


def run_folds(
    pipeline: Any,
    setting: Setting,
    folds: Sequence[Fold],
    *,
    plan: str = "",
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> list[FoldResult]:
    """Every fold fitted and predicted, in the order of the folds."""
    tasks = (delayed(run_fold)(pipeline, setting, fold) for fold in folds)
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        results.append(result)
        if progress is not None:
            progress(len(results), len(folds), plan)
    return results


def run_fold(pipeline: Any, setting: Setting, fold: Fold) -> FoldResult:
    """One fold: a fresh copy of the pipeline fitted to the training rows, the test rows predicted and guarded."""
    outcome, X = setting.outcome, setting.X
    seed = (setting.seed, fold.repeat, fold.number)
    with one_thread():
        cut = training_cut(
            pipeline,
            X,
            outcome,
            setting.groups,
            fold.train,
            rule=setting.params.cut,
            inner_folds=setting.params.inner_folds,
            seed=seed,
        )
        model, stopped = fit_fresh(pipeline, X, outcome, setting.groups, fold.train, seed)
        empty = Held(
            outcome.rows(fold.test),
            outcome.rows(fold.train),
            times=setting.times,
            horizon=setting.horizon,
            limit=setting.limit,
            cut=cut,
            patient=setting.groups[fold.test],
        )
        test = np.array(X[fold.test])
        held = predict_held(model, test, empty)
        _guard_predictions(pipeline, model, setting, fold, test, empty, held)
    selected = selected_columns(model, X.shape[1])
    guards.refuse_side_columns(selected, X.shape[1] - len(setting.side), setting.names)
    return FoldResult(held, selected, stopped)


def _guard_predictions(  # noqa: PLR0917
    pipeline: Any, model: Any, setting: Setting, fold: Fold, test: np.ndarray, empty: Held, held: Held
) -> None:
    """A row alone is predicted as among others; side columns that no step declares change nothing."""
    together = shown(held)
    if np.isnan(together).any():
        raise ParamsError(f"fold {fold.number}: {int(np.isnan(together).sum())} predictions are no numbers")
    for row in {0, len(test) - 1} if len(test) > 1 else ():
        one = np.array([row])
        try:
            alone = shown(predict_held(model, test[one], empty.rows(one)))
        except ValueError as e:
            raise ParamsError(
                f"row {setting.cases[fold.test[row]]} cannot be predicted by itself ({e}): a step needs the other rows "
                "that are to be predicted. Let it learn in fit, from training rows"
            ) from e
        guards.refuse_batch_dependence(alone, together[one], setting.cases[fold.test[row]])
    unknown = guards.undeclared(pipeline, setting.side)
    if unknown:
        changed = test.copy()
        first = test.shape[1] - len(setting.side)
        for i in unknown:
            changed[:, first + i] = np.roll(test[:, first + i], 1) + 1
        guards.refuse_side_dependence(shown(predict_held(model, changed, empty)), together, setting.side)


def shown(held: Held) -> np.ndarray:
    """The number of PredictionRow.prediction, float64 [rows]."""
    if held.outcome.kind == "multiclass" and held.probability is not None:
        return held.probability.argmax(axis=1).astype(np.float64)
    if held.outcome.kind == "binary" and held.probability is not None:
        return held.probability[:, 1]
    if held.risk is None:
        raise ParamsError("a plan of several classes needs predict_proba")
    return held.risk


def prediction_rows(plan: str, fold: Fold, held: Held, table: FeatureTable) -> list[PredictionRow]:
    """One row a tested row of the table."""
    numbers = shown(held)
    at = None if held.times is None else int(np.argmin(np.abs(held.times - held.horizon)))
    rows = []
    for k, i in enumerate(int(i) for i in fold.test):
        rows.append(
            PredictionRow(
                table.case[i],
                table.patient[i],
                table.roi[i],
                table.label[i],
                plan,
                fold.repeat,
                fold.number,
                held.outcome.cells(k),
                float(numbers[k]),
                () if held.probability is None else tuple(float(p) for p in held.probability[k]),
                NAN if held.survival is None or at is None else float(held.survival[k, at]),
                fold.name,
            )
        )
    return rows
