"""Firth's logistic regression of many columns, each by itself or beside adjusting columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri

from radiomics_pipeline.kernels.firth import firth_added


@dataclass(frozen=True)
class FirthColumns:
    """One model a column: a constant, the adjusting columns and the column; all arrays float64 [columns].

    coefficient : log odds ratio per standard deviation of the column in its rows; standard_error : from the information
    lower, upper : ends of the profile interval; infinite where the profile never falls so far
    p : penalised likelihood ratio test
    converged : bool, whether estimate, test and interval solve the modified score equations

    NaN where there is no model.
    """

    coefficient: np.ndarray
    standard_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p: np.ndarray
    converged: np.ndarray


def firth_columns(
    values: np.ndarray,
    event: np.ndarray,
    *,
    adjust: np.ndarray | None = None,
    used: np.ndarray | None = None,
    level: float = 0.95,
) -> FirthColumns:
    """Firth's regression of every column, as `stats.firth.firth_logistic` gives one by one.

    values : float64 [rows, columns], a NaN cell leaves its row out of that column's model; event : bool [rows]
    adjust : float64 [rows, k], columns that every model has; a row with a NaN among them is left out
    used : bool [columns, k], which of them (see `stats.partial.adjusters`); None for all
    level : of the intervals

    Firth, Biometrika 1993;80:27, doi 10.1093/biomet/80.1.27; Heinze and Schemper, Stat Med 2002;21:2409,
    doi 10.1002/sim.1047. NaN where rows are no more than coefficients or of one class, or the column is constant or a
    sum of the adjusting ones.
    """
    columns = np.array(np.asarray(values, np.float64).T, order="C")
    others = np.zeros((0, columns.shape[1])) if adjust is None else np.asarray(adjust, np.float64).T
    chosen = np.ones((len(columns), len(others)), np.bool_) if used is None else np.asarray(used, np.bool_)
    drop = float(chdtri(1, 1 - level)) / 2
    # copies, so that the kernel has one signature: writable and in C order
    out = firth_added(
        columns, np.array(event, np.bool_), np.array(others, order="C"), np.array(chosen, order="C"), drop
    )
    p = np.where(np.isnan(out[:, 4]), np.nan, chdtrc(1, np.nan_to_num(out[:, 4])))
    return FirthColumns(out[:, 0], out[:, 1], out[:, 2], out[:, 3], p, out[:, 6] == 1)
