"""Aalen and Johansen's cumulative incidence of events that compete, with its variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.stats.checked import groups_at
from radiomics_pipeline.stats.kaplan_meier import FEW_AT_RISK, AtHorizon

ROUNDING = 1e-12


@dataclass(frozen=True)
class CumulativeIncidence:
    """Probability of each cause having come first.

    times : float64 [times], rising, every time at which a row had an event or was censored
    incidence, variance, lower, upper : float64 [causes, times], causes from 1; bounds NaN where the incidence is 0
    event_free : float64 [times], probability of no event of any cause; with the incidences it sums to 1
    at_risk : int64 [times], rows at risk just before each time; events : int64 [causes, times]
    """

    times: np.ndarray
    incidence: np.ndarray
    variance: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    event_free: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray


def cumulative_incidence(
    time: np.ndarray, cause: np.ndarray, causes: int | None = None, level: float = 0.95
) -> CumulativeIncidence:
    """Incidence of every cause, with Aalen's variance and log-log bounds of this level.

    time : float64 [rows]; cause : [rows], 0 censored, 1 and on the causes; rows censored at an event time are at risk
    causes : how many; None: as many as the largest code tells

    One less Kaplan-Meier's curve of a cause, the other causes taken as censored, is not this: it is larger, and the
    probability of nothing. Aalen, Ann Stat 1978;6:534, doi 10.1214/aos/1176344198; Pintilie, Competing Risks, Wiley
    2006, equation 4.5. Raises TableError where arrays do not match or a cause is no whole number from 0.
    """
    when, codes = checked_causes(time, cause)
    count = max(int(codes.max(initial=0)), 1) if causes is None else causes
    if codes.max(initial=0) > count:
        raise TableError(f"cause {int(codes.max())} found where there are {count} causes")
    times, place = np.unique(when, return_inverse=True)
    size = len(times)
    events = np.array([np.bincount(place, weights=codes == k, minlength=size) for k in range(1, count + 1)])
    rows = np.bincount(place, minlength=size)
    at_risk = len(when) - np.cumsum(rows) + rows
    free = np.cumprod(1 - events.sum(axis=0) / at_risk)
    before = np.concatenate([[1.0], free[:-1]])
    incidence = np.cumsum(before * events / at_risk, axis=1)
    variance = _variance(events, at_risk.astype(np.float64), before, incidence)
    lower, upper = _bounds(incidence, variance, level)
    return CumulativeIncidence(
        times, incidence, variance, lower, upper, free, at_risk.astype(np.int64), events.astype(np.int64)
    )


def incidence_at(
    time: np.ndarray, cause: np.ndarray, group: np.ndarray, horizon: float, *, of: int = 1, groups: int | None = None
) -> AtHorizon:
    """Probability of no event of one cause up to a time, in every group.

    Arguments as in `kaplan_meier.survival_at`; of : the cause. `survival` is 1 less the incidence, its error and
    bounds likewise; `events` counts that cause alone.
    """
    when, codes = checked_causes(time, cause)
    member, count = groups_at(group, len(when), horizon, groups)
    found = np.full((4, count), np.nan)
    n, events, at_risk = (np.zeros(count, np.int64) for _ in range(3))
    reasons = []
    for k in range(count):
        own = member == k
        n[k], at_risk[k] = own.sum(), (when[own] >= horizon).sum()
        events[k] = ((codes[own] == of) & (when[own] <= horizon)).sum()
        if not own.any():
            reasons.append("no row is in this group")
            continue
        curve = cumulative_incidence(when[own], codes[own], max(of, int(codes.max(initial=0)), 1))
        if curve.times[-1] < horizon and curve.event_free[-1] > 0:
            reasons.append(f"followed up to {curve.times[-1]:g} only, not to {horizon:g}")
            continue
        at = int(np.searchsorted(curve.times, horizon, side="right")) - 1
        found[:, k] = (1.0, 0.0, np.nan, np.nan) if at < 0 else _free_of(curve, of - 1, at)
        reasons.append(f"{at_risk[k]} rows at risk at {horizon:g}" if at_risk[k] < FEW_AT_RISK else "")
    return AtHorizon(found[0], found[1], found[2], found[3], n, events, at_risk, tuple(reasons))


def checked_causes(time: np.ndarray, cause: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times float64 and causes int64, [rows]; TableError where they do not match, are none, missing or no codes."""
    when, codes = np.asarray(time, np.float64), np.asarray(cause, np.float64)
    if when.ndim != 1 or when.shape != codes.shape or not len(when):
        raise TableError(f"times of shape {when.shape} and causes of {codes.shape} must match, with at least one row")
    if not np.isfinite(when).all() or not np.isfinite(codes).all():
        raise TableError("times and causes must be finite; leave rows with missing ones out first")
    if (codes != np.round(codes)).any() or codes.min() < 0:
        raise TableError("causes must be whole numbers: 0 for censored rows, 1 and on for the causes")
    return when, codes.astype(np.int64)


def _free_of(curve: CumulativeIncidence, place: int, at: int) -> tuple[float, float, float, float]:
    return (
        float(1 - curve.incidence[place, at]),
        float(np.sqrt(curve.variance[place, at])),
        float(1 - curve.upper[place, at]),
        float(1 - curve.lower[place, at]),
    )


def _variance(events: np.ndarray, at_risk: np.ndarray, before: np.ndarray, incidence: np.ndarray) -> np.ndarray:
    """Aalen's variance, float64 [causes, times]; what a last row at risk would add is not known and counts as 0.

    Each event time before t moves the incidence at t twice: by its own share, and by all that follows it.
    """
    every = events.sum(axis=0)

    def over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
        return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

    rest, apart = at_risk - every, events * (at_risk - events)
    later = over(every, (at_risk - 1) * rest)
    own = over(before**2 * apart, np.broadcast_to(at_risk**2 * (at_risk - 1), apart.shape))
    both = over(before * apart, np.broadcast_to(at_risk * rest * (at_risk - 1), apart.shape))
    # sums over earlier times of (F(t) - F(s))^2 later(s) and (F(t) - F(s)) both(s), as powers of F(t)
    square = (
        incidence**2 * np.cumsum(later)
        - 2 * incidence * np.cumsum(incidence * later, axis=1)
        + np.cumsum(incidence**2 * later, axis=1)
    )
    mixed = incidence * np.cumsum(both, axis=1) - np.cumsum(incidence * both, axis=1)
    return np.asarray(np.maximum(square + np.cumsum(own, axis=1) - 2 * mixed, 0.0))


def _bounds(incidence: np.ndarray, variance: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds on the scale log(-log(incidence)), float64 [causes, times]; NaN where it is 0 or 1."""
    inside = (incidence > ROUNDING) & (incidence < 1 - ROUNDING) & (variance > 0)
    share = np.where(inside, incidence, 0.5)
    reach = ndtri(0.5 + level / 2) * np.sqrt(np.where(inside, variance, 0.0)) / (share * np.log(share))
    lower, upper = share ** np.exp(-reach), share ** np.exp(reach)
    return np.where(inside, lower, np.nan), np.where(inside, upper, np.nan)
