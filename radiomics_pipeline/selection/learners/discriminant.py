"""Linear discriminant analysis with a shrunken covariance, for any number of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import expit

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, class_folds
from radiomics_pipeline.selection.learners.platt import calibrate, held_out_decisions
from radiomics_pipeline.selection.learners.rotation import rotate
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind


class ShrunkDiscriminant(ClassLearner):
    """Fisher's discriminant; the pooled covariance within classes is shrunk towards a multiple of the identity.

    The amount is Ledoit and Wolf's (J Multivar Anal 2004;88:365, doi 10.1016/S0047-259X(03)00096-4), of rows less
    the means of their classes. With few rows a column the posterior of the normal model is too sure: it is tempered
    by decisions on rows left out (`platt.calibrate`). Equal priors inside, the classes' shares in the offsets.

    inner_folds, seed : of the inner folds; fewer where a class has fewer patients

    coef_, intercept_ : of two classes float64 [columns] and float, log odds of the second; of several one row a class
    shrinkage_ : 0 (the covariance as it is) to 1 (the identity); slope_ : of the calibration
    """

    def __init__(self, inner_folds: int = 5, seed: int = 0) -> None:
        self.inner_folds = inner_folds
        self.seed = seed

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        rotation, n_classes, p = rotate(X), len(self.classes_), X.shape[1]
        z = rotation.scores

        def decide(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            weights, offsets, _ = discriminant(z[train], codes[train], n_classes, p)
            return np.asarray(z[test] @ weights.T + offsets)

        place = class_folds(codes, groups, self.inner_folds, self.seed)
        calibration = calibrate(held_out_decisions(place, decide), codes)
        weights, offsets, self.shrinkage_ = discriminant(z, codes, n_classes, p)
        weights = calibration.slope * weights
        offsets = calibration.slope * offsets + calibration.offsets
        if n_classes == 2:
            weights, offsets = weights[1] - weights[0], offsets[1] - offsets[0]
        self.slope_ = calibration.slope
        self.coef_, self.intercept_ = rotation.back(weights, offsets)

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, float64 [rows]; of several classes [rows, classes]."""
        return np.asarray(self._checked(X) @ self.coef_.T + self.intercept_)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        eta = X @ self.coef_.T + self.intercept_
        if eta.ndim == 1:
            return np.column_stack([expit(-eta), expit(eta)])
        ratio = np.exp(eta - eta.max(axis=1, keepdims=True))
        return np.asarray(ratio / ratio.sum(axis=1, keepdims=True))


def discriminant(z: np.ndarray, codes: np.ndarray, n_classes: int, p: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Linear scores of the classes under equal priors: weights [classes, axes], offsets [classes], and the shrinkage.

    z : float64 [rows, axes], columns or their principal scores; p : how many columns there were before the rotation
    """
    means = np.array([z[codes == c].mean(axis=0) for c in range(n_classes)])
    within = z - means[codes]
    covariance = within.T @ within / len(z)
    amount, level = _ledoit_wolf(within, covariance, p)
    shrunk = (1 - amount) * covariance
    least = 1e-9 * float((z**2).sum()) / (len(z) * p) or 1.0  # where classes do not vary within
    shrunk[np.diag_indices_from(shrunk)] += amount * level + least
    weights = np.linalg.solve(shrunk, means.T).T
    return weights, -0.5 * (weights * means).sum(axis=1), amount


def _ledoit_wolf(within: np.ndarray, covariance: np.ndarray, p: int) -> tuple[float, float]:
    """Shrinkage, and the mean variance of the p columns (of rotated rows some have none)."""
    n = len(within)
    level = float(np.trace(covariance)) / p
    size = float((covariance**2).sum())
    spread = float(((within**2).sum(axis=1) ** 2).sum()) / n
    distance = size - p * level**2
    noise = min((spread - size) / n, distance)
    return (noise / distance if distance > 0 and noise > 0 else 0.0), level


class DiscriminantParams(Section):
    """Linear discriminant analysis."""

    inner_folds: int = Field(5, ge=2, description="inner folds, for calibrated probabilities")


def _build(params: DiscriminantParams, kind: Kind, seed: int) -> Any:
    return ShrunkDiscriminant(params.inner_folds, seed)


LDA = Method(
    "lda",
    ("binary", "multiclass", "ordinal"),
    DiscriminantParams,
    _build,
    "linear discriminant analysis with a shrunken covariance (Ledoit and Wolf)",
)
