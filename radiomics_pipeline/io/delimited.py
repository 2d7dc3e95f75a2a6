"""Tables of text: read as people write them, written in one way only.

Read: comma, semicolon or tab, or what Excel's first line `sep=;` names; decimal comma (not in comma-separated files);
byte order mark; UTF-16; gzip; blank cells, NA, NaN and the like are missing. Written: UTF-8, LF, shortest floats that
read back the same, NaN empty.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from radiomics_pipeline.errors import DamagedFile, TableError, did_you_mean, some
from radiomics_pipeline.io.atomic import write_bytes
from radiomics_pipeline.io.compressed import gunzip

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-", ".", "#div/0!"})
"""Cells without a value, in lower case."""
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?[,;\t]*\r?\n', re.IGNORECASE)
"""What Excel writes and reads ahead of a table."""

THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class TextTable:
    """A table as read: every cell a text without surrounding blanks.

    name : of the file, without its folder
    columns : unique; rows : one text a column
    decimal_comma : whether 1,5 may be a number in it
    short : positions of rows that had fewer cells than the header, and were filled up with blank ones
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    decimal_comma: bool
    short: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> tuple[str, ...]:
        """The cells of a column; TableError where there is none of that name."""
        if name not in self.columns:
            hint = did_you_mean(name, self.columns) or f"; it has {some(self.columns)}"
            raise TableError(f"{self.name}: no column {name!r}{hint}")
        at = self.columns.index(name)
        return tuple(row[at] for row in self.rows)

    def numbers(self, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """The cells of a column as float64 [rows], NaN where missing; and the cells that are no numbers (NaN, too)."""
        cells = self.column(name)
        numbers = np.full(len(cells), np.nan)
        texts = []
        points = commas = 0
        for i, cell in enumerate(cells):
            if cell.lower() in MISSING:
                continue
            points += "." in cell
            commas += "," in cell
            number = read_number(cell, decimal_comma=self.decimal_comma)
            if number is None:
                texts.append(cell)
            else:
                numbers[i] = number
        if self.decimal_comma and points and commas and not texts:
            raise TableError(f"{self.name}: column {name!r} mixes decimal commas and decimal points")
        if self.decimal_comma and points and self._in_thousands(cells):
            raise TableError(
                f"{self.name}: column {name!r} holds numbers such as {next(c for c in cells if '.' in c)!r}, which may "
                "mean thousands; write them without points"
            )
        return numbers, tuple(texts)

    def _in_thousands(self, cells: Sequence[str]) -> bool:
        """Whether points in a column may part thousands: so all of them stand, beside whole numbers or commas."""
        if not all(THOUSANDS.fullmatch(cell) for cell in cells if "." in cell and cell not in MISSING):
            return False
        whole = any(cell.lstrip("+-").isdecimal() for cell in cells)
        return whole or any(DECIMAL_COMMA.fullmatch(cell) for row in self.rows for cell in row)


def read_text_table(path: Path, *, short: bool = False) -> TextTable:
    """Any delimited text file with a header, gzip too.

    short : fill up rows with too few cells, and name them, instead of refusing the file
    Raises TableError for a file that is absent, empty, damaged, a workbook, or has ragged rows or a column twice.
    """
    path = Path(path)
    text = _decoded(path)
    named = SEPARATOR_LINE.match(text)
    if named:
        text = text[named.end() :]
    delimiter = named[1] if named else _delimiter(text)
    lines = [
        (reader_line + bool(named), [cell.strip() for cell in row])
        for reader_line, row in _numbered_rows(text, delimiter, path.name)
        if any(cell.strip() for cell in row)
    ]
    if not lines:
        raise TableError(f"{path.name}: the file is empty")
    header = lines[0][1]
    while header and not header[-1] and all(not "".join(row[len(header) - 1 :]) for _, row in lines[1:]):
        header = header[:-1]
    rows: list[tuple[str, ...]] = []
    filled = set()
    for line, row in lines[1:]:
        lacking = len(header) - len(row)
        if (lacking > 0 and not short) or any(row[len(header) :]):
            raise TableError(f"{path.name}, line {line}: {len(row)} cells, the header has {len(header)}")
        if lacking > 0:
            filled.add(len(rows))
        rows.append((*row[: len(header)], *[""] * lacking))
    if not rows:
        raise TableError(f"{path.name}: a header and no rows")
    columns = tuple(name or f"(column {i} without a name)" for i, name in enumerate(header, 1))
    twice = sorted({c for c in columns if columns.count(c) > 1}) if len(set(columns)) < len(columns) else []
    if twice:
        raise TableError(f"{path.name}: column named twice: {some(map(repr, twice))}")
    return TextTable(path.name, columns, tuple(rows), delimiter != ",", frozenset(filled))


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as CSV: UTF-8, LF, the shortest text that gives a float back, an empty cell for NaN and None."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """A text file in one step: whoever reads it sees the old one or the new one, never a part.

    Raises OSError, which names the file itself.
    """
    write_bytes(path, text.encode("utf-8"))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return repr(float(value))
    return str(value)


def _decoded(path: Path) -> str:
    """The file's text."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path.name}: cannot be read ({error.strerror})") from error
    if data[:2] == b"\x1f\x8b":
        try:
            data = gunzip(data, path.name)
        except DamagedFile as error:
            raise TableError(str(error)) from None
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise TableError(f"{path.name}: a workbook; save the sheet as CSV")
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise TableError(f"{path.name}: not a text file")


def _numbered_rows(text: str, delimiter: str, name: str) -> Iterable[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise TableError(f"{name}, line {reader.line_num}: {error}") from error


def _delimiter(text: str) -> str:
    """The one of comma, semicolon and tab that splits the first lines into the most, equally many, cells."""
    start = "\n".join(text.splitlines()[:20])
    best, widest = ",", 1
    for delimiter in (",", ";", "\t"):
        try:
            widths = {len(row) for row in csv.reader(StringIO(start), delimiter=delimiter) if any(row)}
        except csv.Error:
            continue
        if len(widths) == 1 and max(widths) > widest:
            best, widest = delimiter, max(widths)
    if widest > 1 or not start:
        return best
    header = start.splitlines()[0]
    return max((",", ";", "\t"), key=header.count)


def read_number(cell: str, *, decimal_comma: bool) -> float | None:
    """The cell's number; None where it is none."""
    if "_" in cell or not cell.isascii():
        return None
    if decimal_comma and cell.count(",") == 1 and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return None
