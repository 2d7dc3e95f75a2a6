"""Boosted stumps that fit an additive logistic regression (LogitBoost)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import expit, softmax

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, class_folds
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind

LARGEST = 4.0
"""Leaves are cut here. The paper cuts working responses, at 2 to 4, which pulls a rare class's probability down."""
SMALLEST_WEIGHT = 1e-8


@dataclass(frozen=True)
class Sorted:
    """Columns sorted once, for all rounds.

    order : int64 [rows, columns], rows by rising value, missing cells last
    values : float64 [rows, columns], in that order
    cuts : bool [rows, columns], where a stump may split after this place
    present : int64 [columns], how many cells are not missing
    """

    order: np.ndarray
    values: np.ndarray
    cuts: np.ndarray
    present: np.ndarray


@dataclass(frozen=True)
class Stump:
    """One column, a cut, and what it gives to rows up to it, above it, and without a value."""

    column: int
    cut: float
    low: float
    high: float
    missing: float

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """float64 [rows]"""
        x = X[:, self.column]
        return np.where(np.isnan(x), self.missing, np.where(x <= self.cut, self.low, self.high))


def sort_columns(X: np.ndarray, least: int) -> Sorted:
    """X : float64 [rows, columns], NaN where missing; least : rows on either side of a cut"""
    order = np.argsort(X, axis=0, kind="stable")
    values = np.take_along_axis(X, order, axis=0)
    present = (~np.isnan(X)).sum(axis=0)
    place = np.arange(len(X))[:, None]
    cuts = np.zeros(X.shape, np.bool_)
    cuts[:-1] = values[1:] > values[:-1]
    cuts &= (place + 1 >= least) & (present - place - 1 >= least)
    return Sorted(order, values, cuts, present)


