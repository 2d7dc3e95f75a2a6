"""Cases as a table: one row a case, one column a file.

A `cases.csv` of any name: columns `case`, `patient`, then `<SERIES>_image` and, optional, `<SERIES>_mask`, `_label`,
`_roi`, `_references`, `_gates`, `_dose_mbq`, `_injected`, and of the patient `weight_kg`, `height_m`, `sex`,
`glucose_mmol_l`, `earl`. Or a batch table of PyRadiomics: columns `Image`, `Mask` and, optional, `Label`, spelled so.
Paths from the table's folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from radiomics_pipeline.batch.pyradiomics_csv import batch_cases, short_row
from radiomics_pipeline.batch.study import Case, SeriesFiles, Study, natural
from radiomics_pipeline.errors import StudyError, TableError, did_you_mean
from radiomics_pipeline.io.delimited import MISSING, TextTable, read_number, read_text_table
from radiomics_pipeline.types.columns import PART

PATHS = ("image", "mask", "references", "gates")
OF_SERIES = ("label", "roi")
SERIES_FACTS = ("dose_mbq", "injected")
CASE_FACTS = ("weight_kg", "height_m", "sex", "glucose_mmol_l", "earl")
"""What a table may say of an acquisition, of a series and of a patient."""
_KNOWN = ("case", "patient", "patient_id", "day", "notes", *CASE_FACTS)
NUMBERS = {"dose_mbq": (0.1, 50_000), "weight_kg": (1, 650), "height_m": (0.3, 2.6), "glucose_mmol_l": (0.5, 40)}
"""What can be meant: beyond it a number stands in another unit, such as Bq, g, cm or mg/dl."""
WORDS = {"sex": ("M", "F", "O"), "earl": ("EARL1", "EARL2", "NONE", "1", "2")}
_COLUMN = re.compile(rf"(?:(?P<series>{PART.pattern})_)?(?P<kind>{'|'.join((*PATHS, *OF_SERIES, *SERIES_FACTS))})")


def study_of_table(path: Path, name: str, *, batch: bool = False) -> Study:
    """The study of a table; `batch`: it may be one of PyRadiomics."""
    try:
        table = read_text_table(path, short=True)
    except TableError as e:
        raise StudyError(str(e)) from None
    of_batch = batch and {"Image", "Mask"} <= set(table.columns)
    cases, notes = batch_cases(table, path.parent) if of_batch else _table_cases(table, path.parent)
    return Study(path.parent, tuple(sorted(cases, key=lambda case: natural(case.name))), tuple(notes), name)


def _table_cases(table: TextTable, root: Path) -> tuple[list[Case], list[str]]:
    """The cases of a cases.csv, and notes."""
    columns, notes = _series_columns(table.name, table.columns)
    cases = []
    seen: dict[str, int] = {}
    for number, row in enumerate(table.rows, 1):
        cells = dict(zip(table.columns, row, strict=True))
        name = cells["case"]
        if not name:
            raise StudyError(f"{table.name}, row {number}: no name in column 'case'")
        if name in seen:
            raise StudyError(
                f"{table.name}: case {name!r} stands in rows {seen[name]} and {number}; give each its own name, "
                "the column 'patient' says that they belong together"
            )
        seen[name] = number
        place, cut = f"{table.name}, row {number}", short_row(table, number)
        facts, wrong = _facts(table, cells, CASE_FACTS)
        series = []
        for token, kinds in columns.items():
            text = {kind: cells[column] for kind, column in kinds.items()}
            if cut or any(text.get(kind) for kind in PATHS):
                own, also_wrong = _facts(table, text, SERIES_FACTS)
                problem = cut or (f"{place}: {wrong or also_wrong}" if wrong or also_wrong else "")
                found = {**facts, **own}
                series.append(_files(token, text, root, place=place, problem=problem, facts=found))
        cases.append(Case(name, cells.get("patient") or cells.get("patient_id") or name, tuple(series)))
    return cases, notes


def _files(
    token: str, text: dict[str, str], root: Path, *, place: str, problem: str, facts: dict[str, str]
) -> SeriesFiles:
    """One series of one row."""
    stem = f"{token}_" if token else ""
    paths = {kind: root / text[kind] for kind in PATHS if text.get(kind)}
    label, roi = (text.get(kind, "") for kind in OF_SERIES)
    return SeriesFiles(
        token,
        paths.get("image", root),
        paths.get("mask"),
        label=label,
        roi=roi,
        problem=problem or ("" if "image" in paths else f"{place}: no {stem}image"),
        place=place,
        references=paths.get("references"),
        gates=paths.get("gates"),
        without_mask=f"{place}: no {stem}mask",
        facts=facts,
    )


def _facts(table: TextTable, cells: dict[str, str], names: Sequence[str]) -> tuple[dict[str, str], str]:
    """What a row says of the acquisition, numbers with a decimal point; and what is wrong with it, empty if nothing."""
    found: dict[str, str] = {}
    for name in names:
        cell = cells.get(name, "")
        if cell.lower() in MISSING:
            continue
        number = read_number(cell, decimal_comma=table.decimal_comma)
        if name in NUMBERS:
            low, high = NUMBERS[name]
            if number is None or not low <= number <= high:
                return found, f"{name} is {cell!r}; it must be a number from {low:g} to {high:g}"
            found[name] = repr(number)
        elif name in WORDS and re.sub(r"[ _-]", "", cell).upper() not in WORDS[name]:
            return found, f"{name} is {cell!r}; it must be one of {', '.join(WORDS[name])}"
        else:
            found[name] = cell
    return found, ""


def _series_columns(table: str, header: Sequence[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Columns of each series by kind, and notes on columns that mean nothing here."""
    if "case" not in header:
        hint = f"it has {', '.join(header)}"
        if {"image", "mask"} & {column.lower() for column in header}:
            hint += "; a batch table of PyRadiomics has 'Image' and 'Mask', spelled so, and is given by its path"
        raise StudyError(f"{table}: no column 'case'; {hint}")
    columns: dict[str, dict[str, str]] = {}
    ignored = []
    for column in header:
        match = _COLUMN.fullmatch(column)
        if match:
            columns.setdefault(match["series"] or "", {})[match["kind"]] = column
        elif column not in _KNOWN and not column.endswith("_mask_candidates"):
            ignored.append(column)
    for token, kinds in columns.items():
        if "image" not in kinds:
            stem = f"{token}_" if token else ""
            raise StudyError(f"{table}: column {stem}image is missing beside {', '.join(kinds.values())}")
    if not columns:
        raise StudyError(f"{table}: no columns <SERIES>_image and <SERIES>_mask; it has {', '.join(header)}")
    kinds_ = (*PATHS, *OF_SERIES, *SERIES_FACTS)
    meant = [*CASE_FACTS, *(f"{token}_{kind}" if token else kind for token in columns for kind in kinds_)]
    return columns, [f"{table}: column {c!r} is not used{did_you_mean(c, meant)}" for c in ignored]
