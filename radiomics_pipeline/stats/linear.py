"""Straight lines through many features, one model each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import fdtrc

from radiomics_pipeline.kernels.added import NUMBER
from radiomics_pipeline.stats.partial import Added, fit_added


def linear_test(
    values: np.ndarray,
    y: np.ndarray,
    *,
    adjust: np.ndarray | None = None,
    used: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Added:
    """F test of every column in a linear model of its own, alone or beside adjusting columns.

    values, adjust, used : as in `stats.logistic.logistic_lrt`; y : float64 [rows], finite
    groups : of each row the patient, where patients have several: then p is that of the robust score test

    F is the likelihood ratio in its exact form. Equals statsmodels' OLS. Coefficients are in the unit of y per standard
    deviation of the column; `gain` is n / 2 times the log of the ratio of the squares left.
    """
    number = np.asarray(y, np.float64)
    scale = float(number.std()) or 1.0
    found, out = fit_added(
        NUMBER, values, time=(number - number.mean()) / scale, adjust=adjust, used=used, groups=groups
    )
    left = -2.0 * out[:, 7]
    freedom = found.freedom
    exact = left <= 1e-20 * out[:, 5]
    with np.errstate(divide="ignore", invalid="ignore"):
        f = 2.0 * out[:, 2] / (left / freedom)
        gain = out[:, 5] / 2 * np.log1p(2.0 * out[:, 2] / left)
        error = found.standard_error * scale * (1.0 if groups is not None else np.sqrt(left / freedom))
        p = found.p if groups is not None else fdtrc(1.0, freedom, f)
    undefined = (freedom <= 0) | np.isnan(left)
    if groups is None:
        p = np.where(exact, 0.0, p)
    blank = np.where(undefined, np.nan, 1.0)
    reasons = tuple(
        r or ("as many columns as rows" if u else "") for r, u in zip(found.reasons, undefined, strict=True)
    )
    return replace(
        found,
        coefficient=found.coefficient * scale * blank,
        standard_error=error * blank,
        gain=gain * blank,
        p=p * blank,
        reasons=reasons,
    )
