"""Slow twins of zones, of distances to the border, and of the features counted from them."""

from __future__ import annotations

import itertools
import math
from collections import Counter


def inside(array):
    """Value of each voxel that is not 0, by its index."""
    return {at: int(array[at]) for at in itertools.product(*map(range, array.shape)) if array[at]}


def box(reach):
    """Steps to all voxels that touch along the axes of `reach`."""
    return [step for step in itertools.product(*(range(-r, r + 1) for r in reach)) if any(step)]


def moved(at, step):
    return tuple(i + d for i, d in zip(at, step, strict=True))


def find_zones(levels, distances, reach):
    """Sorted (level, size, smallest distance) of each zone, flooded from any of its voxels."""
    left, zones = inside(levels), []
    while left:
        start, level = left.popitem()
        zone, waiting = {start}, [start]
        while waiting:
            at = waiting.pop()
            for other in (moved(at, step) for step in box(reach)):
                if left.get(other) == level:
                    del left[other]
                    zone.add(other)
                    waiting.append(other)
        zones.append((level, len(zone), min(int(distances[at]) for at in zone)))
    return sorted(zones)


def measure_distances(mask, reach):
    """How often the mask can be eroded until a voxel is gone, by voxel (the manual's definition)."""
    faces = [step for step in box(reach) if sum(map(abs, step)) == 1]
    left, distances = set(inside(mask)), Counter()
    while left:
        distances.update(left)
        left = {at for at in left if faces and all(moved(at, step) in left for step in faces)}
    return distances


def matrix_features(matrix, n_voxels):
    """Sums over a matrix {(level i, number j): count}, by what they are in terms of i and j."""
    n = sum(matrix.values())
    by_level, by_number = Counter(), Counter()
    for (i, j), count in matrix.items():
        by_level[i] += count
        by_number[j] += count

    def mean(term):
        return math.fsum(count * term(i, j) for (i, j), count in matrix.items()) / n

    mean_level, mean_number = mean(lambda i, j: i), mean(lambda i, j: j)
    return {
        "1/jj": mean(lambda i, j: 1 / j**2),
        "jj": mean(lambda i, j: j**2),
        "1/ii": mean(lambda i, j: 1 / i**2),
        "ii": mean(lambda i, j: i**2),
        "1/iijj": mean(lambda i, j: 1 / (i * j) ** 2),
        "ii/jj": mean(lambda i, j: (i / j) ** 2),
        "jj/ii": mean(lambda i, j: (j / i) ** 2),
        "iijj": mean(lambda i, j: (i * j) ** 2),
        "level nonuniformity": sum(c**2 for c in by_level.values()) / n,
        "level nonuniformity, normalised": sum(c**2 for c in by_level.values()) / n**2,
        "number nonuniformity": sum(c**2 for c in by_number.values()) / n,
        "number nonuniformity, normalised": sum(c**2 for c in by_number.values()) / n**2,
        "percentage": n / n_voxels,
        "level variance": mean(lambda i, j: (i - mean_level) ** 2),
        "number variance": mean(lambda i, j: (j - mean_number) ** 2),
        "entropy": -math.fsum(c / n * math.log2(c / n) for c in matrix.values()),
        "energy": math.fsum((c / n) ** 2 for c in matrix.values()),
    }
