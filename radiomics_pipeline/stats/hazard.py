"""Cumulative hazards over time, and what survival and incidences follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST = 500.0
"""Log hazards farther than this from the largest of the training rows count as this far, so that none overflows."""


@dataclass(frozen=True)
class CumulativeHazard:
    """A step function that starts at 0 and jumps at event times.

    times : float64 [steps], rising
    values : float64 [steps], from each time on, in units of exp(top); not falling
    top : log hazard that the values are relative to
    """

    times: np.ndarray
    values: np.ndarray
    top: float = 0.0

    def of(self, risk: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Cumulative hazard of rows with these log hazards up to each time, float64 [rows, times]."""
        relative = np.exp(np.clip(np.asarray(risk, np.float64) - self.top, -LARGEST, LARGEST))
        return relative[:, None] * read_steps(self.times, self.values[None, :], times, before=0.0)


def read_steps(at: np.ndarray, values: np.ndarray, times: np.ndarray, *, before: float) -> np.ndarray:
    """Step functions read at other times: the value of the last step at or before each.

    at : float64 [steps], rising; values : float64 [rows, steps]; times : float64 [times], in any order
    before : value before the first step; after the last one its value stays
    returns : float64 [rows, times]
    """
    padded = np.hstack([np.full((len(values), 1), before), values])
    return np.asarray(padded[:, np.searchsorted(at, np.atleast_1d(np.asarray(times, np.float64)), side="right")])


def breslow(risk: np.ndarray, time: np.ndarray, event: np.ndarray) -> CumulativeHazard:
    """Baseline of rows with given log hazards: at each event time, events over the sum of exp(risk) of rows at risk.

    risk : float64 [rows]; equal ones give Nelson and Aalen's estimate
    time, event : float64, bool [rows]; rows censored at an event time are at risk at it

    Over all rows it expects exactly as many events as there were. Breslow, discussion of Cox, J R Stat Soc B
    1972;34:216; Lin, Lifetime Data Anal 2007;13:471, doi 10.1007/s10985-007-9048-y.
    """
    risk, time, event = np.asarray(risk, np.float64), np.asarray(time, np.float64), np.asarray(event, np.bool_)
    if not event.any():
        return CumulativeHazard(np.zeros(0), np.zeros(0))
    top = float(risk.max())
    relative = np.exp(np.maximum(risk - top, -LARGEST))
    order = np.argsort(-time, kind="stable")
    sums = np.cumsum(relative[order])
    times, events = np.unique(time[event], return_counts=True)
    at_risk = sums[np.searchsorted(-time[order], -times, side="right") - 1]
    return CumulativeHazard(times, np.cumsum(events / at_risk), top)


def nelson_aalen(time: np.ndarray, event: np.ndarray) -> CumulativeHazard:
    """Cumulative hazard without columns. Aalen, Ann Stat 1978;6:701, doi 10.1214/aos/1176344247."""
    return breslow(np.zeros(len(time)), time, event)


def incidences(hazards: np.ndarray) -> np.ndarray:
    """Probability of each cause having come first, from the cumulative hazards of all of them.

    hazards : float64 [causes, rows, steps], not falling over steps, which hold every time at which one of them jumps
    returns : float64 [causes, rows, steps]; over causes they sum to 1 - exp(-sum of hazards) exactly

    Within a step hazards count as constant. Benichou and Gail, Biometrics 1990;46:813, doi 10.2307/2532098.
    """
    steps = np.diff(hazards, axis=2, prepend=0.0)
    total = steps.sum(axis=0)
    free = np.exp(-hazards.sum(axis=0) + total)  # of every cause, just before the step
    share = np.divide(steps, total, out=np.zeros_like(steps), where=total > 0)
    return np.minimum(np.cumsum(share * (-np.expm1(-total) * free), axis=2), 1.0)  # sums may round to above 1
