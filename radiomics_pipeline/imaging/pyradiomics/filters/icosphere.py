"""Points spread evenly over a sphere: an icosahedron whose triangles are divided."""

from __future__ import annotations

from itertools import combinations

import numpy as np


def icosphere(radius: float, divisions: int) -> np.ndarray:
    """Corners (x, y, z) of an icosahedron whose triangles are divided in four so many times; float64 [corners, 3].

    After each division all corners are moved to the radius; their order and rounding are those of trimesh's.
    """
    corners, faces = _icosahedron()
    if not divisions:
        return _pushed(corners, radius)
    for _ in range(divisions):
        edges = sorted({edge for face in faces for edge in combinations(sorted(face), 2)}, key=lambda edge: edge[::-1])
        middle = {edge: len(corners) + k for k, edge in enumerate(edges)}
        corners = _pushed(np.concatenate([corners, [(corners[a] + corners[b]) / 2 for a, b in edges]]), radius)
        faces = [quarter for face in faces for quarter in _quarters(face, middle)]
    return corners


def _icosahedron() -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """The twelve corners at radius 1, and the triangles between nearest ones."""
    golden = (1 + 5**0.5) / 2
    short, long = np.array([1, golden]) / np.sqrt(1 + golden**2)
    flat = [(-short, long, 0), (short, long, 0), (-short, -long, 0), (short, -long, 0)]
    corners = np.array([np.roll(corner, k) for k in range(3) for corner in flat])

    def close(a: int, b: int) -> bool:
        return bool(np.linalg.norm(corners[a] - corners[b]) < 2.1 * short)

    threes = combinations(range(len(corners)), 3)
    return corners, [face for face in threes if all(close(a, b) for a, b in combinations(face, 2))]


def _pushed(corners: np.ndarray, radius: float) -> np.ndarray:
    """Points moved outwards or inwards to a distance from the middle."""
    lengths = np.sqrt((corners**2).sum(axis=1))[:, np.newaxis]
    return np.asarray(corners + corners / lengths * (radius - lengths))


def _quarters(face: tuple[int, ...], middle: dict[tuple[int, int], int]) -> list[tuple[int, ...]]:
    """The triangle at each corner, and the one between the middles of the edges."""
    a, b, c = sorted(face)
    ab, ac, bc = middle[a, b], middle[a, c], middle[b, c]
    return [(a, ab, ac), (ab, b, bc), (ac, bc, c), (ab, bc, ac)]
