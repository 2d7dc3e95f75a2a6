"""What learners of times to events share: checks of X and y, and curves of survival and incidence.

Where other events compete, a learner sees the event of interest and takes rows with another event as censored at it:
its hazard is the cause-specific one. Its curves need the hazard of the others too, which counts as equal for all rows
(`CauseSpecific` gives it columns of its own); without it incidences would be too high.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.selection.learners.inner import patients_or_rows
from radiomics_pipeline.stats.hazard import CumulativeHazard, incidences, nelson_aalen, read_steps
from radiomics_pipeline.types.outcome import Kind

TIMED_KINDS: tuple[Kind, ...] = ("survival", "competing")
SMALLEST = 1e-300
"""Survival below this counts as this when its logarithm is taken."""


def read_times(y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times float64, events (of interest) bool and causes int64 (0 none, 1 of interest, 2 and on others), [rows].

    y : structured [rows], with the fields event and time, and cause where events compete

    Raises ValueError where y is absent or of another length, OutcomeError where it has not these fields, a time is
    not positive, event and cause contradict each other, or no event (of interest) is seen.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    fields = getattr(getattr(y, "dtype", None), "names", None) or ()
    if not {"event", "time"} <= set(fields):
        raise OutcomeError(
            f"y has {'the fields ' + ', '.join(fields) if fields else 'no fields'}; give a structured array of event "
            "(bool) and time (Outcome.survival(...).y)"
        )
    check_consistent_length(np.empty(n_rows), y)
    time, event = np.array(y["time"], np.float64), np.array(y["event"])
    bad = ~(np.isfinite(time) & (time > 0))
    if bad.any():
        raise OutcomeError(f"{int(bad.sum())} of {n_rows} times are not positive numbers")
    if event.dtype != np.bool_ and not np.isin(event, (0, 1)).all():
        raise OutcomeError("events hold values other than 0 and 1")
    event = event.astype(np.bool_)
    cause = np.array(y["cause"], np.int64) if "cause" in fields else event.astype(np.int64)
    if ((cause == 1) != event).any():
        raise OutcomeError(f"{int(((cause == 1) != event).sum())} rows where the event of interest is not cause 1")
    if not event.any():
        raise OutcomeError(f"none of {n_rows} rows has the event; nothing can be learned")
    return time, event, cause


def as_y(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Structured (event, time) [rows], as scikit-survival and the learners take it."""
    y = np.empty(len(time), dtype=[("event", "?"), ("time", "<f8")])
    y["event"], y["time"] = event, time
    return y


class Curves:
    """Survival and incidence of rows, from `_survival(X, times)` of the event of interest and `others_`.

    others_ : cumulative hazard of all competing events in the training rows; None where none is known of
    grid_ : float64 [steps], all event times of the training rows
    """

    others_: CumulativeHazard | None
    grid_: np.ndarray

    @abstractmethod
    def _survival(self, X: np.ndarray, times: np.ndarray) -> np.ndarray:
        """exp(-cumulative hazard of the event of interest), float64 [rows, times]"""

    def _learn_others(self, time: np.ndarray, cause: np.ndarray) -> None:
        self.others_ = nelson_aalen(time, cause > 1) if (cause > 1).any() else None
        self.grid_ = np.unique(time[cause > 0])

    def predict_survival(self, X: Any, times: Any) -> np.ndarray:
        """Probability of no event (of interest) up to each time, float64 [rows, times].

        X : float [rows, columns]; times : float [times]. After the last event of the training rows it stays the same.
        """
        return np.asarray(1.0 - self.predict_cumulative_incidence(X, times))

    def predict_cumulative_incidence(self, X: Any, times: Any) -> np.ndarray:
        """Probability of the event of interest up to each time, no competing one before it, float64 [rows, times]."""
        X = self._read(X)
        times = np.atleast_1d(np.asarray(times, np.float64))
        if self.others_ is None:
            return np.clip(1.0 - self._survival(X, times), 0.0, 1.0)
        own = -np.log(np.clip(self._survival(X, self.grid_), SMALLEST, 1.0))
        own = np.maximum.accumulate(own, axis=1)
        other = np.broadcast_to(self.others_.of(np.zeros(1), self.grid_), own.shape)
        return read_steps(self.grid_, incidences(np.stack([own, other]))[0], times, before=0.0)

    @abstractmethod
    def _read(self, X: Any) -> np.ndarray:
        """X checked, float64 [rows, columns]"""


class SurvivalLearner(Curves, BaseEstimator):
    """Base of the learners: `_fit` sees times and events, `_risk` gives [rows], `_survival` [rows, times]."""

    allows_nan: ClassVar[bool] = False

    def fit(self, X: Any, y: Any, groups: Any = None) -> Any:
        """Fit.

        X : float [rows, columns]; y : structured (event, time[, cause]) [rows]; groups : of each row the patient,
        kept together by inner folds
        """
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=self._finite(), ensure_min_samples=2)
        time, event, cause = read_times(y, len(X))
        self._learn_others(time, cause)
        self._fit(X, time, event, patients_or_rows(groups, len(X)))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Risk, higher is earlier, float64 [rows]."""
        return self._risk(self._read(X))

    @abstractmethod
    def _fit(self, X: np.ndarray, time: np.ndarray, event: np.ndarray, groups: np.ndarray) -> None:
        """Learn. event : bool [rows]; groups : [rows], of each row the patient"""

    @abstractmethod
    def _risk(self, X: np.ndarray) -> np.ndarray:
        """float64 [rows]"""

    def _read(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(
            validate_data(self, X, dtype=np.float64, ensure_all_finite=self._finite(), reset=False), np.float64
        )

    def _finite(self) -> bool | str:
        return "allow-nan" if self.allows_nan else True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.allows_nan
        tags.target_tags.required = True
        return tags


class HazardLearner(SurvivalLearner):
    """A SurvivalLearner whose risk is a log hazard: survival follows from Breslow's baseline of the training rows.

    baseline_ : cumulative hazard
    """

    baseline_: CumulativeHazard

    def _survival(self, X: np.ndarray, times: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(-self.baseline_.of(self._risk(X), times)))
