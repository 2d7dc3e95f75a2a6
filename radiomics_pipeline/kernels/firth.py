"""Firth's logistic regression: one coefficient of a model with its profile interval, for many models.

The coefficient of interest is that of the last column of a design. Its columns are made orthogonal to each other in the
weights of the moment, one after the other: then the determinant of the information is a product, a row's leverage a sum
of squares, and the model that holds the last coefficient has the same columns but the last. Steps are Newton's with the
curvature of the penalty, so that they converge in small tables too, where steps of Fisher's information go to and fro.
"""

from __future__ import annotations

import numpy as np
from numba import njit

STEPS = 200
MAX_STEP = 5.0
"""Largest change of a coefficient (of a column with mean square 1) in one step."""
WIDEST = 1e4
"""An interval's end further away than this is given as infinite."""
CLOSE, ROUGH = 1e-9, 1e-6
"""Last step, in standard errors, of an estimate; and of a likelihood alone, whose error is this squared."""
LEVEL = 1e-10
"""Distance of the profile from its goal at which the search for an interval's end ends."""
SPARSE = 1.0
"""Sum of the rows' weights, per coefficient, below which a few rows hold the model up: the likelihood can have several
tops then, one for every such set of rows."""
MANY = 12
"""Coefficients above which other tops are not looked for."""
ASIDE = (8.0, 20.0)
"""How far from a top others are looked for, in standard errors."""
LEFT = 1e-6
"""Share of a column's spread that must be left beside the others."""


