"""Slow twins of what ranks features alone, written from the definitions."""

import numpy as np


def hazard_scores(theta, columns, time, event):
    """Score residuals of Cox's model with Efron's ties, row by row from the definition; float64 [rows, columns]."""
    weight = np.exp(columns @ theta)
    scores = np.zeros(columns.shape)
    for t in sorted(set(time[event])):
        at_risk, dying = time >= t, event & (time == t)
        deaths = dying.sum()
        for k in range(deaths):
            share = np.where(dying, 1 - k / deaths, 1.0) * at_risk * weight
            mean = share @ columns / share.sum()
            scores -= (share / share.sum())[:, None] * (columns - mean)
            scores[dying] += (columns[dying] - mean) / deaths
    return scores


def squared_correlation(x, y):
    """Squared correlation times rows less one."""
    return np.corrcoef(x, y)[0, 1] ** 2 * (len(x) - 1)


def patient_score(x, y, groups):
    """Squared sum of products over the sum of the patients' squared sums."""
    products = (x - x.mean()) * (y - y.mean())
    sums = [products[groups == g].sum() for g in set(groups)]
    return sum(sums) ** 2 / sum(s * s for s in sums)


def step_down(values, outcome, sources, statistic, groups=None):
    """Westfall and Young's step-down max-T p by its definition; NaN of constant columns."""

    def of(y):
        found = []
        for x in values.T:
            kept = ~np.isnan(x)
            more = () if groups is None else (groups[kept],)
            found.append(statistic(x[kept], y[kept], *more) if np.ptp(x[kept]) > 0 else np.nan)
        return np.array(found)

    observed = of(outcome)
    order = [c for c in np.argsort(-np.nan_to_num(observed, nan=-np.inf), kind="stable") if not np.isnan(observed[c])]
    permuted = [of(outcome[source]) for source in sources]
    p, highest = np.full(len(observed), np.nan), 0.0
    for place, c in enumerate(order):
        reached = sum(max(one[j] for j in order[place:]) >= observed[c] * (1 - 1e-12) for one in permuted)
        highest = max(highest, (1 + reached) / (1 + len(sources)))
        p[c] = highest
    return p
