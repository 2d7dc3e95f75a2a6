"""Results back into DICOM: of each case and series one Segmentation of its regions and one report of their features.

The regions are made again from the study's files and the parameters beside the results. Where the files are not those
that the results come from, by the digests in run.json, the case is refused: its report would show other regions than
were measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.extract import plan_study
from radiomics_pipeline.batch.inputs import Reader
from radiomics_pipeline.batch.record import Failure
from radiomics_pipeline.batch.series_work import SeriesWork
from radiomics_pipeline.batch.study import Case, Study
from radiomics_pipeline.errors import (
    CaseError,
    DamagedFile,
    EmptyRegion,
    GeometryMismatch,
    NotDicom,
    ParamsError,
    TableError,
)
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.io.delimited import read_text_table, write_rows
from radiomics_pipeline.io.params_file import digest_params, parse_params
from radiomics_pipeline.io.tables import read_features
from radiomics_pipeline.params.run import Run
from radiomics_pipeline.types.columns import ColumnSpec, read_name
from radiomics_pipeline.types.table import FeatureTable

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.codes import Intensities
    from radiomics_pipeline.io.dicom.objects import Made
    from radiomics_pipeline.io.dicom.series import DicomSeries
    from radiomics_pipeline.io.dicom.sr import Measured
    from radiomics_pipeline.io.dicom.write_seg import Mask

Progress = Callable[[int, int, str], None]
Drawn = Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"]
FAILURES = ("case", "series", "error", "message")


@dataclass(frozen=True)
class Written:
    """The two files of one series of a case, and how many regions and values they hold."""

    case: str
    series: str
    seg: Path
    sr: Path
    regions: int
    values: int


@dataclass(frozen=True)
class Results:
    """What an extraction left in its folder.

    specs : of the columns of features.csv
    inputs : digests of the files read, by case
    made : when, and by which parameters
    """

    table: FeatureTable
    specs: tuple[ColumnSpec, ...]
    params: Run
    inputs: dict[str, dict[str, str]]
    options: dict[str, Any]
    made: Made


@dataclass(frozen=True)
class Reported:
    """What was written, what was not, and what was passed over."""

    written: tuple[Written, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]


def write_case(
    series: DicomSeries,
    masks: Sequence[Mask],
    regions: Sequence[Measured],
    specs: Sequence[ColumnSpec],
    out: Path,
    *,
    stem: str,
    made: Made,
    intensities: Intensities,
    algorithm: Drawn = "MANUAL",
    method: str = "",
) -> tuple[Path, Path]:
    """Write <stem>_seg.dcm and <stem>_sr.dcm of one image series into a folder; their paths.

    Errors as of `write_seg` and `write_sr`; without a report there is no segmentation either.
    """
    from radiomics_pipeline.io.dicom.sr import write_sr
    from radiomics_pipeline.io.dicom.write_seg import write_seg

    seg, sr = out / f"{stem}_seg.dcm", out / f"{stem}_sr.dcm"
    segmentation = write_seg(masks, series, seg, made=made, algorithm=algorithm, method=method)
    try:
        write_sr(regions, specs, series, segmentation, sr, made=made, intensities=intensities)
    except Exception:
        seg.unlink(missing_ok=True)
        raise
    return seg, sr


def write_reports(
    results: Path,
    study_folder: Path,
    out: Path,
    *,
    cases: Sequence[str] = (),
    drawn: Drawn = "MANUAL",
    progress: Progress | None = None,
) -> Reported:
    """One Segmentation and one report of each DICOM series of each case, in `out`/<case>/<series>_seg.dcm and _sr.dcm.

    cases : only these; drawn : how the outlines in the study's masks came about
    Raises TableError or ParamsError for a folder that holds no results, StudyError for a study that cannot be used.
    What a case costs is in `failures`, and in failures.csv of `out`.
    """
    found = read_results(results)
    study = find_study(study_folder)
    if cases:
        study = study.only(cases)
    plans, notes = plan_study(study, found.params, str(found.options.get("series") or ""))
    work = _Reporting(study, plans, found, out, drawn)
    for done, case in enumerate(study.cases, 1):
        if case.name in found.table.case:
            work.report(case)
        elif case.name in found.inputs:
            notes.append(f"case {case.name}: the results have no row of it")
        else:
            work.failures.append(Failure(case.name, "report", "TableError", "the results do not know this case"))
        if progress:
            progress(done, len(study.cases), case.name)
    lines = ([f.case, f.series, f.error, f.message] for f in work.failures)
    write_rows(out / "failures.csv", FAILURES, lines)
    return Reported(tuple(work.written), tuple(work.failures), (*study.notes, *notes))


def read_results(folder: Path) -> Results:
    """What an extraction left; TableError or ParamsError where a file is lacking or says something else."""
    from radiomics_pipeline.io.dicom.objects import Made

    lacking = [
        name for name in ("features.csv", "dictionary.csv", "params.yaml", "run.json") if not (folder / name).is_file()
    ]
    if lacking:
        raise TableError(
            f"{folder.name}: no {', '.join(lacking)} in it; name a folder that 'extract' or 'run' has written"
        )
    try:
        run = json.loads((folder / "run.json").read_text("utf-8"))
        made = Made(datetime.fromisoformat(run["started"]), str(run["params_digest"]))
        inputs = {str(case): dict(digests) for case, digests in run["inputs"].items() if isinstance(digests, dict)}
        options = dict(run["options"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TableError(f"{folder.name}: its run.json cannot be read; run the extraction again") from None
    params = parse_params((folder / "params.yaml").read_bytes(), "params.yaml")
    if digest_params(params) != made.digest:
        raise ParamsError(f"{folder.name}: params.yaml is not what run.json says was used; run the extraction again")
    specs = _specs(folder / "dictionary.csv")
    table = read_features(read_text_table(folder / "features.csv")).table
    known = {spec.column for spec in specs}
    unknown = [column for column in table.columns if column not in known]
    if unknown:
        raise TableError(f"{folder.name}: dictionary.csv has no row for {unknown[0]}, a column of features.csv")
    return Results(table, specs, params, inputs, options, made)


def _specs(path: Path) -> tuple[ColumnSpec, ...]:
    """The columns of features.csv, as dictionary.csv describes them."""
    table = read_text_table(path)
    cells = {
        name: table.column(name) for name in ("column", "standard", "aggregation", "ibsi_code", "unit", "definition")
    }
    kept = table.column("table") if "table" in table.columns else ("features",) * len(table)
    found = []
    for i, column in enumerate(cells["column"]):
        name = read_name(column)
        if kept[i] == "features" and name is not None:
            rest = (cells[k][i] for k in ("standard", "aggregation", "ibsi_code", "unit", "definition"))
            found.append(ColumnSpec(name, *rest))
    return tuple(found)


@dataclass
class _Reporting:
    """The state of one run."""

    study: Study
    plans: dict[str, SeriesPlan]
    found: Results
    out: Path
    drawn: Drawn
    written: list[Written] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def report(self, case: Case) -> None:
        """All series of one case."""
        reader = Reader(self.study.root)
        works: dict[str, SeriesWork] = {}
        try:
            for files in case.series:
                if files.series in self.plans:
                    given = reader.series(files)
                    works[files.series] = SeriesWork(files, given, self.plans[files.series], works.get)
            _require_inputs(reader.digests, self.found.inputs.get(case.name, {}))
        except Exception as error:  # noqa: BLE001 - costs the case, and no other
            self.failures.append(_failure(case.name, "", error))
            return
        for series, work in works.items():
            try:
                if not work.given.image.dicom:
                    raise NotDicom("its image is no DICOM series, so that no DICOM object can refer to it")
                self.written.append(_report_series(case.name, work, self.found, self.out / case.name, self.drawn))
            except Exception as error:  # noqa: BLE001 - costs the series, and no other
                self.failures.append(_failure(case.name, series, error))


def _failure(case: str, series: str, error: Exception) -> Failure:
    message = " ".join(str(error).split()) or "no message"
    if not isinstance(error, CaseError | OSError):
        message = f"unexpected: {message}; please report this"
    if isinstance(error, OSError):
        message = error.strerror or "cannot be written"
    return Failure(case, "report", type(error).__name__, message, series)


def _require_inputs(now: dict[str, str], then: dict[str, str]) -> None:
    """DamagedFile where a file is not the one that the results were computed from."""
    changed = [name for name, digest in now.items() if then.get(name) != digest]
    if changed:
        raise DamagedFile(
            f"{changed[0]}: not the file that the results come from ({len(changed)} of {len(now)} differ); run the "
            "extraction again"
        )


def _report_series(case: str, work: SeriesWork, found: Results, out: Path, drawn: Drawn) -> Written:
    """Segmentation and report of one series."""
    from radiomics_pipeline.io.dicom.codes import Intensities

    image, section = work.image, work.plan.source.section
    series = cast("DicomSeries", image.series)
    intensities = Intensities(
        work.plan.source.unit,
        section.suv.normalisation if image.conversion and not image.conversion.missing else "",
        work.facts.tracer,
    )
    specs = [spec for spec in found.specs if spec.name.series == work.plan.prefix]
    masks, regions = _regions(case, work, found.table, specs, series)
    algorithm, method = _drawn_by(section, drawn)
    stem = work.files.series or "image"
    seg, sr = write_case(
        series, masks, regions, specs, out, stem=stem, made=found.made, intensities=intensities,
        algorithm=algorithm, method=method,
    )  # fmt: skip
    return Written(case, work.files.series, seg, sr, len(regions), sum(len(r.values) for r in regions))


def _drawn_by(section: Any, drawn: Drawn) -> tuple[Drawn, str]:
    """How the regions of a series came about: as the masks did, or by its delineation."""
    if section.segment is None:
        return drawn, "" if drawn == "MANUAL" else "as in the study's masks"
    told = section.segment.model_dump()
    method = told.get("method")
    name = method.get("method") if isinstance(method, dict) else method
    return "AUTOMATIC" if told.get("search") == "image" else "SEMIAUTOMATIC", str(name or "delineation")


def _regions(
    case: str, work: SeriesWork, table: FeatureTable, specs: Sequence[ColumnSpec], series: DicomSeries
) -> tuple[list[Mask], list[Measured]]:
    """The regions that the results have a row of, with its values in this series."""
    from radiomics_pipeline.io.dicom.sr import Measured
    from radiomics_pipeline.io.dicom.write_seg import Mask

    rows = {table.roi[i]: i for i in range(len(table.case)) if table.case[i] == case}
    at = {column: i for i, column in enumerate(table.columns)}
    drawn_names = {entry.number: entry.name for entry in work.masks.entries} if work.masks else {}
    masks: list[Mask] = []
    regions: list[Measured] = []
    for drawn in work.regions:
        for region, _ in drawn.make():
            if region.name not in rows:
                continue
            values = {s.column: float(table.values[rows[region.name], at[s.column]]) for s in specs if s.column in at}
            if all(map(math.isnan, values.values())):
                continue
            if region.grid.shape != series.grid.shape or region.grid.distance_in_voxels(series.grid) > 1e-3:
                raise GeometryMismatch(
                    f"region {region.name or region.label}: it lies on other voxels than the image; a DICOM "
                    "Segmentation is written on those of the image"
                )
            number, name = len(masks) + 1, region.name or drawn_names.get(region.label, "")
            masks.append(Mask(number, name, region.morphology))
            regions.append(Measured(number, name, values))
    if not masks:
        raise EmptyRegion("no region of it has a value in the results")
    return masks, regions
