"""Regions from the labels of a mask."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import BadMask, EmptyRegion, MissingLabel, some
from radiomics_pipeline.params.extraction import Label
from radiomics_pipeline.types import Grid, Region

MAX_LABELS = 1024
"""More labels than this are an image taken for a mask."""


def regions_of(labels: np.ndarray, grid: Grid, wanted: Label | None, name: str) -> list[Region]:
    """All regions asked for; arguments and errors as in `wanted_labels` and `region_of`."""
    return [region_of(labels, grid, roi, label, name) for roi, label in wanted_labels(labels, wanted, name)]


def wanted_labels(labels: np.ndarray, wanted: Label | None, name: str) -> list[tuple[str, int]]:
    """Name and label of each region asked for, by ascending label; `name` is what errors call the mask.

    labels : whole numbers [z, y, x], 0 outside
    wanted : a label; "all", one region each; names with labels; None, the only label there is

    Raises EmptyRegion for a mask without a voxel, BadMask where None is wanted and there are several labels.
    """
    present = _present(labels)
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
        return [("", present[0])]
    if wanted == "all":
        return [(str(label), label) for label in present]
    named = wanted if isinstance(wanted, dict) else {"": int(wanted)}
    return sorted(named.items(), key=lambda item: item[1])


def region_of(labels: np.ndarray, grid: Grid, roi: str, label: int, name: str) -> Region:
    """The region of one label; MissingLabel where no voxel has it."""
    mask = labels == label
    if not mask.any():
        called = f" ({roi})" if roi else ""
        raise MissingLabel(f"{name}: no voxel has label {label}{called}; there are: {some(_present(labels), 12)}")
    return Region(mask, mask, grid, roi, label)


def _present(labels: np.ndarray) -> list[int]:
    return [int(label) for label in np.unique(labels[labels != 0])]
