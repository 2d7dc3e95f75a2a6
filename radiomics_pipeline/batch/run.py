"""The whole way: a study to its features, their redundancy, and their ranking against an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from radiomics_pipeline.batch.executors import default_jobs
from radiomics_pipeline.batch.extract import DEFAULT_TIMEOUT_S, Extraction, Progress, extract_study
from radiomics_pipeline.batch.patients import PATIENTS
from radiomics_pipeline.batch.redundancy import RedundancySummary, redundancy_study
from radiomics_pipeline.batch.selection.study import FILES, Beside, SelectionSummary, check_columns, select_study
from radiomics_pipeline.batch.tables import PERTURBED
from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.io.manifest_file import write_manifest
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.params.run import Run

RANKED = (*FILES, "select.json", "redundancy.json", "selection.png")
"""What a run makes of its features."""


@dataclass(frozen=True)
class RunResult:
    """What a run gave: with an outcome a selection, without one the redundancy of the features.

    refusal : why the features that were extracted could not be ranked; empty where they were
    """

    extraction: Extraction
    redundancy: RedundancySummary | None
    selection: SelectionSummary | None
    refusal: str = ""


def run(
    study: str | Path,
    params: str | Path | Run,
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
    Raises StudyError, ParamsError, TableError or OutcomeError before anything runs; what the outcomes file lacks
    is found then. What cannot be ranked once it is extracted is a `refusal`, so that the features are not lost.
    """
    study, out = Path(study), Path(out)
    params = params if isinstance(params, Run) else load_params(params)
    columns = None
    if outcomes is not None:
        columns = OutcomeColumns(target, time, event, tuple(clinical), id_column)
        check_columns(Path(outcomes), columns, params.selection)
    elif target or time or event or clinical:
        raise OutcomeError("an outcome or a clinical column is named, but no outcomes file in which it stands")
    for name in RANKED:  # an earlier run's ranking must not stand beside these features
        (out / name).unlink(missing_ok=True)
    extraction = extract_study(
        study, params, out, cases=cases, jobs=jobs, timeout_s=timeout_s, series=series, progress=progress
    )
    file = None if outcomes is None else Path(outcomes)
    result = _judge(extraction, out, columns, file, params=params, jobs=jobs, progress=progress)
    _write_manifest(result, columns, out)
    return result


def _judge(
    extraction: Extraction,
    out: Path,
    columns: OutcomeColumns | None,
    outcomes: Path | None,
    *,
    params: Run,
    jobs: int | None,
    progress: Progress | None,
) -> RunResult:
    """Rank what was extracted, or look at its redundancy."""
    if not extraction.n_rows:
        return RunResult(extraction, None, None, "no case could be extracted")
    table, selection = out / (PATIENTS if params.aggregate else "features.csv"), params.selection
    again = out / PERTURBED
    try:
        if columns is None:
            return RunResult(extraction, redundancy_study(table, out=out, params=selection.redundancy), None)
        summary = select_study(
            table,
            columns=columns,
            out=out,
            outcomes=outcomes,
            params=selection,
            beside=Beside(repeated=again if again.is_file() and not params.aggregate else None),
            n_jobs=jobs or default_jobs(),
            progress=progress,
        )
    except TableError as e:
        return RunResult(extraction, None, None, str(e))
    return RunResult(extraction, None, summary)


def _write_manifest(result: RunResult, columns: OutcomeColumns | None, out: Path) -> None:
    """run.json: that of the extraction, with what was asked of the ranking and what came of it."""
    whole = result.extraction.manifest
    assert whole is not None
    stage = result.selection or result.redundancy
    later = stage.manifest if stage else None
    notes = later.notes if later else (f"not ranked: {result.refusal}",)
    manifest = replace(
        whole,
        command="run",
        options={**whole.options, **(asdict(columns) if columns else {})},
        inputs={**whole.inputs, **(later.inputs if later else {})},
        notes=(*whole.notes, *notes),
        seconds=whole.seconds + (later.seconds if later else 0.0),
    )
    write_manifest(manifest, out / "run.json")
