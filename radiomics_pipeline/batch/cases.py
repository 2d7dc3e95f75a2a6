"""Which cases a study holds, and which files belong to each.

A folder: either its `cases.csv` says so (columns `case`, `patient`, then `<SERIES>_image`, `<SERIES>_mask` and,
optional, `<SERIES>_label`; paths from the folder), or the folders in it do: one folder a case with
`<SERIES>_image.nii.gz` and `<SERIES>_mask.nii.gz`, or `image.*` and `mask.*`.

A table: such a `cases.csv` of any name, or a batch table of PyRadiomics: one row a case, columns `Image`, `Mask`
and, optional, `Label`, spelled so; paths from the table's folder, as PyRadiomics takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from radiomics_pipeline.errors import StudyError, TableError, did_you_mean, some
from radiomics_pipeline.io.delimited import TextTable, read_text_table
from radiomics_pipeline.io.volumes import has_volume_suffix
from radiomics_pipeline.types.columns import PART
from radiomics_pipeline.types.table import KEYS

TABLE = "cases.csv"
_PART = re.compile(rf"(?:(?P<series>{PART.pattern})_)?(?P<kind>image|mask)", re.IGNORECASE)
_COLUMN = re.compile(rf"(?:(?P<series>{PART.pattern})_)?(?P<kind>image|mask|label)")
_CASE_NAMES = ("case", "caseid", "id")
_PATIENT_NAMES = ("patient", "patientid", "subject", "subjectid")


@dataclass(frozen=True)
class SeriesFiles:
    """Files of one series of a case; `problem` says why it cannot be used, empty where nothing is wrong.

    series : its name, empty where the files are just `image` and `mask`
    label : what the table of cases says: a number, "all", or empty
    place : where it says so, for messages
    """

    series: str
    image: Path
    mask: Path
    label: str = ""
    problem: str = ""
    place: str = ""


@dataclass(frozen=True)
class Case:
    """One case: a patient at one time, with one or more image series.

    extra : further cells of its row in a batch table of PyRadiomics, by column; never features
    """

    name: str
    patient: str
    series: tuple[SeriesFiles, ...]
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """Cases of a study in the order of their names, and what was passed over (`notes`).

    root : its folder; of a table that was named by its path, the folder of that
    name : of the folder or the table, as messages call the study
    """

    root: Path
    cases: tuple[Case, ...]
    notes: tuple[str, ...]
    name: str

    def only(self, names: Iterable[str]) -> Study:
        """The study with only these cases; StudyError for a name it does not have."""
        wanted = list(dict.fromkeys(names))
        known = {case.name: case for case in self.cases}
        missing = [name for name in wanted if name not in known]
        if missing:
            raise StudyError(f"{self.name}: no case {', '.join(map(repr, missing))}; there are {some(known, 5)}")
        kept = tuple(case for case in self.cases if case.name in wanted)
        return replace(self, cases=kept)


def find_study(path: Path) -> Study:
    """The cases of a study, a folder or a table; StudyError where it has none or its table cannot be used."""
    try:
        study = _study_at(path)
    except OSError as e:
        raise StudyError(
            f"{path.absolute().name}: cannot be read ({e.strerror}); ask for the right to read it"
        ) from None
    for text in (text for case in study.cases for text in (case.name, case.patient)):
        if not text.isprintable():
            raise StudyError(f"{study.name}: the name {text!r} holds characters that no table can; rename it")
    if not study.cases:
        raise StudyError(
            f"{study.name}: no case found; expected {TABLE}, or one folder a case with <SERIES>_image.nii.gz and "
            "<SERIES>_mask.nii.gz (or image.* and mask.*)"
        )
    return study


def _study_at(path: Path) -> Study:
    if path.is_file():
        return _from_table(path, path.name, batch=True)
    if not path.is_dir():
        raise StudyError(f"{path}: no such folder or table of cases")
    if (path / TABLE).is_file():
        return _from_table(path / TABLE, path.absolute().name)
    return _from_folders(path)


def _from_folders(root: Path) -> Study:
    found: dict[str, tuple[SeriesFiles, ...]] = {}
    locked: dict[str, str] = {}
    notes = []
    for folder in sorted((p for p in root.iterdir() if not p.name.startswith(".")), key=_natural):
        try:
            series = _series_in(folder) if folder.is_dir() else None
        except OSError as e:
            locked[folder.name] = f"folder {folder.name}: cannot be read ({e.strerror}); ask for the right to read it"
            continue
        if series:
            found[folder.name] = series
        elif series is not None:
            notes.append(f"folder {folder.name}: no <SERIES>_image or image file; passed over")
    tokens = sorted({files.series for series in found.values() for files in series})
    if locked and not tokens:
        raise StudyError(f"{root.absolute().name}: {some(locked.values(), 3)}")
    for name, problem in locked.items():
        found[name] = tuple(SeriesFiles(token, root / name, root / name, problem=problem) for token in tokens)
    cases = (Case(name, name, found[name]) for name in sorted(found, key=_natural_text))
    return Study(root, tuple(cases), tuple(notes), root.absolute().name)


def _series_in(folder: Path) -> tuple[SeriesFiles, ...]:
    """The series whose files lie in a case's folder."""
    files: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(folder.iterdir()):
        match = _PART.fullmatch(_stem(path)) if has_volume_suffix(path) else None
        if match and not path.name.startswith("."):
            kinds = files.setdefault(match["series"] or "", {"image": [], "mask": []})
            kinds[match["kind"].lower()].append(path)
    return tuple(_one_series(name, folder, kinds) for name, kinds in sorted(files.items()))


