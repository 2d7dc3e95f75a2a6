"""Ridge-penalised logistic regressions of many subsets of rows at once, from strong to weak penalties.

Newton's method whose steps are found by conjugate gradients: with principal scores for columns the curvature is nearly
diagonal, so a few products with the scores do, and no matrix is factorised. Each subset is a column of the products.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from radiomics_pipeline.selection.learners.conjugate import conjugate_gradients

NEWTON, HALVINGS = 100, 40


def ridge_paths(
    scores: np.ndarray, y: np.ndarray, members: np.ndarray, penalties: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercepts that minimise sum of logistic loss + penalty |b|^2 / 2, the intercept free.

    scores : float64 [rows, axes], columns nearly orthogonal and centred
    y : float64 [rows] of 0 and 1, both in every subset
    members : bool [rows, subsets], the rows of each subset
    penalties : float64 [penalties], positive, falling
    tolerance : of the expected drop of the loss in a Newton step, at which a subset is solved
    returns : weights float64 [penalties, axes, subsets], intercepts float64 [penalties, subsets]
    """
    part = members.astype(np.float64)
    share = (part * y[:, None]).sum(axis=0) / part.sum(axis=0)
    weights = np.zeros((scores.shape[1], members.shape[1]))
    intercepts = np.log(share / (1 - share))
    found = np.zeros((len(penalties), *weights.shape)), np.zeros((len(penalties), len(intercepts)))
    for k, penalty in enumerate(penalties):
        weights, intercepts = _solve(scores, y, part, float(penalty), tolerance, weights, intercepts)
        found[0][k], found[1][k] = weights, intercepts
    return found


def _loss(eta: np.ndarray, y: np.ndarray, part: np.ndarray, weights: np.ndarray, penalty: float) -> np.ndarray:
    """float64 [subsets]"""
    losses = np.logaddexp(0, eta) - y[:, None] * eta
    return np.asarray((part * losses).sum(axis=0) + 0.5 * penalty * (weights**2).sum(axis=0))


def _solve(  # noqa: PLR0917 -- a problem and where to start
    scores: np.ndarray,
    y: np.ndarray,
    part: np.ndarray,
    penalty: float,
    tolerance: float,
    weights: np.ndarray,
    intercepts: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    eta = scores @ weights + intercepts
    loss = _loss(eta, y, part, weights, penalty)
    for _ in range(NEWTON):
        p = expit(eta)
        curvature = part * np.maximum(p * (1 - p), 1e-10)
        residual = part * (p - y[:, None])
        total = curvature.sum(axis=0)
        down = -(scores.T @ (residual - curvature * (residual.sum(axis=0) / total)) + penalty * weights)
        step = _newton_step(scores, curvature, total, penalty, down, tolerance)
        moved = scores @ step
        lift = -(residual.sum(axis=0) + (curvature * moved).sum(axis=0)) / total
        moved += lift
        drop = (down * step).sum(axis=0) + residual.sum(axis=0) ** 2 / total
        if (drop <= tolerance).all():
            return weights + step, intercepts + lift
        size = np.ones(len(lift))
        for _ in range(HALVINGS):
            new = _loss(eta + size * moved, y, part, weights + size * step, penalty)
            worse = new > loss + 1e-12 * np.abs(loss)
            if not worse.any():
                break
            size = np.where(worse, size / 2, size)
        weights, intercepts, eta, loss = weights + size * step, intercepts + size * lift, eta + size * moved, new
    return weights, intercepts


def _newton_step(  # noqa: PLR0917 -- the parts of one equation
    scores: np.ndarray, curvature: np.ndarray, total: np.ndarray, penalty: float, down: np.ndarray, tolerance: float
) -> np.ndarray:
    """Solution of (Z' (W - w w' / sum w) Z + penalty) step = down of each subset."""
    diagonal = (scores**2).sum(axis=0)[:, None] * (total / len(scores)) + penalty

    def curve(direction: np.ndarray) -> np.ndarray:
        ahead = scores @ direction
        ahead = curvature * (ahead - (curvature * ahead).sum(axis=0) / total)
        return np.asarray(scores.T @ ahead + penalty * direction)

    return conjugate_gradients(curve, down, diagonal, tolerance)
