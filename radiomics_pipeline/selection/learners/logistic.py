"""Logistic regression under a ridge, for two classes or several, its penalty chosen by inner folds."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, class_folds, log_loss, positive
from radiomics_pipeline.selection.learners.linear import PenalisedLinear, RidgeLinear
from radiomics_pipeline.selection.learners.penalised import PenalisedLogistic
from radiomics_pipeline.selection.learners.ridge_path import ridge_paths
from radiomics_pipeline.selection.learners.rotation import rotate
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.stats.deviance import logistic_loss
from radiomics_pipeline.types.outcome import Kind

WEAKEST, STRONGEST = 1e3, 1e-3
"""Variances of the log odds, under the prior that a ridge is, between which penalties lie."""
ROUGH, EXACT = 1e-3, 1e-14
"""Drop of the deviance below which Newton's steps end: while penalties are compared, and for the one chosen."""


def penalty_row(scores: np.ndarray, steps: int) -> np.ndarray:
    """Falling penalties for columns of any number and scale, float64 [steps].

    A ridge of penalty L is a normal prior of variance 1 / L for coefficients, under which the linear predictor of an
    average row has variance |x|^2 / L: the penalties are those of variances from STRONGEST to WEAKEST.
    """
    spread = max(float((scores**2).sum()) / len(scores), 1e-12)
    return np.asarray(spread / np.geomspace(STRONGEST, WEAKEST, steps))


