"""From held-out rows of all folds to one row a metric: mean, interval, and what has no score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.held import Held, pool
from radiomics_pipeline.selection.validation.metrics import Metric, metrics_of, score
from radiomics_pipeline.stats.concordance import compared_times, harrell_c
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from radiomics_pipeline.types.performance import MetricRow, PerformanceRow

DRAWS = 500
"""Bootstrap samples of the patients of a single test part, for the intervals of its metrics."""


def summarise(
    plan: str, held: Sequence[Held], folds: Sequence[Fold], thresholds: Sequence[float] = ()
) -> tuple[tuple[MetricRow, ...], dict[str, tuple[float, ...]], PerformanceRow]:
    """Every metric of the outcome's kind: its row, its scores, and the primary one as a row of performance.csv.

    Several folds: mean and corrected resampled t interval; where a metric is pooled over a repeat, the mean over
    repeats with that of their standard errors. A single test part: the interval of its own rows (DeLong's for an
    AUC, the jackknife's for C, else 2.5 % and 97.5 % of a bootstrap of its patients).
    """
    repeats = sorted({f.repeat for f in folds})
    whole = [pool([h for h, f in zip(held, folds, strict=True) if f.repeat == r]) for r in repeats]
    share = float(np.mean([len(f.test) / len(f.train) for f in folds]))
    rows, scores = [], {}
    for metric in metrics_of(held[0].outcome.kind, thresholds):
        parts = whole if metric.pooled else list(held)
        found = [score(metric, part) for part in parts]
        scores[metric.name] = tuple(value for value, _ in found)
        mean, lower, upper = _interval(metric, parts, scores[metric.name], share)
        note = _note([why for _, why in found], "repeats" if metric.pooled else "folds")
        scored = sum(not np.isnan(value) for value, _ in found)
        rows.append(MetricRow(plan, metric.name, mean, lower, upper, scored, note))
    first = rows[0]
    performance = PerformanceRow(plan, first.metric, first.mean, first.lower, first.upper, first.n_folds)
    return tuple(rows), scores, performance


def _interval(
    metric: Metric, parts: Sequence[Held], scores: Sequence[float], share: float
) -> tuple[float, float, float]:
    """Mean and 95 % interval, cut at the metric's bounds."""
    values = np.array(scores, np.float64)
    if metric.spread is not None:
        mean, lower, upper = _pooled_interval(metric, parts, values)
    elif len(parts) == 1:
        mean = float(values[0])
        lower, upper = single_interval(metric, parts[0])
    else:
        mean, lower, upper = corrected_interval(values, share)
    return mean, max(lower, metric.low), min(upper, metric.high)


def _pooled_interval(metric: Metric, parts: Sequence[Held], values: np.ndarray) -> tuple[float, float, float]:
    """Repeats test the same rows: their mean has about the standard error of each."""
    kept = ~np.isnan(values)
    if metric.spread is None or not kept.any():
        return np.nan, np.nan, np.nan
    found = [metric.spread(part) for part, k in zip(parts, kept, strict=True) if k]
    errors = [f[1] for f in found if not isinstance(f, str)]
    mean = float(values[kept].mean())
    reach = 1.959963984540054 * float(np.sqrt(np.mean(np.square(errors))))
    return mean, mean - reach, mean + reach


def single_interval(metric: Metric, held: Held) -> tuple[float, float]:
    """95 % interval of one metric of one test part, over its patients; NaN where it has no value."""
    value, _ = score(metric, held)
    if np.isnan(value):
        return np.nan, np.nan
    outcome = held.outcome
    if metric.name == "auc" and outcome.kind == "binary" and held.risk is not None:
        areas = auc_delong(held.risk[:, None], outcome.event, held.patient)
        return float(areas.lower[0]), float(areas.upper[0])
    if metric.name == "c_index" and outcome.time is not None and held.risk is not None:
        times = compared_times(outcome.time, outcome.value)
        found = harrell_c(held.risk[:, None], times, outcome.event, held.patient)
        return float(found.lower[0]), float(found.upper[0])
    drawn = np.array([score(metric, part)[0] for part in patient_samples(held, DRAWS, 0)])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < DRAWS // 2:
        return np.nan, np.nan
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    return float(lower), float(upper)


def patient_samples(held: Held, draws: int, seed: int) -> list[Held]:
    """Bootstrap samples of the patients of one test part."""
    named = np.arange(len(held.outcome)) if held.patient is None else held.patient
    names, place = np.unique(np.asarray(named).astype(str), return_inverse=True)
    rows_of = [np.flatnonzero(place == p) for p in range(len(names))]
    samples = []
    for number in range(draws):
        drawn = np.random.default_rng([seed, number]).integers(0, len(names), len(names))
        samples.append(held.rows(np.concatenate([rows_of[p] for p in drawn])))
    return samples


def _note(reasons: Sequence[str], what: str) -> str:
    counted = Counter(r for r in reasons if r)
    return "; ".join(f"{n} of {len(reasons)} {what}: {reason}" for reason, n in counted.items())
