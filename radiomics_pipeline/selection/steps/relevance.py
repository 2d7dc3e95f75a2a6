"""How much every column alone has to do with the outcome: scores to choose by, and p values beside them.

A measure scores all columns at once. Where patients have several rows, p values come from score tests whose variance
sums by patient (`clustered_p`); the scores themselves are of the rows, since they only order columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, stdtr
from scipy.stats import rankdata

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.selection.steps.target import Target, clustered, patients_of, read_target
from radiomics_pipeline.stats.concordance import harrell_c
from radiomics_pipeline.stats.cox import cox_lrt, cox_robust_p
from radiomics_pipeline.types.outcome import Kind

MeasureName = Literal["auto", "auc", "mann-whitney", "information", "f", "spearman", "cox", "concordance"]
Evidence = tuple[np.ndarray, np.ndarray]
"""Scores and p values, both float64 [columns]; NaN for a column that is constant."""
AUTO: dict[Kind, MeasureName] = {
    "binary": "auc",
    "multiclass": "mann-whitney",
    "ordinal": "spearman",
    "continuous": "spearman",
    "survival": "cox",
    "competing": "cox",
}


@dataclass(frozen=True)
class Measure:
    """A way to score columns. compute : (X, target) -> scores and p values for rows that are all independent."""

    name: MeasureName
    kinds: tuple[Kind, ...]
    compute: Callable[[np.ndarray, Target], Evidence]


def relevance(X: np.ndarray, y: Any, measure: MeasureName = "auto", patients: Any = None) -> np.ndarray:
    """Score of every column, float64 [columns], higher is more relevant; NaN where a column is constant.

    X : float64 [rows, columns], no missing cells; y : a Target, or [rows] as Outcome.y; measure : see MEASURES
    """
    return evidence(X, y, measure, patients)[0]


def evidence(X: np.ndarray, y: Any, measure: MeasureName = "auto", patients: Any = None) -> Evidence:
    """Scores and p values of every column; arguments as of `relevance`.

    patients : of each row the patient, any sortable values; None: every row is a patient of its own
    """
    target = y if isinstance(y, Target) else read_target(y, "auto", len(X))
    codes = patients_of(patients, len(X))
    chosen = measure_named(measure, target.kind)
    score, p = chosen.compute(X, target)
    if clustered(codes):
        p = clustered_p(X if chosen.name == "cox" else _centred_ranks(X), target, codes)
    level = X.max(axis=0) == X.min(axis=0)
    return np.where(level, np.nan, score), np.where(level, np.nan, p)


def measure_named(name: str, kind: Kind) -> Measure:
    """The measure of that name ("auto": of AUTO); ParamsError where it does not serve this kind of outcome."""
    found = {m.name: m for m in MEASURES}.get(AUTO[kind] if name == "auto" else name)  # type: ignore[call-overload]
    if found is None:
        names = ["auto", *(m.name for m in MEASURES)]
        raise ParamsError(f"unknown measure {name!r}{did_you_mean(name, names)}; there are {', '.join(names)}")
    if kind not in found.kinds:
        fit = [m.name for m in MEASURES if kind in m.kinds]
        raise ParamsError(f"measure {name} does not serve {kind} outcomes; {', '.join(fit)} do")
    return found


def clustered_p(values: np.ndarray, target: Target, patients: np.ndarray) -> np.ndarray:
    """P of the score test of every column against the outcome's ranks (or hazard), variance from the patients' sums.

    values : float64 [rows, columns], ranks or what stands for them; patients : int64 [rows], codes from 0.
    returns : float64 [columns], NaN where the scores do not vary between patients

    Lin and Wei, JASA 1989;84:1074, doi 10.1080/01621459.1989.10478874; of two classes it is
    stats.mannwhitney.clustered_p, of k classes it has k - 1 degrees of freedom, of a time it is stats.cox.cox_robust_p.
    """
    if target.time is not None:
        return cox_robust_p(values, target.time, target.event, patients)
    ranks, against = values - values.mean(axis=0), target.ranks()
    against = against[:, :-1] if target.kind == "multiclass" else against
    n_patients, k = int(patients.max()) + 1, against.shape[1]
    sums = np.zeros((k, n_patients, values.shape[1]))
    for part in range(k):
        np.add.at(sums[part], patients, ranks * against[:, [part]])
    total = sums.sum(axis=1).T
    variance = np.einsum("agc,bgc->cab", sums, sums)
    largest = np.trace(variance, axis1=1, axis2=2)
    inverse = np.linalg.pinv(variance, rcond=1e-10, hermitian=True)
    statistic = np.einsum("ca,cab,cb->c", total, inverse, total)
    return np.where(largest > 0, chdtrc(k, np.maximum(statistic, 0.0)), np.nan)


def _centred_ranks(X: np.ndarray) -> np.ndarray:
    """Doubled mid-ranks less their mean, float64 [rows, columns]: whole numbers, whose sums are exact."""
    return np.asarray(2.0 * rankdata(X, axis=0) - (len(X) + 1))


def _areas(X: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, or 1 less it where that is larger; float64 [columns]."""
    m, n = int(event.sum()), int((~event).sum())
    area = (rankdata(X, axis=0)[event].sum(axis=0) - m * (m + 1) / 2) / (m * n)
    return np.asarray(np.maximum(area, 1 - area))


