"""What became of groups of rows: shares without the event, medians, ratios, and a test between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2_contingency

from radiomics_pipeline.selection.outcomes.out_of_fold import Z
from radiomics_pipeline.stats.competing import cumulative_incidence, incidence_at
from radiomics_pipeline.stats.cox import cox_lrt
from radiomics_pipeline.stats.kaplan_meier import kaplan_meier, log_rank, survival_at
from radiomics_pipeline.stats.logistic import logistic_lrt
from radiomics_pipeline.stats.wilson import wilson
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.report import NAN

Bounded = tuple[float, float, float]
"""A value with its lower and upper bound."""
UNKNOWN: Bounded = (NAN, NAN, NAN)
MEASURES = {"binary": "odds ratio", "survival": "hazard ratio", "competing": "cause-specific hazard ratio"}
"""What the ratio of two groups is, by the kind of outcome."""


@dataclass(frozen=True)
class Fates:
    """Of groups, in their order.

    n, events : float64 [groups]
    event_free : float64 [groups, 3], share without the event (of interest) at the horizon, lower and upper bound
    median : float64 [groups, 3], time by which half have had it; NaN where the curve stays above a half
    ratio : float64 [groups, 3], over the first group, of the rows of the two groups alone; measure : what ratio
    test, p : between all groups
    reasons : of each group, why a number is missing
    """

    timed: bool
    n: np.ndarray
    events: np.ndarray
    event_free: np.ndarray
    median: np.ndarray
    ratio: np.ndarray
    measure: str
    test: str
    p: float
    reasons: tuple[str, ...]


def fates_of(
    outcome: Outcome, group: np.ndarray, groups: int, horizon: float, patient: np.ndarray | None = None
) -> Fates:
    """Fates of the groups.

    outcome : binary or timed; group : int64 [rows], from 0; horizon : time, unused for binary outcomes
    patient : of each row where patients have several, else None: then shares and medians have no interval, ratios
        have one from the patients' sums, and more than two groups have no p

    Binary: Wilson's interval, odds ratio, chi-square. Survival: Kaplan-Meier with log-log bounds, median with those of
    Brookmeyer and Crowley, Cox's hazard ratio, log-rank. Competing events: Aalen-Johansen; the ratio is that of the
    cause-specific hazards, and p the log-rank of these.
    """
    timed = outcome.time is not None
    n, events = np.zeros(groups), np.zeros(groups)
    free, median, ratio = (np.full((groups, 3), np.nan) for _ in range(3))
    reasons = []
    for k in range(groups):
        own = outcome.rows(np.flatnonzero(group == k))
        n[k], events[k] = len(own), own.event.sum()
        if not len(own):
            reasons.append("no row falls into this group")
            continue
        free[k], reason = event_free_at(own, horizon)
        median[k] = median_of(own)
        if patient is not None:
            free[k, 1:] = median[k, 1:] = np.nan
        pair = np.flatnonzero((group == k) | (group == 0))
        ratio[k], why = (
            ((1.0, 1.0, 1.0), "") if k == 0 else _ratio(outcome.rows(pair), group[pair] == k, _of(patient, pair))
        )
        reasons.append("; ".join(r for r in (reason, why) if r))
    test, p = _test(outcome, group, patient)
    return Fates(timed, n, events, free, median, ratio, MEASURES[outcome.kind], test, p, tuple(reasons))


def three(numbers: np.ndarray) -> Bounded:
    """A value with its bounds, from an array of three."""
    value, lower, upper = numbers
    return float(value), float(lower), float(upper)


def _of(patient: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if patient is None else patient[rows]


def event_free_at(own: Outcome, horizon: float) -> tuple[Bounded, str]:
    """Share of rows without the event (of interest), at the horizon where there is a time; and why it is missing."""
    if own.time is None:
        free = float((~own.event).sum())
        low, high = wilson(np.array(free), np.array(len(own)))
        return (free / len(own), float(low), float(high)), ""
    if not (np.isfinite(horizon) and horizon > 0):
        return UNKNOWN, "no horizon is given"
    all_of_them = np.zeros(len(own), np.int64)
    if own.kind == "competing":
        at = incidence_at(own.time, own.value, all_of_them, horizon, groups=1)
    else:
        at = survival_at(own.time, own.event, all_of_them, horizon, groups=1)
    return (float(at.survival[0]), float(at.lower[0]), float(at.upper[0])), at.reasons[0]


def median_of(own: Outcome) -> Bounded:
    """Time by which half have had the event (of interest); NaN where the curve stays above a half, or without a time.

    Where events compete this is the time at which the cumulative incidence reaches a half.
    """
    if own.time is None:
        return UNKNOWN
    if own.kind != "competing":
        return kaplan_meier(own.time, own.event).median
    curve = cumulative_incidence(own.time, own.value)
    shares = curve.incidence[0], curve.upper[0], curve.lower[0]
    return tuple(_first_half(curve.times, share) for share in shares)  # type: ignore[return-value]


def _first_half(times: np.ndarray, share: np.ndarray) -> float:
    """First time at which a share is a half or more; NaN where it never is."""
    reached = np.flatnonzero(share >= 0.5 - 1e-12)
    return float(times[reached[0]]) if len(reached) else NAN


def _ratio(pair: Outcome, high: np.ndarray, patient: np.ndarray | None) -> tuple[Bounded, str]:
    """Hazard or odds ratio of the rows in `high` over the others."""
    if not pair.event.any() or (pair.event.all() and pair.time is None) or high.all():
        return UNKNOWN, "no ratio: no event, or no row, to compare with"
    column = high.astype(np.float64)[:, None]
    if pair.time is None:
        fit = logistic_lrt(column, pair.event, groups=patient)
    else:
        fit = cox_lrt(column, pair.time, pair.event, groups=patient)
    spread = column.std(ddof=1)  # coefficients are per standard deviation
    log, error = float(fit.coefficient[0]) / spread, float(fit.standard_error[0]) / spread
    if not np.isfinite(log) or not np.isfinite(error):
        return (
            float(np.exp(log)),
            np.nan,
            np.nan,
        ), "the ratio has no interval: one of the groups has no event, or only"
    low, high_bound = np.exp(log - Z * error), np.exp(log + Z * error)
    return (float(np.exp(log)), float(low), float(high_bound)), ""


def _test(outcome: Outcome, group: np.ndarray, patient: np.ndarray | None) -> tuple[str, float]:
    """Name and p of a test between all groups that have rows; p NaN where there is nothing to compare."""
    present = np.unique(group)
    timed = outcome.time is not None
    if patient is not None:
        name = f"robust score ({'Cox' if timed else 'logistic'})"
        if len(present) != 2 or not outcome.event.any() or (not timed and outcome.event.all()):
            return name, NAN
        column = (group == present[1]).astype(np.float64)[:, None]
        fit = (
            logistic_lrt(column, outcome.event, groups=patient)
            if outcome.time is None
            else cox_lrt(column, outcome.time, outcome.event, groups=patient)
        )
        return name, float(fit.p[0])
    name = "log-rank" if outcome.kind == "survival" else "log-rank, cause-specific" if timed else "chi-square"
    if len(present) < 2 or not outcome.event.any() or (not timed and outcome.event.all()):
        return name, NAN
    if outcome.time is None:
        table = [[int((outcome.event[group == k] == e).sum()) for e in (False, True)] for k in present]
        return name, float(chi2_contingency(np.array(table), correction=False).pvalue)
    return name, log_rank(outcome.time, outcome.event, group).p
