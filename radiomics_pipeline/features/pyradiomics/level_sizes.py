"""Matrices of grey levels by size: the form that run lengths, size zones and dependences share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.registry import Undefined

EPSILON = np.spacing(1.0)
"""Added by PyRadiomics to every probability before its logarithm (2.2e-16)."""


@dataclass(frozen=True)
class LevelSizes:
    """How many runs, zones or dependences have a grey level and a size, in one matrix or several.

    counts : float64 [matrices, levels, sizes], no matrix empty
    levels, sizes : float64 [levels], [sizes], all from 1
    voxels : float64 [matrices], how many voxels each matrix speaks of

    Every property that depends on the matrix is float64 [matrices].
    """

    counts: np.ndarray
    levels: np.ndarray
    sizes: np.ndarray
    voxels: np.ndarray

    def mean(self, values: np.ndarray) -> float:
        """Mean over the matrices of a value given for each."""
        if not len(self.counts):
            raise Undefined("there is no direction in which two voxels of the region lie on one line")
        return float(values.sum()) / len(values)

    @cached_property
    def by_level(self) -> np.ndarray:
        """Number of each grey level, whatever the size; float64 [matrices, levels]."""
        return self.counts.sum(axis=2)

    @cached_property
    def by_size(self) -> np.ndarray:
        """Number of each size, whatever the grey level; float64 [matrices, sizes]."""
        return self.counts.sum(axis=1)

    @cached_property
    def total(self) -> np.ndarray:
        """Number of all."""
        return self.by_size.sum(axis=1)

    @cached_property
    def _moments(self) -> np.ndarray:
        """Means of level^a size^b for a, b of (-2, 0, 2); float64 [matrices, 3, 3]."""
        by_levels = np.stack([self.levels**-2, np.ones_like(self.levels), self.levels**2])
        by_sizes = np.stack([self.sizes**-2, np.ones_like(self.sizes), self.sizes**2], axis=1)
        return by_levels @ (self.counts @ by_sizes) / self.total[:, None, None]

    def emphasis(self, *, level: int = 0, size: int = 0) -> float:
        """Mean of level^`level` size^`size`, each power one of -2, 0 and 2."""
        return self.mean(self._moments[:, level // 2 + 1, size // 2 + 1])

    def level_non_uniformity(self, power: int) -> float:
        """Sum of the squared numbers of each level, over the number of all to the `power`."""
        return self.mean((self.by_level**2).sum(axis=1) / self.total**power)

    def size_non_uniformity(self, power: int) -> float:
        """Sum of the squared numbers of each size, over the number of all to the `power`."""
        return self.mean((self.by_size**2).sum(axis=1) / self.total**power)

    def level_variance(self) -> float:
        """Variance of the grey level."""
        return self.mean(_variance(self.by_level / self.total[:, None], self.levels))

    def size_variance(self) -> float:
        """Variance of the size."""
        return self.mean(_variance(self.by_size / self.total[:, None], self.sizes))

    def entropy(self) -> float:
        """Entropy in bits of the shares of level and size, with PyRadiomics' epsilon."""
        p = self.counts / self.total[:, None, None]
        return self.mean(-(p * np.log2(p + EPSILON)).sum(axis=(1, 2)))

    def percentage(self) -> float:
        """Number of all over the number of voxels."""
        return self.mean(self.total / self.voxels)


def _variance(shares: np.ndarray, values: np.ndarray) -> np.ndarray:
    mean = (shares * values).sum(axis=1, keepdims=True)
    return (shares * (values - mean) ** 2).sum(axis=1)
