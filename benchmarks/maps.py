"""Microseconds a voxel of feature maps: ours, and PyRadiomics' voxelBased extraction of the same files.

    python benchmarks/maps.py IMAGE MASK [--bin-width 25] [--radius 1] [--theirs 0]

First order and co-occurrence, all default features, kernel masked and not; one thread, kernels warm, best of several
runs, preparation included and writing apart. `--theirs N`: PyRadiomics on a piece of the region of about N voxels and
the same piece by us (0: the whole region, which takes minutes; -1: not at all), and the largest difference of both.
A piece has fewer grey levels than the region, on whose square PyRadiomics' time depends: compare whole regions.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from measure import one_thread, save

one_thread()

import numpy as np

from radiomics_pipeline.batch.maps import write_maps
from radiomics_pipeline.extraction.map_work import MapPlan
from radiomics_pipeline.extraction.maps import plan_maps
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.params.run import PyradiomicsRun
from radiomics_pipeline.types import Region, Volume

MISSING = ("original_glcm_JointAverage", "original_glcm_MCC")
"""What PyRadiomics leaves out where a direction has no pair."""


def best(function: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def values_of(plan: MapPlan, volume: Volume, mask: np.ndarray) -> np.ndarray:
    region = Region(mask, mask, volume.grid)
    return np.concatenate([values for _, values in plan.prepare(volume, region).blocks()], axis=1)


def piece_of(mask: np.ndarray, n: int) -> np.ndarray:
    """The about n voxels of a region that lie nearest to its centre, in a box; all of them for 0."""
    if n <= 0 or n >= mask.sum():
        return mask
    places = np.argwhere(mask)
    distance = np.abs(places - places.mean(axis=0)).max(axis=1)
    found = np.zeros_like(mask)
    found[tuple(places[distance <= np.sort(distance)[n]].T)] = True
    return found


def theirs(volume: Volume, mask: np.ndarray, settings: dict[str, object]) -> dict[str, np.ndarray]:
    """PyRadiomics' maps inside the region."""
    import radiomics
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.setVerbosity(logging.CRITICAL)
    images = [sitk.GetImageFromArray(a) for a in (volume.array, mask.astype(np.uint8))]
    for image in images:
        image.SetSpacing(volume.spacing_mm[::-1])
    extractor = RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.disableAllFeatures()
    for name in ("firstorder", "glcm"):
        extractor.enableFeatureClassByName(name)
    found = extractor.execute(*images, voxelBased=True)
    return {name: _inside(sitk.GetArrayFromImage(image), image, mask, volume) for name, image in found.items()}


def _inside(array: np.ndarray, image: object, mask: np.ndarray, volume: Volume) -> np.ndarray:
    origin = np.array(image.GetOrigin()[::-1]) / volume.spacing_mm  # type: ignore[attr-defined]
    part = tuple(slice(a, a + n) for a, n in zip(np.round(origin).astype(int), array.shape, strict=True))
    return array[mask[part]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("mask", type=Path)
    parser.add_argument("--bin-width", type=float, default=25)
    parser.add_argument("--radius", type=int, default=1)
    parser.add_argument("--theirs", type=int, default=0)
    arguments = parser.parse_args()
    settings = {"binWidth": arguments.bin_width}
    run = PyradiomicsRun(series={"": {"setting": settings}})
    volume, labels = load_pair(read_file(arguments.image), read_file(arguments.mask), "", native=True)
    mask = labels > 0
    piece = piece_of(mask, arguments.theirs)
    rows: list[dict[str, object]] = []
    summary = []
    for masked in (True, False):
        for features in (("firstorder",), ("glcm",), ("firstorder", "glcm")):
            plan = plan_maps(run, features=features, radius=arguments.radius, masked=masked)
            values_of(plan, volume, piece)
            seconds = best(lambda plan=plan: values_of(plan, volume, mask), 7)
            rows.append(
                {"features": "+".join(features), "masked": masked, "voxels": int(mask.sum()), "seconds": seconds}
            )
            each = seconds / mask.sum() * 1e6
            summary.append(f"{'+'.join(features)}, {'masked' if masked else 'whole image'}: {each:.1f} us a voxel")
        if arguments.theirs >= 0:
            summary.append(_compare(plan, volume, piece, settings, rows, masked=masked, radius=arguments.radius))
    region = Region(mask, mask, volume.grid)
    with tempfile.TemporaryDirectory() as folder:
        work = plan.prepare(volume, region)
        seconds = best(lambda: write_maps(plan, work, folder), 3)
    rows.append({"features": "written", "masked": False, "voxels": int(mask.sum()), "seconds": seconds})
    size = " x ".join(str(n) for n in volume.grid.shape[::-1])
    summary.append(f"computed and written on the whole grid of {size}: {seconds:.2f} s for {len(plan.maps)} maps")
    save("maps", rows, summary)
    return 0


def _compare(
    plan: MapPlan,
    volume: Volume,
    piece: np.ndarray,
    settings: dict[str, object],
    rows: list[dict[str, object]],
    *,
    masked: bool,
    radius: int,
) -> str:
    ours = best(lambda: values_of(plan, volume, piece), 7)
    started = time.perf_counter()
    found = theirs(volume, piece, {**settings, "maskedKernel": masked, "kernelRadius": radius, "voxelBatch": 500})
    seconds = time.perf_counter() - started
    n = int(piece.sum())
    rows.append({"features": "pyradiomics", "masked": masked, "voxels": n, "seconds": seconds, "ours_s": ours})
    largest = 0.0
    for spec, mine in zip(plan.maps, values_of(plan, volume, piece), strict=True):
        other = found[spec.name]
        apart = np.abs(mine - other) / np.maximum(np.abs(other), 1e-3)
        if spec.name not in MISSING:
            largest = max(largest, float(apart.max()) if np.isfinite(apart).all() else math.inf)
    return (
        f"{n} voxels, {'masked' if masked else 'whole image'}: PyRadiomics {seconds:.1f} s, ours {ours:.4f} s, "
        f"{seconds / ours:.0f} x; largest relative difference {largest:.1e}"
    )


if __name__ == "__main__":
    sys.exit(main())
