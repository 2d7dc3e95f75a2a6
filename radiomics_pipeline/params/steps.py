"""Settings of the steps that prepare features inside the folds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import Section


class RobustParams(Section):
    """Features that come out alike when measured again; applies where measurements again are given."""

    icc: Literal["1,1", "2,1", "3,1"] = Field(
        "2,1", description="form of the intraclass correlation: one-way; two-way, absolute agreement; consistency"
    )
    threshold: float = Field(0.75, gt=0, lt=1, description="smallest intraclass correlation of a feature that is kept")
    bound: Literal["lower", "value"] = Field(
        "lower", description="what must reach the threshold: the lower 95 % bound, or the value itself"
    )
    unmeasured: Literal["keep", "drop"] = Field(
        "keep", description="what becomes of features without an intraclass correlation in the training rows"
    )


class ImputeParams(Section):
    """Cells without a value."""

    strategy: Literal["median", "refuse"] = Field(
        "median", description="fill with the training rows' median, or refuse the table"
    )
    indicator: bool = Field(False, description="add a column of zeros and ones that tells where a value was missing")


class HarmoniseParams(Section):
    """Differences between centres, taken out by what the training rows show (ComBat)."""

    method: Literal["none", "combat"] = Field("none", description="none, or ComBat over the column of centres")
    parametric: bool = Field(True, description="priors as normal and inverse gamma distributions, or as observed")
    mean_only: bool = Field(False, description="correct each centre's mean and leave its spread")
    reference: str = Field("", description="centre whose values stay as they are; empty: the mean of all centres")
    unseen: Literal["refuse", "reference", "mean"] = Field(
        "refuse",
        description="rows of a centre without training rows: refused, or left as they are, taken to be measured like "
        "the reference centre, or like the mean of the centres",
    )

    @model_validator(mode="after")
    def _unseen_goes_with_reference(self) -> HarmoniseParams:
        if self.unseen == "reference" and not self.reference:
            raise ValueError("unseen: reference needs a `reference` centre; without one choose mean or refuse")
        if self.unseen == "mean" and self.reference:
            raise ValueError("unseen: mean goes without a `reference` centre; with one choose reference or refuse")
        return self


class ResidualiseParams(Section):
    """What of each feature follows from the lesion's volume is taken off."""

    method: Literal["none", "volume"] = Field("none", description="none, or the residual from a line on the volume")
    transform_volume: Literal["log", "none"] = Field("log", description="of the volume, before the line is fitted")
    line: Literal["least-squares", "huber"] = Field(
        "least-squares", description="how the line is fitted; huber gives outliers less weight"
    )


class ScaleParams(Section):
    """Columns brought to a common scale."""

    method: Literal["z", "robust", "yeo-johnson"] = Field(
        "z",
        description="mean and standard deviation; median and quartiles; or a power that makes a column normal, then z",
    )
    clip: float | None = Field(
        3.0,
        ge=0,
        description="how far beyond the training range, in standard deviations, a new value may lie before it is "
        "set to that limit; null: no limit",
    )
