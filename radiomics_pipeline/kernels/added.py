"""What each of many columns adds to a model: of classes, of a hazard, of a number.

A column is added to a constant and adjusting columns, made orthogonal to each other, and is itself made orthogonal to
them: coefficient and likelihood of the added column do not change by that, but Newton's steps stay well conditioned,
and a column that the others determine is recognised.
"""

from __future__ import annotations

import numpy as np
from numba import njit

CLASSES, HAZARD, NUMBER = 0, 1, 2
"""Models: multinomial logistic (binary with two classes), Cox's with Efron's ties, least squares."""
FINE, DETERMINED, ENDLESS, UNENDED, EMPTY, FLAT = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0
"""How a fit ended: well; the column is constant or follows from the others; the coefficient has no end (separation);
the iteration did not end; no rows, a class without rows, or no event; no
event has rows of another value beside it."""

FAR = 5.0
"""Coefficient, per root mean square, that is far from 0: the longest first step."""
SMALL = 1e-3
"""Gain in log likelihood below which it is integrated, see _small_gain."""


@njit(cache=True, nogil=True)
def _basis(adjust, constant):
    """Columns orthogonal to a constant and to each other with mean square 1, dependent ones left out.

    adjust : float64 [rows, k]. returns : float64 [rows, 1 + k at most]; the constant comes first
    """
    n, k = adjust.shape
    basis = np.ones((n, k + 1))
    used = 1
    for j in range(k):
        x = adjust[:, j].copy()
        if _orthogonalise(x, basis, used):
            basis[:, used] = x
            used += 1
    return basis[:, (0 if constant else 1) : used].copy()


@njit(cache=True, nogil=True)
def _orthogonalise(x, basis, used):
    """Take the first `used` columns of the basis out of x and give it mean square 1; False where nothing is left."""
    n = x.size
    x -= x.mean()
    before = np.sqrt((x * x).sum() / n)
    largest = np.abs(x).max()
    if not before > 1e-13 * largest or before == 0.0:
        return False
    x /= before
    for _ in range(2):
        for j in range(used):
            share = 0.0
            for i in range(n):
                share += x[i] * basis[i, j]
            share /= n
            for i in range(n):
                x[i] -= share * basis[i, j]
    left = np.sqrt((x * x).sum() / n)
    if left < 1e-6:
        return False
    x /= left
    return True


