"""Tables that stand beside the feature table: measurements again, further blocks of columns, rows of another study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.io.delimited import TextTable
from radiomics_pipeline.io.tables import read_features
from radiomics_pipeline.types.table import FeatureTable

REPEAT = ("repeat", "perturbation", "reader", "session")
"""Columns that may say which of several measurements a row is; the first that is there counts."""


@dataclass(frozen=True)
class Repeats:
    """The rows of a table, measured again.

    values : float64 [repeats, rows, columns of the table], NaN where a row or a column was not measured again
    names : of the repeats
    """

    values: np.ndarray
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read_repeats(table: FeatureTable, source: TextTable) -> Repeats:
    """Measurements again of a table's rows: a second reader, a retest, perturbed images and masks.

    A row belongs to the row of the same case, roi and label; a column of REPEAT says which measurement it is.
    Raises TableError where that column is absent, a measurement stands there twice, or nothing matches.
    """
    which = next((c for c in REPEAT if c in source.columns), None)
    if which is None:
        raise TableError(
            f"{source.name}: no column that tells the measurements apart; name one of {', '.join(REPEAT)}. "
            f"It has {some(source.columns)}"
        )
    cells = source.column(which)
    names = tuple(dict.fromkeys(cells))
    place = {key: i for i, key in enumerate(_keys(table))}
    values = np.full((len(names), len(table), len(table.columns)), np.nan)
    matched: set[int] = set()
    unmatched: list[str] = []
    for r, name in enumerate(names):
        rows = tuple(row for row, cell in zip(source.rows, cells, strict=True) if cell == name)
        again = read_features(replace(source, rows=rows, short=frozenset()), not_features=(which,)).table
        to, where = _shared(table, again, source.name)
        for key, row in zip(_keys(again), again.values, strict=True):
            if key in place:
                values[r, place[key], to] = row[where]
                matched.add(place[key])
            else:
                unmatched.append(key[0])
    if not matched:
        raise TableError(f"{source.name}: no row of it is in the feature table; here {some(unmatched, 3)}")
    notes = [f"{source.name}: {len(names)} measurements again ({some(names)}) of {len(matched)} rows"]
    if unmatched:
        notes.append(f"{source.name}: {len(unmatched)} rows are not in the feature table: {some(unmatched)}")
    return Repeats(values, names, tuple(notes))


def _shared(table: FeatureTable, again: FeatureTable, name: str) -> tuple[list[int], list[int]]:
    """Positions of the columns that both have, in the one and in the other."""
    place = {c: i for i, c in enumerate(table.columns)}
    shared = [c for c in again.columns if c in place]
    if not shared:
        raise TableError(f"{name}: none of its columns is a feature of the table, such as {some(table.columns, 3)}")
    theirs = {c: i for i, c in enumerate(again.columns)}
    return [place[c] for c in shared], [theirs[c] for c in shared]


def join_block(
    table: FeatureTable, source: TextTable, name: str
) -> tuple[FeatureTable, tuple[str, ...], tuple[str, ...]]:
    """The table with the columns of another one joined by case, or by patient; those columns; and notes.

    A row without a match has gaps there. Raises TableError where a column stands in both, a key is twice, or nothing
    matches.
    """
    block = read_features(source).table
    by_case = "case" in source.columns
    ours, theirs = (table.case, block.case) if by_case else (table.patient, block.patient)
    twice = sorted({k for k in theirs if theirs.count(k) > 1})
    if twice:
        raise TableError(f"{source.name}: {some(twice)} stand there twice; one row each is needed")
    both = sorted(set(table.columns) & set(block.columns))
    if both:
        raise TableError(f"{source.name}: {some(both)} stand in the feature table, too; rename them")
    place = {k: i for i, k in enumerate(theirs)}
    found = [place.get(k) for k in ours]
    if all(i is None for i in found):
        raise TableError(
            f"{source.name}: no row of it is in the feature table; here {some(theirs, 3)}, there {some(ours, 3)}"
        )
    added = np.full((len(table), len(block.columns)), np.nan)
    for row, i in enumerate(found):
        if i is not None:
            added[row] = block.values[i]
    notes = [f"block {name}: {len(block.columns)} columns of {source.name}"]
    lacking = [k for k, i in zip(ours, found, strict=True) if i is None]
    if lacking:
        notes.append(f"block {name}: {len(lacking)} rows have no match and gaps there: {some(lacking)}")
    joined = FeatureTable(
        table.case,
        table.patient,
        table.roi,
        table.label,
        (*table.columns, *block.columns),
        np.hstack([table.values, added]),
    )
    return joined, block.columns, tuple(notes)


def same_columns(external: FeatureTable, columns: Sequence[str], name: str) -> FeatureTable:
    """An external table with the columns of our own, in our order; TableError where one is absent."""
    absent = [c for c in columns if c not in set(external.columns)]
    if absent:
        raise TableError(f"{name}: {len(absent)} features of the training table are absent: {some(absent)}")
    place = {c: i for i, c in enumerate(external.columns)}
    values = external.values[:, [place[c] for c in columns]]
    return FeatureTable(external.case, external.patient, external.roi, external.label, tuple(columns), values)


def stack(first: FeatureTable, second: FeatureTable) -> FeatureTable:
    """The rows of two tables with the same columns, the first one's first."""
    keys = {key: (*getattr(first, key), *getattr(second, key)) for key in ("case", "patient", "roi", "label")}
    return FeatureTable(**keys, columns=first.columns, values=np.vstack([first.values, second.values]))


def _keys(table: FeatureTable) -> list[tuple[str, str, str]]:
    return list(zip(table.case, table.roi, table.label, strict=True))
