"""RT Structure Sets and Segmentations in DICOM, right and wrong in known ways; written with plain pydicom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from radiomics_pipeline.io.volumes import VolumeFile
from radiomics_pipeline.types import Grid

RTSTRUCT, SEG, LABEL_MAP = (
    "1.2.840.10008.5.1.4.1.1.481.3", "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7",
)  # fmt: skip


_numbers = count(1)


def short_uid() -> str:
    """A UID that no other call gives, with room for more components."""
    return f"1.2.826.0.1.{next(_numbers)}"


@dataclass(frozen=True)
class Series:
    """What masks are matched with of an image series."""

    grid: Grid
    name: str = "PET"
    series_uid: str = field(default_factory=short_uid)
    frame_of_reference_uid: str = field(default_factory=short_uid)
    instances: tuple[str, ...] = ()

    @property
    def sop_uids(self) -> tuple[str, ...]:
        return self.instances or tuple(f"{self.series_uid}.{i + 1}" for i in range(self.grid.shape[0]))


@dataclass(frozen=True)
class Roi:
    """A ROI to be written. contours : points [n, 3] in mm; kinds : of the contours, one for all or one each"""

    name: str
    contours: Sequence[np.ndarray] = ()
    kinds: str | Sequence[str] = "CLOSED_PLANAR"
    number: int | None = None
    frame_uid: str | None = None


def contour(grid: Grid, z: float, rows_columns: Sequence[tuple[float, float]]) -> np.ndarray:
    """A contour given by (row, column) in voxels on slice z, as points in mm."""
    return np.array([grid.position_mm((z, y, x)) for y, x in rows_columns])


def rectangle(grid: Grid, z: float, top: float, left: float, bottom: float, right: float) -> np.ndarray:
    """A rectangle between two rows and two columns, in voxels."""
    return contour(grid, z, [(top, left), (top, right), (bottom, right), (bottom, left)])


def rtstruct(
    rois: Sequence[Roi], image: Series | None = None, *, refer: str = "contours", name: str = "RTSTRUCT"
) -> VolumeFile:
    """A structure set. refer : by "contours", "series" or "frame" to the image; "none": to nothing"""
    header = _header(RTSTRUCT, "RTSTRUCT")
    frame = image.frame_of_reference_uid if image and refer != "none" else ""
    if frame:
        item = Dataset()
        item.FrameOfReferenceUID = frame
        if refer in ("contours", "series"):
            series, study = Dataset(), Dataset()
            series.SeriesInstanceUID = image.series_uid
            study.RTReferencedSeriesSequence = Items([series])
            item.RTReferencedStudySequence = Items([study])
        header.ReferencedFrameOfReferenceSequence = Items([item])
    defined, drawn = [], []
    for position, roi in enumerate(rois, 1):
        number = roi.number or position
        item = Dataset()
        item.ROINumber, item.ROIName = number, roi.name
        item.ReferencedFrameOfReferenceUID = frame if roi.frame_uid is None else roi.frame_uid
        defined.append(item)
        if len(roi.contours):
            item = Dataset()
            item.ReferencedROINumber = number
            item.ContourSequence = Items(_contours(roi, image if refer == "contours" else None))
            drawn.append(item)
    header.StructureSetROISequence, header.ROIContourSequence = Items(defined), Items(drawn)
    return to_file(header, name)


def _contours(roi: Roi, image: Series | None) -> list[Dataset]:
    kinds = [roi.kinds] * len(roi.contours) if isinstance(roi.kinds, str) else roi.kinds
    found = []
    for points, kind in zip(roi.contours, kinds, strict=True):
        item = Dataset()
        item.ContourGeometricType = kind
        item.NumberOfContourPoints = len(points)
        item.ContourData = [f"{value:.6f}".rstrip("0") for value in np.asarray(points).ravel()]
        if image:
            reference = Dataset()
            reference.ReferencedSOPInstanceUID = image.sop_uids[0]
            item.ContourImageSequence = Items([reference])
        found.append(item)
    return found


def seg(
    masks: dict[int, np.ndarray], grid: Grid, image: Series | None = None, *, kind: str = "BINARY",
    names: dict[int, str] | None = None, order: np.random.Generator | None = None, maximum: int = 255,
    keep_empty: bool = False, bits: int = 8, state_spacing: bool = True,
) -> Dataset:  # fmt: skip
    """A segmentation on a grid, empty frames left out.

    masks : by segment bool [z, y, x], or shares of 0 to 1 for kind "FRACTIONAL"
    order : shuffles the frames
    """
    header = _header(LABEL_MAP if kind == "LABELMAP" else SEG, "SEG")
    header.SegmentationType = kind
    names = names or {number: f"segment {number}" for number in masks}
    header.SegmentSequence = Items([_segment(number, name) for number, name in names.items()])
    if image:
        header.FrameOfReferenceUID = image.frame_of_reference_uid
        header.ReferencedSeriesSequence = Items([_reference(image)])
    header.SharedFunctionalGroupsSequence = Items([_geometry(grid, state_spacing=state_spacing)])
    if kind == "LABELMAP":
        labels = np.zeros(grid.shape, np.uint16)
        for number, mask in masks.items():
            labels[mask] = number
        header.PixelPaddingValue = 0
        planes = [(0, z, labels[z]) for z in range(grid.shape[0])]
    else:
        planes = [(number, z, mask[z]) for number, mask in masks.items() for z in range(grid.shape[0])]
    planes = [plane for plane in planes if keep_empty or plane[2].any()]
    if order is not None:
        planes = [planes[i] for i in order.permutation(len(planes))]
    header.PerFrameFunctionalGroupsSequence = Items([_frame(grid, number, z) for number, z, _ in planes])
    header.Rows, header.Columns, header.NumberOfFrames = *grid.shape[1:], len(planes)
    header.SamplesPerPixel, header.PixelRepresentation, header.PhotometricInterpretation = 1, 0, "MONOCHROME2"
    stored = np.array([plane for *_, plane in planes])
    if kind == "BINARY":
        header.BitsAllocated = header.BitsStored = 1
        header.HighBit = 0
        data = np.packbits(stored.astype(bool).ravel(), bitorder="little").tobytes()
    else:
        header.BitsAllocated = header.BitsStored = bits
        header.HighBit = bits - 1
        if kind == "FRACTIONAL":
            header.MaximumFractionalValue, header.SegmentationFractionalType = maximum, "OCCUPANCY"
            stored = np.rint(stored.astype(float) * maximum)
        data = stored.astype(f"<u{bits // 8}").tobytes()
    header.PixelData = data + b"\0" * (len(data) % 2)
    header["PixelData"].VR = "OB"
    return header


def _segment(number: int, name: str) -> Dataset:
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "108369006", "SCT", "Neoplasm"
    item.SegmentNumber, item.SegmentLabel = number, name
    item.SegmentedPropertyTypeCodeSequence = Items([code])
    return item


def _reference(image: Series) -> Dataset:
    series, instance = Dataset(), Dataset()
    instance.ReferencedSOPInstanceUID = image.sop_uids[0]
    series.SeriesInstanceUID = image.series_uid
    series.ReferencedInstanceSequence = Items([instance])
    return series


def _geometry(grid: Grid, *, state_spacing: bool) -> Dataset:
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [f"{s:.10g}" for s in grid.spacing_mm[1:]]
    if state_spacing:
        measures.SliceThickness = measures.SpacingBetweenSlices = f"{grid.spacing_mm[0]:.10g}"
    axes = np.array(grid.direction).reshape(3, 3)
    orientation.ImageOrientationPatient = [f"{v:.10f}" for v in (*axes[:, 0], *axes[:, 1])]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Items([measures]), Items([orientation])
    return shared


def _frame(grid: Grid, number: int, z: int) -> Dataset:
    frame, position, segment = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = [f"{v:.8f}" for v in grid.position_mm((z, 0, 0))]
    frame.PlanePositionSequence = Items([position])
    if number:
        segment.ReferencedSegmentNumber = number
        frame.SegmentIdentificationSequence = Items([segment])
    return frame


def _header(sop_class: str, modality: str) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = sop_class
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = generate_uid()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.Modality, header.PatientName, header.PatientID = modality, "Doe^Secret", "SECRET-1"
    header.SeriesInstanceUID, header.StudyInstanceUID = generate_uid(), generate_uid()
    return header


def to_file(header: Dataset, name: str = "SEG") -> VolumeFile:
    """A data set as the file that readers take."""
    content = BytesIO()
    header.save_as(content, enforce_file_format=True)
    return VolumeFile(Path("mask.dcm"), name, content.getvalue())
