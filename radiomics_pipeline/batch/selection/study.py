"""Selection from files to files."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radiomics_pipeline.batch.executors import default_jobs
from radiomics_pipeline.batch.selection.inputs import Beside, Inputs, read_inputs, with_columns
from radiomics_pipeline.batch.selection.models import FOLDERS, save_models
from radiomics_pipeline.batch.selection.tables import FILES, write_selection
from radiomics_pipeline.batch.selection.tried import log_tried
from radiomics_pipeline.errors import ParamsError, StudyError, some
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.manifest_file import file_digests, now, versions, write_manifest
from radiomics_pipeline.io.outcomes import OutcomeColumns, check_source
from radiomics_pipeline.io.params_file import digest_params
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.types.manifest import RunManifest
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.performance import PerformanceRow
from radiomics_pipeline.types.ranking import RankingRow
from radiomics_pipeline.types.table import FeatureTable

if TYPE_CHECKING:
    from radiomics_pipeline.selection.analysis import Analysis
    from radiomics_pipeline.selection.study import Progress

MANIFEST = "select.json"
"""Written last: where it is absent, the tables of a folder may be of several runs."""
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
    clock, started = time.perf_counter(), now()
    params, beside = params or SelectionParams(), beside or Beside()
    columns, params = with_columns(columns, params)
    read = [path for path in (table, outcomes, *beside.paths) if path]
    check_folder(out, read)
    digests = file_digests(*read)
    inputs = read_inputs(table, outcomes, columns, params, beside)
    analysis = _analysed(
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
    (out / MANIFEST).unlink(missing_ok=True)  # until the last table stands, nothing says that the folder is whole
    written = write_selection(out, inputs.outcome, found)
    models = save_models(out, analysis, digests, features=table)
    tried = log_tried(out / "tried.csv", found, digests, digest_params(params), started)
    notes = (*inputs.notes, *found.notes, *tried)
    manifest = RunManifest(
        command="select",
        options=asdict(columns),
        versions=versions(learning=True),
        params=params.model_dump(mode="json"),
        params_digest=digest_params(params),
        cases={},
        inputs={"tables": digests},
        notes=notes,
        started=started,
        seconds=time.perf_counter() - clock,
    )
    write_manifest(manifest, out / MANIFEST)
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


def check_folder(out: Path, read: Sequence[Path]) -> None:
    """ParamsError, before anything is computed, where results cannot be written or would replace what is read."""
    tables = [out / name for name in (*FILES, MANIFEST, "tried.csv", "selection.png")]
    lost = [path.name for path in read if path.resolve() in {table.resolve() for table in tables}]
    if lost:
        raise ParamsError(f"{some(lost)} would be written over by results of that name; choose another --out")
    there = next(path for path in (out, *out.resolve().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ParamsError(
            f"--out {out}: {'no folder' if not there.is_dir() else 'cannot be written to'}; choose another"
        )
    wrong = [p.name for p in tables if p.is_dir()] + [n for n in FOLDERS if (out / n).is_file()]
    if wrong:
        raise ParamsError(f"--out {out}: {some(wrong)} stands in the way of results; choose another folder")


def _analysed(table: FeatureTable, outcome: Outcome, *rest: Any, **options: Any) -> Analysis:
    """`select_features`; StudyError where one of its processes died."""
    from joblib.externals.loky.process_executor import BrokenProcessPool

    from radiomics_pipeline.selection.analysis import select_features

    try:
        return select_features(table, outcome, *rest, **options)
    except BrokenProcessPool as e:
        raise StudyError(
            "a process died while plans were fitted: out of memory, or ended from outside; nothing was written. Use "
            "fewer --jobs"
        ) from e


def _events(inputs: Inputs) -> int | None:
    outcome = inputs.outcome
    return int(outcome.event.sum()) if outcome.kind in ("binary", "survival", "competing") else None


def check_columns(outcomes: Path, columns: OutcomeColumns, params: SelectionParams) -> None:
    """Refuse an outcomes file that lacks a column or holds no usable outcome, before features are there to join.

    Raises TableError or OutcomeError.
    """
    source = read_text_table(Path(outcomes))
    check_source(source, with_columns(columns, params)[0])
