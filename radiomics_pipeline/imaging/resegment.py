"""Which voxels of an outline count for intensities (IBSI 1, section 2.5)."""

from __future__ import annotations

from radiomics_pipeline.errors import EmptyRegion
from radiomics_pipeline.params.extraction import Resegment
from radiomics_pipeline.types import Region, Volume


def resegment(volume: Volume, region: Region, params: Resegment) -> Region:
    """The region with its intensity mask cut to a range, and to a number of standard deviations.

    Both ends of the range belong to it. Mean and standard deviation (divisor N) are those of the whole
    outline, not of the range; with both limits given a voxel must pass both. The outline never changes.
    Raises EmptyRegion where no voxel is left.
    """
    keep = region.intensity.copy()
    inside = volume.array[region.morphology]
    low, high = params.range
    if low is not None:
        keep &= volume.array >= low
    if high is not None:
        keep &= volume.array <= high
    if params.sigma is not None:
        mean, spread = inside.mean(), params.sigma * inside.std()
        keep &= (volume.array >= mean - spread) & (volume.array <= mean + spread)
    if not keep.any():
        raise EmptyRegion(
            f"region {region.name or region.label}: none of its {inside.size} voxels is left after re-segmentation to "
            f"{_interval(low, high)}{volume.unit}; its intensities run from {inside.min():g} to {inside.max():g}: "
            "is the image in the unit that the parameters name?"
        )
    return Region(region.morphology, keep, region.grid, region.name, region.label)


def _interval(low: float | None, high: float | None) -> str:
    ends = ["-inf" if low is None else f"{low:g}", "inf" if high is None else f"{high:g}"]
    return f"[{', '.join(ends)}] "
