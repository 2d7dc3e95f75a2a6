"""How features are judged in combination."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import Section

Measure = Literal["auto", "mcfadden", "nagelkerke", "cox-snell", "events", "r2"]


class CombinationParams(Section):
    """Best subsets, dominance analysis and importance."""

    candidates: int = Field(8, ge=2, le=10, description="features that enter all combinations, chosen in every fold")
    largest: int = Field(4, ge=1, le=10, description="features of the largest subset that is tried")
    beam: int = Field(20, ge=1, description="subsets of each size that are carried on where not all can be tried")
    interactions: bool = Field(False, description="let products of two features enter with both of them")
    pair_level: float = Field(
        0.1, gt=0, le=1, description="p, times the number of products screened, below which a product enters"
    )
    pair_columns: int = Field(500, ge=2, description="columns whose products are screened; the best alone where more")
    ridge: float = Field(
        1.0, ge=0, description="ridge on the standardised columns (1: scikit-learn's C = 1); 0: maximum likelihood"
    )
    measure: Measure = Field("auto", description="of the fit; auto: mcfadden, events (survival) or r2 by outcome")
    per_block: int = Field(3, ge=1, le=10, description="columns that stand for a block, chosen in every fold")
    bootstrap: int = Field(100, ge=0, description="resamples of patients for the intervals; 0: none")
    declared: tuple[str, ...] = Field(
        (),
        description="features named before anyone looked at the outcome; what they add together to the clinical "
        "columns, the volume and the indices gets a likelihood ratio p (`declared.csv`)",
    )
    importance_repeats: int = Field(10, ge=1, description="permutations of each feature on each test fold")

    @model_validator(mode="after")
    def _subset_within_candidates(self) -> CombinationParams:
        if self.largest > self.candidates:
            raise ValueError(f"largest ({self.largest}) exceeds candidates ({self.candidates})")
        return self

    @model_validator(mode="after")
    def _declared_once(self) -> CombinationParams:
        twice = sorted({name for name in self.declared if self.declared.count(name) > 1})
        if twice:
            raise ValueError(f"declared: {', '.join(twice)} stands there twice")
        return self
