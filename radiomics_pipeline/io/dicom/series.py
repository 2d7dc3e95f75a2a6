"""One series of DICOM images as a volume: its rescaled voxels, and its headers slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import (
    BadVoxels,
    DamagedFile,
    MissingMetadata,
    MixedSeries,
    NotDicom,
    SeveralFrames,
    UnsupportedImage,
    WrongModality,
    some,
)
from radiomics_pipeline.io.dicom.headers import header_tag, is_dicom, items, number, open_header, text
from radiomics_pipeline.io.dicom.multiframe import flat_headers
from radiomics_pipeline.io.dicom.pixels import stored_values
from radiomics_pipeline.io.dicom.scan import kind_of, patient_key
from radiomics_pipeline.io.dicom.stack import stack
from radiomics_pipeline.io.dicom.tomograms import require_tomogram
from radiomics_pipeline.io.volumes import VolumeFile
from radiomics_pipeline.types import Grid

Gate = Literal["sum"] | int | None
MODALITIES = ("PT", "NM", "CT")
_HOUNSFIELD = ("", "HU", "HU_MOD", "US")
"""Rescale types of CT whose values are HU: not given (PS3.3, C.11.1.1.2), unspecified, or HU of one energy."""
_OTHER_CT = ("OD", "MGML", "Z_EFF", "ED", "EDW", "PCT")
_UNITS = ("BQML", "GML", "CM2ML", "1CM", "CPS", "PROPCPS", "PCNT", "MLMINML", "MLMING", "MLG", "UMOLML", "NONE")
_OTHER_MODALITIES = ("MR", "OT", "RTDOSE", "RTIMAGE", "US", "XA", "CR", "DX", "SC", "MG", "SM", "PX", "RF")
"""What headers may say that is repeated in messages; anything else might be free text."""


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
    found = stack(headers, [frame.name for frame in frames], name, shapes.pop())
    gates = _rescaled([[frames[i] for i in order] for order in found.order])
    array = _gate(gates, gate, headers[0], name)
    order = found.order[gate - 1] if isinstance(gate, int) else found.order[0]
    padding = _padded([frames[i] for i in order])
    for voxels in (gates, array, padding):
        if voxels is not None:
            voxels.flags.writeable = False
    return DicomSeries(
        name,
        modality,
        tuple(headers[i] for i in order),
        array,
        found.grid,
        padding,
        gates if len(gates) > 1 else None,
    )


def _frames(files: Sequence[VolumeFile], name: str) -> list[_Frame]:
    """All frames of all images."""
    found: list[_Frame] = []
    for file in files:
        if not is_dicom(file.data):
            continue
        opened = open_header(file)
        if kind_of(opened.header) != "image":
            continue
        require_tomogram(opened.header, file.name)
        stored = stored_values(opened)
        headers = flat_headers(opened.header, file.name)
        if len(headers) != len(stored):
            raise DamagedFile(f"{file.name}: {len(stored)} frames, but {len(headers)} of them are described")
        if len(headers) > 1:
            for header in headers:
                require_tomogram(header, file.name)
        found += [_Frame(header, pixels, file.name) for header, pixels in zip(headers, stored, strict=True)]
    if not found:
        raise NotDicom(f"{name}: no image among its {len(files)} files")
    return found


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
        shown = modality if modality in _OTHER_MODALITIES else "not known" if modality else "not given"
        raise WrongModality(f"{name}: modality {shown}; {', '.join(MODALITIES)} are read")
    return modality


def _rescaled(gates: Sequence[Sequence[_Frame]]) -> np.ndarray:
    """Slope times stored value plus intercept, float64 [gate, z, y, x]; BadVoxels where it is not finite."""
    array = np.empty((len(gates), len(gates[0]), *gates[0][0].stored.shape))
    for frames, volume in zip(gates, array, strict=True):
        for frame, plane in zip(frames, volume, strict=True):
            slope, intercept = _rescale(frame)
            with np.errstate(over="ignore", invalid="ignore"):
                np.multiply(frame.stored, slope, out=plane)
                np.add(plane, intercept, out=plane)
            if not np.isfinite(plane).all():
                raise BadVoxels(
                    f"{frame.name}: {int((~np.isfinite(plane)).sum())} of {plane.size} voxels are NaN or infinite; "
                    "export the series again"
                )
    return array


def _rescale(frame: _Frame) -> tuple[float, float]:
    """Slope and intercept of a slice; MissingMetadata where its values would have no unit without one of them."""
    header, name = frame.header, frame.name
    if "ModalityLUTSequence" in header:
        raise UnsupportedImage(f"{name}: a Modality LUT instead of a rescale slope; export the series again")
    modality, kind = text(header, "Modality"), text(header, "RescaleType").upper()
    if modality == "CT" and kind not in _HOUNSFIELD:
        shown = kind if kind in _OTHER_CT else "another quantity"
        raise UnsupportedImage(
            f"{name}: a CT image whose values are {shown} instead of HU (Rescale Type (0028,1054)); choose the series "
            "in HU"
        )
    slope, intercept = (number(header, keyword, name) for keyword in ("RescaleSlope", "RescaleIntercept"))
    if slope is not None and (slope == 0 or (slope < 0 and text(header, "Modality") in ("PT", "NM"))):
        raise MissingMetadata(f"{name}: RescaleSlope (0028,1053) is {slope:g}; export the series again")
    optional = modality == "NM" or frame.stored.dtype.kind == "f"
    for keyword, value in (("RescaleSlope", slope), ("RescaleIntercept", intercept)):
        if value is None and not optional:
            raise MissingMetadata(
                f"{name}: no {keyword} {header_tag(keyword)}; its values have no unit. Export the series again"
            )
    return 1.0 if slope is None else slope, intercept or 0.0


def _padded(frames: Sequence[_Frame]) -> np.ndarray | None:
    """Pixels with Pixel Padding Value (0028,0120), or between it and Pixel Padding Range Limit (0028,0121)."""
    found = np.zeros((len(frames), *frames[0].stored.shape), bool)
    for frame, plane in zip(frames, found, strict=True):
        stored, header = frame.stored, frame.header
        low = number(header, "PixelPaddingValue", frame.name)
        if low is None or stored.dtype.kind not in "iu":
            continue
        high = number(header, "PixelPaddingRangeLimit", frame.name)
        ends = sorted(_as_stored(end, stored.dtype) for end in (low, low if high is None else high))
        np.logical_and(stored >= ends[0], stored <= ends[1], out=plane)
    return found if found.any() else None


def _as_stored(value: float, dtype: np.dtype) -> int:
    """A padding value as the pixels hold it: headers give signed ones as unsigned, too."""
    span = 2 ** (8 * dtype.itemsize)
    return int(value) - span if dtype.kind == "i" and value >= span // 2 else int(value)


def _gate(gates: np.ndarray, gate: Gate, header: Dataset, name: str) -> np.ndarray:
    """The image asked for; SeveralFrames where it is not said which, or where gates cannot be summed."""
    count = len(gates)
    if count == 1 and gate in (None, "sum", 1):
        return gates[0]
    if gate is None:
        raise SeveralFrames(
            f"{name}: a gated series of {count} gates; say which in the parameters, gate: sum or a number from 1 to "
            f"{count}"
        )
    if gate == "sum":
        unit = _concentration(header)
        if unit:
            raise SeveralFrames(
                f"{name}: the values of its {count} gates are concentrations ({unit}), whose sum is none; choose one, "
                f"gate: a number from 1 to {count}, or export the reconstruction without gates"
            )
        return gates.sum(axis=0)
    if not 1 <= gate <= count:
        raise SeveralFrames(f"{name}: no gate {gate}; the series has {count}")
    return gates[gate - 1]


def _concentration(header: Dataset) -> str:
    """The unit of values that are no counts, from Units of PET, and a Real World Value Mapping of NM; else empty."""
    if text(header, "Modality") == "PT":
        unit = text(header, "Units").upper()
        return "" if unit in ("CNTS", "PROPCNTS") else unit if unit in _UNITS else "of a unit that is not known"
    units = [
        text(code, "CodeValue")
        for mapping in items(header, "RealWorldValueMappingSequence")
        for code in items(mapping, "MeasurementUnitsCodeSequence")
    ]
    return "Bq/ml" if any("/ml" in unit.lower() or "SUV" in unit.upper() for unit in units) else ""