def best_stump(data: Sorted, weight: np.ndarray, weighted: np.ndarray) -> Stump:
    """The stump of the smallest weighted squared error, over all columns and cuts; of equal ones the first column's.

    weight, weighted : float64 [rows], and its product with the working response, which is the residual. Rows without a
    value in the column have a leaf of their own. Where no column can be cut the stump gives 0.
    """
    w, s = np.cumsum(weight[data.order], axis=0), np.cumsum(weighted[data.order], axis=0)
    last = np.maximum(data.present - 1, 0), np.arange(data.order.shape[1])
    w_all, s_all = w[last], s[last]
    w_out, s_out = weight.sum() - w_all, weighted.sum() - s_all
    holes = data.present < len(weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = s**2 / w + (s_all - s) ** 2 / (w_all - w) + np.where(holes, s_out**2 / w_out, 0.0)
    gain = np.where(data.cuts, gain, -np.inf)
    places = gain.argmax(axis=0)
    column = int(gain[places, np.arange(gain.shape[1])].argmax())
    k = int(places[column])
    if not data.cuts[k, column]:
        return Stump(0, 0.0, 0.0, 0.0, 0.0)
    below, above = float(data.values[k, column]), float(data.values[k + 1, column])
    cut = below / 2 + above / 2
    low = s[k, column] / w[k, column]
    high = (s_all[column] - s[k, column]) / (w_all[column] - w[k, column])
    mean = weighted.sum() / weight.sum()
    missing = s_out[column] / w_out[column] if holes[column] else mean
    low, high, missing = (float(np.clip(leaf, -LARGEST, LARGEST)) for leaf in (low, high, missing))
    return Stump(column, cut if cut < above else below, low, high, missing)


def boost(  # noqa: PLR0917 -- rows, and how they are boosted
    X: np.ndarray, codes: np.ndarray, n_classes: int, rounds: int, shrinkage: float, least: int
) -> tuple[np.ndarray, list[tuple[Stump, ...]]]:
    """LogitBoost: where it starts, float64 [scores], and the stumps of each round, one a score.

    Two classes have one score, the log odds of the second; several have one each. It starts at the classes' shares.
    """
    data = sort_columns(X, least)
    truth = (codes[:, None] == np.arange(n_classes)).astype(np.float64)
    shares = truth.mean(axis=0)
    if n_classes == 2:
        truth, start = truth[:, 1:], np.log(shares[1:] / shares[:1])
    else:
        start = np.log(shares)
    scores = np.repeat(start[None, :], len(X), axis=0)
    found = []
    for _ in range(rounds):
        p = probabilities(scores)[:, -truth.shape[1] :]
        weight = np.maximum(p * (1 - p), SMALLEST_WEIGHT)
        stumps = tuple(best_stump(data, weight[:, c], (truth - p)[:, c]) for c in range(truth.shape[1]))
        scores = scores + shrinkage * raise_scores(X, stumps)
        found.append(stumps)
    return start, found


def raise_scores(X: np.ndarray, stumps: tuple[Stump, ...]) -> np.ndarray:
    """What one round adds, float64 [rows, scores]; of several classes centred, as in the paper."""
    lifts = np.column_stack([stump(X) for stump in stumps])
    k = lifts.shape[1]
    return lifts if k == 1 else (k - 1) / k * (lifts - lifts.mean(axis=1, keepdims=True))


def probabilities(scores: np.ndarray) -> np.ndarray:
    """float64 [rows, classes]"""
    if scores.shape[1] == 1:
        return np.column_stack([expit(-scores[:, 0]), expit(scores[:, 0])])
    return np.asarray(softmax(scores, axis=1))


class LogitBoost(ClassLearner):
    """Stumps fitted one after the other to the working response of logistic regression.

    Friedman, Hastie and Tibshirani, Ann Stat 2000;28:337, doi 10.1214/aos/1016218223, algorithms 3 and 6. How many
    rounds are kept is what gives rows left out by inner folds the smallest log loss; that may be none.

    rounds : at most so many; shrinkage : share of each stump that is added; least : rows on either side of a cut, at
    most a quarter of all; inner_folds : 0: all rounds are kept; seed : of the inner folds. Missing cells have a leaf
    of their own.

    rounds_ : kept; stumps_ : of each round, one a score; selected_ : int64, the columns they use
    """

    allows_nan = True

    def __init__(
        self, rounds: int = 60, shrinkage: float = 0.1, least: int = 8, inner_folds: int = 5, seed: int = 0
    ) -> None:
        self.rounds = rounds
        self.shrinkage = shrinkage
        self.least = least
        self.inner_folds = inner_folds
        self.seed = seed

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        k = len(self.classes_)
        self.rounds_ = self.rounds
        if self.inner_folds:
            place = class_folds(codes, groups, self.inner_folds, self.seed)
            self.loss_ = np.zeros(self.rounds + 1)
            for fold in range(int(place.max()) + 1):
                train, test = place != fold, place == fold
                start, stumps = self._boost(X[train], codes[train], k, self.rounds)
                self.loss_ += self._stages(start, stumps, X[test], codes[test])
            self.rounds_ = int(np.argmin(self.loss_))
        self.start_, self.stumps_ = self._boost(X, codes, k, self.rounds_)
        used = {s.column for stumps in self.stumps_ for s in stumps if s.low != s.high}
        self.selected_ = np.array(sorted(used), np.int64)

    def _boost(self, X: np.ndarray, codes: np.ndarray, k: int, rounds: int) -> Any:
        return boost(X, codes, k, rounds, self.shrinkage, max(1, min(self.least, len(X) // 4)))

    def _stages(self, start: np.ndarray, stumps: list[Any], X: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Log loss after each number of rounds, float64 [rounds + 1]."""
        scores, loss = np.repeat(start[None, :], len(X), axis=0), []
        for r in range(len(stumps) + 1):
            loss.append(-np.log(np.maximum(probabilities(scores)[np.arange(len(X)), codes], 1e-15)).sum())
            if r < len(stumps):
                scores = scores + self.shrinkage * raise_scores(X, stumps[r])
        return np.array(loss)

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, float64 [rows]; of several classes their scores [rows, classes]."""
        scores = self._scores(self._checked(X))
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def _scores(self, X: np.ndarray) -> np.ndarray:
        scores = np.repeat(self.start_[None, :], len(X), axis=0)
        for stumps in self.stumps_:
            scores = scores + self.shrinkage * raise_scores(X, stumps)
        return scores

    def _probability(self, X: np.ndarray) -> np.ndarray:
        return probabilities(self._scores(X))


class LogitBoostParams(Section):
    """Boosted stumps."""

    rounds: int = Field(60, ge=1, description="stumps, at most")
    shrinkage: float = Field(0.1, gt=0, le=1, description="share of each stump that is added")
    least: int = Field(8, ge=1, description="rows on either side of a cut, at least")
    inner_folds: int = Field(5, ge=0, description="inner folds, for how many stumps are kept; 0: all are")


def _build(params: LogitBoostParams, kind: Kind, seed: int) -> Any:
    return LogitBoost(**params.model_dump(), seed=seed)


LOGITBOOST = Method(
    "logitboost",
    ("binary", "multiclass", "ordinal"),
    LogitBoostParams,
    _build,
    "boosted stumps (LogitBoost), as in the MACE study, which ranked features by information gain before",
)
