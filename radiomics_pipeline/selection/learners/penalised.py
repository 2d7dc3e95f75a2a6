"""Elastic nets whose penalty is chosen by inner folds, every step before them refitted in each.

The penalty and the share of L1 are those of the smallest out-of-fold deviance, summed over the inner folds
(deviance rather than AUC: it changes smoothly with the penalty, and needs no event in every inner fold). Where
no feature helps, the largest penalty wins: nothing is selected and all predictions are equal.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.kernels.logistic import logistic_path
from radiomics_pipeline.selection.columns import prepared_columns
from radiomics_pipeline.selection.learners.baseline_hazard import Curves, as_y, read_times
from radiomics_pipeline.selection.validation.centres import lenient
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.stats.deviance import cox_loss, logistic_loss
from radiomics_pipeline.stats.hazard import CumulativeHazard, breslow

Path = tuple[np.ndarray, np.ndarray]
"""Coefficients float64 [penalties, columns] and intercepts float64 [penalties]."""


class _Penalised(BaseEstimator):
    """What the logistic and the Cox elastic net share.

    prepare : unfitted transformer applied before the model and refitted in every inner fold; None: scaling only
    l1_ratios : shares of L1 to choose among, each in (0, 1]
    steps, smallest : how many penalties, and the smallest as a share of the one that selects nothing
    inner_folds, seed : of the inner folds; fewer folds are used where events are fewer
    """

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        prepare: Any = None,
        l1_ratios: tuple[float, ...] = (1.0,),
        steps: int = 30,
        smallest: float = 0.05,
        inner_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.prepare = prepare
        self.l1_ratios = l1_ratios
        self.steps = steps
        self.smallest = smallest
        self.inner_folds = inner_folds
        self.seed = seed

    @abstractmethod
    def _first_penalty(self, z: np.ndarray, y: np.ndarray) -> float:
        """The smallest penalty of pure L1 at which no coefficient is left."""

    @abstractmethod
    def _path(self, z: np.ndarray, y: np.ndarray, penalties: np.ndarray, l1_ratio: float) -> Path:
        """One solution a penalty; NaN where none was found."""

    @abstractmethod
    def _held_out_loss(self, path: Path, train: tuple[Any, Any], test: tuple[Any, Any]) -> np.ndarray:
        """Deviance of the rows left out, float64 [penalties]."""

    def _prepared(self, X: np.ndarray, y: np.ndarray, *, inner: bool = False) -> tuple[Any, np.ndarray]:
        prepare = StandardScaler() if self.prepare is None else (lenient if inner else clone)(self.prepare)
        return prepare, np.asfortranarray(prepare.fit_transform(X, y), dtype=np.float64)

    def _choose(self, X: np.ndarray, y: np.ndarray, event: np.ndarray, groups: Any, *, both: bool) -> None:
        """Fit all penalties, choose one by inner folds, keep its coefficients."""
        groups = np.arange(len(X)) if groups is None else np.asarray(groups)
        self.inner_folds_ = inner_count(event, groups, self.inner_folds, both=both)
        self.prepare_, z = self._prepared(X, y)
        first = self._first_penalty(z, y)
        grid = first * np.geomspace(1.0, self.smallest, self.steps)
        loss = np.zeros((len(self.l1_ratios), self.steps))
        place = deal(event, groups, self.inner_folds_, np.random.default_rng(self.seed))
        for number in range(self.inner_folds_):
            train, test = place != number, place == number
            prepare, inside = self._prepared(X[train], y[train], inner=True)
            outside = prepare.transform(X[test])
            for r, ratio in enumerate(self.l1_ratios):
                path = self._path(inside, y[train], grid / ratio, ratio)
                loss[r] += self._held_out_loss(path, (inside, y[train]), (outside, y[test]))
        loss = np.where(np.isnan(loss), np.inf, loss)
        best, k = divmod(int(np.argmin(loss)), self.steps)
        self.l1_ratio_ = float(self.l1_ratios[best])
        self.penalty_ = float(grid[k] / self.l1_ratio_)
        self.loss_ = loss
        coefficients, intercepts = self._path(z, y, grid[: k + 1] / self.l1_ratio_, self.l1_ratio_)
        self.coef_ = np.nan_to_num(coefficients[-1])
        self.intercept_ = float(np.nan_to_num(intercepts[-1]))
        self.selected_ = np.unique(prepared_columns(self.prepare_, range(X.shape[1]))[self.coef_ != 0])

    def _linear(self, X: Any) -> np.ndarray:
        X = self._read(X)  # first: a model that was not fitted has no prepare_
        return np.asarray(self.prepare_.transform(X) @ self.coef_ + self.intercept_)

    def _read(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite=self._finite(), reset=False))

    def _finite(self) -> bool | str:
        return True if self.prepare is None else "allow-nan"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.prepare is not None
        return tags


class PenalisedLogistic(ClassifierMixin, _Penalised):
    """Logistic regression under an elastic net, for two classes."""

    def fit(self, X: Any, y: Any, groups: Any = None) -> PenalisedLogistic:
        """Fit.

        X : float [rows, columns]; y : two classes; groups : of each row the patient, kept together by inner folds
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=self._finite(), ensure_min_samples=4)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported. Found {len(self.classes_)} "
                f"class{'' if len(self.classes_) == 1 else 'es'}."
            )
        self._choose(X, codes.astype(np.float64), codes == 1, groups, both=True)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, float64 [rows]."""
        return self._linear(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of both classes, float64 [rows, 2]."""
        second = 1 / (1 + np.exp(-np.clip(self._linear(X), -700, 700)))
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> np.ndarray:
        """The likelier class, [rows]."""
        positive = self._linear(X) > 0
        return np.asarray(self.classes_[positive.astype(np.int64)])

    def _first_penalty(self, z: np.ndarray, y: np.ndarray) -> float:
        return max(float(np.abs(z.T @ (y - y.mean())).max()) / len(y), 1e-12)

    def _path(self, z: np.ndarray, y: np.ndarray, penalties: np.ndarray, l1_ratio: float) -> Path:
        coefficients, intercepts, converged = logistic_path(z, y, penalties, l1_ratio, 1e-6, 50, 1000, 0.99)
        if not converged.all():
            warnings.warn(
                f"{int((~converged).sum())} of {len(penalties)} penalties: no solution to 1e-6 within 50 steps",
                ConvergenceWarning,
                stacklevel=2,
            )
        return coefficients, intercepts

    def _held_out_loss(self, path: Path, train: tuple[Any, Any], test: tuple[Any, Any]) -> np.ndarray:
        return logistic_loss(path[0] @ test[0].T + path[1][:, None], test[1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class PenalisedCox(_Penalised, Curves):
    """Cox regression under an elastic net: scikit-survival's CoxnetSurvivalAnalysis, its penalty chosen here.

    Held-out deviance of an inner fold is that of all its rows less that of its training rows (Verweij and van
    Houwelingen, Stat Med 1993;12:2305, doi 10.1002/sim.4780122407), so that folds with few events count for little.

    baseline_ : cumulative hazard of a row whose log hazard is 0 (Breslow)
    """

    baseline_: CumulativeHazard

    def fit(self, X: Any, y: Any, groups: Any = None) -> PenalisedCox:
        """Fit.

        X : float [rows, columns]; y : structured (event, time[, cause]) [rows]; groups : of each row the patient.
        Rows with a competing event count as censored at it.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=self._finite(), ensure_min_samples=4)
        time, event, cause = read_times(y, len(X))
        self._learn_others(time, cause)
        self._choose(X, as_y(time, event), event, groups, both=False)
        self.baseline_ = breslow(self._linear(X), time, event)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Log hazard relative to the mean training row, float64 [rows]."""
        return self._linear(X)

    def _survival(self, X: np.ndarray, times: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(-self.baseline_.of(self._linear(X), times)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _first_penalty(self, z: np.ndarray, y: np.ndarray) -> float:
        gradient = _null_gradient(z, y["time"], y["event"])
        return max(float(np.abs(gradient).max()) / len(y), 1e-12)

    def _path(self, z: np.ndarray, y: np.ndarray, penalties: np.ndarray, l1_ratio: float) -> Path:
        from sksurv.linear_model import CoxnetSurvivalAnalysis

        coefficients = np.full((len(penalties), z.shape[1]), np.nan)
        tried = len(penalties)
        while tried:
            model = CoxnetSurvivalAnalysis(alphas=penalties[:tried], l1_ratio=l1_ratio, max_iter=100_000)
            try:
                with warnings.catch_warnings():  # the largest penalties are meant to select nothing
                    warnings.filterwarnings("ignore", "all coefficients are zero", UserWarning)
                    model.fit(z, y)
            except ArithmeticError:  # a penalty so small that the weights overflow
                tried -= max(1, tried // 4)
                continue
            found = model.coef_.T
            coefficients[: len(found)] = found
            break
        return coefficients, np.zeros(len(penalties))

    def _held_out_loss(self, path: Path, train: tuple[Any, Any], test: tuple[Any, Any]) -> np.ndarray:
        usable = ~np.isnan(path[0]).any(axis=1)
        coefficients = path[0][usable]
        inside, outside = coefficients @ train[0].T, coefficients @ test[0].T
        y = np.concatenate([train[1], test[1]])
        whole = cox_loss(np.hstack([inside, outside]), y["time"], y["event"])
        loss = np.full(len(path[0]), np.nan)
        loss[usable] = whole - cox_loss(inside, train[1]["time"], train[1]["event"])
        return loss


def _null_gradient(z: np.ndarray, time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Gradient of the log partial likelihood (Breslow) at coefficients of 0, float64 [columns]."""
    order = np.argsort(-time, kind="stable")
    time, event, z = time[order], event[order], z[order]
    last = np.searchsorted(-time, -time, side="right")
    means = np.cumsum(z, axis=0)[last - 1] / last[:, None]
    return np.asarray((z - means)[event].sum(axis=0))
