"""Logistic regression with Firth's penalty: finite estimates under separation and rare events.

The log likelihood gains half the log determinant of the information (Jeffreys' prior), which takes the leading bias
off the coefficients: Firth, Biometrika 1993;80:27, doi 10.1093/biomet/80.1.27. Intervals and p values come from the
profile of that penalised likelihood: Heinze and Schemper, Stat Med 2002;21:2409, doi 10.1002/sim.1047.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2

from radiomics_pipeline.errors import OutcomeError, TableError

MAX_STEP = 5.0
"""Largest change of a coefficient (of a column with standard deviation 1) in one step."""
ITERATIONS = 500
WIDEST = 1e4
"""An interval's end beyond this many standard deviations' worth is given as infinite."""


@dataclass(frozen=True)
class FirthFit:
    """Coefficients, the intercept first; all arrays float64 [columns + 1].

    coefficients : log odds ratios per unit of the column
    standard_errors : from the information at the estimate (unpenalised)
    lower, upper : ends of the profile interval; infinite where the profile never falls so far
    statistic, p : penalised likelihood ratio test of 0, one degree of freedom
    log_likelihood : penalised, at the estimate
    converged : whether the estimate solves the modified score equations
    """

    coefficients: np.ndarray
    standard_errors: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    statistic: np.ndarray
    p: np.ndarray
    log_likelihood: float
    converged: bool


@dataclass(frozen=True)
class _Solution:
    beta: np.ndarray
    value: float
    converged: bool


def firth_logistic(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> FirthFit:
    """Firth's logistic regression with profile intervals.

    x : float64 [rows, columns], no missing cells; y : [rows] of 0 and 1, both present; level : of the intervals

    Raises OutcomeError for a single class, TableError where the columns (with the intercept) are linearly dependent
    or as many as the rows.
    """
    x, y = _checked(x, y)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    if (scale == 0).any() or np.linalg.matrix_rank((x - centre) / np.where(scale == 0, 1, scale)) < x.shape[1]:
        raise TableError(f"Firth's regression: {x.shape[1]} columns are constant or depend on each other; drop some")
    ones = np.ones((len(x), 1))
    centred = np.hstack([ones, (x - centre) / scale])
    plain = np.hstack([ones, x / scale])  # same model and determinant, the intercept itself comes first
    best = _maximise(centred, y)
    slopes = best.beta[1:] / scale
    coefficients = np.concatenate([[best.beta[0] - centre @ slopes], slopes])
    units = np.concatenate([[1.0], scale])
    errors = np.sqrt(np.diag(np.linalg.inv(_information(plain, expit(centred @ best.beta))[0]))) / units
    drop = float(chi2.ppf(level, 1)) / 2
    lower, upper, statistic = np.empty_like(units), np.empty_like(units), np.empty_like(units)
    for j, unit in enumerate(units):
        design = centred if j else plain
        start = best if j else _Solution(coefficients * units, best.value, best.converged)
        statistic[j] = max(0.0, 2 * (start.value - _maximise(design, y, start.beta, j, 0.0).value))
        lower[j], upper[j] = (_bound(design, y, start, j, errors[j] * unit, side, drop) / unit for side in (-1, 1))
    value = best.value + float(np.log(scale).sum())
    p = chi2.sf(statistic, 1)
    return FirthFit(coefficients, errors, lower, upper, statistic, p, value, best.converged)


def firth_coefficients(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Coefficients float64 [columns], intercept, and whether they converged; see `firth_logistic`.

    Of columns that depend on each other the coefficients have the smallest sum of squares (of standardised columns).
    """
    x, y = _checked(x, y)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    left, size, right = np.linalg.svd((x - centre) / scale, full_matrices=False)
    kept = size > 1e-9 * max(float(size.max(initial=0.0)), 1e-300)
    z = left[:, kept] * np.sqrt(len(x))
    best = _maximise(np.hstack([np.ones((len(x), 1)), z]), y)
    slopes = right[kept].T @ (best.beta[1:] * np.sqrt(len(x)) / size[kept]) / scale
    return np.asarray(slopes), float(best.beta[0] - centre @ slopes), best.converged


def _checked(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not np.isin(y, (0.0, 1.0)).all() or y.min() == y.max():
        raise OutcomeError("Firth's regression needs an outcome of 0 and 1, both present")
    if x.shape[1] + 1 >= len(x):
        raise TableError(f"Firth's regression: {x.shape[1]} columns for {len(x)} rows; select fewer columns first")
    return x, y


def _information(design: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fisher's information, and the leverage of every row."""
    root = np.sqrt(np.maximum(p * (1 - p), 1e-300))
    weighted = design * root[:, None]
    q, r = np.linalg.qr(weighted)
    return r.T @ r, (q**2).sum(axis=1)


def _value(design: np.ndarray, y: np.ndarray, beta: np.ndarray) -> float:
    """Penalised log likelihood."""
    eta = design @ beta
    root = np.exp(-0.5 * (np.logaddexp(0, eta) + np.logaddexp(0, -eta)))
    with np.errstate(divide="ignore"):
        determinant = np.log(np.abs(np.diag(np.linalg.qr(design * root[:, None], mode="r")))).sum()
    return float((y * eta - np.logaddexp(0, eta)).sum() + determinant)


def _maximise(
    design: np.ndarray, y: np.ndarray, start: np.ndarray | None = None, fixed: int = -1, at: float = 0.0
) -> _Solution:
    """Maximum of the penalised likelihood, with one coefficient held at a value where `fixed` names it."""
    free = np.arange(design.shape[1]) != fixed
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    if fixed >= 0:
        beta[fixed] = at
    value = _value(design, y, beta)
    for _ in range(ITERATIONS):
        p = expit(design @ beta)
        information, leverage = _information(design, p)
        score = design.T @ (y - p + leverage * (0.5 - p))
        step = np.zeros_like(beta)
        if free.any():
            step[free] = np.linalg.lstsq(information[np.ix_(free, free)], score[free], rcond=None)[0]
        step *= min(1.0, MAX_STEP / max(float(np.abs(step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-11 * (1 + float(np.abs(beta).max())):
            return _Solution(beta, value, True)
        size = 1.0
        while (new := _value(design, y, beta + size * step)) < value - 1e-12 * abs(value) and size > 1e-8:
            size /= 2
        if not new >= value - 1e-12 * abs(value):
            return _Solution(beta, value, float(np.abs(score[free]).max(initial=0.0)) < 1e-6)
        beta, value = beta + size * step, new
    return _Solution(beta, value, False)


def _bound(  # noqa: PLR0917 -- which end of which profile
    design: np.ndarray, y: np.ndarray, best: _Solution, j: int, error: float, side: int, drop: float
) -> float:
    """Where the profile of coefficient j has fallen by `drop`, below (side -1) or above (1) the estimate."""
    last = best.beta

    def above(value: float) -> float:
        nonlocal last
        found = _maximise(design, y, last, j, value)
        last = found.beta
        return found.value - (best.value - drop)

    centre = float(best.beta[j])
    inside, reach = centre, 2.0 * error
    while above(centre + side * reach) > 0:
        inside, reach = centre + side * reach, 2.0 * reach
        if reach > WIDEST:
            return side * np.inf
    last = best.beta
    return float(brentq(above, inside, centre + side * reach, xtol=1e-10, rtol=1e-12))
