"""Correction of a few planned tests, so that the chance of any false claim stays at its level."""

from __future__ import annotations

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p values, float64 [tests]; a NaN stays NaN and is not counted.

    Holm, Scand J Stat 1979;6:65. Valid however the tests depend on each other.
    """
    given = np.asarray(p, np.float64)
    adjusted = np.full(len(given), np.nan)
    tested = np.flatnonzero(~np.isnan(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
