"""What each of many columns adds to a model that has the adjusting columns already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from radiomics_pipeline.kernels.added import DETERMINED, EMPTY, ENDLESS, FLAT, UNENDED, added_columns
from radiomics_pipeline.stats.delong import patient_codes

STEPS = 100
"""Newton steps at the most; a likelihood that rises towards infinity is followed for about 30."""
WHY = {
    DETERMINED: "constant, or a sum of the adjusting columns",
    ENDLESS: "separation: the coefficient has no end, p is that of the limit",
    UNENDED: "the iteration did not end",
    EMPTY: "no event, or not every class, among the rows with a value",
    FLAT: "no event has rows of another value at risk beside it",
}

SEPARATED = "the adjusting columns separate the outcome"


@dataclass(frozen=True)
class Added:
    """One model a column: a constant (none in Cox's), the adjusting columns and the column; all arrays [columns].

    n : int64, rows that have the column and all of the adjusting ones
    coefficient : float64, per standard deviation of the column in these rows, infinite where it has no end; NaN for
        several classes
    standard_error : float64, NaN where the coefficient has no end; from the patients' sums where groups were given
    gain : float64, log likelihood over that of the model without the column, at infinity where it has no end
    p : float64, of the likelihood ratio (least squares: F), or of the robust score where groups were given
    freedom : int64, rows less the parameters of the model
    reasons : why a number is missing or infinite, empty where none is
    """

    n: np.ndarray
    coefficient: np.ndarray
    standard_error: np.ndarray
    gain: np.ndarray
    p: np.ndarray
    freedom: np.ndarray
    reasons: tuple[str, ...]

    @property
    def converged(self) -> np.ndarray:
        """Bool [columns], whether the iteration ended."""
        return np.array([WHY[UNENDED] not in reason for reason in self.reasons], np.bool_)


def fit_added(
    model: int,
    values: np.ndarray,
    *,
    codes: np.ndarray | None = None,
    time: np.ndarray | None = None,
    event: np.ndarray | None = None,
    adjust: np.ndarray | None = None,
    used: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> tuple[Added, np.ndarray]:
    """Fit the models of all columns; arguments and results as of `kernels.added.added_columns`, rows in any order.

    used : bool [columns, k], see `adjusters`; None adjusts every column for all. p is that of the chi-square
    """
    n, n_columns = values.shape
    others = np.zeros((n, 0)) if adjust is None else np.asarray(adjust, np.float64)
    chosen = np.ones((n_columns, others.shape[1]), np.bool_) if used is None else np.array(used, np.bool_)
    of_patient, n_patients = patient_codes(groups, n)
    classes = np.zeros(n, np.int64) if codes is None else np.asarray(codes, np.int64)
    when = np.zeros(n) if time is None else np.asarray(time, np.float64)
    seen = np.zeros(n, np.bool_) if event is None else np.asarray(event, np.bool_)
    order = np.argsort(-when, kind="stable")
    n_classes = int(classes.max()) + 1
    out = added_columns(
        model,
        np.array(np.asarray(values)[order].T, np.float64, order="C"),
        np.array(others[order], order="C"),
        chosen,
        classes[order],
        n_classes,
        when[order],
        seen[order],
        of_patient[order],
        n_patients,
        groups is not None,
        STEPS,
    )
    statistic = out[:, 3] if groups is not None else 2 * out[:, 2]
    p = np.where(np.isnan(statistic), np.nan, chdtrc(max(n_classes - 1, 1), np.nan_to_num(statistic)))
    reasons = [WHY.get(end, "") for end in out[:, 4]]
    for c in np.flatnonzero((out[:, 6] == 1) & ~np.isin(out[:, 4], (EMPTY, FLAT))):
        reasons[c] = "; ".join(filter(None, (SEPARATED, reasons[c])))
    rows = out[:, 5].astype(np.int64)
    freedom = rows - np.nan_to_num(out[:, 8]).astype(np.int64)
    found = Added(rows, out[:, 0], out[:, 1], out[:, 2], p, freedom, tuple(reasons))
    return found, out


def adjusters(values: np.ndarray, adjust: np.ndarray) -> np.ndarray:
    """Whether each column is adjusted for each adjusting one, bool [columns, k]: not for itself in whatever unit.

    values : float64 [rows, columns]; adjust : float64 [rows, k], both with NaN where missing

    Two columns are the same where they lie on one straight line, to 1e-9 of the correlation, in rows that have both.
    """
    used = np.ones((values.shape[1], adjust.shape[1]), np.bool_)
    for k, other in enumerate(adjust.T):
        both = ~np.isnan(values) & ~np.isnan(other)[:, None]
        count = np.maximum(both.sum(axis=0), 1)
        x = np.where(both, values, 0.0)
        z = np.where(both, other[:, None], 0.0)
        x = np.where(both, x - x.sum(axis=0) / count, 0.0)
        z = np.where(both, z - z.sum(axis=0) / count, 0.0)
        product, size = (x * z).sum(axis=0), np.sqrt((x * x).sum(axis=0) * (z * z).sum(axis=0))
        used[:, k] = ~((size > 0) & (np.abs(product) >= (1 - 1e-9) * size) & (count > 2))
    return used
