"""Newton steps of many problems at once without a matrix of curvatures: conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

GRADIENTS = 60


def conjugate_gradients(
    curve: Callable[[np.ndarray], np.ndarray], down: np.ndarray, diagonal: np.ndarray, tolerance: float
) -> np.ndarray:
    """Solution of curve(step) = down of each problem, conditioned by a diagonal, float64 [axes, problems].

    curve : matrix of curvatures times a direction, both [axes, problems]; down, diagonal : [axes, problems]
    tolerance : of the expected drop of the loss in a Newton step, which this step may miss by a small share
    """
    step, left = np.zeros_like(down), down.copy()
    direction = left / diagonal
    size = (left * direction).sum(axis=0)
    enough = np.maximum(1e-3 * tolerance, np.minimum(0.01, size) * size * 0.1)
    for _ in range(GRADIENTS):
        open_ones = size > enough
        if not open_ones.any():
            break
        product = curve(direction)
        along = (direction * product).sum(axis=0)
        length = np.where(open_ones & (along > 0), size / np.where(along > 0, along, 1.0), 0.0)
        step += length * direction
        left -= length * product
        conditioned = left / diagonal
        new = (left * conditioned).sum(axis=0)
        direction = conditioned + np.where(open_ones, new / np.where(size > 0, size, 1.0), 0.0) * direction
        size = np.where(open_ones, new, size)
    return step
