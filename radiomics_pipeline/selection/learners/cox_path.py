"""Ridge-penalised Cox regressions of many subsets of rows at once, from strong to weak penalties; ties after Efron.

Newton's method whose steps are found by conjugate gradients, as for logistic regression: no matrix of curvatures is
made, since its product with a vector follows from sums over the rows at risk. Each subset is a column of the products.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from radiomics_pipeline.selection.learners.conjugate import conjugate_gradients

NEWTON, HALVINGS = 100, 40


class RiskSets:
    """Rows in order of falling time, and the partial likelihood of subsets of them as a function of log hazards.

    time, event : float64, bool [rows]
    members : bool [rows, subsets], the rows of each subset

    Arrays given to its methods and returned by them are float64 [rows, subsets], in the order `order`.
    """

    def __init__(self, time: np.ndarray, event: np.ndarray, members: np.ndarray) -> None:
        self.order = np.lexsort((event, -time))
        time, self.part = time[self.order], members[self.order].astype(np.float64)
        self.at = np.flatnonzero(event[self.order])
        """Positions of the rows with an event; each is one step of the likelihood."""
        seen = self.part[self.at]
        later = np.searchsorted(-time, -time[self.at], side="right") - 1
        self.last = later
        """Of each step, the last position of its rows at risk."""
        when = time[self.at]
        self.first = np.searchsorted(-when, -time, side="left")
        """Of each row, the first step whose rows at risk hold it; those after it hold it too."""
        self.starts = np.flatnonzero(np.diff(-when, prepend=-np.inf) > 0)
        """First step of each event time."""
        sizes = np.diff(np.append(self.starts, len(when)))
        self.tie = np.repeat(np.arange(len(self.starts)), sizes)
        before = np.cumsum(seen, axis=0) - seen
        before -= before[self.starts][self.tie]
        self.share = before / np.maximum(np.add.reduceat(seen, self.starts, axis=0)[self.tie], 1.0)
        """Of the rows with an event at the same time, the share taken off in each step (Efron)."""
        self.events = seen.sum(axis=0)

    def of_steps(self, values: np.ndarray) -> np.ndarray:
        """Sums over the rows at risk in each step, [steps, subsets]."""
        tied = np.add.reduceat(values[self.at], self.starts, axis=0)[self.tie]
        return np.asarray(np.cumsum(values, axis=0)[self.last] - self.share * tied)

    def of_rows(self, steps: np.ndarray) -> np.ndarray:
        """Sums over the steps at which each row is at risk, [rows, subsets]; of_steps turned round."""
        sums = np.zeros((len(steps) + 1, steps.shape[1]))
        sums[:-1] = np.cumsum(steps[::-1], axis=0)[::-1]
        found = sums[self.first]
        found[self.at] -= np.add.reduceat(self.share * steps, self.starts, axis=0)[self.tie]
        return np.asarray(found)

    def relative(self, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hazards of the rows of each subset relative to its largest, and the largest log hazard [subsets]."""
        top = np.where(self.part > 0, eta, -np.inf).max(axis=0)
        return self.part * np.exp(np.minimum(eta - top, 0.0)), top

    def loss(self, eta: np.ndarray) -> np.ndarray:
        """Negative log partial likelihood, float64 [subsets]."""
        hazard, top = self.relative(eta)
        seen = self.part[self.at]
        logs = np.log(np.where(seen > 0, self.of_steps(hazard), 1.0)) + top - eta[self.at]
        return np.asarray((seen * logs).sum(axis=0))


def cox_paths(scores: np.ndarray, sets: RiskSets, penalties: np.ndarray, tolerance: float) -> np.ndarray:
    """Weights that minimise negative log partial likelihood + penalty |b|^2 / 2, float64 [penalties, axes, subsets].

    scores : float64 [rows, axes], columns nearly orthogonal, rows in the order of `sets`
    penalties : float64 [penalties], positive, falling
    tolerance : of the expected drop of the loss in a Newton step, at which a subset is solved
    """
    weights = np.zeros((scores.shape[1], sets.part.shape[1]))
    found = np.zeros((len(penalties), *weights.shape))
    for k, penalty in enumerate(penalties):
        weights = _solve(scores, sets, float(penalty), tolerance, weights)
        found[k] = weights
    return found


def _solve(scores: np.ndarray, sets: RiskSets, penalty: float, tolerance: float, weights: np.ndarray) -> np.ndarray:
    eta = scores @ weights
    loss = sets.loss(eta) + 0.5 * penalty * (weights**2).sum(axis=0)
    diagonal = ((scores**2).mean(axis=0)[:, None] * sets.events) + penalty
    for _ in range(NEWTON):
        hazard, _ = sets.relative(eta)
        inverse = sets.part[sets.at] / np.where(sets.part[sets.at] > 0, sets.of_steps(hazard), 1.0)
        expected = hazard * sets.of_rows(inverse)
        residual = -expected
        residual[sets.at] += sets.part[sets.at]
        down = scores.T @ residual - penalty * weights

        curve = partial(_curved, scores, sets, penalty, hazard, inverse, expected)
        step = conjugate_gradients(curve, down, diagonal, tolerance)
        drop = (down * step).sum(axis=0)
        if (drop <= tolerance).all():
            return weights + step
        moved, size = scores @ step, np.ones(len(loss))
        for _ in range(HALVINGS):
            tried = weights + size * step
            new = sets.loss(eta + size * moved) + 0.5 * penalty * (tried**2).sum(axis=0)
            worse = new > loss + 1e-12 * np.abs(loss)
            if not worse.any():
                break
            size = np.where(worse, size / 2, size)
        weights, eta, loss = weights + size * step, eta + size * moved, new
    return weights


def _curved(  # noqa: PLR0917 -- what one Newton step holds fixed
    scores: np.ndarray,
    sets: RiskSets,
    penalty: float,
    hazard: np.ndarray,
    inverse: np.ndarray,
    expected: np.ndarray,
    direction: np.ndarray,
) -> np.ndarray:
    """Matrix of curvatures times a direction of each subset, float64 [axes, subsets]."""
    ahead = scores @ direction
    mean = sets.of_steps(hazard * ahead) * inverse**2
    bent = expected * ahead - hazard * sets.of_rows(mean)
    return np.asarray(scores.T @ bent + penalty * direction)
