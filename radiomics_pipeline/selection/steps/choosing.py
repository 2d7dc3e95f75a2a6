"""What all selectors share: they take X and y, and keep at least one column."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.steps.relevance import relevance
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target, patients_of, read_target


@dataclass(frozen=True)
class Choice:
    """What a selector found.

    order : int64, positions of the columns chosen, best (or first chosen) first
    scores : float64 [columns], higher is better; NaN where undefined
    """

    order: np.ndarray
    scores: np.ndarray


class Selector(SelectorMixin, BaseEstimator):
    """Base of the selectors: imputed, scaled X in, the chosen columns in their old order out.

    Every selector has `kind`, the outcome's kind ("auto" reads it from y, see steps.target.read_target).

    Where nothing is found the best column is kept all the same, so that a plan can go on, and `nothing_found_` says
    so. The best is that of the highest score, or, where no score is above 0, the most relevant alone
    (steps.relevance).
    """

    context: ClassVar[tuple[str, ...]] = ("patient",)
    kind: KindOrAuto

    def fit(self, X: Any, y: Any, *, patient: Any = None) -> Any:
        """Choose columns.

        X : float64 [rows, columns], no missing cells; y : [rows], as Outcome.y; patient : of each row the patient,
        any sortable values; None: every row is a patient of its own

        order_ : int64, positions of the columns kept, best first; support_ : bool [columns];
        scores_ : float64 [columns], higher is better, NaN where undefined; nothing_found_ : bool
        """
        X = validate_data(self, X, None if y is None else "no_validation", dtype=np.float64, ensure_min_samples=2)
        self._fit(X, read_target(y, self.kind, len(X)), patients_of(patient, len(X)))
        return self

    def transform(self, X: Any, *, patient: Any = None) -> np.ndarray:
        """The chosen columns in their old order, float64 [rows, chosen]; patients do not matter here."""
        return np.asarray(super().transform(X))

    def _fit(self, X: np.ndarray, target: Target, patients: np.ndarray) -> None:
        choice = self._choose(X, target, patients)
        self.scores_ = choice.scores
        self.nothing_found_ = not len(choice.order)
        self.order_ = (
            best_alone(X, target, choice.scores) if self.nothing_found_ else np.asarray(choice.order, np.int64)
        )
        self.support_ = np.zeros(X.shape[1], np.bool_)
        self.support_[self.order_] = True

    @abstractmethod
    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """The choice; an empty order where nothing is found. patients : int64 [rows], codes from 0."""

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(self.support_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def best_first(scores: np.ndarray) -> np.ndarray:
    """Columns by falling score, int64 [columns]; equal ones in their order, undefined ones last."""
    return np.asarray(np.argsort(-np.where(np.isnan(scores), -np.inf, scores), kind="stable"))


def best_alone(X: np.ndarray, target: Target, scores: np.ndarray) -> np.ndarray:
    """The column to keep where none is found, int64 [1]."""
    judged = scores if (np.nan_to_num(scores) > 0).any() else relevance(X, target)
    return best_first(judged)[:1]


def check_keep(keep: Any, name: str = "keep") -> None:
    """ParamsError unless a whole number from 1."""
    if not isinstance(keep, int | np.integer) or isinstance(keep, bool) or keep < 1:
        raise ParamsError(f"{name} is {keep!r}; give a whole number from 1")


def check_share(value: float, name: str, low: float, high: float) -> None:
    """ParamsError unless low < value <= high."""
    if not low < value <= high:
        raise ParamsError(f"{name} is {value:g}; give a number above {low:g} and at most {high:g}")


def check_one_of(value: str, name: str, allowed: tuple[str, ...]) -> None:
    """ParamsError unless one of those allowed."""
    if value not in allowed:
        raise ParamsError(f"{name} {value!r} is not one of {', '.join(allowed)}")