def _one_series(series: str, folder: Path, kinds: dict[str, list[Path]]) -> SeriesFiles:
    stem = f"{series}_" if series else ""
    problem = ""
    for kind, found in kinds.items():
        if len(found) > 1:
            problem = f"two files for one {kind}: {', '.join(p.name for p in found)}; keep one"
        elif not found:
            problem = f"{folder.name}/{stem}{kind}.*: no such file beside the series' other one"
    image, mask = (kinds[k][0] if kinds[k] else folder / f"{stem}{k}" for k in ("image", "mask"))
    return SeriesFiles(series, image, mask, problem=problem)


def _from_table(path: Path, name: str, *, batch: bool = False) -> Study:
    """The study of a table; `batch`: it may be one of PyRadiomics."""
    try:
        table = read_text_table(path, short=True)
    except TableError as e:
        raise StudyError(str(e)) from None
    of_batch = batch and {"Image", "Mask"} <= set(table.columns)
    cases, notes = _batch_cases(table, path.parent) if of_batch else _table_cases(table, path.parent)
    return Study(path.parent, tuple(sorted(cases, key=lambda case: _natural_text(case.name))), tuple(notes), name)


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
        series = []
        place, short = f"{table.name}, row {number}", _short(table, number)
        for token, kinds in columns.items():
            image, mask, label = (cells.get(kinds.get(k, ""), "") for k in ("image", "mask", "label"))
            if not image and not mask and not short:
                continue
            missing = "image" if not image else "mask" if not mask else ""
            problem = f"{place}: no {token}{'_' if token else ''}{missing}" if missing else ""
            series.append(SeriesFiles(token, root / image, root / mask, label, short or problem, place))
        cases.append(Case(name, cells.get("patient") or cells.get("patient_id") or name, tuple(series)))
    return cases, notes


def _batch_cases(table: TextTable, root: Path) -> tuple[list[Case], list[str]]:
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
        problem = _short(table, number) or problem
        files = SeriesFiles("", root / cells["Image"], root / cells["Mask"], cells.get("Label", ""), problem, place)
        extra = {_unlike_ours(column, table.columns): cells[column] for column in further}
        cases.append(Case(names[number - 1], patients[number - 1], (files,), extra))
    return cases, notes


def _short(table: TextTable, number: int) -> str:
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
        elif column not in ("case", "patient", "patient_id"):
            ignored.append(column)
    for token, kinds in columns.items():
        for kind in ("image", "mask"):
            if kind not in kinds:
                stem = f"{token}_" if token else ""
                raise StudyError(f"{table}: column {stem}{kind} is missing beside {', '.join(kinds.values())}")
    if not columns:
        raise StudyError(f"{table}: no columns <SERIES>_image and <SERIES>_mask; it has {', '.join(header)}")
    meant = [f"{token}_{kind}" if token else kind for token in columns for kind in ("image", "mask", "label")]
    return columns, [f"{table}: column {c!r} is not used{did_you_mean(c, meant)}" for c in ignored]


def _stem(path: Path) -> str:
    name = path.name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else path.stem


def _natural(path: Path) -> list[tuple[int, str]]:
    return _natural_text(path.name)


def _natural_text(text: str) -> list[tuple[int, str]]:
    """A sorting key by which case 2 comes before case 10."""
    parts = [(len(part), part) if part.isdecimal() else (-1, part) for part in re.split(r"0*(\d+)", text)]
    return [*parts, (-2, text)]
