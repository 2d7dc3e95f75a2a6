"""Methods that grow from seeds of lesion and background."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt

from radiomics_pipeline.errors import SegmentationError
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.imaging.segment.growcut import growcut
from radiomics_pipeline.imaging.segment.lesions import structure
from radiomics_pipeline.imaging.segment.site import Site, box_around
from radiomics_pipeline.imaging.segment.watershed import watershed
from radiomics_pipeline.params.segmentation import GrowCut, Grown
from radiomics_pipeline.types import Volume


def search_around(volume: Volume, seeds: np.ndarray, margin_mm: float) -> np.ndarray:
    """What lies within a margin of clicks, bool [z, y, x]."""
    box = box_around(*bounding_box(seeds), volume.grid.shape, volume.spacing_mm, margin_mm)
    near = np.zeros(volume.grid.shape, bool)
    near[box] = distance_transform_edt(~seeds[box], sampling=volume.spacing_mm) <= margin_mm
    return near


def grow(site: Site, params: Grown, clicks: np.ndarray | None) -> np.ndarray:
    """What grows from the lesion's seeds in a search volume, bool [z, y, x] of its box.

    Seeds of the lesion are the clicks in the search volume; where there are none, its voxels from a share of its
    maximum on. Seeds of the background are the voxels next to the search volume, and its own at the image's border.
    """
    lesion = site.inside & clicks[site.box] if clicks is not None else np.zeros_like(site.inside)
    if not lesion.any():
        if site.maximum <= 0:
            raise SegmentationError(f"the highest intensity in the search volume is {site.shown(site.maximum)}")
        lesion = site.lit(params.seed_percent / 100 * site.maximum)
    around = binary_dilation(site.inside, structure(26)) & ~site.inside
    background = (around | (site.inside & site.image_faces)) & ~lesion
    if not background.any():
        raise SegmentationError("the search volume is all lesion; nothing is left to be background")
    active = site.inside | background
    if isinstance(params, GrowCut):
        return site.inside & growcut(site.array, lesion, background, active)
    return site.inside & watershed(site.array, lesion, background, active, site.volume.spacing_mm)
