"""The best subset of each size: all of them where they are few, a beam of the best past that."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import comb

import numpy as np

from radiomics_pipeline.selection.combine.families import Family, Fits
from radiomics_pipeline.selection.combine.screen import Candidates

EXHAUSTIVE = 4096
"""Subsets up to which all are tried: those of 12 candidates."""


@dataclass(frozen=True)
class BestOfSizes:
    """The best subset of every size from 0.

    sets : bool [sizes, candidates]; row s has s candidates
    fits : of these, over the design's columns (candidates, then products)
    aic : float64 [sizes]
    tried : how many subsets were fitted
    exhaustive : whether these were all
    """

    sets: np.ndarray
    fits: Fits
    aic: np.ndarray
    tried: int
    exhaustive: bool


def all_subsets(count: int) -> np.ndarray:
    """All subsets of `count` things, bool [2^count, count]; row r holds thing i where bit i of r is 1."""
    return np.asarray((np.arange(2**count)[:, None] >> np.arange(count)) & 1, np.bool_)


def subsets_up_to(count: int, largest: int) -> np.ndarray:
    """All subsets of at most `largest` of `count` things, bool [subsets, count], small ones first."""
    rows = [c for size in range(min(largest, count) + 1) for c in itertools.combinations(range(count), size)]
    return _as_masks(rows, count)


def best_of_sizes(
    z: np.ndarray, y: np.ndarray, family: Family, candidates: Candidates, *, largest: int, beam: int, ridge: float
) -> BestOfSizes:
    """The best subset of each size up to `largest`, by Akaike's criterion on the training rows.

    z : float64 [rows, columns], the matrix that the candidates were chosen from; y : as of `Outcome.y`

    Of one size the criterion differs from the deviance only where products enter. All subsets are fitted where they
    are at most EXHAUSTIVE. Else each size is made from the `beam` best of the size before by adding one candidate (or
    from those of two sizes before by adding both columns of a product, so that a product whose columns are useless
    alone is found). Ties go to the candidates that claim more.
    """
    design = candidates.design(z)
    count = len(candidates.columns)
    largest = min(largest, count)
    exhaustive = sum(comb(count, s) for s in range(largest + 1)) <= EXHAUSTIVE
    kept: list[list[tuple[int, ...]]] = []
    tried = 0
    for size in range(largest + 1):
        if exhaustive:
            rows = list(itertools.combinations(range(count), size))
        else:
            rows = _grown(kept, size, count, candidates.pairs)
        sets = _as_masks(rows, count)
        aic = akaike(family, design, y, candidates.masks(sets), ridge)
        order = np.argsort(aic, kind="stable")
        kept.append([rows[k] for k in order[:beam]])
        tried += len(rows)
    sets = _as_masks([rows[0] for rows in kept], count)
    masks = candidates.masks(sets)
    fits = family.fit(design, y, masks, ridge)
    return BestOfSizes(sets, fits, _aic(fits, masks), tried, exhaustive)


def akaike(family: Family, design: np.ndarray, y: np.ndarray, masks: np.ndarray, ridge: float) -> np.ndarray:
    """-2 log likelihood + 2 coefficients of every row of masks, float64 [subsets]."""
    return _aic(family.fit(design, y, masks, ridge), masks)


def _aic(fits: Fits, masks: np.ndarray) -> np.ndarray:
    return np.asarray(-2.0 * fits.loglik + 2.0 * masks.sum(axis=1))


def _grown(kept: list[list[tuple[int, ...]]], size: int, count: int, pairs: np.ndarray) -> list[tuple[int, ...]]:
    """Subsets of this size made from those kept of the sizes before, in lexicographic order."""
    if size == 0:
        return [()]
    steps: list[tuple[list[tuple[int, ...]], list[tuple[int, ...]]]] = [(kept[size - 1], [(c,) for c in range(count)])]
    if size > 1:
        steps.append((kept[size - 2], [(int(a), int(b)) for a, b in pairs]))
    grown = {
        tuple(sorted({*row, *more}))
        for rows, additions in steps
        for row in rows
        for more in additions
        if not set(row) & set(more)
    }
    return sorted(grown)


def _as_masks(rows: list[tuple[int, ...]], count: int) -> np.ndarray:
    masks = np.zeros((len(rows), count), np.bool_)
    for r, row in enumerate(rows):
        masks[r, list(row)] = True
    return masks
