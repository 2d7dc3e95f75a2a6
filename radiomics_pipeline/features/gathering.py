"""What texture families gather their matrices over, and histograms of many matrices at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.types import Levels

STEPS_3D = np.array([step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)], np.int64)
"""One of each two opposite steps (dz, dy, dx) to the 26 neighbours; int64 [13, 3]."""

STEPS_2D = np.ascontiguousarray(STEPS_3D[STEPS_3D[:, 0] == 0])
"""One of each two opposite steps (0, dy, dx) to the 8 neighbours in the slice; int64 [4, 3]."""


def slices_of(levels: Levels) -> list[Levels]:
    """The slices [1, y, x] of the region that hold a voxel, in order, each with the region's number of levels."""
    held = np.flatnonzero(levels.array.any(axis=(1, 2)))
    return [Levels(levels.array[z : z + 1], levels.count) for z in held]


@dataclass(frozen=True)
class Gathering:
    """How the matrices of a directional family are gathered.

    parts : the slices, or the whole region; each has matrices of its own
    steps : int64 [m, 3], the directions
    groups : int64 [m], which matrix of its part each direction belongs to, 0 .. n_groups - 1, ascending
    """

    parts: Sequence[Levels]
    steps: np.ndarray
    groups: np.ndarray

    @property
    def n_groups(self) -> int:
        """Number of matrices of one part."""
        return int(self.groups[-1]) + 1

    def blocks(self, size: int) -> list[tuple[np.ndarray, np.ndarray, int]]:
        """Steps, groups from 0, and number of groups, for at most `size` (at least 1) matrices at a time."""
        if size >= self.n_groups:
            return [(self.steps, self.groups, self.n_groups)]
        found = []
        for first in range(0, self.n_groups, max(size, 1)):
            chosen = (self.groups >= first) & (self.groups < first + max(size, 1))
            groups = self.groups[chosen] - first
            found.append((self.steps[chosen], groups, int(groups[-1]) + 1))
        return found


def gather(levels: Levels, aggregation: str) -> Gathering:
    """The matrices of one of the six aggregations of directional families.

    2D:avg (BTW3) a matrix a slice and direction; 2D:mrg (SUJT) a slice; 2.5D:avg (JJUI) a direction in plane;
    2.5D:mrg (ZW7Z) one of all directions in plane; 3D:avg (ITBB) a direction; 3D:mrg (IAZD) one of all directions.
    Features are averaged over the matrices.
    """
    space, _, way = aggregation.partition(":")
    if space not in ("2D", "2.5D", "3D") or way not in ("avg", "mrg"):
        raise ValueError(f"no such aggregation: {aggregation!r}")
    steps = STEPS_3D if space == "3D" else STEPS_2D
    groups = np.arange(len(steps)) if way == "avg" else np.zeros(len(steps), np.int64)
    return Gathering(slices_of(levels) if space == "2D" else [levels], steps, groups)


def ranks_of(levels: Levels) -> np.ndarray:
    """The ranks of the levels as a kernel takes them: int32 [z, y, x], in C-order, read-only."""
    ranks = levels.ranks
    ranks.flags.writeable = False  # also where they are an array of their own: one compiled signature serves both
    return ranks


@dataclass(frozen=True)
class Bins:
    """One histogram for each of several matrices, end to end, without empty bins.

    values, shares : float64 [bins], what is counted, and its share in all that the matrix counts
    starts : int64 [matrices], the first bin of each
    """

    values: np.ndarray
    shares: np.ndarray
    starts: np.ndarray

    def mean_of(self, numbers: np.ndarray) -> np.ndarray:
        """Mean in each matrix of a number given for each bin; float64 [matrices]."""
        return np.add.reduceat(numbers * self.shares, self.starts)

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean value in each matrix; float64 [matrices]."""
        return self.mean_of(self.values)

    @cached_property
    def mean_square(self) -> np.ndarray:
        """Mean squared value in each matrix; float64 [matrices]."""
        return self.mean_of(self.values**2)

    def deviations(self, centre: np.ndarray) -> np.ndarray:
        """Each value less the centre [matrices] of its matrix; float64 [bins]."""
        if len(self.starts) == 1:
            return self.values - centre
        return self.values - np.repeat(centre, np.diff(self.starts, append=len(self.values)))

    @cached_property
    def variance(self) -> np.ndarray:
        """Variance of the values in each matrix, exactly 0 where there is one; float64 [matrices]."""
        return self.mean_of(self.deviations(self.mean) ** 2)

    @cached_property
    def uniformity(self) -> np.ndarray:
        """Sum of squared shares in each matrix; float64 [matrices]."""
        return self.mean_of(self.shares)

    @cached_property
    def entropy(self) -> np.ndarray:
        """Shannon entropy in bits in each matrix; float64 [matrices]."""
        return -self.mean_of(np.log2(self.shares))


def join_bins(parts: Sequence[Bins]) -> Bins:
    """The histograms of all parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0] + [len(part.values) for part in parts[:-1]])
    return Bins(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.shares for part in parts]),
        np.concatenate([part.starts + offset for part, offset in zip(parts, offsets, strict=True)]),
    )


def average(numbers: np.ndarray) -> float:
    """Mean over matrices [matrices]; the same in whatever order they come."""
    return math.fsum(numbers.tolist()) / len(numbers)
