"""What GLDM and NGTDM count alike: each voxel against its neighbours."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.kernels.neighbours import sum_neighbours


def neighbours(sample: PyradiomicsSample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `kernels.neighbours.sum_neighbours` finds: voxels, deviations and dependences of each level that occurs."""
    assert sample.levels is not None
    levels, settings = sample.levels, sample.settings
    steps = sample.fitting(settings.steps)
    return sum_neighbours(levels.ranks, levels.present.astype(np.float64), steps, settings.gldm_a)
