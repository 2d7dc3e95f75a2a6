"""Filters that are defined by what they do to each frequency."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import fft

from radiomics_pipeline.imaging.filters.boundary import Boundary, padded

Transfer = Callable[[list[np.ndarray]], np.ndarray]
"""(frequencies along each axis, 1 at Nyquist's, that broadcast to the grid) -> what each is multiplied by."""


def through(array: np.ndarray, axes: Sequence[int], transfer: Transfer, boundary: Boundary) -> np.ndarray:
    """Real part of the array with its frequencies along these axes multiplied; float64 of the same shape.

    Beyond the border the image goes on for half its size, which is all there is of a mirror image, before it repeats.
    """
    by = [(n + 1) // 2 if axis in axes and boundary != "periodic" else 0 for axis, n in enumerate(array.shape)]
    wide = padded(array, tuple(by), boundary)
    order = sorted(axes)
    response = fft.irfftn(
        fft.rfftn(wide, axes=order) * _of_real(wide.shape, order, list(axes), transfer),
        s=[wide.shape[axis] for axis in order],
        axes=order,
    )
    return response[tuple(slice(b, b + n) for b, n in zip(by, array.shape, strict=True))]


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
