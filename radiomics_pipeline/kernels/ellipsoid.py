"""The smallest ellipsoid around points."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_ellipsoid_weights(lifted, weights, inverse, tolerance, max_steps):
    """Weights of the points whose weighted covariance is that of the smallest ellipsoid around them.

    Khachiyan's coordinate ascent with steps away from inner points (Todd and Yildirim 2007,
    doi:10.1016/j.dam.2007.02.013): in turn the point farthest outside the ellipsoid gains weight,
    or the weighted point deepest inside loses it.

    lifted : float64 [n, 4], points near the origin and of size 1 or so, and a 1 behind each
    weights : float64 [n], sum 1; the points that bear weight at the start must not lie in a plane
    inverse : float64 [4, 4], inverse of the weighted sum of the outer squares of `lifted`
    tolerance : largest relative violation of the conditions of the optimum at which to stop
    returns : float64 [n], sum 1; and that violation where it stopped
    """
    weights, inverse = weights.copy(), inverse.copy()
    column = np.empty(4)
    violation = np.inf
    for _ in range(max_steps):
        out, far, inner, near = _find_extremes(lifted, weights, inverse)
        violation = max(far - 4, 4 - near) / 4
        if violation <= tolerance:
            break
        if far - 4 >= 4 - near:
            chosen, distance = out, far
            gain = (distance - 4) / (4 * (distance - 1))
        else:
            chosen, distance = inner, near
            gain = -weights[chosen] / (1 - weights[chosen])
            if distance > 1:
                gain = max(gain, (distance - 4) / (4 * (distance - 1)))
        vanishes = gain == -weights[chosen] / (1 - weights[chosen])
        weights *= 1 - gain
        weights[chosen] = 0.0 if vanishes else weights[chosen] + gain
        for a in range(4):
            column[a] = 0.0
            for b in range(4):
                column[a] += inverse[a, b] * lifted[chosen, b]
        scale = gain / (1 - gain + gain * distance)
        for a in range(4):
            for b in range(4):
                inverse[a, b] = (inverse[a, b] - scale * column[a] * column[b]) / (1 - gain)
    return weights, violation


@njit(cache=True, nogil=True)
def _find_extremes(lifted, weights, inverse):
    """The point farthest out and the weighted point deepest inside, each with its squared distance."""
    out, inner, far, near = 0, 0, -np.inf, np.inf
    for i in range(len(lifted)):
        distance = 0.0
        for a in range(4):
            for b in range(4):
                distance += lifted[i, a] * inverse[a, b] * lifted[i, b]
        if distance > far:
            out, far = i, distance
        if weights[i] > 0 and distance < near:
            inner, near = i, distance
    return out, far, inner, near
