"""The mean of several models of different kinds, each on its own view of the columns: the default plan.

No weight is learned: on tables of some hundred patients weights follow chance (on public radiomics tables, stacking by
inner folds gained nothing over equal weights). Families count alike, however many members they have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, NumberLearner
from radiomics_pipeline.selection.learners.member import Member
from radiomics_pipeline.selection.learners.members import members_of, views_of
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import KINDS, TIMED, Kind

LEVEL = 1e-8
"""Spread of risks, relative to the largest, below which a member says the same of all rows."""


class _Average:
    """What the averages share.

    trees : of each forest; seed : of all that is drawn at random

    members_ : (Member, fitted estimator) each; views_ : fitted, by name
    """

    def __init__(self, trees: int = 200, seed: int = 0) -> None:
        self.trees = trees
        self.seed = seed

    def _fit_members(self, X: np.ndarray, y: np.ndarray, groups: Any, kind: Kind) -> dict[str, np.ndarray]:
        """Fit every member to all rows; what each view shows of them."""
        self.views_, seen = {}, {}
        for name, view in views_of(kind).items():
            self.views_[name] = view.fit(X, y)
            seen[name] = view.transform(X)
        self.members_: list[tuple[Member, Any]] = []
        for member in members_of(kind, self.trees, self.seed):
            model = clone(member.estimator)
            extra = {"groups": groups} if has_fit_parameter(model, "groups") else {}
            self.members_.append((member, model.fit(seen[member.view], y, **extra)))
        return seen

    def _votes(self, X: np.ndarray, vote: Callable[[Any, np.ndarray], np.ndarray]) -> np.ndarray:
        """Mean over families of the mean over their members, float64 [rows, ...]."""
        seen = {name: view.transform(X) for name, view in self.views_.items()}
        by_family: dict[str, list[np.ndarray]] = {}
        for member, model in self.members_:
            by_family.setdefault(member.family, []).append(vote(model, seen[member.view]))
        return np.asarray(np.mean([np.mean(votes, axis=0) for votes in by_family.values()], axis=0))


class AverageClassifier(_Average, ClassLearner):
    """Mean probabilities of its members."""

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        self._fit_members(X, codes, groups, "binary" if len(self.classes_) == 2 else "multiclass")

    def _probability(self, X: np.ndarray) -> np.ndarray:
        return self._votes(X, lambda model, seen: model.predict_proba(seen))


class AverageRegressor(_Average, NumberLearner):
    """Mean prediction of its members."""

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        self._fit_members(X, y, groups, "continuous")

    def _number(self, X: np.ndarray) -> np.ndarray:
        return self._votes(X, lambda model, seen: model.predict(seen))


class AverageSurvival(_Average, BaseEstimator):
    """Mean risk of its members, each in units of its own spread over the training rows; and the mean of their curves.

    scale_ : of each member the mean and spread of its training risks
    """

    def fit(self, X: Any, y: Any, groups: Any = None) -> AverageSurvival:
        """Fit every member to all rows. y : structured (event, time[, cause]) [rows]; groups : of each the patient"""
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        seen = self._fit_members(X, y, np.arange(len(X)) if groups is None else groups, "survival")
        risks = [model.predict(seen[member.view]) for member, model in self.members_]
        self.scale_ = [(float(r.mean()), _spread(r)) for r in risks]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Risk, higher is earlier, float64 [rows]."""
        X = self._checked(X)
        place = {id(model): k for k, (_, model) in enumerate(self.members_)}

        def standard(model: Any, seen: np.ndarray) -> np.ndarray:
            mean, spread = self.scale_[place[id(model)]]
            return np.asarray((model.predict(seen) - mean) / spread)

        return self._votes(X, standard)

    def predict_survival(self, X: Any, times: np.ndarray) -> np.ndarray:
        """Probability of no event up to each time, float64 [rows, times]."""
        return self._votes(self._checked(X), lambda model, seen: model.predict_survival(seen, times))

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))


def _spread(risk: np.ndarray) -> float:
    """Standard deviation of training risks; infinite, so that there is no vote, where they differ by rounding only."""
    found = float(risk.std())
    return found if found > LEVEL * max(1.0, float(np.abs(risk).max())) else float("inf")


class AverageParams(Section):
    """The mean of several models."""

    trees: int = Field(200, ge=10, description="of each forest")


def _build(params: AverageParams, kind: Kind, seed: int) -> Any:
    if kind in TIMED:
        return AverageSurvival(params.trees, seed)
    return AverageRegressor(params.trees, seed) if kind == "continuous" else AverageClassifier(params.trees, seed)


AVERAGE = Method(
    "average",
    KINDS,
    AverageParams,
    _build,
    "mean of forests, boosted trees, ridge and Gaussian processes, equal weights",
)
