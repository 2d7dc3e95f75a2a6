"""How near predictions come to what happened: single numbers for classes and for quantities.

Every function gives a `Score`: NaN comes with the reason why there is no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.stats.checked import ONE_CLASS, SAME, class_probabilities_of, probabilities_of
from radiomics_pipeline.stats.delong import auc_delong

NAN = float("nan")
SMALLEST = 1e-15
"""Probabilities nearer to 0 count as this near: one sure mistake would make the log loss infinite."""


@dataclass(frozen=True)
class Score:
    """A number, or NaN and why there is none."""

    value: float
    note: str = ""


def brier(p: np.ndarray, event: np.ndarray) -> Score:
    """Mean squared difference of probability and outcome, 0 to 1; lower is better.

    p : float64 [rows], probability of the event; event : bool [rows]. Brier, Mon Weather Rev 1950;78:1.
    """
    found, flags = probabilities_of(p, event)
    return Score(float(((found - flags) ** 2).mean()))


def brier_skill(p: np.ndarray, event: np.ndarray, prior: float) -> Score:
    """1 less the Brier score over that of predicting `prior` for every row; 1 is perfect, 0 is no better than it.

    prior : share of events among the rows that the model was fitted to. The share among the rows tested would be known
        to nobody beforehand, and as a rival it is too strong
    """
    _check_share(prior)
    found, flags = probabilities_of(p, event)
    reference = float(((prior - flags) ** 2).mean())
    if reference == 0:
        return Score(NAN, f"{ONE_CLASS}, and the prior share says so")
    return Score(1 - float(((found - flags) ** 2).mean()) / reference)


def log_loss(p: np.ndarray, event: np.ndarray) -> Score:
    """Mean of -log(probability of what happened); probabilities of it below 1e-15 count as 1e-15."""
    found, flags = probabilities_of(p, event)
    true = np.where(flags, found, 1 - found)
    return Score(float(-np.log(np.maximum(true, SMALLEST)).mean()))


def brier_classes(p: np.ndarray, codes: np.ndarray) -> Score:
    """Squared difference of probabilities and truth, summed over the classes and averaged over rows, 0 to 2.

    p : float64 [rows, classes]; codes : int64 [rows], the true class. With two classes twice `brier`.
    """
    found, classes = class_probabilities_of(p, codes)
    return Score(_brier_classes(found, classes))


def brier_skill_classes(p: np.ndarray, codes: np.ndarray, prior: np.ndarray) -> Score:
    """1 less the Brier score of several classes over that of predicting the shares `prior` float64 [classes]."""
    found, classes = class_probabilities_of(p, codes)
    shares = np.asarray(prior, np.float64)
    if shares.shape != (found.shape[1],) or shares.min() < 0 or abs(float(shares.sum()) - 1) > 1e-6:
        raise TableError(f"prior shares {shares}; give one of each of {found.shape[1]} classes, with the sum 1")
    reference = _brier_classes(np.tile(shares, (len(found), 1)), classes)
    if reference == 0:
        return Score(NAN, f"{ONE_CLASS}, and the prior share says so")
    return Score(1 - _brier_classes(found, classes) / reference)


def log_loss_classes(p: np.ndarray, codes: np.ndarray) -> Score:
    """Mean of -log(probability of the true class); see `log_loss`."""
    found, classes = class_probabilities_of(p, codes)
    true = found[np.arange(len(classes)), classes]
    return Score(float(-np.log(np.maximum(true, SMALLEST)).mean()))


def hand_till(p: np.ndarray, codes: np.ndarray) -> Score:
    """Mean over pairs of classes of the area under the ROC curve between the two, each by either class's probability.

    p : float64 [rows, classes]; codes : int64 [rows]. Only the order within a column counts, not its scale. NaN where a
    class has no row: a mean over other pairs would be another measure. Hand and Till, Mach Learn 2001;45:171,
    doi 10.1023/A:1010920819831. See stats/hand_till.py for single features.
    """
    found, classes = class_probabilities_of(p, codes)
    missing = np.setdiff1d(np.arange(found.shape[1]), classes)
    if len(missing) or found.shape[1] < 2:
        return Score(NAN, f"no row of class {', '.join(str(c) for c in missing)}" if len(missing) else ONE_CLASS)
    pairs = []
    for i, j in combinations(range(found.shape[1]), 2):
        both = (classes == i) | (classes == j)
        areas = auc_delong(found[both][:, [i, j]], classes[both] == i).area
        pairs.append((areas[0] + 1 - areas[1]) / 2)
    return Score(float(np.mean(pairs)))


def quadratic_kappa(found: np.ndarray, codes: np.ndarray, n_classes: int) -> Score:
    """Cohen's kappa with quadratic weights between the predicted and the true place on an ordered scale.

    found, codes : int64 [rows], 0 to n_classes - 1. Cohen, Psychol Bull 1968;70:213, doi 10.1037/h0026256. NaN where
    both name one and the same class in every row.
    """
    first, second = (np.asarray(v) for v in (found, codes))
    if first.shape != second.shape or not len(first):
        raise TableError(f"{len(first)} predicted and {len(second)} true classes")
    if min(first.min(), second.min()) < 0 or max(first.max(), second.max()) >= n_classes:
        raise TableError(f"classes must be 0 to {n_classes - 1}")
    seen = np.bincount(first.astype(np.int64), minlength=n_classes)
    true = np.bincount(second.astype(np.int64), minlength=n_classes)
    place = np.arange(n_classes)
    by_chance = float((np.outer(seen, true) * (place[:, None] - place[None, :]) ** 2).sum()) / len(first)
    if by_chance == 0:
        return Score(NAN, "prediction and truth are one class in every row")
    return Score(1 - float(((first - second) ** 2).sum()) / by_chance)


def r2(predicted: np.ndarray, truth: np.ndarray, mean: float) -> Score:
    """1 less the squared error over that of predicting `mean` for every row; negative where the model is worse.

    mean : of the outcome among the rows that the model was fitted to, see `brier_skill`
    """
    found, true = _pair(predicted, truth)
    reference = float(((true - mean) ** 2).sum())
    if reference == 0:
        return Score(NAN, "all rows equal the mean of the training rows")
    return Score(1 - float(((true - found) ** 2).sum()) / reference)


def mae(predicted: np.ndarray, truth: np.ndarray) -> Score:
    """Mean absolute error, in the outcome's unit."""
    found, true = _pair(predicted, truth)
    return Score(float(np.abs(true - found).mean()))


