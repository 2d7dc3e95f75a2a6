"""Which columns a lasso holds at each penalty, for every kind of outcome."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path

from radiomics_pipeline.kernels.logistic import logistic_path
from radiomics_pipeline.selection.steps.target import Target

TOLERANCE = 1e-4
"""Of the coordinate descents: it is asked which coefficients are 0, not what they are. Coxnet keeps its own."""
ENOUGH = 0.9
"""Share of the deviance explained after which smaller penalties repeat the last solution."""


def standardised(X: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and standard deviation 1, float64 [rows, columns], Fortran order; constant ones are 0."""
    centred = X - X.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    level = spread <= 1e-12 * np.maximum(np.abs(X).max(axis=0), 1e-300)
    return np.asfortranarray(np.where(level, 0.0, centred / np.where(level, 1.0, spread)))


def first_penalty(Z: np.ndarray, target: Target) -> float:
    """The smallest penalty, in units of the mean loss, at which no column is held; Z as of `standardised`."""
    return max(float(np.abs(Z.T @ _scaled(target)).max()) / len(Z), 1e-12)


def lasso_coefficients(Z: np.ndarray, target: Target, penalties: np.ndarray) -> np.ndarray:
    """|Coefficients| of the lasso, float64 [penalties, columns]; of several classes the largest, one against the rest.

    Z : as of `standardised`; penalties : float64 [k], falling

    Two classes: logistic regression; several: one against the rest; numbers, ordered classes (by their codes):
    least squares; times: Cox (scikit-survival's Coxnet, Breslow's ties), of competing events that of interest.
    """
    if target.kind in ("binary", "multiclass"):
        labels = np.unique(target.value)
        found = np.zeros((len(penalties), Z.shape[1]))
        for label in labels[1:] if len(labels) == 2 else labels:
            y = (target.value == label).astype(np.float64)
            found = np.maximum(found, np.abs(logistic_path(Z, y, penalties, 1.0, TOLERANCE, 50, 1000, ENOUGH)[0]))
        return found
    if target.time is not None:
        return _cox(Z, target, penalties)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.abs(lasso_path(Z, _scaled(target)[:, 0], alphas=penalties, tol=TOLERANCE)[1].T)


def first_to_enter(Z: np.ndarray, target: Target, most: int) -> np.ndarray:
    """The first `most` columns that the lasso holds as its penalty falls, int64; fewer where the path ends before.

    Several that enter between two penalties come in the order of their |coefficients|.
    """
    top = first_penalty(Z, target)
    entered = np.zeros(0, np.int64)
    for smallest, steps in ((0.4, 12), (0.1, 30), (0.01, 60)):
        held = lasso_coefficients(Z, target, top * np.geomspace(1.0, smallest, steps))
        entered = entry_order(held)
        if len(entered) >= most:
            break
    return entered[:most]


def entry_order(held: np.ndarray) -> np.ndarray:
    """Columns that are ever held, in the order in which they first are, int64; held : float64 [penalties, columns]."""
    ever = np.flatnonzero((held > 0).any(axis=0))
    first = np.argmax(held[:, ever] > 0, axis=0)
    return ever[np.lexsort((-held[first, ever], first))]


def _scaled(target: Target) -> np.ndarray:
    """The outcome's numbers, float64 [rows, k]; those of least squares with standard deviation 1."""
    numbers = target.numbers()
    if target.kind in ("continuous", "ordinal"):
        spread = np.sqrt((numbers**2).mean(axis=0))
        return numbers / np.where(spread > 0, spread, 1.0)
    return numbers


def _cox(Z: np.ndarray, target: Target, penalties: np.ndarray) -> np.ndarray:
    from sksurv.linear_model import CoxnetSurvivalAnalysis

    y = np.empty(len(target), dtype=[("event", "?"), ("time", "<f8")])
    y["event"], y["time"] = target.event, target.timed
    tried = len(penalties)
    while tried:
        model = CoxnetSurvivalAnalysis(alphas=penalties[:tried], l1_ratio=1.0, max_iter=100_000)
        try:
            with warnings.catch_warnings():  # the largest penalties are meant to hold nothing
                warnings.filterwarnings("ignore", "all coefficients are zero", UserWarning)
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(Z, y)
        except ArithmeticError:  # a penalty so small that the weights overflow
            tried -= max(1, tried // 4)
            continue
        found = np.abs(model.coef_.T)
        return np.vstack([found, np.repeat(found[-1:], len(penalties) - len(found), axis=0)])
    return np.zeros((len(penalties), Z.shape[1]))
