"""How well risks and curves foretell times, weighted for censoring by the training part's follow-up.

A weight is 1 over the probability of being followed that long: G just before an event, G at the time itself for rows
followed beyond it, with events taken to come before censorings of the same time. A part with too little follow-up has
no value and a reason instead. Rows with a competing event stay free of the event of interest for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.stats.competing import checked_causes, cumulative_incidence
from radiomics_pipeline.stats.concordance import compared_times, harrell_c

NAN = float("nan")


@dataclass(frozen=True)
class Metric:
    """A value, or NaN and why.

    until : time up to which it looks; NaN where all times count
    events : events (of interest) of the test part up to there
    """

    value: float
    reason: str = ""
    until: float = NAN
    events: int = 0


@dataclass(frozen=True)
class MetricOverTime:
    """One value a time, and their mean. times, values : float64 [times], those that are known"""

    times: np.ndarray
    values: np.ndarray
    mean: Metric


class FollowUp:
    """The outcomes of a training and a test part; weights come from the training part alone.

    training_time, time : float64 [rows] of each part; training_cause, cause : of each, 0 censored, 1 the event (of
    interest; True will do), 2 and on the competing ones

    limit : the largest time up to which weights are known and test rows are followed
    """

    def __init__(
        self, training_time: np.ndarray, training_cause: np.ndarray, time: np.ndarray, cause: np.ndarray
    ) -> None:
        self.training_time, self.training_cause = checked_causes(training_time, training_cause)
        self.time, self.cause = checked_causes(time, cause)
        self._at, place = np.unique(self.training_time, return_inverse=True)
        lost = np.bincount(place, weights=self.training_cause == 0, minlength=len(self._at))
        rows = np.bincount(place, minlength=len(self._at))
        left = len(self.training_time) - np.cumsum(rows) + lost  # at risk of being censored: events went before
        self._uncensored = np.cumprod(1 - np.divide(lost, left, out=np.zeros(len(lost)), where=left > 0))
        known = self._at[self._uncensored > 0]
        self.limit = float(min(known[-1] if len(known) else 0.0, self.time.max()))

    def uncensored(self, times: np.ndarray, *, before: bool = False) -> np.ndarray:
        """Probability of not being censored up to and at each time (`before`: up to it only), float64 like `times`."""
        curve = np.concatenate([[1.0], self._uncensored])
        return np.asarray(curve[np.searchsorted(self._at, times, side="left" if before else "right")])

    def row_weights(self) -> np.ndarray:
        """1 over the probability of being followed to one's own time, float64 [test rows]; 0 where that is 0."""
        share = self.uncensored(self.time, before=True)
        return np.asarray(np.divide(1.0, share, out=np.zeros(len(share)), where=share > 0))

    def events_until(self, until: float) -> int:
        """Events (of interest) of the test part."""
        return int(((self.cause == 1) & (self.time <= until)).sum())

    def why_not(self, until: float) -> str:
        """Why nothing is known up to a time; empty where it is."""
        if until > self.training_time.max():
            return f"the training part is followed up to {self.training_time.max():g} only, not to {until:g}"
        if self.uncensored(np.array(until)) <= 0:
            return f"in the training part nobody is followed beyond {until:g}"
        if not self.events_until(until):
            return f"no event of the test part up to {until:g}"
        return ""


def c_harrell(part: FollowUp, risk: np.ndarray) -> Metric:
    """Harrell's C over all times: comparable pairs whose earlier event has the higher risk; it depends on censoring.

    With competing events such a row is later than every event of interest (`compared_times`). Harrell, Lee and Mark,
    Stat Med 1996;15:361.
    """
    scores = _risks(part, risk)
    times = compared_times(part.time, part.cause)
    found = float(harrell_c(scores[:, None], times, part.cause == 1).index[0])
    events = int((part.cause == 1).sum())
    return Metric(found, "no comparable pair in the test part" if np.isnan(found) else "", NAN, events)


