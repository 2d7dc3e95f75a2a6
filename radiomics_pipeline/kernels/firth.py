"""Firth's logistic regression of a constant and one column, for many columns."""

from __future__ import annotations

import numpy as np
from numba import njit

STEPS = 500
FULL = 25
"""Steps after which only half of each is made: the information lacks the penalty's curvature, and in very small tables
whole steps go to and fro around the maximum."""
MAX_STEP = 5.0
"""Largest change of the coefficient (of a column with standard deviation 1) in one step."""
WIDEST = 1e4
"""An interval's end further away than this is given as infinite."""
CLOSE = 1e-11
"""Step, and distance of the profile from its goal, at which an iteration ends."""


@njit(cache=True, nogil=True)
def _likelihood(z, y, a, b, p, found):
    """Penalised log likelihood at constant a and coefficient b.

    z, y : float64 [rows]; p : float64 [rows], probabilities, filled in place
    found : float64 [3], filled in place: sum of the weights, mean and sum of squares of the weighted column
    """
    total, weights, first = 0.0, 0.0, 0.0
    for i in range(z.size):
        eta = a + b * z[i]
        e = np.exp(-abs(eta))
        p[i] = 1.0 / (1.0 + e) if eta > 0.0 else e / (1.0 + e)
        total += y[i] * eta - max(eta, 0.0) - np.log1p(e)
        w = max(e / ((1.0 + e) * (1.0 + e)), 1e-300)
        weights += w
        first += w * z[i]
    mean, spread = first / weights, 0.0
    for i in range(z.size):
        w = max(p[i] * (1.0 - p[i]), 1e-300)
        spread += w * (z[i] - mean) ** 2
    found[0], found[1], found[2] = weights, mean, spread
    return total + 0.5 * (np.log(weights) + np.log(max(spread, 1e-300)))


@njit(cache=True, nogil=True)
def _climb(z, y, a, b, free, p, found):
    """Maximum of the penalised likelihood from a start; b stays where it is not free.

    returns : a, b, the maximum, whether the modified score equations are solved
    """
    value = _likelihood(z, y, a, b, p, found)
    for step in range(STEPS):
        weights, mean, spread = found[0], found[1], found[2]
        of_a, of_b = 0.0, 0.0
        for i in range(z.size):
            w = max(p[i] * (1.0 - p[i]), 1e-300)
            leverage = w / weights + w * (z[i] - mean) ** 2 / spread
            rest = y[i] - p[i] + leverage * (0.5 - p[i])
            of_a += rest
            of_b += rest * z[i]
        if free:
            step_b = (of_b - mean * of_a) / spread
            step_a = of_a / weights - mean * step_b
        else:
            step_b, step_a = 0.0, of_a / weights
        largest = max(abs(step_a), abs(step_b))
        if largest > MAX_STEP:
            step_a *= MAX_STEP / largest
            step_b *= MAX_STEP / largest
        if largest < CLOSE * (1.0 + max(abs(a), abs(b))):
            return a, b, value, True
        size = 1.0 if step < FULL else 0.5
        new = _likelihood(z, y, a + size * step_a, b + size * step_b, p, found)
        while not new >= value - 1e-12 * abs(value) and size > 1e-8:
            size *= 0.5
            new = _likelihood(z, y, a + size * step_a, b + size * step_b, p, found)
        if not new >= value - 1e-12 * abs(value):
            return a, b, value, max(abs(of_a), abs(of_b) if free else 0.0) < 1e-6
        a, b, value = a + size * step_a, b + size * step_b, new
    return a, b, value, False


@njit(cache=True, nogil=True)
def _end(z, y, a, b, goal, reach, side, p, found):
    """Where the profile of the coefficient has fallen to the goal, on one side of the estimate b.

    reach : distance that is tried first
    """
    near, far = b, b + side * reach
    above = 1.0  # the sign alone matters until a first value outside is known
    a_near = a
    a_far, _, value, _ = _climb(z, y, a, far, False, p, found)
    below = value - goal
    while below > 0.0:
        near, above, a_near = far, below, a_far
        reach *= 2.0
        if reach > WIDEST:
            return side * np.inf
        far = b + side * reach
        a_far, _, value, _ = _climb(z, y, a_near, far, False, p, found)
        below = value - goal
    if near == b:
        _, _, value, _ = _climb(z, y, a, b, False, p, found)
        above = value - goal
    held = 0
    for _ in range(200):
        if abs(far - near) < CLOSE * (1.0 + abs(near)):
            break
        at = near + (far - near) * above / (above - below)  # false position, a twice held end counting half (Illinois)
        a_near, _, value, _ = _climb(z, y, a_near, at, False, p, found)
        gap = value - goal
        if abs(gap) < CLOSE:
            return at
        if gap > 0.0:
            near, above = at, gap
            below = 0.5 * below if held == 1 else below
            held = 1
        else:
            far, below = at, gap
            above = 0.5 * above if held == -1 else above
            held = -1
    return near


@njit(cache=True, nogil=True)
def firth_single(columns, event, drop):
    """Firth's regression of every column by itself.

    columns : float64 [columns, rows], NaN where missing; event : bool [rows]
    drop : by how much the profile falls at an interval's ends
    returns : float64 [columns, 7]: coefficient per standard deviation (n - 1), its standard error, lower and upper end
        of the interval, statistic of the penalised likelihood ratio, rows, whether it converged; NaN where the rows
        are fewer than three or of one class, or the column is constant
    """
    out = np.full((columns.shape[0], 7), np.nan)
    z, y = np.empty(columns.shape[1]), np.empty(columns.shape[1])
    p, found = np.empty(columns.shape[1]), np.empty(3)
    for c in range(columns.shape[0]):
        n, positive = 0, 0
        for i in range(columns.shape[1]):
            if not np.isnan(columns[c, i]):
                z[n], y[n] = columns[c, i], 1.0 if event[i] else 0.0
                n += 1
                positive += 1 if event[i] else 0
        out[c, 5], out[c, 6] = n, 0.0
        if n < 3 or positive in (0, n):
            continue
        zc, yc, pc = z[:n], y[:n], p[:n]
        largest = np.abs(zc).max()
        zc -= zc.mean()
        scale = np.sqrt((zc * zc).sum() / (n - 1))
        if not scale > 1e-13 * largest or scale == 0.0:
            continue
        zc /= scale
        start = np.log(positive / (n - positive))
        a0, _, empty, _ = _climb(zc, yc, start, 0.0, False, pc, found)
        a, b, best, converged = _climb(zc, yc, a0, 0.0, True, pc, found)
        _likelihood(zc, yc, a, b, pc, found)
        error = 1.0 / np.sqrt(found[2])
        out[c, 0], out[c, 1] = b, error
        out[c, 2] = _end(zc, yc, a, b, best - drop, 2.0 * error, -1.0, pc, found)
        out[c, 3] = _end(zc, yc, a, b, best - drop, 2.0 * error, 1.0, pc, found)
        out[c, 4], out[c, 6] = max(0.0, 2.0 * (best - empty)), 1.0 if converged else 0.0
    return out
