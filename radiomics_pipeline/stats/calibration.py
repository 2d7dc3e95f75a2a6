"""Whether predicted probabilities agree with what happened, in numbers.

The hierarchy of Van Calster et al., J Clin Epidemiol 2016;74:167, doi 10.1016/j.jclinepi.2015.12.005: in the large,
weak (intercept and slope), moderate (the curve).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from radiomics_pipeline.stats.checked import ONE_CLASS, SAME, probabilities_of
from radiomics_pipeline.stats.delong import patient_codes
from radiomics_pipeline.stats.lowess import lowess

NAN = float("nan")
NEAREST = 1e-6
"""Probabilities nearer to 0 or 1 count as this near: their logits would be infinite."""
STEP = 3.0
"""Largest change of a logit in one step of Newton's method."""
SEPARATED = "the predictions separate the outcomes without error: the slope is infinite"
FEWEST = 10
"""Rows from which a smooth curve is drawn."""
PLACES = 400
"""Of more different probabilities than this the curve is fitted at as many quantiles, and straight between them."""


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and interval; NaN, and why, where it cannot be had."""

    value: float
    error: float = NAN
    lower: float = NAN
    upper: float = NAN
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """Smooth calibration curve and its distances from the diagonal.

    at, observed : float64 [places], predicted probabilities, rising, and the smoothed share of events
    ici, e50, e90, e_max : mean, median, 90th percentile and largest of |observed - predicted| over the rows
    """

    at: np.ndarray
    observed: np.ndarray
    ici: float
    e50: float
    e90: float
    e_max: float
    note: str = ""


@dataclass(frozen=True)
class Calibration:
    """All of it.

    in_the_large : intercept with the slope held at 1, 0 is best; above 0 the risks are predicted too low
    intercept, slope : of the logistic recalibration; 0 and 1 are best, a slope below 1 is overfitted
    observed_expected : events over the sum of probabilities; 1 is best, its error on the log scale
    """

    in_the_large: Estimate
    intercept: Estimate
    slope: Estimate
    observed_expected: Estimate
    curve: Curve
    n_rows: int
    n_events: int


def calibration(
    p: np.ndarray, event: np.ndarray, *, groups: np.ndarray | None = None, level: float = 0.95, span: float = 0.75
) -> Calibration:
    """Calibration of predicted probabilities.

    p : float64 [rows], of rows that the model was not fitted to; event : bool [rows]
    groups : of each row the patient, where patients have several; standard errors then come from the patients' sums
    """
    found, flags = probabilities_of(p, event)
    intercept, slope = recalibration(found, flags, groups=groups, level=level)
    return Calibration(
        in_the_large(found, flags, groups=groups, level=level),
        intercept,
        slope,
        observed_expected(found, flags, level=level),
        calibration_curve(found, flags, span=span),
        len(flags),
        int(flags.sum()),
    )


def in_the_large(
    p: np.ndarray, event: np.ndarray, *, groups: np.ndarray | None = None, level: float = 0.95
) -> Estimate:
    """Intercept of a logistic regression of the outcome with the predicted logits as offset.

    Wald interval; the sandwich's error over patients where `groups` are given. Infinite and thus NaN for a single class
    """
    found, flags = probabilities_of(p, event)
    if flags.all() or not flags.any():
        return Estimate(NAN, note=ONE_CLASS)
    offset, note = _logits(found)
    beta, covariance = _logistic(np.ones((len(flags), 1)), flags, offset, groups)
    return _wald(beta[0], covariance[0, 0], level, note)


def recalibration(
    p: np.ndarray, event: np.ndarray, *, groups: np.ndarray | None = None, level: float = 0.95
) -> tuple[Estimate, Estimate]:
    """Intercept and slope of a logistic regression of the outcome on the predicted logits.

    Cox, Biometrika 1958;45:562, doi 10.1093/biomet/45.3-4.562. Wald intervals. Not identifiable, and NaN, for a single
    class, for equal predictions, and where the predictions separate the outcomes
    """
    found, flags = probabilities_of(p, event)
    reason = ""
    x, note = _logits(found)
    if flags.all() or not flags.any():
        reason = ONE_CLASS
    elif np.ptp(x) < 1e-12:
        reason = SAME
    elif x[~flags].max() <= x[flags].min() or x[flags].max() <= x[~flags].min():
        reason = SEPARATED
    if reason:
        return Estimate(NAN, note=reason), Estimate(NAN, note=reason)
    beta, covariance = _logistic(np.column_stack([np.ones(len(x)), x]), flags, np.zeros(len(x)), groups)
    return _wald(beta[0], covariance[0, 0], level, note), _wald(beta[1], covariance[1, 1], level, note)


def observed_expected(p: np.ndarray, event: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Events over expected events, with an interval made on the log scale.

    Error of log(O/E): sqrt((1 - O/n) / O), with the expected number taken as known: Debray et al., BMJ 2017;356:i6460,
    doi 10.1136/bmj.i6460. Rows are taken as independent
    """
    found, flags = probabilities_of(p, event)
    expected, seen = float(found.sum()), int(flags.sum())
    if expected == 0:
        return Estimate(NAN, note="no event is expected: all probabilities are 0")
    ratio = seen / expected
    if not seen:
        return Estimate(0.0, note="no event")
    error = float(np.sqrt((1 - seen / len(flags)) / seen))
    if error == 0:
        return Estimate(ratio, note=ONE_CLASS)
    reach = float(ndtri(0.5 + level / 2)) * error
    return Estimate(ratio, error, ratio * float(np.exp(-reach)), ratio * float(np.exp(reach)))


