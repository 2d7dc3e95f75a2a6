"""Log likelihoods of models of classes, of a hazard, of a number: value, gradient, information and rows' scores."""

from __future__ import annotations

import numpy as np
from numba import njit

CLASSES, HAZARD, NUMBER = 0, 1, 2
"""Models: multinomial logistic (binary with two classes), Cox's with Efron's ties, least squares."""


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
def derivatives(model, theta, design, codes, n_classes, time, event, scores):
    """Log likelihood, gradient and information of the model."""
    if model == CLASSES:
        return _classes(theta, design, codes, n_classes, scores)
    if model == NUMBER:
        return _number(theta, design, time, scores)
    return _hazard(theta, design, time, event, scores)
