"""What a filter of PyRadiomics is: a row of `table`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.imaging.boxes import Index
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume


@dataclass(frozen=True)
class Box:
    """Where responses are wanted.

    low, high : from index `low` (z, y, x) up to, not including, `high`
    mask : bool [z, y, x] in that box, the region; responses count there alone
    """

    low: Index
    high: Index
    mask: np.ndarray

    @property
    def inside(self) -> tuple[slice, ...]:
        """The box of an array of the whole image."""
        return tuple(slice(a, b) for a, b in zip(self.low, self.high, strict=True))

    def around(self, by: Sequence[int], shape: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """A box with `by` more voxels at both sides of each axis, as far as the image goes, and where this one lies
        in it."""
        low = [max(0, a - more) for a, more in zip(self.low, by, strict=True)]
        high = [min(n, b + more) for b, n, more in zip(self.high, shape, by, strict=True)]
        wide = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        inner = tuple(slice(a - c, b - c) for a, b, c in zip(self.low, self.high, low, strict=True))
        return wide, inner


@dataclass(frozen=True)
class ImageType:
    """One image type of a parameter file.

    name : in `imageType`; tokens : settings -> what columns call its images, in PyRadiomics' order
    used : settings -> those that the filter uses, with PyRadiomics' defaults
    responses : (whole image in its own type of number, box, settings) -> by token the response in the box, or why there
        is none
    """

    name: str
    tokens: Callable[[Settings], tuple[str, ...]]
    responses: Callable[[Volume, Box, Settings], Iterator[tuple[str, np.ndarray | str]]]
    used: Callable[[Settings], Mapping[str, object]] = lambda settings: {}


Responses = Iterator[tuple[str, np.ndarray | str]]
Images = Mapping[str, ImageType]
