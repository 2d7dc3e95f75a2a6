"""The maximal correlation coefficient of co-occurrence matrices: their second largest singular values, when scaled."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from radiomics_pipeline.features.pyradiomics.cooccurrence import Cooccurrence, number
from radiomics_pipeline.features.pyradiomics.level_sizes import EPSILON
from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.kernels.eigenvalues import second_magnitudes

LARGEST_SMALL = 64
"""Grey levels up to which all matrices are solved at once; LAPACK is quicker with larger ones."""

LARGEST_FULL = 512
"""Grey levels up to which all eigenvalues of a matrix are found; of larger ones, the one that is asked for."""

LARGEST_SOLVED = 2048
"""Grey levels up to which all are found where the search for one fails."""

SEARCH = 300
"""Restarts of the search for one eigenvalue; those of a lesion take some tens."""


def second_values(m: Cooccurrence) -> np.ndarray:
    """Second largest singular value of each matrix S = p / sqrt(p_x p_y): Q has the eigenvalues of S S^T.

    That PyRadiomics' epsilon stands under the root here alike for rows and columns differs from Q in its second order.
    Returns float64 [matrices].
    """
    scaled = m.p / np.sqrt(m.product + EPSILON)
    if m.symmetric and len(m.levels) <= LARGEST_SMALL:
        return second_magnitudes(m.matrix, m.first, m.second, scaled, m.count, len(m.levels))
    return np.array([_second_value(m, part, scaled[part]) for part in m.parts])


def _second_value(m: Cooccurrence, part: slice, scaled: np.ndarray) -> float:
    """The same of one matrix."""
    first, second = m.first[part], m.second[part]
    if m.symmetric:
        mirrored = first < second
        first, second = np.append(first, second[mirrored]), np.append(second, first[mirrored])
        scaled = np.append(scaled, scaled[mirrored])
    (rows, first), (columns, second) = number(first), number(second)
    shape = len(rows), len(columns)
    if min(shape) < 2:
        return 0.0
    if max(shape) > LARGEST_FULL:
        x, y = (np.sqrt(side[m.matrix[part.start]]) for side in m.marginals)
        with suppress(ArpackNoConvergence):
            return _largest_value_without(csr_array((scaled, (first, second)), shape=shape), x[rows], y[columns])
        if max(shape) > LARGEST_SOLVED:
            raise Undefined(f"its eigenvalues lie too close together for a search among {max(shape)} grey levels")
    full = np.zeros(shape, order="F")
    full[first, second] = scaled
    if not m.symmetric:
        return float(np.linalg.svd(full, compute_uv=False)[1])
    _, diagonal, beside, _, _ = lapack.dsytrd(full, lower=1, overwrite_a=1)
    lowest, below = (lapack.dstebz(diagonal, beside, 2, 0, 0, k, k, 0.0, "E")[1][0] for k in (1, shape[0] - 1))
    return float(max(abs(lowest), abs(below)))


def _largest_value_without(matrix: csr_array, x: np.ndarray, y: np.ndarray) -> float:
    """Largest singular value of a sparse matrix whose largest, of vectors x and y, is taken away."""
    turned = matrix.T.tocsr()

    def square(v: np.ndarray) -> np.ndarray:
        """The symmetric matrix that has the squared singular values."""
        w = matrix @ v - x * (y @ v)
        return turned @ w - y * (x @ w)

    operator = LinearOperator((len(y), len(y)), square, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=len(y))
    return float(np.sqrt(max(eigsh(operator, k=1, v0=start, maxiter=SEARCH, return_eigenvectors=False)[0], 0.0)))
