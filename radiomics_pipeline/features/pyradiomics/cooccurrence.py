"""Co-occurrence matrices by PyRadiomics' definitions, held as the entries above 0 of one matrix for each direction."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.pyradiomics.level_sizes import EPSILON
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.kernels.pairs import count_pairs, list_entries

FEW_LEVELS = 64
"""Grey levels up to which pairs are always counted in matrices; of more, where cells are no more than this x voxels."""

LARGEST_MATRIX = 512
"""Grey levels above which pairs are sorted instead."""


@dataclass(frozen=True)
class Cooccurrence:
    """The entries above 0 of one matrix or several, sorted by matrix; a symmetric pair of entries stands once.

    matrix : int64 [entries], to which matrix each belongs, 0..count - 1
    first, second : int64 [entries], ranks of the grey levels of a pair, from 0
    p : float64 [entries], share of all pairs of the matrix
    times : how often the entry stands in the matrix: 2 for one of a symmetric pair; float64 [entries]
    levels : float64 [n], grey level of each rank
    n_levels : highest grey level
    symmetric : whether pairs count in both orders
    single : whether there is one matrix, of all directions or the only one, even without a pair; PyRadiomics then takes
        sums and eigenvalues of an empty matrix

    Every property that depends on the matrix is float64 [matrices].
    """

    matrix: np.ndarray
    first: np.ndarray
    second: np.ndarray
    p: np.ndarray
    times: np.ndarray
    count: int
    levels: np.ndarray
    n_levels: int
    symmetric: bool
    single: bool

    def mean(self, values: np.ndarray) -> float:
        """Mean over the matrices of a value given for each."""
        if not self.count:
            raise Undefined("no two voxels of the region are neighbours (or all weigh 0, by weightingNorm)")
        return float(values.sum()) / self.count

    @cached_property
    def parts(self) -> list[slice]:
        """The entries of each matrix."""
        ends = np.searchsorted(self.matrix, np.arange(self.count + 1)).tolist()
        return [slice(*pair) for pair in itertools.pairwise(ends)]

    def over(self, values: np.ndarray) -> np.ndarray:
        """Sum over all entries of each matrix of a value given for each."""
        return np.bincount(self.matrix, weights=values * self.times, minlength=self.count)

    @cached_property
    def shares(self) -> np.ndarray:
        """Share of each entry, both of a symmetric pair together; float64 [entries]."""
        return self.p * self.times

    @cached_property
    def marginals(self) -> tuple[np.ndarray, np.ndarray]:
        """Share of pairs with each level first, and second; each float64 [matrices, n]."""
        n = len(self.levels)
        x, y = (
            np.bincount(self.matrix * n + side, weights=self.shares, minlength=self.count * n).reshape(self.count, n)
            for side in (self.first, self.second)
        )
        return ((x + y) / 2,) * 2 if self.symmetric else (x, y)

    @cached_property
    def product(self) -> np.ndarray:
        """Share that each entry would have if neighbours were independent; float64 [entries]."""
        n = len(self.levels)
        x, y = (side.ravel() for side in self.marginals)
        return x[self.matrix * n + self.first] * y[self.matrix * n + self.second]

    @cached_property
    def _places(self) -> np.ndarray:
        """Grey level of each rank, int64 [n]."""
        return self.levels.astype(np.int64)

    def _collect(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Keys that occur, float64 [keys], and the share of pairs with each, float64 [matrices, keys]."""
        found, place = number(keys)
        cells = self.matrix * len(found) + place
        shares = np.bincount(cells, weights=self.shares, minlength=self.count * len(found))
        return found.astype(np.float64), shares.reshape(self.count, len(found))

    @cached_property
    def difference(self) -> tuple[np.ndarray, np.ndarray]:
        """Absolute level differences that occur, and the share of pairs with each."""
        return self._collect(np.abs(self._places[self.first] - self._places[self.second]))

    @cached_property
    def sum(self) -> tuple[np.ndarray, np.ndarray]:
        """Level sums that occur, and the share of pairs with each."""
        return self._collect(self._places[self.first] + self._places[self.second])

    @cached_property
    def mean_first(self) -> np.ndarray:
        """Mean level of the first partner."""
        return self.marginals[0] @ self.levels

    @cached_property
    def mean_sum(self) -> np.ndarray:
        """Mean of the sum of both levels."""
        values, shares = self.sum
        return shares @ values

    @cached_property
    def variances(self) -> tuple[np.ndarray, np.ndarray]:
        """Variance of the level of the first and of the second partner."""
        x, y = (variance_of(side, self.levels) for side in self.marginals)
        return x, y

    @cached_property
    def joint_entropy(self) -> np.ndarray:
        """Entropy of the matrix in bits (HXY)."""
        return -self.over(self.p * np.log2(self.p + EPSILON))

    @cached_property
    def marginal_entropies(self) -> tuple[np.ndarray, np.ndarray]:
        """Entropy in bits of the level of the first and of the second partner (HX, HY)."""
        x, y = (entropy_of(side) for side in self.marginals)
        return x, y

    def cluster(self, power: int) -> np.ndarray:
        """Mean power, 2 to 4, of the level sum's deviation from its mean."""
        values, shares = self.sum
        deviations = values - self.mean_sum[:, np.newaxis]
        squares = deviations * deviations
        rest = (1.0, deviations, squares)[power - 2]
        return (squares * rest * shares).sum(axis=1)


