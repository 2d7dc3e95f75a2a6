"""Columns that go with the outcome and little with each other (minimum redundancy, maximum relevance)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy.stats import rankdata

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, check_keep, check_one_of
from radiomics_pipeline.selection.steps.relevance import binned, information, relevance
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target
from radiomics_pipeline.types.outcome import KINDS, Kind

LEAST_REDUNDANCY = 1e-3
"""Below it a redundancy counts as this in the quotient, which it would blow up."""
FORMS = ("difference", "quotient")
MEASURES = ("spearman", "information")
Form = Literal["difference", "quotient"]
RedundancyOf = Callable[[int], np.ndarray]


class Mrmr(Selector):
    """Greedy choice: first the most relevant column, then each time the one of the best relevance less redundancy.

    form : "difference": relevance less the mean redundancy with those chosen; "quotient": relevance over it
    measure : of relevance and redundancy, so that both have one unit. "spearman": |rank correlation| (with several
        classes the root of Kruskal and Wallis's share, with a time the correlation with martingale residuals);
        "information": mutual information of bins, less what chance gives
    keep : so many columns

    Redundancy is computed for chosen columns only: keep x columns x rows. Ding and Peng, J Bioinform Comput Biol
    2005;3:185, doi 10.1142/S0219720005001004; with ranks in place of F and Pearson's correlation.
    """

    def __init__(
        self,
        keep: int = 20,
        form: Form = "difference",
        measure: Literal["spearman", "information"] = "spearman",
        kind: KindOrAuto = "auto",
    ) -> None:
        self.keep = keep
        self.form = form
        self.measure = measure
        self.kind = kind

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """scores_ are relevances; also gains_, float64 [chosen], the criterion at each choice."""
        check_keep(self.keep)
        check_one_of(self.form, "form", FORMS)
        check_one_of(self.measure, "measure", MEASURES)
        scores = relevance(X, target, self.measure)
        redundancy = rank_redundancy(X) if self.measure == "spearman" else information_redundancy(X)
        order, self.gains_ = greedy(scores, redundancy, self.keep, self.form)
        return Choice(order, scores)


def greedy(scores: np.ndarray, redundancy: RedundancyOf, keep: int, form: Form) -> tuple[np.ndarray, np.ndarray]:
    """Positions in order of choice, int64 [chosen], and the criterion of each, float64 [chosen].

    scores : float64 [columns], relevance, NaN for columns that are never chosen
    redundancy : position of a chosen column -> float64 [columns]
    """
    left = ~np.isnan(scores)
    count = min(keep, int(left.sum()))
    order, gains = np.zeros(count, np.int64), np.zeros(count)
    total = np.zeros(len(scores))
    for k in range(count):
        mean = total / max(k, 1)
        quotient = form == "quotient" and k > 0
        criterion = scores / np.maximum(mean, LEAST_REDUNDANCY) if quotient else scores - mean
        order[k] = int(np.argmax(np.where(left, criterion, -np.inf)))
        gains[k] = criterion[order[k]]
        left[order[k]] = False
        if k + 1 < count:
            total += redundancy(int(order[k]))
    return order, gains


def rank_redundancy(X: np.ndarray) -> RedundancyOf:
    """|Spearman's correlation| of a column with all; of whole numbers, so that no order of sums matters."""
    ranks = 2.0 * rankdata(X, axis=0) - (len(X) + 1)
    squares = (ranks**2).sum(axis=0)
    squares[squares == 0] = np.inf

    def with_column(chosen: int) -> np.ndarray:
        return np.asarray(np.minimum(np.abs(ranks[:, chosen] @ ranks) / np.sqrt(squares * squares[chosen]), 1.0))

    return with_column


def information_redundancy(X: np.ndarray) -> RedundancyOf:
    """Mutual information of a column with all, less what chance gives; nats."""
    codes = binned(X)

    def with_column(chosen: int) -> np.ndarray:
        found, degrees = information(codes, codes[:, chosen])
        return found - degrees / (2 * len(codes))

    return with_column


class MrmrParams(Section):
    """Relevant features that repeat each other little."""

    keep: int = Field(20, ge=1, description="so many features")
    form: Form = Field("difference", description="relevance less redundancy, or relevance over redundancy")
    measure: Literal["spearman", "information"] = Field(
        "spearman", description="of relevance and redundancy; information does not serve times"
    )


def _build(params: MrmrParams, kind: Kind, seed: int) -> Any:
    return Mrmr(params.keep, params.form, params.measure, kind)


MRMR = Method(
    "mrmr",
    KINDS,
    MrmrParams,
    _build,
    "relevant features that repeat each other little (minimum redundancy, maximum relevance)",
)
