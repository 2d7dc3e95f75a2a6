"""Text tables: read as people write them, written in one way only."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.io.compressed import gunzip


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table in CSV: comma, semicolon or tab; UTF-8 with or without a mark; gzip.

    Cells are stripped of blanks; empty lines are skipped. Raises TableError for an unreadable file, a header
    that names a column twice, and a row that is longer than the header.
    """
    name = path.name
    try:
        data = path.read_bytes()
    except OSError as e:
        raise TableError(f"{path}: cannot be read ({e.strerror})") from None
    if data[:2] == b"\x1f\x8b":
        data = gunzip(data, name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{name}: not a text in UTF-8; save it as CSV in UTF-8") from None
    lines = [[cell.strip() for cell in row] for row in csv.reader(StringIO(text), delimiter=_delimiter(text))]
    filled = [(number, row) for number, row in enumerate(lines, 1) if any(row)]
    if not filled:
        raise TableError(f"{name}: the table is empty")
    header = filled[0][1]
    while header and not header[-1]:
        header.pop()
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise TableError(f"{name}: two columns are named {', '.join(map(repr, twice))}")
    rows = []
    for number, row in filled[1:]:
        if any(row[len(header) :]):
            raise TableError(f"{name}, line {number}: {len(row)} cells, but the header has {len(header)}")
        rows.append((row + [""] * len(header))[: len(header)])
    return header, rows


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as CSV: UTF-8, LF, the shortest text that gives a float back, an empty cell for NaN and None."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """A text file in one step: whoever reads it sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(text.encode("utf-8"))
    part.replace(path)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return repr(float(value))
    return str(value)
