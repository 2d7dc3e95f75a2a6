"""Cases as folders: one folder a case, with the files of its series, or a folder of DICOM files for each series.

P001/PET_image.nii.gz  PET_mask.nii.gz  PET_references.nii.gz       or image.*, mask.*
P001/PET/ (DICOM)      CT/ (DICOM)      and anywhere in P001 an RTSTRUCT or SEG that refers to them
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from radiomics_pipeline.batch.study import Case, SeriesFiles, Study, natural
from radiomics_pipeline.errors import StudyError, TableError, some
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.dicom.peek import peek
from radiomics_pipeline.io.volumes import has_volume_suffix
from radiomics_pipeline.types.columns import FAMILIES, PART

KINDS = ("image", "mask", "references", "gates")
_FILE = re.compile(rf"(?:(?P<series>{PART.pattern})_)?(?P<kind>{'|'.join(KINDS)})", re.IGNORECASE)
FETCHED = "fetched.csv"
"""What `fetch` has written of a study: a case and its patient in each row."""
_TRIED = 20
"""Files of a folder that are looked into before it is taken for one without DICOM images."""


def study_of_folders(root: Path) -> Study:
    """The cases in the folders of a study; StudyError where none of them can be listed."""
    found: dict[str, tuple[SeriesFiles, ...]] = {}
    locked: dict[str, str] = {}
    notes: list[str] = []
    for folder in sorted((p for p in root.iterdir() if not p.name.startswith(".")), key=lambda p: natural(p.name)):
        try:
            series = _series_in(folder, notes) if folder.is_dir() else None
        except OSError as e:
            locked[folder.name] = f"folder {folder.name}: cannot be read ({e.strerror}); ask for the right to read it"
            continue
        if series:
            found[folder.name] = series
        elif series is not None:
            notes.append(
                f"folder {folder.name}: no <SERIES>_image or image file, and no folder with a DICOM series; passed over"
            )
    tokens = sorted({files.series for series in found.values() for files in series})
    if locked and not tokens:
        raise StudyError(f"{root.absolute().name}: {some(locked.values(), 3)}")
    for name, problem in locked.items():
        found[name] = tuple(SeriesFiles(token, root / name, None, problem=problem) for token in tokens)
    patients = _patients(root)
    cases = (Case(name, patients.get(name, name), found[name]) for name in sorted(found, key=natural))
    return Study(root, tuple(cases), tuple(notes), root.absolute().name)


def _patients(root: Path) -> dict[str, str]:
    """Whose each case is, where `fetch` has written it down; else every folder is a patient of its own."""
    if not (root / FETCHED).is_file():
        return {}
    try:
        table = read_text_table(root / FETCHED)
        return dict(zip(table.column("case"), table.column("patient"), strict=True))
    except TableError as e:
        raise StudyError(str(e)) from None


def _series_in(folder: Path, notes: list[str]) -> tuple[SeriesFiles, ...]:
    """The series whose files lie in a case's folder."""
    files: dict[str, dict[str, list[Path]]] = {}
    dicom: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        match = _FILE.fullmatch(_stem(path)) if has_volume_suffix(path) else None
        if match:
            kinds = files.setdefault(match["series"] or "", {kind: [] for kind in KINDS})
            kinds[match["kind"].lower()].append(path)
        elif path.is_dir() and PART.fullmatch(path.name) and path.name not in FAMILIES and _holds_images(path):
            dicom[path.name] = path
    both = sorted(set(dicom) & {name for name, kinds in files.items() if kinds["image"]})
    if both:
        notes.append(
            f"folder {folder.name}: {', '.join(both)} as a file and as a folder of DICOM; the file is taken, "
            "remove one of them"
        )
    names = sorted({name for name, kinds in files.items() if kinds["image"] or name not in dicom} | set(dicom))
    return tuple(_one_series(name, folder, files.get(name, {}), dicom.get(name)) for name in names)


def _one_series(series: str, folder: Path, kinds: dict[str, list[Path]], dicom: Path | None) -> SeriesFiles:
    stem = f"{series}_" if series else ""
    problem = ""
    for kind, found in kinds.items():
        if len(found) > 1:
            problem = f"two files for one {kind}: {', '.join(p.name for p in found)}; keep one"
    image, mask, references, gates = (next(iter(kinds.get(kind, ())), None) for kind in KINDS)
    if image is None and dicom is None:
        problem = problem or f"{folder.name}/{stem}image.*: no such file beside the series' other one"
    lacking = f"{folder.name}/{stem}mask.*: no such file beside the series' other one"
    if image is None and dicom is not None:
        lacking = f"{folder.name}: no {stem}mask file, and no RTSTRUCT or SEG that refers to its {series} images"
    return SeriesFiles(
        series,
        image or dicom or folder / f"{stem}image",
        mask,
        problem=problem,
        references=references,
        gates=gates,
        search=folder if image is None else None,
        without_mask=lacking,
    )


def _holds_images(folder: Path) -> bool:
    """Whether one of the first files in a folder is a DICOM image."""
    return any(peek(path) == "image" for path in islice(files_below(folder), _TRIED))


def files_below(folder: Path) -> Iterator[Path]:
    """All files in a folder and its folders, but hidden ones, in the order of their paths."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from files_below(path)
        else:
            yield path


def _stem(path: Path) -> str:
    name = path.name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else path.stem
