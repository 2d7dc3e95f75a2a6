"""Which triangles PyRadiomics puts into a cell, found by measuring its areas and volumes from outside.

Run as a script it prints the table of features/pyradiomics/cells.py. A cell's eight corners give a pattern, bit
4 dz + 2 dy + dx for each. Its surface consists of loops through the mid-points of the edges that it crosses; where a
face is crossed four times there are two ways to join them, and a loop of n points has several triangulations. Of all
these the first is taken that has PyRadiomics' area at several spacings, and its signed volume from four places, from
which the triangles' sides follow.
"""

from __future__ import annotations

import itertools
import textwrap
from collections import defaultdict

import numpy as np

CORNERS = np.array(list(itertools.product((0, 1), repeat=3)))
EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
MIDDLES = np.array([(CORNERS[a] + CORNERS[b]) / 2 for a, b in EDGES])
FACES = [
    [far, far | one, far | one | other, far | other]
    for one, other, across in ((1, 2, 4), (1, 4, 2), (2, 4, 1))
    for far in (0, across)
]
SPACINGS = np.array([(1, 1, 1), (1, 2.3, 0.7), (1.9, 0.6, 1), (0.5, 1, 3.1), (2.2, 1.3, 0.8)])


def measure(coefficients, mask, spacing=(1.0, 1.0, 1.0)):
    """Area and signed volume that PyRadiomics finds in an array as it is, without a border around it."""
    return coefficients(np.ascontiguousarray(mask, np.int8), np.array(spacing, float))[:2]


def corners_of(pattern):
    return np.array([pattern >> bit & 1 for bit in range(8)], np.int8).reshape(2, 2, 2)


def measure_cell(coefficients, pattern):
    """Areas at all spacings; volume seen from the cell's first corner, and how it grows with the cell's z, y and x."""
    cell = corners_of(pattern)
    areas = [measure(coefficients, cell, spacing)[0] for spacing in SPACINGS]
    here = measure(coefficients, cell)[1]
    slopes = []
    for axis in range(3):
        before = np.zeros((2, 2, 2), np.int8).swapaxes(0, axis)
        np.moveaxis(before, axis, 0)[1] = np.moveaxis(cell, axis, 0)[0]
        shared = np.concatenate([np.take(before, [0], axis), cell], axis)
        slopes.append(measure(coefficients, shared)[1] - measure(coefficients, before)[1] - here)
    return np.array(areas), np.array([here, *slopes])


def loops_of(pattern):
    """All ways to join the crossed edges of a cell: lists of loops, each a list of edges."""
    options = []
    for face in FACES:
        sides = [tuple(sorted((face[i], face[(i + 1) % 4]))) for i in range(4)]
        cut = [EDGES.index(side) for side in sides if (pattern >> side[0] ^ pattern >> side[1]) & 1]
        if len(cut) == 4:
            options.append([[cut[:2], cut[2:]], [cut[1:3], [cut[3], cut[0]]]])
        elif cut:
            options.append([[cut]])
    for choice in itertools.product(*options):
        yield trace([segment for face in choice for segment in face])


def trace(segments):
    """Loops through segments that share their ends in twos."""
    joined = defaultdict(list)
    for number, (a, b) in enumerate(segments):
        joined[a].append((number, b))
        joined[b].append((number, a))
    loops, used = [], set()
    for start in sorted(joined):
        loop, at = [], start
        while True:
            step = next(((number, to) for number, to in joined[at] if number not in used), None)
            if step is None:
                break
            loop.append(at)
            used.add(step[0])
            at = step[1]
        if loop:
            loops.append(loop)
    return loops


def triangulations(loop):
    """All ways to cut a loop into triangles, in its sense of rotation."""
    if len(loop) < 3:
        return [[]]
    return [
        [*left, (loop[0], loop[k], loop[-1]), *right]
        for k in range(1, len(loop) - 1)
        for left in triangulations(loop[: k + 1])
        for right in triangulations(loop[k:])
    ]


def vectors_of(triangles):
    points = MIDDLES[np.array(triangles)]
    return np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]) / 2


def areas_of(triangles):
    """The areas that `measure_cell` gives, for triangles."""
    return np.array([np.linalg.norm(vectors_of(triangles) * s.prod() / s, axis=1).sum() for s in SPACINGS])


def volumes_of(triangles):
    """The volumes that `measure_cell` gives, for triangles."""
    points = MIDDLES[np.array(triangles)]
    volume = (points[:, 0] * np.cross(points[:, 1], points[:, 2])).sum() / 6
    return np.array([volume, *vectors_of(triangles).sum(axis=0) / 3])


def derive(coefficients, pattern):
    """The triangles of a pattern, as letters of its edges, three a triangle; LookupError where none would do."""
    areas, volumes = measure_cell(coefficients, pattern)
    for loops in loops_of(pattern):
        for parts in itertools.product(*map(triangulations, loops)):
            if not np.allclose(areas_of([t for part in parts for t in part]), areas, atol=1e-9):
                continue
            for turns in itertools.product((1, -1), repeat=len(parts)):
                triangles = [t[::turn] for part, turn in zip(parts, turns, strict=True) for t in part]
                if np.allclose(volumes_of(triangles), volumes, atol=1e-9):
                    return "".join("abcdefghijkl"[edge] for triangle in triangles for edge in triangle)
    raise LookupError(f"no triangles measure like pattern {pattern}")


if __name__ == "__main__":
    from radiomics import cShape

    words = [derive(cShape.calculate_coefficients, pattern) for pattern in range(1, 128)]
    print("\n".join(textwrap.wrap(" ".join(words), 116)))
