"""An index as cases.csv, which `find_study` reads; beside it the lists of files that it names."""

from __future__ import annotations

import os
from pathlib import Path

from radiomics_pipeline.batch.index import Index, IndexedSeries
from radiomics_pipeline.errors import StudyError
from radiomics_pipeline.io.delimited import write_rows, write_text


def write_index(index: Index, out: Path, *, overwrite: bool = False) -> None:
    """The table and its lists; StudyError where there is a table already, which may hold changes by hand."""
    if out.exists() and not overwrite:
        raise StudyError(f"{out.name}: there is such a table already; name another one, or overwrite it")
    for case in index.cases:
        for series in case.series.values():
            if series.listed:
                write_text(series.image, "".join(f"{_relative(path, series.image)}\n" for path in series.listed))
    write_rows(out, *rows_of(index, out))


def rows_of(index: Index, out: Path) -> tuple[list[str], list[list[object]]]:
    """Header and rows of the table; paths from its folder."""
    several = {name for case in index.cases for name, series in case.series.items() if series.candidates}
    header = ["case", "patient", "day"]
    for name in index.names:
        header += [f"{name}_image", f"{name}_mask", *([f"{name}_mask_candidates"] if name in several else [])]
    rows = []
    for case in index.cases:
        row: list[object] = [case.case, case.patient, case.day]
        for name in index.names:
            row += _cells(case.series.get(name), out, candidates=name in several)
        rows.append([*row, "; ".join(case.notes)])
    return [*header, "notes"], rows


def _cells(series: IndexedSeries | None, out: Path, *, candidates: bool) -> list[str]:
    """Image, mask and, where some series has any, candidates."""
    if series is None:
        return [""] * (3 if candidates else 2)
    mask = _relative(series.mask, out) if series.mask else ""
    further = [" | ".join(_relative(path, out) for path in series.candidates)] if candidates else []
    return [_relative(series.image, out), mask, *further]


def _relative(path: Path, table: Path) -> str:
    """From the folder of the table, or of the list; whole where the file lies on another drive."""
    try:
        return Path(os.path.relpath(path, table.parent)).as_posix()
    except ValueError:
        return path.absolute().as_posix()
