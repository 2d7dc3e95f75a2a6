"""Metrics of outcomes that are classes. Each takes held-out rows and gives a number, or says why there is none."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.special import expit, logit
from sklearn.metrics import cohen_kappa_score

from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.stats.concordance import harrell_c
from radiomics_pipeline.stats.delong import auc_delong

SMALLEST = 1e-15
"""Probabilities nearer to 0 or 1 count as this near: one sure mistake would make the log loss infinite."""
NEAREST = 1e-6
"""The same for the calibration's logits."""
ONE_CLASS = "all rows of the test part are of one class"
SAME = "all predictions are the same"


def auc(held: Held) -> float | str:
    """Area under the ROC curve."""
    event = held.outcome.event
    if held.risk is None or event.all() or not event.any():
        return ONE_CLASS
    return float(auc_delong(held.risk[:, None], event).area[0])


def hand_till(held: Held) -> float | str:
    """Mean over pairs of classes of the area between the two, after Hand and Till.

    Of a pair, the mean of the areas by either class's probability. Mach Learn 2001;45:171,
    doi 10.1023/A:1010920819831.
    """
    p, codes = _classes(held)
    missing = set(range(p.shape[1])) - set(codes.tolist())
    if missing:
        return "a class has no row in the test part"
    pairs = []
    for i, j in combinations(range(p.shape[1]), 2):
        both = (codes == i) | (codes == j)
        areas = auc_delong(p[both][:, [i, j]], codes[both] == i).area
        pairs.append((areas[0] + 1 - areas[1]) / 2)
    return float(np.mean(pairs))


def somers_d(held: Held) -> float | str:
    """Somers' D of the score given the class: concordant less discordant pairs over pairs of different classes."""
    if held.risk is None or len(set(held.outcome.value.tolist())) < 2:
        return ONE_CLASS
    if np.ptp(held.risk) == 0:
        return 0.0
    classes = held.outcome.value
    everyone = np.ones(len(classes), np.bool_)  # pairs of one class are ties of time, and not compared
    return float(2 * harrell_c(held.risk[:, None], classes.max() + 1 - classes, everyone).index[0] - 1)


def quadratic_kappa(held: Held) -> float | str:
    """Cohen's kappa with quadratic weights, of the likeliest class."""
    p, codes = _classes(held)
    found = p.argmax(axis=1)
    if len(set(codes.tolist())) < 2:
        return ONE_CLASS
    return float(cohen_kappa_score(codes, found, weights="quadratic", labels=np.arange(p.shape[1])))


def brier(held: Held) -> float | str:
    """Mean squared difference of probability and truth; of more than two classes summed over them (0 to 2)."""
    p, codes = _classes(held)
    return _brier(p, codes)


def brier_skill(held: Held) -> float | str:
    """1 less the Brier score over that of the training part's shares of the classes."""
    p, codes = _classes(held)
    reference = _brier(np.tile(_shares(held), (len(codes), 1)), codes)
    return 1 - _brier(p, codes) / reference if reference > 0 else ONE_CLASS


def log_loss(held: Held) -> float | str:
    """Mean of -log(probability of the true class)."""
    p, codes = _classes(held)
    true = np.clip(p[np.arange(len(codes)), codes], SMALLEST, 1)
    return float(-np.log(true).mean())


def balanced_accuracy(held: Held) -> float | str:
    """Mean over the classes of the share recognised.

    Two classes: a row is positive from the cut on that was chosen on training rows. More: the class whose
    probability is largest over its share of the training rows, which for right probabilities is the best choice.
    """
    p, codes = _classes(held)
    if len(set(codes.tolist())) < p.shape[1]:
        return "a class has no row in the test part"
    if held.outcome.kind == "binary":
        if np.isnan(held.cut):
            return "no cut was chosen on training rows"
        found = (p[:, 1] >= held.cut).astype(np.int64)
    else:
        found = (p / np.maximum(_shares(held), SMALLEST)).argmax(axis=1)
    return float(np.mean([(found[codes == c] == c).mean() for c in range(p.shape[1])]))


