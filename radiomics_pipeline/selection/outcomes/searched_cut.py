"""The one cut of a score that parts fates best, with a p value that knows of the search."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.stats.cox import empty_residuals
from radiomics_pipeline.types.outcome import Outcome

SMALLEST_SHARE = 0.1
"""Of the rows on either side of a cut; farther out single rows would decide."""
PERMUTATIONS = 999
CHUNK = 111
"""Arrangements in memory at a time."""
SEED = 20030101


def searched_cut(scores: np.ndarray, outcome: Outcome) -> tuple[float, float]:
    """The cut (rows above it are the upper group) and its p, corrected for the search; NaN where nothing can be cut.

    scores : float64 [rows]; outcome : binary or timed, of the same rows

    The largest standardised linear rank statistic over all cuts that leave a tenth of the rows on either side: of
    log-rank scores (competing events count as lost) or, binary, of the classes. p is that of its conditional
    distribution given scores and fates, from PERMUTATIONS arrangements, the observed one among them; of two cuts that
    part alike the lower one is taken. Lausen and Schumacher, Biometrics 1992;48:73, doi 10.2307/2532740; Hothorn and
    Lausen, Comput Stat Data Anal 2003;43:121, doi 10.1016/S0167-9473(02)00225-6.
    """
    worth = fate_scores(outcome)
    order = np.argsort(scores, kind="stable")
    values, fates = np.asarray(scores, np.float64)[order], worth[order]
    below = np.arange(1, len(values))
    least = max(1, int(np.ceil(SMALLEST_SHARE * len(values) - 1e-9)))
    allowed = (values[1:] > values[:-1]) & (below >= least) & (below <= len(values) - least)
    if not allowed.any() or np.ptp(fates) == 0:
        return float("nan"), float("nan")
    sizes = below[allowed]
    statistic = standardised(fates, sizes)
    best = int(np.argmax(np.round(statistic, 12)))
    rng = np.random.default_rng(SEED)
    reached = 1
    for start in range(0, PERMUTATIONS, CHUNK):
        several = np.tile(fates, (min(CHUNK, PERMUTATIONS - start), 1))
        null = standardised(rng.permuted(several, axis=1), sizes).max(axis=1)
        reached += int((null >= statistic[best] - 1e-12).sum())
    return float(values[sizes[best] - 1]), reached / (1 + PERMUTATIONS)


def fate_scores(outcome: Outcome) -> np.ndarray:
    """Log-rank scores (events less those expected by the curve of all rows), or 0 and 1 of a class; float64 [rows]."""
    if outcome.time is None:
        return np.array(outcome.value)
    return empty_residuals(outcome.time, outcome.event)


def standardised(fates: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """|Sum of the first rows' fates less its mean| over its standard deviation under permutation, float64 [..., cuts].

    fates : float64 [..., rows], in the order of the score; sizes : int64 [cuts], rows below each cut
    """
    n, mean = fates.shape[-1], fates.mean(axis=-1, keepdims=True)
    sums = np.cumsum(fates, axis=-1)[..., sizes - 1]
    variance = fates.var(axis=-1, ddof=1, keepdims=True) * sizes * (n - sizes) / n
    return np.asarray(np.abs(sums - sizes * mean) / np.sqrt(variance))
