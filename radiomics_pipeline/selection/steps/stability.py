"""Columns that a lasso takes again and again, whichever half of the patients it sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydantic import Field

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, best_first, check_keep, check_share
from radiomics_pipeline.selection.steps.l1_paths import first_to_enter, standardised
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target
from radiomics_pipeline.selection.validation.folds import deal
from radiomics_pipeline.types.outcome import KINDS, Kind


class Stability(Selector):
    """Stability selection: the columns that come first on the lasso's path in at least `threshold` of the halves.

    Of every half of the patients the first `q_` columns to enter the path count. By Meinshausen and Buhlmann's
    theorem 1 at most q^2 / ((2 threshold - 1) columns) irrelevant columns are then expected among those kept
    (`bound_`), if irrelevant columns are exchangeable and the lasso does no worse than chance; for columns that chance
    takes rarely (in less than q / columns of the halves) Shah and Samworth show it without these assumptions.
    `q_` is the largest whole number that keeps the bound at or below `false_positives`, but at least 1: with few
    columns the bound may be above what was asked for, and `bound_` says so.

    threshold : share of the halves, above 0.5
    false_positives : how many irrelevant columns may be expected among those kept
    pairs : how many times the patients are cut into two halves, both of which are used; classes or events are shared
        out evenly between them
    keep : at most so many columns; None: no limit
    seed : of the halves

    Meinshausen and Buhlmann, J R Stat Soc B 2010;72:417, doi 10.1111/j.1467-9868.2010.00740.x; complementary pairs:
    Shah and Samworth, J R Stat Soc B 2013;75:55, doi 10.1111/j.1467-9868.2011.01034.x.
    """

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        threshold: float = 0.75,
        false_positives: float = 1.0,
        pairs: int = 50,
        keep: int | None = None,
        seed: int = 0,
        kind: KindOrAuto = "auto",
    ) -> None:
        self.threshold = threshold
        self.false_positives = false_positives
        self.pairs = pairs
        self.keep = keep
        self.seed = seed
        self.kind = kind

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """scores_ are frequencies_, float64 [columns], shares of the halves; also q_, bound_, mean_entered_."""
        check_share(self.threshold, "threshold", 0.5, 1.0)
        check_share(self.false_positives, "false_positives", 0.0, np.inf)
        check_keep(self.pairs, "pairs")
        if self.keep is not None:
            check_keep(self.keep)
        self.q_ = entries_for(X.shape[1], self.threshold, self.false_positives)
        self.bound_ = false_positive_bound(self.q_, X.shape[1], self.threshold)
        counts = np.zeros(X.shape[1], np.int64)
        for half in halves(target, patients, self.pairs, self.seed):
            counts[first_to_enter(standardised(X[half]), target.rows(half), self.q_)] += 1
        self.mean_entered_ = float(counts.sum()) / (2 * self.pairs)
        self.frequencies_ = counts / (2 * self.pairs)
        order = best_first(self.frequencies_)
        order = order[self.frequencies_[order] >= self.threshold - 1e-12]
        return Choice(order if self.keep is None else order[: self.keep], self.frequencies_)


def entries_for(n_columns: int, threshold: float, false_positives: float) -> int:
    """The largest q whose bound is at most `false_positives`, at least 1 and at most `n_columns`."""
    q = int(np.sqrt(false_positives * (2 * threshold - 1) * n_columns) + 1e-9)
    return min(max(q, 1), n_columns)


def false_positive_bound(q: float, n_columns: int, threshold: float) -> float:
    """Largest expected number of irrelevant columns kept (Meinshausen and Buhlmann 2010, theorem 1)."""
    return q**2 / ((2 * threshold - 1) * n_columns)


def halves(target: Target, patients: np.ndarray, pairs: int, seed: int) -> Iterator[np.ndarray]:
    """Rows (int64) of both halves of the patients, `pairs` times; each class, or the event, is in both.

    Raises OutcomeError where a class, or the event, has a single patient.
    """
    strata = target.strata
    needed = [1] if target.time is not None else sorted(set(strata.tolist()))
    if target.kind != "continuous":
        for code in needed:
            found = len(set(patients[strata == code].tolist()))
            if found < 2:
                raise OutcomeError(
                    f"{found} patient of class (or with event) {code} among {len(strata)} rows: halves of the patients "
                    "need one each"
                )
    for pair in range(pairs):
        place = deal(strata, patients, 2, np.random.default_rng([seed, pair]))
        for number in range(2):
            yield np.flatnonzero(place == number)


class StabilityParams(Section):
    """Features that a lasso takes again and again."""

    threshold: float = Field(0.75, gt=0.5, le=1, description="share of the halves that must take a feature")
    false_positives: float = Field(1.0, gt=0, description="bound on the irrelevant features expected among those kept")
    pairs: int = Field(50, ge=1, description="how many times the patients are cut into two halves")
    keep: int | None = Field(None, ge=1, description="at most so many features; empty: no limit")


def _build(params: StabilityParams, kind: Kind, seed: int) -> Any:
    return Stability(params.threshold, params.false_positives, params.pairs, params.keep, seed, kind)


STABILITY = Method(
    "stability",
    KINDS,
    StabilityParams,
    _build,
    "features that a lasso takes in most halves of the patients, false positives bounded (stability selection)",
)
