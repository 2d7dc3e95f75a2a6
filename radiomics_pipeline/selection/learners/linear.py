"""Linear regression of a number under a ridge or an elastic net, the penalty chosen by rows left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.base import RegressorMixin
from sklearn.linear_model import enet_path
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.selection.learners.inner import NumberLearner, positive
from radiomics_pipeline.selection.learners.penalised import Path, _Penalised
from radiomics_pipeline.selection.learners.rotation import Rotation, rotate

SHARES = (1e-3, 1e3)
"""Of the variance that a ridge takes the columns to explain to the one left, between which penalties lie."""


class RidgeLinear(NumberLearner):
    """Least squares + penalty |coefficients|^2; the intercept is free.

    The penalty is that of the smallest squared error of patients left out, one after the other, in closed form
    (no folds are drawn); the largest of equal ones. Columns are taken as they are: scale them before.

    penalty : None: chosen
    steps : how many penalties are tried

    coef_ : float64 [columns]; intercept_ : float; penalty_ : the one used
    loss_ : float64 [steps], sums of squared errors of patients left out, from strong to weak
    """

    def __init__(self, penalty: float | None = None, steps: int = 30) -> None:
        self.penalty = penalty
        self.steps = steps

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        rotation = rotate(X)
        z = rotation.scores
        if self.penalty is None:
            spread = max(float((z**2).sum()) / len(z), 1e-12)
            penalties = spread / np.geomspace(*SHARES, self.steps)
            self.loss_ = np.array([_left_out(rotation, y, groups, penalty) for penalty in penalties])
            self.penalty_ = float(penalties[int(np.argmin(self.loss_))])
        else:
            self.penalty_ = positive(self.penalty, "penalty")
        weights = (z.T @ (y - y.mean())) / ((z**2).sum(axis=0) + self.penalty_)
        self.coef_, intercept = rotation.back(weights, np.asarray(y.mean()))
        self.intercept_ = float(intercept)

    def _number(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X @ self.coef_ + self.intercept_)


def _left_out(rotation: Rotation, y: np.ndarray, groups: np.ndarray, penalty: float) -> float:
    """Sum of squared errors of every patient, predicted from all others: (I - H) of its rows, inverted, times error."""
    z = rotation.scores
    halves = z / np.sqrt((z**2).sum(axis=0) + penalty)
    residual = y - y.mean() - halves @ (halves.T @ (y - y.mean()))
    _, first, rows = np.unique(groups, return_index=True, return_counts=True)
    if (rows == 1).all():
        kept = 1 - 1 / len(y) - (halves**2).sum(axis=1)
        return float(((residual / np.maximum(kept, 1e-12)) ** 2).sum())
    total = 0.0
    for patient in groups[first]:
        own = np.flatnonzero(groups == patient)
        kept = np.eye(len(own)) - 1 / len(y) - halves[own] @ halves[own].T
        total += float((np.linalg.lstsq(kept, residual[own], rcond=None)[0] ** 2).sum())
    return total


class PenalisedLinear(RegressorMixin, _Penalised):
    """Least squares under an elastic net: mean squared error / 2 + penalty (r |b| + (1 - r) b^2 / 2).

    Penalty and share r are those of the smallest squared error of rows left out by inner folds, in which low and high
    outcomes are shared out. Settings and `prepare` are those of PenalisedLogistic.

    coef_ : float64 [prepared columns]; intercept_; selected_ : int64, columns of X whose coefficient is not 0
    penalty_, l1_ratio_ : those used; loss_ : float64 [ratios, steps]
    """

    def fit(self, X: Any, y: Any, groups: Any = None) -> PenalisedLinear:
        """Fit.

        X : float [rows, columns]; y : numbers; groups : of each row the patient, kept together by inner folds
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_all_finite=self._finite(), ensure_min_samples=4
        )
        y = np.asarray(y, np.float64)
        high = rankdata(y, method="ordinal") > len(y) / 2
        self._choose(X, y, high, groups, both=True)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Expected number, float64 [rows]."""
        check_is_fitted(self)
        return self._linear(X)

    def _first_penalty(self, z: np.ndarray, y: np.ndarray) -> float:
        return max(float(np.abs((z - z.mean(axis=0)).T @ (y - y.mean())).max()) / len(y), 1e-12)

    def _path(self, z: np.ndarray, y: np.ndarray, penalties: np.ndarray, l1_ratio: float) -> Path:
        mean, level = z.mean(axis=0), y.mean()
        centred = np.asfortranarray(z - mean)
        found = enet_path(centred, y - level, l1_ratio=l1_ratio, alphas=penalties, max_iter=20_000, tol=1e-5)[1].T
        return np.asarray(found), np.asarray(level - found @ mean)

    def _held_out_loss(self, path: Path, train: tuple[Any, Any], test: tuple[Any, Any]) -> np.ndarray:
        errors = path[0] @ test[0].T + path[1][:, None] - test[1]
        return np.asarray((errors**2).sum(axis=1))
