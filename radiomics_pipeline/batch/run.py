"""The whole way: a study to its features, their redundancy, and their ranking against an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radiomics_pipeline.batch.executors import default_jobs
from radiomics_pipeline.batch.extract import DEFAULT_TIMEOUT_S, Extraction, Progress, extract_study
from radiomics_pipeline.batch.redundancy import redundancy_study
from radiomics_pipeline.batch.select import SelectionSummary, check_columns, select_study
from radiomics_pipeline.errors import OutcomeError, StudyError
from radiomics_pipeline.io.manifest_file import add_notes
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.params.run import RunParams
from radiomics_pipeline.types.ranking import Redundancy


@dataclass(frozen=True)
class RunResult:
    """What a run gave: with an outcome a selection, without one the redundancy of the features."""

    extraction: Extraction
    redundancy: Redundancy | None
    selection: SelectionSummary | None
    notes: tuple[str, ...]


def run(
    study: str | Path,
    params: str | Path | RunParams,
    out: str | Path,
    *,
    outcomes: str | Path | None = None,
    target: str = "",
    time: str = "",
    event: str = "",
    id_column: str = "",
    clinical: Sequence[str] = (),
    cases: Sequence[str] = (),
    jobs: int | None = None,
    series: str = "",
    timeout_s: float = DEFAULT_TIMEOUT_S,
    progress: Progress | None = None,
) -> RunResult:
    """Extract a study into `out`, then rank its features against an outcome.

    params : a tracer's name, a YAML file, or parameters
    outcomes : file with the outcome: the column `target` (0 and 1), or `time` and `event`; None: redundancy only
    id_column, clinical : its key, where it has another name than case or patient, and its clinical columns
    cases, jobs, series, timeout_s : as in `extract_study`
    Raises StudyError, ParamsError, TableError or OutcomeError; what the outcomes file lacks is found before
    anything is extracted.
    """
    study, out = Path(study), Path(out)
    params = params if isinstance(params, RunParams) else load_params(params)
    columns = None
    if outcomes is not None:
        columns = OutcomeColumns(target, time, event, tuple(clinical), id_column)
        check_columns(Path(outcomes), columns, params.selection)
    elif target or time or event or clinical:
        raise OutcomeError("an outcome or a clinical column is named, but no outcomes file in which it stands")
    extraction = extract_study(
        study,
        params,
        out,
        cases=cases,
        jobs=jobs,
        timeout_s=timeout_s,
        series=series,
        command="run",
        progress=progress,
    )
    if not extraction.n_rows:
        raise StudyError(f"no case of {study.name} could be extracted; see {out / 'failures.csv'}")
    table = out / "features.csv"
    redundancy: Redundancy | None = None
    selection: SelectionSummary | None = None
    if columns is None or outcomes is None:
        redundancy, notes = redundancy_study(table, out=out, params=params.selection.redundancy)
    else:
        selection = select_study(
            table,
            columns=columns,
            out=out,
            outcomes=Path(outcomes),
            params=params.selection,
            n_jobs=jobs or default_jobs(),
            progress=progress,
        )
        notes = selection.notes
    add_notes(out / "run.json", notes)
    return RunResult(extraction, redundancy, selection, notes)
