"""What the extraction of one region gives, by whatever standard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.types import Region


@dataclass(frozen=True)
class RegionFacts:
    """What the log says of one region in one series.

    voxels, intensity_voxels : of the outline, and of what re-segmentation left, on the grid of the features
    native_mm, voxel_mm : voxel size (x, y, z) of the file and of the features
    levels : different grey levels in the region, main setting; None where no family needs them
    centroid_mm : mean position of the outline's voxels as the mask's file has them, patient coordinates (x, y, z) LPS
    outline_ml : volume of those voxels; `volume_ml` is that on the grid of the features
    """

    voxels: int
    intensity_voxels: int
    volume_ml: float
    native_mm: tuple[float, float, float]
    voxel_mm: tuple[float, float, float]
    levels: int | None
    warnings: tuple[str, ...]
    centroid_mm: tuple[float, float, float]
    outline_ml: float


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


def centroid_mm(region: Region) -> tuple[float, float, float]:
    """Mean position of the outline's voxels in patient coordinates (x, y, z), LPS."""
    low, high = bounding_box(region.morphology)
    box = region.morphology[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    planes = np.array([np.count_nonzero(plane) for plane in box])
    columns = np.add.reduce(np.ascontiguousarray(box).view(np.uint8), axis=0, dtype=np.uint32)
    profiles = (planes, columns.sum(axis=1), columns.sum(axis=0))
    centre = [
        start + float(along @ np.arange(len(along))) / int(planes.sum())
        for start, along in zip(low, profiles, strict=True)
    ]
    x, y, z = (float(c) for c in region.grid.position_mm((centre[0], centre[1], centre[2])))
    return x, y, z


def outline_ml(region: Region) -> float:
    """Volume of the outline's voxels."""
    return float(np.count_nonzero(region.morphology) * region.grid.voxel_volume_mm3 / 1000)


def xyz(spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    """A spacing (z, y, x) as (x, y, z)."""
    z, y, x = spacing_mm
    return x, y, z
