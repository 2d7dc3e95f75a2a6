"""Mann and Whitney's test of many features at once."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from radiomics_pipeline.stats.delong import Areas


def mannwhitney_p(areas: Areas) -> np.ndarray:
    """Two-sided p of every column: normal approximation with ties and continuity corrected.

    Equals `scipy.stats.mannwhitneyu(method="asymptotic")`; NaN where a class is empty or all values are
    equal. It takes rows as independent: with several rows of one patient use `clustered_p`.
    Mann and Whitney, Ann Math Stat 1947;18:50, doi 10.1214/aoms/1177730491.
    """
    m, n = areas.n_positive.astype(np.float64), areas.n_negative.astype(np.float64)
    total = m + n
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(m * n / 12 * (total + 1 - areas.ties / (total * (total - 1))))
        statistic = (np.maximum(areas.area, 1 - areas.area) * m * n - m * n / 2 - 0.5) / spread
        p = np.minimum(2 * ndtr(-statistic), 1.0)
    return np.where(spread > 0, p, np.nan)


def clustered_p(areas: Areas) -> np.ndarray:
    """Two-sided p of every column against an area of 0.5, by the (clustered) variance of the area.

    The rows of one patient may depend on each other (Obuchowski 1997). NaN where the variance is 0 or unknown.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.abs(areas.area - 0.5) / np.sqrt(areas.variance)
    return np.where(areas.variance > 0, 2 * ndtr(-statistic), np.nan)
