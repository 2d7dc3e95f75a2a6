"""All image types that are computed here; local binary patterns are PyRadiomics' own."""

from __future__ import annotations

from radiomics_pipeline.imaging.pyradiomics.filters.gradient import GRADIENT
from radiomics_pipeline.imaging.pyradiomics.filters.log import LOG
from radiomics_pipeline.imaging.pyradiomics.filters.points import POINTS
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Images
from radiomics_pipeline.imaging.pyradiomics.filters.wavelet import WAVELETS

IMAGE_TYPES: Images = {row.name: row for row in (*POINTS, LOG, WAVELETS, GRADIENT)}
