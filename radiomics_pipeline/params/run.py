"""Everything one parameter file says."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from radiomics_pipeline.params.aggregate import Aggregate
from radiomics_pipeline.params.base import TOKEN, Section
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.series import SeriesSource

ANY_SERIES = ""
"""Name of the section that serves every series of a study: a PyRadiomics parameter file names none."""


class Run(Section):
    """What the parameters of every standard have."""

    description: str = Field("", description="what the file is for")
    standard: Literal["ibsi", "pyradiomics"] = Field("ibsi", description="whose definitions the features follow")
    series: dict[str, Any] = Field({}, description="one section an image series: PET, CT, ...")
    aggregate: Aggregate | None = Field(None, description="a table of patients beside that of regions; null: none")
    not_computed: dict[str, str] = Field(
        {}, description="indices usual for the tracer that need other data, each with what it needs; for the reader"
    )
    selection: SelectionParams = SelectionParams()

    @field_validator("series", check_fields=False)
    @classmethod
    def _tokens(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name != ANY_SERIES and not re.fullmatch(TOKEN, name):
                raise ValueError(f"series {name!r}: letters, digits, '.', '+' and '-' only, as it begins column names")
        return value

    @model_validator(mode="after")
    def _masks_come_from_others(self) -> Run:
        sources = {
            name: section.mask_from.series
            for name, section in self.series.items()
            if isinstance(section, SeriesSource) and section.mask_from
        }
        for name, source in sources.items():
            others = ", ".join(other for other in self.series if other != name) or "none"
            if source not in self.series or source == name:
                raise ValueError(f"series {name}: mask_from names {source!r}, no other series; there are: {others}")
            if source in sources:
                raise ValueError(f"series {name}: its mask comes from {source}, and that one's from {sources[source]}")
        return self


class RunParams(Run):
    """One tracer or protocol: how its series are measured, and how its features are ranked."""

    standard: Literal["ibsi"] = Field("ibsi", description="whose definitions the features follow")
    series: dict[str, SeriesParams] = Field({}, description="one section an image series: PET, CT, ...")


class PyradiomicsRun(Run):
    """The same with the definitions, settings and column names of PyRadiomics."""

    standard: Literal["pyradiomics"] = Field("pyradiomics", description="whose definitions the features follow")
    engine: Literal["own", "pyradiomics"] = Field(
        "own", description="what computes them: this program, or PyRadiomics itself (extra [pyradiomics])"
    )
    series: dict[str, PyradiomicsSeries] = Field(
        {}, description="one section an image series, each in PyRadiomics' own schema"
    )
