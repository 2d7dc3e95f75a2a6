"""What columns add to a plan: paired differences out of fold, and what noise in their place would add.

Significance of an increment is never taken from models fitted to the same rows (see declared.py for why): here both
plans predict rows that they have not seen, and p comes from refitting the whole plan with the added columns permuted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.combine.families import Family, family_of
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.metrics import METRICS
from radiomics_pipeline.stats.concordance import harrell_c_of
from radiomics_pipeline.stats.correlation import fill_median
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from radiomics_pipeline.types.combination import NAN, IncrementRow
from radiomics_pipeline.types.outcome import Outcome

BETTER = {m.name: m.better for m in METRICS}
NET_BENEFIT = "net_benefit@"


@dataclass(frozen=True)
class PlanScores:
    """One plan over the outer folds.

    scores : of every metric one number a fold, in the order of the folds, NaN where it has none
    test_share : rows tested over rows trained on, mean of the folds
    """

    plan: str
    scores: Mapping[str, Sequence[float]]
    test_share: float


@dataclass(frozen=True)
class Gains:
    """Out-of-fold gain of single features over base columns; all float64 [features], NaN where no fold has a value.

    base : of each feature's folds, mean metric of the base columns; n_folds int64
    """

    metric: str
    base: np.ndarray
    gain: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n_folds: np.ndarray


def incremental(
    base: PlanScores, added: PlanScores, null: Mapping[str, np.ndarray] | None = None
) -> tuple[IncrementRow, ...]:
    """Difference of every metric that both plans have, added less base, over the same outer folds.

    null : of a metric, the mean differences of plans whose added columns were permuted (`permuted_differences`)

    Intervals after Nadeau and Bengio (stats/nadeau_bengio.py), not cut; none with a single test part. p is one-sided,
    in the direction that is better, and counts the observed arrangement; a permuted plan without a value counts as
    reaching it. Metrics whose good value lies between (calibration) have no increment. Raises ParamsError where the
    folds differ in number or a metric is unknown.
    """
    null = null or {}
    rows = []
    for metric, own in base.scores.items():
        better = _better(metric)
        if metric not in added.scores or better not in ("higher", "lower"):
            continue
        first, second = np.asarray(own, np.float64), np.asarray(added.scores[metric], np.float64)
        if len(first) != len(second):
            raise ParamsError(
                f"{base.plan} and {added.plan} have {len(first)} and {len(second)} folds with {metric}; evaluate both "
                "with one set of folds"
            )
        rows.append(_row(base, added, metric, better, first, second, null.get(metric)))
    return tuple(rows)


def _row(  # noqa: PLR0917
    base: PlanScores,
    added: PlanScores,
    metric: str,
    better: str,
    first: np.ndarray,
    second: np.ndarray,
    null: np.ndarray | None,
) -> IncrementRow:
    both = ~(np.isnan(first) | np.isnan(second))
    mean, lower, upper = corrected_interval((second - first)[both], base.test_share)
    old, new = (float(v[both].mean()) if both.any() else NAN for v in (first, second))
    sign = 1.0 if better == "higher" else -1.0
    p, count = NAN, 0
    if null is not None and len(null) and not np.isnan(mean):
        beaten = (sign * np.asarray(null) < sign * mean - 1e-12).sum()
        count = len(null)
        p = float((1 + count - beaten) / (1 + count))
    notes = []
    if not both.all():
        notes.append(f"{int((~both).sum())} of {len(both)} folds lack a value")
    if both.sum() == 1:
        notes.append("a single test part: no interval")
    return IncrementRow(
        base.plan,
        added.plan,
        metric,
        better,
        old,
        new,
        mean,
        lower,
        upper,
        int(both.sum()),
        p,
        count,
        "; ".join(notes),
    )


def permute_added(
    X: np.ndarray,
    added: Sequence[int],
    source: np.ndarray,
    known: np.ndarray | None = None,
    beside: Sequence[int] = (),
) -> np.ndarray:
    """X with the added columns taken from other rows, all else (outcome, clinical, volume) left in place.

    X : float64 [rows, columns]; source : int64 [rows], of each row the row that it takes the added cells from; whole
        patients, see validation.permutation.exchangeable and arrangement
    known : float64 [rows, columns], numbers whose linear relation with the added columns is kept: their fit by these
        stays with the row, and only what is left over moves (Freedman and Lane, J Bus Econ Stat 1983;1:292). None:
        nothing is kept, and the hypothesis is that the added columns have nothing to do with outcome and base columns
        together
    beside : columns that go with the added ones as they are, such as the centre
    """
    places, others = np.asarray(added, np.int64), np.asarray(beside, np.int64)
    permuted = np.array(X, np.float64)
    permuted[:, others] = X[np.ix_(source, others)]
    if known is None or not known.shape[1]:
        permuted[:, places] = X[np.ix_(source, places)]
        return permuted
    filled = fill_median(np.asarray(known, np.float64))
    basis = np.column_stack([np.ones(len(X)), filled - filled.mean(axis=0)])
    for place in places:
        there = ~np.isnan(X[:, place])
        slope = np.linalg.lstsq(basis[there], X[there, place], rcond=None)[0]
        expected = basis @ slope
        permuted[:, place] = expected + (X[:, place] - expected)[source]
    return permuted


def permuted_differences(
    X: np.ndarray,
    added: Sequence[int],
    sources: Sequence[np.ndarray],
    rescore: Callable[[np.ndarray], Mapping[str, Sequence[float]]],
    base: PlanScores,
    *,
    base_columns: Sequence[int] = (),
    known: np.ndarray | None = None,
    beside: Sequence[int] = (),
    n_jobs: int = 1,
) -> dict[str, np.ndarray]:
    """Mean differences from the base plan, of each metric, with the added columns permuted; float64 [permutations].

    rescore : refits the whole added plan (all steps, all folds) to the X that it is given; returns its scores by fold
    base_columns : what the base plan uses. These must not be permuted, so that its scores stay what they are and it
        need not be refitted; ParamsError otherwise
    known, beside : as of `permute_added`

    A patient's outcome and base columns stay together, so that the base plan keeps its strength and only what the
    added columns know of the outcome is lost.
    """
    shared = {int(c) for c in (*added, *beside)} & {int(c) for c in base_columns}
    if shared:
        raise ParamsError(
            f"{len(shared)} of the added columns belong to the base plan too (first: column {min(shared)}); permute "
            "only columns that the base plan does not use"
        )

    def one(source: np.ndarray) -> dict[str, float]:
        scores = rescore(permute_added(X, added, source, known, beside))
        return {m: _mean_difference(base.scores[m], scores[m]) for m in scores if m in base.scores}

    found = Parallel(n_jobs=n_jobs)(delayed(one)(source) for source in sources)
    metrics = list(dict.fromkeys(m for row in found for m in row))
    return {m: np.array([row.get(m, NAN) for row in found]) for m in metrics}


def feature_gains(
    features: np.ndarray, base: np.ndarray, outcome: Outcome, folds: Sequence[Fold], *, ridge: float = 1.0
) -> Gains:
    """What each feature by itself adds to base columns (volume, clinical), in the rows left out.

    features : float64 [rows, features], base : float64 [rows, columns], numbers; gaps take training medians, columns
        are scaled by training rows. For features that were not chosen by the outcome, else the gain is flattered

    In every fold a model of the base and one of base and feature, for all features at once; AUC, Harrell's C or R2.
    """
    if len(features) != len(outcome) or len(base) != len(outcome) or base.ndim != 2 or not base.shape[1]:
        raise TableError(f"features {features.shape} and base {base.shape} for {len(outcome)} outcomes")
    family = family_of(outcome.kind)
    metric = {"binary": "auc", "survival": "c_index"}.get(outcome.kind, "r2")
    k, b = features.shape[1], base.shape[1]
    masks = np.hstack([np.ones((k + 1, b), np.bool_), np.vstack([np.zeros((1, k), np.bool_), np.eye(k, dtype=bool)])])
    joined, y = np.hstack([base, features]), outcome.y
    scores = np.full((len(folds), k + 1), NAN)
    for f, fold in enumerate(folds):
        if family.can_fit(y[fold.train]):
            inside, outside = _scaled(joined[fold.train], joined[fold.test])
            fits = family.fit(inside, y[fold.train], masks, ridge)
            scores[f] = _test_scores(family, fits.linear(outside).T, y[fold.train], y[fold.test])
    share = float(np.mean([len(f.test) / len(f.train) for f in folds]))
    intervals = np.array([corrected_interval(scores[:, 1 + j] - scores[:, 0], share) for j in range(k)]).reshape(k, 3)
    there = ~np.isnan(scores)
    first = np.array([scores[there[:, 0], 0].mean() if there[:, 0].any() else NAN] * k)
    count = (there[:, :1] & there[:, 1:]).sum(axis=0)
    return Gains(metric, first, intervals[:, 0], intervals[:, 1], intervals[:, 2], count)


def _scaled(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both parts with the training rows' medians in the gaps (0 in an empty column), their means and spreads taken."""
    empty = np.isnan(train).all(axis=0)
    middle = np.zeros(train.shape[1])
    middle[~empty] = np.nanmedian(train[:, ~empty], axis=0)
    inside, outside = (np.where(np.isnan(part), middle, part) for part in (train, test))
    mean, spread = inside.mean(axis=0), inside.std(axis=0)
    constant = spread <= 1e-12 * np.abs(inside).max(axis=0, initial=1e-300)
    spread = np.where(constant, np.inf, spread)  # a constant column becomes 0 and gets no coefficient
    return (inside - mean) / spread, (outside - mean) / spread


def _test_scores(family: Family, risk: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Of predictions [rows, models] of the rows left out: AUC, C or R2 (against the training mean)."""
    if test.dtype.names:
        return harrell_c_of(risk, test).index
    if family is family_of("binary"):
        return auc_delong(risk, test == 1).area
    total = float(((test - train.mean()) ** 2).sum())
    return np.asarray(1.0 - ((risk - test[:, None]) ** 2).sum(axis=0) / total if total > 0 else risk[0] * NAN)


def _mean_difference(base: Sequence[float], added: Sequence[float]) -> float:
    difference = np.asarray(added, np.float64) - np.asarray(base, np.float64)
    return float(np.nanmean(difference)) if not np.isnan(difference).all() else NAN


def _better(metric: str) -> str:
    if metric.startswith(NET_BENEFIT):
        return "higher"
    if metric not in BETTER:
        raise ParamsError(f"metric {metric!r} is not known; there are {', '.join(BETTER)}, {NET_BENEFIT}<threshold>")
    return BETTER[metric]
