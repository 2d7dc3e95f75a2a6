"""Slow twins of what is described in the box around a voxel: intensities and pairs of grey levels."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np

NAN = math.nan


def box(centre, radius, shape):
    """Indices of the voxels of the box that lie in the image."""
    reach = [range(max(0, c - r), min(n, c + r + 1)) for c, r, n in zip(centre, radius, shape, strict=True)]
    return list(itertools.product(*reach))


def bits(counts):
    """Entropy in bits of counts."""
    total = sum(counts)
    return -sum(c / total * math.log2(c / total) for c in counts)


def describe_intensities(image, levels, counted, centre, radius, shift):
    """The twenty statistics of one box, percentiles at exact ranks."""
    inside = [v for v in box(centre, radius, image.shape) if counted[v]]
    if not inside:
        return [NAN] * 20
    values = sorted(float(image[v]) for v in inside)
    n = len(values)

    def percentile(percent):
        place = Fraction((n - 1) * percent, 100)
        low = place.numerator // place.denominator
        return values[low] if place == low else values[low] + (values[low + 1] - values[low]) * float(place - low)

    def deviation(chosen, centre):
        return sum(abs(a - centre) for a in chosen) / len(chosen) if chosen else NAN

    mean = sum(values) / n
    moments = [sum((a - mean) ** k for a in values) / n for k in (2, 3, 4)]
    low, high = percentile(10), percentile(90)
    inner = [a for a in values if low <= a <= high]
    counts = Counter(int(levels[v]) for v in inside).values()
    return [
        n, sum(values), mean, *moments, sum((a + shift) ** 2 for a in values), sum(a * a for a in values), values[0],
        values[-1], percentile(50), low, percentile(25), percentile(75), high, deviation(values, mean),
        deviation(values, percentile(50)), deviation(inner, sum(inner) / len(inner)) if inner else NAN, bits(counts),
        sum((c / n) ** 2 for c in counts),
    ]  # fmt: skip


def describe_pairs(levels, centre, radius, steps, weights, merged, n_levels, flat):
    """The features of one box: of one matrix, or the means of those of all directions with a pair."""
    inside = {v for v in box(centre, radius, levels.shape) if levels[v]}
    matrices = []
    for step, weight in zip(steps, weights, strict=True):
        matrix = Counter()
        for v in inside:
            other = tuple(a + b for a, b in zip(v, step, strict=True))
            if other in inside:
                first, second = int(levels[v]), int(levels[other])
                matrix[first, second] += weight
                matrix[second, first] += weight
        matrices.append(matrix)
    if merged:
        matrices = [sum(matrices, Counter())]
    found = [features(matrix, n_levels, flat) for matrix in matrices if matrix]
    return np.mean(found, axis=0) if found else np.full(24, NAN)


def features(matrix, n_levels, flat):
    """The features of one symmetric matrix, {(level, level): weight}, by the formulas of the IBSI."""
    total = sum(matrix.values())
    p = {pair: weight / total for pair, weight in matrix.items()}
    alone, apart, together = Counter(), Counter(), Counter()
    for (i, j), share in p.items():
        alone[i] += share
        apart[abs(i - j)] += share
        together[i + j] += share

    def mean(function):
        return sum(share * function(i, j) for (i, j), share in p.items())

    mu, difference = mean(lambda i, j: i), mean(lambda i, j: abs(i - j))
    variance = mean(lambda i, j: (i - mu) ** 2)
    joint, single = bits(p.values()), bits(alone.values())
    one_level = len(alone) == 1
    shared = 2 * single - joint
    return [
        max(p.values()), mu, variance, joint, difference, sum(s * (d - difference) ** 2 for d, s in apart.items()),
        bits(apart.values()), mean(lambda i, j: i + j), mean(lambda i, j: (i + j - 2 * mu) ** 2),
        bits(together.values()), sum(share**2 for share in p.values()), mean(lambda i, j: (i - j) ** 2),
        mean(lambda i, j: 1 / (1 + abs(i - j))), mean(lambda i, j: 1 / (1 + abs(i - j) / n_levels)),
        mean(lambda i, j: 1 / (1 + (i - j) ** 2)), mean(lambda i, j: 1 / (1 + ((i - j) / n_levels) ** 2)),
        mean(lambda i, j: 1 / (i - j) ** 2 if i != j else 0),
        flat[0] if one_level else mean(lambda i, j: (i - mu) * (j - mu)) / variance,
        mean(lambda i, j: i * j), mean(lambda i, j: (i + j - 2 * mu) ** 3), mean(lambda i, j: (i + j - 2 * mu) ** 4),
        flat[1] if one_level else -shared / single,
        0.0 if one_level else math.sqrt(1 - math.exp(-2 * max(shared, 0))),
        flat[2] if one_level else correlation(p, alone),
    ]  # fmt: skip


def correlation(p, alone):
    """Square root of the second largest eigenvalue of Q, Q_ij the sum over k of p_ik p_jk / (p_i p_k)."""
    known = sorted(alone)
    q = [
        [sum(p.get((i, k), 0) * p.get((j, k), 0) / (alone[i] * alone[k]) for k in known) for j in known] for i in known
    ]
    return math.sqrt(max(sorted(np.linalg.eigvals(np.array(q)).real)[-2], 0))