def c_uno(part: FollowUp, risk: np.ndarray, until: float | None = None) -> Metric:
    """Uno's C of events before `until` (None: the limit), its pairs weighted so that censoring does not move it.

    risk : float64 [test rows], higher is earlier

    Uno et al., Stat Med 2011;30:1105, doi 10.1002/sim.4154. With competing events a row with an earlier competing one
    also is a control: Wolbers et al., Biostatistics 2014;15:526, doi 10.1093/biostatistics/kxt059.
    """
    scores, end = _risks(part, risk), part.limit if until is None else until
    reason = part.why_not(end)
    if reason:
        return Metric(NAN, reason, end)
    time, weight = part.time, part.row_weights()
    case = np.flatnonzero((part.cause == 1) & (time < end))
    own, competing = weight[case][:, None], part.cause > 1
    later = (time[None, :] > time[case][:, None]) | ((time[None, :] == time[case][:, None]) & (part.cause == 0))
    total = own * (later * own + (competing[None, :] & ~later) * weight[None, :])
    if not total.any():
        return Metric(NAN, "no comparable pair in the test part", end, len(case))
    right = (scores[case][:, None] > scores[None, :]) + 0.5 * (scores[case][:, None] == scores[None, :])
    return Metric(float((total * right).sum() / total.sum()), "", end, len(case))


def auc_at(part: FollowUp, risk: np.ndarray, horizon: float) -> Metric:
    """Area under the ROC curve of rows with the event up to the horizon against rows free of it beyond.

    Cumulative and dynamic. Uno et al., JASA 2007;102:527, doi 10.1198/016214507000000149; a competing event makes a
    control: Blanche, Dartigues and Jacqmin-Gadda, Stat Med 2013;32:5381, doi 10.1002/sim.5958.
    """
    scores, events = _risks(part, risk), part.events_until(horizon)
    reason = part.why_not(horizon)
    followed = part.time > horizon
    if not reason and not followed.any():
        reason = f"no row of the test part is followed beyond {horizon:g}"
    if reason:
        return Metric(NAN, reason, horizon, events)
    case = (part.cause == 1) & ~followed
    control = followed | ((part.cause > 1) & ~followed)
    weight = np.where(followed, 1 / part.uncensored(np.array(horizon)), part.row_weights())
    total = weight[case][:, None] * weight[control][None, :]
    a, b = scores[case][:, None], scores[control][None, :]
    return Metric(float((total * ((a > b) + 0.5 * (a == b))).sum() / total.sum()), "", horizon, events)


def auc_over_time(part: FollowUp, risk: np.ndarray, times: np.ndarray) -> MetricOverTime:
    """`auc_at` each of these times, and the mean weighted by how much of the test part's event-free curve falls to it.

    Times at which it is not known are left out; with all of them the mean is NaN. times : float64, rising
    """
    at = np.asarray(times, np.float64)
    found = [auc_at(part, risk, float(t)) for t in at]
    known = np.array([not m.reason for m in found], np.bool_)
    values = np.array([m.value for m in found])[known]
    if not known.any():
        reason = found[0].reason if found else "no time is given"
        return MetricOverTime(at[known], values, Metric(NAN, reason))
    falls = -np.diff(_free(part.time, part.cause, at[known]), prepend=1.0)
    mean = float(values @ falls / falls.sum()) if falls.sum() > 0 else float(values.mean())
    end = float(at[known][-1])
    return MetricOverTime(at[known], values, Metric(mean, "", end, part.events_until(end)))


def brier_at(part: FollowUp, survival: np.ndarray, horizon: float) -> Metric:
    """Mean squared difference of the predicted from the true state at the horizon.

    survival : float64 [test rows], predicted probability of no event (of interest) up to the horizon

    Graf et al., Stat Med 1999;18:2529, doi 10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5;
    with competing events Schoop et al., Biom J 2011;53:88, doi 10.1002/bimj.201000073. A test part without an event up
    to the horizon has a value; one that is not followed so far has none.
    """
    curve = _probabilities(part, survival, 1)
    reason = _unfollowed(part, horizon)
    events = part.events_until(horizon)
    return Metric(NAN if reason else float(_brier(part, curve, np.array([horizon]))[0]), reason, horizon, events)


