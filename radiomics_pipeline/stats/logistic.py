"""Logistic regressions of many features, one model each."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.kernels.added import CLASSES
from radiomics_pipeline.stats.partial import Added, fit_added


def logistic_lrt(
    values: np.ndarray,
    codes: np.ndarray,
    *,
    adjust: np.ndarray | None = None,
    used: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Added:
    """Likelihood ratio test of every column in a logistic model of its own, alone or beside adjusting columns.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column's model only
    codes : bool or int64 [rows], the class, from 0; of two classes the coefficient is the log odds of class 1, of
        several the model is multinomial and the test has as many degrees of freedom as classes less one
    adjust : float64 [rows, k], columns that every model has; a row with a NaN among them is left out
    used : bool [columns, k], which of them (see `stats.partial.adjusters`); None for all
    groups : of each row the patient, where patients have several: then p is that of the robust score test, and standard
        errors come from the patients' sums (Boos, Am Stat 1992;46:327, doi 10.1080/00031305.1992.10475921)

    Equals statsmodels' Logit and MNLogit. Where classes do not overlap (separation) the coefficient has no end and is
    infinite; the likelihood has one, and so p is valid. NaN where a class has no row or the column is constant.
    """
    classes = np.asarray(codes).astype(np.int64)
    return fit_added(CLASSES, values, codes=classes.max() - classes, adjust=adjust, used=used, groups=groups)[0]
