"""Feature families by the definitions of PyRadiomics: one file each, listed here."""

from __future__ import annotations

from radiomics_pipeline.features.pyradiomics.firstorder import firstorder
from radiomics_pipeline.features.pyradiomics.glcm import glcm
from radiomics_pipeline.features.pyradiomics.gldm import gldm
from radiomics_pipeline.features.pyradiomics.glrlm import glrlm
from radiomics_pipeline.features.pyradiomics.glszm import glszm
from radiomics_pipeline.features.pyradiomics.ngtdm import ngtdm
from radiomics_pipeline.features.pyradiomics.shape import shape
from radiomics_pipeline.features.pyradiomics.shape2d import shape2d
from radiomics_pipeline.features.registry import Family

FAMILIES: tuple[Family, ...] = (shape, shape2d, firstorder, glcm, gldm, glrlm, glszm, ngtdm)
"""All families of `standard: pyradiomics`, in PyRadiomics' order of columns."""
