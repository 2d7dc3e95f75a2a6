"""How often each combination of a grey level and another whole number occurs: matrices without their 0s."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.distribution import entropy


@dataclass(frozen=True)
class Counts:
    """The entries of a matrix of grey level by number that are not 0; features are sums over them.

    levels, numbers : float64 [entries], grey level, and a size, distance or dependence from 1, sorted by both
    counts : float64 [entries], how often they occur together
    n_voxels : number of voxels that the matrix is made of
    """

    levels: np.ndarray
    numbers: np.ndarray
    counts: np.ndarray
    n_voxels: int

    @cached_property
    def total(self) -> float:
        """Sum of all entries."""
        return float(self.counts.sum())

    @cached_property
    def shares(self) -> np.ndarray:
        """Entries over their sum."""
        return self.counts / self.total

    @cached_property
    def level_squares(self) -> np.ndarray:
        """Squared grey level of each entry."""
        return self.levels * self.levels

    @cached_property
    def number_squares(self) -> np.ndarray:
        """Squared number of each entry."""
        return self.numbers * self.numbers

    @cached_property
    def shares_by_low_level(self) -> np.ndarray:
        """Share of each entry over its squared grey level."""
        return self.shares / self.level_squares

    @cached_property
    def shares_by_high_level(self) -> np.ndarray:
        """Share of each entry times its squared grey level."""
        return self.shares * self.level_squares

    @cached_property
    def level_variance(self) -> float:
        """Variance of the grey level."""
        return self._variance(self.levels)

    @cached_property
    def number_variance(self) -> float:
        """Variance of the number."""
        return self._variance(self.numbers)

    def _variance(self, values: np.ndarray) -> float:
        deviations = values - (self.shares * values).sum()
        return float((self.shares * deviations * deviations).sum())

    @cached_property
    def level_uniformity(self) -> float:
        """Sum over grey levels of the squared sum of their entries."""
        return _sum_of_squares(self.levels, self.counts)

    @cached_property
    def number_uniformity(self) -> float:
        """Sum over numbers of the squared sum of their entries."""
        order = np.argsort(self.numbers, kind="stable")
        return _sum_of_squares(self.numbers[order], self.counts[order])

    @cached_property
    def entropy(self) -> float:
        """Shannon entropy of the shares, in bits."""
        return entropy(self.shares)


def _sum_of_squares(keys: np.ndarray, counts: np.ndarray) -> float:
    """Sum over keys, which are sorted, of the squared sum of their counts."""
    sums = np.add.reduceat(counts, _starts(keys))
    return float((sums * sums).sum())


def _starts(keys: np.ndarray) -> np.ndarray:
    """Index of the first of each group of equal keys; keys are sorted."""
    first = np.empty(len(keys), bool)
    first[0] = True
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return first.nonzero()[0]


def count_alike(columns: Sequence[np.ndarray], counts: np.ndarray | None = None) -> tuple[list[np.ndarray], np.ndarray]:
    """The different rows of some columns, sorted by the first column, then the next, and how often each occurs.

    columns : whole numbers [rows] each, from 0, one row at least; the product of their ranges lies below 2**63
    counts : int64 [rows], how often each row stands for; once where not given
    """
    ranges = [int(column.max()) + 1 for column in columns]
    if math.prod(ranges) >= 2**63:
        raise OverflowError(f"{' x '.join(map(str, ranges))} combinations exceed the range of numbers")
    keys = columns[0].astype(np.int64)
    for column, n in zip(columns[1:], ranges[1:], strict=True):
        keys *= n
        keys += column
    if counts is None:
        keys.sort()
        starts = _starts(keys)
        found = np.diff(starts, append=len(keys))
    else:
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = _starts(keys)
        found = np.add.reduceat(counts[order], starts)
    rest = keys[starts]
    parts = []
    for n in ranges[:0:-1]:
        rest, part = np.divmod(rest, n)
        parts.append(part)
    return [rest, *parts[::-1]], found
