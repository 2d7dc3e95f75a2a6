"""Features that do not come out alike when measured again are dropped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.icc import intraclass_correlation
from radiomics_pipeline.types.arrays import read_only

FORMS = ("1,1", "2,1", "3,1")
FEWEST = 3
"""Subjects below which an intraclass correlation says nothing."""


@dataclass(frozen=True, eq=False)
class Repeats:
    """Measurements again of all rows of a table.

    values : float64 [repeats, rows, columns], NaN where a row was not measured again

    A pipeline is copied for every fold; these values never change, and so are shared by the copies.
    """

    values: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        values = np.asarray(self.values, np.float64)
        if values.ndim != 3:
            raise ParamsError(f"repeats: {values.ndim} dimensions; they are [repeats, rows, columns]")
        object.__setattr__(self, "values", read_only(values))

    def __deepcopy__(self, memo: dict[int, Any]) -> Repeats:
        return self

    def columns(self, keep: np.ndarray) -> Repeats:
        """The columns at these positions, for a step that sees those only."""
        return Repeats(self.values[:, :, keep])


class KeepRobust(SelectorMixin, BaseEstimator):
    """Keep columns whose intraclass correlation between X and its repeats, on the training rows, is high enough.

    Repeats are a second reader's, a retest's, or perturbations of image and mask. Rows count as subjects. Of each
    column, training rows that lack a value in X or in one of the repeats are left out; a repeat without any value in
    the training rows is left out as a whole.

    repeats : `Repeats`, or float64 [repeats, all rows, all columns], NaN where not measured; None: keep every column
    icc : "1,1", "2,1" (absolute agreement) or "3,1" (consistency)
    threshold : smallest value
    bound : what must reach it: the "lower" end of the 95 % interval, or the "value"
    unmeasured : "keep" or "drop" columns with fewer than three complete training rows, or that are constant in them
    """

    context: ClassVar[tuple[str, ...]] = ("row",)

    def __init__(
        self,
        repeats: Any = None,
        icc: Literal["1,1", "2,1", "3,1"] = "2,1",
        threshold: float = 0.75,
        bound: Literal["lower", "value"] = "lower",
        unmeasured: Literal["keep", "drop"] = "keep",
    ) -> None:
        self.repeats = repeats
        self.icc = icc
        self.threshold = threshold
        self.bound = bound
        self.unmeasured = unmeasured

    def fit(self, X: Any, y: Any = None, *, row: Any = None) -> KeepRobust:
        """Find the columns that are measured alike again.

        row : of each row of X its position among all rows of `repeats`; None: X has them all, in their order, where
            there are repeats
        icc_, lower_ : float64 [columns], NaN where unmeasured; subjects_ : int64 [columns], complete training rows
        dropped_ : int64, positions of the columns that are dropped; support_ : bool [columns]
        raises : TableError where no column is left
        """
        self._check_settings()
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        n_columns = X.shape[1]
        self.icc_, self.lower_ = np.full(n_columns, np.nan), np.full(n_columns, np.nan)
        self.subjects_ = np.zeros(n_columns, np.int64)
        self.support_ = np.ones(n_columns, np.bool_)
        if self.repeats is not None:
            self._measure(X, self._training_repeats(X, row))
        self.dropped_ = np.flatnonzero(~self.support_)
        if not self.support_.any():
            raise TableError(
                f"no column is measured alike again: of {n_columns}, the highest {self.bound} of ICC({self.icc}) is "
                f"{np.nanmax(self._judged(), initial=-np.inf):.2f}, {self.threshold:g} is asked for"
            )
        return self

    def _measure(self, X: np.ndarray, again: np.ndarray) -> None:
        """again : float64 [repeats, rows of X, columns]."""
        again = again[~np.isnan(again).all(axis=(1, 2))]
        if len(again):
            found = intraclass_correlation(np.concatenate([X[None], again]).transpose(1, 0, 2), self.icc)
            enough = found.subjects >= FEWEST
            self.subjects_ = found.subjects
            self.icc_, self.lower_ = np.where(enough, found.value, np.nan), np.where(enough, found.lower, np.nan)
        judged = self._judged()
        self.support_ = np.where(np.isnan(judged), self.unmeasured == "keep", judged >= self.threshold)

    def _judged(self) -> np.ndarray:
        return self.lower_ if self.bound == "lower" else self.icc_

    def _training_repeats(self, X: np.ndarray, row: Any) -> np.ndarray:
        """Repeats of the rows of X, float64 [repeats, rows of X, columns]."""
        values = self.repeats.values if isinstance(self.repeats, Repeats) else Repeats(self.repeats).values
        if values.shape[2] != X.shape[1]:
            raise ParamsError(f"repeats have {values.shape[2]} columns, X has {X.shape[1]}; give those of X, in order")
        if row is None:
            if values.shape[1] != len(X):
                raise ParamsError(f"repeats have {values.shape[1]} rows, X has {len(X)}; say which by the column `row`")
            return values
        place = np.asarray(row, np.float64)
        at = place.astype(np.int64) if np.isfinite(place).all() else np.full(len(place), -1)
        if place.shape != (len(X),) or (at != place).any() or at.min() < 0 or at.max() >= values.shape[1]:
            raise ParamsError(f"row: one position among the {values.shape[1]} rows of the repeats for each row of X")
        return values[:, at]

    def _check_settings(self) -> None:
        for value, known in ((self.icc, FORMS), (self.bound, ("lower", "value")), (self.unmeasured, ("keep", "drop"))):
            if value not in known:
                raise ParamsError(f"{value!r} is not one of {'; '.join(known)}")

    def transform(self, X: Any, *, row: Any = None) -> Any:
        """The kept columns; `row` is taken and not looked at, as new rows are not judged."""
        return super().transform(X)

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(self.support_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
