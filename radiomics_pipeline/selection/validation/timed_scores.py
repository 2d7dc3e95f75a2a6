"""Metrics of times to an event, weighted for censoring by the training part's follow-up.

A row counts as free of the event while it is followed, and after a competing event for ever. Weights are 1 / G with
G the Kaplan-Meier curve of being uncensored in the training rows (events before censorings of the same time).
Folds whose rows are followed for too short a time have no value, and the reason is given.
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.stats.concordance import harrell_c
from radiomics_pipeline.types.outcome import Outcome

NO_PAIR = "no comparable pair in the test part"


def c_index(held: Held) -> float | str:
    """Harrell's C; rows with a competing event count as never having the event of interest.

    Harrell, Lee and Mark, Stat Med 1996;15:361; Wolbers et al., Epidemiology 2009;20:555,
    doi 10.1097/EDE.0b013e3181a39056.
    """
    assert held.risk is not None
    time = _as_never(held.outcome)
    found = float(harrell_c(held.risk[:, None], time, held.outcome.event).index[0])
    return NO_PAIR if np.isnan(found) else found


def c_ipcw(held: Held) -> float | str:
    """Uno's C up to the limit: pairs weighted so that it does not depend on the censoring.

    Stat Med 2011;30:1105, doi 10.1002/sim.4154. With competing events a pair of an event and an earlier competing one
    weighs 1 / (G(event) G(competing)): Wolbers et al., Biostatistics 2014;15:526, doi 10.1093/biostatistics/kxt059.
    """
    assert held.risk is not None
    assert held.outcome.time is not None
    time, risk = held.outcome.time, held.risk
    case = held.outcome.event & (time < held.limit)
    if not case.any():
        return "no event of the test part up to the limit"
    late = _too_late(held.training, time[case].max())
    if late:
        return late
    weight = 1 / uncensored(held.training, time)
    competing = held.outcome.value > 1
    later = time[None, :] > time[case][:, None]
    later |= (time[None, :] == time[case][:, None]) & ~held.outcome.event[None, :] & ~competing[None, :]
    earlier = competing[None, :] & ~later
    w = weight[case][:, None] * (later * weight[case][:, None] + earlier * np.where(np.isfinite(weight), weight, 0.0))
    if not w.any():
        return NO_PAIR
    right = (risk[case][:, None] > risk[None, :]) + 0.5 * (risk[case][:, None] == risk[None, :])
    return float((w * right).sum() / w.sum())


def auc_horizon(held: Held) -> float | str:
    """Area under the ROC curve of events up to the horizon against rows free of one beyond it.

    Cumulative and dynamic, weighted for censoring. Uno et al., J Am Stat Assoc 2007;102:527,
    doi 10.1198/016214507000000149; with competing events Blanche et al., Stat Med 2013;32:5381,
    doi 10.1002/sim.5958 (their second definition: a competing event makes a control).
    """
    assert held.risk is not None
    assert held.outcome.time is not None
    time, risk, horizon = held.outcome.time, held.risk, held.horizon
    late = _too_late(held.training, horizon)
    if late:
        return late
    case = held.outcome.event & (time <= horizon)
    followed = time > horizon
    if not case.any():
        return "no event of the test part up to the horizon"
    if not followed.any():
        return "no row of the test part is followed beyond the horizon"
    control = followed | ((held.outcome.value > 1) & (time <= horizon))
    weight = 1 / uncensored(held.training, np.minimum(time, horizon))
    w = weight[case][:, None] * weight[control][None, :]
    a, b = risk[case][:, None], risk[control][None, :]
    return float((w * ((a > b) + 0.5 * (a == b))).sum() / w.sum())


def brier_horizon(held: Held) -> float | str:
    """Brier score of the survival curves at the horizon, weighted for censoring.

    Graf et al., Stat Med 1999;18:2529, doi 10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.
    """
    assert held.survival is not None
    assert held.times is not None
    late = _too_short(held, held.horizon)
    if late:
        return late
    at = int(np.argmin(np.abs(held.times - held.horizon)))
    return float(_brier(held, held.survival[:, [at]], held.times[[at]])[0])


def integrated_brier(held: Held) -> float | str:
    """Mean over the time up to the limit of the Brier score of the survival curves (trapezoids)."""
    assert held.survival is not None
    return _integrated(held, held.survival)


def integrated_brier_skill(held: Held) -> float | str:
    """1 less the integrated Brier score over that of the training part's own curve for every row."""
    assert held.survival is not None
    assert held.times is not None
    own = _integrated(held, held.survival)
    curve = event_free(held.training, held.times)
    reference = _integrated(held, np.tile(curve, (len(held.outcome), 1)))
    if isinstance(own, str) or isinstance(reference, str):
        return own
    return 1 - own / reference if reference > 0 else "the training part's own curve makes no error"


