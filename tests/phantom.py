"""The digital phantom of the IBSI: 5 x 4 x 4 voxels of 2 mm.

From https://github.com/theibsi/data_sets (CC BY 4.0); Zwanenburg et al., Radiology 2020;295:328-338,
doi:10.1148/radiol.2020191145. Grey levels are the intensities as they are.
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.types import Grid, Levels, Region, Volume

# fmt: off
INTENSITIES = np.array([  # [z, y, x]
    [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
    [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
    [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
    [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
], float)
MASK = np.array([
    [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
    [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
    [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 1]],
    [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
], bool)
# fmt: on


def make_sample(
    intensities: np.ndarray,
    mask: np.ndarray,
    *,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    levels: np.ndarray | None = None,
    intensity_mask: np.ndarray | None = None,
    aggregation: str = "3D",
) -> Sample:
    """A sample of arrays [z, y, x]; its grey levels, where none are given, are the intensities."""
    inside = mask if intensity_mask is None else intensity_mask
    grid = Grid(mask.shape, spacing_mm)
    grey = np.where(inside, intensities if levels is None else levels, 0)
    if grey[inside].min() < 1 or grey.max() > 1e6:
        grey = inside.astype(int)
    return Sample(
        Volume(intensities, grid, "SUV"),
        Region(mask, inside, grid),
        Levels(grey.astype(np.int32), int(grey.max())),
        aggregation,
    )


def digital_phantom(aggregation: str = "3D") -> Sample:
    """The phantom as a sample."""
    return make_sample(INTENSITIES, MASK, spacing_mm=(2.0, 2.0, 2.0), aggregation=aggregation)
