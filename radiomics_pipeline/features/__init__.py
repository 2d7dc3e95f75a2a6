"""Feature families: one file each, listed here; those by the definitions of PyRadiomics in `pyradiomics`."""

from __future__ import annotations

from radiomics_pipeline.features.glcm import glcm
from radiomics_pipeline.features.gldzm import gldzm
from radiomics_pipeline.features.glrlm import glrlm
from radiomics_pipeline.features.glszm import glszm
from radiomics_pipeline.features.histogram import histogram
from radiomics_pipeline.features.intensity import intensity
from radiomics_pipeline.features.ivh import ivh
from radiomics_pipeline.features.local_intensity import local_intensity
from radiomics_pipeline.features.morphology import morphology
from radiomics_pipeline.features.ngldm import ngldm
from radiomics_pipeline.features.ngtdm import ngtdm
from radiomics_pipeline.features.registry import Family, FeatureSpec, Sample, Undefined

FAMILIES: tuple[Family, ...] = (
    morphology,
    local_intensity,
    intensity,
    histogram,
    ivh,
    glcm,
    glrlm,
    glszm,
    gldzm,
    ngtdm,
    ngldm,
)
"""All families of `standard: ibsi`, in the order of the tables."""

__all__ = ["FAMILIES", "Family", "FeatureSpec", "Sample", "Undefined"]
