"""Correction for the number of features tested."""

from __future__ import annotations

import numpy as np
from scipy.stats import false_discovery_control


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """False discovery rates (q) of p values; a NaN stays NaN and is not counted.

    p : float64 [tests]. Benjamini and Hochberg, J R Stat Soc B 1995;57:289,
    doi 10.1111/j.2517-6161.1995.tb02031.x.
    """
    q = np.full(len(p), np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        q[tested] = false_discovery_control(p[tested])
    return q
