"""What ITK makes of a file: PyRadiomics reads through it, and its numbers follow ITK's types and geometry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from radiomics_pipeline.errors import UnsupportedImage
from radiomics_pipeline.io.raw import RawImage
from radiomics_pipeline.types import Grid


def reader_of(path: Path) -> str:
    """ITK's reader of a file, by a suffix in capitals, too, which ITK does not know; empty: ITK finds one."""
    return "MetaImageIO" if path.suffix.lower() in (".mha", ".mhd") else ""


def as_itk_reads(path: Path, raw: RawImage, name: str) -> RawImage:
    """An image that was decoded and checked, in the type of number and on the grid that ITK reads from its file.

    ITK keeps the stored type, but turns whole numbers with a scale into float32, and keeps every digit of a spacing.
    Files of more dimensions that ITK takes for something else than one volume stay as they were decoded.
    Raises UnsupportedImage for a type of number that ITK does not know, and for a file of two dimensions.
    """
    import SimpleITK as sitk

    reader = _header(path, raw, name)
    if not _is_volume(reader, raw):
        return raw
    grid = _grid(reader, raw)
    if _dtype(reader.GetPixelID()) == raw.array.dtype.newbyteorder("="):
        return RawImage(raw.array, grid)
    return RawImage(sitk.GetArrayFromImage(reader.Execute()), grid)


def grid_of(path: Path, raw: RawImage, name: str) -> Grid:
    """The grid that ITK reads from a mask's file; errors as of `as_itk_reads`."""
    reader = _header(path, raw, name)
    return _grid(reader, raw) if _is_volume(reader, raw) else raw.grid


def _header(path: Path, raw: RawImage, name: str) -> Any:
    """ITK's reader of a file, which knows its header."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(reader_of(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise UnsupportedImage(
            f"{name}: ITK does not read voxels of type {raw.array.dtype}, so PyRadiomics' numbers are not defined; "
            "store the file in another type"
        ) from None
    if reader.GetDimension() == 2:
        x, y = reader.GetSize()
        raise UnsupportedImage(
            f"{name}: an image of two dimensions, {x} x {y}; PyRadiomics computes other features of those, which are "
            f"not computed here. Save image and mask as volumes of one slice, {x} x {y} x 1; with force2D: true "
            "shape2D is that of the slice"
        )
    return reader


def _is_volume(reader: Any, raw: RawImage) -> bool:
    return reader.GetDimension() == 3 and tuple(reader.GetSize()[::-1]) == raw.grid.shape


def _grid(reader: Any, raw: RawImage) -> Grid:
    return Grid(raw.grid.shape, reader.GetSpacing()[::-1], reader.GetOrigin(), reader.GetDirection())


def _dtype(pixel_id: int) -> np.dtype:
    import SimpleITK as sitk

    return sitk.GetArrayViewFromImage(sitk.Image([1, 1, 1], pixel_id)).dtype