def cooccurrence(sample: PyradiomicsSample) -> list[Cooccurrence]:
    """The co-occurrence matrices of the directions with a pair, or the sum of them."""
    assert sample.levels is not None
    settings, levels = sample.settings, sample.levels
    n, steps = len(levels.present), sample.steps
    merged, symmetric = settings.weighting_norm is not None, settings.symmetrical_glcm
    weights = np.ones(len(steps))
    if settings.weighting_norm not in (None, "no_weighting"):
        weights = np.exp(-(settings.lengths_mm(steps, sample.spacing_mm) ** 2))
    if n <= FEW_LEVELS or (n <= LARGEST_MATRIX and n * n <= FEW_LEVELS * np.count_nonzero(sample.mask)):
        direction, cells, counts = _count(levels.ranks, steps, n, symmetric)
    else:
        direction, cells, counts = _list(levels.ranks, steps, n, symmetric)
    if merged:
        cells, place = np.unique(cells, return_inverse=True)
        counts = np.bincount(place, weights=counts * weights[direction], minlength=len(cells))
        cells, counts = cells[counts > 0], counts[counts > 0]  # long steps may weigh 0
        direction = np.zeros(len(cells), np.int64)
    matrix = number(direction)[1]
    p = counts / np.bincount(matrix, weights=counts)[matrix]
    first, second = np.divmod(cells, n)
    times = np.ones(len(p))
    if symmetric:
        times[first < second] = 2
        p /= times
    values, single = levels.present.astype(np.float64), merged or len(steps) == 1
    count = int(matrix[-1]) + 1 if len(matrix) else 0
    return [Cooccurrence(matrix, first, second, p, times, count, values, levels.count, symmetric, single)]


def _count(ranks: np.ndarray, steps: np.ndarray, n: int, symmetric: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs that occur, counted in matrices: direction, n first + second (ranks from 0), number; int64 [entries].

    symmetric : of each pair and its reverse the one is counted that has the lower rank first
    """
    counts = count_pairs(ranks, steps, np.arange(len(steps)), len(steps), n)
    direction, first, second, number = list_entries(counts, symmetric)
    return direction, n * first + second, number


def _list(ranks: np.ndarray, steps: np.ndarray, n: int, symmetric: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same, sorted instead: where most cells of the matrices would be empty, it needs less time and memory."""
    found = []
    for k, step in enumerate(steps):
        here = tuple(slice(max(0, -d), max(0, size - max(0, d))) for d, size in zip(step, ranks.shape, strict=True))
        there = tuple(slice(max(0, d), max(0, size - max(0, -d))) for d, size in zip(step, ranks.shape, strict=True))
        first, second = ranks[here].ravel(), ranks[there].ravel()
        both = np.flatnonzero((first > 0) & (second > 0))
        first, second = first[both].astype(np.int64) - 1, second[both].astype(np.int64) - 1
        if symmetric:
            first, second = np.minimum(first, second), np.maximum(first, second)
        pair, counts = np.unique(first * n + second, return_counts=True)
        found.append((np.full(len(pair), k), pair, counts))
    direction, pair, counts = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return direction, pair, counts


def number(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The keys that occur, ascending, and the place of each of `keys` among them; keys are whole numbers from 0."""
    held = np.bincount(keys)
    found = np.flatnonzero(held)
    held[found] = np.arange(len(found))
    return found, held[keys]


def variance_of(shares: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Variance of `values` [n] for each row of shares [matrices, n]."""
    mean = (shares @ values)[:, np.newaxis]
    return (shares * (values - mean) ** 2).sum(axis=1)


def entropy_of(shares: np.ndarray) -> np.ndarray:
    """Entropy in bits of each row of shares [matrices, n], with PyRadiomics' epsilon."""
    return -(shares * np.log2(shares + EPSILON)).sum(axis=1)
