"""Columns of X as a regression takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def regressors(X: np.ndarray, columns: Sequence[int], text: Sequence[int]) -> np.ndarray:
    """These columns of X, of a text all its categories but one; float64 [rows, columns], NaN where missing.

    X : float64 [rows, all columns]; text : positions of the columns that hold codes of texts
    """
    found, codes = [np.empty((len(X), 0))], set(text)
    for c in columns:
        if c not in codes:
            found.append(X[:, [c]])
            continue
        others = np.unique(X[~np.isnan(X[:, c]), c])[1:]
        found.append(np.where(np.isnan(X[:, [c]]), np.nan, X[:, [c]] == others))
    return np.hstack(found)
