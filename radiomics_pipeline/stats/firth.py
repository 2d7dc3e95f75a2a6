"""Logistic regression with Firth's penalty: finite estimates under separation and rare events.

The log likelihood gains half the log determinant of the information (Jeffreys' prior), which takes the leading bias
off the coefficients: Firth, Biometrika 1993;80:27, doi 10.1093/biomet/80.1.27. Intervals and p values come from the
profile of that penalised likelihood: Heinze and Schemper, Stat Med 2002;21:2409, doi 10.1002/sim.1047.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import chdtrc, chdtri

from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.kernels.firth import LEFT, firth_profile


@dataclass(frozen=True)
class FirthFit:
    """Coefficients, the intercept first; all arrays float64 [columns + 1].

    coefficients : log odds ratios per unit of the column
    standard_errors : from the information at the estimate (unpenalised)
    lower, upper : ends of the profile interval; infinite where the profile never falls so far
    statistic, p : penalised likelihood ratio test of 0, one degree of freedom
    log_likelihood : penalised, at the estimate
    converged : whether estimates, tests and intervals solve the modified score equations
    """

    coefficients: np.ndarray
    standard_errors: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    statistic: np.ndarray
    p: np.ndarray
    log_likelihood: float
    converged: bool


def firth_logistic(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> FirthFit:
    """Firth's logistic regression with profile intervals.

    x : float64 [rows, columns], no missing cells; y : [rows] of 0 and 1, both present; level : of the intervals

    Raises OutcomeError for a single class, TableError where the columns (with the intercept) are linearly dependent
    or as many as the rows.
    """
    x, y = _checked(x, y)
    n, k = x.shape
    centre, scale, z = _standardised(x)
    left, right = np.linalg.qr(z)
    right /= np.sqrt(n)
    if (scale == 0).any() or np.abs(np.diag(right)).min(initial=1.0) < LEFT:
        raise TableError(f"Firth's regression: {k} columns are constant or depend on each other; drop some")
    design = np.hstack([np.ones((n, 1)), left * np.sqrt(n)])
    # row j times the coefficients of the design is the coefficient of column j, of the intercept for j = 0
    back = np.eye(k + 1)
    back[1:, 1:] = solve_triangular(right, np.eye(k)) / scale[:, None]
    back[0, 1:] = -centre @ back[1:, 1:]
    start = np.zeros(k + 1)
    start[0] = np.log(y.mean() / (1 - y.mean()))
    drop = float(chdtri(1, 1 - level)) / 2
    # where the likelihood has several tops, all tests and intervals shall be those of the highest that was found
    start = max((_one(design, y, row, start, 0.0) for row in back), key=lambda pair: float(pair[1][5]))[0]
    found = np.array([_one(design, y, row, start, drop)[1] for row in back])
    value = found[0, 5] + float(np.log(np.abs(np.diag(right)) * scale).sum())
    error, lower, upper, statistic = found[:, 1:5].T.copy()
    estimate = back @ start  # all from one place, so that an intercept far from the rows goes with its slopes
    converged = bool((found[:, 6] == 1).all())
    return FirthFit(estimate, error, lower, upper, statistic, chdtrc(1, statistic), value, converged)


def _one(
    design: np.ndarray, y: np.ndarray, row: np.ndarray, start: np.ndarray, drop: float
) -> tuple[np.ndarray, np.ndarray]:
    """The design's coefficients; estimate, error, ends, statistic, likelihood and convergence of a sum of them.

    A reflection makes that sum, in its own unit, the last coefficient; the model stays the same.
    """
    unit = float(np.sqrt(row @ row))
    mirror = row / unit
    mirror[-1] += 1.0 if mirror[-1] > 0 else -1.0  # away from zero, where digits would be lost
    turn = np.eye(len(row)) - 2 * np.outer(mirror, mirror) / (mirror @ mirror)
    turn[:, -1] = row / unit
    theta, out = firth_profile(np.array((design @ turn).T, order="C"), y, turn.T @ start, drop)
    return turn @ theta, np.concatenate([[theta[-1] * unit], out[:3] * unit, out[3:]])


def firth_coefficients(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Coefficients float64 [columns], intercept, and whether they converged; see `firth_logistic`.

    Of columns that depend on each other the coefficients have the smallest sum of squares (of standardised columns).
    """
    x, y = _checked(x, y)
    centre, scale, z = _standardised(x)
    left, size, right = np.linalg.svd(z, full_matrices=False)
    kept = size > 1e-9 * max(float(size.max(initial=0.0)), 1e-300)
    root = np.sqrt(len(x))
    design = np.array(np.vstack([np.ones(len(x)), left[:, kept].T * root]), order="C")
    theta, out = firth_profile(design, y, np.zeros(len(design)), 0.0)
    slopes = right[kept].T @ (theta[1:] * root / size[kept]) / np.where(scale > 0, scale, 1.0)
    return np.asarray(slopes), float(theta[0] - centre @ slopes), bool(out[5] == 1)


def _checked(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.array(y, np.float64)
    if not np.isin(y, (0.0, 1.0)).all() or y.min() == y.max():
        raise OutcomeError("Firth's regression needs an outcome of 0 and 1, both present")
    if x.shape[1] + 1 >= len(x):
        raise TableError(f"Firth's regression: {x.shape[1]} columns for {len(x)} rows; select fewer columns first")
    return x, y


def _standardised(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, standard deviations and standardised columns; 0 for a constant one, whatever its rounding."""
    centre = x.mean(axis=0)
    centred = x - centre
    rest = centred.mean(axis=0)  # what rounding left in the mean of large numbers
    centre, centred = centre + rest, centred - rest
    scale = np.sqrt((centred**2).mean(axis=0))
    scale = np.where(scale > 1e-13 * np.abs(x).max(axis=0, initial=0.0), scale, 0.0)
    return centre, scale, np.where(scale > 0, centred / np.where(scale > 0, scale, 1.0), 0.0)
