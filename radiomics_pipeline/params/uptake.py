"""Conventional indices of uptake."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from radiomics_pipeline.params.base import Section

Ratio = Literal["tbr", "suvr", "sbr", "sam"]


class Threshold(Section):
    """An intensity from which on voxels of the outline count: one of percent, value and reference."""

    percent: float | None = Field(None, gt=0, le=100, description="share of the region's `of`, in percent")
    of: Literal["maximum", "peak"] = Field(
        "maximum",
        description="what percent refers to: the highest intensity, or the highest mean of a sphere of 1 ml around a "
        "voxel of the region",
    )
    value: float | None = Field(None, description="an intensity in the image's unit")
    reference: str | None = Field(
        None, min_length=1, description="a reference region: factor times its mean plus sd times its standard deviation"
    )
    factor: float = Field(1.0, gt=0, description="times the reference's mean")
    sd: float = Field(0.0, ge=0, description="times the reference's standard deviation, added")

    @model_validator(mode="after")
    def _one_kind(self) -> Threshold:
        given = [name for name in ("percent", "value", "reference") if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            raise ValueError(f"a threshold is one of percent, value and reference; {found}")
        apart = {"of": "percent", "factor": "reference", "sd": "reference"}
        for name, kind in apart.items():
            if getattr(self, name) != type(self).model_fields[name].default and given != [kind]:
                raise ValueError(f"{name} belongs to {kind}, and is without effect beside {given[0]}")
        return self

    @property
    def token(self) -> str:
        """How columns of this threshold end, such as "Percent41", "Value4" or "Liver1.5mean+2sd"."""
        if self.percent is not None:
            return f"Percent{number(self.percent)}{'OfPeak' if self.of == 'peak' else ''}"
        if self.value is not None:
            return f"Value{number(self.value)}"
        assert self.reference is not None
        spread = f"+{number(self.sd)}sd" if self.sd else ""
        return f"{camel(self.reference)}{number(self.factor)}mean{spread}"


class Uptake(Section):
    """Which indices are computed beside those that every region has."""

    volumes: tuple[Threshold, ...] = Field(
        (), description="thresholds inside the outline: each gives the volume and the total uptake at or above it"
    )
    references: tuple[str, ...] | None = Field(
        None, description="reference regions that ratios are computed to; null: all of the series"
    )
    ratios: tuple[Ratio, ...] = Field(
        ("tbr", "suvr", "sbr"),
        description="what is computed to each reference: tbr (maximum, mean and peak over its mean), suvr (mean over "
        "mean), sbr ((mean - reference) / reference), sam (total uptake above the reference's mean)",
    )
    quarters: bool = Field(True, description="voxels and uptake in each quarter of the region's range of intensities")

    @field_validator("volumes")
    @classmethod
    def _different(cls, value: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
        tokens = [threshold.token for threshold in value]
        twice = sorted({token for token in tokens if tokens.count(token) > 1})
        if twice:
            raise ValueError(f"two thresholds are the same, or are named alike: {', '.join(twice)}")
        return value


def camel(name: str) -> str:
    """The name of a reference as part of a column's: "blood_pool" is "BloodPool"."""
    return "".join(part[0].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", name))


def number(value: float) -> str:
    """A number as part of a column's name; different numbers differ in their first twelve digits."""
    return f"{value:.12g}"
