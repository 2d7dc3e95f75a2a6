"""One model a cause, for events that compete: cause-specific hazards, and the incidences that follow from all."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.learners.baseline_hazard import as_y, read_times
from radiomics_pipeline.selection.learners.cox import CoxRidge
from radiomics_pipeline.selection.learners.logistic import RidgeParams
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.stats.hazard import CumulativeHazard, incidences, nelson_aalen, read_steps
from radiomics_pipeline.types.outcome import Kind

FEWEST = 5
"""Events of a competing cause below which its hazard counts as equal for all rows."""


class CauseSpecific(BaseEstimator):
    """A learner of each cause's hazard, rows with another event taken as censored at it.

    base : unfitted learner of times to an event; None: CoxRidge()

    The risk is that of cause 1, the event of interest. Incidences need all causes: a column that hastens a competing
    event lowers the incidence of the event of interest, which the model of that one alone does not know. A competing
    cause with fewer than FEWEST events gets a hazard without columns.
    Prentice et al., Biometrics 1978;34:541, doi 10.2307/2530374; Benichou and Gail, Biometrics 1990;46:813,
    doi 10.2307/2532098.

    causes_ : int64, 1 and the competing ones seen; models_ : of each the fitted learner, or its CumulativeHazard
    grid_ : float64, all event times of the training rows
    """

    def __init__(self, base: Any = None) -> None:
        self.base = base

    def fit(self, X: Any, y: Any, groups: Any = None) -> CauseSpecific:
        """Fit.

        X : float [rows, columns]; y : structured (event, time[, cause]) [rows]; groups : of each row the patient
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        time, _, cause = read_times(y, len(X))
        base = CoxRidge() if self.base is None else self.base
        self.causes_ = np.unique(cause[cause > 0])
        self.grid_ = np.unique(time[cause > 0])
        extra = {"groups": groups} if has_fit_parameter(base, "groups") else {}
        self.models_: list[Any] = []
        for code in self.causes_:
            own = cause == code
            if code > 1 and own.sum() < FEWEST:
                self.models_.append(nelson_aalen(time, own))
            else:
                self.models_.append(clone(base).fit(X, as_y(time, own), **extra))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Risk of cause 1, higher is earlier, float64 [rows]."""
        X = self._read(X)
        return np.asarray(self.models_[0].predict(X), np.float64)

    def predict_survival(self, X: Any, times: Any) -> np.ndarray:
        """Probability of no event of cause 1 up to each time, float64 [rows, times]."""
        return np.asarray(1.0 - self.predict_cumulative_incidence(X, times))

    def predict_cumulative_incidence(self, X: Any, times: Any, cause: int = 1) -> np.ndarray:
        """Probability of this cause up to each time, no other event before it, float64 [rows, times].

        Over causes it sums to 1 less the probability of no event. Raises ParamsError for a cause not trained on.
        """
        X = self._read(X)
        place = np.flatnonzero(self.causes_ == cause)
        if not len(place):
            raise ParamsError(f"cause {cause} is not among those trained on: {', '.join(map(str, self.causes_))}")
        hazards = np.stack([self._hazard(model, X) for model in self.models_])
        found = incidences(hazards)[place[0]]
        return read_steps(self.grid_, found, np.atleast_1d(np.asarray(times, np.float64)), before=0.0)

    def _hazard(self, model: Any, X: np.ndarray) -> np.ndarray:
        """Cumulative hazard at all event times, float64 [rows, steps]."""
        if isinstance(model, CumulativeHazard):
            return model.of(np.zeros(len(X)), self.grid_)
        logs = -np.log(np.clip(model.predict_survival(X, self.grid_), 1e-300, 1.0))
        return np.asarray(np.maximum.accumulate(logs, axis=1))

    def _read(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False), np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _build(params: RidgeParams, kind: Kind, seed: int) -> Any:
    return CauseSpecific(CoxRidge(None, params.steps, params.inner_folds, params.repeats, seed))


CAUSE_SPECIFIC_COX = Method(
    "cause-specific",
    ("competing",),
    RidgeParams,
    _build,
    "Cox regression under a ridge, one for each of the competing events",
)
