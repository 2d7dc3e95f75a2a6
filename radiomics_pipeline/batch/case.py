"""One case, guarded: whatever goes wrong costs this series, this region or this case, and is written down."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from radiomics_pipeline.batch.cases import Case, SeriesFiles
from radiomics_pipeline.batch.record import CaseRecord, Failure, LogLine, Row, load_record, save_record
from radiomics_pipeline.errors import BadMask, CaseError, MissingFile, some
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.extraction.result import RegionFeatures, stage
from radiomics_pipeline.imaging.regions import region_of, wanted_labels
from radiomics_pipeline.io.volumes import VolumeFile, load_files, read_file, voxel_file
from radiomics_pipeline.params.extraction import Label
from radiomics_pipeline.types import Region

LONGEST_NAME = 240
"""Of a file as errors call it; of a longer one the middle is left out."""


@dataclass(frozen=True)
class CaseTask:
    """All that a worker needs to compute one case.

    plans : by the series' name in the study; a series without a plan is left out
    engine : digest of parameters and program, part of the record's name
    records : folder of the records; None computes without keeping any
    """

    case: Case
    root: Path
    plans: dict[str, SeriesPlan]
    engine: str
    records: Path | None


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
    for files in task.case.series:
        if files.series in task.plans and files.series in work.data:
            work.compute(files)
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
        self.data: dict[str, tuple[VolumeFile, VolumeFile]] = {}
        self.inputs: dict[str, str] = {}
        self.failures: list[Failure] = []
        self.log: list[LogLine] = []
        self.found: dict[str, Row] = {}
        self.seconds_reading = 0.0

    def name(self, path: Path) -> str:
        """A file as errors call it: its path in the study folder, or its name where it lies elsewhere."""
        inside = Path(os.path.abspath(path))
        root = Path(os.path.abspath(self.task.root))
        shown = inside.relative_to(root).as_posix() if inside.is_relative_to(root) else path.name
        shown = re.split(r"[\\/]", shown)[-1] if "\\" in shown or ":" in shown else shown
        return shown if len(shown) <= LONGEST_NAME else f"{shown[:100]}...{shown[-100:]}"

    def require_series(self) -> None:
        """A case without any series that the parameters have is a failure, not a row less."""
        with self.guard("", "read"):
            there = [files.series for files in self.task.case.series]
            if not set(there) & set(self.task.plans):
                wanted = " or ".join(self.task.plans)
                raise MissingFile(
                    f"the case has no {wanted}, only {some(there) or 'nothing'}; add its files or choose other "
                    "parameters"
                )

    def read_all(self) -> str:
        """Read the files of all wanted series; the digest of their content, the parameters and the program."""
        started = time.perf_counter()
        known = [
            self.task.engine,
            self.task.case.name,
            self.task.case.patient,
            *map(list, self.task.case.extra.items()),
        ]
        for files in self.task.case.series:
            plan = self.task.plans.get(files.series)
            if plan is None:
                continue
            known += [files.series, plan.series, plan.prefix, files.label]
            with self.guard(files.series, "read"):
                if files.problem:
                    raise MissingFile(files.problem)
                self.data[files.series] = (self.read(files, "image"), self.read(files, "mask"))
        self.seconds_reading += time.perf_counter() - started
        known += [f"{name}: {digest}" for name, digest in self.inputs.items()]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()

    def read(self, files: SeriesFiles, kind: str) -> VolumeFile:
        """A series' image or mask, its digest noted, and that of the file that holds its voxels."""
        path = files.image if kind == "image" else files.mask
        found = read_file(path, self.name(path))
        role = f"{files.series}_{kind}" if files.series else kind
        self.inputs[f"{role}: {found.name}"] = hashlib.sha256(found.data).hexdigest()
        voxels = voxel_file(found)
        if voxels:
            other = read_file(voxels, self.name(voxels))
            self.inputs[f"{role}: {other.name}"] = hashlib.sha256(other.data).hexdigest()
        return found

    def compute(self, files: SeriesFiles) -> None:
        """All regions of one series."""
        plan = self.task.plans[files.series]
        source = plan.source
        started = time.perf_counter()
        with self.guard(files.series, "read"):
            image, mask = self.data.pop(files.series)
            volume, labels, grid = load_files(image, mask, source)
            self.seconds_reading += time.perf_counter() - started
            with stage("region"):
                wanted = wanted_labels(labels, _label(files) if files.label else source.label, mask.name)
            for roi, label in wanted:
                started = time.perf_counter()
                where = f"{files.series} region {roi or label}".strip() if len(wanted) > 1 else files.series
                with self.guard(where, "features"):
                    with stage("region"):
                        region = region_of(labels, grid, roi, label, mask.name)
                    features = plan.extract(volume, region)
                    self.keep(files.series, region, features, time.perf_counter() - started)

    def keep(self, series: str, region: Region, features: RegionFeatures, seconds: float) -> None:
        """Add a region's values to its row, and its line to the log."""
        row = self.found.setdefault(region.name, Row(region.name, str(region.label), {}, dict(self.task.case.extra)))
        row.values.update(features.values)
        prefix = self.task.plans[series].prefix
        row.diagnostics.update({f"{prefix}_{k}" if prefix else k: v for k, v in features.diagnostics.items()})
        facts = features.facts
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
                warnings=facts.warnings,
                undefined=tuple(f"{column}: {reason}" for column, reason in features.undefined.items()),
            )
        )

    @contextmanager
    def guard(self, where: str, doing: str) -> Iterator[None]:
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
            self.failures.append(Failure(self.task.case.name, doing, kind, message))

    def record(self, seconds: float) -> CaseRecord:
        """The record of what was found."""
        rows = tuple(sorted(self.found.values(), key=lambda row: (int(row.label), row.roi)))
        case = self.task.case
        return CaseRecord(
            case.name,
            case.patient,
            tuple(files.series for files in case.series),
            rows,
            tuple(self.failures),
            tuple(self.log),
            self.inputs,
            self.seconds_reading,
            seconds,
        )


def _label(files: SeriesFiles) -> Label:
    text = files.label
    if text.lower() == "all":
        return "all"
    whole = re.fullmatch(r"(\d+)(\.0*)?", text)
    if not whole or int(whole[1]) < 1:
        raise BadMask(f"{files.place}: label {text!r} is neither a whole number from 1 nor 'all'")
    return int(whole[1])
