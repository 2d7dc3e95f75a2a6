"""Linear regression of a number under a ridge or an elastic net, the penalty chosen by rows left out."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import enet_path
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.selection.learners.inner import NumberLearner, number_folds, positive
from radiomics_pipeline.selection.learners.rotation import Rotation, rotate

SHARES = (1e-3, 1e3)
"""Of the variance that a ridge takes the columns to explain to the one left, between which penalties lie."""


class _Linear(NumberLearner):
    coef_: np.ndarray
    intercept_: float

    def _number(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X @ self.coef_ + self.intercept_)


class RidgeLinear(_Linear):
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


class PenalisedLinear(_Linear):
    """Least squares under an elastic net: mean squared error / 2 + penalty (r |b| + (1 - r) b^2 / 2).

    Penalty and share r are those of the smallest squared error of rows left out by inner folds. Columns are scaled,
    in every inner fold anew.

    l1_ratios : shares of L1 to choose among, each in (0, 1]
    steps, smallest : how many penalties, and the smallest as a share of the one that selects nothing
    inner_folds, seed : of the inner folds

    coef_ : float64 [columns], of X as given; intercept_; selected_ : int64, columns whose coefficient is not 0
    penalty_, l1_ratio_ : those used; loss_ : float64 [ratios, steps]
    """

    def __init__(
        self,
        l1_ratios: tuple[float, ...] = (1.0,),
        steps: int = 30,
        smallest: float = 0.05,
        inner_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.l1_ratios = l1_ratios
        self.steps = steps
        self.smallest = smallest
        self.inner_folds = inner_folds
        self.seed = seed

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        scaler = StandardScaler().fit(X)
        z, centred = scaler.transform(X), y - y.mean()
        first = max(float(np.abs(z.T @ centred).max()) / len(y), 1e-12)
        grid = first * np.geomspace(1.0, self.smallest, self.steps)
        place = number_folds(y, groups, self.inner_folds, self.seed)
        self.loss_ = np.array([_net_loss(X, y, place, grid / ratio, ratio) for ratio in self.l1_ratios])
        best, k = divmod(int(np.argmin(self.loss_)), self.steps)
        self.l1_ratio_ = float(self.l1_ratios[best])
        self.penalty_ = float(grid[k] / self.l1_ratio_)
        weights = _path(z, centred, grid[: k + 1] / self.l1_ratio_, self.l1_ratio_)[:, -1]
        self.coef_ = weights / scaler.scale_
        self.intercept_ = float(y.mean() - scaler.mean_ @ self.coef_)
        self.selected_ = np.flatnonzero(self.coef_)


def _net_loss(X: np.ndarray, y: np.ndarray, place: np.ndarray, penalties: np.ndarray, ratio: float) -> np.ndarray:
    """Sum of squared errors of rows left out, float64 [penalties]."""
    loss = np.zeros(len(penalties))
    for f in range(int(place.max()) + 1 if place.any() else 0):
        train, test = place != f, place == f
        scaler = StandardScaler().fit(X[train])
        weights = _path(scaler.transform(X[train]), y[train] - y[train].mean(), penalties, ratio)
        errors = y[test][:, None] - y[train].mean() - scaler.transform(X[test]) @ weights
        loss += (errors**2).sum(axis=0)
    return loss


def _path(z: np.ndarray, y: np.ndarray, penalties: np.ndarray, ratio: float) -> np.ndarray:
    """float64 [columns, penalties]"""
    found = enet_path(np.asfortranarray(z), y, l1_ratio=ratio, alphas=penalties, max_iter=20_000, tol=1e-5)[1]
    return np.asarray(found)
