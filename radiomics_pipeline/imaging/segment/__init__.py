"""Delineation of regions from intensities; `segment` is the door."""

from radiomics_pipeline.imaging.segment.delineation import Delineation, Lesion, segment, select

__all__ = ["Delineation", "Lesion", "segment", "select"]
