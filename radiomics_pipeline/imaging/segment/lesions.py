"""What of the voxels found is a lesion: connected parts, and the rules that they must meet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, generate_binary_structure, label

from radiomics_pipeline.imaging.segment.site import Site
from radiomics_pipeline.params.segmentation import Common

SAME = 1e-9
"""Relative difference below which two volumes are the same."""


@dataclass(frozen=True)
class Part:
    """Connected voxels that a method found.

    places : flat indices in the image, int64 [n], ascending
    threshold : least intensity that was asked for, NaN where the method has none
    maximum : highest intensity
    seeded : whether a click touches it; goes_on : whether the method would have taken voxels beyond its search
    volume; at_border : whether it ends at the image's border
    """

    places: np.ndarray
    threshold: float
    volume_ml: float
    maximum: float
    seeded: bool
    goes_on: bool
    at_border: bool


def structure(connectivity: int) -> np.ndarray:
    """Neighbours over faces (6), edges too (18), or corners too (26), bool [3, 3, 3]."""
    return np.asarray(generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity]))


def parts_of(site: Site, found: np.ndarray, threshold: float, seeds: np.ndarray | None, params: Common) -> list[Part]:
    """The connected parts of what was found in a search volume, as `fill_holes` and `keep` leave them.

    found : bool [z, y, x] of the site's box, in the search volume; seeds : bool [z, y, x] of the image
    """
    if params.fill_holes:
        found = filled(found) & site.inside
    labels, n = label(found, structure(params.connectivity))
    if not n:
        return []
    flat = np.flatnonzero(labels)
    order = np.argsort(labels.ravel()[flat], kind="stable")
    groups = np.split(flat[order], np.cumsum(np.bincount(labels.ravel()[flat])[1:])[:-1])
    beyond = _labels_next_to(_would_go_on(site, found, threshold), labels, params.connectivity)
    border = set(np.unique(labels[site.image_faces]).tolist())
    clicked = set() if seeds is None else set(np.unique(labels[seeds[site.box]]).tolist())
    values = site.array.ravel()
    voxel_ml = site.volume.grid.voxel_volume_mm3 / 1000
    parts = [
        Part(
            places=_in_image(site, places),
            threshold=threshold,
            volume_ml=len(places) * voxel_ml,
            maximum=float(values[places].max()),
            seeded=number in clicked,
            goes_on=number in beyond,
            at_border=number in border,
        )
        for number, places in enumerate(groups, 1)
    ]
    if params.keep == "all":
        return parts
    measure = (lambda p: p.maximum) if params.keep == "maximum" else (lambda p: p.volume_ml)
    return [max(parts, key=measure)]


def wanted(part: Part, params: Common) -> bool:
    """Whether a part meets the rules."""
    if part.seeded and (params.keep_seeded or params.only_seeded):
        return True
    if params.only_seeded:
        return False
    large = part.volume_ml >= params.min_volume_ml * (1 - SAME)
    return large and (params.minimum_maximum is None or part.maximum >= params.minimum_maximum)


def in_order(parts: list[Part]) -> list[Part]:
    """By descending volume, then by first voxel."""
    return sorted(parts, key=lambda part: (-len(part.places), int(part.places[0])))


def filled(mask: np.ndarray) -> np.ndarray:
    """A mask and what it encloses: what no path over faces leads out of, to the border of the array."""
    holes, n = label(~mask)
    open_ = np.zeros(n + 1, bool)
    for axis in range(3):
        view = np.moveaxis(holes, axis, 0)
        if len(view) > 1:
            open_[view[0]] = open_[view[-1]] = True
    open_[0] = True
    return np.asarray(mask | ~open_[holes])


def _would_go_on(site: Site, found: np.ndarray, threshold: float) -> np.ndarray:
    """Voxels beyond the search volume that the method would take by their intensity, bool [z, y, x] of the box.

    Without a threshold these are the ones not below the least of what was found.
    """
    least = float(site.array[found].min()) if math.isnan(threshold) else threshold
    return ~site.inside & (site.array >= least)


def _labels_next_to(mask: np.ndarray, labels: np.ndarray, connectivity: int) -> set[int]:
    if not mask.any():
        return set()
    return set(np.unique(labels[binary_dilation(mask, structure(connectivity))]).tolist())


def _in_image(site: Site, places: np.ndarray) -> np.ndarray:
    index = np.unravel_index(places, site.array.shape)
    shifted = tuple(i + part.start for i, part in zip(index, site.box, strict=True))
    return np.asarray(np.ravel_multi_index(shifted, site.volume.grid.shape))
