"""Everything one parameter file says."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from radiomics_pipeline.params.base import TOKEN, Section
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.params.selection import SelectionParams


class RunParams(Section):
    """One tracer or protocol: how its series are measured, and how its features are ranked."""

    description: str = Field("", description="what the file is for")
    standard: Literal["ibsi"] = Field("ibsi", description="whose definitions the features follow")
    series: dict[str, SeriesParams] = Field({}, description="one section an image series: PET, CT, ...")
    selection: SelectionParams = SelectionParams()

    @field_validator("series")
    @classmethod
    def _tokens(cls, value: dict[str, SeriesParams]) -> dict[str, SeriesParams]:
        for name in value:
            if not re.fullmatch(TOKEN, name):
                raise ValueError(f"series {name!r}: letters, digits, '.', '+' and '-' only, as it begins column names")
        return value
