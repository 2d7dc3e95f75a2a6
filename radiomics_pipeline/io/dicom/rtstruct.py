"""RT Structure Sets: the contours of regions of interest, as voxels of an image (imaging/contours.py).

A region is drawn into voxels when it is asked for, so that one of a hundred costs one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from radiomics_pipeline.errors import BadContour, CaseError, DamagedFile, EmptyRegion, OtherFrame, some
from radiomics_pipeline.imaging.contours import TOLERANCE, Enclosed, enclose
from radiomics_pipeline.io.dicom.headers import items, quiet
from radiomics_pipeline.io.dicom.mask_object import Referenced, parsed, reader, require_image, text
from radiomics_pipeline.io.volumes import VolumeFile
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.masks import Entry, Masks

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.series import DicomSeries

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
NOT_ONE = "not an RT Structure Set; give one, a SEG or a label image"
CLOSED, XOR, POINT = "CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "POINT"
"""Kinds of contours (3006,0042); of others only areas are meant: open ones enclose none."""


@dataclass(frozen=True)
class Roi:
    """One region of interest as it stands in the file.

    contours : pydicom items of its Contour Sequence, their points not yet read
    frame_uid : of its frame of reference, empty where the file names none
    """

    number: int
    name: str
    frame_uid: str
    contours: tuple[Any, ...]

    @cached_property
    def kinds(self) -> Counter[str]:
        """How many contours of each kind it has."""
        return Counter(text(contour, "ContourGeometricType") or "none stated" for contour in self.contours)

    @cached_property
    def sop_uids(self) -> frozenset[str]:
        """The instances that its contours were drawn on."""
        return frozenset(
            text(instance, "ReferencedSOPInstanceUID")
            for contour in self.contours
            for instance in items(contour, "ContourImageSequence")
        )


@dataclass(frozen=True)
class Structures(Masks):
    """The areas of an RT Structure Set on the grid of an image.

    rois : those that enclose areas, by number
    refused : those that do not, by name, and the error that asking for one raises
    file_notes : what holds for all of them
    tolerance : how far a contour may lie beside its slice, in slice distances
    """

    rois: dict[int, Roi]
    refused: dict[str, CaseError] = field(default_factory=dict)
    file_notes: tuple[str, ...] = ()
    tolerance: float = TOLERANCE
    _drawn: dict[int, Enclosed] = field(default_factory=dict, repr=False, compare=False)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """ROIs with closed contours."""
        return tuple(Entry(number, self.rois[number].name) for number in sorted(self.rois))

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the file, and on those of its ROIs that have been asked for."""
        return self.file_notes + tuple(note for number in sorted(self._drawn) for note in self._drawn[number].notes)

    def mask(self, number: int) -> np.ndarray:
        """The voxels of one ROI; BadContour or EmptyRegion where its contours enclose no clear area of the image."""
        if number not in self._drawn:
            try:
                self._drawn[number] = self._enclosed(self.rois[number])
            except NotImplementedError:  # pydicom's, of an element of no known kind; it quotes the header
                raise DamagedFile(f"{self.file}: contours cannot be read; copy or export the file again") from None
        return self._drawn[number].mask(self.grid)

    @quiet()
    def _enclosed(self, roi: Roi) -> Enclosed:
        name = f"{self.file}: ROI {roi.name!r}"
        kinds = roi.kinds
        open_ones = {kind: n for kind, n in kinds.items() if kind not in (CLOSED, XOR, POINT)}
        if open_ones:
            raise BadContour(
                f"{name}: of its {len(roi.contours)} contours {_counted(open_ones)} enclose no area; close them, or "
                "leave them out"
            )
        closed = [_points(contour, name) for contour in roi.contours if text(contour, "ContourGeometricType") != POINT]
        found = enclose(closed, self.grid, name, tolerance=self.tolerance, xor=CLOSED not in kinds)
        if kinds[POINT]:
            note = f"{name}: {kinds[POINT]} of its {len(roi.contours)} contours are points and enclose nothing"
            return Enclosed(found.box, found.low, (note, *found.notes))
        return found


