"""A search volume: where in an image a method looks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.imaging.boxes import Index, bounding_box
from radiomics_pipeline.types import Volume


def box_around(
    low: Index, high: Index, shape: Index, spacing_mm: tuple[float, float, float], margin_mm: float
) -> tuple[slice, slice, slice]:
    """A box and what lies within a margin of it, with one voxel to spare, as far as the image goes."""
    grow = [int(np.ceil(margin_mm / mm)) + 1 for mm in spacing_mm]
    z, y, x = (slice(max(0, a - g), min(n, b + g)) for a, b, g, n in zip(low, high, grow, shape, strict=True))
    return z, y, x


@dataclass(frozen=True)
class Site:
    """One search volume in its image.

    box : the part of the image that is looked at; it holds a neighbour of each voxel of the search volume
    inside : bool [z, y, x] of the box, the search volume; at least one voxel
    """

    volume: Volume
    box: tuple[slice, slice, slice]
    inside: np.ndarray

    @classmethod
    def of(cls, volume: Volume, mask: np.ndarray | None) -> Site:
        """The search volume of a mask on the whole image; None: everywhere."""
        if mask is None or mask.all():
            shape = volume.grid.shape
            return cls(volume, (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])), np.ones(shape, bool))
        box = box_around(*bounding_box(mask), volume.grid.shape, volume.spacing_mm, 0)
        return cls(volume, box, mask[box])

    @cached_property
    def array(self) -> np.ndarray:
        """Intensities in the box, float64 [z, y, x]."""
        return self.volume.array[self.box]

    @cached_property
    def maximum(self) -> float:
        """Highest intensity in the search volume."""
        return float(self.array[self.inside].max())

    def lit(self, threshold: float) -> np.ndarray:
        """The voxels of the search volume at or above a threshold, bool [z, y, x] of the box."""
        return self.inside & (self.array >= threshold)

    @cached_property
    def image_faces(self) -> np.ndarray:
        """The outermost voxels of the image in the box, bool [z, y, x]; an axis of one voxel has none."""
        faces = np.zeros(self.array.shape, bool)
        for axis, (part, n) in enumerate(zip(self.box, self.volume.grid.shape, strict=True)):
            view = np.moveaxis(faces, axis, 0)
            if n > 1 and part.start == 0:
                view[0] = True
            if n > 1 and part.stop == n:
                view[-1] = True
        return faces

    def shown(self, value: float) -> str:
        """An intensity as messages show it."""
        return f"{value:.4g} {self.volume.unit}".rstrip()
