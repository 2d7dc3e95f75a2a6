"""Stability selection whose threshold is set by artificial columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.artificial import permuted_columns
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, best_first, check_keep, check_share
from radiomics_pipeline.selection.steps.l1_paths import first_penalty, lasso_coefficients, standardised
from radiomics_pipeline.selection.steps.stability import halves
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target
from radiomics_pipeline.types.outcome import KINDS, Kind


class CalibratedStability(Selector):
    """Stability selection among real and artificial columns; the threshold is where fewest artificial ones pass.

    To every column a permuted copy is added. Lassos of a row of penalties are fitted to halves of the patients; a
    column's frequency is the share of halves that hold it, at the penalty where that is largest. The threshold is the
    frequency at which (1 + artificial columns that reach it) / (real ones that reach it), a surrogate of the share
    of false discoveries, is smallest; of several the highest.

    Where the surrogate is above `max_surrogate` at every frequency, nothing was found. Being the smallest of many, it
    falls below 1 on noise too: with 60 rows and 1000 columns of noise it was 0.45 to 0.9 in half of the draws, and the
    published rule (max_surrogate=1) kept 25 to 40 columns on average, this one 2. The surrogate cannot be below
    1 / (real columns kept): a lone column, however frequent, gets 1, and is kept as the best one with
    `nothing_found_` set; `frequencies_` beside `artificial_` show it.

    pairs : how many times the patients are cut into two halves, both of which are used
    steps, smallest : how many penalties, and the smallest as a share of the one that holds no column
    max_surrogate : largest surrogate of the share of false discoveries
    keep : at most so many columns; None: no limit
    seed : of halves and permutations

    Hedou et al., Nat Biotechnol 2024;42:1581, doi 10.1038/s41587-023-02033-x (Stabl), with halves of the patients in
    place of bootstrap samples, and thresholds at all frequencies that occur in place of a grid.
    """

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        pairs: int = 50,
        steps: int = 12,
        smallest: float = 0.3,
        max_surrogate: float = 0.5,
        keep: int | None = None,
        seed: int = 0,
        kind: KindOrAuto = "auto",
    ) -> None:
        self.pairs = pairs
        self.steps = steps
        self.smallest = smallest
        self.max_surrogate = max_surrogate
        self.keep = keep
        self.seed = seed
        self.kind = kind

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """scores_ are frequencies_, float64 [columns]; also artificial_ (theirs), threshold_ and surrogate_."""
        check_keep(self.pairs, "pairs")
        check_keep(self.steps, "steps")
        check_share(self.smallest, "smallest", 0.0, 1.0)
        check_share(self.max_surrogate, "max_surrogate", 0.0, np.inf)
        if self.keep is not None:
            check_keep(self.keep)
        n_columns = X.shape[1]
        artificial = permuted_columns(X, patients, np.random.default_rng([self.seed, self.pairs]))
        both = standardised(np.hstack([X, artificial]))
        penalties = first_penalty(both, target) * np.geomspace(1.0, self.smallest, self.steps)
        held = np.zeros((self.steps, 2 * n_columns))
        for half in halves(target, patients, self.pairs, self.seed):
            held += lasso_coefficients(standardised(both[half]), target.rows(half), penalties) > 0
        frequencies = held.max(axis=0) / (2 * self.pairs)
        self.frequencies_, self.artificial_ = frequencies[:n_columns], frequencies[n_columns:]
        self.threshold_, self.surrogate_ = calibrated_threshold(self.frequencies_, self.artificial_)
        order = best_first(self.frequencies_)
        order = order[self.frequencies_[order] >= self.threshold_]
        if self.surrogate_ > self.max_surrogate:
            order = order[:0]
        return Choice(order if self.keep is None else order[: self.keep], self.frequencies_)


def calibrated_threshold(real: np.ndarray, artificial: np.ndarray) -> tuple[float, float]:
    """The frequency of the smallest surrogate (1 + artificial that reach it) / (real that reach it), and the surrogate.

    real, artificial : float64 [columns] each. Only frequencies of real columns come into question, 0 does not; of
    equal surrogates the highest frequency counts. (1, infinity) where all real frequencies are 0.
    """
    levels = np.unique(real[real > 0])[::-1]
    if not len(levels):
        return 1.0, float("inf")
    above = len(real) - np.searchsorted(np.sort(real), levels, side="left")
    false = len(artificial) - np.searchsorted(np.sort(artificial), levels, side="left")
    surrogate = (1 + false) / above
    best = int(np.argmin(surrogate))
    return float(levels[best]), float(surrogate[best])


class CalibratedStabilityParams(Section):
    """Features that a lasso takes more often than artificial ones."""

    pairs: int = Field(50, ge=1, description="how many times the patients are cut into two halves")
    steps: int = Field(12, ge=1, description="penalties of the lasso")
    smallest: float = Field(0.3, gt=0, le=1, description="smallest penalty, as a share of the one that holds nothing")
    max_surrogate: float = Field(0.5, gt=0, description="largest estimate of the share of false discoveries")
    keep: int | None = Field(None, ge=1, description="at most so many features; empty: no limit")


def _build(params: CalibratedStabilityParams, kind: Kind, seed: int) -> Any:
    return CalibratedStability(
        params.pairs, params.steps, params.smallest, params.max_surrogate, params.keep, seed, kind
    )


STABL = Method(
    "stabl",
    KINDS,
    CalibratedStabilityParams,
    _build,
    "features that a lasso takes in more halves of the patients than it takes artificial ones (Stabl)",
)
