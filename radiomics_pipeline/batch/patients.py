"""The table of patients: what the regions of all cases of a patient give together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from radiomics_pipeline.batch.record import CaseRecord, Place, Row
from radiomics_pipeline.extraction.aggregate import LesionRow, PatientRow, aggregate, aggregated_series
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.io.delimited import write_rows
from radiomics_pipeline.io.tables import write_features
from radiomics_pipeline.params.aggregate import Aggregate
from radiomics_pipeline.types.columns import ColumnSpec
from radiomics_pipeline.types.table import FeatureTable

PATIENTS, PATIENT_LOG = "patients.csv", "patient_log.csv"
SAME_PLACE_MM = 5.0
"""Distance of centroids below which two outlines are taken for those of one lesion."""
LOG = ("case", "patient", "cases", "lesions", "hottest", "largest", "notes", "undefined")


@dataclass(frozen=True)
class PatientTable:
    """The columns of patients.csv, and its rows."""

    specs: tuple[ColumnSpec, ...]
    rows: list[PatientRow]
    general: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the table should know, of all of it and of single rows."""
        return (*self.general, *(f"{row.case or row.patient}: {note}" for row in self.rows for note in row.notes))

    def write(self, out: Path) -> None:
        """patients.csv and patient_log.csv."""
        columns = tuple(spec.column for spec in self.specs)
        values = np.array([[row.values[name] for name in columns] for row in self.rows], float)
        blank = ("",) * len(self.rows)
        table = FeatureTable(
            case=tuple(row.case or row.patient for row in self.rows),
            patient=tuple(row.patient for row in self.rows),
            roi=blank,
            label=blank,
            columns=columns,
            values=values.reshape(len(self.rows), len(columns)),
        )
        write_features(out / PATIENTS, table)
        write_rows(out / PATIENT_LOG, LOG, (_logged(row) for row in self.rows))


def patient_table(records: Sequence[CaseRecord], plans: Mapping[str, SeriesPlan], params: Aggregate) -> PatientTable:
    """The rows of all patients; ParamsError where the aggregation asks for what no column has."""
    specs = [spec for plan in plans.values() for spec in plan.columns]
    prefix = aggregated_series(specs, params)
    series = next(name for name, plan in plans.items() if plan.prefix == prefix)
    rows = [_lesion(record, row, series) for record in records for row in record.rows]
    lost = {record.case: reason for record in records if (reason := _lost(record, series))}
    cases = [(record.case, record.patient) for record in records]
    columns, found = aggregate(rows, specs, params, cases=cases, incomplete=lost)
    twice = _counted_twice(records, series)
    found = [replace(row, notes=(*row.notes, *(n for case in row.cases for n in twice.get(case, ())))) for row in found]
    unnamed = [] if not params.pairs else sorted({n for p in params.pairs.values() for n in p} - {r.roi for r in rows})
    general = [f"aggregate.pairs: no region of the study is called {name}" for name in unnamed]
    if rows and params.lesions is not None and not any(row.lesions for row in found):
        general.append(f"aggregate.lesions: no region of the study is called {params.lesions!r}; every count is 0")
    return PatientTable(columns, found, tuple(general))


def _counted_twice(records: Sequence[CaseRecord], series: str) -> dict[str, list[str]]:
    """Notes by case on lesions that share voxels, or lie at one place of one image in two cases."""
    notes: dict[str, list[str]] = {}
    places: dict[tuple[str, str], list[tuple[str, str, Place]]] = {}
    for record in records:
        for row in record.rows:
            place = row.places.get(series)
            if place is None:
                continue
            name = row.roi or row.label
            if place.shared:
                note = f"{name} shares voxels with {', '.join(place.shared)}: they count in each"
                notes.setdefault(record.case, []).append(note)
            known = places.setdefault((record.patient, place.frame), [])
            for case, other, there in known:
                if case != record.case and math.dist(place.centroid_mm, there.centroid_mm) < SAME_PLACE_MM:
                    note = f"{name} lies where {other} of case {case} does: two outlines of one lesion count twice"
                    notes.setdefault(record.case, []).append(note)
            known.append((record.case, name, place))
    return notes


def _lesion(record: CaseRecord, row: Row, series: str) -> LesionRow:
    place = row.places.get(series)
    return LesionRow(
        record.patient,
        record.case,
        row.roi,
        row.values,
        place.centroid_mm if place else None,
        place.volume_ml if place else math.nan,
        place.frame if place else "",
        math.nan if record.body_surface_m2 is None else record.body_surface_m2,
    )


def _lost(record: CaseRecord, series: str) -> str:
    """Why a case's lesions are not all known; empty where they are."""
    if series not in record.series:
        return f"case {record.case} has no {series or 'image'}"
    failed = [failure for failure in record.failures if failure.series in ("", series)]
    return f"case {record.case}: {failed[0].message}" if failed else ""


def _logged(row: PatientRow) -> list[object]:
    return [
        row.case,
        row.patient,
        "; ".join(row.cases),
        "; ".join(row.lesions),
        row.hottest,
        row.largest,
        "; ".join(row.notes),
        "; ".join(f"{column}: {reason}" for column, reason in row.undefined.items()),
    ]
