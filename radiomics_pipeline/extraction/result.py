"""What the extraction of one region gives, by whatever standard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from radiomics_pipeline.types import Region


@dataclass(frozen=True)
class RegionFacts:
    """What the log says of one region in one series.

    voxels, intensity_voxels : of the outline, and of what re-segmentation left, on the grid of the features
    native_mm, voxel_mm : voxel size (x, y, z) of the file and of the features
    levels : different grey levels in the region, main setting; None where no family needs them
    """

    voxels: int
    intensity_voxels: int
    volume_ml: float
    native_mm: tuple[float, float, float]
    voxel_mm: tuple[float, float, float]
    levels: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class RegionFeatures:
    """Features of one region: values by column, reasons of those that are NaN, facts for the log.

    diagnostics : what the steps on the way gave, by name, as text; empty where not asked for
    """

    values: dict[str, float]
    undefined: dict[str, str]
    facts: RegionFacts
    diagnostics: dict[str, str] = field(default_factory=dict)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Mark every error inside with the stage it happened in, unless an inner stage has."""
    try:
        yield
    except Exception as e:
        if not getattr(e, "stage", ""):
            e.stage = name  # type: ignore[attr-defined]
        raise


def touched_faces(region: Region) -> str:
    """The faces of the image that a region of more than one slice touches, such as "z low"."""
    faces = []
    for axis, name in enumerate("zyx"):
        if region.grid.shape[axis] > 1:
            for index, side in ((0, "low"), (-1, "high")):
                if region.morphology[(slice(None),) * axis + (index,)].any():
                    faces.append(f"{name} {side}")
    return ", ".join(faces)


def xyz(spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    """A spacing (z, y, x) as (x, y, z)."""
    z, y, x = spacing_mm
    return x, y, z
