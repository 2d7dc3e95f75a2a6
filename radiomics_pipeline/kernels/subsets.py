"""Logistic, Cox and least squares models of many small subsets of columns, by Newton's method."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _solve(matrix, right):
    """Solution of matrix @ s = right for a symmetric matrix of which the lower half is read and overwritten.

    A column that the columns before it give already (pivot below 1e-11 of its diagonal) gets 0, as in R.
    """
    k = right.size
    pivot = np.zeros(k)
    solution = np.zeros(k)
    for i in range(k):
        whole = matrix[i, i]
        for j in range(i):
            total = matrix[i, j]
            for m in range(j):
                total -= matrix[i, m] * matrix[j, m]
            matrix[i, j] = total / pivot[j] if pivot[j] > 0.0 else 0.0
        rest = whole
        for j in range(i):
            rest -= matrix[i, j] * matrix[i, j]
        pivot[i] = np.sqrt(rest) if rest > 1e-11 * whole and whole > 0.0 else 0.0
        total = right[i]
        for j in range(i):
            total -= matrix[i, j] * solution[j]
        solution[i] = total / pivot[i] if pivot[i] > 0.0 else 0.0
    for i in range(k - 1, -1, -1):
        total = solution[i]
        for j in range(i + 1, k):
            total -= matrix[j, i] * solution[j]
        solution[i] = total / pivot[i] if pivot[i] > 0.0 else 0.0
    return solution


@njit(cache=True, nogil=True)
def _gather(x, mask, first):
    """Columns of a subset side by side after `first` columns of ones, float64 [rows, first + size]."""
    n, p = x.shape
    size = 0
    for j in range(p):
        size += mask[j]
    out = np.ones((n, first + size))
    place = first
    for j in range(p):
        if mask[j]:
            for i in range(n):
                out[i, place] = x[i, j]
            place += 1
    return out


@njit(cache=True, nogil=True)
def _logistic(z, y, beta, gradient, information):
    """Log likelihood at beta; gradient and information (lower half) are filled in."""
    n, k = z.shape
    gradient[:] = 0.0
    information[:] = 0.0
    loglik = 0.0
    for i in range(n):
        eta = 0.0
        for a in range(k):
            eta += z[i, a] * beta[a]
        small = np.exp(-abs(eta))
        loglik += y[i] * eta - max(eta, 0.0) - np.log1p(small)
        probability = 1.0 / (1.0 + small) if eta >= 0.0 else small / (1.0 + small)
        residual = y[i] - probability
        weight = small / ((1.0 + small) * (1.0 + small))
        for a in range(k):
            gradient[a] += residual * z[i, a]
            scaled = weight * z[i, a]
            for b in range(a + 1):
                information[a, b] += scaled * z[i, b]
    return loglik


@njit(cache=True, nogil=True)
def _efron(z, time, event, beta, gradient, information):  # noqa: PLR0912 -- one pass over the rows
    """Log partial likelihood (Efron) at beta, rows by falling time; gradient and information are filled in.

    Sums are kept relative to the largest risk so far, so that no risk set vanishes beside a later, much larger one.
    """
    n, k = z.shape
    gradient[:] = 0.0
    information[:] = 0.0
    eta = np.zeros(n)
    for i in range(n):
        for a in range(k):
            eta[i] += z[i, a] * beta[a]
    top = -np.inf
    s0, d0 = 0.0, 0.0
    s1, d1, mean = np.zeros(k), np.zeros(k), np.zeros(k)
    s2, d2 = np.zeros((k, k)), np.zeros((k, k))
    loglik = 0.0
    start = 0
    while start < n:
        stop = start
        deaths = 0
        d0 = 0.0
        d1[:] = 0.0
        d2[:] = 0.0
        while stop < n and time[stop] == time[start]:
            if eta[stop] > top:
                shrink = np.exp(top - eta[stop])
                s0, d0 = s0 * shrink, d0 * shrink
                s1 *= shrink
                s2 *= shrink
                d1 *= shrink
                d2 *= shrink
                top = eta[stop]
            risk = np.exp(eta[stop] - top)
            s0 += risk
            dies = event[stop]
            for a in range(k):
                part = risk * z[stop, a]
                s1[a] += part
                for b in range(a + 1):
                    s2[a, b] += part * z[stop, b]
            if dies:
                deaths += 1
                d0 += risk
                loglik += eta[stop]
                for a in range(k):
                    part = risk * z[stop, a]
                    gradient[a] += z[stop, a]
                    d1[a] += part
                    for b in range(a + 1):
                        d2[a, b] += part * z[stop, b]
            stop += 1
        for tie in range(deaths):
            share = tie / deaths
            a0 = s0 - share * d0
            loglik -= np.log(a0) + top
            for a in range(k):
                mean[a] = (s1[a] - share * d1[a]) / a0
                gradient[a] -= mean[a]
                for b in range(a + 1):
                    information[a, b] += (s2[a, b] - share * d2[a, b]) / a0 - mean[a] * mean[b]
        start = stop
    return loglik


@njit(cache=True, nogil=True)
def _climb(z, y, time, event, timed, beta, first, ridge, tolerance, max_steps):
    """Newton's method with step halving from beta, which is moved; log likelihood and 1 where it ended."""
    k = beta.size
    gradient, information = np.zeros(k), np.zeros((k, k))
    new, there = np.zeros(k), np.zeros((k, k))
    loglik = (
        _efron(z, time, event, beta, gradient, information) if timed else _logistic(z, y, beta, gradient, information)
    )
    target = loglik - 0.5 * ridge * (beta[first:] ** 2).sum()
    for _ in range(max_steps):
        for a in range(first, k):
            gradient[a] -= ridge * beta[a]
            information[a, a] += ridge
        step = _solve(information, gradient)
        promised = 0.5 * (step * gradient).sum()
        size = 1.0
        for _ in range(40):
            moved = beta + size * step
            found = _efron(z, time, event, moved, new, there) if timed else _logistic(z, y, moved, new, there)
            reached = found - 0.5 * ridge * (moved[first:] ** 2).sum()
            if reached >= target - 1e-13 * abs(target):
                break
            size *= 0.5
        beta[:] = moved
        loglik, target = found, reached
        gradient[:] = new
        information[:] = there
        if promised < tolerance:
            return loglik, True
    return loglik, False


