"""ComBat: differences of centre and scale between batches, shrunk over all columns by empirical Bayes.

Johnson 2007 (doi 10.1093/biostatistics/kxj037), for images Fortin 2018 (doi 10.1016/j.neuroimage.2017.11.024). No
covariates: what is fitted knows of nothing but values and batches, so that no outcome can enter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

TOLERANCE = 1e-10
"""Relative change at which the iteration ends. Common programs end at 1e-4, and differ by some 1e-6 from here."""
MOST_ROUNDS = 1000
BLOCK = 256
"""Columns whose likelihoods under all priors are held at once."""


@dataclass(frozen=True)
class Combat:
    """What was learned of batches; a value x becomes ((x - mean) / spread - shift) / sqrt(scale) * spread + mean.

    mean, spread : float64 [columns], the level and the pooled standard deviation (of the reference batch, if any)
    shift, scale : float64 [batches, columns], of each batch on the standardised scale
    """

    mean: np.ndarray
    spread: np.ndarray
    shift: np.ndarray
    scale: np.ndarray


def fit_combat(
    values: np.ndarray,
    batch: np.ndarray,
    *,
    parametric: bool = True,
    mean_only: bool = False,
    reference: int | None = None,
) -> Combat:
    """Shifts and scales of batches.

    values : float64 [rows, columns], without gaps
    batch : int64 [rows], 0, 1, ..., each with a row at least
    parametric : normal and inverse gamma priors, moments taken over columns; else the other columns' estimates
        themselves, weighted by their likelihood
    mean_only : scales are 1; so is that of a batch of one row, whose scale cannot be seen
    reference : batch whose values stay as they are; None: towards the mean over all rows

    A column that does not vary inside batches (in the reference batch, if any) cannot be standardised: it is left as
    it is (shift 0, scale 1) and has no part in the priors. Of fewer than two other columns nothing can be shrunk:
    the estimates are taken as they are.
    """
    n_batches = int(batch.max()) + 1
    sizes = np.bincount(batch, minlength=n_batches)
    means = np.stack([values[batch == b].mean(axis=0) for b in range(n_batches)])
    inner = (values - means[batch]) ** 2
    if reference is None:
        mean, variance = sizes @ means / len(values), inner.mean(axis=0)
    else:
        mean, variance = means[reference], inner[batch == reference].mean(axis=0)
    varies = np.sqrt(variance) > 1e-10 * np.abs(values).max(axis=0)
    spread = np.where(varies, np.sqrt(variance), 1.0)
    shift, scale = np.zeros(means.shape), np.ones(means.shape)
    for b in range(n_batches):
        if n_batches > 1 and b != reference and varies.any():
            z = ((values[batch == b] - mean) / spread)[:, varies]
            shift[b, varies], scale[b, varies] = _batch(z, parametric, mean_only or sizes[b] < 2)
    return Combat(mean, spread, shift, scale)


def apply_combat(values: np.ndarray, batch: np.ndarray, learned: Combat) -> np.ndarray:
    """Values with their batch's shift and scale taken out, float64 [rows, columns].

    batch : int64 [rows]; a row of -1 stays as it is
    """
    out = np.array(values, np.float64)
    known = np.flatnonzero(batch >= 0)
    moved = (learned.shift != 0).any(axis=0) | (learned.scale != 1).any(axis=0)
    at = batch[known]
    mean, spread = learned.mean[moved], learned.spread[moved]
    z = (out[np.ix_(known, moved)] - mean) / spread
    z = (z - learned.shift[at][:, moved]) / np.sqrt(learned.scale[at][:, moved])
    out[np.ix_(known, moved)] = z * spread + mean
    return out


def _batch(z: np.ndarray, parametric: bool, mean_only: bool) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale of one batch's standardised rows, float64 [columns] each."""
    shift = z.mean(axis=0)
    scale = np.ones(len(shift)) if mean_only else z.var(axis=0, ddof=1)
    if len(shift) < 2:
        return shift, np.where(scale > 0, scale, 1.0)
    if not parametric:
        return _nonparametric(z, shift, scale, mean_only)
    if mean_only:
        # as published: the mean counts as one observation of variance 1
        return _posterior_mean(shift, 1, scale), scale
    return _parametric(z, shift, scale)


def _posterior_mean(shift: np.ndarray, n: int, scale: np.ndarray) -> np.ndarray:
    """Shifts under a normal prior with the moments of all columns' shifts."""
    centre, variance = shift.mean(), shift.var(ddof=1)
    if variance <= 1e-20 * centre**2:
        return np.full(len(shift), centre)
    return np.asarray((variance * n * shift + scale * centre) / (variance * n + scale))


def _parametric(z: np.ndarray, shift: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Modes of shift and scale given each other, in turns until they stay."""
    n, squares = len(z), ((z - shift) ** 2).sum(axis=0)
    mean, variance = scale.mean(), scale.var(ddof=1)
    if mean == 0:  # no column varies in this batch: there is no scale to take out
        return _posterior_mean(shift, n, np.ones(len(shift))), np.ones(len(shift))
    fixed = variance <= 1e-20 * mean**2  # all scales alike: the prior is a point
    a, b = (0.0, 0.0) if fixed else ((2 * variance + mean**2) / variance, (mean * variance + mean**3) / variance)
    new_shift, new_scale = shift, scale
    for _ in range(MOST_ROUNDS):
        old_shift, old_scale = new_shift, new_scale
        new_shift = _posterior_mean(shift, n, old_scale)
        total = squares + n * (shift - new_shift) ** 2
        new_scale = np.full(len(scale), mean) if fixed else (total / 2 + b) / (n / 2 + a - 1)
        change = np.abs(new_shift - old_shift) / np.sqrt(new_scale) + np.abs(new_scale - old_scale) / new_scale
        if change.max() <= TOLERANCE:
            break
    return new_shift, new_scale


def _nonparametric(
    z: np.ndarray, shift: np.ndarray, scale: np.ndarray, mean_only: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the other columns' shifts and scales, weighted by the likelihood of a column's rows under them."""
    n, columns = z.shape
    squares = ((z - shift) ** 2).sum(axis=0)
    if (scale > 0).sum() < 2:  # nothing to learn a scale from
        scale = np.ones(columns)
    prior = np.where(scale > 0, scale, np.inf)  # a column that does not vary here tells no other one how to
    out = np.empty((2, columns))
    for start in range(0, columns, BLOCK):
        own = np.arange(start, min(start + BLOCK, columns))
        apart = squares[own, None] + n * (shift[own, None] - shift) ** 2
        log_weight = -apart / (2 * prior) - n / 2 * np.log(prior)
        log_weight[np.arange(len(own)), own] = -np.inf
        weight = np.exp(log_weight - logsumexp(log_weight, axis=1, keepdims=True))
        out[:, own] = np.stack([weight @ shift, weight @ scale])
    return out[0], np.ones(columns) if mean_only else out[1]
