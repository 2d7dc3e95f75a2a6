"""Slow twins of what is counted by direction: pairs and runs, their histograms, and the features of runs."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from tests.naive import STEPS, count_pairs, entropy, voxels

IN_PLANE = [step for step in STEPS if step[0] == 0]


def matrices(levels, aggregation):
    """One (levels [z, y, x], steps) for each matrix of the aggregation."""
    space, way = aggregation.split(":")
    steps = STEPS if space == "3D" else IN_PLANE
    parts = [levels[z : z + 1] for z in range(len(levels)) if levels[z].any()] if space == "2D" else [levels]
    return [(part, chosen) for part in parts for chosen in ([steps] if way == "mrg" else [[step] for step in steps])]


def with_highest(levels, highest):
    """The same pairs and one voxel of the highest level, too far from the others to be in a pair."""
    wider = np.pad(levels, ((0, 0), (0, 0), (0, 2)))
    wider[0, 0, -1] = highest
    return wider


def count_groups(levels, steps, groups, n_groups, n_levels):
    found = [np.zeros((n_levels, n_levels), int) for _ in range(n_groups)]
    for step, group in zip(steps, groups, strict=True):
        found[group] = found[group] + count_pairs(levels, step, n_levels)
    return np.array(found)


def fold(counts, levels):
    """Of one matrix plus its transpose: maximum, sum of squares, entropy; shares by level, difference and sum."""
    n = len(levels)
    p = (counts + counts.T) / (2 * counts.sum())
    by_level, by_difference, by_sum = Counter(), Counter(), Counter()
    for i in range(n):
        for j in range(n):
            if p[i, j]:
                by_level[float(levels[i])] += p[i, j]
                by_difference[float(abs(levels[i] - levels[j]))] += p[i, j]
                by_sum[float(levels[i] + levels[j])] += p[i, j]
    joint = [p.max(), (p**2).sum(), entropy(p.ravel())]
    return joint, by_level, by_difference, by_sum


def count_runs(levels, steps):
    """Counter of (level, length): from each voxel that follows none of its level, walk on while the level stays."""
    runs = Counter()
    inside = {at: int(levels[at]) for at in voxels(levels)}
    for step in steps:
        for start, level in inside.items():
            if inside.get(tuple(i - d for i, d in zip(start, step, strict=True))) == level:
                continue
            at, length = start, 0
            while inside.get(at) == level:
                length += 1
                at = tuple(i + d for i, d in zip(at, step, strict=True))
            runs[level, length] += 1
    return runs


def run_features(levels, steps):
    """The 16 run-length features by name, from one matrix over the given steps."""
    runs = count_runs(levels, steps)
    n, n_voxels = sum(runs.values()), len(voxels(levels)) * len(steps)
    by_level, by_length = Counter(), Counter()
    for (i, j), count in runs.items():
        by_level[i] += count
        by_length[j] += count
    mean_level = sum(c * i for (i, _), c in runs.items()) / n
    mean_length = sum(c * j for (_, j), c in runs.items()) / n
    grey = sum(c * c for c in by_level.values())
    long = sum(c * c for c in by_length.values())
    return {
        "ShortRunEmphasis": sum(c / j**2 for (_, j), c in runs.items()) / n,
        "LongRunEmphasis": sum(c * j**2 for (_, j), c in runs.items()) / n,
        "LowGreyLevelRunEmphasis": sum(c / i**2 for (i, _), c in runs.items()) / n,
        "HighGreyLevelRunEmphasis": sum(c * i**2 for (i, _), c in runs.items()) / n,
        "ShortRunLowGreyLevelEmphasis": sum(c / i**2 / j**2 for (i, j), c in runs.items()) / n,
        "ShortRunHighGreyLevelEmphasis": sum(c * i**2 / j**2 for (i, j), c in runs.items()) / n,
        "LongRunLowGreyLevelEmphasis": sum(c / i**2 * j**2 for (i, j), c in runs.items()) / n,
        "LongRunHighGreyLevelEmphasis": sum(c * i**2 * j**2 for (i, j), c in runs.items()) / n,
        "GreyLevelNonUniformity": grey / n,
        "NormalisedGreyLevelNonUniformity": grey / n**2,
        "RunLengthNonUniformity": long / n,
        "NormalisedRunLengthNonUniformity": long / n**2,
        "RunPercentage": n / n_voxels,
        "GreyLevelVariance": sum(c * (i - mean_level) ** 2 for (i, _), c in runs.items()) / n,
        "RunLengthVariance": sum(c * (j - mean_length) ** 2 for (_, j), c in runs.items()) / n,
        "RunEntropy": entropy(c / n for c in runs.values()),
    }


def mean_of(values):
    """Mean of each feature over matrices; NaN where it is NaN in one of them."""
    return {name: math.fsum(v[name] for v in values) / len(values) for name in values[0]}
