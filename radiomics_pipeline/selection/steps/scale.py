"""Columns brought to a common scale, safely."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.steps.usable import ROUNDING, is_measured

METHODS = ("z", "robust", "yeo-johnson")
STRONGEST = 6.0
"""Distance of a power from 1 (none) past which it makes a column all but two-valued, or overflows."""
POWER_CLIP = 3.0
FURTHEST = 1e30
"""z score, of a new row, up to which no such power overflows; its result lies past every limit."""
QUARTILES = 1.3489795003921634
"""Distance between the quartiles of a standard normal distribution."""
GOLDEN = 0.6180339887498949


def scaler(method: Literal["z", "robust", "yeo-johnson"] = "z", clip: float | None = 3.0) -> Scale:
    """The unfitted scaler of that name."""
    if method not in METHODS:
        raise ParamsError(f"scale {method!r} is not one of {', '.join(METHODS)}")
    return Scale(method, clip)


class Scale(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """The usual scalers, fitted to training rows, made safe for columns and rows that are not as expected.

    method : "z" (StandardScaler); "robust" (as RobustScaler: median, and quartiles' distance in units of a normal
        distribution's standard deviation; where the quartiles are equal, mean and standard deviation); "yeo-johnson"
        (as PowerTransformer, for all columns at once, on z scores, so that units do not matter; then z again. The
        power is left out for columns of at most two different values, and where the likeliest is 6 or more from 1)
    clip : how far beyond the range of the training rows, in scaled units (standard deviations), a value may come out;
        past it, it is set to that limit. So one wild value of a new row moves a linear prediction by a bounded amount.
        Training rows are never touched. None: no limit, but powers keep one of 3

    Constant columns become 0. Missing cells stay missing.
    """

    def __init__(self, method: Literal["z", "robust", "yeo-johnson"] = "z", clip: float | None = 3.0) -> None:
        self.method = method
        self.clip = clip

    def fit(self, X: Any, y: Any = None) -> Scale:
        """Learn levels, scales, powers and ranges.

        mean_, scale_ : float64 [columns], of the first, linear scaling
        powered_ : bool [columns]; power_, level_, spread_ : float64 [columns], of the power and the scaling after it
        lowest_, highest_ : float64 [columns], limits of scaled values; NaN for a column without values
        """
        if self.method not in METHODS:
            raise ParamsError(f"scale {self.method!r} is not one of {', '.join(METHODS)}")
        if self.clip is not None and not self.clip >= 0:
            raise ParamsError(f"clip {self.clip} is below 0")
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN|Degrees of freedom|Mean of empty", RuntimeWarning)
            plain = StandardScaler().fit(X)
            self.mean_, self.scale_ = plain.mean_.copy(), plain.scale_.copy()
            if self.method == "robust":
                self._robust(X)
            self.powered_ = np.zeros(X.shape[1], np.bool_)
            self.power_, self.level_, self.spread_ = np.ones((3, X.shape[1]))
            if self.method == "yeo-johnson":
                self._power(X)
            scaled = self._scaled(X)
            lowest, highest = np.fmin.reduce(scaled, axis=0), np.fmax.reduce(scaled, axis=0)
        reach = np.where(self.powered_, POWER_CLIP, np.inf) if self.clip is None else self.clip
        self.lowest_, self.highest_ = lowest - reach, highest + reach
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Scaled values, float64 [rows, columns]."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return np.asarray(np.clip(self._scaled(X), self.lowest_, self.highest_))

    def beyond(self, X: Any) -> np.ndarray:
        """Cells that `transform` sets to a limit, bool [rows, columns]: many of them mean another unit or scanner."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        scaled = self._scaled(X)
        return np.asarray((scaled < self.lowest_) | (scaled > self.highest_))

    def _robust(self, X: np.ndarray) -> None:
        percentile = np.nanpercentile if np.isnan(X).any() else np.percentile
        low, middle, high = percentile(X, [25, 50, 75], axis=0)
        wide = high - low > ROUNDING * np.fmax.reduce(np.abs(X), axis=0)
        self.mean_[wide], self.scale_[wide] = middle[wide], (high - low)[wide] / QUARTILES

    def _power(self, X: np.ndarray) -> None:
        """Powers of the columns that take one."""
        z = (X - self.mean_) / self.scale_
        wanted = np.flatnonzero(is_measured(X))
        power = _likeliest_powers(z[:, wanted])
        inside = np.abs(power - 1) < STRONGEST - 1e-3
        moved = _yeo_johnson(z[:, wanted], power)
        level, spread = np.nanmean(moved, axis=0), np.nanstd(moved, axis=0)
        sound = inside & np.isfinite(level) & (spread > ROUNDING * np.fmax.reduce(np.abs(moved), axis=0))
        kept = wanted[sound]
        self.powered_[kept] = True
        self.power_[kept], self.level_[kept], self.spread_[kept] = power[sound], level[sound], spread[sound]

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            z = np.asarray((X - self.mean_) / self.scale_)
        on = self.powered_
        if on.any():
            moved = _yeo_johnson(np.clip(z[:, on], -FURTHEST, FURTHEST), self.power_[on])
            z[:, on] = (moved - self.level_[on]) / self.spread_[on]
        return z

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _yeo_johnson(z: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Yeo and Johnson 2000 (doi 10.1093/biomet/87.4.954), float64 [rows, columns]; power : float64 [columns]."""
    exponent = np.where(z < 0, 2 - power, power)
    growth = np.log1p(np.abs(z))
    plain = np.abs(exponent) < 1e-12
    safe = np.where(plain, 1.0, exponent)
    return np.asarray(np.copysign(np.where(plain, growth, np.expm1(safe * growth) / safe), z))


def _likeliest_powers(z: np.ndarray) -> np.ndarray:
    """Power under which each column is likeliest to be normal, by golden sections between 1 - 6 and 1 + 6."""
    growth = np.nansum(np.copysign(np.log1p(np.abs(z)), z), axis=0)
    given = (~np.isnan(z)).sum(axis=0)

    def likelihood(power: np.ndarray) -> np.ndarray:
        variance = np.nanvar(_yeo_johnson(z, power), axis=0)
        return np.asarray((power - 1) * growth - given / 2 * np.log(np.maximum(variance, 1e-300)))

    low, high = np.full(z.shape[1], 1 - STRONGEST), np.full(z.shape[1], 1 + STRONGEST)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = likelihood(left), likelihood(right)
    for _ in range(40):  # 12 * 0.618^40 is 5e-8: past it the likelihood is level to its last digits
        up = at_left < at_right
        low, high = np.where(up, left, low), np.where(up, high, right)
        new = np.where(up, low + GOLDEN * (high - low), high - GOLDEN * (high - low))
        at_new = likelihood(new)
        left, right = np.where(up, right, new), np.where(up, new, left)
        at_left, at_right = np.where(up, at_right, at_new), np.where(up, at_new, at_left)
    return np.asarray((low + high) / 2)
