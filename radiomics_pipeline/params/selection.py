"""How features are judged redundant, and how they are ranked against an outcome."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.params.steps import HarmoniseParams, ImputeParams, ResidualiseParams, RobustParams, ScaleParams
from radiomics_pipeline.params.validation import ValidationParams


class RedundancyParams(Section):
    """Clusters of features that rank patients alike."""

    threshold: float = Field(0.9, gt=0, lt=1, description="|rho| (Spearman) above which features are one cluster")
    min_filled: float = Field(0.8, gt=0, le=1, description="smallest share of rows in which a feature has a value")
    max_same: float = Field(0.95, gt=0, le=1, description="largest share of the values that may be one and the same")


class PlanParams(Section):
    """A plan of one's own: inputs, an optional selector, a learner."""

    name: str = Field(min_length=1, description="what the tables call it")
    inputs: tuple[str, ...] = Field(
        ("radiomics",), min_length=1, description="of radiomics, volume, conventional, clinical, or the names of blocks"
    )
    redundant: bool = Field(False, description="leave correlated features in")
    select: str = Field("", description="a selector, see 'plans selectors'; empty: none")
    select_settings: dict[str, Any] = Field({}, description="the selector's own settings")
    learner: str = Field(description="a learner, see 'plans learners'")
    settings: dict[str, Any] = Field({}, description="the learner's own settings")
    tune: Literal["none", "grid", "optuna"] = Field("none", description="how inner folds choose the settings")


class AloneParams(Section):
    """Every feature alone."""

    adjust: bool = Field(True, description="partial association given the volume and the clinical columns")
    permutations: int = Field(0, ge=0, le=100_000, description="of the p adjusted by max-T; 0: none")


class SelectionParams(Section):
    """Redundancy, folds and models of one analysis."""

    redundancy: RedundancyParams = RedundancyParams()
    robust: RobustParams = RobustParams()
    impute: ImputeParams = ImputeParams()
    harmonise: HarmoniseParams = HarmoniseParams()
    residualise: ResidualiseParams = ResidualiseParams()
    scale: ScaleParams = ScaleParams()
    alone: AloneParams = AloneParams()
    validation: ValidationParams = ValidationParams()
    plans: tuple[str | PlanParams, ...] = Field(
        (), description="plans to compare, by name or spelled out; empty: the standard ones"
    )
    combination: CombinationParams | None = Field(
        CombinationParams(), description="dominance, best subsets, importance, increments; null: none"
    )
    groups: int = Field(2, ge=0, le=5, description="risk groups by the default plan; 0: none")
    group_cut: Literal["quantiles", "maxstat"] = Field(
        "quantiles",
        description="how risk groups are cut in the training rows: into equal parts, or in two by the largest log-rank "
        "difference (binary: of the shares), with a p that is corrected for the search",
    )
    final: bool = Field(True, description="refit the default plan to all rows and save it")
    clinical: tuple[str, ...] = Field((), description="columns of the outcomes file that enter as clinical variables")
    volume: str = Field("", description="column used by the volume baseline; empty: the first mesh volume")
    seed: int = Field(20260101, ge=0, lt=2**32, description="of the folds and of all that is drawn at random")

    @model_validator(mode="after")
    def _a_searched_cut_makes_two_groups(self) -> SelectionParams:
        if self.group_cut == "maxstat" and self.groups > 2:
            raise ValueError(f"group_cut: maxstat makes two risk groups, not {self.groups}; use quantiles")
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> SelectionParams:
        names = [plan if isinstance(plan, str) else plan.name for plan in self.plans]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"plans: {', '.join(twice)} stands there twice")
        return self
