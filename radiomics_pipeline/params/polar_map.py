"""The polar map of the left ventricle: where the ventricle lies, how its wall is sampled and compared."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from radiomics_pipeline.params.base import Section

ArrayAxis = Literal["+x", "-x", "+y", "-y", "+z", "-z"]
"""A direction along the voxels as the file stores them: x fastest, z from slice to slice."""
Direction = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
MapTexture = Literal["glcm", "glrlm", "glszm", "ngtdm", "ngldm"]
SEGMENTS = 17


class ShortAxis(Section):
    """A stack of short-axis slices: the heart's axes are those of the array, whatever the header says."""

    method: Literal["short-axis"]
    base: ArrayAxis = Field(description="the way from the apex to the base, through the slices")
    anterior: ArrayAxis = Field(description="the way to the anterior wall; '-y' where row 0 is shown at the top")
    lateral: ArrayAxis = Field(description="the way to the lateral wall; '+x' where column 0 is shown at the left")

    @model_validator(mode="after")
    def _perpendicular(self) -> ShortAxis:
        if len({self.base[1], self.anterior[1], self.lateral[1]}) < 3:
            raise ValueError(
                f"base {self.base}, anterior {self.anterior} and lateral {self.lateral} must lie along three different "
                "axes of the array"
            )
        return self


class Turned(Section):
    """Which way the anterior and the lateral wall lie, for a long axis in any direction."""

    anterior: Literal["head"] | ArrayAxis = Field(
        "head",
        description="the way to the anterior wall, made perpendicular to the long axis: head, as the patient's "
        "coordinates have it (the usual reorientation), or an axis of the array",
    )
    lateral: ArrayAxis | None = Field(
        None,
        description="an axis of the array that points towards the lateral wall; null: by the patient's coordinates, "
        "which then must be right",
    )

    @model_validator(mode="after")
    def _one_frame(self) -> Turned:
        if self.anterior != "head" and self.lateral is None:
            raise ValueError("with an axis of the array as anterior, say which one points to the lateral wall, too")
        if self.lateral is not None and self.anterior[-1] == self.lateral[-1]:
            raise ValueError(f"anterior {self.anterior} and lateral {self.lateral} must lie along different axes")
        return self


class FromMask(Turned):
    """The long axis of the mask: the one about which the wall is round, from its closed end to its open one."""

    method: Literal["mask"]


class Given(Turned):
    """A ventricle given by centre, axis and apex, in patient coordinates (x, y, z) LPS; the mask is not looked at."""

    method: Literal["given"]
    centre_mm: Direction = Field(description="point of the long axis where the cylinder meets the apical cap")
    apex_mm: Direction = Field(description="tip of the apical cap, in the middle of the wall")
    cylinder_mm: float = Field(gt=0, description="length of the cylinder, from the centre to the base")
    radius_mm: float = Field(gt=0, description="radius of the cylinder, to the middle of the wall")
    wall_mm: float = Field(10.0, gt=0, description="thickness of the wall, which says where the cavity ends")

    @model_validator(mode="after")
    def _apart(self) -> Given:
        if self.centre_mm == self.apex_mm:
            raise ValueError("centre_mm and apex_mm are one point; the long axis runs from one to the other")
        return self


Axis = Annotated[ShortAxis | FromMask | Given, Field(discriminator="method")]


class MapTextures(Section):
    """Textures of the map as an image of rings by angles."""

    families: tuple[MapTexture, ...] = Field(
        ("glcm", "glrlm", "glszm", "ngtdm", "ngldm"), min_length=1, description="texture families"
    )
    levels: int = Field(32, ge=2, le=256, description="grey levels between the map's minimum and maximum")


class PolarMap(Section):
    """How the wall is sampled, compared and scored."""

    axis: Axis = Field(description="where the left ventricle lies")
    role: Literal["stress", "rest"] | None = Field(
        None, description="names the summed score: stress SssRatio, rest SrsRatio, null SummedScoreRatio"
    )
    rest: str | None = Field(
        None, min_length=1, description="of a stress series: the rest series that it is compared with; null: none"
    )
    rings: int = Field(30, ge=8, le=180, description="rings from the apex to the base, evenly spaced along the wall")
    angles: int = Field(60, ge=12, le=360, multiple_of=12, description="sectors of each ring")
    inner_mm: float = Field(8.0, gt=0, le=50, description="how far inwards of the wall's middle the maximum is sought")
    outer_mm: float = Field(8.0, gt=0, le=50, description="the same outwards")
    step_mm: float = Field(0.5, gt=0, le=5, description="distance of the samples across the wall")
    normal: tuple[Positive, ...] | tuple[tuple[Positive, ...], ...] | None = Field(
        None,
        description="the normal map, in any unit: 17 segment means, or a list of rings (apex first) with a number for "
        "each angle (from the lateral wall over the anterior one); null: every segment's is the same",
    )
    normalise: Literal["own-maximum", "none"] = Field(
        "own-maximum",
        description="own-maximum: the segment with the highest ratio to normal counts as 1; none: the map is compared "
        "with the normal one as both are, in one unit",
    )
    cut_points: tuple[float, ...] = Field(
        (0.85, 0.70, 0.50, 0.30),
        min_length=1,
        description="ratios to normal, descending: a segment below the first scores 1, below the second 2, ...",
    )
    extent_below: float = Field(
        0.70, gt=0, description="ratio to normal below which a place of the map is part of a defect"
    )
    textures: MapTextures | None = Field(MapTextures(), description="textures of the map; null: none")

    @field_validator("normal", mode="before")
    @classmethod
    def _numbers_above_0(cls, value: Any) -> Any:
        """One message for a map, not one for each of its numbers."""
        rings = [ring if isinstance(ring, list | tuple) else [ring] for ring in value or ()]
        for number in (number for ring in rings for number in ring):
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < math.inf:
                raise ValueError(f"{number} is no normal value: numbers above 0, 17 of them or a list of rings")
        return value

    @field_validator("cut_points")
    @classmethod
    def _descending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(high <= low for high, low in pairwise(value)) or value[-1] <= 0:
            raise ValueError("cut points descend, and all lie above 0")
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> PolarMap:
        if self.rest is not None and self.role != "stress":
            raise ValueError("rest names the rest series of a stress series: give it role: stress")
        if self.normal is None:
            return self
        if not isinstance(self.normal[0], tuple):
            if len(self.normal) != SEGMENTS:
                raise ValueError(f"{len(self.normal)} normal segments; there are {SEGMENTS}")
        elif len(self.normal) != self.rings or {len(ring) for ring in self.normal} != {self.angles}:
            raise ValueError(f"the normal map must have {self.rings} rings of {self.angles} angles")
        return self
