"""Which voxel centres contours enclose, one by one, in exact fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

Point = tuple[Fraction, Fraction]


def enclosed(contours: Sequence[Sequence[tuple[float, float]]], shape: tuple[int, int]) -> np.ndarray:
    """Centres [row, column] in an odd number of contours, given by points (column, row)."""
    exact = [[(Fraction(x), Fraction(y)) for x, y in contour] for contour in contours]
    found = np.zeros(shape, bool)
    for row in range(shape[0]):
        for column in range(shape[1]):
            point = Fraction(column), Fraction(row)
            found[row, column] = sum(inside(point, contour) for contour in exact) % 2 == 1
    return found


def inside(point: Point, contour: Sequence[Point]) -> bool:
    """Even-odd rule with a ray towards lower columns; a point on an edge counts that edge as crossed."""
    x, y = point
    crossed = 0
    for (x0, y0), (x1, y1) in zip(contour, [*contour[1:], contour[0]], strict=True):
        if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
            crossed += 1
    return crossed % 2 == 1
