"""Selection from files to files."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from radiomics_pipeline.batch.executors import default_jobs
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.manifest_file import file_digests, now, versions, write_manifest
from radiomics_pipeline.io.outcomes import Aligned, OutcomeColumns, align_outcomes, check_source, own_outcomes
from radiomics_pipeline.io.params_file import digest_params
from radiomics_pipeline.io.tables import (
    read_features,
    write_performance,
    write_predictions,
    write_ranking,
    write_redundancy,
    write_univariate,
)
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.types.manifest import RunManifest
from radiomics_pipeline.types.performance import PerformanceRow
from radiomics_pipeline.types.ranking import RankingRow

if TYPE_CHECKING:
    from radiomics_pipeline.selection.validation.evaluate import Progress

FILES = ("univariate.csv", "ranking.csv", "performance.csv", "predictions.csv", "redundancy.csv")


@dataclass(frozen=True)
class SelectionSummary:
    """What a selection did.

    outcome_names : the outcome's columns
    rows, patients, events, features : that went in
    performance, top : rows of performance.csv, the first twelve rows of ranking.csv
    notes : everything that was left out or chosen
    files : written, in `out`
    manifest : what was asked for and read
    """

    outcome_names: tuple[str, ...]
    rows: int
    patients: int
    events: int
    features: int
    performance: tuple[PerformanceRow, ...]
    top: tuple[RankingRow, ...]
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    manifest: RunManifest


def select_study(
    table: Path,
    *,
    columns: OutcomeColumns,
    out: Path,
    outcomes: Path | None = None,
    params: SelectionParams | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> SelectionSummary:
    """Rank the features of a table against an outcome and write the tables of FILES and select.json into `out`.

    table : features; outcomes : a file with the outcome's columns, None where they stand in `table`
    columns : their names; columns.clinical, where empty, comes from the parameters
    n_jobs : processes; 0: all cores

    Raises TableError or OutcomeError before anything is fitted.
    """
    from radiomics_pipeline.selection.analysis import select_features

    clock, started = time.perf_counter(), now()
    params = params or SelectionParams()
    columns = with_clinical(columns, params)
    aligned = read_aligned(table, outcomes, columns)
    found = select_features(
        aligned.table, aligned.outcome, aligned.clinical, params, n_jobs=n_jobs or default_jobs(), progress=progress
    )
    write_univariate(out / "univariate.csv", found.univariate)
    write_ranking(out / "ranking.csv", found.ranking)
    write_performance(out / "performance.csv", found.performance)
    write_predictions(out / "predictions.csv", found.outcome_names, found.predictions)
    write_redundancy(out / "redundancy.csv", found.redundancy)
    notes = (*aligned.notes, *found.notes)
    manifest = RunManifest(
        command="select",
        options=asdict(columns),
        versions=versions(),
        params=params.model_dump(mode="json"),
        params_digest=digest_params(params),
        cases={},
        inputs={"tables": file_digests(table, outcomes)},
        notes=notes,
        started=started,
        seconds=time.perf_counter() - clock,
    )
    write_manifest(manifest, out / "select.json")
    return SelectionSummary(
        outcome_names=found.outcome_names,
        rows=len(aligned.table),
        patients=len(set(aligned.table.patient)),
        events=int(aligned.outcome.event.sum()),
        features=len(aligned.table.columns),
        performance=found.performance,
        top=found.ranking[:12],
        notes=notes,
        files=tuple(out / name for name in FILES),
        manifest=manifest,
    )


def read_aligned(table: Path, outcomes: Path | None, columns: OutcomeColumns) -> Aligned:
    """Features, outcome and clinical variables of the rows that have all of them; nothing is fitted."""
    source = read_text_table(table)
    named = (*columns.outcome, *columns.clinical)
    file = read_features(source, id_column=columns.id if columns.id in source.columns else "", not_features=named)
    if outcomes is None:
        aligned = own_outcomes(file.table, source, columns)
    else:
        aligned = align_outcomes(file.table, read_text_table(outcomes), columns)
    return Aligned(aligned.table, aligned.outcome, aligned.clinical, (*file.notes, *aligned.notes))


def check_columns(outcomes: Path, columns: OutcomeColumns, params: SelectionParams) -> None:
    """Refuse an outcomes file that lacks a column or holds no usable outcome, before features are there to join.

    Raises TableError or OutcomeError.
    """
    source = read_text_table(Path(outcomes))
    check_source(source, with_clinical(columns, params))


def with_clinical(columns: OutcomeColumns, params: SelectionParams) -> OutcomeColumns:
    """The columns, with the parameters' clinical ones where none are named."""
    if columns.clinical or not params.clinical:
        return columns
    return replace(columns, clinical=params.clinical)
