"""Feature maps of one image and one mask: from files to files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from radiomics_pipeline.batch.single import load_region
from radiomics_pipeline.extraction.map_work import MapPlan, MapWork
from radiomics_pipeline.io.maps import MapFiles

SAMPLES = (8, 64, 512)
"""Voxels that are computed to measure the time, until they take long enough."""
LONG_ENOUGH_S = 0.2


@dataclass(frozen=True)
class Estimate:
    """What the maps of a region will take.

    voxels : that get values; maps : number of files; seconds : of computing
    """

    voxels: int
    maps: int
    seconds: float


def prepare_maps(
    plan: MapPlan, image: str | Path, mask: str | Path, *, label: int | None = None, crop: bool = False
) -> MapWork:
    """Read an image and its mask, and prepare the maps of one region.

    label : of the region; None: what the parameters say, or the only label there is
    crop : the maps hold the box of the region and the kernel's radius around it, not the whole image
    Raises CaseError where the case cannot be computed rightly.
    """
    return plan.prepare(*load_region(plan.source, image, mask, label), crop=crop)


def estimate(plan: MapPlan, work: MapWork) -> Estimate:
    """Measure a few voxels."""
    work.compute(work.some(2))  # which loads what has to be loaded or compiled
    for n in SAMPLES:
        centres = work.some(n)
        started = time.perf_counter()
        work.compute(centres)
        seconds = time.perf_counter() - started
        if seconds > LONG_ENOUGH_S or n >= work.voxels:
            break
    return Estimate(work.voxels, len(plan.maps), seconds / len(centres) * work.voxels)


def write_maps(
    plan: MapPlan,
    work: MapWork,
    out: str | Path,
    *,
    dtype: Literal["float32", "float64"] = "float64",
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Path]:
    """Compute all maps and write them to a folder; their files, complete, or none where something fails.

    progress : called with voxels done, voxels in all, and an empty text
    """
    done, total = 0, work.voxels
    names = [spec.name for spec in plan.maps]
    with MapFiles(Path(out), names, work.grid, outside=work.outside, dtype=dtype) as files:
        for indices, values in work.blocks():
            files.write(indices, values)
            done += len(indices)
            if progress:
                progress(done, total, "")
    return files.paths
