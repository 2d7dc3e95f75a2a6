"""Support vector machines, linear or with a Gaussian kernel, with probabilities that inner folds calibrate."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy.special import expit
from sklearn.svm import SVC, SVR

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, NumberLearner, class_folds, log_loss, number_folds
from radiomics_pipeline.selection.learners.platt import Calibration, calibrate, held_out_decisions
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind

KernelName = Literal["linear", "rbf"]


class Kernel:
    """Products of rows with training rows, scaled so that an average training row has 1 with itself.

    "linear": product of centred rows over the mean of their squares, which makes costs independent of the number of
    columns; "rbf": exp(-|difference|^2 / (2 mean square)), which is scikit-learn's gamma "scale", halved
    """

    def __init__(self, name: KernelName, X: np.ndarray) -> None:
        self.name = name
        self.mean = X.mean(axis=0)
        self.rows = X - self.mean
        self.scale = max(float((self.rows**2).sum(axis=1).mean()), 1e-12)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """float64 [rows, training rows]"""
        X = X - self.mean
        product = X @ self.rows.T
        if self.name == "linear":
            return np.asarray(product / self.scale)
        distance = (X**2).sum(axis=1)[:, None] + (self.rows**2).sum(axis=1) - 2 * product
        return np.asarray(np.exp(-np.maximum(distance, 0) / (2 * self.scale)))


class VectorMachine(ClassLearner):
    """Support vector classifier. The cost is the one of `costs` whose decisions on rows left out by inner folds,
    calibrated (`platt.calibrate`), have the smallest log loss; the smallest of equal ones.

    Classes count alike in training; their shares come back through the calibration.

    kernel : "linear" or "rbf"; costs : to choose among; inner_folds, seed : of the inner folds

    cost_ : the one used; calibration_ : of its decisions; coef_, intercept_ : linear, of two classes: log odds
    """

    def __init__(
        self,
        kernel: KernelName = "rbf",
        costs: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0),
        inner_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.kernel = kernel
        self.costs = costs
        self.inner_folds = inner_folds
        self.seed = seed

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        self.kernel_ = Kernel(self.kernel, X)
        products = self.kernel_(X)
        place = class_folds(codes, groups, self.inner_folds, self.seed)
        found: list[tuple[float, float, Calibration]] = []
        for cost in sorted(self.costs):

            def decide(train: np.ndarray, test: np.ndarray, cost: float = cost) -> np.ndarray:
                model = _machine(cost).fit(products[np.ix_(train, train)], codes[train])
                return np.asarray(model.decision_function(products[np.ix_(test, train)]))

            decisions = held_out_decisions(place, decide)
            calibration = calibrate(decisions, codes)
            found.append((log_loss(codes, calibration.probability(decisions)), cost, calibration))
        _, self.cost_, self.calibration_ = min(found, key=lambda item: item[0])
        self.machine_ = _machine(self.cost_).fit(products, codes)
        if self.kernel == "linear" and len(self.classes_) == 2:
            weights = self.machine_.dual_coef_[0] @ self.kernel_.rows[self.machine_.support_] / self.kernel_.scale
            self.coef_ = self.calibration_.slope * weights
            start = self.calibration_.slope * float(self.machine_.intercept_[0]) + self.calibration_.offsets[1]
            self.intercept_ = float(start - self.kernel_.mean @ self.coef_)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        decisions = self.machine_.decision_function(self.kernel_(X))
        if decisions.ndim == 1:
            eta = self.calibration_.log_odds(decisions)[:, 1]
            return np.column_stack([expit(-eta), expit(eta)])
        return self.calibration_.probability(decisions)


def _machine(cost: float) -> SVC:
    return SVC(C=cost, kernel="precomputed", class_weight="balanced", decision_function_shape="ovr")


class VectorRegression(NumberLearner):
    """Support vector regression of the standardised number; the cost is that of the smallest squared error left out.

    kernel : "linear" or "rbf"; costs : to choose among; tube : half-width within which errors do not count, in standard
    deviations; inner_folds, seed : of the inner folds. cost_ : the one used
    """

    def __init__(
        self,
        kernel: KernelName = "rbf",
        costs: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0),
        tube: float = 0.1,
        inner_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.kernel = kernel
        self.costs = costs
        self.tube = tube
        self.inner_folds = inner_folds
        self.seed = seed

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        self.kernel_ = Kernel(self.kernel, X)
        products = self.kernel_(X)
        self.mean_, self.spread_ = float(y.mean()), float(y.std()) or 1.0
        z = (y - self.mean_) / self.spread_
        place = number_folds(y, groups, self.inner_folds, self.seed)
        losses = []
        for cost in sorted(self.costs):

            def decide(train: np.ndarray, test: np.ndarray, cost: float = cost) -> np.ndarray:
                model = SVR(C=cost, epsilon=self.tube, kernel="precomputed")
                return np.asarray(model.fit(products[np.ix_(train, train)], z[train]).predict(products[test][:, train]))

            one = place.max() == 0
            losses.append(0.0 if one else float(((held_out_decisions(place, decide) - z) ** 2).sum()))
        self.cost_ = sorted(self.costs)[int(np.argmin(losses))]
        self.machine_ = SVR(C=self.cost_, epsilon=self.tube, kernel="precomputed").fit(products, z)

    def _number(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.mean_ + self.spread_ * self.machine_.predict(self.kernel_(X)))


class MachineParams(Section):
    """A support vector machine."""

    costs: tuple[float, ...] = Field((0.01, 0.1, 1.0, 10.0), min_length=1, description="costs to choose among")
    inner_folds: int = Field(5, ge=2, description="inner folds, for the cost and calibrated probabilities")


def _linear(params: MachineParams, kind: Kind, seed: int) -> Any:
    estimator = VectorRegression if kind == "continuous" else VectorMachine
    return estimator(kernel="linear", costs=params.costs, inner_folds=params.inner_folds, seed=seed)


def _rbf(params: MachineParams, kind: Kind, seed: int) -> Any:
    estimator = VectorRegression if kind == "continuous" else VectorMachine
    return estimator(kernel="rbf", costs=params.costs, inner_folds=params.inner_folds, seed=seed)


SVM = Method(
    "svm",
    ("binary", "multiclass", "ordinal", "continuous"),
    MachineParams,
    _rbf,
    "support vector machine with a Gaussian kernel, probabilities calibrated by inner folds",
)
SVM_LINEAR = Method(
    "svm-linear",
    ("binary", "multiclass", "ordinal", "continuous"),
    MachineParams,
    _linear,
    "linear support vector machine, probabilities calibrated by inner folds",
)
