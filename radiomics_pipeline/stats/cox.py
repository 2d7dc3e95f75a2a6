"""Cox's test of many features, one model each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from radiomics_pipeline.kernels.cox import cox_columns, score_columns
from radiomics_pipeline.stats.delong import patient_codes


@dataclass(frozen=True)
class CoxTests:
    """Univariable Cox models; all arrays [columns].

    coefficient, standard_error : float64, log hazard ratio per standard deviation of the column
    gain : float64, log partial likelihood over that of the empty model
    p : float64, of the likelihood ratio (or robust score) test; NaN where undefined
    converged : bool
    """

    coefficient: np.ndarray
    standard_error: np.ndarray
    gain: np.ndarray
    p: np.ndarray
    converged: np.ndarray


def cox_lrt(values: np.ndarray, time: np.ndarray, event: np.ndarray) -> CoxTests:
    """Likelihood ratio test of every column in a Cox model of its own, ties after Efron.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    time, event : float64, bool [rows]

    Equals statsmodels' PHReg(ties="efron"). Rows are taken as independent: with several rows of one
    patient use `cox_robust_p`. Where a column orders the events perfectly the coefficient has no end, the
    likelihood has one: p stays valid. Efron, JASA 1977;72:557, doi 10.1080/01621459.1977.10480613.
    """
    order = np.argsort(-np.asarray(time), kind="stable")
    columns = np.ascontiguousarray(np.asarray(values, np.float64)[order].T)
    out = cox_columns(columns, np.asarray(time, np.float64)[order], np.asarray(event, np.bool_)[order], 1e-12, 100)
    p = chdtrc(1, 2 * out[:, 2])
    return CoxTests(out[:, 0], out[:, 1], out[:, 2], np.where(np.isnan(out[:, 2]), np.nan, p), out[:, 3] == 1)


def cox_robust_p(values: np.ndarray, time: np.ndarray, event: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """P of the robust score test of every column, for rows of which several belong to one patient.

    Arguments as in `cox_lrt`; groups : of each row the patient. Lin and Wei, JASA 1989;84:1074,
    doi 10.1080/01621459.1989.10478874; Lee, Wei and Amato 1992.
    """
    codes, n_groups = patient_codes(groups, len(event))
    order = np.argsort(-np.asarray(time), kind="stable")
    columns = np.ascontiguousarray(np.asarray(values, np.float64)[order].T)
    out = score_columns(
        columns, np.asarray(time, np.float64)[order], np.asarray(event, np.bool_)[order], codes[order], n_groups
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = out[:, 0] ** 2 / out[:, 1]
    return np.where(out[:, 1] > 0, chdtrc(1, np.nan_to_num(statistic)), np.nan)
