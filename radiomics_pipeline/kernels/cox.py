"""Cox models of one column each, for many columns; and the partial likelihood of given risks."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _efron(x, time, event, beta):
    """Log partial likelihood (Efron) of one column and its first two derivatives; rows by falling time."""
    n = x.size
    loglik = 0.0
    gradient = 0.0
    hessian = 0.0
    s0 = 0.0
    s1 = 0.0
    s2 = 0.0
    start = 0
    while start < n:
        stop = start
        deaths = 0
        d0 = 0.0
        d1 = 0.0
        d2 = 0.0
        while stop < n and time[stop] == time[start]:
            risk = np.exp(beta * x[stop])
            s0 += risk
            s1 += risk * x[stop]
            s2 += risk * x[stop] * x[stop]
            if event[stop]:
                deaths += 1
                d0 += risk
                d1 += risk * x[stop]
                d2 += risk * x[stop] * x[stop]
                loglik += beta * x[stop]
                gradient += x[stop]
            stop += 1
        for k in range(deaths):
            share = k / deaths
            a0 = s0 - share * d0
            a1 = s1 - share * d1
            a2 = s2 - share * d2
            loglik -= np.log(a0)
            gradient -= a1 / a0
            hessian -= a2 / a0 - (a1 / a0) ** 2
        start = stop
    return loglik, gradient, hessian


@njit(cache=True, nogil=True)
def _newton(x, time, event, tolerance, max_steps):
    """Coefficient, its curvature, log likelihood gained over 0, and 1 where the iteration ended."""
    beta = 0.0
    empty, gradient, hessian = _efron(x, time, event, 0.0)
    loglik = empty
    for _ in range(max_steps):
        if hessian > -1e-12:
            return beta, hessian, loglik - empty, 1.0
        step = min(max(-gradient / hessian, -2.0), 2.0)
        new, gradient_there, hessian_there = _efron(x, time, event, beta + step)
        for _ in range(40):
            if new >= loglik - 1e-13 * abs(loglik):
                break
            step *= 0.5
            new, gradient_there, hessian_there = _efron(x, time, event, beta + step)
        gained = new - loglik
        beta += step
        loglik, gradient, hessian = new, gradient_there, hessian_there
        if abs(gained) < tolerance:
            return beta, hessian, loglik - empty, 1.0
    return beta, hessian, loglik - empty, 0.0


@njit(cache=True, nogil=True)
def cox_columns(values, time, event, tolerance, max_steps):
    """Univariable Cox model of every column by Newton's method with step halving, Efron's ties.

    values : float64 [columns, rows], rows in order of falling time; NaN cells are left out, column by column
    time : float64 [rows], falling
    event : bool [rows]
    tolerance : of the log likelihood, at which the iteration ends
    returns : float64 [columns, 4]: coefficient per standard deviation, its standard error,
        log likelihood gained over the empty model, 1 where the iteration ended (else 0)

    NaN where the column is constant or has no event. Efron, JASA 1977;72:557, doi 10.1080/01621459.1977.10480613.
    """
    out = np.full((values.shape[0], 4), np.nan)
    for c in range(values.shape[0]):
        kept = ~np.isnan(values[c])
        x = values[c][kept]
        seen = event[kept]
        if x.size < 2 or seen.sum() == 0 or x.max() == x.min():
            continue
        x = x - x.mean()
        x = x / np.sqrt((x**2).sum() / (x.size - 1))
        beta, hessian, gain, converged = _newton(x, time[kept], seen, tolerance, max_steps)
        out[c, 0] = beta
        out[c, 1] = np.sqrt(-1.0 / hessian) if hessian < -1e-12 else np.inf
        out[c, 2] = max(gain, 0.0)
        out[c, 3] = converged
    return out


@njit(cache=True, nogil=True)
def score_columns(values, time, event, group, n_groups):
    """Score of every column at coefficient 0, and its variance robust to rows that share a patient.

    values : float64 [columns, rows], rows in order of falling time; NaN cells are left out, column by column
    time, event : float64, bool [rows]
    group : int64 [rows], the patient of each row, 0..n_groups - 1
    returns : float64 [columns, 2]: score, sum over patients of the squared sum of their score residuals

    Lin and Wei, JASA 1989;84:1074, doi 10.1080/01621459.1989.10478874; Lee, Wei and Amato 1992.
    """
    n_columns = values.shape[0]
    out = np.full((n_columns, 2), np.nan)
    for c in range(n_columns):
        kept = ~np.isnan(values[c])
        x = values[c][kept]
        t = time[kept]
        d = event[kept]
        g = group[kept]
        n = x.size
        if n < 2 or d.sum() == 0 or x.max() == x.min():
            continue
        x = x - x.mean()
        residual = np.zeros(n)
        total = 0.0
        start = 0
        while start < n:
            stop = start
            deaths = 0
            while stop < n and t[stop] == t[start]:
                total += x[stop]
                deaths += d[stop]
                stop += 1
            mean = total / stop
            if deaths:
                for i in range(stop):
                    residual[i] -= deaths / stop * (x[i] - mean)
                for i in range(start, stop):
                    if d[i]:
                        residual[i] += x[i] - mean
            start = stop
        by_patient = np.zeros(n_groups)
        for i in range(n):
            by_patient[g[i]] += residual[i]
        out[c, 0] = by_patient.sum()
        out[c, 1] = (by_patient**2).sum()
    return out


@njit(cache=True, nogil=True)
def partial_likelihood(risks, time, event):
    """Log partial likelihood (Breslow) of several sets of log relative hazards.

    risks : float64 [sets, rows], rows in order of falling time
    time, event : float64, bool [rows]
    returns : float64 [sets]
    """
    n_sets, n = risks.shape
    out = np.zeros(n_sets)
    for s in range(n_sets):
        top = risks[s].max()
        total = 0.0
        start = 0
        while start < n:
            stop = start
            while stop < n and time[stop] == time[start]:
                total += np.exp(risks[s, stop] - top)
                stop += 1
            for i in range(start, stop):
                if event[i]:
                    out[s] += risks[s, i] - top - np.log(total)
            start = stop
    return out
