"""Cells without a value: filled with what the training rows show, or refused."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError, TableError, some
from radiomics_pipeline.selection.columns import INDICATOR

STRATEGIES = ("median", "refuse")


class Impute(TransformerMixin, BaseEstimator):
    """Missing cells take their column's median over the training rows, or are refused.

    A column without any value in the training rows is 0 in all rows, training and new ones alike: nothing was learned
    of it, so nothing may follow from it (`empty_`; `DropUnusable` sets such columns aside before).

    strategy : "median", or "refuse": TableError where a cell is missing, in training or new rows
    indicator : add a column of zeros and ones for each column with gaps in some, not all, training rows, named
        missing_<name>, after the others. Later steps treat it as what it is, a code: ComBat and residualisation leave
        columns of two values alone, equal ones fall into one cluster of the redundancy filter, scaling applies.
    """

    def __init__(self, strategy: Literal["median", "refuse"] = "median", indicator: bool = False) -> None:
        self.strategy = strategy
        self.indicator = indicator

    def fit(self, X: Any, y: Any = None) -> Impute:
        """Learn the medians.

        median_ : float64 [columns], 0 where a column is empty; empty_ : bool [columns];
        indicated_ : int64, positions of the columns that get an indicator
        """
        if self.strategy not in STRATEGIES:
            raise ParamsError(f"strategy {self.strategy!r} is not one of {', '.join(STRATEGIES)}")
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        missing = np.isnan(X)
        if self.strategy == "refuse":
            self._refuse(missing)
        self.empty_ = missing.all(axis=0)
        self.median_ = np.zeros(X.shape[1])
        self.median_[~self.empty_] = np.nanmedian(X[:, ~self.empty_], axis=0)
        partly = missing.any(axis=0) & ~self.empty_
        self.indicated_ = np.flatnonzero(partly) if self.indicator else np.zeros(0, np.int64)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Filled cells, then the indicators; float64 [rows, columns + indicators]."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        missing = np.isnan(X)
        if self.strategy == "refuse":
            self._refuse(missing)
        filled = np.where(missing | self.empty_, self.median_, X)
        return np.hstack([filled, missing[:, self.indicated_].astype(np.float64)])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns, then missing_<name> of those with an indicator."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        added = [f"{INDICATOR}{names[c]}" for c in self.indicated_]
        return np.concatenate([names, np.array(added, dtype=object)])

    def _refuse(self, missing: np.ndarray) -> None:
        """TableError where a cell is missing."""
        if not missing.any():
            return
        names = getattr(self, "feature_names_in_", [f"x{c}" for c in range(missing.shape[1])])
        columns, rows = np.flatnonzero(missing.any(axis=0)), np.flatnonzero(missing.any(axis=1))
        raise TableError(
            f"{int(missing.sum())} cells have no value, in columns {some(names[c] for c in columns)}; rows "
            f"{some(rows)} (counted from 0). Fill or leave out these rows or columns, or impute medians "
            "(strategy='median')"
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.strategy == "median"
        return tags
