"""The threshold of each method that has one."""

from __future__ import annotations

from collections.abc import Mapping

from radiomics_pipeline.errors import SegmentationError
from radiomics_pipeline.imaging.segment.fuzzy import fuzzy_threshold
from radiomics_pipeline.imaging.segment.site import Site
from radiomics_pipeline.imaging.segment.two_point import (
    background_adapted_threshold,
    reference,
    two_point_threshold,
)
from radiomics_pipeline.params.segmentation import (
    AnyMethod,
    BackgroundAdapted,
    Fixed,
    FuzzyCMeans,
    PercentOfMaximum,
    ReferenceThreshold,
    TwoPoint,
)
from radiomics_pipeline.types.context import ReferenceValues


def threshold_of(site: Site, params: AnyMethod, references: Mapping[str, ReferenceValues]) -> float:
    """The least intensity of a lesion's voxels in a search volume.

    Raises SegmentationError where there is no such number, MissingRoi without a reference region.
    """
    if isinstance(params, Fixed):
        return params.threshold
    if isinstance(params, ReferenceThreshold):
        found = reference(params.region, references)
        return params.factor * found.mean + params.sd * found.sd
    if isinstance(params, BackgroundAdapted):
        return background_adapted_threshold(site, params, references)
    if isinstance(params, PercentOfMaximum):
        if site.maximum <= 0:
            raise SegmentationError(f"the highest intensity in the search volume is {site.shown(site.maximum)}")
        return params.percent / 100 * site.maximum
    if isinstance(params, TwoPoint):
        return two_point_threshold(site, params, references)
    assert isinstance(params, FuzzyCMeans)
    values = site.array[site.inside]
    if values.min() == values.max():
        raise SegmentationError(
            f"all {len(values)} voxels of the search volume have the intensity {site.shown(site.maximum)}; there are "
            "no classes to tell apart"
        )
    return fuzzy_threshold(values, params.classes, params.fuzziness)
