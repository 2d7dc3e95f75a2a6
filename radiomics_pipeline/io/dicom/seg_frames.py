"""The frames of a DICOM Segmentation: what is stored in each, and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radiomics_pipeline.errors import BadGeometry, DamagedFile, UnsupportedImage
from radiomics_pipeline.io.raw import checked_grid
from radiomics_pipeline.types import Grid

IN_PLANE, ACROSS = 0.05, 0.1
"""How far a frame may lie beside the voxels of a grid, in voxels: headers round positions."""

STEP = 0.01
"""How far the distance of slices may differ from a grid's, as a share of it."""

_SAME_MM = 0.01
"""Positions that lie no further apart are those of one slice."""


@dataclass(frozen=True)
class Pixels:
    """What is stored, frame by frame.

    data : uint8, eight pixels a byte, the first in the lowest bit and without gaps between frames; or unsigned
        [frame, row, column]
    shape : rows, columns
    kind : BINARY, FRACTIONAL or LABELMAP
    maximum : the value that stands for 1 in a fractional segmentation
    background : the value of a label map outside all segments
    """

    data: np.ndarray
    shape: tuple[int, int]
    kind: str
    maximum: int = 1
    background: int = 0

    def plane(self, frame: int) -> np.ndarray:
        """The values of one frame, [row, column]."""
        if self.data.ndim == 3:
            return self.data[frame]
        size = self.shape[0] * self.shape[1]
        first = frame * size
        packed = self.data[first // 8 : (first + size + 7) // 8]
        bits = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + size]
        return bits.reshape(self.shape)

    def inside(self, values: np.ndarray, segment: int) -> np.ndarray:
        """Which values of a frame belong to a segment, bool [row, column]."""
        if self.kind == "LABELMAP":
            return values == segment
        if self.kind == "FRACTIONAL":
            return values.astype(np.int64) * 2 >= self.maximum
        return values > 0

    def between(self, values: np.ndarray) -> int:
        """How many values are neither 0 nor 1 in a fractional segmentation."""
        return int(((values > 0) & (values < self.maximum)).sum()) if self.kind == "FRACTIONAL" else 0


@dataclass(frozen=True)
class Frame:
    """Where a frame lies.

    number : its place in what is stored, from 0
    segment : its number, 0 in a label map
    position_mm : centre of its first pixel, patient coordinates (x, y, z)
    columns, rows : unit vectors along which columns and rows ascend
    spacing_mm : of columns and of rows
    step_mm : distance of slices, 0 where not stated
    thickness_mm : of the slice, 0 where not stated
    """

    number: int
    segment: int
    position_mm: np.ndarray
    columns: np.ndarray
    rows: np.ndarray
    spacing_mm: tuple[float, float]
    step_mm: float
    thickness_mm: float


