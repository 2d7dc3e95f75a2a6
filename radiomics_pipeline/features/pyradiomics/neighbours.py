"""What GLDM and NGTDM count alike: each voxel against its neighbours."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import TooLarge
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.kernels.neighbours import sum_neighbours

MAX_CELLS = 2**27
"""Of the matrix of dependences: grey levels by numbers of neighbours; 1 GiB."""


def neighbours(sample: PyradiomicsSample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `kernels.neighbours.sum_neighbours` finds: voxels, deviations and dependences of each level that occurs."""
    assert sample.levels is not None
    levels, steps = sample.levels, sample.steps
    cells = len(levels.present) * (2 * len(steps) + 1)
    if cells > MAX_CELLS:
        raise TooLarge(
            f"{len(levels.present)} grey levels by {2 * len(steps)} neighbours of a voxel: at most {MAX_CELLS} "
            "numbers of neighbours are counted; use smaller distances or fewer grey levels"
        )
    return sum_neighbours(levels.ranks, levels.present.astype(np.float64), steps, sample.settings.gldm_a)
