"""Families that a section of the parameters asks for, as an example of each: their columns depend on what it says."""

from __future__ import annotations

from radiomics_pipeline.features.gated import gated
from radiomics_pipeline.features.patient import patient_family
from radiomics_pipeline.features.polar_map import polar_map_family
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.features.uptake import uptake, uptake_family
from radiomics_pipeline.params.polar_map import PolarMap, ShortAxis
from radiomics_pipeline.params.uptake import Threshold, Uptake

EXAMPLE = Uptake(volumes=(Threshold(percent=41), Threshold(value=4)))
"""Volumes at two thresholds; ratios are to a reference region `liver`."""


def further_families() -> tuple[Family, ...]:
    """`uptake`, `polarmap`, `gated` and `patient`."""
    axis = ShortAxis(method="short-axis", base="+z", anterior="-y", lateral="+x")
    return (
        uptake_family(EXAMPLE, ("liver",)),
        polar_map_family(PolarMap(axis=axis)),
        gated,
        patient_family([*uptake.features, "MtvPercent41", "TlgPercent41"]),
    )
