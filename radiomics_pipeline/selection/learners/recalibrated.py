"""Probabilities of a whole pipeline made honest by rows that none of its steps saw."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from radiomics_pipeline.selection.learners.inner import ClassLearner, class_folds
from radiomics_pipeline.selection.learners.neighbours import NearestClasses
from radiomics_pipeline.selection.learners.platt import calibrate, held_out_decisions
from radiomics_pipeline.selection.validation.centres import lenient

SMALLEST = 1e-6
"""Probabilities nearer to 0 or 1 count as this far from them before their logarithm is taken."""


class Recalibrated(ClassLearner):
    """A classifier whose log odds get the slope and offsets that rows left out by inner folds ask for.

    Meant for a pipeline that selects features by the outcome before it learns: whatever its last step chooses by inner
    folds of its own (a penalty, a calibration) has seen features that were chosen on all these rows, and is too sure.
    Here everything is refitted in every inner fold. The order of two classes' predictions does not change
    (`platt.calibrate`).

    estimator : unfitted, with predict_proba; None: the nearest neighbours; inner_folds, seed : of the inner folds

    estimator_ : fitted to all rows; calibration_ : of its log probabilities
    """

    def __init__(self, estimator: Any = None, inner_folds: int = 5, seed: int = 0) -> None:
        self.estimator = estimator
        self.inner_folds = inner_folds
        self.seed = seed

    def _base(self) -> Any:
        return NearestClasses() if self.estimator is None else self.estimator

    def _finite(self) -> bool | str:
        return "allow-nan"  # whether cells may be missing is for the estimator to say

    def __sklearn_tags__(self) -> Any:
        tags, own = super().__sklearn_tags__(), get_tags(self._base())
        tags.input_tags.allow_nan = own.input_tags.allow_nan
        tags.classifier_tags.multi_class = own.classifier_tags is None or own.classifier_tags.multi_class
        return tags

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        def decide(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            return _decisions(self._fitted(X[train], codes[train], groups[train], lenient), X[test])

        place = class_folds(codes, groups, self.inner_folds, self.seed)
        self.calibration_ = calibrate(held_out_decisions(place, decide), codes)
        self.estimator_ = self._fitted(X, codes, groups)

    def _fitted(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray, copy: Any = clone) -> Any:
        model = copy(self._base())
        path, last = [], model
        while isinstance(last, Pipeline):
            name, last = last.steps[-1]
            path.append(name)
        return model.fit(X, codes, **({"__".join([*path, "groups"]): groups} if _takes_groups(last) else {}))

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, float64 [rows]; of several classes [rows, classes]."""
        X = self._checked(X)
        odds = self.calibration_.log_odds(_decisions(self.estimator_, X))
        return np.asarray(odds[:, 1] - odds[:, 0] if odds.shape[1] == 2 else odds)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        decisions = _decisions(self.estimator_, X)
        if decisions.ndim == 2:
            return self.calibration_.probability(decisions)
        odds = self.calibration_.log_odds(decisions)[:, 1]
        return np.column_stack([expit(-odds), expit(odds)])


def _takes_groups(model: Any) -> bool:
    return has_fit_parameter(model, "groups")


def _decisions(model: Any, X: np.ndarray) -> np.ndarray:
    """Log odds of the second class [rows], or log probabilities [rows, classes]."""
    p = np.clip(np.asarray(model.predict_proba(X), np.float64), SMALLEST, 1 - SMALLEST)
    logs = np.log(p)
    return np.asarray(logs[:, 1] - logs[:, 0] if p.shape[1] == 2 else logs)
