"""Feature tables in, the tables of redundancy and selection out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.io.delimited import TextTable, write_rows
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.performance import PredictionRow
from radiomics_pipeline.types.ranking import Redundancy, RedundancyRow
from radiomics_pipeline.types.table import KEYS, FeatureTable

LARGEST = 1e150
"""Beyond it a value's square is no number, and neither is a standard deviation."""


@dataclass(frozen=True)
class FeatureFile:
    """A table of features, and what of its file was left out."""

    table: FeatureTable
    notes: tuple[str, ...]


def read_features(source: TextTable, *, id_column: str = "", not_features: Iterable[str] = ()) -> FeatureFile:
    """The features of a table: every column of numbers that is no key and not in `not_features`.

    Keys are the columns case, patient (or patient_id), roi, label. Rows of one patient are never split between
    folds: `patient` where there is one, else `id_column`, else `case`. `id_column` names the cases where there is
    no column `case`. Columns that hold texts are left out and listed.
    Raises TableError where no key or no feature is found, or a key cell is blank.
    """
    keys, notes = _row_keys(source, id_column)
    left_out = {*KEYS, "patient_id", id_column, *not_features}
    names, values, infinite = [], [], []
    texts = []
    for name in source.columns:
        if name in left_out:
            continue
        if name.startswith("(column "):
            texts.append(name)
            continue
        numbers, words = source.numbers(name)
        if words:
            few = f" ({len(words)} of {len(source)} cells, such as {words[0]!r})" if len(words) < len(source) else ""
            texts.append(name + few)
            continue
        too_large = np.abs(numbers) > LARGEST
        if too_large.any():
            infinite.append(name)
            numbers[too_large] = np.nan
        names.append(name)
        values.append(numbers)
    if not names:
        raise TableError(f"{source.name}: no column of numbers is left to be a feature")
    if texts:
        notes.append(f"{source.name}: {len(texts)} columns hold texts and are ignored: {', '.join(texts)}")
    if infinite:
        notes.append(
            f"{source.name}: infinite values, or beyond {LARGEST:g}, were taken as missing in {', '.join(infinite)}"
        )
    table = FeatureTable(**keys, columns=tuple(names), values=np.column_stack(values))
    return FeatureFile(table, tuple(notes))


def _row_keys(source: TextTable, id_column: str) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Case, patient, roi and label of every row."""
    notes = []
    blank = ("",) * len(source)
    patient_column = next((c for c in ("patient", "patient_id") if c in source.columns), id_column)
    case_column = "case" if "case" in source.columns else id_column or patient_column
    if not case_column:
        raise TableError(
            f"{source.name}: no column 'case', 'patient' or 'patient_id' says which row is whose; name it by --id. "
            f"Columns: {some(map(repr, source.columns))}"
        )
    patient_column = patient_column or case_column
    case, patient = source.column(case_column), source.column(patient_column)
    if len(set(patient)) < len(source):
        notes.append(f"{source.name}: {len(set(patient))} different {patient_column}; their rows stay in one fold")
    for cells in (case, patient):
        if "" in cells:
            raise TableError(
                f"{source.name}: row {cells.index('') + 1} has no {'case' if cells is case else 'patient'}"
            )
    roi = source.column("roi") if "roi" in source.columns else blank
    label = source.column("label") if "label" in source.columns else blank
    if len(set(zip(case, patient, roi, label, strict=True))) < len(source):
        seen: dict[tuple[str, ...], int] = {}
        numbered = []
        for key in zip(case, patient, roi, label, strict=True):
            seen[key] = seen.get(key, 0) + 1
            numbered.append(f"{key[3]}#{seen[key]}" if key[3] else str(seen[key]))
        label = tuple(numbered)
        notes.append(
            f"{source.name}: {sum(n > 1 for n in seen.values())} keys occur in several rows; these are taken as "
            "regions of one patient, numbered in `label`, and stay in one fold"
        )
    return {"case": case, "patient": patient, "roi": roi, "label": label}, notes


def write_features(path: Path, table: FeatureTable) -> None:
    """features.csv: the keys, then one column a feature."""
    keys = zip(table.case, table.patient, table.roi, table.label, strict=True)
    write_rows(path, (*KEYS, *table.columns), ((*key, *row) for key, row in zip(keys, table.values, strict=True)))


def write_records(path: Path, kind: type, rows: Iterable[Any]) -> None:
    """A table of dataclasses of one kind: one row each, one column a field."""
    cells = ([{True: "true", False: "false"}[v] if isinstance(v, bool) else v for v in astuple(row)] for row in rows)
    write_rows(path, [field.name for field in fields(kind)], cells)


def write_redundancy(path: Path, redundancy: Redundancy) -> None:
    """redundancy.csv, one row a feature."""
    write_records(path, RedundancyRow, redundancy.rows)


def write_predictions(path: Path, outcome: Outcome, rows: Sequence[PredictionRow]) -> None:
    """predictions.csv, one row a region, plan and repeat; the outcome's columns before the prediction.

    Of several classes the probability of each; of times the probability of no event up to the horizon.
    """
    shares = [f"probability_{name}" for name in outcome.categories] if outcome.kind in ("multiclass", "ordinal") else []
    further = [*shares, *(["survival"] if outcome.time is not None else [])]
    keys = ("case", "patient", "roi", "label", "plan", "repeat", "fold", "fold_name")
    write_rows(path, (*keys, *outcome.names, "prediction", *further), (_prediction(r, further) for r in rows))


def _prediction(row: PredictionRow, further: Sequence[str]) -> list[object]:
    cells = [row.case, row.patient, row.roi, row.label, row.plan, row.repeat, row.fold, row.fold_name]
    if "survival" in further:
        more: Sequence[float] = (row.survival,)
    else:
        more = row.probabilities if further else ()
    return [*cells, *row.outcome, row.prediction, *more, *[float("nan")] * (len(further) - len(more))]
