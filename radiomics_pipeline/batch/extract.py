"""A study to its tables: features.csv, dictionary.csv, failures.csv, case_log.csv, params.yaml, run.json."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from radiomics_pipeline.batch.case import CaseTask, run_case
from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.executors import default_jobs, run_tasks
from radiomics_pipeline.batch.patients import PatientTable, patient_table
from radiomics_pipeline.batch.record import CaseRecord, Failure
from radiomics_pipeline.batch.study import Case, Study
from radiomics_pipeline.batch.tables import require_places, write_tables
from radiomics_pipeline.errors import ParamsError, StudyError, WorkerLost, some
from radiomics_pipeline.extraction.aggregate import plan_aggregate
from radiomics_pipeline.extraction.cardiac import StressRest, stress_rest_plans
from radiomics_pipeline.extraction.gated import gated_columns
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.extraction.standards import plan_series
from radiomics_pipeline.io.delimited import write_text
from radiomics_pipeline.io.manifest_file import now, program_digest, versions, write_manifest
from radiomics_pipeline.io.params_file import digest_params, write_params
from radiomics_pipeline.params.run import ANY_SERIES, Run, RunParams
from radiomics_pipeline.types.columns import ColumnSpec
from radiomics_pipeline.types.manifest import RunManifest

Progress = Callable[[int, int, str], None]
"""Called with cases done, cases in all, and the name of the case just done."""

DEFAULT_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Extraction:
    """What an extraction gave: the records in the order of the cases, and what was passed over.

    n_columns : features of a row
    patients : the table of patients, where one is asked for
    manifest : as written into run.json; None where nothing was written
    """

    study: Study
    plans: dict[str, SeriesPlan]
    records: tuple[CaseRecord, ...]
    notes: tuple[str, ...]
    n_columns: int
    patients: PatientTable | None = None
    manifest: RunManifest | None = None

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All lines of failures.csv."""
        return tuple(failure for record in self.records for failure in record.failures)

    @property
    def n_rows(self) -> int:
        """Rows of features.csv."""
        return sum(len(record.rows) for record in self.records)


def extract_study(
    study_folder: Path,
    params: Run,
    out: Path,
    *,
    cases: Sequence[str] = (),
    jobs: int | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    series: str = "",
    progress: Progress | None = None,
) -> Extraction:
    """Extract the features of a study into `out`; every case that can be computed has its row.

    cases : only these; all where empty
    series : the section of the parameters for images without a series name
    Raises StudyError, ParamsError or OSError before anything runs.
    """
    clock, started = time.perf_counter(), now()
    study = find_study(study_folder)
    if cases:
        study = study.only(cases)
    plans, notes = plan_study(study, params, series)
    across = _across(params, plans)
    columns = [
        *(spec for plan in plans.values() for spec in plan.columns),
        *_gated(params, plans),
        *(spec for stress_rest in across for spec in stress_rest.columns),
    ]
    if params.aggregate:
        plan_aggregate(columns, params.aggregate)
    require_places(out)
    write_text(out / "params.yaml", write_params(params))
    records = _compute(
        study, plans, params, across, records=out / "records", jobs=jobs, timeout_s=timeout_s, progress=progress
    )
    patients = patient_table(records, plans, params.aggregate) if params.aggregate else None
    write_tables(records, plans, columns, patients, out)
    notes += [*_mixed_grids(records), *(patients.notes if patients else ())]
    manifest = RunManifest(
        command="extract",
        options={"study": study.name, "cases": list(cases), "series": series},
        versions=versions(),
        params=params.model_dump(mode="json"),
        params_digest=digest_params(params),
        cases={r.case: "failed" if not r.rows else "partial" if r.failures else "ok" for r in records},
        inputs={r.case: r.inputs for r in records},
        notes=(*study.notes, *notes),
        started=started,
        seconds=time.perf_counter() - clock,
    )
    write_manifest(manifest, out / "run.json")
    return Extraction(study, plans, records, manifest.notes, len(columns), patients, manifest)


def check_study(
    study_folder: Path,
    params: Run,
    *,
    jobs: int | None = None,
    series: str = "",
    progress: Progress | None = None,
) -> Extraction:
    """Read and prepare every case as an extraction would, without computing a feature."""
    study = find_study(study_folder)
    plans, notes = plan_study(study, params, series)
    bare = {name: plan.without_features() for name, plan in plans.items()}
    records = _compute(study, bare, params, (), records=None, jobs=jobs, timeout_s=DEFAULT_TIMEOUT_S, progress=progress)
    return Extraction(study, plans, records, (*study.notes, *notes), sum(len(p.columns) for p in plans.values()))


