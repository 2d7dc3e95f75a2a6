"""Tables that stand beside the feature table: measurements again, further blocks of columns, rows of another study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.io.delimited import MISSING, TextTable
from radiomics_pipeline.io.tables import read_features
from radiomics_pipeline.types.table import FeatureTable

REPEAT = ("repeat", "perturbation", "reader", "session")
"""Columns that may say which of several measurements a row is; the first that is there counts."""


FEW_AGAIN = 10
"""Rows measured again below which a lower bound of the ICC is hardly ever reached."""


@dataclass(frozen=True)
class Repeats:
    """The rows of a table, measured again.

    values : float64 [repeats, rows, columns of the table], NaN where a row or a column was not measured again
    names : of the repeats
    """

    values: np.ndarray
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read_repeats(table: FeatureTable, source: TextTable, id_column: str = "") -> Repeats:
    """Measurements again of a table's rows: a second reader, a retest, perturbed images and masks.

    A row belongs to the row of the same case, roi and label; a column of REPEAT says which measurement it is.
    id_column : of the cases, where there is no column `case`
    Raises TableError where that column is absent or blank, a measurement stands there twice, or nothing matches.
    """
    which = next((c for c in REPEAT if c in source.columns), None)
    if which is None:
        raise TableError(
            f"{source.name}: no column that tells the measurements apart; name one of {', '.join(REPEAT)}. "
            f"It has {some(source.columns)}"
        )
    cells = source.column(which)
    blank = [str(i) for i, cell in enumerate(cells, 1) if cell.lower() in MISSING]
    if blank:
        raise TableError(f"{source.name}: no {which} in row {some(blank)}; every row needs the name of its measurement")
    names = tuple(dict.fromkeys(cells))
    place = {key: i for i, key in enumerate(_keys(table))}
    values = np.full((len(names), len(table), len(table.columns)), np.nan)
    matched: set[int] = set()
    unmatched: list[str] = []
    for r, name in enumerate(names):
        rows = tuple(row for row, cell in zip(source.rows, cells, strict=True) if cell == name)
        part = replace(source, rows=rows, short=frozenset())
        again = read_features(part, id_column=_key_in(part, id_column), not_features=(which,)).table
        _refuse_doubles(part, again, f"{which} {name}")
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
    same = [names[r] for r in range(len(names)) if _repeated_exactly(table.values, values[r])]
    if same:
        raise TableError(
            f"{source.name}: the measurement {some(same)} equals the feature table in every cell; it is no measurement "
            "again"
        )
    if len(matched) < FEW_AGAIN:
        notes.append(
            f"{source.name}: {len(matched)} rows measured again say little of a feature's reliability; at least "
            f"{FEW_AGAIN} are advised"
        )
    lacking = [c for c, never in zip(table.columns, np.isnan(values).all(axis=(0, 1)), strict=True) if never]
    if lacking:
        notes.append(f"{source.name}: {len(lacking)} features have no value there: {some(lacking)}")
    return Repeats(values, names, tuple(notes))


def _repeated_exactly(first: np.ndarray, again: np.ndarray) -> bool:
    """Whether all that was measured again came out the same to the last digit."""
    both = ~np.isnan(first) & ~np.isnan(again)
    return bool(both.any() and (first[both] == again[both]).all())


def _refuse_doubles(source: TextTable, again: FeatureTable, which: str) -> None:
    """TableError where a row stands twice in one measurement: which of the two is meant cannot be known."""
    label = source.column("label") if "label" in source.columns else ("",) * len(again)
    keys = list(zip(again.case, again.patient, again.roi, label, strict=True))
    twice = sorted({key[0] for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise TableError(
            f"{source.name}: {some(twice)} stand twice in the measurement {which}; one row each is needed, told apart "
            "by roi and label"
        )


def _key_in(source: TextTable, id_column: str) -> str:
    """The key column that was named, if this table has it."""
    return id_column if id_column in source.columns else ""


def _shared(table: FeatureTable, again: FeatureTable, name: str) -> tuple[list[int], list[int]]:
    """Positions of the columns that both have, in the one and in the other."""
    place = {c: i for i, c in enumerate(table.columns)}
    shared = [c for c in again.columns if c in place]
    if not shared:
        raise TableError(f"{name}: none of its columns is a feature of the table, such as {some(table.columns, 3)}")
    theirs = {c: i for i, c in enumerate(again.columns)}
    return [place[c] for c in shared], [theirs[c] for c in shared]


def join_block(
    table: FeatureTable, source: TextTable, name: str, id_column: str = ""
) -> tuple[FeatureTable, tuple[str, ...], tuple[str, ...]]:
    """The table with the columns of another one joined by case, or by patient; those columns; and notes.

    id_column : the key of a table without these columns; matched with the cases where one fits, else with the patients
    A row without a match has gaps there. Raises TableError where a column stands in both, a key is twice, or nothing
    matches.
    """
    file = read_features(source, id_column=_key_in(source, id_column))
    block = file.table
    by_case = "case" in source.columns
    if not by_case and not {"patient", "patient_id"} & set(source.columns):  # by id_column
        by_case = not set(table.case).isdisjoint(block.case)
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
    notes = [f"block {name}: {len(block.columns)} columns of {source.name}", *file.notes]
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
