"""What ITK makes of a file: PyRadiomics reads through it, and its numbers follow ITK's types and geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from radiomics_pipeline.errors import GeometryMismatch, UnsupportedImage
from radiomics_pipeline.imaging.pyradiomics.itk import to_itk
from radiomics_pipeline.io.raw import RawImage
from radiomics_pipeline.types import Grid


def as_itk_reads(path: Path, raw: RawImage, name: str) -> RawImage:
    """An image that was decoded and checked, in the type of number and on the grid that ITK reads from its file.

    ITK keeps the stored type, but turns whole numbers with a scale into float32, and keeps every digit of a spacing.
    Files that ITK takes for something else than one 3D volume stay as they were decoded.
    Raises UnsupportedImage for a type of number that ITK does not know.
    """
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise UnsupportedImage(
            f"{name}: ITK does not read voxels of type {raw.array.dtype}, so PyRadiomics' numbers are not defined; "
            "store the image in another type"
        ) from None
    if reader.GetDimension() != 3 or tuple(reader.GetSize()[::-1]) != raw.grid.shape:
        return raw
    grid = Grid(raw.grid.shape, reader.GetSpacing()[::-1], reader.GetOrigin(), reader.GetDirection())
    if _dtype(reader.GetPixelID()) == raw.array.dtype.newbyteorder("="):
        return RawImage(raw.array, grid)
    return RawImage(sitk.GetArrayFromImage(reader.Execute()), grid)


def onto_grid(mask: RawImage, grid: Grid, name: str) -> RawImage:
    """A mask's labels at the voxels of another grid, each from the nearest voxel.

    Raises GeometryMismatch where a part of the mask lies outside that grid.
    """
    import SimpleITK as sitk

    _require_inside(mask, grid, name)
    target = to_itk(np.zeros(grid.shape, np.uint8), grid)
    moved = sitk.Resample(to_itk(mask.array, mask.grid), target, sitk.Transform(), sitk.sitkNearestNeighbor)
    return RawImage(sitk.GetArrayFromImage(moved), grid)


def _require_inside(mask: RawImage, grid: Grid, name: str) -> None:
    inside = np.argwhere(mask.array != 0)
    if not len(inside):
        return
    low, high = inside.min(axis=0) - 0.5, inside.max(axis=0) + 0.5
    axes = np.array(grid.direction).reshape(3, 3)
    for z in (low[0], high[0]):
        for y in (low[1], high[1]):
            for x in (low[2], high[2]):
                there = axes.T @ (mask.grid.position_mm((z, y, x)) - np.array(grid.origin_mm)) / grid.spacing_mm[::-1]
                size = np.array(grid.shape[::-1])
                if (there < -0.5 - 1e-3).any() or (there > size - 0.5 + 1e-3).any():
                    raise GeometryMismatch(f"{name}: its region reaches outside the image; mask and image do not match")


def _dtype(pixel_id: int) -> np.dtype:
    import SimpleITK as sitk

    return sitk.GetArrayViewFromImage(sitk.Image([1, 1, 1], pixel_id)).dtype
