"""Settings of a learner chosen by inner folds, from a small grid or by Optuna."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.selection.learners.inner import class_folds, log_loss, number_folds, patients_or_rows
from radiomics_pipeline.selection.learners.neighbours import NearestClasses
from radiomics_pipeline.selection.learners.search import Grid, Tried, check_grid, try_grid, try_optuna
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.stats.concordance import harrell_c_of
from radiomics_pipeline.types.outcome import Kind

EQUAL = 1e-9
"""Losses that differ by less than this share count as equal."""


class Tuned(MetaEstimatorMixin, BaseEstimator):
    """An estimator with the settings of the smallest loss on rows left out by inner folds, refitted to all rows.

    The loss is summed over the inner folds: log loss of classes, squared error of numbers; of times the pairs of a
    fold that are ordered wrongly. An estimator's own `held_out_loss(X, y, train, test)` (rows as positions), such as a
    partial likelihood, goes before these. Of equal losses the settings that stand first in the grid are taken: list
    them from the simplest on.

    estimator : unfitted; None: the nearest neighbours
    grid : values by name of the setting, or a `Span` for Optuna; None: nothing to choose
    method : "grid", all combinations; "optuna", its tree-structured Parzen estimator with `trials` trials
    inner_folds, seed : of the inner folds (fewer where a class has fewer patients) and of Optuna

    estimator_ : fitted; settings_ : those chosen; tried_ : every combination with its loss
    """

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        estimator: Any = None,
        grid: Grid | None = None,
        method: Literal["grid", "optuna"] = "grid",
        trials: int = 30,
        inner_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.estimator = estimator
        self.grid = grid
        self.method = method
        self.trials = trials
        self.inner_folds = inner_folds
        self.seed = seed

    def fit(self, X: Any, y: Any, groups: Any = None) -> Tuned:
        """Choose settings, then fit to all rows. groups : of each row the patient, kept together by inner folds."""
        model, grid = self._base(), dict(self.grid or {})
        check_grid(grid, model, self.method, self.trials)
        finite = "allow-nan" if get_tags(model).input_tags.allow_nan else True
        if getattr(getattr(y, "dtype", None), "names", None):
            X = validate_data(self, X, dtype=np.float64, ensure_all_finite=finite, ensure_min_samples=2)
        else:
            number = not is_classifier(model)
            X, y = validate_data(
                self, X, y, dtype=np.float64, ensure_all_finite=finite, y_numeric=number, ensure_min_samples=2
            )
        patients = patients_or_rows(groups, len(X))
        self.tried_: list[Tried] = self._try(model, grid, X, y, patients) if grid else []
        self.settings_: dict[str, Any] = {}
        if self.tried_:
            least = min(t.loss for t in self.tried_)
            if not np.isfinite(least):
                raise OutcomeError(f"{type(model).__name__}: no settings give finite losses on rows left out")
            equal = [t for t in self.tried_ if t.loss <= least + EQUAL * abs(least)]
            self.settings_ = min(equal, key=lambda t: t.places).settings
        self.estimator_ = _fitted(clone(model).set_params(**self.settings_), X, y, patients)
        return self

    def _try(self, model: Any, grid: Any, X: np.ndarray, y: np.ndarray, patients: np.ndarray) -> list[Tried]:
        place = self._place(model, y, patients)
        if not place.any():
            raise OutcomeError("all rows are of one patient: settings cannot be tried on others")

        def loss_of(settings: dict[str, Any]) -> float:
            return self._loss(clone(model).set_params(**settings), X, y, patients, place)

        if self.method == "grid":
            return try_grid(grid, loss_of)
        return try_optuna(grid, loss_of, self.trials, self.seed)

    def _base(self) -> Any:
        return NearestClasses() if self.estimator is None else self.estimator

    def _place(self, model: Any, y: np.ndarray, patients: np.ndarray) -> np.ndarray:
        if y.dtype.names:
            count = inner_count(y["event"], patients, self.inner_folds, both=False)
            return deal(y["event"], patients, count, np.random.default_rng(self.seed))
        if is_classifier(model):
            return class_folds(np.unique(y, return_inverse=True)[1], patients, self.inner_folds, self.seed)
        return number_folds(y, patients, self.inner_folds, self.seed)

    def _loss(self, model: Any, X: np.ndarray, y: np.ndarray, patients: np.ndarray, place: np.ndarray) -> float:
        total = 0.0
        for fold in range(int(place.max()) + 1):
            train, test = np.flatnonzero(place != fold), np.flatnonzero(place == fold)
            total += held_out_loss(_fitted(clone(model), X[train], y[train], patients[train]), X, y, train, test)
        return total if np.isfinite(total) else np.inf

    def predict(self, X: Any) -> np.ndarray:
        """As the chosen estimator's."""
        return np.asarray(self._chosen().predict(self._checked(X)))

    @available_if(lambda self: self._has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """As the chosen estimator's, float64 [rows, classes]."""
        return np.asarray(self._chosen().predict_proba(self._checked(X)))

    @available_if(lambda self: self._has("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """As the chosen estimator's."""
        return np.asarray(self._chosen().decision_function(self._checked(X)))

    @available_if(lambda self: self._has("predict_survival"))
    def predict_survival(self, X: Any, times: np.ndarray) -> np.ndarray:
        """As the chosen estimator's, float64 [rows, times]."""
        return np.asarray(self._chosen().predict_survival(self._checked(X), times))

    @available_if(lambda self: self._has("score"))
    def score(self, X: Any, y: Any) -> float:
        """As the chosen estimator's."""
        return float(self._chosen().score(self._checked(X), y))

    @property
    def classes_(self) -> np.ndarray:
        """Labels of the classes."""
        return np.asarray(self._chosen().classes_)

    @property
    def coef_(self) -> np.ndarray:
        """Coefficients, where the chosen estimator has them."""
        return np.asarray(self._chosen().coef_)

    @property
    def intercept_(self) -> Any:
        """Intercept, where the chosen estimator has one."""
        return self._chosen().intercept_

    @property
    def booster_(self) -> Any:
        """XGBoost's model, where the chosen estimator has one."""
        return self._chosen().booster_

    @property
    def selected_(self) -> np.ndarray:
        """Columns used, where the chosen estimator names them."""
        return np.asarray(self._chosen().selected_)

    def _has(self, name: str) -> bool:
        return hasattr(getattr(self, "estimator_", self._base()), name)

    def _chosen(self) -> Any:
        if "estimator_" not in vars(self):
            check_is_fitted(self, "estimator_")
        return self.estimator_

    def _checked(self, X: Any) -> np.ndarray:
        chosen = self._chosen()
        finite = "allow-nan" if get_tags(chosen).input_tags.allow_nan else True
        return np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite=finite, reset=False))

    def __sklearn_tags__(self) -> Any:
        tags, own = super().__sklearn_tags__(), get_tags(self._base())
        tags.estimator_type = own.estimator_type
        tags.classifier_tags, tags.regressor_tags = own.classifier_tags, own.regressor_tags
        tags.target_tags = own.target_tags
        tags.input_tags.allow_nan = own.input_tags.allow_nan
        return tags


def held_out_loss(model: Any, X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    """What a fitted model costs on rows left out, a sum over them; see Tuned.

    X, y : of all rows; train, test : int64, positions
    """
    if hasattr(model, "held_out_loss"):
        return float(model.held_out_loss(X, y, train, test))
    if y.dtype.names:
        return _wrong_pairs(np.asarray(model.predict(X[test]), np.float64), y[test])
    if is_classifier(model):
        return log_loss(np.searchsorted(model.classes_, y[test]), np.asarray(model.predict_proba(X[test])))
    return float(((np.asarray(model.predict(X[test])) - y[test]) ** 2).sum())


def _wrong_pairs(risk: np.ndarray, y: np.ndarray) -> float:
    """Comparable pairs (of Harrell) whose earlier event has the lower risk; ties count half."""
    found = harrell_c_of(risk[:, None], y)
    pairs = float(found.n_pairs[0])
    return pairs * (1 - float(found.index[0])) if pairs else 0.0


def tuned(row: Method, settings: Mapping[str, Any], kind: Kind, seed: int, **how: Any) -> Any:
    """The learner of a row, its grid tried by inner folds; settings that are given stay as they are.

    how : method, trials, inner_folds of Tuned. Without anything to try the learner itself.
    """
    estimator = row.make(settings, kind, seed)
    grid = {name: values for name, values in row.grid.items() if name not in settings}
    return Tuned(estimator, grid, seed=seed, **how) if grid else estimator


def _fitted(model: Any, X: np.ndarray, y: np.ndarray, patients: np.ndarray) -> Any:
    return model.fit(X, y, groups=patients) if has_fit_parameter(model, "groups") else model.fit(X, y)
