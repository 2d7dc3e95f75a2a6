"""What still means something where an image is in another unit than the parameters name, such as counts for SUV.

Shape, ratios and grey levels in a fixed number of bins do; intensities, and whatever a width, a range or a threshold in
the parameters' unit has gone into, do not.
"""

from __future__ import annotations

from radiomics_pipeline.features.ivh import ivh
from radiomics_pipeline.features.morphology import morphology
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.params.extraction import IvhBinNumber, Resegment, SeriesParams
from radiomics_pipeline.params.levels import Discretise, FixedBinNumber

WEIGHTED = frozenset({"CentreOfMassShift", "IntegratedIntensity", "MoransI", "GearysC"})
"""Features of morphology that see intensities, too."""


def foreign_unit(found: str, meant: str) -> str:
    """Why what is in the parameters' unit has no value; empty where the image is in it, or in a unit not known."""
    return f"the image is in {found}, not in {meant}" if found and meant and found != meant else ""


def usable_range(params: Resegment) -> bool:
    """Whether the re-segmentation range is the same in every unit: open, or ending at 0."""
    return all(end is None or end == 0 for end in params.range)


def usable_resegment(params: Resegment) -> Resegment:
    """What of a re-segmentation can be done in any unit."""
    return params if usable_range(params) else Resegment(sigma=params.sigma)


def usable_levels(scheme: Discretise, params: SeriesParams) -> bool:
    """Whether grey levels can be made in any unit."""
    return isinstance(scheme, FixedBinNumber) and usable_range(params.resegment)


def withheld(family: Family, scheme: Discretise | None, params: SeriesParams) -> frozenset[str]:
    """The features of a family, computed from grey levels of this scheme, that have no value in another unit."""
    everything = frozenset(family.features)
    bound = frozenset(name for name, feature in family.features.items() if feature.bound)
    if family.native:
        return bound
    if family.token == morphology.token:
        return bound if usable_range(params.resegment) else bound | WEIGHTED
    if not usable_range(params.resegment) or (scheme is not None and not usable_levels(scheme, params)):
        return everything
    if family.token == ivh.token:  # of bin numbers, whatever the unit, or of intensities
        return frozenset() if isinstance(params.ivh, IvhBinNumber) else everything
    return bound
