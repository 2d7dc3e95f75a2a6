"""What learners share: checks of X and y, codes of classes, and inner folds that keep patients together."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.types.outcome import QUANTILES


class ClassLearner(ClassifierMixin, BaseEstimator):
    """Base of the classifiers: `_fit` sees codes of classes from 0, `_probability` gives [rows, classes]."""

    allows_nan: ClassVar[bool] = False
    several_classes: ClassVar[bool] = True

    def fit(self, X: Any, y: Any, groups: Any = None) -> Any:
        """Fit.

        X : float [rows, columns]; y : classes; groups : of each row the patient, kept together by inner folds
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=self._finite(), ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2 or (len(self.classes_) > 2 and not self.several_classes):
            raise ValueError(
                f"{'Only binary classification is supported. ' if not self.several_classes else ''}"
                f"Found {len(self.classes_)} class{'' if len(self.classes_) == 1 else 'es'} in y."
            )
        self._fit(X, codes.astype(np.int64), patients_or_rows(groups, len(X)))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes, in the order of `classes_`, float64 [rows, classes]."""
        return self._probability(self._checked(X))

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class, [rows]."""
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    @abstractmethod
    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        """Learn. codes : int64 [rows]; groups : [rows], of each row the patient"""

    @abstractmethod
    def _probability(self, X: np.ndarray) -> np.ndarray:
        """float64 [rows, classes]"""

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=self._finite(), reset=False)
        return np.asarray(X)

    def _finite(self) -> bool | str:
        return "allow-nan" if self.allows_nan else True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.allows_nan
        tags.classifier_tags.multi_class = self.several_classes
        return tags


class NumberLearner(RegressorMixin, BaseEstimator):
    """Base of the regressors: `_fit` sees numbers, `_number` gives [rows]."""

    allows_nan: ClassVar[bool] = False

    def fit(self, X: Any, y: Any, groups: Any = None) -> Any:
        """Fit.

        X : float [rows, columns]; y : numbers; groups : of each row the patient, kept together by inner folds
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            y_numeric=True,
            ensure_all_finite="allow-nan" if self.allows_nan else True,
            ensure_min_samples=2,
        )
        self._fit(X, np.asarray(y, np.float64), patients_or_rows(groups, len(X)))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Expected number, float64 [rows]."""
        check_is_fitted(self)
        finite = "allow-nan" if self.allows_nan else True
        return self._number(validate_data(self, X, dtype=np.float64, ensure_all_finite=finite, reset=False))

    @abstractmethod
    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        """Learn. y : float64 [rows]; groups : [rows], of each row the patient"""

    @abstractmethod
    def _number(self, X: np.ndarray) -> np.ndarray:
        """float64 [rows]"""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.allows_nan
        return tags


def patients_or_rows(groups: Any, n_rows: int) -> np.ndarray:
    """Patients as int64 codes [rows]; every row its own where none are given."""
    if groups is None:
        return np.arange(n_rows)
    check_consistent_length(np.empty(n_rows), groups)
    return np.asarray(np.unique(np.asarray(groups).astype(str), return_inverse=True)[1], np.int64)


def class_folds(codes: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The inner fold of every row, int64 [rows]; fewer folds where a class has fewer patients.

    Raises OutcomeError where a class has a single patient, or is not found outside of some fold.
    """
    place = deal(codes, groups, inner_count(codes, groups, folds, both=True), np.random.default_rng(seed))
    for fold in range(int(place.max()) + 1):
        missing = np.setdiff1d(codes, codes[place != fold])
        if len(missing):
            raise OutcomeError(
                f"inner fold {fold + 1} holds every row of class {missing[0]}: patients have too many rows of it each; "
                "no inner folds can be dealt"
            )
    return place


def number_folds(y: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The inner fold of every row, int64 [rows], fifths of the outcome shared out; at most as many as patients."""
    strata = np.searchsorted(np.quantile(y, np.arange(1, QUANTILES) / QUANTILES), y, side="right")
    count = max(1, min(folds, len(np.unique(groups))))
    return deal(strata, groups, count, np.random.default_rng(seed))


def log_loss(codes: np.ndarray, probability: np.ndarray) -> float:
    """Sum of the log loss over rows; a probability of 0 counts as 1e-15. probability : float64 [rows, classes]"""
    return float(-np.log(np.maximum(probability[np.arange(len(codes)), codes], 1e-15)).sum())


def positive(value: float, name: str) -> float:
    """The value; ParamsError unless above 0."""
    if not value > 0:
        raise ParamsError(f"{name} is {value:g}; give a number above 0")
    return float(value)
