"""Firth's logistic regression as a learner, for few columns and few events."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from pydantic import Field
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.stats.firth import firth_coefficients
from radiomics_pipeline.types.outcome import Kind


class FirthLogistic(ClassLearner):
    """Logistic regression with Firth's penalty (stats.firth), for two classes.

    Meant for at most a column to five rows, such as after a selection; as many columns as rows raise TableError.

    centred : Firth's probabilities lie too near to one half where events are rare; the intercept is fitted anew, so
        that their mean is the share of the second class (FLIC; Puhr et al., Stat Med 2017;36:2302,
        doi 10.1002/sim.7273)

    coef_ : float64 [columns], log odds ratios; intercept_ : float
    """

    several_classes = False

    def __init__(self, centred: bool = True) -> None:
        self.centred = centred

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        self.coef_, self.intercept_, converged = firth_coefficients(X, codes)
        if not converged:
            warnings.warn("Firth's regression did not converge", ConvergenceWarning, stacklevel=2)
        if self.centred:
            self.intercept_ = _balanced(X @ self.coef_, float(codes.mean()))

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, float64 [rows]."""
        return np.asarray(self._checked(X) @ self.coef_ + self.intercept_)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        eta = X @ self.coef_ + self.intercept_
        return np.column_stack([expit(-eta), expit(eta)])


def _balanced(eta: np.ndarray, share: float) -> float:
    """The intercept with which probabilities have this mean; the maximum of the likelihood given the slopes."""
    middle = np.log(share / (1 - share))
    low, high = middle - float(eta.max()) - 1, middle - float(eta.min()) + 1
    return float(brentq(lambda start: float(expit(start + eta).mean()) - share, low, high, xtol=1e-12))


class FirthParams(Section):
    """Firth's logistic regression."""

    centred: bool = Field(True, description="mean probability equal to the share of events (FLIC)")


def _build(params: FirthParams, kind: Kind, seed: int) -> Any:
    return FirthLogistic(params.centred)


FIRTH = Method(
    "firth",
    ("binary",),
    FirthParams,
    _build,
    "logistic regression for few features, where events are rare or features separate the classes (Firth)",
)
