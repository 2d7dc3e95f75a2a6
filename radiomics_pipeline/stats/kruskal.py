"""Kruskal and Wallis's test of many features between several classes."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from radiomics_pipeline.kernels.ranks import centred_ranks
from radiomics_pipeline.stats.delong import patient_codes

AT_ONCE = 512
"""Columns whose sums by patient are held in memory together."""


def kruskal_p(values: np.ndarray, codes: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """P of every column, float64 [columns]: whether any class has higher ranks than another.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    codes : int64 [rows], the class, from 0
    groups : of each row the patient, where patients have several rows: then the rank sums of the classes are tested
        against the variance of the patients' sums, as `mannwhitney.clustered_p` does with two classes

    Equals `scipy.stats.kruskal`; NaN where fewer than two classes have a value or all values are equal.
    Kruskal and Wallis, JASA 1952;47:583, doi 10.1080/01621459.1952.10483441.
    """
    ranks, counts = centred_ranks(np.array(np.transpose(values), np.float64, order="C"))
    members = np.asarray(codes)[:, None] == np.arange(int(np.max(codes)) + 1)
    size = (~np.isnan(ranks)).astype(np.float64) @ members
    ranks = np.nan_to_num(ranks)
    freedom = (size > 0).sum(axis=1) - 1
    square = (ranks**2).sum(axis=1)
    if groups is None:
        between = ((ranks @ members) ** 2 / np.maximum(size, 1)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = between / square * (counts[:, 0] - 1)
    else:
        statistic = np.concatenate(
            [
                _by_patient(ranks[c : c + AT_ONCE], size[c : c + AT_ONCE], members, groups)
                for c in range(0, len(ranks), AT_ONCE)
            ]
        )
    sound = (freedom > 0) & (square > 0) & ~np.isnan(statistic)
    p = chdtrc(np.maximum(freedom, 1), np.where(sound, statistic, 0.0))
    return np.where(sound, p, np.nan)


def _by_patient(ranks: np.ndarray, size: np.ndarray, members: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Score statistic of the classes' rank sums; ranks float64 [columns, rows], 0 where missing."""
    codes, n_groups = patient_codes(groups, len(members))
    share = size / size.sum(axis=1, keepdims=True).clip(1)
    sums = np.zeros((members.shape[1], n_groups, len(ranks)))
    for k in range(members.shape[1]):
        # missing rows have rank 0 and so take no part, whatever the class is centred on
        np.add.at(sums[k], codes, (ranks * (members[:, k] - share[:, [k]])).T)
    total = sums.sum(axis=1).T
    variance = np.einsum("agc,bgc->cab", sums, sums)
    # one class follows from the others, hence the generalised inverse
    inverse = np.linalg.pinv(variance, rcond=1e-10, hermitian=True)
    return np.asarray(np.einsum("ca,cab,cb->c", total, inverse, total))
