"""What a plan of a series is, by whatever standard: its columns, and how a region becomes a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from radiomics_pipeline.extraction.result import RegionFeatures
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.features.registry import NO_CONTEXT
from radiomics_pipeline.types import ColumnSpec, Region, Volume
from radiomics_pipeline.types.context import Context

ORIGINAL = "original"
"""Name of the image as it was read, before any filter."""


@dataclass(frozen=True)
class SeriesPlan(ABC):
    """All that is computed on one image series.

    series : its name in the parameters; prefix : how its columns begin, empty for an unnamed image
    source : how its files are read
    """

    series: str
    prefix: str
    source: Source

    @property
    @abstractmethod
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""

    @abstractmethod
    def extract(self, volume: Volume, region: Region, context: Context = NO_CONTEXT) -> RegionFeatures:
        """All features of one region; CaseError where a step cannot be done rightly.

        context : reference regions and the like, for the families that use them
        """

    @abstractmethod
    def without_features(self) -> SeriesPlan:
        """The same preparation of image and region, and no feature; for checking a study."""
