"""Delineation of regions from intensities: a method, and which of what it finds are lesions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import Section

SHELL = "shell"
"""The background that is no reference region: what lies around the lesion."""


class Preselect(Section):
    """Candidates: connected voxels at or above a threshold. Each is then delineated for itself."""

    threshold: float = Field(description="least intensity of a candidate's voxels, in the image's unit")
    min_volume_ml: float = Field(0.0, ge=0, description="pass over smaller candidates, unless a click touches them")
    margin_mm: float = Field(
        0.0, ge=0, description="search also within this distance of the candidate; 0: in the candidate alone"
    )


class Common(Section):
    """What every method takes: where to search, and which of what is found are lesions."""

    search: Literal["mask", "image"] = Field(
        "mask", description="mask: inside each region of the mask; image: everywhere, the mask's areas are clicks"
    )
    preselect: Preselect | None = Field(None, description="find candidates first, and delineate in each; null: do not")
    connectivity: Literal[6, 18, 26] = Field(
        26, description="voxels of one lesion share a face (6), at least an edge (18), or at least a corner (26)"
    )
    lesions: Literal["one", "split"] = Field(
        "one", description="one: all that is found is one region; split: a region for each connected part"
    )
    keep: Literal["all", "maximum", "largest"] = Field(
        "all", description="all connected parts, or in each search volume that of highest intensity, or the largest"
    )
    min_volume_ml: float = Field(0.0, ge=0, description="leave out connected parts with less volume")
    minimum_maximum: float | None = Field(
        None, description="leave out connected parts whose maximum lies below this; null: none"
    )
    keep_seeded: bool = Field(
        True, description="with search: image, what touches a click stays whatever its volume and maximum"
    )
    only_seeded: bool = Field(False, description="with search: image, leave out what touches no click")
    fill_holes: bool = Field(False, description="take in what a lesion encloses on all sides")
    touching: Literal["flag", "refuse"] = Field(
        "flag", description="of a lesion that goes on beyond its search volume, or ends at the image's border"
    )

    @model_validator(mode="after")
    def _clicks_need_an_image(self) -> Common:
        if self.only_seeded and self.search != "image":
            raise ValueError("only_seeded needs search: image, where the mask's areas are clicks")
        if self.only_seeded and not self.keep_seeded:
            raise ValueError("only_seeded and keep_seeded: false leave nothing")
        return self


class Adaptive(Common):
    """Methods whose threshold lies between lesion and background."""

    background: str = Field(
        SHELL,
        min_length=1,
        description="shell: median of what lies around the lesion, found anew until nothing changes; or the name of a "
        "reference region, whose mean it is",
    )
    shell_mm: tuple[float, float] = Field(
        (10.0, 20.0), description="the shell: further than the first from the lesion's voxels, not than the second"
    )

    @model_validator(mode="after")
    def _inside_out(self) -> Adaptive:
        inner, outer = self.shell_mm
        if not 0 <= inner < outer:
            raise ValueError(f"shell_mm {inner:g}, {outer:g}: the first must be at least 0 and below the second")
        return self


class Fixed(Common):
    """At or above an intensity, such as SUV 2.5 or 4."""

    method: Literal["fixed"]
    threshold: float = Field(description="least intensity of a lesion's voxels, in the image's unit")


class PercentOfMaximum(Common):
    """At or above a share of the highest intensity in the search volume."""

    method: Literal["percent-of-maximum"]
    percent: float = Field(gt=0, lt=100, description="such as 41 or 50")


class BackgroundAdapted(Adaptive):
    """background + percent / 100 * (peak - background); the peak is the highest mean of a sphere of 1 ml."""

    method: Literal["background-adapted"]
    percent: float = Field(50.0, gt=0, lt=100, description="way from the background to the peak")


class TwoPoint(Adaptive):
    """weight * mean of the voxels at or above 70 % of the maximum + (1 - weight) * background."""

    method: Literal["two-point"]
    weight: float = Field(0.5, gt=0, lt=1, description="of the lesion's mean; calibrate it on spheres of your scanner")
    core_percent: float = Field(
        70.0, gt=0, lt=100, description="share of the maximum from which on voxels are averaged"
    )


class FuzzyCMeans(Common):
    """Fuzzy clustering of the intensities; see docs/segmentation.md."""

    method: Literal["fuzzy-c-means"]
    classes: Literal[2, 3] = Field(
        3, description="3: background, lesion, and a mixed class that is cut at half; 2: without a mixed class"
    )
    fuzziness: float = Field(2.0, gt=1, le=5, description="exponent of the memberships")


class Grown(Common):
    """Methods that grow from seeds."""

    seed_percent: float = Field(
        80.0, gt=0, le=100, description="without clicks, seeds are the voxels from this share of the maximum on"
    )
    margin_mm: float = Field(
        30.0, gt=0, description="with search: image, how far from the clicks to search; beyond lies the background"
    )


class GrowCut(Grown):
    """Cellular automaton in which seeds of lesion and background compete for the voxels (Vezhnevets 2005)."""

    method: Literal["growcut"]


class Watershed(Grown):
    """Watershed of the gradient's magnitude, flooded from lesion and background."""

    method: Literal["watershed"]


class ReferenceThreshold(Common):
    """factor * mean + sd * standard deviation of a reference region, such as 1.5 * liver + 2 SD (PERCIST 1.0)."""

    method: Literal["reference"]
    region: str = Field(min_length=1, description="name of the reference region, such as liver")
    factor: float = Field(1.0, description="of the region's mean")
    sd: float = Field(0.0, description="of the region's standard deviation")


class Command(Common):
    """A program of others, which gets the image as a file and writes a mask; it runs with your rights."""

    method: Literal["command"]
    command: tuple[str, ...] = Field(
        min_length=1,
        description="program and arguments, no shell; {image} and {mask} become the files (NIfTI) to read and to "
        "write, {case} the case's name",
    )
    timeout_s: float = Field(1800.0, gt=0, description="end the program after this time")

    @model_validator(mode="after")
    def _takes_files(self) -> Command:
        for part in ("{image}", "{mask}"):
            if not any(part in word for word in self.command[1:]):
                raise ValueError(f"command: none of its arguments holds {part}; write {part} where the file belongs")
        if self.preselect is not None:
            raise ValueError("preselect does not go with a command, which gets the whole image")
        return self


AnyMethod = (
    Fixed
    | PercentOfMaximum
    | BackgroundAdapted
    | TwoPoint
    | FuzzyCMeans
    | GrowCut
    | Watershed
    | ReferenceThreshold
    | Command
)
Segmentation = Annotated[AnyMethod, Field(discriminator="method")]
METHODS = (
    "fixed",
    "percent-of-maximum",
    "background-adapted",
    "two-point",
    "fuzzy-c-means",
    "growcut",
    "watershed",
    "reference",
    "command",
)