def rmse(predicted: np.ndarray, truth: np.ndarray) -> Score:
    """Root of the mean squared error, in the outcome's unit."""
    found, true = _pair(predicted, truth)
    return Score(float(np.sqrt(((true - found) ** 2).mean())))


def spearman(predicted: np.ndarray, truth: np.ndarray) -> Score:
    """Rank correlation of prediction and outcome, ties at their mean rank; NaN where either does not vary.

    A fold whose predictions are all the same counts as 0 for a model's mean over folds; that choice is the caller's.
    """
    found, true = _pair(predicted, truth)
    if len(true) < 3:
        return Score(NAN, "fewer than three rows")
    if np.ptp(true) == 0 or np.ptp(found) == 0:
        return Score(NAN, SAME if np.ptp(found) == 0 else "all rows have one outcome")
    return Score(float(np.corrcoef(rankdata(true), rankdata(found))[0, 1]))


def _brier_classes(p: np.ndarray, classes: np.ndarray) -> float:
    return float(((p - np.eye(p.shape[1])[classes]) ** 2).sum(axis=1).mean())


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise TableError(f"prior share of events {share}; it must lie within 0 and 1")


def _pair(predicted: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found, true = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if found.shape != true.shape or found.ndim != 1 or not len(found):
        raise TableError(f"predictions of shape {found.shape} for outcomes of shape {true.shape}")
    if np.isnan(found).any() or np.isnan(true).any():
        raise TableError("a prediction or an outcome is missing; leave those rows out first")
    return found, true
