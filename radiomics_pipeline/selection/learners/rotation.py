"""Columns turned into as few as the rows can tell apart, without loss for models that do not change under rotation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST = 1e-7
"""Directions whose spread is below this share of the largest are left out: rows do not differ along them."""


@dataclass(frozen=True)
class Rotation:
    """Principal axes of centred rows.

    scores : float64 [rows, axes], centred, columns orthogonal, largest first
    axes : float64 [columns, axes], orthonormal
    mean : float64 [columns]
    """

    scores: np.ndarray
    axes: np.ndarray
    mean: np.ndarray

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Scores of other rows, float64 [rows, axes]."""
        return np.asarray((X - self.mean) @ self.axes)

    def back(self, weights: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients [..., columns] and intercepts [...] of X from those of the scores, [..., axes] and [...]."""
        coefficients = weights @ self.axes.T
        return coefficients, intercept - coefficients @ self.mean


def rotate(X: np.ndarray) -> Rotation:
    """Principal axes of X, float64 [rows, columns]; by the products of rows where columns are more than rows."""
    mean = X.mean(axis=0)
    centred = X - mean
    if X.shape[1] <= X.shape[0]:
        left, size, right = np.linalg.svd(centred, full_matrices=False)
        kept = size > SMALLEST * max(float(size.max(initial=0.0)), 1e-300)
        return _signed(left[:, kept] * size[kept], right[kept].T, mean)
    squares, left = np.linalg.eigh(centred @ centred.T)
    places = np.flatnonzero(squares > SMALLEST**2 * max(float(squares[-1]), 1e-300))[::-1]
    sizes = np.sqrt(squares[places])
    return _signed(left[:, places] * sizes, centred.T @ (left[:, places] / sizes), mean)


def _signed(scores: np.ndarray, axes: np.ndarray, mean: np.ndarray) -> Rotation:
    """Each axis turned so that its largest weight is positive: the library's sign does not matter."""
    if not axes.shape[1]:  # all rows are alike: one axis along which none differs
        return Rotation(np.zeros((len(scores), 1)), np.zeros((len(mean), 1)), mean)
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    sign = np.where(largest < 0, -1.0, 1.0)
    scores, axes = scores * sign, axes * sign
    return Rotation(np.ascontiguousarray(scores), np.ascontiguousarray(axes), mean)
