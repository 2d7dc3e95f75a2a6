"""Spatial autocorrelation: sums over all pairs of voxels, weighted with the inverse of their distance.

Exact at any size. A sum over pairs of w(i - j) a(i) b(j) is, by Parseval's theorem, one over the product of the
Fourier transforms of w, a and b: n log n steps instead of n^2. Few voxels are summed pair by pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from radiomics_pipeline.kernels.autocorrelation import sum_pairs

PAIRS_PER_VOXEL = 500
"""Pairs that can be summed in the time that the transforms take for one voxel of the box around the region."""

BLOCK = 4
"""Planes transformed together: few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class PairSums:
    """Sums over all ordered pairs of voxels: of w, w a b and w (a - b)^2, with w = 1 / distance in 1/mm."""

    weight: float
    product: float
    difference: float


def pair_sums(values: np.ndarray, mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> PairSums:
    """The sums over a region's voxels.

    values : float64 [z, y, x], 0 outside the mask; near a mean of 0, for accuracy
    mask : bool [z, y, x]
    """
    n = int(np.count_nonzero(mask))
    box = tuple(slice(int(i.min()), int(i.max()) + 1) for i in np.nonzero(mask)) if n else ()
    values, mask = values[box], mask[box]
    if n * n <= PAIRS_PER_VOXEL * mask.size:
        return PairSums(*(float(s) for s in sum_pairs(np.argwhere(mask) * np.array(spacing_mm), values[mask])))
    return PairSums(*_by_transforms(values, mask, spacing_mm))


def _by_transforms(values: np.ndarray, mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple[float, ...]:
    # even lengths of at least 2 n - 1 along each axis: no pair meets across the border
    shape = [2 * fft.next_fast_len(n) if n > 1 else 1 for n in mask.shape]
    weights = _weight_spectrum(shape, spacing_mm)
    # x first, then y and z a few planes at a time: the rows of zeros that pad a plane are never transformed
    lines = [
        np.ascontiguousarray(fft.rfft(part, n=shape[2], axis=2).transpose(2, 0, 1))
        for part in (mask.astype(np.float64), values, values * values)
    ]
    folded = np.ix_(*(np.minimum(np.arange(n), n - np.arange(n)) for n in shape[:2]))
    sums = np.zeros(3)
    for start in range(0, len(weights), BLOCK):
        block = slice(start, start + BLOCK)
        w = np.stack([plane[folded] for plane in weights[block]])
        m, x, xx = (fft.fft(fft.fft(part[block], n=shape[1], axis=2), n=shape[0], axis=1) for part in lines)
        sums[0] += (w * (m.real**2 + m.imag**2)).sum()
        sums[1] += (w * (x.real**2 + x.imag**2)).sum()
        sums[2] += (w * (m.real * xx.real + m.imag * xx.imag)).sum()
    weight, product, square = (float(s) for s in sums / np.prod(shape))
    return weight, product, 2 * (square - product)


def _weight_spectrum(shape: list[int], spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Fourier transform of 1 / distance on a periodic grid of even lengths (or 1), which is real and symmetric.

    returns : float64 [x, z, y], the first n // 2 + 1 frequencies of each axis; those of x that stand for their
    mirror image too are doubled
    """
    z, y, x = ((np.arange(n // 2 + 1) * s) ** 2 for n, s in zip(shape, spacing_mm, strict=True))
    squares = z[:, None, None] + y[:, None] + x
    squares[0, 0, 0] = np.inf
    spectrum = fft.dctn(1 / np.sqrt(squares), type=1, axes=[a for a in range(3) if shape[a] > 1])
    spectrum[:, :, 1 : shape[2] // 2] *= 2
    return np.ascontiguousarray(spectrum.transpose(2, 0, 1))
