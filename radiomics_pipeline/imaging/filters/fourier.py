"""Filters that are defined by what they do to each frequency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft

from radiomics_pipeline.imaging.filters.boundary import Boundary, padded

Transfer = Callable[[list[np.ndarray]], np.ndarray]
"""(frequencies along each axis, 1 at Nyquist's, that broadcast to the grid) -> what each is multiplied by."""


@dataclass(frozen=True)
class Spectrum:
    """The frequencies of an image.

    found : complex128, of real frequencies along the last axis of `order`
    axes : those that are transformed, x first; wide : the image's shape with what lies beyond its border
    by : how many voxels of that lie before the image; shape : that of the image
    """

    found: np.ndarray
    axes: tuple[int, ...]
    wide: tuple[int, ...]
    by: tuple[int, ...]
    shape: tuple[int, ...]

    def through(self, transfer: Transfer) -> np.ndarray:
        """Real part of the image with its frequencies multiplied; float64 of the image's shape."""
        order = sorted(self.axes)
        gain = _of_real(self.wide, order, list(self.axes), transfer)
        response = fft.irfftn(self.found * gain, s=[self.wide[axis] for axis in order], axes=order)
        return response[tuple(slice(b, b + n) for b, n in zip(self.by, self.shape, strict=True))]


def spectrum(array: np.ndarray, axes: Sequence[int], boundary: Boundary) -> Spectrum:
    """Of an image that goes on beyond its border for half its size, which is all there is of a mirror image."""
    by = tuple((n + 1) // 2 if axis in axes and boundary != "periodic" else 0 for axis, n in enumerate(array.shape))
    wide = padded(array, by, boundary)
    return Spectrum(fft.rfftn(wide, axes=sorted(axes)), tuple(axes), wide.shape, by, array.shape)


def _of_real(shape: tuple[int, ...], order: list[int], axes: list[int], transfer: Transfer) -> np.ndarray:
    """What makes the real part of the response of a real image, on the half of the frequencies that such a one has.

    The reference maps rest on frequencies counted from the middle of the grid, between two points where their number
    is even, so that a frequency and its opposite are not multiplied alike.
    """
    ahead, behind = {}, {}
    for axis in order:
        n = shape[axis]
        own = fft.ifftshift((np.arange(n) - (n - 1) / 2) / max((n - 1) / 2, 0.5))
        opposite = own[-np.arange(n)]
        kept = n // 2 + 1 if axis == order[-1] else n
        wide = [1] * len(shape)
        wide[axis] = kept
        ahead[axis], behind[axis] = own[:kept].reshape(wide), opposite[:kept].reshape(wide)
    one, other = (transfer([found[axis] for axis in axes]) for found in (ahead, behind))
    return np.asarray((one + np.conj(other)) / 2)
