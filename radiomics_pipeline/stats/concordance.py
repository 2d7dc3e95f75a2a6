"""Harrell's C of many features, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.kernels.concordance import concordance_columns
from radiomics_pipeline.stats.delong import patient_codes
from radiomics_pipeline.stats.intervals import wald_interval


@dataclass(frozen=True)
class Concordances:
    """Harrell's C, one a column; all arrays [columns].

    index : float64, above 0.5 where high values go with early events; NaN without a comparable pair
    variance, lower, upper : float64, NaN where undefined
    n_pairs, n_rows, n_events : int64
    """

    index: np.ndarray
    variance: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n_pairs: np.ndarray
    n_rows: np.ndarray
    n_events: np.ndarray


def harrell_c(
    values: np.ndarray, time: np.ndarray, event: np.ndarray, groups: np.ndarray | None = None
) -> Concordances:
    """Harrell's C of every column, with its 95 % interval.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    time, event : float64, bool [rows]
    groups : of each row the patient; None where every row is another patient

    Equals `sksurv.metrics.concordance_index_censored` (which also calls values tied that differ by less than
    1e-8; here only equal values tie, so that the unit does not matter). Variance: infinitesimal jackknife
    over patients, as in R's survival::concordance; its coverage is simulated in tests/stats.
    Harrell, Lee and Mark, Stat Med 1996;15:361.
    """
    codes, n_groups = patient_codes(groups, len(event))
    order = np.argsort(-np.asarray(time, np.float64), kind="stable")
    # copies, since to numba a read-only array is of another type
    columns = np.array(np.transpose(np.asarray(values)[order]), np.float64, order="C")
    when, seen = np.array(time, np.float64)[order], np.array(event, np.bool_)[order]
    out = concordance_columns(columns, when, seen, codes[order], n_groups)
    lower, upper = wald_interval(out[:, 0], out[:, 1])
    counts = out[:, 2:5].astype(np.int64)
    return Concordances(out[:, 0], out[:, 1], lower, upper, counts[:, 0], counts[:, 1], counts[:, 2])


def compared_times(time: np.ndarray, cause: np.ndarray) -> np.ndarray:
    """Times by which pairs of rows are compared, float64 [rows]: a competing event leaves its row the last of all.

    time : float64 [rows]; cause : 0 none seen, 1 the event of interest, 2 and on competing ones

    The row never has the event of interest: Wolbers et al., Epidemiology 2009;20:555,
    doi 10.1097/EDE.0b013e3181a39056.
    """
    return np.where(np.asarray(cause) > 1, np.max(time) + 1, time)


def harrell_c_of(risks: np.ndarray, y: np.ndarray) -> Concordances:
    """Harrell's C of every column of risks [rows, columns]. y : structured (event, time[, cause]), see Outcome.y"""
    time = compared_times(y["time"], y["cause"]) if "cause" in (y.dtype.names or ()) else y["time"]
    return harrell_c(risks, time, y["event"])
