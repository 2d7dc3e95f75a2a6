"""Interval of a share of counted rows."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri


def wilson(successes: np.ndarray, trials: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of successes / trials, lower and upper, float64 of their common shape; NaN without a trial.

    Wilson, J Am Stat Assoc 1927;22:209, doi 10.1080/01621459.1927.10502953, without continuity correction. It stays
    within [0, 1] and keeps its coverage near 0 and 1, where the normal interval has no width.
    """
    hits, n = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    n = np.where(n > 0, n, np.nan)
    z = float(ndtri(0.5 + level / 2))
    share = hits / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    lower, upper = np.clip(centre - reach, 0, 1), np.clip(centre + reach, 0, 1)
    return np.where(hits == 0, 0 * n, lower), np.where(hits == n, 1 + 0 * n, upper)
