"""Masks as a DICOM Segmentation of the image series on which they lie.

Binary, one segment a mask, so that masks may overlap; slices without a voxel are left out, as usual. It carries the
patient of the series (see objects.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

import radiomics_pipeline
from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch, TooLarge
from radiomics_pipeline.io.dicom.codes import OWN
from radiomics_pipeline.io.dicom.headers import quiet
from radiomics_pipeline.io.dicom.objects import MAKER, Made, character_set, equipment, finish, save, sources, uid_of

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.series import DicomSeries

PIXEL_DATA = 0x7FE00010
LARGEST = 2**31
"""Voxels of all masks together, where they overlap and so must be held one by one."""
SERIES_NUMBER = 9101
"""Of the segmentation in its study; the report of its features has the next."""

DELINEATION = Code("delineation", OWN, "Delineation in an image of uptake")
"""Family of what drew a segment (CID 7162 knows none for thresholds)."""

NEOPLASM = (codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Neoplasm)
"""Category and type of what a segment shows, where nothing else is said."""


@dataclass(frozen=True)
class Mask:
    """One mask to write.

    number : by which the caller knows it, such as its label; segments are numbered 1, 2, ... in the order given
    name : of the ROI
    voxels : bool [z, y, x], on the grid of the image
    shows : category and type of what it shows (CIDs 7150 and 7151)
    """

    number: int
    name: str
    voxels: np.ndarray
    shows: tuple[Code, Code] = NEOPLASM


@dataclass(frozen=True)
class WrittenSeg:
    """A segmentation that was written.

    header : its data set without pixels
    segments : segment number by the mask's own number
    tracking_uids : of each segment, and shows : the type of what it shows, by the mask's own number
    """

    sop_uid: str
    series_uid: str
    sop_class_uid: str
    header: Dataset
    segments: dict[int, int]
    tracking_uids: dict[int, str]
    shows: dict[int, Code]


@quiet()
def write_seg(
    masks: Sequence[Mask],
    image: DicomSeries,
    path: Path,
    *,
    made: Made,
    algorithm: Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"] = "MANUAL",
    method: str = "",
) -> WrittenSeg:
    """Write masks as one Segmentation.

    algorithm : how they came about (Segment Algorithm Type, 0062,0008)
    method : name of what drew them, such as "percent of maximum"; written where that is not MANUAL
    Raises GeometryMismatch for a mask of another shape than the image, EmptyRegion for one without a voxel or for no
    masks, TooLarge for overlapping masks of too many voxels, MissingMetadata where the series has no study or frame of
    reference, OSError where the file cannot be written.
    """
    from highdicom.seg import Segmentation, SegmentationTypeValues

    _require(masks, image)
    kept = np.flatnonzero(np.any([mask.voxels.any(axis=(1, 2)) for mask in masks], axis=0))
    pixels = _pixels(masks, kept, image.name)
    uid = uid_of(
        "seg", *image.sop_uids, _content(masks, pixels, kept), algorithm, method, made.digest, made.when.isoformat()
    )
    tracking = {mask.number: tracking_uid(image, mask) for mask in masks}
    slices = sources(image)
    found = Segmentation(
        source_images=[slices[z] for z in kept],
        further_source_images=[slices[z] for z in sorted(set(range(len(slices))) - set(kept.tolist()))] or None,
        pixel_array=pixels,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=_descriptions(masks, tracking, algorithm, method),
        series_instance_uid=uid_of("series of", uid),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid,
        instance_number=1,
        content_label="REGIONS",
        content_description="Regions of interest",
        series_description="Regions of interest",
        specific_character_set=character_set(image, method, *(mask.name for mask in masks)),
        **equipment(),
    )
    finish(found, image, made, uid)
    save(found, path)
    header = Dataset()
    header.update({tag: element for tag, element in found.items() if tag != PIXEL_DATA})
    segments = {mask.number: position for position, mask in enumerate(masks, 1)}
    return WrittenSeg(
        uid,
        found.SeriesInstanceUID,
        found.SOPClassUID,
        header,
        segments,
        tracking,
        {mask.number: mask.shows[1] for mask in masks},
    )


def tracking_uid(image: DicomSeries, mask: Mask) -> str:
    """The UID by which a region is followed through segmentation and report: of this name, in this image series."""
    return uid_of("region", image.series_uid, str(mask.number), mask.name)


def _require(masks: Sequence[Mask], image: DicomSeries) -> None:
    if not masks:
        raise EmptyRegion(f"{image.name}: no mask to write")
    for mask in masks:
        if mask.voxels.shape != image.grid.shape:
            raise GeometryMismatch(
                f"mask {mask.name or mask.number}: {mask.voxels.shape} voxels, {image.name} has {image.grid.shape}; "
                "bring it to the voxels of the image first"
            )
        if not mask.voxels.any():
            raise EmptyRegion(f"mask {mask.name or mask.number}: no voxel to write")


def _pixels(masks: Sequence[Mask], kept: np.ndarray, name: str) -> np.ndarray:
    """Segment numbers uint16 [z, y, x]; of overlapping masks bool [z, y, x, segment]; the slices kept only."""
    numbers = np.zeros((len(kept), *masks[0].voxels.shape[1:]), np.uint16)
    for position, mask in enumerate(masks, 1):
        part = mask.voxels[kept]
        if numbers[part].any():
            break
        numbers[part] = position
    else:
        return numbers
    if numbers.size * len(masks) > LARGEST:
        raise TooLarge(
            f"{name}: {len(masks)} overlapping masks on {len(kept)} slices; write fewer of them into one Segmentation"
        )
    return np.stack([mask.voxels[kept] for mask in masks], axis=-1)


def _content(masks: Sequence[Mask], pixels: np.ndarray, kept: np.ndarray) -> str:
    shown = [f"{mask.number} {mask.name} {mask.shows}" for mask in masks]
    return uid_of(*shown, str(pixels.shape), np.packbits(pixels != 0).tobytes(), pixels.tobytes(), kept.tobytes())


def _descriptions(masks: Sequence[Mask], tracking: dict[int, str], algorithm: str, method: str) -> list[Any]:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    by = None
    if algorithm != "MANUAL":
        by = AlgorithmIdentificationSequence(method or MAKER, DELINEATION, radiomics_pipeline.__version__)
    return [
        SegmentDescription(
            segment_number=position,
            segment_label=label_of(mask),
            segmented_property_category=mask.shows[0],
            segmented_property_type=mask.shows[1],
            algorithm_type=algorithm,
            algorithm_identification=by,
            tracking_uid=tracking[mask.number],
            tracking_id=label_of(mask),
        )
        for position, mask in enumerate(masks, 1)
    ]


def label_of(mask: Mask) -> str:
    """What viewers show for a mask: its name, or its number; at most 64 characters without a backslash."""
    return (mask.name.replace("\\", "/") or f"Region {mask.number}")[:64]