@njit(cache=True, nogil=True)
def logistic_subsets(x, y, masks, ridge, tolerance, max_steps):
    """Logistic regression of every subset of columns: the intercept free, the columns under a ridge.

    x : float64 [rows, columns], finite, C order; y : float64 [rows], 0 and 1, both present
    masks : bool [subsets, columns], the columns of each subset; none: the intercept alone
    ridge : the log likelihood less ridge * b^2 / 2 is maximised; 0: maximum likelihood
    tolerance : gain promised by a Newton step at which, after that step, the iteration ends
    returns : coefficients float64 [subsets, 1 + columns], intercept first, 0 outside the subset; log likelihoods
        float64 [subsets], without the penalty; converged bool [subsets]

    Where the columns separate the classes and ridge is 0, coefficients have no end and the likelihood nears 0.
    """
    n_sets, p = masks.shape
    coefficients = np.zeros((n_sets, 1 + p))
    logliks = np.zeros(n_sets)
    converged = np.zeros(n_sets, np.bool_)
    none, nobody = np.zeros(0), np.zeros(0, np.bool_)
    for s in range(n_sets):
        z = _gather(x, masks[s], 1)
        beta = np.zeros(z.shape[1])
        beta[0] = np.log(y.mean() / (1.0 - y.mean()))
        logliks[s], converged[s] = _climb(z, y, none, nobody, False, beta, 1, ridge, tolerance, max_steps)
        coefficients[s, 0] = beta[0]
        place = 1
        for j in range(p):
            if masks[s, j]:
                coefficients[s, 1 + j] = beta[place]
                place += 1
    return coefficients, logliks, converged


