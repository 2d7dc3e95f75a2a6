"""Slices to a volume: sorted by position, on a regular grid, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import (
    BadGeometry,
    MissingMetadata,
    MissingSlices,
    MixedSeries,
    TiltedGantry,
    some,
)
from radiomics_pipeline.io.dicom.headers import number, numbers
from radiomics_pipeline.io.dicom.times import by_gate
from radiomics_pipeline.io.raw import checked_grid
from radiomics_pipeline.types import Grid

UNEVEN = 0.05
"""How far a slice may lie from its place on the regular grid, in slices. Where the beds of a real PET series join, a
distance differs by 2.4 % of the others, since couches move in whole tenths of a mm."""
ROUNDING_MM = 0.01
"""Distance of positions that is rounding of their numbers."""
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


def stack(headers: Sequence[Dataset], names: Sequence[str], name: str, shape: tuple[int, int]) -> Stack:
    """Sort slices along their normal; the array's z ascends so that x, y and z are right-handed.

    names : of the files that the headers are of; shape : of every slice (y, x)
    Distances are those of Image Position (0020,0032): Slice Thickness and Spacing Between Slices may say another thing,
    and so may Gantry/Detector Tilt (0018,1120) of a stack that is upright.
    Raises the error of whatever keeps them from being one upright volume.
    """
    turn, spacing_mm = _orientation(headers, names, name)
    places = np.array([_position(header, file) for header, file in zip(headers, names, strict=True)])
    normal = np.cross(turn[0], turn[1])
    along = places @ normal
    gates = by_gate(headers, _by_position(along), along, name)
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


def _orientation(headers: Sequence[Dataset], names: Sequence[str], name: str) -> tuple[np.ndarray, tuple[float, float]]:
    """The row's and the column's direction [2, 3], and the pixel spacing (y, x) in mm, the same in all slices."""
    turns, sizes = [], set()
    for header, file in zip(headers, names, strict=True):
        turn = numbers(header, "ImageOrientationPatient", file, 6)
        size = numbers(header, "PixelSpacing", file, 2)
        if turn is None or size is None:
            lacking = "ImageOrientationPatient (0020,0037)" if turn is None else "PixelSpacing (0028,0030)"
            raise MissingMetadata(
                f"{file}: no {lacking}; where its voxels lie is not known. Export the series again, or as NIfTI"
            )
        turns.append(turn)
        sizes.add(tuple(round(s, 6) for s in size))
    found = np.array(turns).reshape(-1, 2, 3)
    turned = int((np.abs(found - found[0]).max(axis=(1, 2)) > TURNED).sum())
    if turned:
        raise MixedSeries(
            f"{name}: {turned} of {len(found)} slices are turned against the first; keep one orientation in the folder"
        )
    if len(sizes) > 1:
        told = some(f"{x:g} x {y:g} mm" for y, x in sorted(sizes))
        raise MixedSeries(f"{name}: slices with pixels of different sizes ({told}); separate the series")
    lengths = np.linalg.norm(found[0], axis=1)
    if np.abs(lengths - 1).max() > TURNED or abs(found[0][0] @ found[0][1]) > TURNED:
        raise MissingMetadata(f"{name}: ImageOrientationPatient (0020,0037) holds no two unit vectors at right angles")
    y_mm, x_mm = sizes.pop()
    if min(y_mm, x_mm) <= 0:
        raise BadGeometry(f"{name}: pixels of {x_mm:g} x {y_mm:g} mm (0028,0030); both must be above 0")
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


def _by_position(along: np.ndarray) -> list[np.ndarray]:
    """Places of the images at each position, ascending."""
    order = np.argsort(along, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(along[order]) > ROUNDING_MM) + 1)


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
        keywords = ("SpacingBetweenSlices", "SliceThickness")
        step = next((found for found in (number(headers[0], k, name) for k in keywords) if found), None)
        if not step:
            raise MissingMetadata(
                f"{name}: a single slice without SpacingBetweenSlices (0018,0088) or SliceThickness (0018,0050); how "
                "thick it is is not known. Export the series again"
            )
        return abs(step)
    step = float(along[-1] - along[0]) / (len(along) - 1)
    off = np.abs(along - (along[0] + step * np.arange(len(along))))
    if off.max() > max(UNEVEN * step, ROUNDING_MM):
        gaps = np.diff(along)
        usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
        at = int(np.argmax(np.abs(gaps - usual)))
        lacking = round(float(gaps[at]) / usual) - 1
        guess = f"; {lacking} {'slices are' if lacking > 1 else 'slice is'} missing" if lacking > 0 else ""
        raise MissingSlices(
            f"{name}: slices at uneven distances: {gaps[at]:.4g} mm between {along[at]:.6g} and {along[at + 1]:.6g} "
            f"mm, elsewhere {usual:.4g} mm{guess}; copy the whole series, or resample it"
        )
    return step
