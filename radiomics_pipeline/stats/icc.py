"""Intraclass correlation of many columns at once, from subjects that were each measured several times.

Shrout and Fleiss 1979 (doi 10.1037/0033-2909.86.2.420); intervals McGraw and Wong 1996 (doi 10.1037/1082-989X.1.1.30).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.stats import f as f_distribution

from radiomics_pipeline.errors import ParamsError

Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
"""One-way random; two-way random, absolute agreement; two-way mixed, consistency: of one measurement, or of k."""
FORMS: tuple[str, ...] = get_args(Form)
BLOCK = 256
"""Columns worked on at once."""
ROUNDING = 1e-10
"""Range, relative to the largest value, below which differences are rounding."""


@dataclass(frozen=True)
class IntraclassCorrelation:
    """One number a column, float64 [columns].

    value : at most 1, can be below 0; NaN where fewer than two subjects are complete, or all values are the same
    lower, upper : two-sided interval
    f, df1, df2, p : test that the value is 0; f is infinite where measurements of a subject do not differ
    subjects : complete ones, int64
    """

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    f: np.ndarray
    df1: np.ndarray
    df2: np.ndarray
    p: np.ndarray
    subjects: np.ndarray


@dataclass(frozen=True)
class _Squares:
    """Mean squares float64 [columns] of n subjects (float64 [columns]) measured k times each."""

    n: np.ndarray
    k: int
    subjects: np.ndarray
    within: np.ndarray
    raters: np.ndarray
    error: np.ndarray


def intraclass_correlation(
    values: np.ndarray, form: Form = "2,1", *, confidence: float = 0.95
) -> IntraclassCorrelation:
    """Intraclass correlation of every column.

    values : float64 [subjects, measurements, columns]; of each column, subjects with a missing cell are left out
    confidence : of the two-sided interval; its lower bound alone holds with (1 + confidence) / 2
    raises : ParamsError for an unknown form, or fewer than two measurements
    """
    if form not in FORMS:
        raise ParamsError(f"intraclass correlation {form!r} is not one of {', '.join(FORMS)}")
    if values.ndim != 3 or values.shape[1] < 2:
        raise ParamsError(f"intraclass correlation needs [subjects, 2 or more measurements, columns]: {values.shape}")
    out = np.full((7, values.shape[2]), np.nan)
    subjects = np.zeros(values.shape[2], np.int64)
    for start in range(0, values.shape[2], BLOCK):
        block = slice(start, start + BLOCK)
        squares, usable = _squares(np.asarray(values[:, :, block], np.float64))
        subjects[block] = squares.n
        with np.errstate(divide="ignore", invalid="ignore"):
            out[:, block] = np.where(usable, _estimate(squares, form, confidence), np.nan)
    value, lower, upper, f, df1, df2, p = out
    return IntraclassCorrelation(value, lower, upper, f, df1, df2, p, subjects)


def _squares(values: np.ndarray) -> tuple[_Squares, np.ndarray]:
    """Mean squares, and in which columns there is something to compare."""
    k = values.shape[1]
    complete = ~np.isnan(values).any(axis=1)
    cells = np.broadcast_to(complete[:, None, :], values.shape)
    n = complete.sum(axis=0).astype(np.float64)
    highest = np.max(values, axis=(0, 1), initial=-np.inf, where=cells)
    lowest = np.min(values, axis=(0, 1), initial=np.inf, where=cells)
    usable = (n >= 2) & (highest - lowest > ROUNDING * np.maximum(np.abs(highest), np.abs(lowest)))
    cells_n = np.maximum(n, 1) * k
    x = np.where(cells, values, 0.0)
    x = np.where(cells, x - x.sum(axis=(0, 1)) / cells_n, 0.0)
    x = np.where(cells, x - x.sum(axis=(0, 1)) / cells_n, 0.0)  # again: the first mean is rounded
    of_subject, of_rater = x.mean(axis=1), x.sum(axis=0) / np.maximum(n, 1)
    rest = np.where(cells, x - of_subject[:, None, :] - of_rater, 0.0)
    raters = n * (of_rater**2).sum(axis=0)
    error = (rest**2).sum(axis=(0, 1))
    df = np.where(usable, n - 1, 1.0)
    squares = _Squares(
        n=n,
        k=k,
        subjects=k * (of_subject**2).sum(axis=0) / df,
        within=(raters + error) / (np.where(usable, n, 1.0) * (k - 1)),
        raters=raters / (k - 1),
        error=error / (df * (k - 1)),
    )
    return squares, usable


def _estimate(s: _Squares, form: Form, confidence: float) -> np.ndarray:
    """value, lower, upper, f, df1, df2, p; float64 [7, columns]."""
    model, several = form[0], form[2] == "k"
    noise = s.within if model == "1" else s.error
    df1 = s.n - 1
    df2 = s.n * (s.k - 1) if model == "1" else df1 * (s.k - 1)
    f = s.subjects / noise
    high = (1 + confidence) / 2
    if model == "2":
        value, lower, upper = _agreement(s, high)
    else:
        value = (s.subjects - noise) / (s.subjects + (s.k - 1) * noise)
        lower = _of_ratio(f / f_distribution.ppf(high, df1, df2), s.k)
        upper = _of_ratio(f * f_distribution.ppf(high, df2, df1), s.k)
    if several:
        value, lower, upper = (v * s.k / (1 + v * (s.k - 1)) for v in (value, lower, upper))
    return np.stack([value, lower, upper, f, df1, df2, f_distribution.sf(f, df1, df2)])


def _of_ratio(f: np.ndarray, k: int) -> np.ndarray:
    """The intraclass correlation that belongs to a ratio of mean squares; 1 where it is infinite."""
    return np.where(np.isinf(f), 1.0, (f - 1) / (f + k - 1))


def _agreement(s: _Squares, high: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ICC(2,1) and its interval; the degrees of freedom of the mixed mean square are Satterthwaite's."""
    n, k = s.n, s.k
    value = (s.subjects - s.error) / (s.subjects + (k - 1) * s.error + k * (s.raters - s.error) / n)
    # both sides of Satterthwaite's ratio times the error's square: defined where the error is 0, too
    of_raters, of_error = k * value * s.raters, (n * (1 + (k - 1) * value) - k * value) * s.error
    v = (k - 1) * (n - 1) * (of_raters + of_error) ** 2 / ((n - 1) * of_raters**2 + of_error**2)
    v = np.where(np.isfinite(v) & (v > 0), v, (n - 1) * (k - 1))
    mixed = k * s.raters + (k * n - k - n) * s.error
    below, above = f_distribution.ppf(high, n - 1, v), f_distribution.ppf(high, v, n - 1)
    lower = n * (s.subjects - below * s.error) / (below * mixed + n * s.subjects)
    upper = n * (above * s.subjects - s.error) / (mixed + n * above * s.subjects)
    return value, lower, upper
