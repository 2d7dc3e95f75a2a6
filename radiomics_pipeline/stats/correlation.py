"""Rank correlations between all columns, and of all columns with one outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtri, stdtr
from scipy.stats import rankdata

from radiomics_pipeline.kernels.ranks import rank_correlation
from radiomics_pipeline.stats.delong import patient_codes


@dataclass(frozen=True)
class Correlations:
    """Spearman's rank correlation of features with an outcome; all arrays [columns].

    rho : float64, NaN where either is constant; lower, upper : float64, 95 % interval
    p : float64, two-sided; n : int64, rows with a value
    """

    rho: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p: np.ndarray
    n: np.ndarray


def spearman_columns(values: np.ndarray, against: np.ndarray, groups: np.ndarray | None = None) -> Correlations:
    """Spearman's rank correlation of every column with one outcome.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    against : float64 [rows]
    groups : of each row the patient, where patients have several rows

    p equals `scipy.stats.spearmanr` (t with n - 2 degrees of freedom). Interval: Fisher's transform with the standard
    error of Bonett and Wright (Psychometrika 2000;65:23, doi 10.1007/BF02294183), which needs more than 3 rows. With
    groups p is that of the score test whose variance comes from the patients' sums (the ranks' products summed), and
    the interval's standard error is the infinitesimal jackknife over patients. No interval where |rho| is 1.
    """
    codes, n_groups = patient_codes(groups, len(against))
    columns = np.array(np.transpose(values), np.float64, order="C")
    out = rank_correlation(columns, np.array(against, np.float64), codes, n_groups)
    rho, n = out[:, 0], out[:, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.maximum(n - 2, 1)
        p = np.minimum(2 * stdtr(freedom, -np.abs(rho) * np.sqrt(freedom / (1 - rho**2))), 1.0)
        p = np.where(n > 2, p, np.nan)
        error = np.where(n > 3, np.sqrt((1 + rho**2 / 2) / (n - 3)), np.nan)
        if groups is not None:
            p = np.where(np.isnan(out[:, 2]), np.nan, chdtrc(1, np.nan_to_num(out[:, 2])))
            error = np.sqrt(out[:, 1]) / (1 - rho**2)
        reach = np.where((np.abs(rho) < 1) & (error > 0), float(ndtri(0.975)) * error, np.nan)
        middle = np.arctanh(rho)
        return Correlations(rho, np.tanh(middle - reach), np.tanh(middle + reach), p, n.astype(np.int64))


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
