"""Tables of label names: 3D Slicer, ITK-SNAP, BIDS, nnU-Net and plain JSON."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from typing import Any

from radiomics_pipeline.errors import DamagedFile

_NUMBER = r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?"
_SNAP = re.compile(rf'\s*(\d+)(?:\s+{_NUMBER}){{3}}(?:\s+{_NUMBER}\s+\d\s+\d)?\s+"(.*)"\s*')
"""ITK-SNAP: index, red, green, blue, alpha, visible, mesh visible, "name"."""

_SLICER = re.compile(rf"\s*(\d+)\s+(\S(?:.*\S)?)(?:\s+{_NUMBER}){{4}}\s*")
"""3D Slicer, discrete colour table: index, name, red, green, blue, opacity."""

_UNNAMED = frozenset({"", "(none)", "invalid"})
_COLUMNS = (("index", "name"), ("labelvalue", "name"))
"""Of a BIDS lookup table, and of a colour table of 3D Slicer as CSV; in lower case."""


def read_table(data: bytes, file: str) -> dict[int, str]:
    """Names by label; empty for a file that is no table of labels. DamagedFile for one that is, but cannot be read.

    file : its name, whose ending says what it may be
    """
    lower = file.lower()
    text = _text(data, file)
    if lower.endswith(".json"):
        return _json(text, file)
    if lower.endswith((".tsv", ".csv")):
        return _delimited(text, file, "\t" if lower.endswith(".tsv") else ",")
    return _lines(text, file, required=lower.endswith((".ctbl", ".label")))


def _text(data: bytes, file: str) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DamagedFile(f"{file}: not a text file; export the table of labels again")


def _lines(text: str, file: str, *, required: bool) -> dict[int, str]:
    """A colour table of 3D Slicer or a label description of ITK-SNAP."""
    head = text[:2000].lower()
    if "color procedural file" in head:
        raise DamagedFile(f"{file}: a continuous colour scale, not a table of labels; export the segments' own table")
    announced = required or "itk-snap label description" in head or head.startswith("# color table file")
    found: dict[int, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fits = _SNAP.fullmatch(line) or _SLICER.fullmatch(line)
        if not fits:
            if not announced and not found:
                return {}
            raise DamagedFile(f"{file}, line {number}: neither a label of 3D Slicer nor of ITK-SNAP; export it again")
        _add(found, int(fits[1]), fits[2], f"{file}, line {number}")
    return found


def _delimited(text: str, file: str, delimiter: str) -> dict[int, str]:
    try:
        rows = [row for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise DamagedFile(f"{file}: not a table ({error}); export it again") from None
    columns = [cell.strip().lower() for cell in rows[0]] if rows else []
    for index, name in _COLUMNS:
        if index not in columns:
            continue
        if name not in columns:
            raise DamagedFile(f"{file}: a column {index!r}, but none {name!r}; add the names of the labels")
        found: dict[int, str] = {}
        for number, row in enumerate(rows[1:], 2):
            cells = dict(zip(columns, row, strict=False))
            _add(found, _whole(cells.get(index, ""), f"{file}, row {number}"), cells.get(name, ""),
                 f"{file}, row {number}")  # fmt: skip
        return found
    return {}


def _json(text: str, file: str) -> dict[int, str]:
    """Names by number, at the top or under "labels", or there numbers by name; empty for any other JSON."""
    try:
        content: Any = json.loads(text)
    except ValueError:
        raise DamagedFile(f"{file}: not JSON; export the table of labels again") from None
    inner = content.get("labels") if isinstance(content, dict) else None
    table = inner if isinstance(inner, dict) else content
    if not isinstance(table, dict) or not table:
        return {}
    found: dict[int, str] = {}
    by_number = all(key.strip().isdecimal() for key in table)
    if by_number and all(isinstance(name, str) for name in table.values()):
        for key, name in table.items():
            _add(found, int(key), name, file)
    elif isinstance(inner, dict) and all(isinstance(n, int) and not isinstance(n, bool) for n in table.values()):
        for name, number in table.items():
            _add(found, number, name, file)
    elif isinstance(inner, dict) and not any(isinstance(n, list) for n in table.values()):
        raise DamagedFile(f"{file}: 'labels' gives neither names by number nor numbers by name; correct it")
    return found


def _add(found: dict[int, str], label: int, name: str, place: str) -> None:
    name = name.strip()
    if label < 1 or name.lower() in _UNNAMED:
        return
    if found.setdefault(label, name) != name:
        raise DamagedFile(f"{place}: label {label} is {name!r}, but {found[label]!r} before; correct the table")


def _whole(cell: str, place: str) -> int:
    try:
        return int(cell.strip())
    except ValueError:
        raise DamagedFile(f"{place}: {cell!r} is no whole number; a label is meant") from None
