"""Regions from the labels of a mask."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import BadMask, EmptyRegion, MissingLabel, some
from radiomics_pipeline.params.extraction import Label
from radiomics_pipeline.types import Grid, Region

MAX_LABELS = 1024
"""More labels than this are an image taken for a mask."""


def regions_of(labels: np.ndarray, grid: Grid, wanted: Label | None, name: str) -> list[Region]:
    """The regions asked for, by ascending label; `name` is what errors call the mask.

    labels : whole numbers [z, y, x], 0 outside
    wanted : a label; "all", one region each; names with labels; None, the only label there is

    Raises EmptyRegion for a mask without a voxel, MissingLabel for a label it does not hold, BadMask where
    None is wanted and there are several.
    """
    present = [int(n) for n in np.unique(labels[labels != 0])]
    if not present:
        raise EmptyRegion(f"{name}: the mask is empty: none of its {labels.size} voxels has a label")
    if len(present) > MAX_LABELS:
        raise BadMask(f"{name}: {len(present)} different labels; is this an image instead of a mask?")
    if wanted is None:
        if len(present) > 1:
            raise BadMask(
                f"{name}: labels {some(present, 12)}; say which is meant (label: {present[0]}), or 'all' for one row "
                "each"
            )
        return [_region(labels, grid, "", present[0])]
    if wanted == "all":
        return [_region(labels, grid, str(n), n) for n in present]
    named = wanted if isinstance(wanted, dict) else {"": int(wanted)}
    for roi, label in named.items():
        if label not in present:
            called = f" ({roi})" if roi else ""
            raise MissingLabel(f"{name}: no voxel has label {label}{called}; there are: {some(present, 12)}")
    return [_region(labels, grid, roi, label) for roi, label in sorted(named.items(), key=lambda item: item[1])]


def _region(labels: np.ndarray, grid: Grid, roi: str, label: int) -> Region:
    mask = labels == label
    return Region(mask, mask, grid, roi, label)
