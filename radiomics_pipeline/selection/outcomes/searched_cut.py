"""The one cut of a score that parts fates best, with a p value that knows of the search."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.stats.cox import empty_residuals
from radiomics_pipeline.stats.maxstat import MaximallySelected, maximally_selected
from radiomics_pipeline.types.outcome import Outcome

LIMITS = (0.1, 0.9)
"""Shares of the rows between which a cut may lie; farther out single rows would decide."""
PERMUTATIONS = 999
SEED = 20030101


def searched_cut(scores: np.ndarray, outcome: Outcome) -> MaximallySelected:
    """The cut (rows above it are the upper group) and its p, corrected for the search.

    scores : float64 [rows], finite; outcome : binary or timed, of the same rows

    The largest standardised linear rank statistic over all cuts that leave a tenth of the rows on either side: of
    log-rank scores (competing events count as lost) or, binary, of the classes; p from PERMUTATIONS arrangements of
    the fates. Where nothing can be cut, cut and p are NaN, and `reason` says why. See `stats.maxstat`.
    """
    return maximally_selected(scores, fate_scores(outcome), limits=LIMITS, permutations=PERMUTATIONS, seed=SEED)


def fate_scores(outcome: Outcome) -> np.ndarray:
    """Log-rank scores (events less those expected by the curve of all rows), or 0 and 1 of a class; float64 [rows]."""
    if outcome.time is None:
        return np.array(outcome.value)
    return empty_residuals(outcome.time, outcome.event)
