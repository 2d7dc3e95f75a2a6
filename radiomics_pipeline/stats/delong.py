"""Area under the ROC curve of many features, with DeLong's interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.kernels.roc import auc_columns
from radiomics_pipeline.stats.intervals import wald_interval


@dataclass(frozen=True)
class Areas:
    """Areas under the ROC curve, one a column; all arrays [columns].

    area : float64, of the raw values: below 0.5 where low values go with the positives
    variance, lower, upper : float64, NaN where undefined
    n_positive, n_negative : int64, rows with a value
    ties : float64, sum of t^3 - t over groups of t equal values
    """

    area: np.ndarray
    variance: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n_positive: np.ndarray
    n_negative: np.ndarray
    ties: np.ndarray


def auc_delong(values: np.ndarray, positive: np.ndarray, groups: np.ndarray | None = None) -> Areas:
    """Area under the ROC curve of every column, with its 95 % interval.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    positive : bool [rows]
    groups : of each row the patient, any sortable values; None where every row is another patient

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, doi 10.2307/2531595; with several rows of one
    patient Obuchowski's extension, Biometrics 1997;53:567, doi 10.2307/2533958. The two are the same
    where every patient has one row.
    """
    codes, n_groups = patient_codes(groups, len(positive))
    # copies, since to numba a read-only array is of another type
    columns = np.array(np.transpose(values), np.float64, order="C")
    out = auc_columns(columns, np.array(positive, np.bool_), codes, n_groups)
    lower, upper = wald_interval(out[:, 0], out[:, 1])
    counts = out[:, 2:4].astype(np.int64)
    return Areas(out[:, 0], out[:, 1], lower, upper, counts[:, 0], counts[:, 1], out[:, 4])


def patient_codes(groups: np.ndarray | None, n_rows: int) -> tuple[np.ndarray, int]:
    """Patients as int64 codes from 0, and how many there are."""
    if groups is None:
        return np.arange(n_rows), n_rows
    names, codes = np.unique(np.asarray(groups), return_inverse=True)
    return np.ascontiguousarray(codes, np.int64), len(names)
