"""What of each feature follows from the lesion's volume, taken off."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.steps.usable import ROUNDING, is_measured

TRANSFORMS = ("log", "none")
LINES = ("least-squares", "huber")
HUBER = 1.345
"""Residual, in robust standard deviations, from which a row's weight falls: 95 % efficient on normal errors."""
MAD = 0.6744897501960817
"""Median absolute deviation of a standard normal distribution."""
MOST_ROUNDS = 200


class Residualise(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Residuals from a line on the (log) volume, whose slope and intercept come from training rows.

    transform_volume : "log" (volumes must be above 0) or "none"
    line : "least-squares", or "huber" (Huber's weights, spread from the median absolute residual)

    Left as they are: a column that is the volume itself or follows from it, or from its logarithm, by a line
    (`volume_`), as nothing but rounding would be left of it; and a column of at most two different training values
    (codes). A line is drawn on beyond the volumes of training. Without a volume, or where it is the same in all
    training rows, nothing is taken off.
    """

    context: ClassVar[tuple[str, ...]] = ("volume",)

    def __init__(
        self,
        transform_volume: Literal["log", "none"] = "log",
        line: Literal["least-squares", "huber"] = "least-squares",
    ) -> None:
        self.transform_volume = transform_volume
        self.line = line

    def fit(self, X: Any, y: Any = None, *, volume: Any = None) -> Residualise:
        """Fit a line to every column.

        volume : float [rows], in any unit; None: nothing is taken off
        slope_, intercept_ : float64 [columns], 0 for columns left alone; volume_ : bool [columns], the volume itself
        """
        for value, known in ((self.transform_volume, TRANSFORMS), (self.line, LINES)):
            if value not in known:
                raise ParamsError(f"{value!r} is not one of {', '.join(known)}")
        X = validate_data(self, X, dtype=np.float64)
        self.slope_, self.intercept_ = np.zeros(X.shape[1]), np.zeros(X.shape[1])
        self.volume_ = np.zeros(X.shape[1], np.bool_)
        self.without_volume_ = volume is None
        if volume is None:
            return self
        raw = self._checked(volume, len(X))
        size = self._on_scale(raw)
        if np.ptp(size) <= ROUNDING * np.abs(size).max():
            return self
        self.volume_ = _follows(X, raw) | _follows(X, size)
        fitted = is_measured(X) & ~self.volume_
        slope, intercept = _least_squares(X[:, fitted], size, np.ones((len(X), 1)))
        if self.line == "huber":
            slope, intercept = _huber(X[:, fitted], size, slope, intercept)
        self.slope_[fitted], self.intercept_[fitted] = slope, intercept
        return self

    def transform(self, X: Any, *, volume: Any = None) -> np.ndarray:
        """Residuals, float64 [rows, columns]; TableError where a volume is missing, or not above 0 under a log."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if (volume is None) != self.without_volume_:
            before = "without" if self.without_volume_ else "with"
            raise TableError(f"residuals were fitted {before} volumes; here they are {'not ' * (volume is None)}given")
        if volume is None or not self.slope_.any():
            return np.asarray(X - self.intercept_)
        size = self._on_scale(self._checked(volume, len(X)))
        return np.asarray(X - self.intercept_ - np.outer(size, self.slope_))

    def _checked(self, volume: Any, n_rows: int) -> np.ndarray:
        """Volumes, float64 [rows]."""
        raw = np.asarray(volume, np.float64)
        if raw.shape != (n_rows,):
            raise TableError(f"volume: {raw.shape} values for {n_rows} rows; give one for each row")
        wrong = ~np.isfinite(raw) | ((raw <= 0) & (self.transform_volume == "log"))
        if wrong.any():
            raise TableError(
                f"{int(wrong.sum())} of {n_rows} rows have no volume{' above 0' * (self.transform_volume == 'log')}; "
                "measure it, leave these rows out, or leave residualisation out"
            )
        return raw

    def _on_scale(self, raw: np.ndarray) -> np.ndarray:
        return np.asarray(np.log(raw)) if self.transform_volume == "log" else raw


def _follows(X: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Columns that lie on a line over `size` to 10 digits of r^2, bool [columns]; constant ones do not."""
    slope, intercept = _least_squares(X, size, np.ones((len(X), 1)))
    left = ((X - intercept - np.outer(size, slope)) ** 2).sum(axis=0)
    total = ((X - X.mean(axis=0)) ** 2).sum(axis=0)
    level = np.sqrt(total / len(X)) <= ROUNDING * np.abs(X).max(axis=0)
    return np.asarray((left <= ROUNDING * total) & ~level)


def _least_squares(X: np.ndarray, size: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and intercept of every column, float64 [columns]; weight : float64 [rows, columns] or [rows, 1]."""
    total = weight.sum(axis=0)
    middle, level = (weight * size[:, None]).sum(axis=0) / total, (weight * X).sum(axis=0) / total
    away = size[:, None] - middle
    squares = (weight * away**2).sum(axis=0)
    slope = (weight * away * (X - level)).sum(axis=0) / np.where(squares > 0, squares, np.inf)
    return slope, level - slope * middle


def _huber(X: np.ndarray, size: np.ndarray, slope: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Iteratively reweighted from the line of least squares; a column whose spread falls to 0 stays where it is."""
    running = np.arange(X.shape[1])
    slope, intercept = slope.copy(), intercept.copy()
    for _ in range(MOST_ROUNDS):
        rest = X[:, running] - intercept[running] - np.outer(size, slope[running])
        spread = np.median(np.abs(rest), axis=0) / MAD
        going = spread > ROUNDING * np.abs(X[:, running]).max(axis=0)
        running, rest, spread = running[going], rest[:, going], spread[going]
        weight = HUBER * spread / np.maximum(np.abs(rest), HUBER * spread)
        new_slope, new_intercept = _least_squares(X[:, running], size, weight)
        moved = np.abs(new_intercept - intercept[running] + np.outer(size, new_slope - slope[running])).max(axis=0)
        slope[running], intercept[running] = new_slope, new_intercept
        running = running[moved > 1e-9 * spread]
        if not len(running):
            break
    return slope, intercept
