"""What is remarked upon: an acquisition outside its protocol, a region too small for textures."""

from __future__ import annotations

from collections.abc import Iterator

from radiomics_pipeline.params.acquisition import AcquisitionRanges, Range
from radiomics_pipeline.types.facts import Facts

TOLERANCE = 0.005
"""By how much of a bound it may be missed: headers round."""


def acquisition_warnings(facts: Facts, ranges: AcquisitionRanges) -> tuple[str, ...]:
    """What is unusual about an acquisition, in the order of the parameters; what is not known is not remarked upon."""
    return tuple(_acquisition(facts, ranges))


def region_warnings(volume_ml: float, voxels: int, ranges: AcquisitionRanges) -> tuple[str, ...]:
    """What speaks against textures of a region.

    volume_ml : of the outline on the voxels of the file
    voxels : of the region as textures see it, after resampling and re-segmentation
    """
    found = []
    floor = ranges.minimum_volume_ml
    if floor is not None and volume_ml < floor:
        found.append(f"{volume_ml:.3g} ml, textures are advised from {floor:g} ml on: they follow the volume below it")
    least = ranges.minimum_voxels
    if least is not None and voxels < least:
        found.append(f"{voxels} voxels, textures are advised from {least} on")
    return tuple(found)


def _acquisition(facts: Facts, ranges: AcquisitionRanges) -> Iterator[str]:
    numbers = (
        ("uptake time", facts.uptake_time_min, ranges.uptake_time_min, "min"),
        ("injected activity", facts.dose_mbq, ranges.dose_mbq, "MBq"),
        ("injected activity by weight", facts.dose_mbq_per_kg, ranges.dose_mbq_per_kg, "MBq/kg"),
        ("blood glucose", facts.glucose_mmol_l, ranges.glucose_mmol_l, "mmol/l"),
    )
    for what, value, allowed, unit in numbers:
        if value is not None and (side := _outside(value, allowed)):
            yield f"{what} {value:.4g} {unit}, {side} {unit} of the protocol"
    if facts.voxel_mm is not None:
        edges = [e for e in (min(facts.voxel_mm), max(facts.voxel_mm)) if _outside(e, ranges.voxel_mm)]
        if edges:
            size = " x ".join(f"{edge:.4g}" for edge in facts.voxel_mm)
            yield f"voxels of {size} mm, {_outside(edges[-1], ranges.voxel_mm)} mm of the protocol"
    if facts.nuclide and ranges.nuclides and facts.nuclide not in ranges.nuclides:
        yield f"radionuclide {facts.nuclide}; the parameters are for {_either(ranges.nuclides)}"
    if facts.tracer and ranges.tracers and facts.tracer not in ranges.tracers:
        yield f"radiopharmaceutical {facts.tracer}; the parameters are for {_either(ranges.tracers)}"
    lacking = [word for word in ranges.corrected if word not in facts.corrections]
    if lacking and facts.corrections:
        yield f"the header does not name the corrections {', '.join(lacking)}; it has {', '.join(facts.corrections)}"


def _outside(value: float, allowed: Range) -> str:
    """On which side of a range a value lies, as part of a message; empty where it lies inside."""
    low, high = allowed
    if low is not None and value < low * (1 - TOLERANCE):
        return f"below the {low:g}"
    if high is not None and value > high * (1 + TOLERANCE):
        return f"above the {high:g}"
    return ""


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(words)