@njit(cache=True, nogil=True)
def _dot(a, b):
    """Sum of products, in four parts: a single one would wait for each addition."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    whole = a.size - a.size % 4
    for i in range(0, whole, 4):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
    for i in range(whole, a.size):
        s0 += a[i] * b[i]
    return (s0 + s1) + (s2 + s3)


@njit(cache=True, nogil=True)
def _evaluate(x, y, theta, v, wv, r, rows):
    """Penalised log likelihood at coefficients theta float64 [d].

    x : float64 [d, rows]; y : float64 [rows], 0 and 1
    v, wv : float64 [d, rows], filled: the columns orthonormal in the weights, and times the weights
    r : float64 [d, d], filled: upper triangle with x = r.T v
    rows : float64 [4, rows], filled: probabilities, their weights; the rest is left
    """
    d, n = x.shape
    p, w, eta = rows[0], rows[1], rows[2]
    for i in range(n):
        eta[i] = 0.0
    for j in range(d):
        for i in range(n):
            eta[i] += theta[j] * x[j, i]
    value = 0.0
    for i in range(n):
        e = np.exp(-abs(eta[i]))
        p[i] = 1.0 / (1.0 + e) if eta[i] > 0.0 else e / (1.0 + e)
        value += y[i] * eta[i] - max(eta[i], 0.0) - np.log1p(e)
        w[i] = max(e / ((1.0 + e) * (1.0 + e)), 1e-300)
    for j in range(d):
        for i in range(n):
            v[j, i] = x[j, i]
        for s in range(j):
            share = _dot(wv[s], v[j])
            r[s, j] = share
            for i in range(n):
                v[j, i] -= share * v[s, i]
        total = 0.0
        for i in range(n):
            wv[j, i] = w[i] * v[j, i]
        total = max(_dot(wv[j], v[j]), 1e-300)
        size = np.sqrt(total)
        r[j, j] = size
        for i in range(n):
            v[j, i] /= size
            wv[j, i] /= size
        value += np.log(size)
    return value


@njit(cache=True, nogil=True)
def _add_hat(v, wv, p, part, curve):
    """Add 1 on the diagonal and the squared elements of the hat matrix to the upper triangle of curve, and mirror it.

    part : float64 [rows], overwritten; the others as of `_curvature`
    """
    d, n = v.shape
    third = np.empty((d, d, d))  # sum of w c v_a v_b v_c, the same for all orders of a, b, c
    for a in range(d):
        for b in range(a, d):
            for i in range(n):
                part[i] = (0.5 - p[i]) * wv[a, i] * v[b, i]
            for c in range(b, d):
                s = _dot(part, v[c])
                third[a, b, c] = third[a, c, b] = third[b, a, c] = s
                third[b, c, a] = third[c, a, b] = third[c, b, a] = s
    for a in range(d):
        for b in range(a, d):
            total = (third[a] * third[b]).sum()
            curve[a, b] += 2.0 * total + (1.0 if a == b else 0.0)
            curve[b, a] = curve[a, b]


@njit(cache=True, nogil=True)
def _curvature(y, v, wv, rows, score, curve):
    """Slope and negative curvature of the penalised likelihood in standard errors.

    v, wv, rows : as of `_evaluate`; score : float64 [d], curve : float64 [d, d], both filled

    With h the leverage, c = 1/2 - p and w the weight of a row, a residual is y - p + h c, and the derivative of h c by
    the linear predictor of row k is h (2 c^2 - w) of that row less 2 c c_k times the squared element of the hat matrix.
    """
    d, n = v.shape
    p, w, h, part = rows[0], rows[1], rows[2], rows[3]
    for i in range(n):
        h[i] = 0.0
    for j in range(d):
        for i in range(n):
            h[i] += wv[j, i] * v[j, i]
    for i in range(n):
        part[i] = y[i] - p[i] + h[i] * (0.5 - p[i])
    for j in range(d):
        score[j] = _dot(part, v[j])
    for a in range(d):
        for i in range(n):
            c = 0.5 - p[i]
            part[i] = h[i] * (2.0 * c * c - w[i]) * v[a, i]
        for b in range(a, d):
            curve[a, b] = -_dot(part, v[b])
    _add_hat(v, wv, p, part, curve)


@njit(cache=True, nogil=True)
def _solve(curve, right, free, out):
    """Solution of the first `free` equations into out; False where the curvature is not that of a hill."""
    low = np.zeros((free, free))
    for j in range(free):
        for i in range(j, free):
            total = curve[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i == j:
                if not total > 1e-8:
                    return False
                low[j, j] = np.sqrt(total)
            else:
                low[i, j] = total / low[j, j]
    for i in range(free):
        out[i] = right[i]
        for k in range(i):
            out[i] -= low[i, k] * out[k]
        out[i] /= low[i, i]
    for i in range(free - 1, -1, -1):
        for k in range(i + 1, free):
            out[i] -= low[k, i] * out[k]
        out[i] /= low[i, i]
    return True


@njit(cache=True, nogil=True)
def _unscale(r, u):
    """Turn a step in standard errors, float64 [d], into one of coefficients, in place."""
    for i in range(u.size - 1, -1, -1):
        for k in range(i + 1, u.size):
            u[i] -= r[i, k] * u[k]
        u[i] /= r[i, i]


@njit(cache=True, nogil=True)
def _climb(x, y, theta, free, close, hope, work):
    """A top of the penalised likelihood over the first `free` coefficients; theta changes in place.

    close : last step in standard errors; hope : a way that will not come near this value is left
    work : v, wv, r, rows, score, curve, for `_evaluate` and `_curvature`
    returns : the likelihood there, whether the modified score equations are solved
    """
    v, wv, r, rows, score, curve = work
    d = x.shape[0]
    step, tried = np.zeros(d), np.empty(d)
    value = _evaluate(x, y, theta, v, wv, r, rows)
    for count in range(STEPS):
        _curvature(y, v, wv, rows, score, curve)
        if not _solve(curve, score, free, step):
            step[:free] = score[:free]
        step[free:] = 0.0
        length = 0.0
        for j in range(free):
            length += step[j] * step[j]
        length = np.sqrt(length)
        if length < close:
            return value, True
        if value + length * length * (0.6 if length < 0.3 else 1.0 if count > 3 else np.inf) < hope:
            return value, False
        _unscale(r, step)
        largest = np.abs(step).max()
        size = min(1.0, MAX_STEP / largest)
        slack = 1e-12 * (1.0 + abs(value))
        while True:
            for j in range(d):
                tried[j] = theta[j] + size * step[j]
            new = _evaluate(x, y, tried, v, wv, r, rows)
            if new >= value - slack:
                break
            size *= 0.5
            if size < 1e-10:
                # rounding hides the rise that is left
                value = _evaluate(x, y, theta, v, wv, r, rows)
                _curvature(y, v, wv, rows, score, curve)
                return value, length < 1e-5
        theta[:] = tried
        value = new
    return value, False


@njit(cache=True, nogil=True)
def _top(x, y, theta, free, close, work):
    """The highest top that is found from a start and, where few rows hold it up, from places around it.

    Arguments and results as of `_climb`. The places: so many standard errors off along every orthogonal direction, and
    where the boundary between the classes runs through one of the rows that are near it.
    """
    value, fine = _climb(x, y, theta, free, close, -np.inf, work)
    d, n = x.shape
    for _ in range(10):
        if free == 0 or d > MANY or work[3][1].sum() > SPARSE * d:
            break
        base, r, v, eta = theta.copy(), work[2].copy(), work[0].copy(), np.zeros(n)
        for j in range(d):
            eta += theta[j] * x[j]
        near = np.argsort(np.abs(eta))[: 2 * d]
        best, axes = value, 2 * len(ASIDE) * free
        tried, step = np.empty(d), np.empty(d)
        for k in range(axes + near.size):
            step[:] = 0.0
            if k < axes:
                step[k % free] = ASIDE[k // free // 2] * (1.0 if k // free % 2 else -1.0)
            else:
                i = near[k - axes]
                length = max((v[:free, i] ** 2).sum(), 1e-300)
                step[:free] = -eta[i] / length * v[:free, i]
            _unscale(r, step)
            tried[:] = base + step
            found, ended = _climb(x, y, tried, free, ROUGH, best, work)
            if ended and found > best + LEVEL:
                best = found
                theta[:] = tried
        better = best > value
        if not better:
            theta[:] = base
        value, fine = _climb(x, y, theta, free, close, -np.inf, work)
        if not better:
            break
    return value, fine


@njit(cache=True, nogil=True)
def _ridge(work, way):
    """How the coefficients follow the last one along the ridge, into way float64 [d], from the curvature in `work`."""
    r, curve, last = work[2], work[5], way.size - 1
    way[last] = r[last, last]
    if _solve(curve, -curve[last] * way[last], last, way):
        _unscale(r, way)
    else:
        way[:] = 0.0
    way[last] = 1.0


@njit(cache=True, nogil=True)
def _end(x, y, best, top, drop, side, work):
    """Where the profile of the last coefficient has fallen by `drop` from its top, on one side of the estimate.

    best : float64 [d], the estimate. returns : the end, and whether it was found (an infinite one is)

    Newton's steps on the root of the fall, which is nearly a straight line, between two values that hold the end. The
    other coefficients start from those of the nearer value, on the higher ridge.
    """
    r, score, last = work[2], work[4], x.shape[0] - 1
    theta, held, way = best.copy(), best.copy(), np.empty(best.size)
    _evaluate(x, y, held, work[0], work[1], r, work[3])
    _curvature(y, work[0], work[1], work[3], score, work[5])
    _ridge(work, way)
    near, far, at = 0.0, np.inf, np.sqrt(2.0 * drop) / r[last, last]
    for _ in range(STEPS):
        if at > WIDEST:
            return side * np.inf, True
        move = side * (at - near)
        theta[:] = held
        if np.abs(way * move).max() < MAX_STEP:
            theta += way * move
        theta[last] = best[last] + side * at
        value, fine = _climb(x, y, theta, last, ROUGH, -np.inf, work)
        reached = abs(top - value - drop) < LEVEL
        if reached or (value < top - drop and at - near < 1e-7 * (1.0 + at)):
            # the end, or where this ridge ends in a lower one: does a higher one go on?
            value, fine = _top(x, y, theta, last, ROUGH, work)
            if top - value > drop - LEVEL:
                return theta[last], fine
            far = np.inf
        fall = top - value
        slope = -side * r[last, last] * score[last]  # of the fall
        root = np.sqrt(max(fall, 0.0))
        goal = at + (np.sqrt(drop) - root) * 2.0 * root / slope if slope > 0.0 and root > 0.0 else np.inf
        if fall < drop:
            near = at
            held[:] = theta
            _ridge(work, way)
            if far - near < 1e-6 * (1.0 + at):
                far = np.inf  # that value was one of a lower ridge
        else:
            far = at
        if far == np.inf:
            at = min(goal, 3.0 * near) if goal > near else 3.0 * near
        else:
            at = goal if near < goal < far else 0.5 * (near + far)
    return theta[last], False


@njit(cache=True, nogil=True)
def _work(d, n):
    return np.empty((d, n)), np.empty((d, n)), np.zeros((d, d)), np.empty((4, n)), np.empty(d), np.empty((d, d))


@njit(cache=True, nogil=True)
def firth_profile(x, y, start, drop):
    """The last coefficient of a model, with its test and profile interval.

    x : float64 [d, rows], independent columns of mean square near 1; y : float64 [rows] of 0 and 1, both present
    start : float64 [d]; drop : by how much the profile falls at an interval's ends, 0 or less for no interval
    returns : coefficients float64 [d]; float64 [6] of the last one: standard error, lower and upper end, statistic of
        the penalised likelihood ratio, penalised log likelihood, whether all iterations ended
    """
    d, n = x.shape
    work = _work(d, n)
    theta, out = start.copy(), np.full(6, np.nan)
    if drop > 0.0:
        theta[d - 1] = 0.0
        empty, first = _top(x, y, theta, d - 1, CLOSE, work)
    else:
        empty, first = -np.inf, True
    top, fine = _top(x, y, theta, d, CLOSE, work)
    out[0] = 1.0 / work[2][d - 1, d - 1]
    out[4] = top
    if drop > 0.0:
        out[1], below = _end(x, y, theta, top, drop, -1.0, work)
        out[2], above = _end(x, y, theta, top, drop, 1.0, work)
        out[3] = max(0.0, 2.0 * (top - empty))
        fine = fine and first and below and above
    out[5] = 1.0 if fine else 0.0
    return theta, out


@njit(cache=True, nogil=True)
def _orthogonalise(x, basis, used):
    """Take the mean and the first `used` rows of the basis out of x and give it mean square 1, in place.

    returns : the root mean square that was left, 0 where it is none
    """
    n = x.size
    largest = np.abs(x).max()
    x -= x.mean()
    before = np.sqrt(_dot(x, x) / n)
    if not before > 1e-13 * largest or before == 0.0:
        return 0.0
    x /= before
    for _ in range(2):
        for j in range(used):
            share = _dot(x, basis[j]) / n
            for i in range(n):
                x[i] -= share * basis[j, i]
    left = np.sqrt(_dot(x, x) / n)
    if left < LEFT:
        return 0.0
    x /= left
    return before * left


@njit(cache=True, nogil=True)
def _whole_rows(column, adjust, used):
    """Int64 [n], rows with a value of the column and of every adjusting one used."""
    whole = ~np.isnan(column)
    for k in np.flatnonzero(used):
        whole &= ~np.isnan(adjust[k])
    return np.flatnonzero(whole)


@njit(cache=True, nogil=True)
def _design(column, adjust, used, kept):
    """A constant, the adjusting columns and the column, orthogonal to each other with mean square 1.

    returns : float64 [d, n]; the column's standard deviation (n - 1) over what is left of it, 0 where nothing is
    """
    design = np.ones((used.sum() + 2, kept.size))
    d = 1
    for k in np.flatnonzero(used):
        design[d] = adjust[k][kept]
        d += 1 if _orthogonalise(design[d], design, d) > 0.0 else 0
    design[d] = column[kept]
    spread = np.sqrt(((design[d] - design[d].mean()) ** 2).sum() / (kept.size - 1))
    left = _orthogonalise(design[d], design, d)
    return design[: d + 1], spread / left if left > 0.0 else 0.0


@njit(cache=True, nogil=True)
def firth_added(columns, event, adjust, used, drop):
    """Firth's regression of every column by itself, beside a constant and adjusting columns.

    columns : float64 [columns, rows], NaN where missing; event : bool [rows]
    adjust : float64 [k, rows], NaN where missing; used : bool [columns, k], which of them each model has
    drop : by how much the profile falls at an interval's ends
    returns : float64 [columns, 7]: coefficient per standard deviation (n - 1), its standard error, lower and upper end
        of the interval, statistic of the penalised likelihood ratio, rows, whether all iterations ended; NaN where the
        rows are no more than the coefficients or of one class, or the column is constant or a sum of the others
    """
    out = np.full((columns.shape[0], 7), np.nan)
    for c in range(columns.shape[0]):
        kept = _whole_rows(columns[c], adjust, used[c])
        y = event[kept].astype(np.float64)
        n, positive = kept.size, y.sum()
        out[c, 5], out[c, 6] = n, 0.0
        if n < 3 or positive in (0.0, float(n)):
            continue
        design, unit = _design(columns[c], adjust, used[c], kept)
        d = design.shape[0]
        if unit == 0.0 or n <= d:
            continue
        start = np.zeros(d)
        start[0] = np.log(positive / (n - positive))
        theta, found = firth_profile(design, y, start, drop)
        out[c, 0], out[c, 1] = theta[d - 1] * unit, found[0] * unit
        out[c, 2], out[c, 3] = found[1] * unit, found[2] * unit
        out[c, 4], out[c, 6] = found[3], found[5]
    return out