@reader
def read_rtstruct(
    file: VolumeFile, image: DicomSeries | None, grid: Grid, *, tolerance: float = TOLERANCE
) -> Structures:
    """The ROIs of an RT Structure Set on the grid of an image.

    image : the series it must belong to; None: it is not asked
    tolerance : how far a contour may lie beside the middle of its slice, in slice distances

    Raises OtherFrame for a structure set of another image, DicomError for a file that is none, DamagedFile for one
    that cannot be read; ROIs raise their errors when they are asked for.
    """
    header = parsed(file, (SOP_CLASS,), NOT_ONE)
    found = _referenced(header, image.frame_of_reference_uid if image else "")
    notes = require_image(found, image, file.name) if image else ()
    own = frozenset(image.sop_uids) if image else frozenset()
    areas: dict[int, Roi] = {}
    refused: dict[str, CaseError] = {}
    elsewhere = []
    for roi in _rois(header, file.name):
        error = _why_no_area(roi, file.name) or (_why_elsewhere(roi, header, image, own, file.name) if image else None)
        if error:
            refused.setdefault(roi.name, error)
            continue
        areas[roi.number] = roi
        if image and roi.sop_uids and not roi.sop_uids & own:
            elsewhere.append(roi.name)
    if image and elsewhere and not notes and found.series_uids - {image.series_uid}:
        notes = (f"{file.name}: ROI {some(map(repr, elsewhere))}: drawn on another image in the frame of reference of "
                 f"{image.name}, and placed by its coordinates",)  # fmt: skip
    return Structures(file.name, grid, areas, refused, notes, tolerance)


@reader
def referenced(file: VolumeFile) -> Referenced:
    """The images that an RT Structure Set was drawn on; errors as of `read_rtstruct`."""
    return _referenced(parsed(file, (SOP_CLASS,), NOT_ONE))


@reader
def roi_names(file: VolumeFile) -> tuple[str, ...]:
    """The names of all ROIs by number, those without an area too; errors as of `read_rtstruct`."""
    rois = _rois(parsed(file, (SOP_CLASS,), NOT_ONE), file.name)
    return tuple(roi.name for roi in sorted(rois, key=lambda roi: roi.number))


def _rois(header: Any, name: str) -> Iterator[Roi]:
    """All ROIs of the file; DamagedFile where its sequences cannot be read or contradict each other."""
    if "StructureSetROISequence" not in header or "ROIContourSequence" not in header:
        raise DamagedFile(f"{name}: no list of ROIs or of their contours; copy or export the file again")
    try:
        contours: dict[int, list[Any]] = {}
        for item in items(header, "ROIContourSequence"):
            contours.setdefault(int(item.ReferencedROINumber), []).extend(items(item, "ContourSequence"))
        defined = [
            Roi(
                int(item.ROINumber),
                text(item, "ROIName"),
                text(item, "ReferencedFrameOfReferenceUID"),
                tuple(contours.get(int(item.ROINumber), ())),
            )
            for item in items(header, "StructureSetROISequence")
        ]
    except Exception:  # noqa: BLE001
        raise DamagedFile(f"{name}: its list of ROIs cannot be read; export the file again") from None
    numbers = Counter(roi.number for roi in defined)
    twice = sorted(number for number, n in numbers.items() if n > 1)
    if twice:
        raise DamagedFile(f"{name}: two ROIs have the number {some(twice)}; export the file again")
    unknown = sorted(set(contours) - set(numbers))
    if unknown:
        raise DamagedFile(f"{name}: contours of ROI {some(unknown)}, which is not defined; export the file again")
    yield from defined


