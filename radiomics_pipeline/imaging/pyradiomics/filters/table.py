"""All image types but the original."""

from __future__ import annotations

from radiomics_pipeline.imaging.pyradiomics.filters.gradient import GRADIENT
from radiomics_pipeline.imaging.pyradiomics.filters.lbp2d import LBP2D
from radiomics_pipeline.imaging.pyradiomics.filters.lbp3d import LBP3D
from radiomics_pipeline.imaging.pyradiomics.filters.log import LOG
from radiomics_pipeline.imaging.pyradiomics.filters.points import POINTS
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Images
from radiomics_pipeline.imaging.pyradiomics.filters.wavelet import WAVELETS

IMAGE_TYPES: Images = {row.name: row for row in (*POINTS, LOG, WAVELETS, GRADIENT, LBP2D, LBP3D)}
