"""Whether the numbers of new rows can be what the training rows measured: gaps, and values as in another unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from radiomics_pipeline.errors import some

HALF = 0.5
"""Share of a row's cells that may be missing without a note."""
Ranges = Mapping[str, tuple[float, float]]


def ranges_of(names: Sequence[str], values: np.ndarray) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of every column that has one. values : float64 [rows, columns], NaN where missing"""
    there = {name: column[~np.isnan(column)] for name, column in zip(names, values.T, strict=True)}
    return {name: (float(column.min()), float(column.max())) for name, column in there.items() if len(column)}


def implausible(ranges: Ranges, names: Sequence[str], cases: Sequence[str], values: np.ndarray) -> list[str]:
    """Notes on rows and columns without a value, and on values far outside the training rows' ranges.

    values : float64 [rows, columns], NaN where missing
    """
    missing = np.isnan(values)
    notes = []
    blank = _of(cases, missing.all(axis=1))
    if blank:
        notes.append(f"{len(blank)} rows have no value at all: {some(blank)}")
    empty = [name for name in _of(names, missing.all(axis=0)) if name in ranges]
    if empty:
        notes.append(f"{len(empty)} columns have no value here, and count as at their training median: {some(empty)}")
    few = _of(cases, (missing.mean(axis=1) > HALF) & ~missing.all(axis=1))
    if few:
        notes.append(f"{len(few)} rows lack more than half of the columns: {some(few)}")
    limits = np.array([ranges.get(name, (np.nan, np.nan)) for name in names]).reshape(-1, 2)
    width = limits[:, 1] - limits[:, 0]
    far = (values < limits[:, 0] - width) | (values > limits[:, 1] + width)
    strange = _of(names, far.any(axis=0))
    if strange:
        notes.append(
            f"{len(strange)} columns have values further from those of training than these lie apart, in "
            f"{int(far.any(axis=1).sum())} rows: {some(strange)}; is it the same unit?"
        )
    return notes


def _of(names: Sequence[str], flags: np.ndarray) -> list[str]:
    return [name for name, flag in zip(names, flags, strict=True) if flag]
