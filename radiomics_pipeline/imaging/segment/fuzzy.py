"""Fuzzy c-means of the intensities: a threshold between the classes of background and lesion."""

from __future__ import annotations

import numpy as np

MOST_STEPS = 1000
MOST_VALUES = 2**16
"""More intensities than these are gathered in as many bins, each with its mean."""
SETTLED = 1e-9
"""Of the range of intensities: less movement of the centres than this is none."""


def fuzzy_centres(values: np.ndarray, classes: int, fuzziness: float) -> np.ndarray:
    """Centres of the classes, float64 [classes], ascending; they begin evenly spread from minimum to maximum.

    values : float64 [n], at least two different ones
    Bezdek, Pattern recognition with fuzzy objective function algorithms, 1981.
    """
    values, counts = _gathered(np.sort(values, axis=None))
    low, high = float(values[0]), float(values[-1])
    centres = np.linspace(low, high, classes)
    power = -2 / (fuzziness - 1)
    for _ in range(MOST_STEPS):
        away = [np.maximum(np.abs(values - c), 1e-12 * (high - low)) for c in centres]
        nearest = np.minimum.reduce(away)
        # distances as shares of the smallest, so that no power of them is too large for a number
        shares = [(part / nearest) ** power for part in away]
        total = np.add.reduce(shares)
        weights = [counts * (part / total) ** fuzziness for part in shares]
        found = np.sort([float((w * values).sum() / w.sum()) for w in weights])
        moved = float(np.abs(found - centres).max())
        centres = found
        if moved <= SETTLED * (high - low):
            break
    return centres


def _gathered(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending intensities, and how often each stands there; of very many, means of narrow bins."""
    if len(values) <= MOST_VALUES:
        return values, np.ones(len(values))
    share = (values - values[0]) / (values[-1] - values[0])
    place = np.minimum((share * MOST_VALUES).astype(np.int64), MOST_VALUES - 1)
    counts = np.bincount(place).astype(np.float64)
    filled = counts > 0
    return np.bincount(place, values)[filled] / counts[filled], counts[filled]


def fuzzy_threshold(values: np.ndarray, classes: int, fuzziness: float) -> float:
    """The intensity from which on a voxel is lesion.

    With a mixed class, its voxels count half for the lesion: a voxel is lesion where the membership of the highest
    class and half of that of the middle one reach 1/2, thus where the highest class is at least as near as the
    lowest one. That is the mean of these two centres, for any fuzziness; with two classes likewise.
    """
    centres = fuzzy_centres(values, classes, fuzziness)
    return float((centres[0] + centres[-1]) / 2)
