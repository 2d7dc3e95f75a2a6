"""Radiomics for nuclear medicine: from segmented PET, SPECT and CT to ranked features."""

__version__ = "0.1.0"
