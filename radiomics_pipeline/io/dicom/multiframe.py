"""Objects of many frames as flat headers, one a frame: enhanced CT and PET, and tomograms of nuclear medicine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import MissingMetadata, NotTomographic, SeveralFrames
from radiomics_pipeline.io.dicom.headers import header_tag, items, number, numbers, quiet, text
from radiomics_pipeline.io.dicom.tomograms import NUCLEAR

_KEPT = frozenset({"RealWorldValueMappingSequence", "ReferencedImageSequence", "DerivationImageSequence"})
"""Functional groups whose items stay a sequence."""
_VECTORS = {
    "EnergyWindowVector": "energy windows",
    "DetectorVector": "detectors",
    "RotationVector": "rotations",
    "PhaseVector": "phases",
    "TimeSliceVector": "time slices",
}
"""Vectors along which a tomogram must not vary, and what they count."""


def flat_headers(dataset: Dataset, name: str) -> list[Dataset]:
    """A header for each frame of a data set without its pixels, all that is said of the frame at its top level."""
    if text(dataset, "SOPClassUID") == NUCLEAR:
        return list(_nuclear(dataset, name))
    if "PerFrameFunctionalGroupsSequence" in dataset:
        return list(_enhanced(dataset))
    if (number(dataset, "NumberOfFrames", name) or 1) > 1:
        raise NotTomographic(
            f"{name}: {int(number(dataset, 'NumberOfFrames', name) or 0)} frames, and no word on where each lies; "
            "export the series as single slices or as an enhanced object"
        )
    return [dataset]


def _enhanced(dataset: Dataset) -> Iterator[Dataset]:
    base = _copied(dataset)
    shared = items(dataset, "SharedFunctionalGroupsSequence")
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        if keyword in base:
            del base[keyword]
    for group in shared[:1]:
        _merge(base, group)
    for group in items(dataset, "PerFrameFunctionalGroupsSequence"):
        frame = _copied(base)
        _merge(frame, group)
        yield frame


def _copied(dataset: Dataset) -> Dataset:
    """A data set of the same elements, which are not copied, and of the same encoding of texts."""
    copy = Dataset(dict(dataset.items()))
    implicit, little = dataset.original_encoding
    copy.set_original_encoding(implicit, little, dataset.original_character_set)
    return copy


def _set(flat: Dataset, keyword: str, value: Any) -> None:
    """Set a value of this data set alone: its elements are shared with the others of the object."""
    if keyword in flat:
        del flat[keyword]
    setattr(flat, keyword, value)


def _merge(flat: Dataset, group: Any) -> None:
    """Lift what a functional group says to the top level."""
    with quiet():
        for element in group:
            if element.VR != "SQ" or element.keyword in _KEPT:
                flat[element.tag] = element
            elif len(element.value) == 1:
                for inner in element.value[0]:
                    flat[inner.tag] = inner


def _nuclear(dataset: Dataset, name: str) -> Iterator[Dataset]:
    """Frames by their vectors (PS3.3, C.8.4.8.1.1); the position is that of the first frame, from which the others lie
    along the normal, or against it where Spacing Between Slices is negative (C.8.4.15)."""
    frames = int(number(dataset, "NumberOfFrames", name) or 1)
    for keyword, what in _VECTORS.items():
        found = _vector(dataset, keyword, name, frames)
        several = 0 if found is None else len(set(found.tolist()))
        if several > 1:
            raise SeveralFrames(f"{name}: {several} {what} in one object; export one of them")
    slots = _slots(dataset, name, frames)
    slices = _vector(dataset, "SliceVector", name, frames)
    if slices is None:
        if len(set(slots)) > 1:
            raise MissingMetadata(f"{name}: gated, and no SliceVector (0054,0080) says which frame is which slice")
        slices = np.arange(1, frames + 1)
    start, normal, step, turn = _nuclear_geometry(dataset, name, len(set(slices.tolist())))
    base = _copied(dataset)
    _set(base, "ImageOrientationPatient", list(turn))
    for frame in range(frames):
        flat = _copied(base)
        place = start + normal * step * (int(slices[frame]) - int(slices[0]))
        _set(flat, "ImagePositionPatient", [float(f"{c:.10g}") for c in place])
        _set(flat, "TimeSlotVector", int(slots[frame]))
        yield flat


def _slots(dataset: Dataset, name: str, frames: int) -> np.ndarray:
    """The gate of every frame; several R-R intervals are refused."""
    intervals = _vector(dataset, "RRIntervalVector", name, frames)
    if intervals is not None and len(set(intervals.tolist())) > 1:
        raise SeveralFrames(f"{name}: {len(set(intervals.tolist()))} R-R intervals in one object; export one of them")
    slots = _vector(dataset, "TimeSlotVector", name, frames)
    return np.ones(frames, int) if slots is None else slots


def _vector(dataset: Dataset, keyword: str, name: str, frames: int) -> np.ndarray | None:
    with quiet():
        value = dataset.get(keyword)
    if value is None or value == "":
        return None
    try:
        found = np.atleast_1d(np.array(value, int))
    except (TypeError, ValueError):
        raise MissingMetadata(f"{name}: {keyword} {header_tag(keyword)} holds no numbers; export it again") from None
    if len(found) != frames:
        raise MissingMetadata(f"{name}: {keyword} has {len(found)} entries for {frames} frames; export it again")
    return found


def _nuclear_geometry(
    dataset: Dataset, name: str, slices: int
) -> tuple[np.ndarray, np.ndarray, float, tuple[float, ...]]:
    """Position of the first slice, normal, signed distance of slices in mm, and orientation."""
    detectors = items(dataset, "DetectorInformationSequence")
    found = []
    for keyword, count in (("ImagePositionPatient", 3), ("ImageOrientationPatient", 6)):
        here = [numbers(source, keyword, name, count) for source in (*detectors[:1], dataset)]
        found.append(next((values for values in here if values is not None), None))
    position, turn = found
    if position is None or turn is None:
        lacking = "ImagePositionPatient" if position is None else "ImageOrientationPatient"
        raise MissingMetadata(
            f"{name}: no {lacking} in its DetectorInformationSequence (0054,0022); where its voxels lie is not known. "
            "Export the series again, or as NIfTI"
        )
    step = number(dataset, "SpacingBetweenSlices", name)
    if not step:
        if slices > 1:
            raise MissingMetadata(
                f"{name}: no SpacingBetweenSlices (0018,0088), and SliceThickness may differ from it; export the "
                "series again, or as NIfTI"
            )
        step = 1.0
    return np.array(position), np.cross(turn[:3], turn[3:]), step, turn
