"""Image and region as another scan or another reader might have given them.

Rotation, translation, volume growth and shrinkage, noise and contour randomisation after Zwanenburg et al. 2019
(Sci Rep 9:614, doi 10.1038/s41598-018-36938-4).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage

from radiomics_pipeline.errors import EmptyRegion
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.params.perturb import Perturb
from radiomics_pipeline.types import Region, Volume

MARGIN_MM = 30.0
"""How far around the region the image is perturbed; beyond it nothing is looked at."""
SURE = 0.9
"""Share of a supervoxel inside the outline from which it is kept for certain."""
DOUBTFUL = 0.2
"""Share below which it is left out for certain."""
HALF_NORMAL = 0.6744897501960817
"""Median of |N(0, 1)|."""


@dataclass(frozen=True)
class Perturbation:
    """One change.

    name : what the table calls it; value : degrees, voxels or share of the volume; the number of a random one
    """

    name: str
    kind: Literal["rotate", "translate", "grow", "noise", "contour"]
    value: float


def perturbations(params: Perturb) -> tuple[Perturbation, ...]:
    """All changes that the parameters ask for."""
    return tuple(_listed(params))


def _listed(params: Perturb) -> Iterator[Perturbation]:
    for angle in params.rotate_deg:
        yield Perturbation(f"rotate{angle:+g}", "rotate", angle)
    for shift in params.translate:
        yield Perturbation(f"translate{shift:+g}", "translate", shift)
    for change in params.grow:
        yield Perturbation(f"grow{change:+g}", "grow", change)
    for number in range(1, params.noise + 1):
        yield Perturbation(f"noise{number}", "noise", number)
    for number in range(1, params.contour + 1):
        yield Perturbation(f"contour{number}", "contour", number)


def perturbed(volume: Volume, region: Region, change: Perturbation, params: Perturb) -> tuple[Volume, Region]:
    """Image and region after one change, on their own grid.

    The same for the same image, region and seed. Raises EmptyRegion where nothing of the region is left.
    """
    box = _box(region)
    if change.kind in ("rotate", "translate"):
        image, mask = _moved(volume, region, box, change)
    elif change.kind == "grow":
        image, mask = volume.array, _grown(region, box, change.value)
    else:
        rng = np.random.default_rng([params.seed, int(change.value), *_fingerprint(region)])
        if change.kind == "noise":
            image, mask = _noisy(volume, region, box, rng), region.morphology
        else:
            image, mask = volume.array, _redrawn(volume, region, box, params.supervoxel_ml, rng)
    if not mask.any():
        raise EmptyRegion(f"nothing of the region is left after {change.name}")
    return replace(volume, array=image), replace(region, morphology=mask, intensity=mask)


def noise_level(volume: Volume, region: Region) -> float:
    """Standard deviation of the image's noise around the region, in the image's unit.

    From the median of the finest diagonal wavelet coefficients (Haar) in the plane of the slices, which edges hardly
    touch (Donoho 1995; Chang, IEEE Trans Image Process 2000;9:1532). 0 where the plane has a single row or column.
    """
    part = np.asarray(volume.array[_box(region)], np.float64)
    if min(part.shape[1:]) < 2:
        return 0.0
    diagonal = (part[:, 1:, 1:] - part[:, 1:, :-1] - part[:, :-1, 1:] + part[:, :-1, :-1]) / 2
    return float(np.median(np.abs(diagonal)) / HALF_NORMAL)


def _box(region: Region) -> tuple[slice, ...]:
    """The region's box with a margin, as far as the image goes."""
    low, high = bounding_box(region.morphology)
    reach = [math.ceil(MARGIN_MM / s) for s in region.spacing_mm]
    return tuple(
        slice(max(0, a - r), min(n, b + r)) for a, b, r, n in zip(low, high, reach, region.grid.shape, strict=True)
    )


def _fingerprint(region: Region) -> tuple[int, int]:
    """Numbers that differ between regions, so that no two get the same noise."""
    low, _ = bounding_box(region.morphology)
    return int(np.count_nonzero(region.morphology)), int(np.ravel_multi_index(low, region.grid.shape))