def integrated_brier(part: FollowUp, survival: np.ndarray, times: np.ndarray) -> Metric:
    """Mean over time of the Brier score (trapezoids), from the first of `times` to the last one that is known.

    survival : float64 [test rows, times]; times : float64 [times], rising. Fewer than two known times: NaN.
    """
    at = np.asarray(times, np.float64)
    curves = _probabilities(part, survival, len(at))
    known = np.array([not _unfollowed(part, float(t)) for t in at], np.bool_)
    if known.sum() < 2:
        missing = [r for r in (_unfollowed(part, float(t)) for t in at) if r]
        return Metric(NAN, missing[0] if missing else "fewer than two times", NAN)
    inside = at[known]
    scores = _brier(part, curves[:, known], inside)
    end = float(inside[-1])
    return Metric(float(np.trapezoid(scores, inside) / (end - inside[0])), "", end, part.events_until(end))


def integrated_brier_skill(part: FollowUp, survival: np.ndarray, times: np.ndarray) -> Metric:
    """1 less `integrated_brier` over that of the training part's own event-free curve, given to every row."""
    own = integrated_brier(part, survival, times)
    curve = _free(part.training_time, part.training_cause, np.asarray(times, np.float64))
    plain = integrated_brier(part, np.tile(curve, (len(part.time), 1)), times)
    if own.reason:
        return own
    if not plain.value > 0:
        return Metric(NAN, "the training part's own curve makes no error", own.until, own.events)
    return Metric(1 - own.value / plain.value, "", own.until, own.events)


def _unfollowed(part: FollowUp, until: float) -> str:
    reason = part.why_not(until)
    if reason and not reason.startswith("no event"):
        return reason
    if (part.time < until).all() and (part.cause == 0).any():
        return f"the test part is followed up to {part.time.max():g} only, not to {until:g}"
    return ""


def _brier(part: FollowUp, survival: np.ndarray, times: np.ndarray) -> np.ndarray:
    """float64 [times]"""
    own, then = part.row_weights()[:, None], 1 / part.uncensored(times)[None, :]
    over, cause = part.time[:, None] <= times[None, :], part.cause[:, None]
    event = np.where(over & (cause == 1), survival**2 * own, 0.0)
    free = np.where(over & (cause > 1), (1 - survival) ** 2 * own, 0.0)
    followed = np.where(~over, (1 - survival) ** 2 * then, 0.0)
    return np.asarray((event + free + followed).mean(axis=0))


def _free(time: np.ndarray, cause: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Probability of no event of interest up to each time: Kaplan-Meier, or Aalen-Johansen; float64 [times]."""
    curve = cumulative_incidence(time, cause)
    padded = np.concatenate([[0.0], curve.incidence[0]])
    return np.asarray(1 - padded[np.searchsorted(curve.times, times, side="right")])


def _risks(part: FollowUp, risk: np.ndarray) -> np.ndarray:
    found = np.asarray(risk, np.float64)
    if found.shape != part.time.shape or np.isnan(found).any():
        raise TableError(f"risks of shape {found.shape} for {len(part.time)} rows must match, none missing")
    return found


def _probabilities(part: FollowUp, survival: np.ndarray, times: int) -> np.ndarray:
    found = (
        np.asarray(survival, np.float64).reshape(len(part.time), -1) if len(np.shape(survival)) else np.zeros((0, 0))
    )
    if found.shape != (len(part.time), times) or not np.isfinite(found).all():
        raise TableError(f"curves of shape {np.shape(survival)} for {len(part.time)} rows and {times} times")
    if found.min() < -1e-9 or found.max() > 1 + 1e-9:
        raise TableError(f"survival between {found.min():g} and {found.max():g}; it must lie within 0 and 1")
    return np.clip(found, 0, 1)
