"""One series of DICOM images as a volume: its rescaled voxels, and its headers slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import (
    BadVoxels,
    MissingMetadata,
    MixedSeries,
    NotDicom,
    NotTomographic,
    SeveralFrames,
    UnsupportedImage,
    WrongModality,
    some,
)
from radiomics_pipeline.io.dicom.headers import number, parse, text
from radiomics_pipeline.io.dicom.multiframe import NUCLEAR, flat_headers
from radiomics_pipeline.io.dicom.pixels import stored_values
from radiomics_pipeline.io.dicom.scan import kind_of, patient_key
from radiomics_pipeline.io.dicom.stack import stack
from radiomics_pipeline.io.volumes import VolumeFile
from radiomics_pipeline.types import Grid

Gate = Literal["sum"] | int | None
MODALITIES = ("PT", "NM", "CT")
_PICTURES = ("LOCALIZER", "MIP", "PROJECTION IMAGE", "SCREEN SAVE", "REPORT", "STATIC", "WHOLE BODY", "TOMO")
"""Words of the third value of Image Type (0008,0008) that no slice of a tomogram has."""
_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True)
class DicomSeries:
    """One image series.

    name : what errors call it; modality : "PT", "NM" or "CT"
    headers : one a slice, in the order of the array's z, without pixels; of objects with many frames what is said of
        the frame stands at the top level
    array : float64 [z, y, x], slope times stored value plus intercept, slice by slice
    grid : where its voxels lie; the array's z ascends along the normal of the slices
    padding : bool [z, y, x], pixels that the scanner filled up; None where there are none
    gates : float64 [gate, z, y, x] of a gated series, of which `array` is one or the sum; else None
    """

    name: str
    modality: str
    headers: tuple[Dataset, ...]
    array: np.ndarray
    grid: Grid
    padding: np.ndarray | None = None
    gates: np.ndarray | None = None

    @property
    def series_uid(self) -> str:
        """Series Instance UID; never to be written."""
        return text(self.headers[0], "SeriesInstanceUID")

    @property
    def frame_of_reference_uid(self) -> str:
        """Frame of Reference UID, empty where there is none; never to be written."""
        return text(self.headers[0], "FrameOfReferenceUID")

    @property
    def sop_uids(self) -> tuple[str, ...]:
        """SOP Instance UID of each slice; never to be written."""
        return tuple(text(header, "SOPInstanceUID") for header in self.headers)


@dataclass(frozen=True)
class _Frame:
    """One slice as stored."""

    header: Dataset
    stored: np.ndarray
    name: str


def read_series(files: Sequence[VolumeFile], name: str, *, gate: Gate = None) -> DicomSeries:
    """The one image series among files; files that hold no image are passed over.

    gate : of a gated series: its number from 1, or "sum"
    Raises a DicomError where they are not one upright, complete volume, or where another check fails.
    """
    frames = _frames(files, name)
    headers = [frame.header for frame in frames]
    modality = _require_one_series(headers, name)
    shapes = {frame.stored.shape for frame in frames}
    if len(shapes) > 1:
        told = some(f"{x} x {y}" for y, x in sorted(shapes))
        raise MixedSeries(f"{name}: slices of different sizes ({told} pixels); separate the series")
    found = stack(headers, name, shapes.pop())
    gates = np.stack([np.stack([_rescaled(frames[i]) for i in order]) for order in found.order])
    array = _gate(gates, gate, name)
    order = found.order[gate - 1] if isinstance(gate, int) else found.order[0]
    if not np.isfinite(array).all():
        raise BadVoxels(f"{name}: {int((~np.isfinite(array)).sum())} voxels are not finite; export the series again")
    padding = np.stack([_padded(frames[i]) for i in order])
    return DicomSeries(
        name,
        modality,
        tuple(headers[i] for i in order),
        array,
        found.grid,
        padding if padding.any() else None,
        gates if len(gates) > 1 else None,
    )


def _frames(files: Sequence[VolumeFile], name: str) -> list[_Frame]:
    """All frames of all images."""
    found: list[_Frame] = []
    for file in files:
        dataset = parse(file, pixels=True)
        if kind_of(dataset) != "image":
            continue
        _require_tomogram(dataset, name)
        stored = stored_values(dataset, file.name)
        for keyword in _PIXELS:
            if keyword in dataset:
                del dataset[keyword]
        headers = flat_headers(dataset, name)
        if len(headers) != len(stored):
            raise MissingMetadata(f"{file.name}: {len(stored)} frames, but {len(headers)} of them are described")
        found += [_Frame(header, pixels, file.name) for header, pixels in zip(headers, stored, strict=True)]
    if not found:
        raise NotDicom(f"{name}: no image among its {len(files)} files")
    return found


def _require_tomogram(dataset: Dataset, name: str) -> None:
    words = text(dataset, "ImageType").upper().split("\\")
    sop_class = text(dataset, "SOPClassUID")
    picture = sop_class.startswith(_SECONDARY) and "SECONDARY" in words
    if sop_class != NUCLEAR and (picture or any(word in _PICTURES for word in words[2:])):
        told = next((word for word in words[2:] if word in _PICTURES), "secondary capture")
        raise NotTomographic(f"{name}: holds an image of type {told}, which is no slice; take it out of the folder")


def _require_one_series(headers: Sequence[Dataset], name: str) -> str:
    """The modality of the one series that all headers belong to; MixedSeries where they belong to several."""
    kinds = (
        ("patients", patient_key),
        ("series", lambda h: text(h, "SeriesInstanceUID")),
        ("frames of reference", lambda h: text(h, "FrameOfReferenceUID")),
        ("modalities", lambda h: text(h, "Modality")),
    )
    for what, key in kinds:
        count = len({key(header) for header in headers})
        if count > 1:
            raise MixedSeries(f"{name}: images of {count} {what} in one folder; give each series a folder of its own")
    modality = text(headers[0], "Modality")
    if modality not in MODALITIES:
        raise WrongModality(f"{name}: modality {modality or 'not given'}; {', '.join(MODALITIES)} are read")
    return modality


def _rescaled(frame: _Frame) -> np.ndarray:
    """Slope times stored value plus intercept."""
    header, name = frame.header, frame.name
    if "ModalityLUTSequence" in header:
        raise UnsupportedImage(f"{name}: a Modality LUT instead of a rescale slope; export the series again")
    slope, intercept = (number(header, keyword, name) for keyword in ("RescaleSlope", "RescaleIntercept"))
    if slope is None and text(header, "Modality") != "NM" and frame.stored.dtype.kind != "f":
        raise MissingMetadata(f"{name}: no RescaleSlope (0028,1053); its values have no unit. Export the series again")
    if slope == 0:
        raise MissingMetadata(f"{name}: RescaleSlope (0028,1053) is 0; export the series again")
    return frame.stored.astype(np.float64) * (1.0 if slope is None else slope) + (intercept or 0.0)


def _padded(frame: _Frame) -> np.ndarray:
    """Pixels with Pixel Padding Value (0028,0120), or between it and Pixel Padding Range Limit (0028,0121)."""
    stored, header = frame.stored, frame.header
    low = number(header, "PixelPaddingValue", frame.name)
    if low is None or stored.dtype.kind not in "iu":
        return np.zeros(stored.shape, bool)
    high = number(header, "PixelPaddingRangeLimit", frame.name)
    ends = sorted(_as_stored(end, stored.dtype) for end in (low, low if high is None else high))
    return (stored >= ends[0]) & (stored <= ends[1])


def _as_stored(value: float, dtype: np.dtype) -> int:
    """A padding value as the pixels hold it: headers give signed ones as unsigned, too."""
    span = 2 ** (8 * dtype.itemsize)
    return int(value) - span if dtype.kind == "i" and value >= span // 2 else int(value)


def _gate(gates: np.ndarray, gate: Gate, name: str) -> np.ndarray:
    """The image asked for; SeveralFrames where it is not said which."""
    count = len(gates)
    if count == 1 and gate in (None, "sum", 1):
        return gates[0]
    if gate == "sum":
        return gates.sum(axis=0)
    if gate is None:
        raise SeveralFrames(
            f"{name}: a gated series of {count} gates; say which in the parameters, gate: sum or a number from 1 to "
            f"{count}"
        )
    if not 1 <= gate <= count:
        raise SeveralFrames(f"{name}: no gate {gate}; the series has {count}")
    return gates[gate - 1]
