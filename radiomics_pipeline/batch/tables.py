"""The tables of an extraction, put together from the cases' records in the cases' order."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from radiomics_pipeline.batch.patients import PATIENT_LOG, PATIENTS, PatientTable
from radiomics_pipeline.batch.record import CaseRecord
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.io.delimited import write_rows
from radiomics_pipeline.io.tables import write_features
from radiomics_pipeline.types.columns import ColumnSpec
from radiomics_pipeline.types.facts import FACTS
from radiomics_pipeline.types.table import KEYS, FeatureTable

DICTIONARY = (
    "column",
    "standard",
    "series",
    "image",
    "family",
    "feature",
    "aggregation",
    "ibsi_code",
    "unit",
    "definition",
    "setting",
    "filter",
    "table",
)
PERTURBED = "features_perturbed.csv"
FILES = (
    "params.yaml",
    "features.csv",
    "dictionary.csv",
    "diagnostics.csv",
    "failures.csv",
    "case_log.csv",
    "suv.csv",
    PERTURBED,
    PATIENTS,
    PATIENT_LOG,
    "run.json",
)
"""What an extraction writes into its folder, beside the records."""
FAILURES = ("case", "stage", "error", "message")
CASE_LOG = (
    "case",
    "patient",
    "roi",
    "label",
    "series",
    "voxels",
    "intensity_voxels",
    "volume_ml",
    "native_mm",
    "voxel_mm",
    "levels",
    "seconds",
    "case_seconds_reading",
    "case_seconds",
    *FACTS,
    "warnings",
    "undefined",
)


def require_places(out: Path) -> None:
    """OSError where a file of an extraction cannot be written, before anything is computed for it."""
    for path in (out / name for name in FILES):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder stands where a file is to be written; move it", str(path))


def write_tables(
    records: Sequence[CaseRecord],
    plans: dict[str, SeriesPlan],
    columns: Sequence[ColumnSpec],
    patients: PatientTable | None,
    out: Path,
) -> None:
    """Write all tables of an extraction; of those that there may not be, none is left of an earlier run.

    columns : of features.csv; patients : the table of patients, None where none is asked for
    """
    write_features(out / "features.csv", feature_table(records, tuple(spec.column for spec in columns)))
    _write_perturbed(out / PERTURBED, records, tuple(spec.column for spec in columns))
    described = [(spec, "features") for spec in columns]
    for name in (PATIENTS, PATIENT_LOG):
        (out / name).unlink(missing_ok=True)
    if patients:
        patients.write(out)
        described += [(spec, "patients") for spec in patients.specs]
    write_rows(out / "dictionary.csv", DICTIONARY, (_described(spec, table) for spec, table in described))
    _write_diagnostics(out / "diagnostics.csv", records)
    _write_conversions(out / "suv.csv", records)
    write_rows(
        out / "failures.csv",
        FAILURES,
        ([f.case, f.stage, f.error, f.message] for record in records for f in record.failures),
    )
    write_rows(out / "case_log.csv", CASE_LOG, (line for record in records for line in _log(record, plans)))


def _described(spec: ColumnSpec, table: str) -> list[str]:
    """A row of dictionary.csv."""
    name = spec.name
    return [
        spec.column,
        spec.standard,
        name.series,
        name.image,
        name.family,
        name.feature,
        spec.aggregation,
        spec.ibsi_code,
        spec.unit,
        spec.definition,
        name.setting,
        spec.filter,
        table,
    ]


def _write_conversions(path: Path, records: Sequence[CaseRecord]) -> None:
    """suv.csv: one row a series that was converted."""
    lines = [(record, line) for record in records for line in record.conversions]
    if not lines:
        path.unlink(missing_ok=True)
        return
    names = tuple(lines[0][1].cells)
    rows = ([record.case, record.patient, line.series, *(line.cells[n] for n in names)] for record, line in lines)
    write_rows(path, ("case", "patient", "series", *names), rows)


def _write_diagnostics(path: Path, records: Sequence[CaseRecord]) -> None:
    """One row a region, one column a value; no file, and none left of an earlier run, where there is nothing."""
    rows = [(record, row) for record in records for row in record.rows]
    columns = list(dict.fromkeys(name for _, row in rows for name in row.diagnostics))
    if not columns:
        path.unlink(missing_ok=True)
        return
    cells = (
        [record.case, record.patient, row.roi, row.label, *(row.diagnostics.get(name, "") for name in columns)]
        for record, row in rows
    )
    write_rows(path, (*KEYS, *columns), cells)


def _write_perturbed(path: Path, records: Sequence[CaseRecord], columns: tuple[str, ...]) -> None:
    """One row a region and perturbation; no file, and none left of an earlier run, where there is nothing."""
    rows = [
        [record.case, record.patient, row.roi, row.label, name, *(again.get(c, math.nan) for c in columns)]
        for record in records
        for row in record.rows
        for name, again in row.repeats.items()
    ]
    if not rows:
        path.unlink(missing_ok=True)
        return
    write_rows(path, (*KEYS, "perturbation", *columns), rows)


def feature_table(records: Sequence[CaseRecord], columns: tuple[str, ...]) -> FeatureTable:
    """The rows of all cases; NaN where a row lacks a column."""
    rows = [(record, row) for record in records for row in record.rows]
    values = np.array([[row.values.get(name, np.nan) for name in columns] for _, row in rows], float)
    return FeatureTable(
        case=tuple(record.case for record, _ in rows),
        patient=tuple(record.patient for record, _ in rows),
        roi=tuple(row.roi for _, row in rows),
        label=tuple(row.label for _, row in rows),
        columns=columns,
        values=values.reshape(len(rows), len(columns)),
    )


def _log(record: CaseRecord, plans: dict[str, SeriesPlan]) -> Iterator[list[object]]:
    for line in record.log:
        yield [
            record.case,
            record.patient,
            line.roi,
            line.label,
            line.series,
            line.voxels,
            line.intensity_voxels,
            line.volume_ml,
            line.native_mm,
            line.voxel_mm,
            line.levels,
            round(line.seconds, 4),
            round(record.seconds_reading, 4),
            round(record.seconds, 4),
            *(line.facts.get(name, "") for name in FACTS),
            "; ".join(line.warnings),
            "; ".join(line.undefined),
        ]
    for series in plans:
        if series not in record.series:
            warning = f"the case has no {series or 'image'}; its columns are empty"
            yield [record.case, record.patient, "", "", series, *[None] * (9 + len(FACTS)), warning, ""]
