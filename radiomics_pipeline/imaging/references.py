"""Intensities of a reference region, such as the liver, on the voxels of the file."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.params.references import Reference
from radiomics_pipeline.types import Volume
from radiomics_pipeline.types.context import ReferenceValues

SAME = 1e-9
"""Relative difference below which two distances are the same."""


def reference_values(volume: Volume, mask: np.ndarray, params: Reference, name: str) -> ReferenceValues:
    """Mean, standard deviation (divisor n) and maximum of a reference region.

    mask : bool [z, y, x] on the volume's grid, the region as drawn; erosion and sphere are taken from it
    name : what errors call it
    Raises GeometryMismatch for a mask of another size, EmptyRegion where no voxel, or too little volume, is left.
    """
    if mask.shape != volume.grid.shape:
        raise GeometryMismatch(
            f"reference {name}: its mask has {_size(mask.shape)} voxels, the image {_size(volume.grid.shape)}; bring "
            "it to the image's grid first"
        )
    if not mask.any():
        raise EmptyRegion(f"reference {name}: no voxel belongs to it")
    low, high = bounding_box(mask)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    kept = _part(np.asarray(mask[box], bool), volume.spacing_mm, params)
    inside = volume.array[box][kept]
    voxel_ml = volume.grid.voxel_volume_mm3 / 1000
    found_ml = len(inside) * voxel_ml
    if not len(inside):
        raise EmptyRegion(
            f"reference {name}: none of its {int(mask.sum())} voxels lies further than {params.erode_mm:g} mm from "
            "its border; use a smaller erode_mm"
        )
    if found_ml < params.minimum_ml:
        raise EmptyRegion(
            f"reference {name}: {len(inside)} voxels, {found_ml:.4g} ml, are left of {mask.sum() * voxel_ml:.4g} ml, "
            f"less than minimum_ml {params.minimum_ml:g}; draw it larger, or change sphere_mm or erode_mm"
        )
    return ReferenceValues(
        mean=float(inside.mean()),
        sd=float(inside.std()),
        maximum=float(inside.max()),
        voxels=len(inside),
        volume_ml=float(found_ml),
    )


def _part(mask: np.ndarray, spacing_mm: tuple[float, float, float], params: Reference) -> np.ndarray:
    """What erosion and sphere leave of a mask that fills its box; bool [z, y, x]."""
    if not params.erode_mm and params.sphere_mm is None:
        return mask
    depth = depth_mm(mask, spacing_mm)
    kept = mask & (depth > params.erode_mm)
    if params.sphere_mm is None or not kept.any():
        return kept
    centre = deepest(depth, spacing_mm)
    away = [(np.arange(n) - c) * mm for n, c, mm in zip(mask.shape, centre, spacing_mm, strict=True)]
    z, y, x = np.ix_(*(along**2 for along in away))
    return kept & (z + y + x <= (params.sphere_mm / 2) ** 2 * (1 + SAME))


def depth_mm(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Distance of each voxel's centre to the nearest one outside the mask, 0 outside; float64 [z, y, x], mm.

    What lies beyond the array is outside.
    """
    return distance_transform_edt(np.pad(mask, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1]


def deepest(depth: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Index (z, y, x) of the greatest depth.

    Of several equally deep voxels, as along a vessel, the one nearest to the mean position of the mask; of several of
    these the first in the array's order.
    """
    middle = np.argwhere(depth > 0).mean(axis=0)
    places = np.argwhere(depth >= depth.max() * (1 - SAME))
    away = (((places - middle) * spacing_mm) ** 2).sum(axis=1)
    z, y, x = (int(i) for i in places[np.argmax(away <= away.min() * (1 + SAME) + SAME)])
    return z, y, x


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape[::-1])
