"""Slow twins of the statistical kernels, written from the definitions."""

import itertools
import math

import numpy as np


def area(x, positive):
    """Mean over all pairs of a positive and a negative: 1 if the positive is higher, 1/2 if equal."""
    pairs = [(a > b) + 0.5 * (a == b) for a in x[positive] for b in x[~positive]]
    return sum(pairs) / len(pairs)


def area_variance(x, positive):
    """DeLong: variance of the placements of positives and of negatives, each over its number."""
    ups = [np.mean([(a > b) + 0.5 * (a == b) for b in x[~positive]]) for a in x[positive]]
    downs = [np.mean([(a > b) + 0.5 * (a == b) for a in x[positive]]) for b in x[~positive]]
    return np.var(ups, ddof=1) / len(ups) + np.var(downs, ddof=1) / len(downs)


def concordance(x, time, event):
    """Harrell's C over all pairs of rows."""
    wins = pairs = 0.0
    for i, j in itertools.permutations(range(len(x)), 2):
        if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
            pairs += 1
            wins += (x[i] > x[j]) + 0.5 * (x[i] == x[j])
    return wins / pairs


def efron(beta, x, time, event):
    """Log partial likelihood of one column, ties after Efron."""
    total = 0.0
    for t in sorted(set(time[event])):
        risk = [math.exp(beta * v) for v in x[time >= t]]
        dead = x[(time == t) & event]
        dying = sum(math.exp(beta * v) for v in dead)
        total += beta * sum(dead)
        total -= sum(math.log(sum(risk) - k / len(dead) * dying) for k in range(len(dead)))
    return total


def breslow(risk, time, event):
    """Log partial likelihood of given log hazards, ties after Breslow."""
    return sum(
        risk[i] - math.log(sum(math.exp(r) for r in risk[time >= time[i]])) for i in range(len(risk)) if event[i]
    )


def average_linkage(rho, threshold):
    """Merge the two clusters with the smallest mean distance until it exceeds 1 - threshold."""
    clusters = [[i] for i in range(len(rho))]
    while len(clusters) > 1:
        distance, a, b = min(
            (np.mean([1 - abs(rho[i, j]) for i in clusters[a] for j in clusters[b]]), a, b)
            for a, b in itertools.combinations(range(len(clusters)), 2)
        )
        if distance > 1 - threshold:
            break
        clusters[a] += clusters.pop(b)
    return sorted(tuple(sorted(c)) for c in clusters)


def survival_sample(seed, n=40, columns=5, effect=0.7):
    """Columns, whole times with ties and events; the first column goes with early events."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, columns))
    time = np.ceil(10 * rng.exponential(size=n) * np.exp(-effect * values[:, 0]))
    event = rng.random(n) < 0.5
    event[0] = True
    return values, time, event