def net_benefit(held: Held, threshold: float) -> float | str:
    """Net benefit of treating rows from a probability on: true positives less weighted false ones, a row.

    Vickers and Elkin, Med Decis Making 2006;26:565, doi 10.1177/0272989X06295361.
    """
    p, codes = _classes(held)
    treated = p[:, 1] >= threshold
    weight = threshold / (1 - threshold)
    return float((treated & (codes == 1)).mean() - weight * (treated & (codes == 0)).mean())


def calibration_intercept(held: Held) -> float | str:
    """Calibration in the large: intercept of a logistic regression with the logits as offset; 0 is best."""
    found = in_the_large(held)
    return found if isinstance(found, str) else found[0]


def calibration_slope(held: Held) -> float | str:
    """Slope of a logistic regression of the outcome on the logits; 1 is best, below 1 is overfitted."""
    found = recalibrated(held)
    return found if isinstance(found, str) else found[0]


def in_the_large(held: Held) -> tuple[float, float] | str:
    """Calibration intercept and its standard error, patients' rows taken as dependent."""
    p, codes = _classes(held)
    if len(set(codes.tolist())) < 2:
        return ONE_CLASS
    return _logistic(np.ones((len(codes), 1)), codes, _logits(p), held.patient, 0)


def recalibrated(held: Held) -> tuple[float, float] | str:
    """Calibration slope and its standard error, patients' rows taken as dependent."""
    p, codes = _classes(held)
    if len(set(codes.tolist())) < 2:
        return ONE_CLASS
    x = _logits(p)
    if np.ptp(x) < 1e-12:
        return SAME
    if max(x[codes == 0]) <= min(x[codes == 1]) or max(x[codes == 1]) <= min(x[codes == 0]):
        return "predictions separate the classes without error: the slope is infinite"
    return _logistic(np.column_stack([np.ones(len(x)), x]), codes, np.zeros(len(x)), held.patient, 1)


def _logits(p: np.ndarray) -> np.ndarray:
    return np.asarray(logit(np.clip(p[:, 1], NEAREST, 1 - NEAREST)))


def _logistic(
    design: np.ndarray, codes: np.ndarray, offset: np.ndarray, patient: np.ndarray | None, column: int
) -> tuple[float, float]:
    """A coefficient of a logistic regression by Newton's method, and its standard error (sandwich over patients)."""
    beta = np.zeros(design.shape[1])
    loss = _deviance(offset, codes)
    for _ in range(200):
        fitted = expit(offset + design @ beta)
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (codes - fitted))
        while _deviance(offset + design @ (beta + step), codes) > loss + 1e-12:  # Newton went too far
            step /= 2
        beta = beta + step
        loss = _deviance(offset + design @ beta, codes)
        if np.abs(step).max() < 1e-10:
            break
    influence = design * (codes - expit(offset + design @ beta))[:, None]
    if patient is not None:
        place = np.unique(np.asarray(patient).astype(str), return_inverse=True)[1]
        summed = np.zeros((place.max() + 1, design.shape[1]))
        np.add.at(summed, place, influence)
        influence = summed
    bread = np.linalg.inv(information)
    return float(beta[column]), float(np.sqrt((bread @ influence.T @ influence @ bread)[column, column]))


def _deviance(eta: np.ndarray, codes: np.ndarray) -> float:
    return float((np.logaddexp(0, eta) - codes * eta).sum())


def _classes(held: Held) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float64 [rows, classes] and true classes int64 [rows]."""
    assert held.probability is not None  # metrics.score asks first
    return held.probability, held.outcome.value.astype(np.int64)


def _shares(held: Held) -> np.ndarray:
    """Shares of the classes among the training rows, float64 [classes]."""
    n = 2 if held.outcome.kind == "binary" else len(held.outcome.categories)
    return np.bincount(held.training.value.astype(np.int64), minlength=n) / len(held.training)


def _brier(p: np.ndarray, codes: np.ndarray) -> float:
    truth = np.eye(p.shape[1])[codes]
    whole = ((p - truth) ** 2).sum(axis=1).mean()
    return float(whole / 2 if p.shape[1] == 2 else whole)
