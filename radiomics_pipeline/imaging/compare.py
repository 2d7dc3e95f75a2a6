"""Two masks of one thing, such as of two readers or two methods: how much they overlap, how far they lie apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt, generate_binary_structure

from radiomics_pipeline.errors import GeometryMismatch
from radiomics_pipeline.imaging.boxes import bounding_box

SAME = 1e-9
"""Relative difference below which a distance is the tolerance."""


@dataclass(frozen=True)
class Comparison:
    """Of masks A and B; see `compare` for definitions. Volumes in ml, distances in mm."""

    dice: float
    jaccard: float
    volume_a_ml: float
    volume_b_ml: float
    volume_difference: float
    hausdorff_mm: float
    hausdorff95_mm: float
    mean_surface_distance_mm: float
    surface_dice: float
    centroid_distance_mm: float

    @property
    def reason(self) -> str:
        """Why some values are NaN, or nothing."""
        empty = [name for name, ml in (("A", self.volume_a_ml), ("B", self.volume_b_ml)) if not ml]
        return f"{' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty" if empty else ""


def compare(
    a: np.ndarray, b: np.ndarray, spacing_mm: tuple[float, float, float], *, tolerance_mm: float = 2.0
) -> Comparison:
    """Compare two masks, bool [z, y, x], on one grid.

    dice : 2 |A and B| / (|A| + |B|), in voxels
    jaccard : |A and B| / |A or B|
    volume_difference : (volume of B - volume of A) / volume of A
    A surface is the voxels of a mask with a neighbour over a face outside it, beyond the image included; distances are
    those from a voxel's centre on one surface to the nearest centre on the other.
    hausdorff_mm : the largest of these distances, from A to B and from B to A
    hausdorff95_mm : the larger one of their 95th percentiles from A to B and from B to A (linear interpolation)
    mean_surface_distance_mm : mean of all, those from A and those from B pooled
    surface_dice : share of all surface voxels, of A and of B, that lie within `tolerance_mm` of the other surface
        (by voxels, not by area; Nikolov et al., doi:10.2196/26151)
    centroid_distance_mm : between the mean positions of the voxels

    Of two empty masks all but the volumes is NaN. Of one, overlap and surface_dice are 0 and distances are NaN;
    volume_difference is -1 without B, NaN without A.
    Raises GeometryMismatch for masks of two sizes.
    """
    if a.shape != b.shape:
        raise GeometryMismatch(f"masks of {a.shape} and {b.shape} voxels (z, y, x); resample one to the other's grid")
    a, b = np.asarray(a, bool), np.asarray(b, bool)
    n_a, n_b, n_both = (int(np.count_nonzero(mask)) for mask in (a, b, a & b))
    ml = float(np.prod(spacing_mm)) / 1000
    if not n_a or not n_b:
        none = math.nan if n_a == n_b else 0.0
        difference = -1.0 if n_a else math.nan
        nan = math.nan
        return Comparison(none, none, n_a * ml, n_b * ml, difference, nan, nan, nan, none, nan)
    low, high = bounding_box(a | b)
    box = tuple(slice(first, last) for first, last in zip(low, high, strict=True))
    there, back = _surface_distances(a[box], b[box], spacing_mm)
    both = np.concatenate([there, back])
    apart = [np.argwhere(mask[box]).mean(axis=0) for mask in (a, b)]
    return Comparison(
        dice=2 * n_both / (n_a + n_b),
        jaccard=n_both / (n_a + n_b - n_both),
        volume_a_ml=n_a * ml,
        volume_b_ml=n_b * ml,
        volume_difference=(n_b - n_a) / n_a,
        hausdorff_mm=float(both.max()),
        hausdorff95_mm=float(max(np.percentile(there, 95), np.percentile(back, 95))),
        mean_surface_distance_mm=float(both.mean()),
        surface_dice=float(np.mean(both <= tolerance_mm * (1 + SAME))),
        centroid_distance_mm=float(np.linalg.norm((apart[0] - apart[1]) * spacing_mm)),
    )


def surface(mask: np.ndarray) -> np.ndarray:
    """The voxels of a mask that have a neighbour over a face outside it, or beyond the array; bool [z, y, x]."""
    return np.asarray(mask & ~binary_erosion(mask, generate_binary_structure(3, 1), border_value=0))


def _surface_distances(
    a: np.ndarray, b: np.ndarray, spacing_mm: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Distances in mm of A's surface voxels to B's surface, float64 [n], and of B's to A's."""
    of_a, of_b = surface(a), surface(b)
    to_b = distance_transform_edt(~of_b, sampling=spacing_mm)[of_a]
    to_a = distance_transform_edt(~of_a, sampling=spacing_mm)[of_b]
    return to_b, to_a
