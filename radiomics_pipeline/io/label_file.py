"""Label images and images to NIfTI files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.io.atomic import write_bytes
from radiomics_pipeline.io.nifti import affine_of
from radiomics_pipeline.types import Grid, Volume

LEVEL = 6
"""Of compression."""


def write_labels(path: Path, labels: np.ndarray, grid: Grid) -> None:
    """A label image as .nii or .nii.gz, in the smallest unsigned type that holds its numbers; the same bytes again
    for the same labels.

    labels : whole numbers [z, y, x], at least 0. Raises ParamsError for another suffix, OSError where it cannot lie
    """
    largest = int(labels.max(initial=0))
    dtype = next(d for d in (np.uint8, np.uint16, np.uint32) if largest <= np.iinfo(d).max)
    _write(path, labels.astype(dtype), grid)


def write_image(path: Path, volume: Volume) -> None:
    """An image as .nii or .nii.gz in double precision, so that it is read as it was; errors as of `write_labels`."""
    _write(path, volume.array.astype(np.float64), volume.grid)


def require_nifti(path: Path) -> None:
    """ParamsError where a file's name does not say that it is NIfTI."""
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise ParamsError(f"{path.name}: masks are written as NIfTI; call it .nii.gz or .nii")


def _write(path: Path, array: np.ndarray, grid: Grid) -> None:
    import nibabel as nib

    require_nifti(path)
    affine = affine_of(grid)
    kind = nib.Nifti1Image if max(grid.shape) <= np.iinfo(np.int16).max else nib.Nifti2Image
    image = kind(array.transpose(2, 1, 0), affine)
    image.set_qform(affine, code="scanner")
    image.set_sform(affine, code="scanner")
    image.header.set_xyzt_units("mm")
    data = image.to_bytes()
    write_bytes(path, gzip.compress(data, LEVEL, mtime=0) if path.name.lower().endswith(".gz") else data)
