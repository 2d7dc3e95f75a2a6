"""The mask of an image from its file, whatever the format: a label image, an RTSTRUCT or a SEG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from radiomics_pipeline.errors import BadMask, MissingFile, NotDicom, OtherFrame
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.imaging.orientation import turned
from radiomics_pipeline.imaging.transfer import place
from radiomics_pipeline.io.images import Image
from radiomics_pipeline.io.labels import read_label_image
from radiomics_pipeline.io.volumes import GRID_TOLERANCE, VolumeFile, require_same_grid
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.masks import LabelImage, Masks


def open_mask(files: Sequence[VolumeFile], image: Image, source: Source) -> Masks:
    """What a mask's files hold, on the voxels of the image unless `source` allows another grid.

    files : one file, or the files of a folder that hold one RTSTRUCT or SEG
    Raises CaseError where it cannot be had rightly, GeometryMismatch where it lies on other voxels than the image.
    """
    from radiomics_pipeline.io.dicom.scan import is_dicom

    if not is_dicom(files[0].data):
        masks: Masks = read_label_image(files[0], native=source.native)
    else:
        masks = _open_dicom(_one_object(files), image)
    if source.free_mask:
        return masks
    if isinstance(masks, LabelImage) and not source.native:
        masks = _placed(masks, image.volume.grid)
    require_same_grid(image.volume.grid, masks.grid, image.name, masks.file)
    return masks


def _placed(masks: LabelImage, grid: Grid) -> LabelImage:
    """A label image at the image's voxels, where its axes run otherwise or 3D Slicer cropped it; else as it is."""
    found = turned(masks.labels, masks.grid, grid.direction)
    if found is None:
        return masks
    labels, own = found
    cropped = masks.file.lower().endswith(".seg.nrrd") and own.shape != grid.shape
    placed = place(labels, own, grid, GRID_TOLERANCE) if cropped else None
    return replace(masks, labels=labels, grid=own) if placed is None else replace(masks, labels=placed, grid=grid)


def find_mask(files: Sequence[VolumeFile], image: Image, source: Source, lacking: str) -> Masks:
    """The one RTSTRUCT or SEG among these that refers to an image.

    lacking : what to say where there is none. Raises MissingFile for none, BadMask for several.
    """
    assert image.series is not None
    own = [file for file in files if _refers(file, image)]
    if not own:
        others = f" ({len(files)} there refer to other images; see `mask_from` in the parameters)" if files else ""
        raise MissingFile(f"{lacking}{others}")
    if len(own) > 1:
        raise BadMask(
            f"{image.name}: {len(own)} structure sets or segmentations refer to it; keep one in the case's folder, or "
            "name one in cases.csv"
        )
    return open_mask(own, image, source)


def _open_dicom(file: VolumeFile, image: Image) -> Masks:
    from radiomics_pipeline.io.dicom.peek import kind
    from radiomics_pipeline.io.dicom.rtstruct import read_rtstruct
    from radiomics_pipeline.io.dicom.seg import read_seg

    what = kind(file)
    if what == "rtstruct":
        return read_rtstruct(file, image.series, image.volume.grid)
    if what == "seg":
        return read_seg(file, image.series, image.volume.grid)
    raise BadMask(f"{file.name}: a DICOM file, but neither an RTSTRUCT nor a SEG; name one of these, or a label image")


def _one_object(files: Sequence[VolumeFile]) -> VolumeFile:
    from radiomics_pipeline.io.dicom.peek import kind

    found = [file for file in files if kind(file) in ("rtstruct", "seg")]
    if len(found) == 1 or len(files) == 1:
        return (found or list(files))[0]
    if not found:
        raise NotDicom(f"mask: none of the {len(files)} DICOM files in its folder is an RTSTRUCT or a SEG")
    raise BadMask(f"mask: {len(found)} structure sets or segmentations in its folder; name one file")


def _refers(file: VolumeFile, image: Image) -> bool:
    """Whether a file names the image's series or one of its slices."""
    from radiomics_pipeline.io.dicom.peek import kind
    from radiomics_pipeline.io.dicom.rtstruct import referenced as of_structures
    from radiomics_pipeline.io.dicom.seg import referenced as of_segments

    assert image.series is not None
    try:
        found = of_structures(file) if kind(file) == "rtstruct" else of_segments(file)
    except OtherFrame:
        return False
    return bool(found.sop_uids & set(image.series.sop_uids)) or image.series.series_uid in found.series_uids
