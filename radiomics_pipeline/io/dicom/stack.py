"""Slices to a volume: sorted by position, on a regular grid, or refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import (
    DoubledSlices,
    MissingMetadata,
    MissingSlices,
    MixedSeries,
    SeveralFrames,
    TiltedGantry,
    some,
)
from radiomics_pipeline.io.dicom.headers import number, numbers, text
from radiomics_pipeline.io.raw import checked_grid
from radiomics_pipeline.types import Grid

UNEVEN = 0.1
"""How far a slice may lie from its place on the regular grid, in slices: beds of PET scanners join with 2 or 3 % of
one (real series)."""
ROUNDING_MM = 0.01
SHIFTED = 0.05
"""Share of a pixel by which slices may be shifted against each other, over the whole stack."""
TURNED = 1e-3
"""Difference of direction cosines that is no rounding."""


@dataclass(frozen=True)
class Stack:
    """The order of slices (of each gate, where there are several) and the grid they make.

    order : int64 [gate, z], places of the slices given
    """

    order: np.ndarray
    grid: Grid


def stack(headers: Sequence[Dataset], name: str, shape: tuple[int, int]) -> Stack:
    """Sort slices along their normal; the array's z ascends so that x, y and z are right-handed.

    shape : of every slice (y, x)
    Raises the error of whatever keeps them from being one upright volume.
    """
    turn, spacing_mm = _orientation(headers, name)
    places = np.array([_position(h, name) for h in headers])
    normal = np.cross(turn[0], turn[1])
    along = places @ normal
    order = np.argsort(along, kind="stable")
    gates = _gates(headers, along[order], order, name)
    first = gates[0]
    _require_upright(places[first] - np.outer(along[first], normal), min(spacing_mm), name)
    step = _step(headers, along[first], name)
    grid = checked_grid(
        name,
        shape=(gates.shape[1], *shape),
        spacing_mm=(step, *spacing_mm),
        origin_mm=places[first[0]],
        axes=np.column_stack([turn[0], turn[1], normal]),
    )
    return Stack(gates, grid)


def _orientation(headers: Sequence[Dataset], name: str) -> tuple[np.ndarray, tuple[float, float]]:
    """The row's and the column's direction [2, 3], and the pixel spacing (y, x) in mm, the same in all slices."""
    turns, sizes = [], set()
    for header in headers:
        turn = numbers(header, "ImageOrientationPatient", name, 6)
        size = numbers(header, "PixelSpacing", name, 2)
        if turn is None or size is None:
            lacking = "ImageOrientationPatient (0020,0037)" if turn is None else "PixelSpacing (0028,0030)"
            raise MissingMetadata(
                f"{name}: no {lacking}; where its voxels lie is not known. Export the series again, or as NIfTI"
            )
        turns.append(turn)
        sizes.add(tuple(round(s, 6) for s in size))
    found = np.array(turns).reshape(-1, 2, 3)
    if np.abs(found - found[0]).max() > TURNED:
        raise MixedSeries(f"{name}: slices in several orientations; keep one orientation in the folder")
    if len(sizes) > 1:
        raise MixedSeries(f"{name}: slices with pixels of {some(f'{y:g} x {x:g} mm' for y, x in sorted(sizes))}")
    lengths = np.linalg.norm(found[0], axis=1)
    if np.abs(lengths - 1).max() > TURNED or abs(found[0][0] @ found[0][1]) > TURNED:
        raise MissingMetadata(f"{name}: ImageOrientationPatient (0020,0037) holds no two unit vectors at right angles")
    y_mm, x_mm = sizes.pop()
    row = found[0][0] / lengths[0]
    column = found[0][1] - (found[0][1] @ row) * row
    return np.array([row, column / np.linalg.norm(column)]), (y_mm, x_mm)


def _position(header: Dataset, name: str) -> tuple[float, ...]:
    found = numbers(header, "ImagePositionPatient", name, 3)
    if found is None:
        raise MissingMetadata(
            f"{name}: no ImagePositionPatient (0020,0032); where its slices lie is not known. Export the series "
            "again, or as NIfTI"
        )
    return found


def _gates(headers: Sequence[Dataset], along: np.ndarray, order: np.ndarray, name: str) -> np.ndarray:
    """Places of the slices by gate and position, [gate, z]; one gate where every position occurs once."""
    ends = np.flatnonzero(np.diff(along) > ROUNDING_MM)
    groups = np.split(order, ends + 1)
    sizes = {len(group) for group in groups}
    if sizes == {1}:
        return order[None, :]
    times = [[_moment(headers[i]) for i in group] for group in groups]
    if len(sizes) == 1 and all(len(set(moments)) == len(moments) for moments in times):
        count = sizes.pop()
        if text(headers[0], "SeriesType").startswith("GATED") or _gated(headers[0]):
            sorted_ = [sorted(group, key=lambda i: (_moment(headers[i]), i)) for group in groups]
            return np.array(sorted_).T
        raise SeveralFrames(
            f"{name}: {count} images at every position, taken at different times (a dynamic series); features are of "
            "one image: export a single or a summed frame"
        )
    double = next(group for group in groups if len(group) > 1)
    z = along[int(np.flatnonzero(order == double[0])[0])]
    raise DoubledSlices(
        f"{name}: {sum(len(g) > 1 for g in groups)} of {len(groups)} positions hold more than one slice, such as the "
        f"one at {z:.4g} mm along the normal; remove the copies, or separate the series"
    )


def _gated(header: Dataset) -> bool:
    return "GATED" in text(header, "ImageType").upper() or "TriggerTime" in header


def _moment(header: Dataset) -> tuple[float, ...]:
    """What orders images at one position in time."""
    found = []
    for keyword in ("TimeSlotVector", "TemporalPositionIndex", "TriggerTime", "NominalCardiacTriggerDelayTime",
                    "FrameReferenceTime", "AcquisitionTime"):  # fmt: skip
        try:
            found.append(float(text(header, keyword) or "nan"))
        except ValueError:
            found.append(float("nan"))
    return tuple(0.0 if math.isnan(value) else value for value in found)


def _require_upright(shifts: np.ndarray, pixel_mm: float, name: str) -> None:
    """TiltedGantry where slices are shifted in plane, more and more from one to the next or anyhow."""
    most = float(np.linalg.norm(shifts - shifts[0], axis=1).max())
    if most > SHIFTED * pixel_mm:
        raise TiltedGantry(
            f"{name}: its slices are shifted against each other by up to {most:.4g} mm (a tilted gantry); resample the "
            "series to an upright volume first"
        )


def _step(headers: Sequence[Dataset], along: np.ndarray, name: str) -> float:
    """The distance of slices in mm."""
    if len(along) == 1:
        step = number(headers[0], "SpacingBetweenSlices", name) or number(headers[0], "SliceThickness", name)
        if not step:
            raise MissingMetadata(f"{name}: a single slice without SliceThickness (0018,0050)")
        return abs(step)
    step = float(along[-1] - along[0]) / (len(along) - 1)
    off = np.abs(along - (along[0] + step * np.arange(len(along))))
    if off.max() > max(UNEVEN * step, ROUNDING_MM):
        gaps = np.diff(along)
        usual = float(np.median(gaps))
        at = int(np.argmax(np.abs(gaps - usual)))
        lacking = round(float(gaps[at]) / usual) - 1
        guess = f"; {lacking} {'slices are' if lacking > 1 else 'slice is'} missing" if lacking > 0 else ""
        raise MissingSlices(
            f"{name}: slices at uneven distances: {gaps[at]:.4g} mm between {along[at]:.6g} and {along[at + 1]:.6g} "
            f"mm, elsewhere {usual:.4g} mm{guess}; copy the whole series, or resample it"
        )
    return step
