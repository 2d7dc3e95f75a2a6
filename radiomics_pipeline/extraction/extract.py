"""One region of one image to one row of features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.imaging.resample import resample
from radiomics_pipeline.imaging.resegment import resegment
from radiomics_pipeline.params.extraction import Discretise
from radiomics_pipeline.types import Levels, Region, Volume

FEW_LEVELS = 4
"""With fewer grey levels than this, textures say little; a warning."""


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
    """Features of one region: values by column, reasons of those that are NaN, facts for the log."""

    values: dict[str, float]
    undefined: dict[str, str]
    facts: RegionFacts


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Mark every error inside with the stage it happened in, unless an inner stage has."""
    try:
        yield
    except Exception as e:
        if not getattr(e, "stage", ""):
            e.stage = name  # type: ignore[attr-defined]
        raise


def extract_region(volume: Volume, region: Region, plan: SeriesPlan) -> RegionFeatures:
    """All features that a plan wants of one region; CaseError where a step cannot be done rightly."""
    touches = _touches_border(region)
    with stage("resample"):
        image, outline = resample(volume, region, plan.params.resample)
    with stage("resegment"):
        roi = resegment(image, outline, plan.params.resegment)
    levels: dict[Discretise, Levels] = {}
    with stage("discretise"):
        for wanted in plan.discretisations:
            levels[wanted] = discretise(image, roi, wanted)
    values: dict[str, float] = {}
    undefined: dict[str, str] = {}
    with stage("features"):
        for computation in plan.computations:
            seen = levels[computation.discretise] if computation.discretise else None
            found, reasons = computation.family.compute(Sample(image, roi, seen, computation.aggregation))
            for feature, spec in computation.columns.items():
                values[spec.column] = found[feature]
                if feature in reasons:
                    undefined[spec.column] = reasons[feature]
    count = _different(levels.get(plan.params.discretise))
    facts = RegionFacts(
        voxels=int(roi.morphology.sum()),
        intensity_voxels=int(roi.intensity.sum()),
        volume_ml=float(roi.morphology.sum() * roi.grid.voxel_volume_mm3 / 1000),
        native_mm=_xyz(volume.spacing_mm),
        voxel_mm=_xyz(image.spacing_mm),
        levels=count,
        warnings=tuple(_warnings(touches, count)),
    )
    return RegionFeatures(values, undefined, facts)


def _different(levels: Levels | None) -> int | None:
    return None if levels is None else len(np.unique(levels.array[levels.array > 0]))


def _warnings(touches: str, levels: int | None) -> Iterator[str]:
    if touches:
        yield f"the region touches the border of the image ({touches}); it may be cut off"
    if levels is not None and levels < FEW_LEVELS:
        yield f"{levels} grey level{'s' if levels > 1 else ''} only; textures say little, use narrower bins"


def _touches_border(region: Region) -> str:
    """The faces of the image that a region of more than one slice touches, such as "z low"."""
    faces = []
    for axis, name in enumerate("zyx"):
        if region.grid.shape[axis] > 1:
            for index, side in ((0, "low"), (-1, "high")):
                if np.take(region.morphology, index, axis).any():
                    faces.append(f"{name} {side}")
    return ", ".join(faces)


def _xyz(spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    z, y, x = spacing_mm
    return x, y, z
