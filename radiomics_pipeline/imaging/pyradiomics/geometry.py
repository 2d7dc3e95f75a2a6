"""Where a mask lies beside its image: PyRadiomics takes masks on other grids than the image's, and demands little."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import GeometryMismatch
from radiomics_pipeline.imaging.pyradiomics.itk import at_voxels
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Grid, Region

ITK_TOLERANCE = 1e-6
"""How far grids may lie apart that ITK takes for one, as a share of the spacing along x."""

SLIGHT = 1e-3
"""How far voxels may lie beside those of the image that count as the same, as a share of the spacing."""

FIX = "resample the mask to the image's grid, or set correctMask: true"


def agree(image: Grid, mask: Grid, tolerance: float | None = None) -> bool:
    """Whether ITK takes two grids for one; `tolerance`: PyRadiomics' geometryTolerance."""
    share = ITK_TOLERANCE if tolerance is None else tolerance
    far = share * image.spacing_mm[2]
    return (
        image.shape == mask.shape
        and _apart(image.origin_mm, mask.origin_mm) <= far
        and _apart(image.spacing_mm, mask.spacing_mm) <= far
        and _apart(image.direction, mask.direction) <= share
    )


def on_grid(region: Region, image: Grid, settings: Settings) -> bool:
    """Whether the voxels of a region count as those of the image, by either tolerance."""
    if region.grid == image:
        return True
    if agree(image, region.grid, settings.geometryTolerance):
        return True
    return image.shape == region.grid.shape and image.distance_in_voxels(region.grid) <= SLIGHT


def onto_image(region: Region, image: Grid, settings: Settings, *, correct: bool) -> np.ndarray:
    """The outline at the voxels of the image, bool [z, y, x]; each of them takes the mask's nearest voxel.

    correct : whether a mask on another grid may be moved; GeometryMismatch for one that may not, or that does not
        lie in the image
    """
    if on_grid(region, image, settings):
        return region.morphology
    if not correct:
        if image.shape != region.grid.shape:
            raise GeometryMismatch(
                f"the mask has {_sizes(region.grid)} voxels (x, y, z), the image {_sizes(image)}; {FIX}"
            )
        shift = image.distance_in_voxels(region.grid)
        raise GeometryMismatch(
            f"the mask's voxels lie up to {shift:.4g} of a voxel beside the image's (allowed: "
            f"{max(SLIGHT, settings.geometryTolerance or 0):g}); {FIX}"
        )
    require_inside(region, image)
    return nearest(region, image)


def nearest(region: Region, grid: Grid) -> np.ndarray:
    """The outline at the voxels of another grid, bool [z, y, x]; outside the region's own there is none of it."""
    return at_voxels(region.morphology.astype(np.uint8), region.grid, grid, "sitkNearestNeighbor").astype(bool)


def require_inside(region: Region, image: Grid) -> None:
    """GeometryMismatch where a part of a region lies outside the image.

    PyRadiomics looks at two opposite corners of the region's box alone; of a mask that is turned against the image
    voxels may lie outside all the same, and would be given the intensity 0.
    """
    inside = np.argwhere(region.morphology)
    if not len(inside):
        return
    corners = np.array([inside.min(axis=0) - 0.5, inside.max(axis=0) + 0.5])
    places = np.concatenate([corners, inside])[:, ::-1] * region.grid.spacing_mm[::-1]
    places = places @ _axes(region.grid).T + region.grid.origin_mm
    found = (places - image.origin_mm) @ np.linalg.inv(_axes(image)).T / image.spacing_mm[::-1]
    beyond = max(float((-0.5 - found).max()), float((found - np.array(image.shape[::-1]) + 0.5).max()))
    if beyond > SLIGHT:
        raise GeometryMismatch(f"the region reaches {beyond:.4g} voxels outside the image; mask and image do not match")


def _axes(grid: Grid) -> np.ndarray:
    return np.array(grid.direction).reshape(3, 3)


def _apart(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def _sizes(grid: Grid) -> str:
    return " x ".join(str(n) for n in grid.shape[::-1])
