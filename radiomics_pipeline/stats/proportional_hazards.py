"""Whether hazards are proportional: do coefficients of a Cox model change with time?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtrc
from scipy.stats import rankdata

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.kaplan_meier import checked_times, kaplan_meier

Transform = Literal["km", "rank", "identity", "log"]


@dataclass(frozen=True)
class ProportionalHazards:
    """Test of every column, and of all together.

    coefficient : float64 [columns], of the Cox model of all columns (Efron)
    correlation : float64 [columns], of scaled Schoenfeld residuals with transformed time; its sign tells whether the
        coefficient grows
    statistic, p : float64 [columns], chi-square of 1 degree
    global_statistic, global_p : of as many degrees as columns
    times : float64 [events], event times, rising; transformed : float64 [events]
    residuals : float64 [events, columns], coefficient plus scaled Schoenfeld residual: smoothed over the transformed
        time they show the coefficient as it changes
    reason : why there is no test; empty where there is one
    """

    coefficient: np.ndarray
    correlation: np.ndarray
    statistic: np.ndarray
    p: np.ndarray
    global_statistic: float
    global_p: float
    times: np.ndarray
    transformed: np.ndarray
    residuals: np.ndarray
    reason: str = ""


@dataclass(frozen=True)
class _Steps:
    """What happens at each event, in order of time. residual : [events, columns]; spread : [events, columns, columns],
    variance of the columns among the rows at risk, summed over the deaths of a time and shared out among them."""

    times: np.ndarray
    residual: np.ndarray
    spread: np.ndarray


def proportional_hazards(
    values: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    *,
    transform: Transform = "km",
    method: Literal["score", "residuals"] = "score",
) -> ProportionalHazards:
    """Test whether a Cox model's coefficients change with a function of time.

    values : float64 [rows, columns], finite, fewer columns than events; time, event : float64, bool [rows]
    transform : of time: "km" (1 less the Kaplan-Meier curve just before, so that late events in small company do not
        decide), "rank" of the event (ties in the middle), "identity" or "log"
    method : "score", the test of a column times transformed time added to the model (as R's cox.zph since survival 3),
        or "residuals", the approximation of Grambsch and Therneau, which takes the variance of the columns as the same
        at all events

    Grambsch and Therneau, Biometrika 1994;81:515, doi 10.1093/biomet/81.3.515. With many rows small departures are
    found, and with few events large ones are missed: look at `residuals`. The test is of a model that was chosen
    beforehand, fitted without a penalty.

    Raises TableError where arrays do not match or hold missing values, ParamsError for an unknown transform.
    """
    when, seen = checked_times(time, event)
    X = np.asarray(values, np.float64)
    if X.ndim != 2 or len(X) != len(when) or not np.isfinite(X).all():
        raise TableError(f"values of shape {X.shape} for {len(when)} rows must match and be finite")
    if transform not in ("km", "rank", "identity", "log") or method not in ("score", "residuals"):
        raise ParamsError(f"transform {transform!r} with method {method!r} is not known")
    if transform == "log" and (when[seen] <= 0).any():
        raise ParamsError("transform 'log' needs times above 0")
    scale = X.std(axis=0)
    reason = _why_none(X, seen, scale)
    if reason:
        return _empty(X.shape[1], when[seen], reason)
    z = (X - X.mean(axis=0)) / scale
    beta = _coefficients(z, when, seen)
    if beta is None:
        return _empty(X.shape[1], when[seen], "the Cox model without a penalty has no finite solution")
    steps = _steps(z, when, seen, beta)
    if np.linalg.cond(steps.spread.sum(axis=0)) > 1e10:
        return _empty(X.shape[1], when[seen], "the Cox model without a penalty has no finite solution")
    g = _transformed(steps.times, when, seen, transform)
    statistic, whole = (_score if method == "score" else _residual)(steps, g)
    scaled = beta + steps.residual @ np.linalg.inv(steps.spread.sum(axis=0)) * len(g)
    return ProportionalHazards(
        coefficient=beta / scale,
        correlation=_correlations(g, scaled),
        statistic=statistic,
        p=np.asarray(chdtrc(1, statistic)),
        global_statistic=whole,
        global_p=float(chdtrc(len(beta), whole)),
        times=steps.times,
        transformed=g,
        residuals=scaled / scale,
    )


def _why_none(X: np.ndarray, seen: np.ndarray, scale: np.ndarray) -> str:
    if (scale <= 1e-12 * np.abs(X).max(axis=0, initial=0.0)).any():
        return "a column has one value only"
    if seen.sum() <= X.shape[1]:
        return f"{int(seen.sum())} events are too few for {X.shape[1]} columns"
    return ""


def _coefficients(z: np.ndarray, time: np.ndarray, event: np.ndarray) -> np.ndarray | None:
    """Of Cox's model without a penalty, float64 [columns]; None where they have no end."""
    from sklearn.exceptions import ConvergenceWarning
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    y = np.empty(len(time), dtype=[("event", "?"), ("time", "<f8")])
    y["event"], y["time"] = event, time
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            beta = np.asarray(CoxPHSurvivalAnalysis(ties="efron", tol=1e-12, n_iter=200).fit(z, y).coef_)
        except (ConvergenceWarning, ValueError, ArithmeticError):
            return None
    return beta if np.isfinite(beta).all() else None


def _empty(columns: int, times: np.ndarray, reason: str) -> ProportionalHazards:
    none = np.full(columns, np.nan)
    at = np.sort(times)
    nan = float("nan")
    blank = np.full(len(at), np.nan)
    return ProportionalHazards(none, none, none, none, nan, nan, at, blank, np.full((len(at), columns), np.nan), reason)


def _steps(z: np.ndarray, time: np.ndarray, event: np.ndarray, beta: np.ndarray) -> _Steps:
    """Schoenfeld residuals and the variances of columns among rows at risk; ties after Efron."""
    eta = z @ beta
    hazard = np.exp(eta - eta.max())
    times, residual, spread = [], [], []
    for t in np.unique(time[event]):
        dying = event & (time == t)
        rows = np.flatnonzero(time >= t)
        deaths = int(dying.sum())
        mean, variance = np.zeros(z.shape[1]), np.zeros((z.shape[1], z.shape[1]))
        for k in range(deaths):
            weight = hazard[rows] * np.where(dying[rows], 1 - k / deaths, 1.0)
            weight /= weight.sum()
            own = weight @ z[rows]
            apart = z[rows] - own
            mean += own / deaths
            variance += (weight[:, None] * apart).T @ apart / deaths
        times += [t] * deaths
        residual.append(z[dying] - mean)
        spread += [variance] * deaths
    return _Steps(np.array(times), np.vstack(residual), np.array(spread))


def _transformed(at: np.ndarray, time: np.ndarray, event: np.ndarray, transform: Transform) -> np.ndarray:
    if transform == "identity":
        return at.copy()
    if transform == "log":
        return np.log(at)
    if transform == "rank":
        return np.asarray(rankdata(at))
    curve = kaplan_meier(time, event)
    before = np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.times, at, side="left")]
    return np.asarray(1 - before)


