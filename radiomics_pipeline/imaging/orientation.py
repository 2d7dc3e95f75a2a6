"""The same voxels, counted along other axes: a label image that was flipped lies on the image's voxels still."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.types import Grid

PARALLEL = 1e-3
"""Sine of the largest angle at which axes count as parallel."""


def turned(array: np.ndarray, source: Grid, direction: tuple[float, ...]) -> tuple[np.ndarray, Grid] | None:
    """An array [z, y, x] with its axes in the order and the sense of another grid's; None where these are oblique.

    direction : of the grid whose axes are wanted, as `Grid.direction`
    """
    old, new = (np.array(d).reshape(3, 3) for d in (source.direction, direction))
    along = new.T @ old  # of new axis (row) and old axis (column), in the order x, y, z
    axes = np.abs(along).argmax(axis=1)
    signs = np.sign(along[range(3), axes])
    ideal = np.zeros((3, 3))
    ideal[range(3), axes] = signs
    if len(set(axes.tolist())) < 3 or np.abs(along - ideal).max() > PARALLEL:
        return None
    order = [2 - int(axes[2 - axis]) for axis in range(3)]  # of the array's axes, z first
    flips = [signs[2 - axis] < 0 for axis in range(3)]
    corner = [0, 0, 0]
    for axis, flip in zip(order, flips, strict=True):
        corner[axis] = source.shape[axis] - 1 if flip else 0
    moved = np.flip(array.transpose(order), tuple(axis for axis, flip in enumerate(flips) if flip))
    z, y, x = (source.spacing_mm[axis] for axis in order)
    origin = tuple(float(c) for c in source.position_mm((corner[0], corner[1], corner[2])))
    return moved, Grid(moved.shape, (z, y, x), origin, direction)  # type: ignore[arg-type]
