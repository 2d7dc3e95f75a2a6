"""Logistic regression under an elastic net, for a falling row of penalties at once."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _objective(eta, y, beta, lasso, ridge):
    """Mean logistic loss plus penalty; eta float64 [rows], y float64 [rows] of 0 and 1."""
    loss = 0.0
    for i in range(y.size):
        loss += max(eta[i], 0.0) + np.log1p(np.exp(-abs(eta[i]))) - y[i] * eta[i]
    loss /= y.size
    for j in range(beta.size):
        if beta[j] != 0.0:
            loss += lasso * abs(beta[j]) + 0.5 * ridge * beta[j] * beta[j]
    return loss


@njit(cache=True, nogil=True)
def _sweep(x, weight, residual, change, beta, curvature, active, only_active, lasso, ridge):
    """One pass of coordinate descent over the columns; the largest scaled step made."""
    n, p = x.shape
    largest = 0.0
    for j in range(p):
        if only_active and not active[j]:
            continue
        gradient = 0.0
        for i in range(n):
            gradient += x[i, j] * weight[i] * residual[i]
        gradient /= n
        if beta[j] == 0.0 and abs(gradient) <= lasso:
            continue
        if curvature[j] < 0.0:
            total = 0.0
            for i in range(n):
                total += weight[i] * x[i, j] * x[i, j]
            curvature[j] = total / n
        if curvature[j] + ridge <= 0.0:
            continue
        pull = gradient + curvature[j] * beta[j]
        if pull > lasso:
            new = (pull - lasso) / (curvature[j] + ridge)
        elif pull < -lasso:
            new = (pull + lasso) / (curvature[j] + ridge)
        else:
            new = 0.0
        step = new - beta[j]
        if step == 0.0:
            continue
        beta[j] = new
        active[j] = True
        for i in range(n):
            residual[i] -= step * x[i, j]
            change[i] += step * x[i, j]
        largest = max(largest, abs(step) * np.sqrt(curvature[j]))
    return largest


@njit(cache=True, nogil=True)
def _intercept(weight, residual, change):
    """Move the intercept to its best place; the step made."""
    step = (weight * residual).sum() / weight.sum()
    residual -= step
    change += step
    return step


@njit(cache=True, nogil=True)
def _newton(x, y, eta, beta, active, lasso, ridge, tolerance, max_sweeps):
    """One Newton step: the weighted least squares problem at eta solved; beta and active change in place.

    returns : change of eta float64 [rows], change of the intercept, the largest step of the first pass
    """
    probability = 1.0 / (1.0 + np.exp(-eta))
    weight = np.maximum(probability * (1.0 - probability), 1e-6)
    residual = (y - probability) / weight
    change = np.zeros(y.size)
    curvature = np.full(beta.size, -1.0)
    intercept = 0.0
    moved = -1.0
    for _ in range(max_sweeps):
        step = _intercept(weight, residual, change)
        intercept += step
        full = _sweep(x, weight, residual, change, beta, curvature, active, False, lasso, ridge)
        largest = max(full, abs(step) * 0.5)
        if moved < 0.0:
            moved = largest
        if largest < tolerance:
            break
        for _ in range(max_sweeps):
            step = _intercept(weight, residual, change)
            intercept += step
            part = _sweep(x, weight, residual, change, beta, curvature, active, True, lasso, ridge)
            if max(part, abs(step) * 0.5) < 0.1 * tolerance:
                break
    return change, intercept, moved


@njit(cache=True, nogil=True)
def logistic_path(x, y, penalties, l1_ratio, tolerance, max_newton, max_sweeps, enough):
    """Coefficients that minimise mean logistic loss + penalty (r |b| + (1 - r) b^2 / 2), for each penalty.

    x : float64 [rows, columns], Fortran order, standardised; y : float64 [rows], 0 and 1, both present
    penalties : float64 [k], falling; l1_ratio : r in (0, 1]
    tolerance : largest step, in units of the linear predictor's spread, at which an iteration ends
    enough : share of the deviance explained, after which smaller penalties repeat the last solution
    returns : coefficients float64 [k, columns], intercepts float64 [k], converged bool [k]

    Newton steps outside, coordinate descent with an active set inside, each penalty starting from the last
    (Friedman, Hastie and Tibshirani, J Stat Softw 2010;33(1), doi 10.18637/jss.v033.i01); a Newton step
    that does not lower the objective is halved.
    """
    n, p = x.shape
    coefficients = np.zeros((penalties.size, p))
    intercepts = np.zeros(penalties.size)
    converged = np.zeros(penalties.size, np.bool_)
    intercept = np.log(y.mean() / (1.0 - y.mean()))
    beta = np.zeros(p)
    eta = np.full(n, intercept)
    empty = _objective(eta, y, beta, 0.0, 0.0)
    active = np.zeros(p, np.bool_)
    for k in range(penalties.size):
        lasso, ridge = penalties[k] * l1_ratio, penalties[k] * (1.0 - l1_ratio)
        before = _objective(eta, y, beta, lasso, ridge)
        for _ in range(max_newton):
            old = beta.copy()
            change, step, moved = _newton(x, y, eta, beta, active, lasso, ridge, tolerance, max_sweeps)
            after = _objective(eta + change, y, beta, lasso, ridge)
            for _ in range(30):
                if after <= before + 1e-14:
                    break
                beta = 0.5 * (beta + old)
                step *= 0.5
                change *= 0.5
                after = _objective(eta + change, y, beta, lasso, ridge)
            eta += change
            intercept += step
            before = after
            if moved < tolerance or np.abs(change).max() < tolerance:
                converged[k] = True
                break
        coefficients[k], intercepts[k] = beta, intercept
        active[:] = beta != 0.0
        if 1.0 - _objective(eta, y, beta, 0.0, 0.0) / empty > enough:
            coefficients[k + 1 :] = beta
            intercepts[k + 1 :] = intercept
            converged[k + 1 :] = converged[k]
            break
    return coefficients, intercepts, converged
