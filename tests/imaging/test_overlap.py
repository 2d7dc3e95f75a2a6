"""Voxels that two outlines share, counted in their boxes as on the whole grid."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from radiomics_pipeline.imaging.overlap import outline_of, shared_voxels
from radiomics_pipeline.types import Grid, Region

SHAPE = (4, 5, 6)


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.5))
def test_shared_voxels_are_those_of_both_masks(seed, share):
    random = np.random.default_rng(seed)
    masks = [random.random(SHAPE) < share for _ in range(2)]
    for mask in masks:
        mask[tuple(random.integers(0, SHAPE))] = True
    first, second = (outline_of(Region(mask, mask, Grid(SHAPE, (1.0, 1.0, 1.0)))) for mask in masks)
    assert shared_voxels(first, second) == shared_voxels(second, first) == int((masks[0] & masks[1]).sum())