def _moved(
    volume: Volume, region: Region, box: tuple[slice, ...], change: Perturbation
) -> tuple[np.ndarray, np.ndarray]:
    """Rotated about the region's middle in the plane, or shifted along every axis: image and mask alike."""
    inside = region.morphology[box]
    if change.kind == "rotate":
        matrix, shift = _rotation(inside, region.spacing_mm, change.value)
    else:
        moving = [change.value if n > 1 else 0.0 for n in inside.shape]
        matrix, shift = np.eye(3), np.array(moving)
    part = np.asarray(volume.array[box], np.float64)
    image = np.array(volume.array)
    image[box] = ndimage.affine_transform(part, matrix, shift, order=1, mode="nearest")
    mask = np.zeros_like(region.morphology)
    mask[box] = ndimage.affine_transform(inside.astype(np.float64), matrix, shift, order=1, mode="constant") >= 0.5
    return image, mask


def _rotation(
    inside: np.ndarray, spacing_mm: tuple[float, float, float], angle_deg: float
) -> tuple[np.ndarray, np.ndarray]:
    """Matrix and shift (in voxels) that say where a voxel's value comes from."""
    angle = math.radians(angle_deg)
    _, dy, dx = spacing_mm
    matrix = np.array(
        [
            [1.0, 0.0, 0.0],
            [0.0, math.cos(angle), -math.sin(angle) * dx / dy],
            [0.0, math.sin(angle) * dy / dx, math.cos(angle)],
        ]
    )
    centre = np.array(ndimage.center_of_mass(inside))
    return matrix, centre - matrix @ centre


def _grown(region: Region, box: tuple[slice, ...], change: float) -> np.ndarray:
    """The outline with its volume changed by this share, taking or giving the voxels nearest to its surface."""
    inside = region.morphology[box]
    count = round(np.count_nonzero(inside) * (1 + change))
    outwards = ndimage.distance_transform_edt(~inside, sampling=region.spacing_mm)
    inwards = ndimage.distance_transform_edt(inside, sampling=region.spacing_mm)
    depth = np.where(inside, -inwards, outwards).ravel()
    chosen = np.zeros(inside.size, np.bool_)
    chosen[np.argsort(depth, kind="stable")[: max(count, 1)]] = True
    mask = np.zeros_like(region.morphology)
    mask[box] = chosen.reshape(inside.shape)
    return mask


def _noisy(volume: Volume, region: Region, box: tuple[slice, ...], rng: np.random.Generator) -> np.ndarray:
    """The image with as much noise again as it has."""
    image = np.array(volume.array)
    part = image[box]
    image[box] = part + rng.normal(0.0, noise_level(volume, region), part.shape)
    return image


def _redrawn(
    volume: Volume, region: Region, box: tuple[slice, ...], supervoxel_ml: float, rng: np.random.Generator
) -> np.ndarray:
    """The outline drawn anew: a supervoxel belongs to it with the probability of its share inside the old one."""
    from skimage.segmentation import slic

    part = np.asarray(volume.array[box], np.float64)
    inside = region.morphology[box]
    spread = np.ptp(part)
    count = max(8, round(part.size * region.grid.voxel_volume_mm3 / 1000 / supervoxel_ml))
    labels = slic(
        (part - part.min()) / spread if spread else np.zeros_like(part),
        n_segments=min(count, part.size // 4),
        compactness=0.05,
        spacing=region.spacing_mm,
        start_label=0,
        channel_axis=None,
        enforce_connectivity=False,
    )
    sizes = np.bincount(labels.ravel())
    share = np.bincount(labels.ravel(), weights=inside.ravel().astype(np.float64)) / np.maximum(sizes, 1)
    chance = np.where(share >= SURE, 1.0, np.where(share < DOUBTFUL, 0.0, share))
    kept = rng.random(len(share)) < chance
    mask = np.zeros_like(region.morphology)
    mask[box] = _largest_or_all(kept[labels], inside)
    return mask


def _largest_or_all(drawn: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The outline without parts that do not touch the old one; the old one itself where nothing was drawn."""
    parts, _ = ndimage.label(drawn)
    touching = np.unique(parts[inside & drawn])
    kept = np.isin(parts, touching[touching > 0])
    return kept if kept.any() else inside
