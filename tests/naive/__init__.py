"""Slow twins of the kernels and matrices: plain loops over voxels, written from the definitions.

Arrays are [z, y, x]. Nothing here is shared with the package.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

STEPS = [
    (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 1), (0, 1, -1), (1, 0, 1), (1, 0, -1),
    (1, 1, 0), (1, -1, 0), (1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1),
]  # fmt: skip


def voxels(mask):
    return [tuple(int(i) for i in at) for at in zip(*np.nonzero(mask), strict=True)]


def count_pairs(levels, step, n_levels):
    counts = [[0] * n_levels for _ in range(n_levels)]
    inside = {at: int(levels[at]) for at in voxels(levels)}
    for at, first in inside.items():
        second = inside.get(tuple(i + d for i, d in zip(at, step, strict=True)), 0)
        if second:
            counts[first - 1][second - 1] += 1
    return np.array(counts)


def cooccurrence_features(levels, steps):
    """The 25 features by name, from one dense symmetric matrix over the given steps."""
    n = int(levels.max())
    counts = sum(count_pairs(levels, step, n) for step in steps)
    p = (counts + counts.T) / (2 * counts.sum())
    cells = [(i, j, p[i - 1, j - 1]) for i in range(1, n + 1) for j in range(1, n + 1)]
    row = [p[i].sum() for i in range(n)]
    mu = sum(i * q for i, _, q in cells)
    var = sum((i - mu) ** 2 * q for i, _, q in cells)
    diff = [sum(q for i, j, q in cells if abs(i - j) == k) for k in range(n)]
    total = {k: sum(q for i, j, q in cells if i + j == k) for k in range(2, 2 * n + 1)}
    diff_mu = sum(k * q for k, q in enumerate(diff))
    hxy = entropy([q for _, _, q in cells])
    hx = entropy(row)
    hxy1 = -sum(q * math.log2(row[i - 1] * row[j - 1]) for i, j, q in cells if q > 0)
    hxy2 = -sum(a * b * math.log2(a * b) for a in row for b in row if a * b > 0)
    found = {
        "JointMaximum": p.max(),
        "JointAverage": mu,
        "JointVariance": var,
        "JointEntropy": hxy,
        "DifferenceAverage": diff_mu,
        "DifferenceVariance": sum((k - diff_mu) ** 2 * q for k, q in enumerate(diff)),
        "DifferenceEntropy": entropy(diff),
        "SumAverage": sum(k * q for k, q in total.items()),
        "SumVariance": sum((k - 2 * mu) ** 2 * q for k, q in total.items()),
        "SumEntropy": entropy(total.values()),
        "AngularSecondMoment": (p**2).sum(),
        "Contrast": sum((i - j) ** 2 * q for i, j, q in cells),
        "Dissimilarity": sum(abs(i - j) * q for i, j, q in cells),
        "InverseDifference": sum(q / (1 + abs(i - j)) for i, j, q in cells),
        "NormalisedInverseDifference": sum(q / (1 + abs(i - j) / n) for i, j, q in cells),
        "InverseDifferenceMoment": sum(q / (1 + (i - j) ** 2) for i, j, q in cells),
        "NormalisedInverseDifferenceMoment": sum(q / (1 + (i - j) ** 2 / n**2) for i, j, q in cells),
        "InverseVariance": 2 * sum(q / (i - j) ** 2 for i, j, q in cells if j > i),
        "Correlation": (sum(i * j * q for i, j, q in cells) - mu**2) / var if var else math.nan,
        "Autocorrelation": sum(i * j * q for i, j, q in cells),
        "ClusterTendency": sum((i + j - 2 * mu) ** 2 * q for i, j, q in cells),
        "ClusterShade": sum((i + j - 2 * mu) ** 3 * q for i, j, q in cells),
        "ClusterProminence": sum((i + j - 2 * mu) ** 4 * q for i, j, q in cells),
        "InformationCorrelation1": (hxy - hxy1) / hx if hx else math.nan,
        "InformationCorrelation2": math.sqrt(max(0.0, 1 - math.exp(-2 * (hxy2 - hxy)))),
    }
    return {name: float(value) for name, value in found.items()}


def entropy(shares):
    return -sum(q * math.log2(q) for q in shares if q > 0)


def count_cells(mask):
    """Number of cells of each corner pattern, and the sum of their x indices."""
    found = np.zeros((256, 2), int)
    nz, ny, nx = mask.shape
    for z, y, x in itertools.product(range(nz - 1), range(ny - 1), range(nx - 1)):
        corners = [mask[z + dz, y + dy, x + dx] for dz in (0, 1) for dy in (0, 1) for dx in (0, 1)]
        pattern = sum(int(inside) << bit for bit, inside in enumerate(corners))
        if pattern:
            found[pattern] += (1, x)
    return found


def surface_points(mask):
    """The points half-way between each voxel inside and each neighbour by a face outside, in half voxels."""
    inside = set(voxels(mask))
    return {
        tuple(2 * i + d for i, d in zip(at, step, strict=True))
        for at in inside
        for step in [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, -1), (0, -1, 0), (-1, 0, 0)]
        if tuple(i + d for i, d in zip(at, step, strict=True)) not in inside
    }


def sum_moments(mask):
    """Sums of 1, z, y, x, zz, yy, xx, zy, zx, yx."""
    return [
        sum(part(z, y, x) for z, y, x in voxels(mask))
        for part in (
            lambda z, y, x: 1,
            lambda z, y, x: z,
            lambda z, y, x: y,
            lambda z, y, x: x,
            lambda z, y, x: z * z,
            lambda z, y, x: y * y,
            lambda z, y, x: x * x,
            lambda z, y, x: z * y,
            lambda z, y, x: z * x,
            lambda z, y, x: y * x,
        )
    ]


def largest_distance(points):
    return max(math.dist(a, b) for a in points for b in points)


def moran_and_geary(intensities, mask, spacing_mm):
    """Moran's I and Geary's C by the sums over all pairs of voxels."""
    at = voxels(mask)
    x = [float(intensities[v]) for v in at]
    places = [tuple(i * s for i, s in zip(v, spacing_mm, strict=True)) for v in at]
    mean = math.fsum(x) / len(x)
    squares = math.fsum((value - mean) ** 2 for value in x)
    weights, products, differences = [], [], []
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                w = 1 / math.dist(places[i], places[j])
                weights.append(w)
                products.append(w * (x[i] - mean) * (x[j] - mean))
                differences.append(w * (x[i] - x[j]) ** 2)
    total = math.fsum(weights)
    moran = len(x) / total * math.fsum(products) / squares
    return moran, (len(x) - 1) / (2 * total) * math.fsum(differences) / squares


def mesh(mask, spacing_mm):
    """Volume and area by summing over the triangles of scikit-image's marching cubes on the whole mask."""
    from skimage.measure import marching_cubes

    points, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5)
    a, b, c = (points.astype(float) * spacing_mm)[faces].transpose(1, 0, 2)
    volume = abs((a * np.cross(b, c)).sum()) / 6
    return volume, np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
