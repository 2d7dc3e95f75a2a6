"""How well predicted probabilities or hazards explain an outcome."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.kernels.cox import partial_likelihood


def logistic_loss(eta: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sum over rows of the logistic loss, float64 [sets].

    eta : float64 [sets, rows], linear predictors; y : [rows], 0 and 1
    """
    return (np.logaddexp(0.0, eta) - eta * y[None, :]).sum(axis=1)


def cox_loss(risks: np.ndarray, time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Negative log partial likelihood (Breslow), float64 [sets].

    risks : float64 [sets, rows], log relative hazards; time, event : float64, bool [rows]
    """
    order = np.argsort(-np.asarray(time), kind="stable")
    ordered = np.ascontiguousarray(np.asarray(risks, np.float64)[:, order])
    return -partial_likelihood(ordered, np.asarray(time, np.float64)[order], np.asarray(event, np.bool_)[order])
