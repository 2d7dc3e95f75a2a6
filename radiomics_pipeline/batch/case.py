"""One case, guarded: whatever goes wrong costs this series, this region or this case, and is written down."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from radiomics_pipeline.batch.inputs import Reader, SeriesInput
from radiomics_pipeline.batch.record import CaseRecord, Failure, LogLine, Place, Row, load_record, save_record
from radiomics_pipeline.batch.series_work import SeriesWork
from radiomics_pipeline.batch.study import Case
from radiomics_pipeline.errors import CaseError, MissingFile, some
from radiomics_pipeline.extraction.cardiac import StressRest
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.extraction.repeats import measure_again
from radiomics_pipeline.extraction.result import RegionFeatures
from radiomics_pipeline.imaging.overlap import Outline, outline_of, shared_voxels
from radiomics_pipeline.io.dicom.privacy import Identity
from radiomics_pipeline.types import Region

WITHHELD = "withheld: a header could not be read, so that it is not known what identifies the patient"
"""Stands for messages and names of ROIs that cannot be cleared."""


@dataclass(frozen=True)
class CaseTask:
    """All that a worker needs to compute one case.

    plans : by the series' name in the study; a series without a plan is left out
    across : what is computed from the columns of several series
    engine : digest of parameters and program, part of the record's name
    records : folder of the records; None computes without keeping any
    """

    case: Case
    root: Path
    plans: dict[str, SeriesPlan]
    engine: str
    records: Path | None
    across: tuple[StressRest, ...] = ()


def run_case(task: CaseTask) -> CaseRecord:
    """Compute a case, or take its record where inputs, parameters and program are the same."""
    started = time.perf_counter()
    work = _Work(task)
    work.require_series()
    digest = work.read_all()
    path = task.records / f"{digest}.json" if task.records and not work.failures else None
    if path:
        kept = load_record(path)
        if kept and (kept.case, kept.patient) == (task.case.name, task.case.patient):
            return kept
    work.compute_all()
    record = work.record(time.perf_counter() - started)
    if path and not record.failures:
        try:
            save_record(record, path)
        except OSError as error:
            return _unsaved(record, error)
    return record


def _unsaved(record: CaseRecord, error: OSError) -> CaseRecord:
    """The record with a warning: it is no reason to lose what was computed that the next run cannot find it."""
    warning = f"its record could not be written ({error.strerror}); the next run computes the case again"
    log = tuple(replace(line, warnings=(*line.warnings, warning)) for line in record.log)
    return replace(record, log=log)


class _Work:
    """The state of one case while it is computed."""

    def __init__(self, task: CaseTask) -> None:
        self.task = task
        self.reader = Reader(task.root)
        self.data: dict[str, SeriesInput] = {}
        self.open: dict[str, SeriesWork] = {}
        self.failures: list[Failure] = []
        self.log: list[LogLine] = []
        self.found: dict[str, Row] = {}
        self.outlines: dict[str, list[Outline]] = {}
        self.seconds_reading = 0.0

    def require_series(self) -> None:
        """A case without any series that the parameters have, or without one that they require, is a failure."""
        there = [files.series for files in self.task.case.series]
        with self.guard("", "read"):
            if not set(there) & set(self.task.plans):
                wanted = " or ".join(self.task.plans)
                raise MissingFile(
                    f"the case has no {wanted}, only {some(there) or 'nothing'}; add its files or choose other "
                    "parameters"
                )
            for name, plan in self.task.plans.items():
                if plan.source.section.required and name not in there:
                    raise MissingFile(f"the case has no {name}, which the parameters require; add its files")

    def read_all(self) -> str:
        """Read the files of all wanted series; the digest of their content, the parameters and the program."""
        started = time.perf_counter()
        case = self.task.case
        known = [self.task.engine, case.name, case.patient, *map(list, case.extra.items())]
        for files in case.series:
            plan = self.task.plans.get(files.series)
            if plan is None:
                continue
            known += [files.series, plan.series, plan.prefix, files.label, files.roi]
            known += map(list, files.facts.items())
            with self.guard(files.series, "read"):
                self.data[files.series] = self.reader.series(files)
        self.seconds_reading += time.perf_counter() - started
        known += [f"{name}: {digest}" for name, digest in self.reader.digests.items()]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()

    def compute_all(self) -> None:
        """All series of the case, then what several of them give together."""
        for files in self.task.case.series:
            if files.series in self.data:
                given, plan = self.data[files.series], self.task.plans[files.series]
                self.open[files.series] = SeriesWork(files, given, plan, self.open.get, self.task.case.name)
        for work in self.open.values():
            self.compute(work)
        for row in self.found.values():
            for across in self.task.across:
                row.values.update(across.values(row.values)[0])
        self.forget_names()

    def forget_names(self) -> None:
        """Take out of messages and warnings what identifies a patient: errors may quote a header, ROIs bear names."""
        scrub = self._scrub()
        self.failures = [replace(f, message=scrub(f.message)) for f in self.failures]
        rois = {name: scrub(name) for name in self.found}
        alike = Counter(rois.values())
        for name, row in self.found.items():
            if rois[name] != name and alike[rois[name]] > 1:
                rois[name] = f"{rois[name]} ({row.label})"
        self.log = [
            replace(line, warnings=tuple(map(scrub, line.warnings)), roi=rois.get(line.roi, scrub(line.roi)))
            for line in self.log
        ]
        self.found = {name: replace(row, roi=rois[name]) for name, row in self.found.items()}

    def _scrub(self) -> Callable[[str], str]:
        """What takes identities out of a text; where the headers that hold them cannot be read, no text passes."""
        identity = Identity()
        try:
            for work in self.open.values():
                identity = identity.together(work.identity)
        except Exception:  # noqa: BLE001 - whatever is wrong with a header, nothing of it may get out
            return lambda text: WITHHELD
        return identity.without(self.task.case.name, self.task.case.patient).scrub

    def compute(self, work: SeriesWork) -> None:
        """All regions of one series."""
        series = work.files.series
        started = time.perf_counter()
        with self.guard(series, "read"):
            image = work.image
            self.seconds_reading += time.perf_counter() - started
            regions = work.regions
            for drawn in regions:
                started = time.perf_counter()
                where = f"{series} region {drawn.shown}".strip() if len(regions) > 1 else series
                with self.guard(where, "features", series):
                    for region, notes in drawn.make():
                        features = work.plan.extract(image.volume, region, work.context)
                        again = measure_again(work.plan, image.volume, region, work.context)
                        self.keep(work, region, features, (*notes, *again.notes), time.perf_counter() - started)
                        for name, values in again.values.items():
                            self.found[region.name].repeats.setdefault(name, {}).update(values)
                        started = time.perf_counter()

    def keep(
        self, work: SeriesWork, region: Region, features: RegionFeatures, notes: tuple[str, ...], seconds: float
    ) -> None:
        """Add a region's values to its row, and its line to the log."""
        series, prefix, facts = work.files.series, work.plan.prefix, features.facts
        row = self.found.setdefault(region.name, Row(region.name, str(region.label), {}, dict(self.task.case.extra)))
        row.values.update(features.values)
        gated, reasons = work.gated
        row.values.update(gated)
        row.diagnostics.update({f"{prefix}_{k}" if prefix else k: v for k, v in features.diagnostics.items()})
        shared = self.shared(series, region)
        row.places[series] = Place(facts.centroid_mm, facts.outline_ml, work.frame, tuple(shared))
        notes = (*notes, *(f"shares {n} voxels with region {other}" for other, n in shared.items()))
        self.log.append(
            LogLine(
                series=series,
                roi=region.name,
                label=region.label,
                voxels=facts.voxels,
                intensity_voxels=facts.intensity_voxels,
                volume_ml=facts.volume_ml,
                native_mm=" x ".join(f"{s:.6g}" for s in facts.native_mm),
                voxel_mm=" x ".join(f"{s:.6g}" for s in facts.voxel_mm),
                levels=facts.levels,
                seconds=seconds,
                warnings=(*work.notes, *notes, *facts.warnings, *work.remarks(facts)),
                undefined=tuple(f"{column}: {why}" for column, why in {**features.undefined, **reasons}.items()),
                facts=work.facts.cells(),
            )
        )

    def shared(self, series: str, region: Region) -> dict[str, int]:
        """Earlier regions of a series that hold voxels of this one, and how many."""
        outline, earlier = outline_of(region), self.outlines.setdefault(series, [])
        found = {other.name: n for other in earlier if (n := shared_voxels(outline, other))}
        earlier.append(outline)
        return found

    @contextmanager
    def guard(self, where: str, doing: str, series: str | None = None) -> Iterator[None]:
        """Turn an error inside into a line of failures.csv; a fault of the program costs no more than its place."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the one place where everything is caught
            message, kind = " ".join(str(error).split()) or "no message", type(error).__name__
            if isinstance(error, MemoryError):
                kind = "MemoryError"
                message = f"not enough memory ({message}); use fewer --jobs or larger voxels"
            elif not isinstance(error, CaseError):
                message = f"unexpected: {message}; please report this"
            if where and where not in message:
                message = f"{where}: {message}"
            doing = getattr(error, "stage", "") or doing
            self.failures.append(
                Failure(self.task.case.name, doing, kind, message, where if series is None else series)
            )

    def record(self, seconds: float) -> CaseRecord:
        """The record of what was found."""
        rows = tuple(sorted(self.found.values(), key=lambda row: (int(row.label), row.roi)))
        case = self.task.case
        areas = [work.body_surface_m2 for work in self.open.values()]
        return CaseRecord(
            case.name,
            case.patient,
            tuple(files.series for files in case.series),
            rows,
            tuple(self.failures),
            tuple(self.log),
            self.reader.digests,
            self.seconds_reading,
            seconds,
            tuple(work.suv_line for work in self.open.values() if work.suv_line),
            next((area for area in areas if area is not None), None),
        )