def _auc(X: np.ndarray, target: Target) -> Evidence:
    """Area under the ROC curve whichever way it points; of several classes the mean over their pairs.

    Hand and Till, Mach Learn 2001;45:171, doi 10.1023/A:1010920819831. P is that of `_mann_whitney`.
    """
    pairs = list(combinations(np.unique(target.value), 2))
    total = np.zeros(X.shape[1])
    for low, high in pairs:
        rows = (target.value == low) | (target.value == high)
        total += _areas(X[rows], target.value[rows] == high)
    return total / len(pairs), _mann_whitney(X, target)[1]


def _mann_whitney(X: np.ndarray, target: Target) -> Evidence:
    """Two classes: |z| of the rank sum, p with continuity corrected; more: the root of Kruskal and Wallis's H."""
    n = len(X)
    share = rank_share(X, target)
    labels, counts = np.unique(target.value, return_counts=True)
    if len(labels) > 2:
        return np.sqrt(share * (n - 1)), np.asarray(chdtrc(len(labels) - 1, share * (n - 1)))
    squares = (_centred_ranks(X) ** 2).sum(axis=0) / 4
    with np.errstate(divide="ignore", invalid="ignore"):
        step = 0.5 / np.sqrt(squares * counts[0] * counts[1] / (n * (n - 1)))
    z = np.sqrt(share * (n - 1))
    return z, np.minimum(2 * ndtr(-(z - step)), 1.0)


def rank_share(X: np.ndarray, target: Target) -> np.ndarray:
    """Share of a column's rank variance that goes with the outcome, float64 [columns], 0 to 1; NaN if constant.

    Two classes, ordered classes, numbers: Spearman's rho squared; several classes: H / (n - 1) of Kruskal and Wallis;
    a time: the squared correlation of ranks with the martingale residuals of the model without covariates.
    """
    ranks = _centred_ranks(X)
    with np.errstate(divide="ignore", invalid="ignore"):
        if target.kind == "multiclass":
            members = (target.value[:, None] == np.unique(target.value)).astype(np.float64)
            between = ((members.T @ ranks) ** 2 / members.sum(axis=0)[:, None]).sum(axis=0)
            share = between / (ranks**2).sum(axis=0)
        else:
            against = target.ranks()
            products = (ranks * against).sum(axis=0)
            share = products**2 / ((ranks**2).sum(axis=0) * (against**2).sum())
    return np.minimum(share, 1.0)


