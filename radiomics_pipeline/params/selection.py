"""How features are judged redundant, and how they are ranked against an outcome."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from radiomics_pipeline.params.base import Section


class RedundancyParams(Section):
    """Clusters of features that rank patients alike."""

    threshold: float = Field(0.9, gt=0, lt=1, description="|rho| (Spearman) above which features are one cluster")
    min_filled: float = Field(0.8, gt=0, le=1, description="smallest share of rows in which a feature has a value")
    max_same: float = Field(0.95, gt=0, le=1, description="largest share of the values that may be one and the same")


class FoldParams(Section):
    """Cross-validation, outer and inner."""

    folds: int = Field(5, ge=2, description="outer folds")
    repeats: int = Field(10, ge=1, description="how often the outer folds are drawn anew")
    inner_folds: int = Field(5, ge=2, description="folds inside a training part that choose the penalty")


class PenaltyParams(Section):
    """Penalties that the inner folds choose among."""

    steps: int = Field(30, ge=2, description="penalties tried, in equal ratios")
    smallest: float = Field(
        0.05, gt=0, lt=1, description="smallest penalty, as a share of the one that selects nothing"
    )
    l1_ratios: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (0.9, 0.5, 0.1), min_length=1, description="shares of L1 tried by the elastic nets, each in (0, 1]"
    )


class SelectionParams(Section):
    """Redundancy, folds and models of one analysis."""

    redundancy: RedundancyParams = RedundancyParams()
    validation: FoldParams = FoldParams()
    penalty: PenaltyParams = PenaltyParams()
    clinical: tuple[str, ...] = Field((), description="columns of the outcomes file that enter as clinical variables")
    volume: str = Field("", description="column used by the volume baseline; empty: the first mesh volume")
    seed: int = Field(20260101, ge=0, description="of the folds")
