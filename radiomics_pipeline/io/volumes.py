"""Images and masks from files: NIfTI, NRRD and MetaImage, believed only after their checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radiomics_pipeline.errors import (
    BadMask,
    BadVoxels,
    DamagedFile,
    GeometryMismatch,
    MissingFile,
    UnsupportedImage,
)
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.io import itk, metaimage, nifti, nrrd
from radiomics_pipeline.io.raw import RawImage, checked_grid
from radiomics_pipeline.types import Grid, Volume

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
"""File names that are read as volumes."""

GRID_TOLERANCE = 1e-3
"""How far a mask's voxels may lie from the image's, as a share of the spacing."""


def has_volume_suffix(path: Path) -> bool:
    """Whether a file's name says that it holds a volume."""
    return path.name.lower().endswith(SUFFIXES)


@dataclass(frozen=True)
class VolumeFile:
    """A volume's file as it lies on disk.

    name : what errors call it
    data : its bytes
    """

    path: Path
    name: str
    data: bytes


def read_file(path: Path, name: str = "") -> VolumeFile:
    """A file's content; MissingFile or DamagedFile where there is none. Without a `name` errors use the file's."""
    name = name or path.name
    return VolumeFile(path, name, _read_bytes(path, name))


def load_files(image: VolumeFile, mask: VolumeFile, source: Source) -> tuple[Volume, np.ndarray, Grid]:
    """An image, the labels of its mask, whole numbers [z, y, x], and where these lie; errors as of its two parts."""
    volume = load_image(image, source)
    labels, grid = load_labels(mask, source)
    if not source.free_mask:
        require_same_grid(volume.grid, grid, image.name, mask.name)
    return volume, labels, volume.grid if not source.native else grid


def load_image(image: VolumeFile, source: Source) -> Volume:
    """An image that holds the unit asked for; CaseError where a check fails.

    With `source.native` it has the type of number, and the grid with all its digits, that ITK reads: what
    PyRadiomics computes in.
    """
    drawn = decode(image)
    if source.native:
        _require_finite(drawn.array, image.name)
        drawn = itk.as_itk_reads(image.path, drawn, image.name)
    return to_volume(drawn, source.unit, image.name, native=source.native)


def load_labels(mask: VolumeFile, source: Source) -> tuple[np.ndarray, Grid]:
    """The labels of a mask, whole numbers [z, y, x], and where they lie; `source.native` as for an image."""
    labelled = decode(mask)
    grid = itk.grid_of(mask.path, labelled, mask.name) if source.native else labelled.grid
    return to_labels(labelled, mask.name), grid


def load_pair(image: VolumeFile, mask: VolumeFile, unit: str, *, native: bool = False) -> tuple[Volume, np.ndarray]:
    """An image and the labels at its voxels; `native` and errors as of `load_files`."""
    volume, labels, _ = load_files(image, mask, Source(unit, None, native))
    return volume, labels


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise MissingFile(f"{name}: no such file") from None
    except OSError as e:
        raise DamagedFile(f"{name}: cannot be read ({e.strerror})") from None
    if not data:
        raise DamagedFile(f"{name}: the file is empty (0 bytes); copy or export it again")
    return data


def voxel_file(file: VolumeFile) -> Path | None:
    """The file that holds the voxels of a header of its own (.mhd, .nhdr, or any that names one); else None."""
    lower = file.path.name.lower()
    sibling = ""
    if lower.endswith((".nrrd", ".nhdr")):
        sibling = nrrd.voxel_file(file.data, file.name)
    elif lower.endswith((".mha", ".mhd")):
        sibling = metaimage.voxel_file(file.data, file.name)
    return file.path.parent / sibling if sibling else None


def decode(file: VolumeFile) -> RawImage:
    """Voxels in the file's own type and their grid."""
    path, data, name = file.path, file.data, file.name
    lower = path.name.lower()
    if lower.endswith((".nii", ".nii.gz")):
        return nifti.decode(data, name)
    check: Callable[[bytes, str, Callable[[str], bytes]], None]
    if lower.endswith((".nrrd", ".nhdr")):
        check = nrrd.check
    elif lower.endswith((".mha", ".mhd")):
        check = metaimage.check
    else:
        raise UnsupportedImage(f"{name}: not one of {', '.join(SUFFIXES)}")
    check(data, name, lambda sibling: _read_bytes(path.parent / sibling, f"{name} -> {Path(sibling).name}"))
    return _decode_with_itk(path, name)


