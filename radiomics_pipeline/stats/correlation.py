"""Rank correlations between all columns."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def fill_median(values: np.ndarray) -> np.ndarray:
    """Missing cells replaced by their column's median; float64 [rows, columns]. An empty column becomes 0."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    filled = values.copy()
    for column in np.flatnonzero(missing.any(axis=0)):
        gaps = missing[:, column]
        filled[gaps, column] = 0.0 if gaps.all() else np.median(values[~gaps, column])
    return filled


def spearman_matrix(values: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of every pair of columns, float64 [columns, columns].

    values : float64 [rows, columns]; missing cells take their column's median, as in the pipelines.
    A constant column correlates with none (0).

    Doubled mid-ranks less their mean are whole numbers, so sums of their products are exact below 2^53
    (some 100 000 rows): the result depends neither on the order of rows and columns nor on the number of threads.
    """
    n_rows = len(values)
    ranks = 2.0 * rankdata(fill_median(values), axis=0) - (n_rows + 1)
    products = ranks.T @ ranks
    squares = np.diagonal(products).copy()
    squares[squares == 0] = np.inf
    rho = np.clip(products / np.sqrt(np.outer(squares, squares)), -1, 1)
    np.fill_diagonal(rho, 1.0)
    return rho
