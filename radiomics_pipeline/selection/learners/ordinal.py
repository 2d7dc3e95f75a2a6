"""Ordered classes: proportional odds under a ridge, the penalty chosen by inner folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import expit

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, class_folds, positive
from radiomics_pipeline.selection.learners.logistic import penalty_row
from radiomics_pipeline.selection.learners.rotation import rotate
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind

ROUGH, EXACT = 1e-3, 1e-14
NEWTON, HALVINGS = 200, 50


@dataclass(frozen=True)
class Odds:
    """Log odds of being at most in class k: thresholds[k] - scores @ weights.

    thresholds : float64 [classes - 1], rising; weights : float64 [axes]
    """

    thresholds: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class _Terms:
    """Of each row the log probability of its class, and derivatives of its negative by the linear predictor and by
    the thresholds above and below."""

    log_p: np.ndarray
    by_eta: np.ndarray
    curve: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    upper2: np.ndarray
    lower2: np.ndarray
    cross: np.ndarray


def _terms(eta: np.ndarray, codes: np.ndarray, thresholds: np.ndarray) -> _Terms:
    edges = np.concatenate([[-np.inf], thresholds, [np.inf]])
    below, above = edges[codes] - eta, edges[codes + 1] - eta
    f_below, f_above = expit(below), expit(above)
    gap = -np.expm1(below - above)
    log_p = -np.logaddexp(0, -above) - np.logaddexp(0, below) + np.log(gap)
    u = expit(-above) / (expit(-below) * gap)
    v = f_below / (f_above * gap)
    return _Terms(
        log_p=log_p,
        by_eta=1 - f_above - f_below,
        curve=f_above * expit(-above) + f_below * expit(-below),
        upper=-u,
        lower=v,
        upper2=u * (u - 1 + 2 * f_above),
        lower2=v * (v + 1 - 2 * f_below),
        cross=-u * v,
    )


def log_likelihood(scores: np.ndarray, codes: np.ndarray, odds: Odds) -> np.ndarray:
    """Of each row, float64 [rows]."""
    return _terms(scores @ odds.weights, codes, odds.thresholds).log_p


def solve(scores: np.ndarray, codes: np.ndarray, penalty: float, start: Odds, tolerance: float) -> Odds:
    """Minimum of the sum of -log probabilities + penalty |weights|^2 / 2, by Newton's method.

    scores : float64 [rows, axes], columns orthogonal or nearly so; codes : int64 [rows], every class present

    The likelihood is log-concave (Pratt 1981; McCullagh, J R Stat Soc B 1980;42:109,
    doi 10.1111/j.2517-6161.1980.tb01109.x). Steps are found by conjugate gradients, thresholds eliminated.
    """
    odds = start
    terms = _terms(scores @ odds.weights, codes, odds.thresholds)
    value = _objective(terms, odds, penalty)
    for _ in range(NEWTON):
        step, drop = _step(scores, codes, penalty, odds, terms)
        size = 1.0
        for _ in range(HALVINGS):
            new = Odds(odds.thresholds + size * step.thresholds, odds.weights + size * step.weights)
            if (np.diff(new.thresholds) > 0).all():
                terms = _terms(scores @ new.weights, codes, new.thresholds)
                lower = _objective(terms, new, penalty)
                if lower <= value + 1e-12 * abs(value):
                    odds, value = new, lower
                    break
            size /= 2
        else:
            return odds
        if drop <= tolerance:
            return odds
    return odds


def _objective(terms: _Terms, odds: Odds, penalty: float) -> float:
    return float(-terms.log_p.sum() + 0.5 * penalty * (odds.weights**2).sum())


def _step(scores: np.ndarray, codes: np.ndarray, penalty: float, odds: Odds, terms: _Terms) -> tuple[Odds, float]:
    """Newton's step, and the drop that it promises."""
    n, k = len(codes), len(odds.thresholds)
    up, down = codes < k, codes > 0
    pull, bend, joint = np.zeros(k), np.zeros((k, k)), np.zeros((n, k))
    rows = np.arange(n)
    np.add.at(pull, codes[up], terms.upper[up])
    np.add.at(pull, codes[down] - 1, terms.lower[down])
    np.add.at(bend, (codes[up], codes[up]), terms.upper2[up])
    np.add.at(bend, (codes[down] - 1, codes[down] - 1), terms.lower2[down])
    both = up & down
    np.add.at(bend, (codes[both], codes[both] - 1), terms.cross[both])
    np.add.at(bend, (codes[both] - 1, codes[both]), terms.cross[both])
    joint[rows[up], codes[up]] -= terms.upper2[up] + np.where(down, terms.cross, 0.0)[up]
    joint[rows[down], codes[down] - 1] -= terms.lower2[down] + np.where(up, terms.cross, 0.0)[down]
    inverse = np.linalg.inv(bend + 1e-12 * np.trace(bend) * np.eye(k))
    tied = joint @ inverse
    gradient = scores.T @ terms.by_eta + penalty * odds.weights
    reduced = gradient - scores.T @ (tied @ pull)

    def curved(v: np.ndarray) -> np.ndarray:
        ahead = scores @ v
        return np.asarray(scores.T @ (terms.curve * ahead - tied @ (joint.T @ ahead)) + penalty * v)

    diagonal = (scores**2).sum(axis=0) * terms.curve.mean() + penalty
    weights = _conjugate(curved, -reduced, diagonal)
    thresholds = -inverse @ (pull + joint.T @ (scores @ weights))
    return Odds(thresholds, weights), float(-(gradient @ weights + pull @ thresholds))