def _spearman(X: np.ndarray, target: Target) -> Evidence:
    """|Rank correlation|, the root of `rank_share`; p as scipy's spearmanr, of H, or of the log-rank permutation."""
    n, share = len(X), rank_share(X, target)
    if target.kind == "multiclass":
        return np.sqrt(share), _mann_whitney(X, target)[1]
    if target.time is not None:
        return np.sqrt(share), np.asarray(chdtrc(1, share * (n - 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.sqrt(share * max(n - 2, 0) / (1 - share))
    return np.sqrt(share), np.asarray(np.minimum(2 * stdtr(max(n - 2, 1), -t), 1.0))


def _f(X: np.ndarray, target: Target) -> Evidence:
    """F of a one-way analysis of variance between classes, or of the straight line on a number."""
    centred, n = X - X.mean(axis=0), len(X)
    whole = (centred**2).sum(axis=0)
    if target.kind == "continuous":
        against, k = target.numbers()[:, 0], 1
        with np.errstate(divide="ignore", invalid="ignore"):
            between = (centred * against[:, None]).sum(axis=0) ** 2 / (against**2).sum()
    else:
        labels, codes = np.unique(target.value, return_inverse=True)
        sums, k = np.zeros((len(labels), X.shape[1])), len(labels) - 1
        np.add.at(sums, codes, centred)
        between = (sums**2 / np.bincount(codes)[:, None]).sum(axis=0)
    left = n - k - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        f = np.where(whole > 0, (between / k) / (np.maximum(whole - between, 0.0) / left), np.nan)
    return f, np.asarray(fdtrc(k, max(left, 1), np.nan_to_num(f, nan=0.0, posinf=np.inf)))


def bins_of(n_rows: int) -> int:
    """How many bins of equal frequency a column of so many rows is cut into: the cube root, 2 to 10."""
    return max(2, min(10, round(n_rows ** (1 / 3))))


def binned(X: np.ndarray) -> np.ndarray:
    """The bin (from 0) of every cell, int64 [rows, columns]; equal values share a bin."""
    bins = bins_of(len(X))
    return np.asarray(np.floor((rankdata(X, axis=0) - 0.5) / len(X) * bins).astype(np.int64))


def information(codes: np.ndarray, against: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mutual information of every column with one, in nats, and its degrees of freedom; both float64 [columns].

    codes : int64 [rows, columns] from 0; against : int64 [rows] from 0. Of the counts as they are; chance alone gives
    about degrees / (2 rows) (Miller and Madow), which the caller takes off.
    """
    n, n_columns = codes.shape
    kx, ky = int(codes.max()) + 1, int(against.max()) + 1
    cell = (np.arange(n_columns) * kx + codes) * ky + against[:, None]
    joint = np.bincount(cell.ravel(), minlength=n_columns * kx * ky).reshape(n_columns, kx, ky).astype(np.float64)
    of_x, of_y = joint.sum(axis=2), joint.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * np.log(joint * n / (of_x[:, :, None] * of_y[:, None, :]))
    degrees = ((of_x > 0).sum(axis=1) - 1) * ((of_y > 0).sum(axis=1) - 1)
    return np.nansum(terms, axis=(1, 2)) / n, degrees.astype(np.float64)


def target_bins(target: Target) -> np.ndarray:
    """The class, or the bin of a number, int64 [rows]."""
    return binned(target.value[:, None])[:, 0] if target.kind == "continuous" else target.strata


def _information(X: np.ndarray, target: Target) -> Evidence:
    """Mutual information of the binned column with class or binned number, less what chance gives; p of the G test."""
    found, degrees = information(binned(X), target_bins(target))
    return found - degrees / (2 * len(X)), np.asarray(chdtrc(np.maximum(degrees, 1.0), 2 * len(X) * found))


def _cox(X: np.ndarray, target: Target) -> Evidence:
    """Likelihood ratio of the Cox model of the column alone; of competing events that of the cause of interest."""
    found = cox_lrt(X, target.timed, target.event)
    return 2 * found.gain, found.p


def _concordance(X: np.ndarray, target: Target) -> Evidence:
    """Harrell's C, or 1 less it where that is larger; p of the Cox model."""
    index = harrell_c(X, target.compared, target.event, np.arange(len(X))).index
    return np.maximum(index, 1 - index), _cox(X, target)[1]


MEASURES = (
    Measure("auc", ("binary", "multiclass"), _auc),
    Measure("mann-whitney", ("binary", "multiclass", "ordinal"), _mann_whitney),
    Measure("information", ("binary", "continuous", "multiclass", "ordinal"), _information),
    Measure("f", ("binary", "continuous", "multiclass", "ordinal"), _f),
    Measure("spearman", ("binary", "continuous", "multiclass", "ordinal", "survival", "competing"), _spearman),
    Measure("cox", ("survival", "competing"), _cox),
    Measure("concordance", ("survival", "competing"), _concordance),
)
