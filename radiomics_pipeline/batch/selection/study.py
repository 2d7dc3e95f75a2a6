"""Selection from files to files."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radiomics_pipeline.batch.executors import default_jobs
from radiomics_pipeline.batch.selection.inputs import Beside, Inputs, read_inputs, with_columns
from radiomics_pipeline.batch.selection.models import save_models
from radiomics_pipeline.batch.selection.tables import FILES, write_selection
from radiomics_pipeline.batch.selection.tried import log_tried
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.manifest_file import file_digests, now, versions, write_manifest
from radiomics_pipeline.io.outcomes import OutcomeColumns, check_source
from radiomics_pipeline.io.params_file import digest_params
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.types.manifest import RunManifest
from radiomics_pipeline.types.performance import PerformanceRow
from radiomics_pipeline.types.ranking import RankingRow

if TYPE_CHECKING:
    from radiomics_pipeline.selection.study import Progress

__all__ = ["FILES", "Beside", "SelectionSummary", "check_columns", "select_study"]


@dataclass(frozen=True)
class SelectionSummary:
    """What a selection did.

    outcome_names : the outcome's columns; kind : of it
    rows, patients, events, features : that went in; events is None for outcomes that have none
    performance, top : rows of performance.csv, the first twelve rows of ranking.csv
    alone_metric : of univariate.csv
    notes : everything that was left out or chosen
    files : written, in `out`
    manifest : what was asked for and read
    """

    outcome_names: tuple[str, ...]
    kind: str
    rows: int
    patients: int
    events: int | None
    features: int
    performance: tuple[PerformanceRow, ...]
    alone_metric: str
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
    beside: Beside | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> SelectionSummary:
    """Rank the features of a table against an outcome; write the tables of FILES, the model and select.json into `out`.

    table : features; outcomes : a file with the outcome's columns, None where they stand in `table`
    columns : their names; columns.clinical, where empty, comes from the parameters
    n_jobs : processes; 0: all cores; -1: all that joblib's backend has (see `executors.on_dask`)

    Raises TableError, OutcomeError or ParamsError before anything is fitted.
    """
    from radiomics_pipeline.selection.analysis import select_features

    clock, started = time.perf_counter(), now()
    params, beside = params or SelectionParams(), beside or Beside()
    columns, params = with_columns(columns, params)
    inputs = read_inputs(table, outcomes, columns, params, beside)
    analysis = select_features(
        inputs.table,
        inputs.outcome,
        inputs.clinical,
        params,
        side=inputs.side,
        readers=inputs.readers,
        history=inputs.history,
        n_own=inputs.n_own,
        n_jobs=n_jobs or default_jobs(),
        progress=progress,
    )
    found = analysis.ranking
    digests = file_digests(table, outcomes, *beside.paths)
    written = write_selection(out, inputs.outcome, found)
    models = save_models(out, analysis, digests, features=table)
    tried = log_tried(out / "tried.csv", found, digests, digest_params(params), started)
    notes = (*inputs.notes, *found.notes, *tried)
    manifest = RunManifest(
        command="select",
        options=asdict(columns),
        versions=versions(),
        params=params.model_dump(mode="json"),
        params_digest=digest_params(params),
        cases={},
        inputs={"tables": digests},
        notes=notes,
        started=started,
        seconds=time.perf_counter() - clock,
    )
    write_manifest(manifest, out / "select.json")
    return SelectionSummary(
        outcome_names=found.outcome_names,
        kind=inputs.outcome.kind,
        rows=len(inputs.table),
        patients=len(set(inputs.table.patient)),
        events=_events(inputs),
        features=len(inputs.table.columns),
        performance=found.performance,
        alone_metric=found.univariate[0].metric,
        top=found.ranking[:12],
        notes=notes,
        files=(*written, *models),
        manifest=manifest,
    )


def _events(inputs: Inputs) -> int | None:
    outcome = inputs.outcome
    return int(outcome.event.sum()) if outcome.kind in ("binary", "survival", "competing") else None


def check_columns(outcomes: Path, columns: OutcomeColumns, params: SelectionParams) -> None:
    """Refuse an outcomes file that lacks a column or holds no usable outcome, before features are there to join.

    Raises TableError or OutcomeError.
    """
    source = read_text_table(Path(outcomes))
    check_source(source, with_columns(columns, params)[0])
