"""Cox's test of many features, one model each."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from radiomics_pipeline.kernels.added import HAZARD
from radiomics_pipeline.kernels.cox import score_columns
from radiomics_pipeline.stats.delong import patient_codes
from radiomics_pipeline.stats.partial import Added, fit_added


def cox_lrt(
    values: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    *,
    adjust: np.ndarray | None = None,
    used: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Added:
    """Likelihood ratio test of every column in a Cox model of its own, ties after Efron, alone or beside others.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    time, event : float64, bool [rows]
    adjust, used : as in `stats.logistic.logistic_lrt`
    groups : of each row the patient, where patients have several: then p is that of the robust score test, and standard
        errors come from the patients' sums. Without them rows are taken as independent

    Equals statsmodels' PHReg(ties="efron"). Where a column orders the events perfectly the coefficient has no end, the
    likelihood has one: p stays valid. Efron, JASA 1977;72:557, doi 10.1080/01621459.1977.10480613.
    """
    return fit_added(HAZARD, values, time=time, event=event, adjust=adjust, used=used, groups=groups)[0]


def empty_residuals(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Martingale residuals of the model without columns, ties after Efron, float64 [rows]; their sum is 0.

    time, event : float64, bool [rows]. A column's sum of products with them is the slope of its Cox model at 0.
    Therneau, Grambsch and Fleming, Biometrika 1990;77:147, doi 10.1093/biomet/77.1.147.
    """
    when, seen = np.asarray(time, np.float64), np.asarray(event, np.bool_)
    residual = seen.astype(np.float64)
    for t in np.unique(when[seen]):
        dying = seen & (when == t)
        deaths = int(dying.sum())
        steps = 1.0 / ((when >= t).sum() - np.arange(deaths))
        residual[(when >= t) & ~dying] -= steps.sum()
        residual[dying] -= ((1 - np.arange(deaths) / deaths) * steps).sum()
    return residual


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
