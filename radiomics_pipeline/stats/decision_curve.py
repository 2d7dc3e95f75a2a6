"""What treating by a model is worth, over the thresholds at which one might treat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.checked import event_flags, probabilities_of

THRESHOLDS = tuple(k / 100 for k in range(1, 100))


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit a patient, in units of true positives; all arrays float64 [thresholds] unless said.

    model : [thresholds, models]; all, none : of treating everybody, nobody
    standardised : [thresholds, models], net benefit over prevalence: 1 is the best that can be had
    sensitivity, false_positive_rate : [thresholds, models], NaN where no row has, or lacks, the event
    avoided : [thresholds, models], treatments that the model saves a patient against treating all, no event more missed
    prevalence : share of events that the curve stands for
    """

    thresholds: np.ndarray
    model: np.ndarray
    all: np.ndarray
    none: np.ndarray
    standardised: np.ndarray
    sensitivity: np.ndarray
    false_positive_rate: np.ndarray
    avoided: np.ndarray
    prevalence: float
    note: str = ""


def decision_curve(
    p: np.ndarray,
    event: np.ndarray,
    thresholds: Sequence[float] | np.ndarray = THRESHOLDS,
    *,
    harm: float | np.ndarray = 0.0,
    prevalence: float | None = None,
) -> DecisionCurve:
    """Net benefit of treating from a probability on: true positives less weighted false positives, a patient.

    p : float64 [rows] or [rows, models], of rows that the models were not fitted to; event : bool [rows]
    thresholds : each over 0 and below 1; a row is treated where p reaches it
    harm : of obtaining the predictors, in true positives a patient (an extra scan), one number or [models]
    prevalence : of the population meant, where rows were chosen by outcome (case-control); None for that of the rows

    Vickers and Elkin, Med Decis Making 2006;26:565, doi 10.1177/0272989X06295361; avoided treatments Vickers et al.,
    BMC Med Inform Decis Mak 2008;8:53, doi 10.1186/1472-6947-8-53; standardised Kerr et al., J Clin Oncol 2016;34:2534,
    doi 10.1200/JCO.2015.65.5654. A threshold follows from harms and benefits, never from the height of the curve.
    """
    flags = event_flags(event)
    table = np.asarray(p, np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2:
        raise TableError(f"probabilities of shape {table.shape}; give [rows] or [rows, models]")
    cuts = np.atleast_1d(np.asarray(thresholds, np.float64))
    if not len(cuts) or not ((cuts > 0) & (cuts < 1)).all():
        raise ParamsError(f"thresholds {cuts}; each must lie over 0 and below 1")
    shares = [_shares(*probabilities_of(column, flags), cuts) for column in table.T]
    hits, false = (np.column_stack([s[i] for s in shares]) for i in (0, 1))
    own = float(flags.mean())
    share = own if prevalence is None else prevalence
    if not 0 <= share <= 1:
        raise ParamsError(f"prevalence {share}; it must lie within 0 and 1")
    weight = (cuts / (1 - cuts))[:, None]
    gained = share * hits if share > 0 else 0.0  # a class of no weight need not have a row
    lost = (1 - share) * weight * false if share < 1 else 0.0
    net = gained - lost - np.asarray(harm)
    everybody = share - (1 - share) * weight[:, 0]
    standardised = net / share if share > 0 else net * np.nan
    note = "" if 0 < own < 1 else "all rows are of one class"
    return DecisionCurve(
        cuts,
        net,
        everybody,
        np.zeros(len(cuts)),
        standardised,
        hits,
        false,
        (net - everybody[:, None]) / weight,
        float(share),
        note,
    )


def net_benefit(p: np.ndarray, event: np.ndarray, threshold: float) -> float:
    """Net benefit of treating from one probability on, see `decision_curve`."""
    return float(decision_curve(p, event, np.array([threshold])).model[0, 0])


def _shares(p: np.ndarray, flags: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the events, and of the others, that are treated at each cut; NaN where there is none."""

    def reaching(part: np.ndarray) -> np.ndarray:
        if not len(part):
            return np.full(len(cuts), np.nan)
        return 1 - np.searchsorted(np.sort(part), cuts, side="left") / len(part)

    return reaching(p[flags]), reaching(p[~flags])