def _why_no_area(roi: Roi, name: str) -> CaseError | None:
    """The error of asking for a ROI without a closed contour."""
    kinds = roi.kinds
    if not kinds:
        return EmptyRegion(f"{name}: ROI {roi.name!r} has no contours")
    if kinds[CLOSED] or kinds[XOR]:
        return None
    return BadContour(f"{name}: ROI {roi.name!r} is no area: its contours are {_counted(kinds)}")


def _why_elsewhere(roi: Roi, header: Any, image: DicomSeries, own: frozenset[str], name: str) -> CaseError | None:
    """The error of asking for a ROI that lies in another frame of reference than the image. own : its instances"""
    if roi.sop_uids & own or not roi.frame_uid:
        return None
    frames = {image.frame_of_reference_uid}
    for item in items(header, "ReferencedFrameOfReferenceSequence"):
        series, instances = _series_of(item)
        if image.series_uid in series or instances & own:
            frames.add(text(item, "FrameOfReferenceUID"))
    if roi.frame_uid in frames:
        return None
    return OtherFrame(f"{name}: ROI {roi.name!r} lies in another frame of reference than {image.name}")


def _referenced(header: Any, frame_uid: str = "") -> Referenced:
    """What the file refers to; of several frames of reference the one asked for, else the first."""
    series: set[str] = set()
    instances: set[str] = set()
    frames = []
    for item in items(header, "ReferencedFrameOfReferenceSequence"):
        frames.append(text(item, "FrameOfReferenceUID"))
        some_series, some_instances = _series_of(item)
        series |= some_series
        instances |= some_instances
    frames += [text(item, "ReferencedFrameOfReferenceUID") for item in items(header, "StructureSetROISequence")]
    for roi in items(header, "ROIContourSequence"):
        for contour in items(roi, "ContourSequence"):
            instances |= {text(i, "ReferencedSOPInstanceUID") for i in items(contour, "ContourImageSequence")}
    frames.append(text(header, "FrameOfReferenceUID"))
    frame = frame_uid if frame_uid and frame_uid in frames else next(filter(None, frames), "")
    return Referenced(frozenset(series - {""}), frozenset(instances - {""}), frame)


def _series_of(frame: Any) -> tuple[set[str], set[str]]:
    """UIDs of series and instances under an item of the Referenced Frame of Reference Sequence."""
    series: set[str] = set()
    instances: set[str] = set()
    for study in items(frame, "RTReferencedStudySequence"):
        for item in items(study, "RTReferencedSeriesSequence"):
            series.add(text(item, "SeriesInstanceUID"))
            instances |= {text(i, "ReferencedSOPInstanceUID") for i in items(item, "ContourImageSequence")}
    return series - {""}, instances - {""}


def _points(contour: Any, name: str) -> np.ndarray:
    """A contour's points, float64 [point, 3], mm; BadContour where they are no triples of numbers."""
    element = contour.get_item("ContourData")
    value = element.value if element is not None else None
    if value is None or len(value) == 0:
        return np.zeros((0, 3))
    if any(float(offset) for offset in contour.get("ContourOffsetVector") or ()):
        raise BadContour(f"{name}: a contour is shifted by a Contour Offset Vector, which DICOM has retired; export "
                         "the structure again")  # fmt: skip
    try:  # read as they stand in the file: pydicom's own numbers take fifty times as long
        numbers = np.array(value.rstrip(b" \0").split(b"\\") if isinstance(value, bytes) else value, np.float64)
        points = numbers.reshape(-1, 3)
    except (ValueError, TypeError):
        raise BadContour(
            f"{name}: the points of a contour are no triples of numbers; export the structure again"
        ) from None
    stated = text(contour, "NumberOfContourPoints")
    if stated and stated != str(len(points)):
        raise BadContour(
            f"{name}: a contour has {len(points)} points, but says that it has {stated}; export the structure again"
        )
    return points


def _counted(kinds: dict[str, int]) -> str:
    return ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
