"""The choice among several plans as a part of the plan: it is made again in every training part."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.validation.centres import lenient
from radiomics_pipeline.selection.validation.fitting import fit_fresh, predict_held, survival_curves
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.selection.validation.metrics import primary, score
from radiomics_pipeline.types.outcome import CLASSES, TIMED, Kind, Outcome


class BestOf(BaseEstimator):
    """The plan of the best primary metric in inner folds, refitted to all training rows.

    The best of twenty plans by their outer scores has a score that is too good, since the test rows chose it. Scored
    as one plan, by `evaluate`, this estimator makes the same choice without them.

    plans : unfitted estimators; None, for binary outcomes: logistic regression under three ridge penalties
    kind : of the outcome, whose primary metric decides
    inner_folds, seed : of the inner folds; patients are kept together, and fewer folds are used where classes are rare
    """

    def __init__(self, plans: Any = None, kind: Kind = "binary", inner_folds: int = 5, seed: int = 0) -> None:
        self.plans = plans
        self.kind = kind
        self.inner_folds = inner_folds
        self.seed = seed

    def fit(self, X: Any, y: Any, groups: Any = None) -> BestOf:
        """Choose and fit.

        X : float [rows, columns], NaN where the plans take it; y : as Outcome.y; groups : of each row the patient
        """
        X, outcome = self._checked(X, y)
        groups = np.arange(len(X)) if groups is None else np.asarray(groups)
        place, n = self._inner(outcome, groups)
        plans = self._plans()
        self.scores_ = np.full((len(plans), n), np.nan)
        for p, plan in enumerate(map(lenient, plans)):
            for number in range(n):
                train, test = np.flatnonzero(place != number), np.flatnonzero(place == number)
                model, _ = fit_fresh(plan, X, outcome, groups, train, (self.seed, number))
                held = predict_held(model, X[test], Held(outcome.rows(test), outcome.rows(train)))
                self.scores_[p, number] = score(primary(self.kind), held)[0]
        scored = ~np.isnan(self.scores_)
        means = np.where(scored, self.scores_, 0).sum(axis=1) / np.maximum(scored.sum(axis=1), 1)
        self.best_ = int(np.argmax(np.where(scored.any(axis=1), means, -np.inf)))
        self.model_, _ = fit_fresh(plans[self.best_], X, outcome, groups, np.arange(len(X)), (self.seed,))
        return self

    def _plans(self) -> tuple[Any, ...]:
        if self.plans is None and self.kind == "binary":
            return tuple(make_pipeline(StandardScaler(), LogisticRegression(C=c)) for c in (0.01, 0.1, 1.0))
        if not self.plans:
            raise ParamsError(f"BestOf of a {self.kind} outcome needs plans to choose among")
        return tuple(self.plans)

    def _checked(self, X: Any, y: Any) -> tuple[np.ndarray, Outcome]:
        """X, and y as an outcome; class labels become positions in classes_."""
        finite: bool | str = "allow-nan" if self.plans else True
        if self.kind in TIMED:
            X = validate_data(self, X, dtype=np.float64, ensure_all_finite=finite, ensure_min_samples=4)
            value = y["cause"] if self.kind == "competing" else y["event"]
            return X, Outcome(("time", "event"), self.kind, value, y["time"])
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=finite, ensure_min_samples=4)
        if self.kind not in CLASSES:
            return X, Outcome(("outcome",), self.kind, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if self.kind == "binary" and len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported. Found {len(self.classes_)} "
                f"class{'' if len(self.classes_) == 1 else 'es'}."
            )
        names = () if self.kind == "binary" else tuple(str(c) for c in self.classes_)
        return X, Outcome(("outcome",), self.kind, codes, categories=names)

    def _inner(self, outcome: Outcome, groups: np.ndarray) -> tuple[np.ndarray, int]:
        """The inner fold of every row, and how many there are."""
        if self.kind == "continuous":
            strata, n = np.zeros(len(outcome), np.int64), min(self.inner_folds, len(set(groups.tolist())))
        else:
            strata = outcome.strata if self.kind in CLASSES else outcome.event
            n = inner_count(strata, groups, self.inner_folds, both=self.kind in CLASSES)
        return deal(strata, groups, n, np.random.default_rng(self.seed)), n

    def _test_rows(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        finite: bool | str = "allow-nan" if self.plans else True
        return np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite=finite, reset=False))

    def predict(self, X: Any) -> np.ndarray:
        """Of the plan chosen: class, number, or risk, [rows]."""
        rows = self._test_rows(X)
        found = np.asarray(self.model_.predict(rows))
        return np.asarray(self.classes_[found.astype(np.int64)]) if self.kind in CLASSES else found

    @available_if(lambda self: self.kind in CLASSES and all(hasattr(p, "predict_proba") for p in self._plans()))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Of the plan chosen, float64 [rows, classes]."""
        rows = self._test_rows(X)
        return np.asarray(self.model_.predict_proba(rows), np.float64)

    @available_if(lambda self: self.kind in TIMED)
    def predict_survival(self, X: Any, times: np.ndarray) -> np.ndarray | None:
        """Of the plan chosen, float64 [rows, times]; None where it gives no curves."""
        return survival_curves(self.model_, self._test_rows(X), times)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags

        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = bool(self.plans)
        if self.kind in CLASSES:
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags(multi_class=self.kind != "binary")
        elif self.kind == "continuous":
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags()
        return tags