def plan_study(study: Study, params: Run, series: str = "") -> tuple[dict[str, SeriesPlan], list[str]]:
    """A plan for each series of the study that the parameters have a section for, in the parameters' order.

    Raises StudyError where no series has one, or where unnamed images could be several; ParamsError for a `series`
    without a section.
    """
    if not params.series:
        raise ParamsError("the parameters have no section `series`: nothing says how an image is measured")
    there = {files.series for case in study.cases for files in case.series}
    known = ", ".join(params.series)
    plans: dict[str, SeriesPlan] = {}
    if ANY_SERIES in params.series:
        notes = [f"--series {series}: without effect, as the parameters are the same for all series"] if series else []
        return {name: plan_series(params, name, named=bool(name)) for name in sorted(there)}, notes
    if series and series not in params.series:
        raise ParamsError(f"--series {series}: the parameters have sections for {known}")
    if "" in there:
        if not series and len(params.series) > 1:
            raise StudyError(
                f"{study.name}: images without a series name (image.*), and parameters for {known}; say which "
                "they are with --series, or name the files <SERIES>_image"
            )
        plans[""] = plan_series(params, series or next(iter(params.series)), named=False)
    plans |= {name: plan_series(params, name) for name in params.series if name in there}
    if not plans:
        raise StudyError(
            f"{study.name}: has the series {', '.join(sorted(there))}, the parameters only {known}; rename the "
            "files or choose other parameters"
        )
    _require_paired_regions(study, plans)
    notes = [f"series {name}: no section in the parameters ({known}); left out" for name in sorted(there - set(plans))]
    if series and "" not in there:
        notes.append(f"--series {series}: without effect, as all images have the name of a series")
    if "" not in plans:
        notes += [f"series {name}: in the parameters, but in no case" for name in params.series if name not in there]
    return plans, notes


def _across(params: Run, plans: dict[str, SeriesPlan]) -> tuple[StressRest, ...]:
    """What is computed from several series, of those that the study has."""
    there = {spec.column for plan in plans.values() for spec in plan.columns}
    wanted = stress_rest_plans(params, {plan.series: plan.prefix for plan in plans.values()})
    return tuple(w for w in wanted if all({*d.stress, *d.rest} <= there for d in w.differences))


def _gated(params: Run, plans: dict[str, SeriesPlan]) -> list[ColumnSpec]:
    """Columns of volumes of gates, of the series whose parameters ask for them."""
    asked = [plan for plan in plans.values() if isinstance(params, RunParams) and params.series[plan.series].gated]
    return [spec for plan in asked for spec in gated_columns(plan.prefix).values()]


def _mixed_grids(records: Sequence[CaseRecord]) -> list[str]:
    """A note for each series whose features come from voxels of different sizes, which textures feel."""
    sizes: dict[str, Counter[str]] = {}
    for line in (line for record in records for line in record.log):
        sizes.setdefault(line.series, Counter())[line.voxel_mm] += 1
    return [
        f"series {name}: features come from {len(found)} voxel sizes: "
        + some(f"{size} mm in {count} regions" for size, count in found.most_common())
        for name, found in sizes.items()
        if len(found) > 1
    ]


def _require_paired_regions(study: Study, plans: dict[str, SeriesPlan]) -> None:
    """ParamsError where one series gives a region a label and another an unnamed one: their rows would not meet."""
    labelled = {name: isinstance(p.source.label, dict) or p.source.label == "all" for name, p in plans.items()}
    in_table = any(files.label for case in study.cases for files in case.series)
    if len(set(labelled.values())) > 1 and not in_table:
        some_, others = ([n for n, several in labelled.items() if several == kind] for kind in (True, False))
        raise ParamsError(
            f"label: {', '.join(some_)} asks for several regions, {', '.join(others)} for one without a name, so that "
            "they cannot share rows; give every series the same kind of label"
        )


def _compute(
    study: Study,
    plans: dict[str, SeriesPlan],
    params: Run,
    across: tuple[StressRest, ...],
    *,
    records: Path | None,
    jobs: int | None,
    timeout_s: float,
    progress: Progress | None,
) -> tuple[CaseRecord, ...]:
    engine = f"{program_digest()} {digest_params(params)}"
    tasks = [CaseTask(case, study.root, plans, engine, records, across) for case in study.cases]
    if records:
        records.mkdir(parents=True, exist_ok=True)
    done: dict[int, CaseRecord] = {}
    count = max(1, min(jobs or default_jobs(), len(tasks)))
    for position, result in run_tasks(run_case, tasks, jobs=count, timeout_s=timeout_s):
        case = study.cases[position]
        done[position] = _lost(case, result) if isinstance(result, WorkerLost) else result
        if progress:
            progress(len(done), len(tasks), case.name)
    return tuple(done[i] for i in range(len(tasks)))


def _lost(case: Case, error: WorkerLost) -> CaseRecord:
    failure = Failure(case.name, "worker", type(error).__name__, str(error))
    return CaseRecord(case.name, case.patient, tuple(f.series for f in case.series), (), (failure,), (), {}, 0.0, 0.0)