def _conjugate(product: Any, right: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """Solution of product(x) = right by conjugate gradients with a diagonal conditioner, to 1e-6 or better."""
    x, left = np.zeros_like(right), right.copy()
    conditioned = left / diagonal
    size = first = float(left @ conditioned)
    direction = conditioned
    for _ in range(200):
        if size <= 1e-12 * first or size <= 1e-300:
            break
        ahead = product(direction)
        length = size / float(direction @ ahead)
        x, left = x + length * direction, left - length * ahead
        conditioned = left / diagonal
        new = float(left @ conditioned)
        direction = conditioned + new / size * direction
        size = new
    return x


class ProportionalOdds(ClassLearner):
    """Cumulative logistic regression with one set of coefficients for all thresholds, under a ridge.

    log odds of being at most in class k = threshold k - X @ coefficients, so that high X @ coefficients go with
    high classes. Classes are in the order of their labels. The penalty is that of the smallest deviance of rows left
    out by inner folds, the largest of equal ones. Columns are taken as they are: scale them before.

    penalty : None: chosen; steps : how many are tried; inner_folds, seed : of the inner folds

    coef_ : float64 [columns]; thresholds_ : float64 [classes - 1]; penalty_ : the one used
    """

    def __init__(self, penalty: float | None = None, steps: int = 20, inner_folds: int = 5, seed: int = 0) -> None:
        self.penalty = penalty
        self.steps = steps
        self.inner_folds = inner_folds
        self.seed = seed

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        rotation = rotate(X)
        z = rotation.scores
        if self.penalty is None:
            penalties = penalty_row(z, self.steps)
            place = class_folds(codes, groups, self.inner_folds, self.seed)
            self.loss_ = np.zeros(self.steps)
            for fold in range(int(place.max()) + 1):
                self.loss_ += _held_out(z, codes, place == fold, penalties)
            self.penalty_ = float(penalties[int(np.argmin(self.loss_))])
        else:
            self.penalty_ = positive(self.penalty, "penalty")
        odds = solve(z, codes, self.penalty_, _null(codes, z.shape[1]), EXACT)
        self.coef_, offset = rotation.back(odds.weights, np.asarray(0.0))
        self.thresholds_ = odds.thresholds - float(offset)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        cumulative = expit(self.thresholds_ - (X @ self.coef_)[:, None])
        edges = np.hstack([np.zeros((len(X), 1)), cumulative, np.ones((len(X), 1))])
        return np.diff(edges, axis=1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # scikit-learn's own examples have classes without an order
        return tags


def _null(codes: np.ndarray, n_axes: int) -> Odds:
    shares = np.cumsum(np.bincount(codes))[:-1] / len(codes)
    return Odds(np.log(shares / (1 - shares)), np.zeros(n_axes))


def _held_out(z: np.ndarray, codes: np.ndarray, test: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Deviance / 2 of the rows left out, float64 [penalties]."""
    odds, loss = _null(codes[~test], z.shape[1]), np.zeros(len(penalties))
    for k, penalty in enumerate(penalties):
        odds = solve(z[~test], codes[~test], float(penalty), odds, ROUGH)
        loss[k] = -log_likelihood(z[test], codes[test], odds).sum()
    return loss


class OrdinalParams(Section):
    """Proportional odds under a ridge whose penalty inner folds choose."""

    steps: int = Field(20, ge=2, description="how many penalties are tried")
    inner_folds: int = Field(5, ge=2, description="inner folds")


def _build(params: OrdinalParams, kind: Kind, seed: int) -> Any:
    return ProportionalOdds(None, params.steps, params.inner_folds, seed)


ORDINAL = Method(
    "ordinal", ("ordinal",), OrdinalParams, _build, "proportional odds of ordered classes, all coefficients shrunken"
)
