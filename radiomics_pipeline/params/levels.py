"""How intensities become grey levels, and how their matrices are gathered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from radiomics_pipeline.params.base import Section

Aggregation = Literal["3D:mrg", "3D:avg", "2.5D:mrg", "2.5D:avg", "2D:mrg", "2D:avg"]


class FixedBinSize(Section):
    """Grey levels of equal width, the same in every patient (IBSI 1: Q3RU)."""

    method: Literal["fixed-bin-size"]
    width: float = Field(gt=0, description="width of a bin, in the image's unit")
    origin: float = Field(description="lower edge of the first bin; the lower end of the re-segmentation range")


class FixedBinNumber(Section):
    """A fixed number of grey levels between minimum and maximum (IBSI 1: K15C)."""

    method: Literal["fixed-bin-number"]
    bins: int = Field(ge=2, le=4096, description="number of grey levels")


class NoDiscretisation(Section):
    """Intensities are the grey levels: whole numbers from 1."""

    method: Literal["none"]


Discretise = Annotated[FixedBinSize | FixedBinNumber | NoDiscretisation, Field(discriminator="method")]
