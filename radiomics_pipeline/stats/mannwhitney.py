"""Mann and Whitney's test of many features at once."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr
from scipy.stats import rankdata

from radiomics_pipeline.stats.delong import Areas, patient_codes


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


def clustered_p(values: np.ndarray, positive: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Two-sided p of every column, for rows of which several belong to one patient.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    positive : bool [rows]; groups : of each row the patient

    The rank sum of the positives as a score, its variance from the patients' sums: the score test of Lin and Wei
    (JASA 1989;84:1074, doi 10.1080/01621459.1989.10478874), with the variance under no association. A variance around
    the observed area (Obuchowski) vanishes as the area nears 1, and gave p far too small. NaN where all values are
    equal or a class is empty.
    """
    codes, n_groups = patient_codes(groups, len(positive))
    there = ~np.isnan(values)
    ranks = np.where(there, rankdata(np.where(there, values, np.inf), axis=0), np.nan)
    outcome = np.where(there, np.asarray(positive, np.float64)[:, None], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        count = there.sum(axis=0)
        centred = np.nan_to_num(ranks - np.nansum(ranks, axis=0) / count)
        against = np.nan_to_num(outcome - np.nansum(outcome, axis=0) / count)
        scores = np.zeros((n_groups, values.shape[1]))
        np.add.at(scores, codes, centred * against)
        spread = np.sqrt((scores**2).sum(axis=0))
        statistic = np.abs(scores.sum(axis=0)) / spread
    return np.where(spread > 0, 2 * ndtr(-statistic), np.nan)
