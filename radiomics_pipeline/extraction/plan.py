"""What a plan of a series is, by whatever standard: its columns, and how a region becomes a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from radiomics_pipeline.extraction.result import RegionFeatures
from radiomics_pipeline.params.extraction import Label
from radiomics_pipeline.types import ColumnSpec, Region, Volume

ORIGINAL = "original"
"""Name of the image as it was read, before any filter."""


@dataclass(frozen=True)
class SeriesPlan(ABC):
    """All that is computed on one image series.

    series : its name in the parameters; prefix : how its columns begin, empty for an unnamed image
    """

    series: str
    prefix: str

    native = False
    """Whether the image keeps the type of number that its file has."""

    @property
    def correct_mask(self) -> bool:
        """Whether a mask on another grid is brought onto the image's."""
        return False

    @property
    @abstractmethod
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """Unit of the stored intensities."""

    @property
    @abstractmethod
    def label(self) -> Label | None:
        """Which labels of the mask are regions."""

    @abstractmethod
    def extract(self, volume: Volume, region: Region) -> RegionFeatures:
        """All features of one region; CaseError where a step cannot be done rightly."""

    @abstractmethod
    def without_features(self) -> SeriesPlan:
        """The same preparation of image and region, and no feature; for checking a study."""
