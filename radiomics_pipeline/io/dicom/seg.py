"""DICOM Segmentations: each segment as voxels, its frames placed by their positions, whatever their order.

Binary, fractional (cut at one half) and label map segmentations; segments may overlap, empty frames may be lacking.
Where the frames lie on the voxels of the image they are placed there, otherwise on a grid of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from radiomics_pipeline.errors import CaseError, DamagedFile, DicomError, DoubledSlices, EmptyRegion, some
from radiomics_pipeline.io.dicom.headers import items
from radiomics_pipeline.io.dicom.mask_object import Referenced, parsed, reader, require_image, text
from radiomics_pipeline.io.dicom.seg_frames import Frame, Pixels, Place, frames_of, own_grid, pixels_of, places_on
from radiomics_pipeline.io.volumes import VolumeFile
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.masks import Entry, Masks

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.series import DicomSeries

SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation, Label Map Segmentation."""

NOT_ONE = "not a DICOM Segmentation; give one, an RT Structure Set or a label image"


class Code(NamedTuple):
    """What a segment shows, by a code: its value, the scheme it is taken from, such as SCT, and its meaning."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Segments(Masks):
    """The segments of a DICOM Segmentation.

    grid : the image's, where the frames lie on its voxels; else their own
    names : of segments with voxels, by number
    codes : what each shows (Segmented Property Type), where the file says so
    refused : segments without a voxel by name, and the error that asking for one raises
    file_notes : what holds for all of them
    """

    names: dict[int, str]
    codes: dict[int, Code]
    places: dict[int, tuple[Place, ...]]
    pixels: Pixels
    refused: dict[str, CaseError] = field(default_factory=dict)
    file_notes: tuple[str, ...] = ()
    _noted: dict[int, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Segments that have a voxel."""
        return tuple(Entry(number, self.names[number]) for number in sorted(self.names))

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the file, and on those of its segments that have been asked for."""
        return self.file_notes + tuple(note for number in sorted(self._noted) for note in self._noted[number])

    def mask(self, number: int) -> np.ndarray:
        """The voxels of one segment; EmptyRegion where all of them lie outside the image."""
        whole = np.zeros(self.grid.shape, bool)
        outside = between = 0
        for place in self.places[number]:
            values = self.pixels.plane(place.frame)
            inside = self.pixels.inside(values, number)
            between += self.pixels.between(values)
            outside += int(inside.sum()) - place.put(inside, whole)
        name = f"{self.file}: segment {self.names[number]!r}"
        if not whole.any():
            raise EmptyRegion(f"{name}: its {outside} voxels lie outside the image; it belongs to another one")
        notes = []
        if between:
            notes.append(f"{name}: fractional, {between} voxels between 0 and 1; those of one half and more are taken")
        if outside:
            notes.append(f"{name}: {outside} of its voxels lie outside the image and are left out")
        self._noted[number] = tuple(notes)
        return whole


@reader
def read_seg(file: VolumeFile, image: DicomSeries | None, grid: Grid | None) -> Segments:
    """The segments of a DICOM Segmentation.

    image : the series it must belong to; None: it is not asked
    grid : of that image; where the frames lie on its voxels the masks have it, else, or with None, one of their own

    Raises OtherFrame for a segmentation of another image, DicomError for a file that is none, DamagedFile for one that
    cannot be read, DoubledSlices for two frames of one segment at one place, BadGeometry for frames on no grid.
    """
    header = parsed(file, SOP_CLASSES, NOT_ONE)
    notes = require_image(_referenced(header), image, file.name) if image else ()
    pixels = pixels_of(header, file.name)
    frames = frames_of(header, file.name)
    names, codes = _described(header, file.name)
    found = _occurring(frames, pixels, names)
    if not found:
        half = " of one half or more" if pixels.kind == "FRACTIONAL" else ""
        raise EmptyRegion(f"{file.name}: no segment has a voxel{half}")
    used = sorted({i for at in found.values() for i in at})
    places = places_on(grid, [frames[i] for i in used], pixels) if grid else None
    if grid is None or places is None:
        grid = own_grid(frames, pixels, file.name)
        places = places_on(grid, [frames[i] for i in used], pixels)
    if places is None:
        raise DicomError(f"{file.name}: its frames lie on no common grid; export it as one volume")
    by_frame = dict(zip(used, places, strict=True))
    segments = {number: tuple(by_frame[i] for i in at) for number, at in found.items()}
    _require_single(segments, file.name)
    unnamed = sorted(set(found) - set(names))
    if unnamed:
        notes += (f"{file.name}: segments {some(unnamed)} are not described in it and have no names",)
    refused: dict[str, CaseError] = {
        name: EmptyRegion(f"{file.name}: segment {name!r} has no voxel")
        for number, name in names.items()
        if number not in found
    }
    kept = {number: names.get(number, "") for number in found}
    return Segments(file.name, grid, kept, codes, segments, pixels, refused, notes)


@reader
def referenced(file: VolumeFile) -> Referenced:
    """The images that a segmentation was made on; errors as of `read_seg`."""
    return _referenced(parsed(file, SOP_CLASSES, NOT_ONE))


@reader
def segment_names(file: VolumeFile) -> tuple[str, ...]:
    """The names of all segments by number, empty ones too; errors as of `read_seg`."""
    names, _ = _described(parsed(file, SOP_CLASSES, NOT_ONE), file.name)
    return tuple(names[number] for number in sorted(names))


def _described(header: Any, name: str) -> tuple[dict[int, str], dict[int, Code]]:
    """Names and codes of the segments, the background left out; DamagedFile where they cannot be read."""
    names: dict[int, str] = {}
    codes: dict[int, Code] = {}
    background = _background(header)
    try:
        for item in items(header, "SegmentSequence"):
            number = int(item.SegmentNumber)
            if number == background:
                continue
            if number in names:
                raise DamagedFile(f"{name}: two segments have the number {number}; export the file again")
            kinds = items(item, "SegmentedPropertyTypeCodeSequence")
            for kind in kinds:
                value = kind.get("CodeValue") or kind.get("LongCodeValue") or ""
                codes[number] = Code(str(value), str(kind.get("CodingSchemeDesignator", "")), text(kind, "CodeMeaning"))
            label = text(item, "SegmentLabel")
            names[number] = label or (codes[number].meaning if number in codes else "")
    except (AttributeError, TypeError, ValueError):
        raise DamagedFile(f"{name}: its list of segments cannot be read; export the file again") from None
    return names, codes


def _background(header: Any) -> int | None:
    """The value of a label map outside all segments; None for other kinds of segmentations."""
    if str(header.get("SegmentationType", "")) != "LABELMAP":
        return None
    return int(header.get("PixelPaddingValue") or 0)


def _occurring(frames: list[Frame], pixels: Pixels, names: dict[int, str]) -> dict[int, list[int]]:
    """The frames in which each segment has a voxel, by number."""
    found: dict[int, list[int]] = {}
    for i, frame in enumerate(frames):
        values = pixels.plane(i)
        if pixels.kind == "LABELMAP":
            present = [int(n) for n in np.unique(values) if n != pixels.background]
        else:
            present = [frame.segment] if pixels.inside(values, frame.segment).any() else []
        for number in present:
            found.setdefault(number, []).append(i)
    return found


def _require_single(segments: dict[int, tuple[Place, ...]], name: str) -> None:
    """DoubledSlices where a segment has two frames at one place: a movement, not one outline."""
    for number, places in segments.items():
        if len({place.start for place in places}) < len(places):
            raise DoubledSlices(
                f"{name}: segment {number} has two frames at one place; a segmentation of several times is not one mask"
            )


def _referenced(header: Any) -> Referenced:
    series: set[str] = set()
    instances: set[str] = set()
    for item in items(header, "ReferencedSeriesSequence"):
        series.add(text(item, "SeriesInstanceUID"))
        instances |= {text(i, "ReferencedSOPInstanceUID") for i in items(item, "ReferencedInstanceSequence")}
    for group in _groups(header):
        for derivation in items(group, "DerivationImageSequence"):
            sources = items(derivation, "SourceImageSequence")
            instances |= {text(i, "ReferencedSOPInstanceUID") for i in sources}
    frame = text(header, "FrameOfReferenceUID")
    return Referenced(frozenset(series - {""}), frozenset(instances - {""}), frame)


def _groups(header: Any) -> Iterator[Any]:
    """The shared functional groups, and those of each frame."""
    yield from items(header, "SharedFunctionalGroupsSequence")
    yield from items(header, "PerFrameFunctionalGroupsSequence")
