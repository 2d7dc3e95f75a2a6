"""Normal intervals of an index that lies between 0 and 1."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri


def wald_interval(index: np.ndarray, variance: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Index -+ z standard errors, held within [0, 1]; NaN where the variance is 0 or unknown.

    index, variance : float64 [columns]

    A variance of 0 means complete separation: the data show no spread to build an interval on, and an
    interval of no width would claim certainty.
    """
    usable = np.where(variance > 0, variance, np.nan)
    reach = float(ndtri(0.5 + level / 2)) * np.sqrt(usable)
    return np.clip(index - reach, 0, 1), np.clip(index + reach, 0, 1)