def _score(steps: _Steps, g: np.ndarray) -> tuple[np.ndarray, float]:
    """Score tests of one added term a column, and of all added terms."""
    centred = g - g.mean()
    score = centred @ steps.residual
    own = np.einsum("k,kij->ij", centred**2, steps.spread)
    both = np.einsum("k,kij->ij", centred, steps.spread)
    given = own - both @ np.linalg.solve(steps.spread.sum(axis=0), both)
    whole = float(score @ np.linalg.solve(given, score)) if np.linalg.cond(given) < 1e12 else float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(score**2 / np.diag(given)), whole


def _residual(steps: _Steps, g: np.ndarray) -> tuple[np.ndarray, float]:
    """As `_score`, the variance of the columns taken as its mean over events."""
    centred = g - g.mean()
    covariance = np.linalg.inv(steps.spread.sum(axis=0))
    score = centred @ steps.residual
    size = len(g) / (centred**2).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        each = (covariance @ score) ** 2 / np.diag(covariance) * size
    return np.asarray(each), float(score @ covariance @ score * size)


def _correlations(g: np.ndarray, scaled: np.ndarray) -> np.ndarray:
    a, b = g - g.mean(), scaled - scaled.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((a @ b) / np.sqrt((a**2).sum() * (b**2).sum(axis=0)))
