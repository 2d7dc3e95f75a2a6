"""Which voxels of an outline count for intensities (IBSI 1, section 2.5)."""

from __future__ import annotations

import math

from radiomics_pipeline.errors import EmptyRegion
from radiomics_pipeline.kernels.intensities import keep_range
from radiomics_pipeline.params.extraction import Resegment
from radiomics_pipeline.types import Region, Volume


def resegment(volume: Volume, region: Region, params: Resegment) -> Region:
    """The region with its intensity mask cut to a range, and to a number of standard deviations.

    Both ends of the range belong to it. Mean and standard deviation (divisor N) are those of the whole
    outline, not of the range; with both limits given a voxel must pass both. The outline never changes.
    Raises EmptyRegion where no voxel is left.
    """
    low, high = (-math.inf if params.range[0] is None else params.range[0]), params.range[1]
    high = math.inf if high is None else high
    least, most = low, high
    if params.sigma is not None:
        inside = volume.array[region.morphology]
        mean, spread = inside.mean(), params.sigma * inside.std()
        least, most = max(low, mean - spread), min(high, mean + spread)
    if least == -math.inf and most == math.inf:
        return region
    kept, count = keep_range(volume.array.ravel(), region.intensity.ravel(), float(least), float(most))
    if not count:
        inside = volume.array[region.morphology]
        limits = f"[{low:g}, {high:g}]{f' {volume.unit}' if volume.unit else ''}"
        if params.sigma is not None:
            limits += f" and to mean ± {params.sigma:g} standard deviations, [{mean - spread:g}, {mean + spread:g}]"
        raise EmptyRegion(
            f"region {region.name or region.label}: none of its {inside.size} voxels is left after re-segmentation to "
            f"{limits}; its intensities run from {inside.min():g} to {inside.max():g}: is the image in the unit that "
            "the parameters name?"
        )
    return Region(region.morphology, kept.reshape(volume.array.shape), region.grid, region.name, region.label)
