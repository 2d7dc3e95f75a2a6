"""Feature families: one file each, listed here."""

from __future__ import annotations

from radiomics_pipeline.features.glcm import glcm
from radiomics_pipeline.features.glszm import glszm
from radiomics_pipeline.features.histogram import histogram
from radiomics_pipeline.features.intensity import intensity
from radiomics_pipeline.features.morphology import morphology
from radiomics_pipeline.features.registry import Family, FeatureSpec, Sample, Undefined

FAMILIES: tuple[Family, ...] = (morphology, intensity, histogram, glcm, glszm)
"""All families of `standard: ibsi`, in the order of the tables."""

__all__ = ["FAMILIES", "Family", "FeatureSpec", "Sample", "Undefined"]
