"""Columns that go with the outcome each on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, best_first, check_keep, check_share
from radiomics_pipeline.selection.steps.relevance import MeasureName, evidence
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target
from radiomics_pipeline.stats.multiplicity import benjamini_hochberg
from radiomics_pipeline.types.outcome import KINDS, Kind


class Screen(Selector):
    """Keep the columns of the highest score alone, by number, by false discovery rate, or both.

    measure : see steps.relevance.MEASURES; "auto": AUC of two classes, Kruskal and Wallis of several, Spearman of
        ordered classes and numbers, the Cox likelihood ratio of times
    keep : at most so many; None: no limit
    max_q : largest Benjamini-Hochberg q; None: q does not matter
    min_keep : at least so many, even where their q is larger; then `nothing_found_` says that none was below
    """

    def __init__(
        self,
        measure: MeasureName = "auto",
        keep: int | None = 20,
        max_q: float | None = None,
        min_keep: int = 1,
        kind: KindOrAuto = "auto",
    ) -> None:
        self.measure = measure
        self.keep = keep
        self.max_q = max_q
        self.min_keep = min_keep
        self.kind = kind

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """Also p_ and q_, float64 [columns], of the measure's test."""
        check_keep(self.min_keep, "min_keep")
        if self.keep is None and self.max_q is None:
            raise ParamsError("screen: neither keep nor max_q is given; everything would be kept")
        if self.keep is not None:
            check_keep(self.keep)
        scores, self.p_ = evidence(X, target, self.measure, patients)
        self.q_ = benjamini_hochberg(self.p_)
        order = best_first(scores)[: int((~np.isnan(scores)).sum())]
        if self.max_q is not None:
            check_share(self.max_q, "max_q", 0.0, 1.0)
            order = order[self.q_[order] <= self.max_q]
        return Choice(order if self.keep is None else order[: self.keep], scores)

    def _fit(self, X: np.ndarray, target: Target, patients: np.ndarray) -> None:
        super()._fit(X, target, patients)
        if len(self.order_) < self.min_keep:
            self.order_ = best_first(self.scores_)[: self.min_keep]
            self.support_[self.order_] = True


class ScreenParams(Section):
    """Every feature alone, the best are kept."""

    measure: MeasureName = Field("auto", description="score of a feature alone; auto: by the kind of outcome")
    keep: int | None = Field(20, ge=1, description="at most so many features; empty: no limit")
    max_q: float | None = Field(None, gt=0, le=1, description="largest false discovery rate (Benjamini-Hochberg)")
    min_keep: int = Field(1, ge=1, description="at least so many features, whatever their false discovery rate")


def _build(params: ScreenParams, kind: Kind, seed: int) -> Any:
    return Screen(params.measure, params.keep, params.max_q, params.min_keep, kind)


SCREEN = Method(
    "screen",
    KINDS,
    ScreenParams,
    _build,
    "the features that go best with the outcome alone, or those below a false discovery rate",
)
