"""Metrics of times to an event (stats.survival_metrics), weighted for censoring by the training part's follow-up.

Folds whose rows are followed for too short a time have no value, and the reason is given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.stats import survival_metrics as metrics


def c_index(held: Held) -> float | str:
    """Harrell's C; rows with a competing event count as never having the event of interest."""
    return _value(metrics.c_harrell(_follow_up(held), _risk(held)))


def c_ipcw(held: Held) -> float | str:
    """Uno's C up to the limit."""
    return _value(metrics.c_uno(_follow_up(held), _risk(held), held.limit))


def auc_horizon(held: Held) -> float | str:
    """Area under the ROC curve of events up to the horizon against rows free of one beyond it."""
    return _value(metrics.auc_at(_follow_up(held), _risk(held), held.horizon))


def brier_horizon(held: Held) -> float | str:
    """Brier score of the survival curves at the horizon."""
    times, survival = _curves(held)
    at = int(np.argmin(np.abs(times - held.horizon)))
    return _value(metrics.brier_at(_follow_up(held), survival[:, at], held.horizon))


def integrated_brier(held: Held) -> float | str:
    """Mean over the time up to the limit of the Brier score of the survival curves."""
    return _over_time(held, metrics.integrated_brier)


def integrated_brier_skill(held: Held) -> float | str:
    """1 less the integrated Brier score over that of the training part's own curve for every row."""
    return _over_time(held, metrics.integrated_brier_skill)


def _over_time(held: Held, metric: Callable[..., metrics.Metric]) -> float | str:
    """A metric of whole curves; none where a part is not followed up to the limit, so that folds mean the same."""
    times, survival = _curves(held)
    part, inside = _follow_up(held), times <= held.limit
    last = metrics.brier_at(part, survival[:, np.flatnonzero(inside)[-1]], held.limit)
    return last.reason or _value(metric(part, survival[:, inside], times[inside]))


def _follow_up(held: Held) -> metrics.FollowUp:
    assert held.outcome.time is not None
    assert held.training.time is not None
    return metrics.FollowUp(held.training.time, held.training.value, held.outcome.time, held.outcome.value)


def _risk(held: Held) -> np.ndarray:
    assert held.risk is not None  # metrics.score asks first
    return held.risk


def _curves(held: Held) -> tuple[np.ndarray, np.ndarray]:
    assert held.times is not None
    assert held.survival is not None  # metrics.score asks first
    return held.times, held.survival


def _value(found: metrics.Metric) -> float | str:
    return found.reason if np.isnan(found.value) else found.value
