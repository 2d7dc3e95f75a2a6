"""P values from permuted outcomes."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import ParamsError

TINY = 1e-12
"""Relative difference below which a permuted value counts as reaching the observed one."""


def permutation_p(observed: np.ndarray | float, permuted: np.ndarray, *, better: str = "higher") -> np.ndarray:
    """Share of arrangements, the observed one among them, that are as good as the observed; float64 like `observed`.

    observed : float64, one number or [statistics]
    permuted : float64 [permutations] or [permutations, statistics]; a NaN (a permuted plan without a score) counts as
        reaching the observed value, so that what is lost can only weaken the claim
    better : "higher", "lower" or "both" (distance from 0)

    (1 + reached) / (1 + permutations): with random permutations a p of 0 cannot be right, and without the 1 the test is
    too liberal. Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39, doi 10.2202/1544-6115.1585. NaN where the
    observed value is. Raises ParamsError without a permutation.
    """
    seen, drawn = np.asarray(observed, np.float64), np.asarray(permuted, np.float64)
    if drawn.ndim != seen.ndim + 1 or drawn.shape[1:] != seen.shape or not len(drawn):
        raise ParamsError(f"permuted values of shape {drawn.shape} for observed ones of shape {seen.shape}")
    if better not in ("higher", "lower", "both"):
        raise ParamsError(f"better: {better!r} is not one of higher, lower, both")
    if better == "both":
        seen, drawn = np.abs(seen), np.abs(drawn)
    elif better == "lower":
        seen, drawn = -seen, -drawn
    reached = ~(drawn < seen - TINY * np.maximum(1, np.abs(seen)))
    p = (1 + reached.sum(axis=0)) / (1 + len(drawn))
    return np.where(np.isnan(seen), np.nan, p)
