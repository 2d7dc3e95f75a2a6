"""Kaplan and Meier's curves, what they say at a horizon, and the log-rank test between groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtri

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.stats.checked import groups_at

FEW_AT_RISK = 5
"""Rows at risk below which a curve is said to rest on few."""


@dataclass(frozen=True)
class KaplanMeier:
    """A curve of survival; all arrays [times].

    times : float64, rising, every time at which a row had its event or was censored
    survival : float64, from each time on; 1 before the first
    error : float64, standard error (Greenwood)
    lower, upper : float64, log-log bounds; NaN where the curve is 1 or 0
    at_risk, events, censored : int64, rows at risk just before each time, and what became of them at it
    """

    times: np.ndarray
    survival: np.ndarray
    error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray

    def at_risk_at(self, times: np.ndarray) -> np.ndarray:
        """Rows at risk just before each of these times, int64 [times]: what stands below a drawn curve."""
        place = np.searchsorted(self.times, np.asarray(times, np.float64), side="left")
        return np.append(self.at_risk, 0)[place]

    @property
    def median(self) -> tuple[float, float, float]:
        """First time at which survival is a half or less, and where its bounds are; NaN where they never are.

        Brookmeyer and Crowley, Biometrics 1982;38:29, doi 10.2307/2530286.
        """
        return _first_half(self, self.survival), _first_half(self, self.lower), _first_half(self, self.upper)


@dataclass(frozen=True)
class AtHorizon:
    """Survival of groups at one time; all arrays [groups].

    survival, error, lower, upper : float64; NaN where the group is not followed so far
    n, events, at_risk : int64, rows, events up to the horizon, rows at risk just before it
    reasons : why a number is missing, or rests on few rows; empty otherwise
    """

    survival: np.ndarray
    error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n: np.ndarray
    events: np.ndarray
    at_risk: np.ndarray
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class LogRank:
    """A test between groups. observed, expected : float64 [groups], events; p NaN where there is nothing to compare."""

    statistic: float
    degrees: int
    p: float
    observed: np.ndarray
    expected: np.ndarray
    reason: str = ""


def kaplan_meier(time: np.ndarray, event: np.ndarray, level: float = 0.95) -> KaplanMeier:
    """Survival of rows, with Greenwood's error and log-log bounds of this level.

    time, event : float64, bool [rows]; rows censored at an event time are at risk at it

    Bounds that are taken on the scale log(-log S) stay within 0 and 1 and hold their level in small groups.
    Kaplan and Meier, JASA 1958;53:457, doi 10.1080/01621459.1958.10501452; Kalbfleisch and Prentice 2002, p 18.
    Raises TableError where arrays do not match or times are missing.
    """
    when, seen = checked_times(time, event)
    times, place = np.unique(when, return_inverse=True)
    events = np.bincount(place, weights=seen, minlength=len(times)).astype(np.int64)
    counts = np.bincount(place, minlength=len(times))
    at_risk = len(when) - np.cumsum(counts) + counts
    survival = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events).astype(np.float64))))
        error = np.where(survival > 0, survival * spread, 0.0)
        reach = ndtri(0.5 + level / 2) * spread / np.log(survival)
        bounds = survival ** np.exp(-reach), survival ** np.exp(reach)
    inside = (survival > 0) & (survival < 1)
    lower, upper = (np.where(inside, np.where(inside, b, 0.5), np.nan) for b in bounds)
    return KaplanMeier(times, survival, error, lower, upper, at_risk, events, counts - events)


def survival_at(
    time: np.ndarray, event: np.ndarray, group: np.ndarray, horizon: float, groups: int | None = None
) -> AtHorizon:
    """Survival of every group at one time, such as 5 years.

    time, event : float64, bool [rows]; group : int64 [rows], from 0; horizon : in the unit of the times
    groups : how many; None: as many as the largest code tells
    """
    when, seen = checked_times(time, event)
    codes, count = groups_at(group, len(when), horizon, groups)
    found = np.full((4, count), np.nan)
    n, events, at_risk = (np.zeros(count, np.int64) for _ in range(3))
    reasons = []
    for k in range(count):
        own = codes == k
        n[k], events[k], at_risk[k] = (
            own.sum(),
            (seen[own] & (when[own] <= horizon)).sum(),
            (when[own] >= horizon).sum(),
        )
        if not own.any():
            reasons.append("no row is in this group")
            continue
        curve = kaplan_meier(when[own], seen[own])
        if curve.times[-1] < horizon and curve.survival[-1] > 0:
            reasons.append(f"followed up to {curve.times[-1]:g} only, not to {horizon:g}")
            continue
        at = int(np.searchsorted(curve.times, horizon, side="right")) - 1
        found[:, k] = (
            (1.0, 0.0, np.nan, np.nan)
            if at < 0
            else (curve.survival[at], curve.error[at], curve.lower[at], curve.upper[at])
        )
        few = at_risk[k] < FEW_AT_RISK
        reasons.append(f"{at_risk[k]} rows at risk at {horizon:g}" if few else "")
    return AtHorizon(found[0], found[1], found[2], found[3], n, events, at_risk, tuple(reasons))


def log_rank(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> LogRank:
    """Test of equal hazards in two groups or more.

    time, event : float64, bool [rows]; group : [rows], codes or names; `observed` and `expected` are in sorted order

    Mantel, Cancer Chemother Rep 1966;50:163; ties by the hypergeometric variance, as in R's survdiff.
    """
    when, seen = checked_times(time, event)
    names, codes = np.unique(np.asarray(group), return_inverse=True)
    if codes.shape != when.shape:
        raise TableError(f"groups of shape {codes.shape} for {len(when)} rows")
    member = codes[:, None] == np.arange(len(names))
    observed = member[seen].sum(axis=0).astype(np.float64)
    at = np.unique(when[seen])
    at_risk = np.array([(member[when >= t]).sum(axis=0) for t in at], np.float64).reshape(len(at), len(names))
    total = at_risk.sum(axis=1)
    deaths = np.array([(seen & (when == t)).sum() for t in at], np.float64)
    share = at_risk / total[:, None]
    expected = (deaths[:, None] * share).sum(axis=0)
    if len(names) < 2 or not seen.any():
        why = "fewer than two groups" if len(names) < 2 else "no row has the event"
        return LogRank(float("nan"), max(len(names) - 1, 0), float("nan"), observed, expected, why)
    weight = np.where(total > 1, deaths * (total - deaths) / np.maximum(total - 1, 1), 0.0)
    variance = np.diag((weight[:, None] * share).sum(axis=0)) - (weight[:, None] * share).T @ share
    difference = observed - expected
    # a group whose rows left before the first event, and one group of all (their sum is 0), add nothing
    known = np.diag(variance) > 1e-12
    degrees = int(known.sum()) - 1
    if degrees < 1:
        return LogRank(float("nan"), 0, float("nan"), observed, expected, "one group alone is at risk at the events")
    kept = np.flatnonzero(known)[:-1]
    statistic = float(difference[kept] @ np.linalg.solve(variance[np.ix_(kept, kept)], difference[kept]))
    return LogRank(statistic, degrees, float(chdtrc(degrees, statistic)), observed, expected)


def checked_times(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times float64 and events bool, [rows]; TableError where they do not match, are none or missing."""
    when, seen = np.asarray(time, np.float64), np.asarray(event)
    if when.ndim != 1 or when.shape != seen.shape or not len(when):
        raise TableError(f"times of shape {when.shape} and events of {seen.shape} must match, with at least one row")
    if not np.isfinite(when).all():
        raise TableError(f"{int((~np.isfinite(when)).sum())} of {len(when)} times are missing or not finite")
    if seen.dtype != np.bool_ and not np.isin(seen, (0, 1)).all():
        raise TableError("events hold values other than 0 and 1")
    return when, seen.astype(np.bool_)


def _first_half(curve: KaplanMeier, values: np.ndarray) -> float:
    below = np.flatnonzero(values <= 0.5 + 1e-12)
    return float(curve.times[below[0]]) if len(below) else float("nan")