@njit(cache=True, nogil=True)
def _solve(matrix, right):
    """Solution of matrix x = right for a positive definite matrix; False where it is flat in some direction."""
    d = right.size
    low = np.zeros((d, d))
    x = right.copy()
    for j in range(d):
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= low[j, k] * low[j, k]
        if not pivot > 1e-13 * matrix[j, j]:
            return x, False
        low[j, j] = np.sqrt(pivot)
        for i in range(j + 1, d):
            total = matrix[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            low[i, j] = total / low[j, j]
    for i in range(d):
        for k in range(i):
            x[i] -= low[i, k] * x[k]
        x[i] /= low[i, i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            x[i] -= low[k, i] * x[k]
        x[i] /= low[i, i]
    return x, True


@njit(cache=True, nogil=True)
def _shares(theta, design, i, eta, shares):
    """Probabilities of all classes in row i, and their logs, filled in place; eta, shares : float64 [classes]."""
    k, d = shares.size - 1, design.shape[1]
    top, eta[k] = 0.0, 0.0
    for a in range(k):
        eta[a] = 0.0
        for j in range(d):
            eta[a] += theta[a * d + j] * design[i, j]
        top = max(top, eta[a])
    total = 0.0
    for a in range(k + 1):
        eta[a] -= top
        shares[a] = np.exp(eta[a])
        total += shares[a]
    log_total = np.log(total)
    for a in range(k + 1):
        shares[a] /= total
        eta[a] -= log_total


@njit(cache=True, nogil=True)
def _classes(theta, design, codes, n_classes, scores):
    """Log likelihood of a multinomial logistic model, its gradient and information.

    theta : float64 [(classes - 1) d], class by class, the last class being the reference
    scores : float64 [rows, (classes - 1) d], filled with each row's share of the gradient; or [0, 0]
    """
    n, d = design.shape
    k = n_classes - 1
    gradient, information = np.zeros(k * d), np.zeros((k * d, k * d))
    eta, shares, rest = np.zeros(n_classes), np.zeros(n_classes), np.zeros(n_classes)
    loglik = 0.0
    for i in range(n):
        _shares(theta, design, i, eta, shares)
        loglik += eta[codes[i]]
        for a in range(k):
            # summed, since 1 - share loses all digits as the share nears 1
            rest[a] = 0.0
            for b in range(n_classes):
                rest[a] += shares[b] if b != a else 0.0
            error = rest[a] if codes[i] == a else -shares[a]
            for j in range(d):
                gradient[a * d + j] += error * design[i, j]
                if scores.size:
                    scores[i, a * d + j] = error * design[i, j]
            for b in range(a + 1):
                weight = shares[a] * rest[a] if a == b else -shares[a] * shares[b]
                for j in range(d):
                    product = weight * design[i, j]
                    for m in range(j + 1 if a == b else d):
                        information[a * d + j, b * d + m] += product * design[i, m]
    return loglik, gradient, _mirrored(information)


@njit(cache=True, nogil=True)
def _mirrored(matrix):
    """The lower half of a square matrix copied onto its upper half, in place."""
    for a in range(len(matrix)):
        for b in range(a):
            matrix[b, a] = matrix[a, b]
    return matrix


@njit(cache=True, nogil=True)
def _add_row(weight, design, i, first, second):
    """Add weight times row i to `first`, and times its products to `second` (lower half)."""
    for j in range(design.shape[1]):
        product = weight * design[i, j]
        first[j] += product
        for m in range(j + 1):
            second[j, m] += product * design[i, m]


@njit(cache=True, nogil=True)
def _hazard(theta, design, time, event, scores):
    """Log partial likelihood (Efron), its gradient and information; rows by falling time. Arguments as in _classes."""
    n, d = design.shape
    gradient, information = np.zeros(d), np.zeros((d, d))
    risk = np.zeros(n)
    for i in range(n):
        for j in range(d):
            risk[i] += theta[j] * design[i, j]
    top = risk[0]  # the highest so far, to which sums are relative: no risk set sums to 0 however far theta goes
    s0, s1, s2 = 0.0, np.zeros(d), np.zeros((d, d))
    d1, d2, mean = np.zeros(d), np.zeros((d, d)), np.zeros(d)
    loglik = 0.0
    start = 0
    while start < n:
        stop = start
        deaths = 0
        d0 = 0.0
        d1[:] = 0.0
        d2[:] = 0.0
        higher = top
        while stop < n and time[stop] == time[start]:
            higher = max(higher, risk[stop])
            stop += 1
        if higher > top:
            less = np.exp(top - higher)
            s0 *= less
            s1 *= less
            s2 *= less
            top = higher
        for i in range(start, stop):
            weight = np.exp(risk[i] - top)
            s0 += weight
            _add_row(weight, design, i, s1, s2)
            if event[i]:
                deaths += 1
                d0 += weight
                _add_row(weight, design, i, d1, d2)
                loglik += risk[i] - top
                for j in range(d):
                    gradient[j] += design[i, j]
        for k in range(deaths):
            part = k / deaths
            a0 = s0 - part * d0
            loglik -= np.log(a0)
            for j in range(d):
                mean[j] = (s1[j] - part * d1[j]) / a0
                gradient[j] -= mean[j]
                for m in range(j + 1):
                    information[j, m] += (s2[j, m] - part * d2[j, m]) / a0 - mean[j] * mean[m]
        start = stop
    if scores.size:
        _hazard_scores(risk - risk.max(), design, time, event, scores)
    return loglik, gradient, _mirrored(information)


@njit(cache=True, nogil=True)
def _hazard_scores(risk, design, time, event, scores):
    """Score residuals of Cox's model with Efron's ties; rows by falling time, scores filled in place."""
    n, d = design.shape
    pull = np.zeros((n, d + 1))  # of each tie group, at its first row: sums of 1 / s0 and of mean / s0, for survivors
    own = np.zeros((n, d + 1))  # likewise for those who die in the group
    typical = np.zeros((n, d))  # of each group, the mean of its risk sets' means
    s0, s1, d1 = 0.0, np.zeros(d), np.zeros(d)
    start = 0
    while start < n:
        stop = start
        deaths = 0
        d0 = 0.0
        d1[:] = 0.0
        while stop < n and time[stop] == time[start]:
            weight = np.exp(risk[stop])
            s0 += weight
            s1 += weight * design[stop]
            if event[stop]:
                deaths += 1
                d0 += weight
                d1 += weight * design[stop]
            stop += 1
        for k in range(deaths):
            part = k / deaths
            a0 = s0 - part * d0
            mean = (s1 - part * d1) / a0
            typical[start] += mean / deaths
            pull[start, 0] += 1.0 / a0
            pull[start, 1:] += mean / a0
            own[start, 0] += (1.0 - part) / a0
            own[start, 1:] += (1.0 - part) * mean / a0
        start = stop
    before = np.zeros(d + 1)
    stop = n
    while stop > 0:
        start = stop - 1
        while start > 0 and time[start - 1] == time[stop - 1]:
            start -= 1
        for i in range(start, stop):
            sums = before + (own[start] if event[i] else pull[start])
            scores[i] = -np.exp(risk[i]) * (design[i] * sums[0] - sums[1:])
            if event[i]:
                scores[i] += design[i] - typical[start]
        before += pull[start]
        stop = start


@njit(cache=True, nogil=True)
def _number(theta, design, y, scores):
    """Minus half the sum of squares that a linear model leaves, its gradient and information; y : float64 [rows]."""
    n, d = design.shape
    gradient, information = np.zeros(d), np.zeros((d, d))
    loglik = 0.0
    for i in range(n):
        error = y[i]
        for j in range(d):
            error -= theta[j] * design[i, j]
        loglik -= 0.5 * error * error
        for j in range(d):
            gradient[j] += error * design[i, j]
            if scores.size:
                scores[i, j] = error * design[i, j]
            for m in range(d):
                information[j, m] += design[i, j] * design[i, m]
    return loglik, gradient, information


@njit(cache=True, nogil=True)
def _derivatives(model, theta, design, codes, n_classes, time, event, scores):
    """Log likelihood, gradient and information of the model."""
    if model == CLASSES:
        return _classes(theta, design, codes, n_classes, scores)
    if model == NUMBER:
        return _number(theta, design, time, scores)
    return _hazard(theta, design, time, event, scores)


@njit(cache=True, nogil=True)
def _newton(model, theta, design, codes, n_classes, time, event, max_steps):
    """Largest likelihood by Newton's method with step halving; theta changes in place.

    returns : log likelihood, information, how it ended, and of each parameter whether it has no end
    """
    none = np.zeros((0, 0))
    endless = np.zeros(theta.size, np.bool_)
    loglik, gradient, information = _derivatives(model, theta, design, codes, n_classes, time, event, none)
    if not theta.size:
        return loglik, information, FINE, endless
    for _ in range(max_steps):
        step, sound = _solve(information, gradient)
        if not sound:
            endless[:] = np.abs(theta) > FAR
            return loglik, information, ENDLESS if endless.any() else FLAT, endless
        promised = (step * gradient).sum()
        largest, longest = np.abs(step).max(), max(FAR, np.abs(theta).max())
        if largest > longest:
            step *= longest / largest
        reached = 0.0
        for _ in range(40):
            reached, slope, curve = _derivatives(model, theta + step, design, codes, n_classes, time, event, none)
            if reached >= loglik - 1e-12 * (1.0 + abs(loglik)):
                gradient, information = slope, curve
                theta += step
                loglik = reached
                break
            step *= 0.5
        if promised < 1e-13:
            # a likelihood that rises no more though the steps stay long: it nears its end only at infinity
            endless[:] = (np.abs(step) > 1e-3) & (model != NUMBER)
            return loglik, information, ENDLESS if endless.any() else FINE, endless
    return loglik, information, UNENDED, endless


@njit(cache=True, nogil=True)
def _small_gain(model, before, after, information, design, codes, n_classes, time, event):
    """Log likelihood gained on the way from parameters `before` to its top at `after`, where it is small.

    The difference of two likelihoods loses the digits of a small gain, and p near 1 with them. Here the slope is
    integrated along the straight way instead, from its values and curvatures at both ends (Hermite's rule).
    """
    step = after - before
    _, gradient, curve = _derivatives(model, before, design, codes, n_classes, time, event, np.zeros((0, 0)))
    gain = 0.5 * (gradient * step).sum()
    for a in range(step.size):
        for b in range(step.size):
            gain += step[a] * (information[a, b] - curve[a, b]) * step[b] / 12.0
    return gain


@njit(cache=True, nogil=True)
def _by_patient(scores, group, n_groups):
    """Sums of each patient's scores, float64 [patients, parameters]."""
    sums = np.zeros((n_groups, scores.shape[1]))
    for i in range(group.size):
        sums[group[i]] += scores[i]
    return sums


@njit(cache=True, nogil=True)
def _score_test(information, sums, tested):
    """Score statistic of the tested parameters with the variance of the patients' sums; NaN where it has none.

    information, sums : at the likelihood's top without the tested ones; tested : bool [parameters]
    """
    free, others = np.flatnonzero(tested), np.flatnonzero(~tested)
    n_patients, n_others = sums.shape[0], others.size
    inner, right = np.zeros((n_others, n_others)), np.zeros(n_others)
    left = np.zeros((n_patients, free.size))
    for a in range(free.size):
        for i in range(n_others):
            right[i] = information[others[i], free[a]]
            for j in range(n_others):
                inner[i, j] = information[others[i], others[j]]
        weights, sound = _solve(inner, right)
        if not sound:
            return np.nan
        for g in range(n_patients):
            left[g, a] = sums[g, free[a]]
            for i in range(n_others):
                left[g, a] -= weights[i] * sums[g, others[i]]
    total, variance = np.zeros(free.size), np.zeros((free.size, free.size))
    for g in range(n_patients):
        for a in range(free.size):
            total[a] += left[g, a]
            for b in range(free.size):
                variance[a, b] += left[g, a] * left[g, b]
    step, sound = _solve(variance, total)
    return (step * total).sum() if sound else np.nan


@njit(cache=True, nogil=True)
def _sandwich(sums, column):
    """Variance of a coefficient from the patients' sums; column : of the inverse information, that coefficient's."""
    total = 0.0
    for g in range(sums.shape[0]):
        share = 0.0
        for j in range(column.size):
            share += sums[g, j] * column[j]
        total += share * share
    return total


@njit(cache=True, nogil=True)
def _rows_of(x, adjust, used):
    """Bool [rows], those with a value of the column and of every adjusting column used."""
    kept = ~np.isnan(x)
    for j in np.flatnonzero(used):
        kept &= ~np.isnan(adjust[:, j])
    return kept


@njit(cache=True, nogil=True)
def _can_be_fitted(model, codes, n_classes, event):
    """Whether every class has a row, or any row an event."""
    if model == CLASSES:
        return np.bincount(codes, minlength=n_classes).min() > 0
    return model == NUMBER or event.sum() > 0


@njit(cache=True, nogil=True)
def _fit_column(model, x, residual, basis, start, empty, codes, n_classes, time, event, group, n_groups, steps, out):
    """Fit the model of one column, of which `residual` is left beside the basis, and fill its row of results.

    start, empty : parameters and log likelihood of the model of the basis alone; n_groups : 0 where not robust
    """
    n, d = x.size, basis.shape[1] + 1
    k = n_classes - 1 if model == CLASSES else 1
    design = np.empty((n, d))
    design[:, : d - 1], design[:, d - 1] = basis, residual
    tested, theta = np.zeros(k * d, np.bool_), np.zeros(k * d)
    for a in range(k):
        theta[a * d : a * d + d - 1] = start[a * (d - 1) : (a + 1) * (d - 1)]
        tested[a * d + d - 1] = True
    scores = np.zeros((n, k * d))
    if n_groups:
        information = _derivatives(model, theta, design, codes, n_classes, time, event, scores)[2]
        out[3] = _score_test(information, _by_patient(scores, group, n_groups), tested)
    before = theta.copy()
    loglik, information, end, endless = _newton(model, theta, design, codes, n_classes, time, event, steps)
    gain = loglik - empty
    if gain < SMALL and end == FINE:
        gain = _small_gain(model, before, theta, information, design, codes, n_classes, time, event)
    if end == ENDLESS and not (endless & tested).any():
        end, out[6] = FINE, 1.0
    out[2], out[4], out[7], out[8] = np.nan if end == FLAT else max(gain, 0.0), end, loglik, k * d
    if k > 1 or end == FLAT:
        return
    # of the column as it was: a slope on what is left of it once the others are taken out, per unit, times its SD
    centred = x - x.mean()
    per_sd = np.sqrt((centred * centred).sum() / (n - 1)) / ((centred * residual).sum() / n)
    out[0] = theta[d - 1] * per_sd if end != ENDLESS else np.copysign(np.inf, theta[d - 1])
    column, sound = _solve(information, tested.astype(np.float64))
    if end == ENDLESS or not sound:
        return
    variance = column[d - 1]
    if n_groups:
        _derivatives(model, theta, design, codes, n_classes, time, event, scores)
        variance = _sandwich(_by_patient(scores, group, n_groups), column)
    out[1] = np.sqrt(variance) * per_sd


@njit(cache=True, nogil=True)
def added_columns(model, values, adjust, used, codes, n_classes, time, event, group, n_groups, robust, max_steps):
    """Likelihood ratio of every column added to a constant and adjusting columns.

    model : CLASSES, HAZARD or NUMBER; values : float64 [columns, rows]; adjust : float64 [rows, k]; a row with a NaN
        cell in the column or in an adjusting column used is left out of that column's models
    used : bool [columns, k], whether a column is adjusted for an adjusting one
    codes : int64 [rows], classes from 0, the last the reference; read for CLASSES
    time, event : float64, bool [rows]: for HAZARD with rows by falling time; for NUMBER `time` is the number
    group : int64 [rows], the patient of each row, 0..n_groups - 1; read where `robust`
    returns : float64 [columns, 9]: coefficient per standard deviation of the column (NaN for several classes), its
        standard error (from the patients' sums where robust; of NUMBER for errors of variance 1), log likelihood
        gained, robust score statistic (NaN unless robust), how it ended, rows, 1 where the model without the column
        has no end, log likelihood (of NUMBER minus half the squares left), columns of the model

    Efron, JASA 1977;72:557, doi 10.1080/01621459.1977.10480613; robust: Boos, Am Stat 1992;46:327,
    doi 10.1080/00031305.1992.10475921; Lin and Wei, JASA 1989;84:1074, doi 10.1080/01621459.1989.10478874.
    """
    n_columns, n = values.shape
    out = np.full((n_columns, 9), np.nan)
    k = n_classes - 1 if model == CLASSES else 1
    last = np.zeros(n, np.bool_)
    last_used = np.zeros(adjust.shape[1], np.bool_)
    basis = np.zeros((0, 0))
    start = np.zeros(0)
    empty, empty_end, fitted = 0.0, FINE, False
    for c in range(n_columns):
        kept = _rows_of(values[c], adjust, used[c])
        x = values[c][kept]
        out[c, 4], out[c, 5], out[c, 6] = EMPTY, x.size, 0.0
        its_codes, its_time, its_event = codes[kept], time[kept], event[kept]
        if x.size < 2 or not _can_be_fitted(model, its_codes, n_classes, its_event):
            continue
        if not fitted or (kept != last).any() or (used[c] != last_used).any():
            fitted, last, last_used = True, kept, used[c].copy()
            basis = _basis(adjust[kept][:, used[c]].copy(), model != HAZARD)
            start = np.zeros(k * basis.shape[1])
            empty, _, empty_end, _ = _newton(model, start, basis, its_codes, n_classes, its_time, its_event, max_steps)
        residual = x.copy()
        out[c, 4], out[c, 6] = DETERMINED, 1.0 if empty_end == ENDLESS else 0.0
        if empty_end == FLAT:
            out[c, 4] = FLAT
        elif x.max() > x.min() and _orthogonalise(residual, basis, basis.shape[1]):
            _fit_column(
                model,
                x,
                residual,
                basis,
                start,
                empty,
                its_codes,
                n_classes,
                its_time,
                its_event,
                group[kept],
                n_groups if robust else 0,
                max_steps,
                out[c],
            )
    return out
