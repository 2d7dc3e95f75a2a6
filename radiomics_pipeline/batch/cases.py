"""Which cases a study folder holds, and which files belong to each.

Either `cases.csv` says so (columns `case`, `patient`, then `<SERIES>_image`, `<SERIES>_mask` and, optional,
`<SERIES>_label`; paths from the study folder), or the folders do: one folder a case with
`<SERIES>_image.nii.gz` and `<SERIES>_mask.nii.gz`, or `image.*` and `mask.*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from radiomics_pipeline.errors import StudyError, TableError, did_you_mean, some
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.volumes import has_volume_suffix
from radiomics_pipeline.types.columns import PART

TABLE = "cases.csv"
_PART = re.compile(rf"(?:(?P<series>{PART.pattern})_)?(?P<kind>image|mask)", re.IGNORECASE)
_COLUMN = re.compile(rf"(?:(?P<series>{PART.pattern})_)?(?P<kind>image|mask|label)")


@dataclass(frozen=True)
class SeriesFiles:
    """Files of one series of a case; `problem` says why it cannot be used, empty where nothing is wrong.

    series : its name, empty where the files are just `image` and `mask`
    label : what cases.csv says: a number, "all", or empty
    """

    series: str
    image: Path
    mask: Path
    label: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Case:
    """One case: a patient at one time, with one or more image series."""

    name: str
    patient: str
    series: tuple[SeriesFiles, ...]


@dataclass(frozen=True)
class Study:
    """Cases of a study folder in the order of their names, and what was passed over (`notes`)."""

    root: Path
    cases: tuple[Case, ...]
    notes: tuple[str, ...]

    def only(self, names: Iterable[str]) -> Study:
        """The study with only these cases; StudyError for a name it does not have."""
        wanted = list(dict.fromkeys(names))
        known = {case.name: case for case in self.cases}
        missing = [name for name in wanted if name not in known]
        if missing:
            raise StudyError(f"{self.root.name}: no case {', '.join(map(repr, missing))}; there are {some(known, 5)}")
        kept = tuple(case for case in self.cases if case.name in wanted)
        return Study(self.root, kept, self.notes)


def find_study(root: Path) -> Study:
    """The cases of a study folder; StudyError where it has none or its cases.csv cannot be used."""
    if not root.is_dir():
        raise StudyError(f"{root}: no such folder")
    study = _from_table(root) if (root / TABLE).is_file() else _from_folders(root)
    for text in (text for case in study.cases for text in (case.name, case.patient)):
        if not text.isprintable():
            raise StudyError(f"{root.name}: the name {text!r} holds characters that no table can; rename it")
    if not study.cases:
        raise StudyError(
            f"{root.name}: no case found; expected {TABLE}, or one folder a case with <SERIES>_image.nii.gz and "
            "<SERIES>_mask.nii.gz (or image.* and mask.*)"
        )
    return study


def _from_folders(root: Path) -> Study:
    cases, notes = [], []
    for folder in sorted((p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")), key=_natural):
        files: dict[str, dict[str, list[Path]]] = {}
        for path in sorted(folder.iterdir()):
            match = _PART.fullmatch(_stem(path)) if has_volume_suffix(path) else None
            if match and not path.name.startswith("."):
                kinds = files.setdefault(match["series"] or "", {"image": [], "mask": []})
                kinds[match["kind"].lower()].append(path)
        if not files:
            notes.append(f"folder {folder.name}: no <SERIES>_image or image file; passed over")
            continue
        series = tuple(_one_series(name, folder, kinds) for name, kinds in sorted(files.items()))
        cases.append(Case(folder.name, folder.name, series))
    return Study(root, tuple(cases), tuple(notes))


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


def _from_table(root: Path) -> Study:
    try:
        table = read_text_table(root / TABLE)
    except TableError as e:
        raise StudyError(str(e)) from None
    columns, notes = _series_columns(table.columns)
    cases = []
    seen: dict[str, int] = {}
    for number, row in enumerate(table.rows, 1):
        cells = dict(zip(table.columns, row, strict=True))
        name = cells["case"]
        if not name:
            raise StudyError(f"{TABLE}, row {number}: no name in column 'case'")
        if name in seen:
            raise StudyError(
                f"{TABLE}: case {name!r} stands in rows {seen[name]} and {number}; give each its own name, "
                "the column 'patient' says that they belong together"
            )
        seen[name] = number
        series = []
        for token, kinds in columns.items():
            image, mask, label = (cells.get(kinds.get(k, ""), "") for k in ("image", "mask", "label"))
            if not image and not mask:
                continue
            missing = "image" if not image else "mask" if not mask else ""
            problem = f"{TABLE}, row {number}: no {token}{'_' if token else ''}{missing}" if missing else ""
            series.append(SeriesFiles(token, root / image, root / mask, label, problem))
        cases.append(Case(name, cells.get("patient") or cells.get("patient_id") or name, tuple(series)))
    return Study(root, tuple(sorted(cases, key=lambda case: _natural_text(case.name))), tuple(notes))


def _series_columns(header: Sequence[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Columns of each series by kind, and notes on columns that mean nothing here."""
    if "case" not in header:
        raise StudyError(f"{TABLE}: no column 'case'; it has {', '.join(header)}")
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
                raise StudyError(f"{TABLE}: column {stem}{kind} is missing beside {', '.join(kinds.values())}")
    if not columns:
        raise StudyError(f"{TABLE}: no columns <SERIES>_image and <SERIES>_mask; it has {', '.join(header)}")
    meant = [f"{token}_{kind}" if token else kind for token in columns for kind in ("image", "mask", "label")]
    return columns, [f"{TABLE}: column {c!r} is not used{did_you_mean(c, meant)}" for c in ignored]


def _stem(path: Path) -> str:
    name = path.name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else path.stem


def _natural(path: Path) -> list[tuple[int, str]]:
    return _natural_text(path.name)


def _natural_text(text: str) -> list[tuple[int, str]]:
    """A sorting key by which case 2 comes before case 10."""
    parts = [(len(part), part) if part.isdecimal() else (-1, part) for part in re.split(r"0*(\d+)", text)]
    return [*parts, (-2, text)]
