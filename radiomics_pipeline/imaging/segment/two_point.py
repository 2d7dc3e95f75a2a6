"""Thresholds between a lesion and the background around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.ndimage import distance_transform_edt, label

from radiomics_pipeline.errors import MissingRoi, SegmentationError
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.imaging.segment.lesions import structure
from radiomics_pipeline.imaging.segment.site import Site, box_around
from radiomics_pipeline.imaging.spheres import peaks_in
from radiomics_pipeline.params.segmentation import SHELL, Adaptive, BackgroundAdapted, TwoPoint
from radiomics_pipeline.types.context import ReferenceValues

MOST_STEPS = 50
CORE = 0.7
"""Share of the maximum from which on voxels are the first guess of the lesion."""


def two_point_threshold(site: Site, params: TwoPoint, references: Mapping[str, ReferenceValues]) -> float:
    """weight * mean of the voxels at or above a share of the maximum + (1 - weight) * background.

    The voxels averaged are those connected to that of highest intensity. Form of Schaefer et al., EJNMMI 35 (2008)
    1989, whose coefficients belong to their scanners; with weight 1/2 it is the middle between lesion and background.
    """
    core = hottest(site, site.lit(params.core_percent / 100 * site.maximum), params.connectivity)
    mean = float(site.array[core].mean())
    return adapted(site, params, references, (mean, "the mean of its hottest voxels"), params.weight)


def background_adapted_threshold(
    site: Site, params: BackgroundAdapted, references: Mapping[str, ReferenceValues]
) -> float:
    """background + share * (peak - background); the peak is the highest mean of a sphere of 1 ml in the search volume.

    The form that EANM's 41 % and 50 % "adapted to background" have (Boellaard et al., EJNMMI 42 (2015) 328).
    """
    _, peak = peaks_in(site.volume.array, site.inside, _start(site), site.volume.spacing_mm)
    return adapted(site, params, references, (peak, "its peak"), params.percent / 100)


def adapted(
    site: Site, params: Adaptive, references: Mapping[str, ReferenceValues], top: tuple[float, str], share: float
) -> float:
    """background + share * (high - background), with the background that the parameters ask for.

    top : high, and what messages call it
    Raises SegmentationError where the lesion is not above its background, or none is left around it.
    """
    high, what = top

    def between(background: float) -> float:
        if not high > background:
            raise SegmentationError(
                f"{what}, {site.shown(high)}, does not exceed the background, {site.shown(background)}; this method "
                "needs a lesion that stands out"
            )
        return background + share * (high - background)

    if params.background != SHELL:
        return between(reference(params.background, references).mean)
    return _settled(site, params, between)


def _settled(site: Site, params: Adaptive, between: Callable[[float], float]) -> float:
    """The threshold at which lesion and shell agree; where two or more alternate, the highest of them."""
    lesion = hottest(site, site.lit(CORE * site.maximum if site.maximum > 0 else site.maximum), params.connectivity)
    passed: list[float] = []
    while len(passed) < MOST_STEPS:
        threshold = between(background_around(site, lesion, params.shell_mm))
        if threshold in passed:
            return max(passed[passed.index(threshold) :])
        passed.append(threshold)
        lit = site.lit(threshold)
        if not lit.any():
            break
        lesion = hottest(site, lit, params.connectivity)
    return passed[-1]


def hottest(site: Site, lit: np.ndarray, connectivity: int) -> np.ndarray:
    """The connected part that holds the highest intensity; of several such, the first in the array's order."""
    labels, _ = label(lit, structure(connectivity))
    place = np.argmax(np.where(lit, site.array, -np.inf))
    return np.asarray(labels == labels.flat[place])


def background_around(site: Site, lesion: np.ndarray, shell_mm: tuple[float, float]) -> float:
    """Median intensity of the shell around a lesion, in the search volume or not, as far as the image goes.

    lesion : bool [z, y, x] of the site's box. Raises SegmentationError where no voxel lies in the shell.
    """
    inner, outer = shell_mm
    low, high = bounding_box(lesion)
    start = _start(site)
    first, last = (tuple(i + s for i, s in zip(index, start, strict=True)) for index in (low, high))
    box = box_around(first, last, site.volume.grid.shape, site.volume.spacing_mm, outer)  # type: ignore[arg-type]
    own = tuple(slice(f - part.start, e - part.start) for f, e, part in zip(first, last, box, strict=True))
    away = np.ones([part.stop - part.start for part in box], bool)
    away[own] = ~lesion[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    distance = distance_transform_edt(away, sampling=site.volume.spacing_mm)
    shell = site.volume.array[box][(distance > inner) & (distance <= outer)]
    if not len(shell):
        raise SegmentationError(
            f"no voxel of the image lies {inner:g} to {outer:g} mm from the lesion, so that it has no background; "
            "change shell_mm, or name a reference region as background"
        )
    return float(np.median(shell))


def reference(name: str, references: Mapping[str, ReferenceValues]) -> ReferenceValues:
    """A reference region; MissingRoi where the case has none of that name."""
    if name not in references:
        there = ", ".join(references) or "none"
        raise MissingRoi(f"no reference region {name!r}, which the delineation needs; in `references` are: {there}")
    return references[name]


def _start(site: Site) -> tuple[int, int, int]:
    z, y, x = (part.start for part in site.box)
    return z, y, x
