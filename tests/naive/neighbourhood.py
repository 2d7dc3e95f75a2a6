"""Slow twins of the neighbourhood sums and of the features of NGTDM."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

from tests.naive.zones import inside, moved


def sum_neighbours(levels, steps, coarseness):
    """Counters by level: voxels with a neighbour, their summed differences; and voxels by (level, dependence)."""
    held = inside(levels)
    both = [*steps, *(tuple(-d for d in step) for step in steps)]
    voxels, deviations, dependences = Counter(), Counter(), Counter()
    for at, level in held.items():
        near = [held[other] for other in (moved(at, step) for step in both) if other in held]
        dependences[level, sum(abs(level - other) <= coarseness for other in near)] += 1
        if near:
            voxels[level] += 1
            deviations[level] += abs(level - Fraction(sum(near), len(near)))
    return voxels, deviations, dependences


def sum_complexity(levels, shares, deviations):
    triples = list(zip(levels, shares, deviations, strict=True))
    return math.fsum(abs(i - j) * (p * s + q * t) / (p + q) for i, p, s in triples for j, q, t in triples)


def difference_features(voxels, deviations):
    """The 5 features of NGTDM by the formulas of the manual; None where it leaves one undefined."""
    total = sum(voxels.values())
    p = {i: Fraction(n, total) for i, n in voxels.items()}
    s = {i: deviations[i] for i in p}
    weighted = sum(p[i] * s[i] for i in p)
    pairs = [(i, j) for i in p for j in p]
    n = len(p)
    spread = sum(abs(i * p[i] - j * p[j]) for i, j in pairs)
    contrast = sum(p[i] * p[j] * (i - j) ** 2 for i, j in pairs) * sum(s.values()) / total
    complexity = sum(abs(i - j) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j]) for i, j in pairs)
    strength = sum((p[i] + p[j]) * (i - j) ** 2 for i, j in pairs)
    busyness = 0.0 if n == 1 else float(weighted / spread) if spread else None
    return {
        "Coarseness": min(1e6, float(1 / weighted)) if weighted else 1e6,
        "Contrast": float(contrast / (n * (n - 1))) if n > 1 else 0.0,
        "Busyness": busyness,
        "Complexity": float(complexity / total),
        "Strength": float(strength / sum(s.values())) if any(s.values()) else 0.0,
    }
