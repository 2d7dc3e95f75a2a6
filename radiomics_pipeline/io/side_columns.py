"""Columns of a table of text that no model learns from: centres, dates, scores of readers and indices."""

from __future__ import annotations

import re
from datetime import date

import numpy as np

from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.io.delimited import MISSING, TextTable, read_number


def centres_of(source: TextTable, name: str, rows: np.ndarray) -> tuple[str, ...]:
    """The centre of each row; TableError where one is blank."""
    if not name:
        return ()
    cells = source.column(name)
    blank = [str(i + 1) for i in rows if cells[i].lower() in MISSING]
    if blank:
        raise TableError(f"{source.name}: no {name} in row {some(blank)}; every row needs its centre")
    return tuple(cells[i] for i in rows)


def dates_of(source: TextTable, name: str, rows: np.ndarray) -> np.ndarray | None:
    """What orders the rows in time: days of ISO dates, or plain numbers; TableError for anything else."""
    if not name:
        return None
    column = source.column(name)
    cells = [column[i] for i in rows]
    blank = [str(i + 1) for i in rows if column[i].lower() in MISSING]
    if blank:
        raise TableError(f"{source.name}: no {name} in row {some(blank)}; every row needs its date")
    days = [_day(cell) for cell in cells]
    numbers = [read_number(cell, decimal_comma=source.decimal_comma) for cell in cells]
    as_days = any(day is not None for day in days)
    found = np.array([np.nan if v is None else v for v in (days if as_days else numbers)], np.float64)
    wrong = [cell for cell, v in zip(cells, found, strict=True) if not np.isfinite(v)]
    if wrong:
        raise TableError(
            f"{source.name}: {name!r} holds {some(map(repr, wrong), 3)}; write all dates as YYYY-MM-DD, or all as years"
        )
    return found


def _day(cell: str) -> float | None:
    """Proleptic ordinal of an ISO date, whatever time of day follows; None where the cell is none."""
    try:
        return float(date.fromisoformat(re.split("[T ]", cell, maxsplit=1)[0]).toordinal())
    except ValueError:
        return None


def scores_of(source: TextTable, name: str) -> np.ndarray:
    """Numbers of a reader's or index's column, NaN where missing; TableError for texts."""
    numbers, texts = source.numbers(name)
    if texts:
        raise TableError(f"{source.name}: {name!r} holds {some(map(repr, texts), 3)}; a score to compare is a number")
    return numbers
