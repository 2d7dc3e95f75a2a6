"""How well a feature tells several classes apart, two at a time."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from radiomics_pipeline.stats.delong import auc_delong


def mean_pair_auc(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Mean over all pairs of classes of the area under the ROC curve between the two, float64 [columns].

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    codes : int64 [rows], the class. NaN where a class has no value

    Hand and Till's M (Mach Learn 2001;45:171, doi 10.1023/A:1010920819831) with the feature itself as the score. A
    feature may be high in one class and low in the next, so each pair counts in the direction in which the area is
    larger: chance alone gives somewhat more than 0.5, and no interval around it would be right.
    """
    pairs = list(combinations(np.unique(codes), 2))
    total = np.zeros(values.shape[1])
    for low, high in pairs:
        rows = (codes == low) | (codes == high)
        area = auc_delong(values[rows], codes[rows] == high).area
        total += np.maximum(area, 1 - area)
    return total / len(pairs)
