"""How many bits a feature tells of a class."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def mutual_information(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Mutual information of every column with a class, in bits, float64 [columns]; NaN of constant columns.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    codes : int64 [rows], the class, from 0

    A column of n values is cut by rank into parts of equal size, as many as the cube root of n, from 2 to 10; equal
    values share a part. From the information of the counts is taken what chance gives, (parts - 1) (classes - 1) /
    (2 n ln 2); what falls below 0 by that is 0. Miller, Information Theory in Psychology 1955:95; the correction is
    Miller and Madow's. An estimate from few rows is rough: it orders features, and is not a measured channel.
    """
    there = ~np.isnan(values)
    n = there.sum(axis=0)
    n_columns, n_classes = values.shape[1], int(codes.max()) + 1
    parts = np.clip(np.round(np.cbrt(n)), 2, 10)
    ranks = rankdata(np.where(there, values, np.inf), axis=0)
    part = np.clip(np.floor((ranks - 0.5) / np.maximum(n, 1) * parts), 0, 9).astype(np.int64)
    cell = (np.arange(n_columns) * 10 + part) * n_classes + np.asarray(codes, np.int64)[:, None]
    counts = np.bincount(cell[there], minlength=n_columns * 10 * n_classes)
    joint = counts.reshape(n_columns, 10, n_classes).astype(np.float64)
    of_part, of_class = joint.sum(axis=2), joint.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * np.log(joint * n[:, None, None] / (of_part[:, :, None] * of_class[:, None, :]))
        found = np.nansum(terms, axis=(1, 2)) / n
        chance = ((of_part > 0).sum(axis=1) - 1) * ((of_class > 0).sum(axis=1) - 1) / (2 * n)
        level = np.where(there, values, -np.inf).max(axis=0) == np.where(there, values, np.inf).min(axis=0)
        return np.where(level | (n < 2), np.nan, np.maximum(found - chance, 0.0) / np.log(2))
