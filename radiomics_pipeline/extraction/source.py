"""How the files of a series are to be read, by whatever standard."""

from __future__ import annotations

from dataclasses import dataclass, field

from radiomics_pipeline.params.extraction import Label, SeriesParams
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.params.series import SeriesSource


@dataclass(frozen=True)
class Source:
    """What reading an image and its mask needs to know.

    unit : of the stored intensities
    label : which labels of the mask are regions; None: the only one there is
    native : whether image and mask keep type and geometry of their files to the last digit, as PyRadiomics has them
    free_mask : whether the mask may lie on another grid than the image, as later steps see to it
    section : what the parameters say of image and regions
    """

    unit: str
    label: Label | None
    native: bool = False
    free_mask: bool = False
    section: SeriesSource = field(default_factory=SeriesSource)


def ibsi_source(params: SeriesParams) -> Source:
    """What a section of `standard: ibsi` says of its files."""
    return Source(params.unit, params.label, section=params)


def pyradiomics_source(section: PyradiomicsSeries) -> Source:
    """What a section in PyRadiomics' schema says of its files."""
    setting = section.setting
    free = setting.correctMask or setting.resampled or setting.geometryTolerance is not None
    return Source(section.unit, setting.label, native=True, free_mask=free, section=section)
