"""What became of one case: its rows, failures and log, as one small file named after its content's digest."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from radiomics_pipeline.io.delimited import write_text


@dataclass(frozen=True)
class Failure:
    """Why a case, or one series or region of it, has no values: a line of failures.csv."""

    case: str
    stage: str
    error: str
    message: str


@dataclass(frozen=True)
class LogLine:
    """One region in one series: a line of case_log.csv.

    native_mm, voxel_mm : voxel size "x x y x z" of the file and of the features
    undefined : "column: reason" of every feature that is NaN
    """

    series: str
    roi: str
    label: int
    voxels: int
    intensity_voxels: int
    volume_ml: float
    native_mm: str
    voxel_mm: str
    levels: int | None
    seconds: float
    warnings: tuple[str, ...]
    undefined: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One region of a case over all its series: feature values and diagnostics by column."""

    roi: str
    label: str
    values: dict[str, float]
    diagnostics: dict[str, str]


@dataclass(frozen=True)
class CaseRecord:
    """One case after it was computed.

    series : names of the series that the case has
    inputs : SHA-256 of each file read, by its role and its path in the study folder
    seconds_reading, seconds : time for reading, and in all
    """

    case: str
    patient: str
    series: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    log: tuple[LogLine, ...]
    inputs: dict[str, str]
    seconds_reading: float
    seconds: float


def save_record(record: CaseRecord, path: Path) -> None:
    """Write a record by an atomic rename; NaN becomes null."""
    tree = asdict(record)
    for row in tree["rows"]:
        row["values"] = {k: None if math.isnan(v) else v for k, v in row["values"].items()}
    write_text(path, json.dumps(tree, ensure_ascii=False, allow_nan=False))


def load_record(path: Path) -> CaseRecord | None:
    """The record of a file, or None where there is none that can be read."""
    try:
        tree = json.loads(path.read_text("utf-8"))
        rows = [
            Row(r["roi"], r["label"], {k: _number(v) for k, v in r["values"].items()}, r["diagnostics"])
            for r in tree["rows"]
        ]
        log = [
            LogLine(**{**line, "warnings": tuple(line["warnings"]), "undefined": tuple(line["undefined"])})
            for line in tree["log"]
        ]
        failures = [Failure(**failure) for failure in tree["failures"]]
        return CaseRecord(
            **{
                **tree,
                "series": tuple(tree["series"]),
                "rows": tuple(rows),
                "failures": tuple(failures),
                "log": tuple(log),
            }
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
