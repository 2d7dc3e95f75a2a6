"""Images at one position, told apart by time: the gates of a gated series; of a dynamic one they are refused."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import DoubledSlices, MissingSlices, SeveralFrames
from radiomics_pipeline.io.dicom.headers import text

_PHASES = (
    "TimeSlotVector", "TriggerTime", "NominalCardiacTriggerDelayTime", "NominalPercentageOfCardiacPhase",
    "NominalPercentageOfRespiratoryPhase",
)  # fmt: skip
"""What tells the gates of a cycle apart."""
_TIMES = (
    "TemporalPositionIndex", "TemporalPositionTimeOffset", "FrameReferenceTime", "FrameAcquisitionDateTime",
    "AcquisitionDateTime", "AcquisitionTime",
)  # fmt: skip
"""What tells images taken one after the other apart."""


def by_gate(headers: Sequence[Dataset], groups: Sequence[np.ndarray], along: np.ndarray, name: str) -> np.ndarray:
    """Places of the slices by gate and position, [gate, z]; one gate where every position occurs once.

    groups : places of the images at each position, ascending; along : where each image lies on the normal, in mm
    Gates are in the order of their time after the trigger, or of their time slots.
    """
    if all(len(group) == 1 for group in groups):
        return np.concatenate(groups)[None, :]
    told = _told_apart(headers, groups, _PHASES)
    gated = "GATED" in f"{text(headers[0], 'SeriesType')} {text(headers[0], 'ImageType')}".upper()
    if gated:
        _require_one_interval(headers[0], name)
        told = told or _told_apart(headers, groups, (*_TIMES, "ImageIndex"))
    if told:
        _require_complete(groups, along, name)
        return np.array([sorted(group, key=lambda i: _value(headers[i], told)) for group in groups]).T
    if _told_apart(headers, groups, _TIMES) or text(headers[0], "SeriesType").upper().startswith("DYNAMIC"):
        raise SeveralFrames(
            f"{name}: up to {max(map(len, groups))} images at one position, taken at different times (a dynamic "
            "series, or overlapping beds); features are of one image: export a single or a summed frame"
        )
    double = next(group for group in groups if len(group) > 1)
    raise DoubledSlices(
        f"{name}: {sum(len(g) > 1 for g in groups)} of {len(groups)} positions hold more than one slice, such as the "
        f"one at {along[double[0]]:.6g} mm along the normal; remove the copies, or separate the series"
    )


def _told_apart(headers: Sequence[Dataset], groups: Sequence[np.ndarray], keywords: Sequence[str]) -> str:
    """The first keyword of which all images at a position have values of their own; empty where there is none."""
    for keyword in keywords:
        values = [[_value(headers[i], keyword) for i in group] for group in groups if len(group) > 1]
        if all(len(set(found)) == len(found) and not any(map(math.isnan, found)) for found in values):
            return keyword
    return ""


def _value(header: Dataset, keyword: str) -> float:
    try:
        return float(text(header, keyword) or "nan")
    except ValueError:
        return math.nan


def _require_one_interval(header: Dataset, name: str) -> None:
    intervals = _value(header, "NumberOfRRIntervals")
    if intervals > 1:
        raise SeveralFrames(f"{name}: {intervals:g} R-R intervals in one series; export one of them")


def _require_complete(groups: Sequence[np.ndarray], along: np.ndarray, name: str) -> None:
    """MissingSlices where a position lacks a gate."""
    gates = max(map(len, groups))
    short = [group for group in groups if len(group) < gates]
    if short:
        raise MissingSlices(
            f"{name}: {gates} gates, but only {len(short[0])} of them at {along[short[0][0]]:.6g} mm along the normal "
            f"({len(short)} of {len(groups)} positions are incomplete); copy the whole series"
        )
