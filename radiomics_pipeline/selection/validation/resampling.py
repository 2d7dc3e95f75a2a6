"""Optimism and .632+ of a whole plan: every step of it refitted to bootstrap samples of the patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.validation.centres import centre_codes, suits
from radiomics_pipeline.selection.validation.evaluate import Setting, prepare
from radiomics_pipeline.selection.validation.fitting import fit_fresh, one_thread, predict_held, training_cut
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.selection.validation.metrics import Metric, metrics_of, score
from radiomics_pipeline.selection.validation.schemes import bootstrap
from radiomics_pipeline.types.outcome import TIMED, Clinical, Outcome
from radiomics_pipeline.types.performance import ResamplingRow
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable

SHIFTS = 200
"""Pairings of predictions with other rows' outcomes from which the no-information value of a metric is taken."""


@dataclass(frozen=True)
class Plus632:
    """The .632+ estimate of one metric: no_information, weight of the rows left out, estimate."""

    no_information: float
    weight: float
    estimate: float


def resample(
    pipeline: Any,
    table: FeatureTable,
    outcome: Outcome,
    *,
    draws: int,
    seed: int = 0,
    clinical: Clinical | None = None,
    side: Side | None = None,
    rows: np.ndarray | None = None,
    plan: str = "pipeline",
    params: ValidationParams | None = None,
    history: Sequence[str] = (),
    n_jobs: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[ResamplingRow, ...]:
    """Every metric of a plan fitted to all rows, corrected by bootstrap samples of the patients.

    rows : int64, positions of the rows that this is about, such as those of our own beside an external table; None: all

    Optimism: mean excess of a bootstrap fit on its own rows over all rows (Harrell, Lee and Mark, Stat Med
    1996;15:361); the interval of the corrected value is that of the apparent value over the samples, moved by the
    optimism (Noma et al., Stat Med 2021;40:5691, doi 10.1002/sim.9148). .632+: Efron and Tibshirani, J Am Stat Assoc
    1997;92:548, doi 10.1080/01621459.1997.10474007, with the mean over samples of the metric of the rows not drawn.

    A patient drawn twice brings equal rows: a plan that draws inner folds must take `groups`, or it tunes on copies
    of its own training rows. Raises as `evaluate`, OutcomeError where samples lack a class.
    """
    every = np.arange(len(table)) if rows is None else np.asarray(rows, np.int64)
    codes = None if side is None else centre_codes(side.values[every], side.names)
    drawn_of = bootstrap(
        table.rows(every),
        outcome.rows(every),
        draws=draws,
        seed=seed,
        serves=lambda train, test: suits(pipeline, codes, train, test),
    )
    folds = [replace(f, train=every[f.train], test=every[f.test]) for f in drawn_of.folds]
    setting = prepare(pipeline, table, outcome, folds, clinical, side, params, history, seed)
    everything = Fold(0, 1, every, every)
    apparent = _held(pipeline, setting, everything, every)[0]
    tasks = (delayed(_draw_scores)(pipeline, setting, fold, every) for fold in folds)
    drawn = []
    for found in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        drawn.append(found)
        if progress is not None:
            progress(len(drawn), draws, plan)
    metrics = metrics_of(outcome.kind, setting.params.thresholds)
    scores = np.array(drawn)
    return tuple(_row(plan, metric, apparent, scores[:, m], drawn_of.notes) for m, metric in enumerate(metrics))


def _row(plan: str, metric: Metric, apparent: Held, drawn: np.ndarray, notes: Sequence[str]) -> ResamplingRow:
    """drawn : float64 [draws, 3], the metric on the sample's own rows, on all rows, on those not drawn"""
    value, why = score(metric, apparent)
    whole = ~np.isnan(drawn[:, :2]).any(axis=1)
    if np.isnan(value) or not whole.any():
        nan, said = float("nan"), why or "no sample has a score"
        return ResamplingRow(plan, metric.name, value, nan, nan, nan, nan, nan, nan, nan, nan, int(whole.sum()), said)
    own, all_rows = drawn[whole, 0], drawn[whole, 1]
    optimism = float(np.mean(own - all_rows))
    lower, upper = (np.quantile(own, [0.025, 0.975]) - optimism) if whole.sum() > 1 else (np.nan, np.nan)
    out = drawn[~np.isnan(drawn[:, 2]), 2]
    out_of_bag = float(out.mean()) if len(out) else np.nan
    plus = plus_632(metric, apparent, value, out_of_bag)
    return ResamplingRow(
        plan,
        metric.name,
        value,
        optimism,
        value - optimism,
        float(max(lower, metric.low)),
        float(min(upper, metric.high)),
        out_of_bag,
        plus.no_information,
        plus.weight,
        plus.estimate,
        int(whole.sum()),
        "; ".join(notes),
    )


def plus_632(metric: Metric, apparent: Held, value: float, out_of_bag: float) -> Plus632:
    """The .632+ estimate; NaN for metrics that are best at a value in between, such as a calibration slope."""
    if metric.better not in ("higher", "lower") or np.isnan(out_of_bag):
        return Plus632(np.nan, np.nan, np.nan)
    sign = 1.0 if metric.better == "higher" else -1.0
    nothing = no_information(metric, apparent)
    own, out, chance = sign * value, sign * out_of_bag, sign * nothing
    out = max(out, chance)
    overfitting = (own - out) / (own - chance) if own > out and own > chance else 0.0
    weight = 0.632 / (1 - 0.368 * overfitting)
    return Plus632(nothing, weight, sign * ((1 - weight) * own + weight * out))


def no_information(metric: Metric, held: Held) -> float:
    """The metric's mean where outcomes are paired with predictions of other rows; its value by chance where known.

    Outcomes are shifted by every number of rows (by SHIFTS of them at most), so that for means over rows, such as the
    Brier score, every outcome meets every prediction.
    """
    if not np.isnan(metric.chance):
        return metric.chance
    n = len(held.outcome)
    shifts = np.unique(np.linspace(0, n - 1, min(n, SHIFTS)).astype(np.int64))
    rows = np.arange(n)
    found = []
    for shift in shifts:
        moved = Held(**{**vars(held), "outcome": held.outcome.rows(np.roll(rows, int(shift)))})
        found.append(score(metric, moved)[0])
    values = np.array(found)
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")


def _held(pipeline: Any, setting: Setting, fold: Fold, every: np.ndarray) -> tuple[Held, ...]:
    """A fit to the training rows: its predictions of these, of all rows (`every`), and of the test rows."""
    outcome, seed = setting.outcome, (setting.seed, fold.repeat, fold.number)
    with one_thread():
        cut = training_cut(
            pipeline,
            setting.X,
            outcome,
            setting.groups,
            fold.train,
            rule=setting.params.cut,
            inner_folds=setting.params.inner_folds,
            seed=seed,
        )
        model, _ = fit_fresh(pipeline, setting.X, outcome, setting.groups, fold.train, seed)
        found = []
        for rows in (fold.train, every, fold.test):
            # weights for censoring come from all rows: a sample's own follow-up may end too early
            training = outcome.rows(every) if outcome.kind in TIMED else outcome.rows(fold.train)
            empty = Held(
                outcome.rows(rows),
                training,
                times=setting.times,
                horizon=setting.horizon,
                limit=setting.limit,
                cut=cut,
                patient=setting.groups[rows],
            )
            found.append(predict_held(model, np.array(setting.X[rows]), empty))
    return tuple(found)


def _draw_scores(pipeline: Any, setting: Setting, fold: Fold, every: np.ndarray) -> np.ndarray:
    """Float64 [metrics, 3]: on the sample's own rows, on all rows, on those not drawn."""
    held = _held(pipeline, setting, fold, every)
    metrics = metrics_of(setting.outcome.kind, setting.params.thresholds)
    return np.array([[score(metric, part)[0] for part in held] for metric in metrics])
