"""The smallest ellipsoid around points."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_ellipsoid(points, first_steps, tolerance, max_steps):
    """The smallest ellipsoid around points: the points p with (p - c) C^-1 (p - c) = 3 for a matrix C and centre c.

    points : float64 [n, 3], not all in a plane
    first_steps, tolerance, max_steps : as for `find_ellipsoid_weights`
    returns : float64 [3, 3], C, which is the points' weighted covariance; and the violation of the conditions
    """
    scaled, sizes = np.empty(points.shape), np.empty(3)
    for a in range(3):
        low, high = np.inf, -np.inf
        for i in range(len(points)):
            low, high = min(low, points[i, a]), max(high, points[i, a])
        sizes[a] = high - low
        for i in range(len(points)):
            scaled[i, a] = (points[i, a] - (high + low) / 2) / sizes[a]
    weights, violation = find_ellipsoid_weights(scaled, _choose(scaled), first_steps, tolerance, max_steps)
    centre, covariance = np.zeros(3), np.zeros((3, 3))
    for i in range(len(points)):
        for a in range(3):
            centre[a] += weights[i] * scaled[i, a]
    for i in range(len(points)):
        if weights[i] > 0:
            for a in range(3):
                for b in range(3):
                    covariance[a, b] += weights[i] * (scaled[i, a] - centre[a]) * (scaled[i, b] - centre[b])
    for a in range(3):
        for b in range(3):
            covariance[a, b] *= sizes[a] * sizes[b]
    return covariance, violation


@njit(cache=True, nogil=True)
def _choose(points):
    """Equal weights for two extreme points in each of three directions, each at right angles to what is spanned.

    Kumar and Yildirim 2005, doi:10.1007/s10957-005-2653-6.
    """
    weights = np.zeros(len(points))
    free, step = np.eye(3), np.empty(3)  # the projection onto what is not spanned
    for _ in range(3):
        axis = 0
        for a in range(1, 3):
            if free[a, a] > free[axis, axis]:
                axis = a
        low, high, first, last = np.inf, -np.inf, 0, 0
        for i in range(len(points)):
            along = free[axis, 0] * points[i, 0] + free[axis, 1] * points[i, 1] + free[axis, 2] * points[i, 2]
            if along < low:
                low, first = along, i
            if along > high:
                high, last = along, i
        weights[first] = weights[last] = 1.0
        square = 0.0
        for a in range(3):
            step[a] = 0.0
            for b in range(3):
                step[a] += free[a, b] * (points[last, b] - points[first, b])
            square += step[a] * step[a]
        for a in range(3):
            for b in range(3):
                free[a, b] -= step[a] * step[b] / square
    return weights / weights.sum()


@njit(cache=True, nogil=True)
def find_ellipsoid_weights(points, weights, first_steps, tolerance, max_steps):
    """Weights of the points whose weighted covariance is that of the smallest ellipsoid around them.

    They maximise the logarithm of the determinant of the weighted sum of the outer squares of (point, 1). Khachiyan's
    coordinate ascent with steps away from inner points (Todd and Yildirim 2007, doi:10.1016/j.dam.2007.02.013) comes
    near; Newton steps for the points that bear weight end it, each time joined by the point farthest outside.

    points : float64 [n, 3], near the origin and of size 1 or so
    weights : float64 [n], sum 1; the points that bear weight at the start must not lie in a plane
    first_steps : number of coordinate steps
    tolerance : largest relative violation of the conditions of the optimum at which to stop
    max_steps : largest number of Newton steps
    returns : float64 [n], sum 1; and that violation where it stopped
    """
    lifted = np.ones((len(points), 4))
    lifted[:, :3] = points
    distances = np.empty(len(points))
    weights = _ascend(lifted, weights, distances, first_steps, 1e-3)
    best, best_violation = weights, np.inf
    free = weights > 0
    for _ in range(max_steps):
        inverse = _invert(lifted, weights)
        out = _measure(lifted, inverse, distances)
        worst = 0.0
        for i in range(len(points)):
            if free[i]:
                worst = max(worst, abs(distances[i] - 4) / 4)
        violation = max(worst, distances[out] / 4 - 1)
        if violation < best_violation:
            best, best_violation = weights.copy(), violation
        if violation <= tolerance:
            break
        if worst <= tolerance or (worst < 1e-3 and worst * 30 < distances[out] / 4 - 1):
            free[out] = True
        _step(lifted, inverse, distances, weights, free)
    return best / best.sum(), best_violation


@njit(cache=True, nogil=True)
def _ascend(lifted, weights, distances, max_steps, tolerance):
    """Weights after so many steps by one coordinate each, or fewer where the violation is within the tolerance."""
    weights = weights.copy()
    inverse, column = _invert(lifted, weights), np.empty(4)
    _measure(lifted, inverse, distances)
    for _ in range(max_steps):
        out, inner = _find_extremes(distances, weights)
        far, near = distances[out], distances[inner]
        if max(far - 4, 4 - near) <= 4 * tolerance:
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
        for i in range(len(lifted)):
            q = lifted[i]
            along = q[0] * column[0] + q[1] * column[1] + q[2] * column[2] + column[3]
            distances[i] = (distances[i] - scale * along * along) / (1 - gain)
    return weights


@njit(cache=True, nogil=True)
def _find_extremes(distances, weights):
    """The point farthest out, and the weighted point deepest inside."""
    out, inner = 0, -1
    for i in range(len(distances)):
        if distances[i] > distances[out]:
            out = i
        if weights[i] > 0 and (inner < 0 or distances[i] < distances[inner]):
            inner = i
    return out, inner


@njit(cache=True, nogil=True)
def _invert(lifted, weights):
    """Inverse of the weighted sum of the points' outer squares."""
    total = np.zeros((4, 4))
    for i in range(len(lifted)):
        if weights[i] > 0:
            for a in range(4):
                for b in range(4):
                    total[a, b] += weights[i] * lifted[i, a] * lifted[i, b]
    return np.linalg.inv(total)


