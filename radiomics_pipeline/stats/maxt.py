"""Permutation p values of many features that hold for all of them together."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.kernels.maxt import patient_scores
from radiomics_pipeline.stats.delong import patient_codes

AT_ONCE = 64
"""Permutations whose statistics are held in memory together."""
TINY = 1e-12
"""Relative difference below which a permuted statistic counts as reaching the observed one."""


def max_t(
    scores: np.ndarray,
    outcome: np.ndarray,
    *,
    permutations: int,
    seed: int,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Step-down max-T p of every column, float64 [columns]: the chance that any true null column reaches its statistic.

    scores : float64 [rows, columns], what is correlated with the outcome (ranks, or the values themselves); NaN cells
        are left out of their column
    outcome : float64 [rows] (class 0 or 1, rank, or martingale residual), or float64 [rows, classes] of 0 and 1
    groups : of each row the patient; outcomes of whole patients are exchanged among patients with as many rows

    The statistic is the squared correlation times n - 1 (of two classes and ranks Mann and Whitney's z squared, of a
    residual the score of Cox's model), of several classes Kruskal and Wallis's H; where patients have several rows and
    the outcome is one column, the score squared over the sum of the patients' squared scores. The observed arrangement
    counts as one. Westfall and Young, Resampling-Based Multiple Testing, Wiley 1993, algorithm 4.1; Ge, Dudoit and
    Speed, Test 2003;12:1, doi 10.1007/BF02595811.

    Raises OutcomeError where fewer than 1000 arrangements are possible.
    """
    codes, n_groups = patient_codes(groups, len(scores))
    order = np.argsort(codes, kind="stable")
    codes, x = codes[order], np.asarray(scores, np.float64)[order]
    y = np.asarray(outcome, np.float64)[order]
    statistic = _Statistic(x, codes if n_groups < len(x) and y.ndim == 1 else None)
    observed = statistic.of(y[None])[:, 0]
    tested = np.flatnonzero(~np.isnan(observed))
    falling = tested[np.argsort(-observed[tested], kind="stable")]
    bar = observed[falling] * (1 - TINY)
    blocks, reached = _blocks(codes), np.zeros(len(falling))
    rng = np.random.default_rng(seed)
    for first in range(0, permutations, AT_ONCE):
        count = min(AT_ONCE, permutations - first)
        permuted = statistic.of(np.stack([y[_arrangement(blocks, len(y), rng)] for _ in range(count)]))
        highest = np.maximum.accumulate(np.nan_to_num(permuted[falling[::-1]]), axis=0)[::-1]
        reached += (highest >= bar[:, None]).sum(axis=1)
    p = np.full(len(observed), np.nan)
    p[falling] = np.maximum.accumulate((1 + reached) / (1 + permutations))
    return p


class _Statistic:
    """The statistic of every column for outcomes given one after another."""

    def __init__(self, x: np.ndarray, codes: np.ndarray | None) -> None:
        self.present = ~np.isnan(x)
        self.count = self.present.sum(axis=0).astype(np.float64)
        mean = np.where(self.present, x, 0.0).sum(axis=0) / np.maximum(self.count, 1)
        self.centred = np.where(self.present, x - mean, 0.0)
        self.square = (self.centred**2).sum(axis=0)
        largest = np.abs(np.where(self.present, x, 0.0)).max(axis=0, initial=0.0)
        self.level = self.square <= (1e-13 * largest) ** 2 * np.maximum(self.count, 1)
        self.gaps = np.flatnonzero(self.count < len(x))
        self.holes = self.present[:, self.gaps].T.astype(np.float64)
        self.codes = codes
        self.by_column = (np.ascontiguousarray(self.centred.T), np.ascontiguousarray(self.present.T))

    def of(self, outcomes: np.ndarray) -> np.ndarray:
        """Float64 [columns, outcomes], NaN of constant columns. outcomes : float64 [outcomes, rows(, classes)]"""
        if self.codes is not None:
            found = patient_scores(*self.by_column, np.ascontiguousarray(outcomes), self.codes)
        elif outcomes.ndim == 2:
            found = self._correlation(outcomes.T)
        else:
            found = self._between(outcomes)
        found[self.level] = np.nan
        return found

    def _correlation(self, y: np.ndarray) -> np.ndarray:
        y = y - y.mean(axis=0)
        square = np.repeat((y**2).sum(axis=0)[None], len(self.count), axis=0)
        square[self.gaps] = self.holes @ y**2 - (self.holes @ y) ** 2 / self.count[self.gaps, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (self.centred.T @ y) ** 2 / (self.square[:, None] * square) * (self.count[:, None] - 1)
        return np.where(square > 1e-12 * (y**2).sum(axis=0), found, 0.0)

    def _between(self, members: np.ndarray) -> np.ndarray:
        total = np.zeros((len(self.count), len(members)))
        for k in range(members.shape[2]):
            y = members[:, :, k].T
            size = np.repeat(y.sum(axis=0)[None], len(self.count), axis=0)
            size[self.gaps] = self.holes @ y
            total += (self.centred.T @ y) ** 2 / np.maximum(size, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(total / self.square[:, None] * (self.count[:, None] - 1))


def _blocks(codes: np.ndarray) -> list[np.ndarray]:
    """Patients with as many rows: of each such set the rows, int64 [patients, rows of each]; codes rise."""
    sizes = np.bincount(codes)
    first = np.cumsum(sizes) - sizes
    blocks = [first[sizes == s][:, None] + np.arange(s) for s in np.unique(sizes)]
    ways = sum(float(np.log(np.arange(1, len(b) + 1)).sum()) for b in blocks)
    if ways < np.log(1000):
        raise OutcomeError(
            f"{len(sizes)} patients can be exchanged in about {np.exp(ways):.0f} ways only (those with as many rows); "
            "permutation p values need 1000"
        )
    return blocks


def _arrangement(blocks: list[np.ndarray], n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Of each row the row whose outcome it gets, int64 [rows]."""
    source = np.arange(n_rows)
    for block in blocks:
        source[block] = block[rng.permutation(len(block))]
    return source
