"""Firth's logistic regression of many columns, each by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri

from radiomics_pipeline.kernels.firth import firth_single


@dataclass(frozen=True)
class FirthColumns:
    """One model a column, a constant and the column; all arrays float64 [columns], NaN where there is no model.

    coefficient : log odds ratio per standard deviation of the column in its rows; standard_error : from the information
    lower, upper : ends of the profile interval; infinite where the profile never falls so far
    p : penalised likelihood ratio test
    converged : bool, whether the estimate solves the modified score equations
    """

    coefficient: np.ndarray
    standard_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p: np.ndarray
    converged: np.ndarray


def firth_columns(values: np.ndarray, event: np.ndarray, *, level: float = 0.95) -> FirthColumns:
    """Firth's regression of every column, as `stats.firth.firth_logistic` gives one by one.

    values : float64 [rows, columns], a NaN cell leaves its row out of that column's model; event : bool [rows]
    level : of the intervals

    Firth, Biometrika 1993;80:27, doi 10.1093/biomet/80.1.27; Heinze and Schemper, Stat Med 2002;21:2409,
    doi 10.1002/sim.1047. NaN where rows are fewer than three or of one class, or the column is constant.
    """
    columns = np.array(np.asarray(values, np.float64).T, order="C")
    out = firth_single(columns, np.asarray(event, np.bool_), float(chdtri(1, 1 - level)) / 2)
    p = np.where(np.isnan(out[:, 4]), np.nan, chdtrc(1, np.nan_to_num(out[:, 4])))
    return FirthColumns(out[:, 0], out[:, 1], out[:, 2], out[:, 3], p, out[:, 6] == 1)
