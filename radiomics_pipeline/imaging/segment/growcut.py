"""GrowCut: seeds of lesion and background compete for the voxels between them."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.kernels.growcut import find_strengths
from radiomics_pipeline.types.arrays import read_only


def growcut(array: np.ndarray, lesion: np.ndarray, background: np.ndarray, active: np.ndarray) -> np.ndarray:
    """The voxels that the lesion's seeds win; those won by neither belong to the background.

    The fixed point of the cellular automaton of Vezhnevets and Konouchine (GraphiCon 2005), with neighbours over
    faces, edges and corners, and g = 1 - |difference| / (maximum - minimum): each voxel belongs to the seed that
    reaches it with the greatest strength.

    array : float64 [z, y, x]
    lesion, background, active : bool [z, y, x]; seeds lie in `active`, beyond which nothing grows
    """
    values = array[active]
    scale = float(values.max() - values.min())
    if scale == 0:
        return lesion.copy()
    image, free = read_only(array), read_only(active)
    of_lesion, of_background = (find_strengths(image, read_only(seeds), free, scale) for seeds in (lesion, background))
    return active & (of_lesion > of_background)
