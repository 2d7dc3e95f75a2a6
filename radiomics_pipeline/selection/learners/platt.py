"""Probabilities from decisions that are none, by what rows left out show (Platt 1999)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

LEAST = 1e-3
"""Smallest slope, per root mean square of the decisions: next to nothing, but it keeps their order."""
Decide = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Rows to train on and rows to decide on, both int64 -> decisions float64 [rows] (two classes) or [rows, classes]."""


@dataclass(frozen=True)
class Calibration:
    """Log odds of classes as slope x decision + offset.

    slope : above 0, one for all classes: where decisions tell nothing, or the contrary, all rows get nearly the shares
        of the classes, still in the order of their decisions
    offsets : float64 [classes], the first 0
    """

    slope: float
    offsets: np.ndarray

    def log_odds(self, decisions: np.ndarray) -> np.ndarray:
        """float64 [rows, classes], up to a constant of each row."""
        return np.asarray(self.slope * by_class(decisions) + self.offsets)

    def probability(self, decisions: np.ndarray) -> np.ndarray:
        """float64 [rows, classes]"""
        return np.asarray(softmax(self.log_odds(decisions), axis=1))


def by_class(decisions: np.ndarray) -> np.ndarray:
    """Decisions [rows, classes]; of two classes a single decision is that of the second, the first has 0."""
    return decisions if decisions.ndim == 2 else np.column_stack([np.zeros(len(decisions)), decisions])


def calibrate(decisions: np.ndarray, codes: np.ndarray) -> Calibration:
    """Slope and offsets of the smallest log loss, for decisions of rows that were left out of training.

    decisions : float64 [rows] or [rows, classes]; codes : int64 [rows], every class present

    A class of n rows aims at (n + 1) / (n + classes) instead of 1, as Platt's targets (Lin, Lin and Weng, Mach Learn
    2007;68:267, doi 10.1007/s10994-007-5018-6), so that separable decisions have a finite slope.
    """
    d = by_class(np.asarray(decisions, np.float64))
    k = d.shape[1]
    counts = np.bincount(codes, minlength=k).astype(np.float64)
    targets = np.repeat((1 / (counts + k))[codes][:, None], k, axis=1)
    targets[np.arange(len(codes)), codes] = ((counts + 1) / (counts + k))[codes]
    size = max(float(np.sqrt((np.asarray(decisions) ** 2).mean())), 1e-300)
    d = d / size

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        eta = values[0] * d + np.concatenate([[0.0], values[1:]])
        off = softmax(eta, axis=1) - targets
        gradient = np.concatenate([[(off * d).sum()], off.sum(axis=0)[1:]])
        return float(-(targets * log_softmax(eta, axis=1)).sum()), gradient

    start = np.concatenate([[LEAST], np.log(targets.mean(axis=0)[1:] / targets.mean(axis=0)[0])])
    limits = [(LEAST, None)] + [(None, None)] * (k - 1)
    options = {"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-9}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits, options=options).x
    return Calibration(float(found[0]) / size, np.concatenate([[0.0], found[1:]]))


def held_out_decisions(place: np.ndarray, decide: Decide) -> np.ndarray:
    """Decisions on every row from a fit to the other folds. place : int64 [rows], the fold of each row"""
    rows = np.arange(len(place))
    out: np.ndarray | None = None
    for f in range(int(place.max()) + 1):
        found = decide(rows[place != f], rows[place == f])
        if out is None:
            out = np.zeros((len(place), *found.shape[1:]))
        out[place == f] = found
    assert out is not None
    return out
