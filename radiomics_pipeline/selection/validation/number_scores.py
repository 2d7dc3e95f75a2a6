"""Metrics of continuous outcomes."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from radiomics_pipeline.selection.validation.held import Held


def r2(held: Held) -> float | str:
    """1 less the squared error over that of predicting the training rows' mean."""
    truth, found = _pair(held)
    reference = ((truth - held.training.value.mean()) ** 2).sum()
    if reference == 0:
        return "all rows of the test part equal the mean of the training part"
    return float(1 - ((truth - found) ** 2).sum() / reference)


def spearman(held: Held) -> float | str:
    """Spearman's rank correlation of prediction and outcome; 0 where all predictions are the same."""
    truth, found = _pair(held)
    if len(truth) < 3 or np.ptp(truth) == 0:
        return "fewer than three rows, or all of one value"
    if np.ptp(found) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(truth), rankdata(found))[0, 1])


def rmse(held: Held) -> float | str:
    """Root of the mean squared error, in the outcome's unit."""
    truth, found = _pair(held)
    return float(np.sqrt(((truth - found) ** 2).mean()))


def mae(held: Held) -> float | str:
    """Mean absolute error, in the outcome's unit."""
    truth, found = _pair(held)
    return float(np.abs(truth - found).mean())


def _pair(held: Held) -> tuple[np.ndarray, np.ndarray]:
    assert held.risk is not None  # metrics.score asks first
    return held.outcome.value, held.risk
