"""Cases in a batch table of PyRadiomics: one row a case, columns `Image`, `Mask` and, optional, `Label`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from radiomics_pipeline.batch.study import Case, SeriesFiles
from radiomics_pipeline.errors import did_you_mean, some
from radiomics_pipeline.io.delimited import TextTable
from radiomics_pipeline.types.table import KEYS

_CASE_NAMES = ("case", "caseid", "id")
_PATIENT_NAMES = ("patient", "patientid", "subject", "subjectid")


def batch_cases(table: TextTable, root: Path) -> tuple[list[Case], list[str]]:
    """The cases of a batch table of PyRadiomics, and notes."""
    names, patients, keys, notes = _batch_names(table)
    further = [c for c in table.columns if c not in ("Image", "Mask", "Label", "Label_channel", *keys)]
    if "Label_channel" in table.columns:
        notes.append(f"{table.name}: column 'Label_channel' is not used; masks with several channels are refused")
    if further:
        notes.append(f"{table.name}: written to diagnostics.csv, no features: {some(map(repr, further))}")
    hints = ((column, did_you_mean(column, ("Label",))) for column in further)
    notes += [f"{table.name}: column {column!r} chooses no label{hint}" for column, hint in hints if hint]
    cases = []
    for number, row in enumerate(table.rows, 1):
        cells = dict(zip(table.columns, row, strict=True))
        empty = [kind for kind in ("Image", "Mask") if not cells[kind]]
        place = f"{table.name}, row {number}"
        problem = f"{place}: no {' and no '.join(empty)}; give its path" if empty else ""
        problem = short_row(table, number) or problem
        image, mask = root / cells["Image"], root / cells["Mask"]
        files = SeriesFiles("", image, mask, cells.get("Label", ""), problem, place)
        extra = {_unlike_ours(column, table.columns): cells[column] for column in further}
        cases.append(Case(names[number - 1], patients[number - 1], (files,), extra))
    return cases, notes


def short_row(table: TextTable, number: int) -> str:
    """What is wrong with a row, from 1, that lacks cells: which ones nobody knows, so none of it is used."""
    if number - 1 not in table.short:
        return ""
    return f"{table.name}, row {number}: fewer cells than the header's {len(table.columns)}; write empty ones, too"


def _unlike_ours(column: str, others: Sequence[str]) -> str:
    """A further column's name in diagnostics.csv, where some columns are ours."""
    name = column
    while name in KEYS or name.startswith("diagnostics_") or (name != column and name in others):
        name = f"input_{name}"
    return name


def _batch_names(table: TextTable) -> tuple[Sequence[str], Sequence[str], list[str], list[str]]:
    """Name and patient of each row of a batch table, the columns that they come from, and notes.

    A column ID, Case or Patient names the cases where it names each row once; else their row does, as in PyRadiomics.
    An ID that comes again is the patient's: rows that share it are never torn apart.
    """
    known = {re.sub(r"[\s_-]", "", column).lower(): column for column in reversed(table.columns)}
    ids, people = ([known[key] for key in keys if key in known] for keys in (_CASE_NAMES, _PATIENT_NAMES))
    naming = [c for c in (*ids, *people) if "" not in table.column(c) and len(set(table.column(c))) == len(table)][:1]
    notes = []
    names: Sequence[str] = [f"Case-{number}" for number in range(1, len(table) + 1)]
    if naming:
        names = table.column(naming[0])
    else:
        notes.append(f"{table.name}: cases are named by their row; no column ID, Case or Patient names each row once")
    belonging = (people or [c for c in ids if c not in naming])[:1]
    if belonging and not people:
        notes.append(
            f"{table.name}: column {belonging[0]!r} is taken for the patient, as it does not name each row once"
        )
    patients = [of or name for of, name in zip(table.column(belonging[0]) if belonging else names, names, strict=True)]
    return names, patients, [*naming, *belonging], notes
