"""What became of one case: its rows, failures and log, as one small file named after its content's digest."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from radiomics_pipeline.io.delimited import write_text


@dataclass(frozen=True)
class Failure:
    """Why a case, or one series or region of it, has no values: a line of failures.csv.

    series : that it happened in, empty where it is the whole case
    """

    case: str
    stage: str
    error: str
    message: str
    series: str = ""


@dataclass(frozen=True)
class LogLine:
    """One region in one series: a line of case_log.csv.

    native_mm, voxel_mm : voxel size "x x y x z" of the file and of the features
    undefined : "column: reason" of every feature that is NaN
    facts : of the acquisition, by column
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
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a region lies in one series.

    centroid_mm : (x, y, z), LPS, and volume_ml, of the outline on the voxels of the file
    frame : places with the same one can be compared; tells of nothing else
    shared : names of regions of the series that hold some of its voxels, too
    """

    centroid_mm: tuple[float, float, float]
    volume_ml: float
    frame: str
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One region of a case over all its series: feature values and diagnostics by column, places by series.

    repeats : values measured again, by the name of the perturbation
    """

    roi: str
    label: str
    values: dict[str, float]
    diagnostics: dict[str, str]
    places: dict[str, Place] = field(default_factory=dict)
    repeats: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class SuvLine:
    """How one series became SUV, or activity: a line of suv.csv. cells : by column"""

    series: str
    cells: dict[str, str]


@dataclass(frozen=True)
class CaseRecord:
    """One case after it was computed.

    series : names of the series that the case has
    inputs : SHA-256 of each file read, by its role and its path in the study folder
    seconds_reading, seconds : time for reading, and in all
    conversions : of the series that were converted
    body_surface_m2 : of the patient, None where weight or height is not known
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
    conversions: tuple[SuvLine, ...] = ()
    body_surface_m2: float | None = None


def save_record(record: CaseRecord, path: Path) -> None:
    """Write a record by an atomic rename; NaN becomes null."""
    tree = asdict(record)
    for row in tree["rows"]:
        for values in (row["values"], *row["repeats"].values()):
            values.update({k: None for k, v in values.items() if math.isnan(v)})
    write_text(path, json.dumps(tree, ensure_ascii=False, allow_nan=False))


def load_record(path: Path) -> CaseRecord | None:
    """The record of a file, or None where there is none that can be read."""
    try:
        tree = json.loads(path.read_text("utf-8"))
        tree["rows"] = tuple(_row(row) for row in tree["rows"])
        tree["log"] = tuple(
            LogLine(**{**line, "warnings": tuple(line["warnings"]), "undefined": tuple(line["undefined"])})
            for line in tree["log"]
        )
        tree["failures"] = tuple(Failure(**failure) for failure in tree["failures"])
        tree["conversions"] = tuple(SuvLine(**line) for line in tree["conversions"])
        return CaseRecord(**{**tree, "series": tuple(tree["series"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _row(tree: dict[str, Any]) -> Row:
    places = {
        name: Place(**{**place, "centroid_mm": tuple(place["centroid_mm"]), "shared": tuple(place["shared"])})
        for name, place in tree["places"].items()
    }
    values = {name: _number(value) for name, value in tree["values"].items()}
    repeats = {name: {k: _number(v) for k, v in again.items()} for name, again in tree["repeats"].items()}
    return Row(tree["roi"], tree["label"], values, tree["diagnostics"], places, repeats)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
