"""A smooth line through points: locally weighted straight lines."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import ParamsError

AT_ONCE = 256
"""Places whose weights are held in memory together."""


def lowess(x: np.ndarray, y: np.ndarray, at: np.ndarray, span: float = 0.75) -> np.ndarray:
    """Locally weighted linear regression of y on x, at given places; float64 [places].

    x, y : float64 [rows], no NaN; at : float64 [places]; span : share of rows that a place takes into account

    Cleveland, J Am Stat Assoc 1979;74:829, doi 10.1080/01621459.1979.10481038, without the robust iterations: of 0 and
    1 these would throw out the rarer value. The nearest span * rows points weigh as the tricube of their distance.
    Where these share one x, their mean. Equal to statsmodels' lowess(it=0). NaN with fewer than two rows.
    """
    if not 0 < span <= 1:
        raise ParamsError(f"span {span}; it is a share of the rows, over 0 and up to 1")
    order = np.argsort(x, kind="stable")
    xs, ys = np.asarray(x, np.float64)[order], np.asarray(y, np.float64)[order]
    places, n = np.asarray(at, np.float64), len(xs)
    if n < 2:
        return np.full(len(places), np.nan)
    nearest = min(max(int(span * n + 1e-10), 2), n)
    found = np.empty(len(places))
    for start in range(0, len(places), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        distance = np.abs(xs[None, :] - places[some, None])
        reach = np.partition(distance, nearest - 1, axis=1)[:, nearest - 1 : nearest]
        found[some] = _local_lines(xs[None, :] - places[some, None], ys, _tricube(distance, reach))
    return found


def _tricube(distance: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Weights float64 [places, rows], with the sum 1; the farthest of the nearest points has none."""
    share = np.divide(distance, reach, out=np.where(distance > 0, 2.0, 0.0), where=reach > 0)
    weight = np.where(share < 0.999, (1 - np.minimum(share, 1) ** 3) ** 3, 0.0)
    weight = np.where(share <= 0.001, 1.0, weight)
    total = weight.sum(axis=1, keepdims=True)
    tied = (total == 0) & (share <= 1)  # all of the nearest lie equally far
    weight = np.where(total > 0, weight, tied.astype(np.float64))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _local_lines(offset: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Value at offset 0 of the weighted line; the weighted mean where x does not vary."""
    centre = (weight * offset).sum(axis=1)
    mean = weight @ y
    spread = (weight * (offset - centre[:, None]) ** 2).sum(axis=1)
    covariance = (weight * (offset - centre[:, None]) * y).sum(axis=1)
    flat = spread <= 1e-24 * np.maximum(np.ptp(offset, axis=1) ** 2, 1e-300)
    slope = np.divide(covariance, spread, out=np.zeros_like(mean), where=~flat)
    return np.asarray(mean - slope * centre)