@njit(cache=True, nogil=True)
def cox_subsets(x, time, event, masks, ridge, tolerance, max_steps):
    """Cox regression of every subset of columns, ties after Efron, the columns under a ridge.

    x : float64 [rows, columns], finite, C order, rows by falling time, columns centred (else large hazards lose digits)
    time, event : float64 (falling), bool [rows], at least one event
    masks, ridge, tolerance : as in `logistic_subsets`
    returns : coefficients float64 [subsets, columns], 0 outside the subset; log partial likelihoods float64 [subsets],
        without the penalty; converged bool [subsets]

    Efron, JASA 1977;72:557, doi 10.1080/01621459.1977.10480613.
    """
    n_sets, p = masks.shape
    coefficients = np.zeros((n_sets, p))
    logliks = np.zeros(n_sets)
    converged = np.zeros(n_sets, np.bool_)
    none = np.zeros(0)
    for s in range(n_sets):
        z = _gather(x, masks[s], 0)
        beta = np.zeros(z.shape[1])
        logliks[s], converged[s] = _climb(z, none, time, event, True, beta, 0, ridge, tolerance, max_steps)
        place = 0
        for j in range(p):
            if masks[s, j]:
                coefficients[s, j] = beta[place]
                place += 1
    return coefficients, logliks, converged


@njit(cache=True, nogil=True)
def linear_subsets(gram, cross, total, masks, ridge):
    """Least squares of every subset of columns under a ridge, from sums of products.

    gram : float64 [columns, columns], products of the centred columns; cross : float64 [columns], theirs with the
        centred outcome; total : sum of squares of the centred outcome
    masks : bool [subsets, columns]
    ridge : the sum of squares plus ridge * b^2 is minimised
    returns : coefficients float64 [subsets, columns], 0 outside the subset; residual sums of squares float64 [subsets]
    """
    n_sets, p = masks.shape
    coefficients = np.zeros((n_sets, p))
    rest = np.full(n_sets, total)
    for s in range(n_sets):
        inside = np.flatnonzero(masks[s])
        k = inside.size
        matrix, right = np.zeros((k, k)), np.zeros(k)
        for a in range(k):
            right[a] = cross[inside[a]]
            for b in range(a + 1):
                matrix[a, b] = gram[inside[a], inside[b]]
            matrix[a, a] += ridge
        beta = _solve(matrix, right)
        for a in range(k):
            coefficients[s, inside[a]] = beta[a]
            rest[s] -= 2.0 * beta[a] * cross[inside[a]]
            for b in range(k):
                rest[s] += beta[a] * beta[b] * gram[inside[a], inside[b]]
        rest[s] = max(rest[s], 0.0)
    return coefficients, rest


@njit(cache=True, nogil=True)
def efron_likelihood(risks, time, event):
    """Log partial likelihood (Efron) of several sets of log relative hazards.

    risks : float64 [sets, rows], rows by falling time; time, event : float64, bool [rows]
    returns : float64 [sets]
    """
    n_sets, n = risks.shape
    out = np.zeros(n_sets)
    for s in range(n_sets):
        top = -np.inf
        total = 0.0
        start = 0
        while start < n:
            stop = start
            deaths = 0
            dying = 0.0
            while stop < n and time[stop] == time[start]:
                if risks[s, stop] > top:
                    shrink = np.exp(top - risks[s, stop])
                    total, dying = total * shrink, dying * shrink
                    top = risks[s, stop]
                risk = np.exp(risks[s, stop] - top)
                total += risk
                if event[stop]:
                    deaths += 1
                    dying += risk
                    out[s] += risks[s, stop]
                stop += 1
            for tie in range(deaths):
                out[s] -= np.log(total - tie / deaths * dying) + top
            start = stop
    return out
