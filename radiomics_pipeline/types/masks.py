"""What a mask file holds, whatever its format: numbered, perhaps named, perhaps overlapping areas on one grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from radiomics_pipeline.types.grid import Grid


@dataclass(frozen=True)
class Entry:
    """One area of a mask file: a label, a ROI or a segment. name : as the file gives it, empty where it gives none"""

    number: int
    name: str = ""


@dataclass(frozen=True)
class Masks(ABC):
    """The areas of one mask file.

    file : what errors call it
    grid : where its voxels lie
    """

    file: str
    grid: Grid

    @property
    @abstractmethod
    def entries(self) -> tuple[Entry, ...]:
        """Its areas by ascending number."""

    @abstractmethod
    def mask(self, number: int) -> np.ndarray:
        """The voxels of one area, bool [z, y, x]; KeyError for a number that no entry has."""


@dataclass(frozen=True)
class LabelImage(Masks):
    """A mask as whole numbers, 0 outside.

    labels : integers [z, y, x], at least 0
    names : of labels, where the file or a table beside it gives any
    """

    labels: np.ndarray
    names: dict[int, str] = field(default_factory=dict)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The labels that occur."""
        present = np.unique(self.labels[self.labels != 0])
        return tuple(Entry(int(label), self.names.get(int(label), "")) for label in present)

    def mask(self, number: int) -> np.ndarray:
        """The voxels of one label."""
        found = self.labels == number
        if not found.any():
            raise KeyError(number)
        return found


@dataclass(frozen=True)
class MaskStack(Masks):
    """Areas kept one by one, as they may overlap. areas : bool [z, y, x] and name by number"""

    areas: dict[int, tuple[str, np.ndarray]]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All areas, empty ones too."""
        return tuple(Entry(number, self.areas[number][0]) for number in sorted(self.areas))

    def mask(self, number: int) -> np.ndarray:
        """The voxels of one area."""
        return self.areas[number][1]