class RidgeLogistic(ClassLearner):
    """Logistic regression with sum of losses + penalty |coefficients|^2 / 2; the intercept is free.

    The penalty is that of the smallest deviance of rows left out by inner folds, the largest of equal ones. Columns
    are taken as they are: scale them before. 1 / penalty is the C of scikit-learn's LogisticRegression.

    penalty : None: chosen
    steps : how many penalties are tried
    inner_folds, seed : of the inner folds; fewer where a class has fewer patients
    repeats : how often inner folds are dealt, for two classes; several are slower to fit and have one deal

    coef_ : float64 [columns], intercept_ : float; of several classes [classes, columns] and [classes]
    penalty_ : the one used; loss_ : float64 [steps], deviances / 2 of the rows left out, from strong to weak
    """

    def __init__(
        self, penalty: float | None = None, steps: int = 20, inner_folds: int = 5, repeats: int = 3, seed: int = 0
    ) -> None:
        self.penalty = penalty
        self.steps = steps
        self.inner_folds = inner_folds
        self.repeats = repeats
        self.seed = seed

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        rotation = rotate(X)
        z, two = rotation.scores, len(self.classes_) == 2
        if self.penalty is None:
            penalties = penalty_row(z, self.steps)
            deals = [class_folds(codes, groups, self.inner_folds, self.seed + r) for r in range(self.repeats)]
            self.loss_ = _two_classes(z, codes, deals, penalties) if two else _classes(z, codes, deals[0], penalties)
            self.penalty_ = float(penalties[int(np.argmin(self.loss_))])
        else:
            self.penalty_ = positive(self.penalty, "penalty")
        if two:
            whole = np.ones((len(z), 1), np.bool_)
            weights, intercepts = ridge_paths(z, codes.astype(np.float64), whole, np.array([self.penalty_]), EXACT)
            self.coef_, intercept = rotation.back(weights[-1, :, 0], intercepts[-1, 0])
            self.intercept_: Any = float(intercept)
        else:
            model = _multinomial(self.penalty_, 1e-6).fit(z, codes)
            self.coef_, starts = rotation.back(model.coef_, model.intercept_)
            self.intercept_ = starts

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, float64 [rows]; of several classes their linear predictors [rows, classes]."""
        return np.asarray(self._checked(X) @ self.coef_.T + self.intercept_)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        eta = X @ self.coef_.T + self.intercept_
        return np.column_stack([expit(-eta), expit(eta)]) if eta.ndim == 1 else np.asarray(softmax(eta, axis=1))


def _two_classes(z: np.ndarray, codes: np.ndarray, deals: list[np.ndarray], penalties: np.ndarray) -> np.ndarray:
    y = codes.astype(np.float64)
    members = np.column_stack([place != f for place in deals for f in range(int(place.max()) + 1)])
    weights, intercepts = ridge_paths(z, y, members, penalties, ROUGH)
    loss = np.zeros(len(penalties))
    for s in range(members.shape[1]):
        held = ~members[:, s]
        loss += logistic_loss(weights[:, :, s] @ z[held].T + intercepts[:, [s]], y[held])
    return loss


def _classes(z: np.ndarray, codes: np.ndarray, place: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    loss = np.zeros(len(penalties))
    for f in range(int(place.max()) + 1):
        train, test = place != f, place == f
        model = _multinomial(float(penalties[0]), 1e-3, warm=True)
        for k, penalty in enumerate(penalties):
            model.set_params(C=1 / penalty)
            loss[k] += log_loss(codes[test], _fitted(model, z[train], codes[train]).predict_proba(z[test]))
    return loss


def _multinomial(penalty: float, tolerance: float, warm: bool = False) -> LogisticRegression:
    return LogisticRegression(C=1 / penalty, tol=tolerance, max_iter=5000, warm_start=warm)


def _fitted(model: LogisticRegression, z: np.ndarray, codes: np.ndarray) -> LogisticRegression:
    with warnings.catch_warnings():  # a penalty too weak to be solved is not the one chosen
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(z, codes)


class RidgeParams(Section):
    """A ridge whose penalty inner folds choose."""

    steps: int = Field(20, ge=2, description="how many penalties are tried")
    inner_folds: int = Field(5, ge=2, description="inner folds; a number's penalty is chosen by leaving patients out")
    repeats: int = Field(3, ge=1, description="how often the inner folds are drawn")


class NetParams(Section):
    """An elastic net whose penalty inner folds choose."""

    l1_ratios: tuple[float, ...] = Field((0.2, 0.5, 0.8, 1.0), description="shares of L1 to choose among")
    steps: int = Field(30, ge=2, description="how many penalties are tried")
    smallest: float = Field(0.05, gt=0, lt=1, description="the smallest penalty, as a share of the first")
    inner_folds: int = Field(5, ge=2, description="inner folds")


class LassoParams(Section):
    """A lasso whose penalty inner folds choose."""

    steps: int = Field(30, ge=2, description="how many penalties are tried")
    smallest: float = Field(0.05, gt=0, lt=1, description="the smallest penalty, as a share of the first")
    inner_folds: int = Field(5, ge=2, description="inner folds")


def _ridge(params: RidgeParams, kind: Kind, seed: int) -> Any:
    if kind == "continuous":
        return RidgeLinear(steps=params.steps)
    return RidgeLogistic(None, params.steps, params.inner_folds, params.repeats, seed)


def _net(params: NetParams, kind: Kind, seed: int) -> Any:
    estimator = PenalisedLinear if kind == "continuous" else PenalisedLogistic
    return estimator(
        l1_ratios=params.l1_ratios,
        steps=params.steps,
        smallest=params.smallest,
        inner_folds=params.inner_folds,
        seed=seed,
    )


def _lasso(params: LassoParams, kind: Kind, seed: int) -> Any:
    return _net(NetParams(l1_ratios=(1.0,), **params.model_dump()), kind, seed)


RIDGE = Method(
    "ridge",
    ("binary", "multiclass", "continuous"),
    RidgeParams,
    _ridge,
    "logistic or linear regression that shrinks all coefficients and keeps every feature",
)
ELASTIC_NET = Method(
    "elastic-net",
    ("binary", "continuous"),
    NetParams,
    _net,
    "logistic or linear regression that keeps few features, like ones together",
)
LASSO = Method(
    "lasso",
    ("binary", "continuous"),
    LassoParams,
    _lasso,
    "logistic or linear regression that keeps few features (L1)",
)
