"""Setting aside columns that hold too little to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import TableError

ROUNDING = 1e-10
"""Spread, relative to the largest value, below which differences are rounding."""


def filled_share(values: np.ndarray) -> np.ndarray:
    """Share of rows with a value, float64 [columns], of float64 [rows, columns]."""
    return np.asarray(1.0 - np.isnan(values).mean(axis=0))


def same_share(values: np.ndarray) -> np.ndarray:
    """Share of a column's values that are its most frequent one, float64 [columns]; 1 where there is none.

    Equal values are the same; a column whose values all differ by rounding only (1e-10 of the largest) is one value.
    """
    ordered = np.sort(values, axis=0)
    counts = (~np.isnan(values)).sum(axis=0)
    run = np.ones(values.shape[1])
    longest = np.ones(values.shape[1])
    for row in range(1, len(ordered)):
        run = np.where(ordered[row] == ordered[row - 1], run + 1, 1)
        longest = np.maximum(longest, run)
    last = ordered[np.maximum(counts - 1, 0), np.arange(values.shape[1])]
    largest = np.maximum(np.abs(ordered[0]), np.abs(last))
    level = (counts == 0) | (last - ordered[0] <= ROUNDING * largest)
    return np.where(level, 1.0, longest / np.maximum(counts, 1))


def is_measured(values: np.ndarray) -> np.ndarray:
    """Columns with three different values or more, bool [columns], of float64 [rows, columns].

    The others are constants or codes (a sex, an indicator of missing cells): nothing to harmonise, or to fit a line to.
    """
    lowest, highest = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    return np.asarray(((values > lowest) & (values < highest)).any(axis=0))


class DropUnusable(SelectorMixin, BaseEstimator):
    """Drop columns that are mostly missing or nearly constant; missing cells are allowed.

    Where no column is filled as asked, as can be in a small training part, those filled best are kept.

    min_filled : smallest share of rows with a value
    max_same : largest share of the values that may be one and the same
    """

    def __init__(self, min_filled: float = 0.8, max_same: float = 0.95) -> None:
        self.min_filled = min_filled
        self.max_same = max_same

    def fit(self, X: Any, y: Any = None) -> DropUnusable:
        """Find the usable columns; TableError where there is none."""
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        filled, varied = filled_share(X), same_share(X) <= self.max_same
        enough = min(self.min_filled, float(np.max(filled[varied], initial=0.0)))
        self.support_ = varied & (filled >= enough)
        if not self.support_.any():
            raise TableError(f"all {X.shape[1]} columns are nearly constant or empty in {len(X)} rows")
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(self.support_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
