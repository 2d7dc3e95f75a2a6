"""From rows of lesions to rows of patients."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from radiomics_pipeline.params.base import TOKEN, Section

Statistic = Literal["mean", "sd", "volume-weighted-mean", "minimum", "maximum"]


class Aggregate(Section):
    """What is computed for each patient: of its lesions together, and of pairs of regions, left and right."""

    by: Literal["patient", "case"] = Field(
        "patient", description="what a row stands for; 'case' where a patient has several examinations"
    )
    series: str | None = Field(
        None, description="series whose outlines, positions and uptake count; null: the only one with `uptake`"
    )
    lesions: str | None = Field(
        ".*",
        min_length=1,
        description="regular expression of the ROI names that are lesions (the whole name, capitals ignored); every "
        "row that fits is one lesion; null: none, only pairs",
    )
    features: tuple[str, ...] = Field(
        (),
        description="features whose statistics over the lesions are wanted: columns, or FAMILY_Feature, * standing "
        "for any text, such as 'glcm_*' or 'CT_original_intensity_Mean'",
    )
    statistics: tuple[Statistic, ...] = Field(
        ("mean", "sd", "volume-weighted-mean"), description="statistics of those features"
    )
    dmax_of_one_lesion: Literal["undefined", "zero"] = Field(
        "undefined", description="largest distance between lesions where there is one only"
    )
    pairs: dict[str, tuple[str, str]] = Field(
        {}, description="paired regions by name, each [left, right] as their rows are called"
    )
    paired: tuple[str, ...] = Field(
        ("uptake_Mean", "uptake_Tlg"),
        description="features that are compared between left and right, written as in `features`",
    )

    @field_validator("lesions")
    @classmethod
    def _an_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as e:
            raise ValueError(f"{value!r} is no regular expression: {e}") from None
        return value

    @field_validator("statistics", "paired")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name one at least")
        if len(set(value)) != len(value):
            raise ValueError("one is named twice")
        return value

    @field_validator("pairs")
    @classmethod
    def _tokens(cls, value: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
        for name, (left, right) in value.items():
            if not re.fullmatch(TOKEN, name):
                raise ValueError(f"pair {name!r}: letters, digits, '.', '+' and '-' only, as it ends column names")
            if left == right:
                raise ValueError(f"pair {name!r}: left and right are the same region")
        return value
