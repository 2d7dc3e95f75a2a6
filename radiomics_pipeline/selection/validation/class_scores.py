"""Metrics of outcomes that are classes. Each takes held-out rows and gives a number, or says why there is none."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.stats import calibration, decision_curve, scores
from radiomics_pipeline.stats.concordance import harrell_c
from radiomics_pipeline.stats.delong import auc_delong

SMALLEST = 1e-15
"""Shares of training rows below it count as this."""
ONE_CLASS = "all rows of the test part are of one class"


def auc(held: Held) -> float | str:
    """Area under the ROC curve."""
    event = held.outcome.event
    if held.risk is None or event.all() or not event.any():
        return ONE_CLASS
    return float(auc_delong(held.risk[:, None], event).area[0])


def hand_till(held: Held) -> float | str:
    """Mean over pairs of classes of the area between the two, after Hand and Till."""
    return _value(scores.hand_till(*_classes(held)))


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
    return _value(scores.quadratic_kappa(p.argmax(axis=1), codes, p.shape[1]))


def brier(held: Held) -> float | str:
    """Mean squared difference of probability and truth; of more than two classes summed over them (0 to 2)."""
    p, codes = _classes(held)
    return _value(scores.brier(p[:, 1], codes == 1) if p.shape[1] == 2 else scores.brier_classes(p, codes))


def brier_skill(held: Held) -> float | str:
    """1 less the Brier score over that of the training part's shares of the classes."""
    p, codes = _classes(held)
    if p.shape[1] == 2:
        return _value(scores.brier_skill(p[:, 1], codes == 1, float(_shares(held)[1])))
    return _value(scores.brier_skill_classes(p, codes, _shares(held)))


def log_loss(held: Held) -> float | str:
    """Mean of -log(probability of the true class)."""
    return _value(scores.log_loss_classes(*_classes(held)))


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
    """Net benefit of treating rows from a probability on: true positives less weighted false ones, a row."""
    p, codes = _classes(held)
    return float(decision_curve.net_benefit(p[:, 1], codes == 1, threshold))


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
    return _known(calibration.in_the_large(p[:, 1], codes == 1, groups=held.patient))


def recalibrated(held: Held) -> tuple[float, float] | str:
    """Calibration slope and its standard error, patients' rows taken as dependent."""
    p, codes = _classes(held)
    return _known(calibration.recalibration(p[:, 1], codes == 1, groups=held.patient)[1])


def _known(found: calibration.Estimate) -> tuple[float, float] | str:
    return found.note if np.isnan(found.value) else (found.value, found.error)


def _classes(held: Held) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float64 [rows, classes] and true classes int64 [rows]."""
    assert held.probability is not None  # metrics.score asks first
    return held.probability, held.outcome.value.astype(np.int64)


def _shares(held: Held) -> np.ndarray:
    """Shares of the classes among the training rows, float64 [classes]."""
    n = 2 if held.outcome.kind == "binary" else len(held.outcome.categories)
    return np.bincount(held.training.value.astype(np.int64), minlength=n) / len(held.training)


def _value(found: scores.Score) -> float | str:
    return found.note if np.isnan(found.value) else found.value