@dataclass(frozen=True)
class Place:
    """Where a frame's pixels lie in an array [z, y, x].

    frame : its number
    start : index (z, y, x) of the corner with the lowest index
    axes : axis of the array along which rows and columns of the frame lie
    flips : whether the frame's rows and columns run against that axis
    """

    frame: int
    start: tuple[int, int, int]
    axes: tuple[int, int]
    flips: tuple[bool, bool]

    def put(self, inside: np.ndarray, whole: np.ndarray) -> int:
        """Set the voxels of `whole` that are inside, and count them; those beyond it are left out."""
        part = inside[:: -1 if self.flips[0] else 1, :: -1 if self.flips[1] else 1]
        part = part if self.axes[0] < self.axes[1] else part.T
        (across,) = {0, 1, 2} - set(self.axes)
        block = np.expand_dims(part, across)
        low = [max(0, -s) for s in self.start]
        high = [min(n, size - s) for n, size, s in zip(block.shape, whole.shape, self.start, strict=True)]
        if any(b <= a for a, b in zip(low, high, strict=True)):
            return 0
        kept = block[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        whole[tuple(slice(s + a, s + b) for s, a, b in zip(self.start, low, high, strict=True))] |= kept
        return int(kept.sum())


def pixels_of(header: Any, name: str) -> Pixels:
    """The stored values; DamagedFile where there are too few, UnsupportedImage where they cannot be decoded."""
    try:
        rows, columns = int(header.Rows), int(header.Columns)
        frames, bits = int(header.get("NumberOfFrames") or 1), int(header.BitsAllocated)
        kind = str(header.get("SegmentationType", ""))
        maximum = int(header.get("MaximumFractionalValue") or 255) if kind == "FRACTIONAL" else 1
        background = int(header.get("PixelPaddingValue") or 0) if kind == "LABELMAP" else 0
        syntax = header.file_meta.TransferSyntaxUID if "TransferSyntaxUID" in header.file_meta else None
        stored = header.PixelData
    except (AttributeError, TypeError, ValueError):
        raise DamagedFile(f"{name}: sizes or voxels are lacking in it; export the file again") from None
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise UnsupportedImage(f"{name}: a segmentation of type {kind or 'none'}; BINARY, FRACTIONAL or LABELMAP is "
                               "needed")  # fmt: skip
    if bits not in (1, 8, 16):
        raise UnsupportedImage(f"{name}: {bits} bits a pixel; 1, 8 or 16 are needed")
    if syntax is not None and syntax.is_encapsulated:
        return Pixels(_decoded(header, name, frames, rows, columns), (rows, columns), kind, maximum, background)
    needed = (frames * rows * columns * bits + 7) // 8
    if len(stored) < needed:
        raise DamagedFile(
            f"{name}: {len(stored)} bytes of voxels, but {frames} frames of {columns} x {rows} pixels need {needed}; "
            "copy or export the file again"
        )
    if bits == 1:
        return Pixels(np.frombuffer(stored, np.uint8, needed), (rows, columns), kind, maximum, background)
    order = ">" if syntax is not None and not syntax.is_little_endian else "<"
    data = np.frombuffer(stored, f"{order}u{bits // 8}", frames * rows * columns).reshape(frames, rows, columns)
    return Pixels(data, (rows, columns), kind, maximum, background)


def _decoded(header: Any, name: str, frames: int, rows: int, columns: int) -> np.ndarray:
    try:
        return np.asarray(header.pixel_array).reshape(frames, rows, columns)
    except Exception:  # noqa: BLE001 - whatever a decoder raises
        raise UnsupportedImage(
            f"{name}: its voxels are compressed ({header.file_meta.TransferSyntaxUID.name}) and cannot be decoded; "
            "install radiomics_pipeline[jpeg], or export it without compression"
        ) from None


def frames_of(header: Any, name: str) -> list[Frame]:
    """Where the frames lie; DamagedFile where that is not said, UnsupportedImage for planes of several directions."""
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    groups = list(header.get("PerFrameFunctionalGroupsSequence") or ())
    count = int(header.get("NumberOfFrames") or 1)
    if len(groups) != count:
        raise DamagedFile(f"{name}: {count} frames, but the places of {len(groups)}; export the file again")
    try:
        found = [_frame(i, group, shared) for i, group in enumerate(groups)]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        raise DamagedFile(
            f"{name}: position, orientation, spacing or segment of a frame is lacking; export the file again"
        ) from None
    first = found[0]
    for frame in found[1:]:
        turned = max(np.abs(frame.columns - first.columns).max(), np.abs(frame.rows - first.rows).max())
        if turned > 1e-4 or not np.allclose(frame.spacing_mm, first.spacing_mm, rtol=1e-4):
            raise UnsupportedImage(f"{name}: its frames have several orientations or pixel sizes; export it as one "
                                   "volume")  # fmt: skip
    return found


def _frame(number: int, group: Any, shared: Any) -> Frame:
    def of(keyword: str) -> Any:
        return (group.get(keyword) or shared.get(keyword))[0]

    identified = group.get("SegmentIdentificationSequence") or shared.get("SegmentIdentificationSequence")
    orientation = np.array(of("PlaneOrientationSequence").ImageOrientationPatient, float)
    measures = of("PixelMeasuresSequence")
    rows_mm, columns_mm = (float(s) for s in measures.PixelSpacing)
    position = np.array(of("PlanePositionSequence").ImagePositionPatient, float)
    if position.shape != (3,) or orientation.shape != (6,) or not np.isfinite([*position, *orientation]).all():
        raise ValueError
    if min(rows_mm, columns_mm) <= 0 or not np.isfinite([rows_mm, columns_mm]).all():
        raise ValueError
    return Frame(
        number,
        int(identified[0].ReferencedSegmentNumber) if identified else 0,
        position,
        orientation[:3] / np.linalg.norm(orientation[:3]),
        orientation[3:] / np.linalg.norm(orientation[3:]),
        (columns_mm, rows_mm),
        abs(float(measures.get("SpacingBetweenSlices") or 0)),
        abs(float(measures.get("SliceThickness") or 0)),
    )


def places_on(grid: Grid, frames: Sequence[Frame], pixels: Pixels) -> list[Place] | None:
    """Where frames lie on a grid; None where their pixels are not its voxels."""
    axes = np.array(grid.direction).reshape(3, 3)
    spacing = np.array(grid.spacing_mm[::-1])
    to_index = np.linalg.inv(axes) / spacing[:, None]
    first = frames[0]
    steps = [to_index @ first.rows * first.spacing_mm[1], to_index @ first.columns * first.spacing_mm[0]]
    along = [int(np.argmax(np.abs(step))) for step in steps]
    if along[0] == along[1]:
        return None
    for step, axis, n in zip(steps, along, pixels.shape, strict=True):
        ideal = np.zeros(3)
        ideal[axis] = np.sign(step[axis])
        if np.abs(step - ideal).max() * max(n - 1, 1) > IN_PLANE:
            return None
    across = 3 - sum(along)
    if first.step_mm and abs(first.step_mm / spacing[across] - 1) > STEP and len(frames) > 1:
        return None
    start = np.array([to_index @ (frame.position_mm - np.array(grid.origin_mm)) for frame in frames])
    whole = np.floor(start + 0.5)
    allowed = np.full(3, IN_PLANE)
    allowed[across] = ACROSS
    if np.any(np.abs(start - whole) > allowed):
        return None
    flips = tuple(bool(step[axis] < 0) for step, axis in zip(steps, along, strict=True))
    for axis, flip, n in zip(along, flips, pixels.shape, strict=True):
        whole[:, axis] -= (n - 1) if flip else 0
    return [
        Place(frame.number, (int(z), int(y), int(x)), (2 - along[0], 2 - along[1]), (flips[0], flips[1]))
        for frame, (x, y, z) in zip(frames, whole, strict=True)
    ]


def own_grid(frames: Sequence[Frame], pixels: Pixels, name: str) -> Grid:
    """The grid that the frames span from the first to the last; BadGeometry where they lie at uneven distances."""
    first = frames[0]
    normal = np.cross(first.columns, first.rows)
    at = np.array([frame.position_mm @ normal for frame in frames])
    order = np.sort(at)
    heights = order[np.concatenate([[True], np.diff(order) > _SAME_MM])]
    step = _step(heights, first, name)
    lowest = frames[int(np.argmin(at))]
    return checked_grid(
        name,
        shape=(round(float(heights[-1] - heights[0]) / step) + 1, *pixels.shape),
        spacing_mm=(step, first.spacing_mm[1], first.spacing_mm[0]),
        origin_mm=lowest.position_mm.tolist(),
        axes=np.stack([first.columns, first.rows, normal], axis=1),
    )


def _step(heights: np.ndarray, frame: Frame, name: str) -> float:
    """Distance of slices: as stated, if the frames lie on such slices; else the smallest between two frames."""
    gaps = np.diff(heights)
    if not len(gaps):
        step = frame.step_mm or frame.thickness_mm
        if not step:
            raise BadGeometry(f"{name}: its frames lie in one slice, and neither distance nor thickness of slices is "
                              "stated; export it with its geometry")  # fmt: skip
        return step
    for step in (frame.step_mm, float(gaps.min())):
        counts = np.round(gaps / step) if step else np.zeros(1)
        if counts.min() >= 1 and np.abs(gaps / step - counts).max() <= ACROSS:
            return float((heights[-1] - heights[0]) / counts.sum())
    raise BadGeometry(
        f"{name}: its frames lie {gaps.min():.4g} to {gaps.max():.4g} mm apart, which fits no even distance of slices; "
        "export it as one volume"
    )