def calibration_curve(p: np.ndarray, event: np.ndarray, *, at: np.ndarray | None = None, span: float = 0.75) -> Curve:
    """Smooth share of events over the predicted probability, and the calibration index made of it.

    at : where the curve is given, rising, within the range of p; None for every probability that occurs
    span : share of rows behind each place, see stats/lowess.py

    Austin and Steyerberg, Stat Med 2019;38:4051, doi 10.1002/sim.8281 (there with R's loess, a local parabola; here
    local lines, which are steadier in small tables). Held within 0 and 1. Smoothing noise alone makes the index larger
    than 0: compare it with that of other models on the same rows, not with 0. NaN with fewer than FEWEST rows.
    """
    found, flags = probabilities_of(p, event)
    own = np.unique(found)
    places = own if at is None else np.asarray(at, np.float64)
    if len(found) < FEWEST:
        nothing = np.full(len(places), NAN)
        return Curve(places, nothing, NAN, NAN, NAN, NAN, f"fewer than {FEWEST} rows")
    line = _line(found, flags, own, span)
    gap = np.abs(line[np.searchsorted(own, found)] - found)
    shown = line if at is None else _line(found, flags, places, span)
    inside = (places >= own[0] - 1e-12) & (places <= own[-1] + 1e-12)
    e50, e90 = np.quantile(gap, (0.5, 0.9))
    note = SAME if len(own) == 1 else (ONE_CLASS if flags.all() or not flags.any() else "")
    return Curve(
        places, np.where(inside, shown, NAN), float(gap.mean()), float(e50), float(e90), float(gap.max()), note
    )


def _line(p: np.ndarray, flags: np.ndarray, at: np.ndarray, span: float) -> np.ndarray:
    """The smooth curve at rising places, held within 0 and 1."""
    some = at
    if len(at) > PLACES:
        some = at[np.unique(np.linspace(0, len(at) - 1, PLACES).round().astype(np.int64))]
    line = np.clip(lowess(p, flags.astype(np.float64), some, span), 0, 1)
    return line if some is at else np.interp(at, some, line)


def _logits(p: np.ndarray) -> tuple[np.ndarray, str]:
    sure = int(((p < NEAREST) | (p > 1 - NEAREST)).sum())
    note = f"{sure} probabilities of 0 or 1 count as {NEAREST:g} from it" if sure else ""
    return np.asarray(logit(np.clip(p, NEAREST, 1 - NEAREST))), note


def _wald(value: float, variance: float, level: float, note: str) -> Estimate:
    error = float(np.sqrt(variance)) if variance > 0 else NAN
    reach = float(ndtri(0.5 + level / 2)) * error
    return Estimate(float(value), error, float(value) - reach, float(value) + reach, note)


def _logistic(
    design: np.ndarray, flags: np.ndarray, offset: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of a logistic regression and their covariance: the model's, or from the sums of several rows.

    By Newton's method: no step moves a row's logit by more than STEP, since from where all probabilities are 0 or 1 in
    floating point there is no way back; a step that does not lower the loss is halved.
    """
    y, beta = flags.astype(np.float64), np.zeros(design.shape[1])
    loss = _loss(offset, y)
    for _ in range(500):
        fitted = expit(offset + design @ beta)
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (y - fitted))
        step = step * min(1.0, STEP / max(float(np.abs(design @ step).max()), 1e-300))
        for _ in range(60):
            new = _loss(offset + design @ (beta + step), y)
            if new <= loss + 1e-12 * abs(loss):
                break
            step = step / 2
        beta, loss = beta + step, new
        if np.abs(step).max() < 1e-11 * (1 + np.abs(beta).max()):
            break
    fitted = expit(offset + design @ beta)
    bread = np.linalg.inv((design * (fitted * (1 - fitted))[:, None]).T @ design)
    codes, n_groups = patient_codes(groups, len(y))
    if n_groups == len(y):
        return beta, bread
    score = np.zeros((n_groups, design.shape[1]))
    np.add.at(score, codes, design * (y - fitted)[:, None])
    return beta, bread @ score.T @ score @ bread


def _loss(eta: np.ndarray, y: np.ndarray) -> float:
    return float((np.logaddexp(0, eta) - y * eta).sum())