def _integrated(held: Held, survival: np.ndarray) -> float | str:
    assert held.times is not None
    inside = held.times <= held.limit
    late = _too_short(held, held.limit)
    if late:
        return late
    times = held.times[inside]
    scores = _brier(held, survival[:, inside], times)
    return float(np.trapezoid(scores, times) / (times[-1] - times[0]))


def _brier(held: Held, survival: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Brier score at each time, float64 [times]."""
    time, value = np.asarray(held.outcome.time)[:, None], held.outcome.value[:, None]
    own = 1 / uncensored(held.training, time[:, 0])[:, None]
    then = 1 / uncensored(held.training, times)[None, :]
    before = time <= times[None, :]
    event = np.where(before & (value == 1), survival**2 * own, 0.0)
    free = np.where(before & (value > 1), (1 - survival) ** 2 * own, 0.0)
    followed = np.where(~before, (1 - survival) ** 2 * then, 0.0)
    return np.asarray((event + free + followed).mean(axis=0))


def uncensored(training: Outcome, times: np.ndarray) -> np.ndarray:
    """Kaplan-Meier probability of not being censored up to and at each time, float64 [times]; 0 gives NaN."""
    time, seen = np.asarray(training.time), training.value > 0
    at = np.unique(time)
    place = np.searchsorted(at, time)
    events = np.bincount(place, weights=seen, minlength=len(at))
    lost = np.bincount(place, weights=~seen, minlength=len(at))
    at_risk = len(time) - np.concatenate([[0], np.cumsum(events + lost)[:-1]]) - events
    with np.errstate(invalid="ignore"):
        factor = np.where(lost > 0, 1 - lost / np.maximum(at_risk, 1), 1.0)
    curve = np.concatenate([[1.0], np.cumprod(factor)])
    found = curve[np.searchsorted(at, times, side="right")]
    return np.asarray(np.where(found > 0, found, np.nan))


def event_free(training: Outcome, times: np.ndarray) -> np.ndarray:
    """Probability of no event (of interest) up to each time, float64 [times]: Kaplan-Meier or Aalen-Johansen."""
    time, value = np.asarray(training.time), training.value
    at = np.unique(time)
    place = np.searchsorted(at, time)
    interest = np.bincount(place, weights=value == 1, minlength=len(at))
    events = np.bincount(place, weights=value > 0, minlength=len(at))
    at_risk = len(time) - np.concatenate([[0], np.cumsum(np.bincount(place, minlength=len(at)))[:-1]])
    free = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)])
    happened = np.concatenate([[0.0], np.cumsum(free[:-1] * interest / at_risk)])
    return np.asarray(1 - happened[np.searchsorted(at, times, side="right")])


def _too_late(training: Outcome, until: float) -> str:
    """Why the training part's censoring is not known up to a time; empty where it is."""
    time = np.asarray(training.time)
    if until > time.max():
        return f"the training part is followed up to {time.max():g} only, not to {until:g}"
    if np.isnan(uncensored(training, np.array([until]))[0]):
        return f"in the training part nobody is followed beyond {until:g}"
    return ""


def _too_short(held: Held, until: float) -> str:
    """Why a Brier score up to a time cannot be given; empty where it can."""
    time = np.asarray(held.outcome.time)
    late = _too_late(held.training, until)
    if late:
        return late
    return "" if (time >= until).any() else f"the test part is followed up to {time.max():g} only, not to {until:g}"


def _as_never(outcome: Outcome) -> np.ndarray:
    """Times float64 [rows], those of competing events after all others."""
    time = np.asarray(outcome.time)
    return np.where(outcome.value > 1, time.max() + 1, time)