@njit(cache=True, nogil=True)
def _measure(lifted, inverse, distances):
    """Write each point's squared distance; the point farthest out."""
    out = 0
    for i in range(len(lifted)):
        distances[i] = 0.0
        for a in range(4):
            along = 0.0
            for b in range(4):
                along += inverse[a, b] * lifted[i, b]
            distances[i] += along * lifted[i, a]
        if distances[i] > distances[out]:
            out = i
    return out


@njit(cache=True, nogil=True)
def _step(lifted, inverse, distances, weights, free):
    """One Newton step of the free weights, as far as none falls below 0; one that would is free no longer."""
    chosen = np.flatnonzero(free)
    n = len(chosen)
    curvature, slope = np.empty((n, n)), np.empty(n)
    largest = 0.0
    for i in range(n):
        slope[i] = distances[chosen[i]] - 4
        for j in range(i + 1):
            product = 0.0
            for a in range(4):
                for b in range(4):
                    product += lifted[chosen[i], a] * inverse[a, b] * lifted[chosen[j], b]
            curvature[i, j] = curvature[j, i] = product * product
        largest = max(largest, curvature[i, i])
    # where more points lie on the ellipsoid than define one, many weights are best: a little is added to choose
    for i in range(n):
        curvature[i, i] += 1e-10 * largest
    change = np.linalg.solve(curvature, slope)
    gain = 0.0
    for i in range(n):
        gain += change[i] * slope[i]
    size = 1.0 if gain < 0.06 else 1 / (1 + np.sqrt(gain))
    blocking = -1
    for i in range(n):
        if weights[chosen[i]] + size * change[i] <= 0:
            size, blocking = -weights[chosen[i]] / change[i], i
    for i in range(n):
        weights[chosen[i]] += size * change[i]
    if blocking >= 0:
        weights[chosen[blocking]] = 0.0
        free[chosen[blocking]] = False