def to_volume(raw: RawImage, unit: str, name: str, *, native: bool = False) -> Volume:
    """The image, in double precision unless `native`; BadVoxels where an intensity is NaN or infinite."""
    _require_finite(raw.array, name)
    return Volume(raw.array if native else raw.array.astype(np.float64), raw.grid, unit, native)


def _require_finite(array: np.ndarray, name: str) -> None:
    finite = np.isfinite(array) if array.dtype.kind == "f" else np.True_
    if not np.all(finite):
        nan, total = int(np.isnan(array).sum()), int((~finite).sum())
        z, y, x = (int(i) for i in np.argwhere(~finite)[0])
        raise BadVoxels(
            f"{name}: {nan} NaN and {total - nan} infinite of {array.size} voxels, the first at "
            f"(x, y, z) = ({x}, {y}, {z}); mend or re-export the image"
        )


def to_labels(raw: RawImage, name: str) -> np.ndarray:
    """The mask's labels, whole numbers [z, y, x]; BadMask where a value is no whole number of at least 0."""
    array = raw.array
    if array.dtype.kind == "f":
        wrong = ~(np.isfinite(array) & (array == np.rint(array)))
        if wrong.any():
            raise BadMask(
                f"{name}: {int(wrong.sum())} voxels are no whole labels, such as {float(array[wrong][0]):g}; "
                "a probability map must be thresholded first"
            )
    labels = array if array.dtype.kind in "iu" else array.astype(np.int64)
    if labels.dtype.kind == "i" and labels.size and int(labels.min()) < 0:
        raise BadMask(f"{name}: negative label {int(labels.min())}; labels are whole numbers from 1, 0 is outside")
    return labels


def require_same_grid(image: Grid, mask: Grid, image_name: str, mask_name: str) -> None:
    """GeometryMismatch where a mask's voxels lie beside the image's (by more than 1e-3 of the spacing)."""
    fix = "resample the mask to the image's grid"
    if image.shape != mask.shape:
        raise GeometryMismatch(
            f"{mask_name}: {_sizes(mask.shape)} voxels (x, y, z), {image_name} has {_sizes(image.shape)}; {fix}"
        )
    if not _on_grid(image, mask):
        shift = image.distance_in_voxels(mask)
        raise GeometryMismatch(
            f"{mask_name}: its voxels lie up to {shift:.4g} of a voxel beside those of {image_name} (allowed: "
            f"{GRID_TOLERANCE:g}); spacing {_mm(mask.spacing_mm[::-1])} against {_mm(image.spacing_mm[::-1])}, origin "
            f"{_mm(mask.origin_mm)} against {_mm(image.origin_mm)}; {fix}"
        )


def _on_grid(image: Grid, mask: Grid) -> bool:
    return image.shape == mask.shape and image.distance_in_voxels(mask) <= GRID_TOLERANCE


def _decode_with_itk(path: Path, name: str) -> RawImage:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        image = sitk.ReadImage(str(path), imageIO=itk.reader_of(path))
    except RuntimeError as e:
        reason = str(e).strip().splitlines()[-1].replace(str(path), name).removeprefix("sitk::ERROR: ")
        reason = re.sub(r"\(0x[0-9a-f]+\)", "", reason)
        raise DamagedFile(f"{name}: cannot be decoded ({reason})") from None
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise UnsupportedImage(
            f"{name}: {image.GetNumberOfComponentsPerPixel()} values a voxel; a scalar image is needed"
        )
    if image.GetDimension() == 2:
        image = sitk.JoinSeries([image])
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() != 3:
        raise UnsupportedImage(f"{name}: sizes {_sizes(image.GetSize()[::-1])}; one 3D volume is needed")
    array = sitk.GetArrayFromImage(image)
    if array.dtype.kind not in "iuf":
        raise UnsupportedImage(f"{name}: voxels of type {array.dtype}; a scalar number type is needed")
    grid = checked_grid(
        name,
        shape=array.shape,
        spacing_mm=image.GetSpacing()[::-1],
        origin_mm=image.GetOrigin(),
        axes=np.array(image.GetDirection()).reshape(3, 3),
    )
    return RawImage(array, grid)


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape[::-1])


def _mm(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:.7g}" for v in values) + ") mm"
