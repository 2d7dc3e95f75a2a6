"""Spatial autocorrelation: sums over all pairs of voxels, weighted with the inverse of their distance.

Exact at any size. A sum over pairs of w(i - j) a(i) b(j) is, by Parseval's theorem, one over the product of the
Fourier transforms of w, a and b. Distances do not change when an axis is mirrored, so that w has a real and even
transform and those of a and b split into cosine and sine parts along each axis, which are summed in real numbers.

A region's box is short, some hundred voxels at most, and its padding would double each axis for a fast transform. A
product with the matrix of cosines of one axis needs no padding, and a processor is far quicker at matrix products:
up to the 125 voxels along each axis that were compared this takes less time, though it grows with n^(4/3).
Few voxels are summed pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from threadpoolctl import ThreadpoolController

from radiomics_pipeline.kernels.autocorrelation import add_spectra, fold_halves, sum_pairs

PAIRS_PER_VOXEL = 0.2
"""Pairs that can be summed in the time that the transforms take for a voxel of the box per voxel of its length."""

OVERHEAD = 200_000
"""What the transforms cost at least, in the same unit."""

WIDTHS = (32, 28, 24, 20, 16)
"""Frequencies of the last axis that are computed together: enough for a fast product, few enough for the cache."""

PART_BYTES = 1_000_000
"""Size of the spectra that are held at a time: what the processor's second cache holds."""

LARGEST_KEPT = 2**19
"""Weights of boxes up to this many voxels are kept, since a region is often measured in several images."""


@dataclass(frozen=True)
class PairSums:
    """Sums over all ordered pairs of voxels: of w, w a b and w (a - b)^2, with w = 1 / distance in 1/mm.

    square : sum of a^2 over the voxels
    """

    weight: float
    product: float
    difference: float
    square: float


def pair_sums(
    values: np.ndarray,
    mask: np.ndarray,
    spacing_mm: tuple[float, float, float],
    *,
    centre: float = 0.0,
    scale: float = 1.0,
) -> PairSums:
    """The sums over a region's voxels, where a is (value - centre) / scale.

    values : float64 [z, y, x]; those outside the mask do not matter
    mask : bool [z, y, x]
    centre, scale : such that a has a mean near 0 and a size near 1, for accuracy
    """
    box = _box_of(mask)
    values, mask = values[box], mask[box]
    n = int(np.count_nonzero(mask))
    # the axis that is transformed last costs most: the shortest
    order = np.argsort(mask.shape, kind="stable")
    nz, ny, nx = (mask.shape[a] for a in order)
    if n * n <= PAIRS_PER_VOXEL * (mask.size * (4 * nz + 2 * ny + nx) + OVERHEAD):
        inside = (values[mask] - centre) / scale
        weight, product, difference = sum_pairs(np.argwhere(mask) * np.array(spacing_mm), inside)
        return PairSums(float(weight), float(product), float(difference), float(inside @ inside))
    folded, square = fold_halves(
        np.ascontiguousarray(values.transpose(order)),
        np.ascontiguousarray(mask.transpose(order)).view(np.uint8),
        centre,
        scale,
    )
    # products of this size gain little from a second thread, and lose much where that one is busy
    with _libraries().limit(limits=1):
        sums = _by_frequencies(folded, (nz, ny, nx), tuple(spacing_mm[a] for a in order))
    return PairSums(*sums, float(square))


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """The libraries that multiply matrices, which were loaded with numpy and scipy."""
    return ThreadpoolController().select(user_api="blas")


def _box_of(mask: np.ndarray) -> tuple[slice, ...]:
    spans = (np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    return tuple(slice(int(s[0]), int(s[-1]) + 1) if len(s) else slice(0) for s in spans)


def _by_frequencies(
    folded: np.ndarray, shape: tuple[int, int, int], spacing_mm: tuple[float, ...]
) -> tuple[float, float, float]:
    """The three sums, from a region's even and odd parts about the middle of each axis of its box (`fold_halves`)."""
    nz, ny, nx = shape
    px, _, pz, hz, py, hy, hx = folded.shape
    rows = 3 * pz * hz * py * hy
    width = _width(nx)
    waves_x = _fill(_waves(nx).transpose(0, 2, 1), width)
    lines = np.empty((rows, px, width))
    planes = np.empty((3 * pz * hz, py, ny, px * width))
    step = max(1, PART_BYTES // (3 * pz * nz * px * width * 8))
    held = np.empty(3 * pz * nz * min(step, ny) * px * width)
    sums = np.zeros((3, width))
    for block, weights in enumerate(_weights(shape, spacing_mm)):
        part = slice(block * width, (block + 1) * width)
        for parity in range(px):
            np.matmul(folded[parity].reshape(rows, hx), waves_x[parity, :, part], out=lines[:, parity])
        np.matmul(_waves(ny), lines.reshape(3 * pz * hz, py, hy, px * width), out=planes)
        volume = planes.reshape(3, pz, hz, py, ny, px * width)
        for parity in range(py):
            for first in range(0, ny, step):
                some = volume[:, :, :, parity, first : first + step].reshape(3, pz, hz, -1)
                spectra = held[: some.size // hz * nz].reshape(3, pz, nz, some.shape[-1])
                np.matmul(_waves(nz), some, out=spectra)
                add_spectra(spectra.reshape(3, pz, nz, -1, px, width), weights, first, sums)
    weight, product, square = (float(s) for s in sums.sum(axis=1))
    return weight, product, 2 * (square - product)


def _weights(shape: tuple[int, int, int], spacing_mm: tuple[float, ...]) -> Iterator[np.ndarray]:
    """Blocks of the Fourier transform of 1 / distance: float64 [y, z, width], by frequency, for each block of x."""
    if np.prod(shape) <= LARGEST_KEPT:
        return iter(_kept_weights(shape, spacing_mm))
    return _weight_blocks(shape, spacing_mm)


@lru_cache(maxsize=4)
def _kept_weights(shape: tuple[int, int, int], spacing_mm: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    return tuple(_weight_blocks(shape, spacing_mm))


def _weight_blocks(shape: tuple[int, int, int], spacing_mm: tuple[float, ...]) -> Iterator[np.ndarray]:
    nz, ny, nx = shape
    z, y, x = ((np.arange(n) * s) ** 2 for n, s in zip(shape, spacing_mm, strict=True))
    inverse = z[:, None, None] + y[:, None] + x
    inverse[0, 0, 0] = np.inf
    np.sqrt(inverse, out=inverse)
    np.divide(1.0, inverse, out=inverse)
    width = _width(nx)
    cosines = _fill(_cosines(nx).T, width)
    for start in range(0, cosines.shape[1], width):
        lines = inverse.reshape(-1, nx) @ cosines[:, start : start + width]
        planes = _cosines(ny) @ lines.reshape(nz, ny, width)
        yield _cosines(nz) @ planes.transpose(1, 0, 2)


def _width(n: int) -> int:
    """The width of the blocks in which n frequencies are computed soonest; narrow ones are slower by the frequency."""
    return min(WIDTHS, key=lambda width: -(-n // width) * (width + 6)) if n > WIDTHS[-1] else -(-n // 4) * 4


def _fill(matrices: np.ndarray, width: int) -> np.ndarray:
    """Matrices [..., n] filled up with columns of 0 to a multiple of `width`."""
    missing = -matrices.shape[-1] % width
    return np.concatenate([matrices, np.zeros((*matrices.shape[:-1], missing))], axis=-1)


@lru_cache(maxsize=16)
def _waves(n: int) -> np.ndarray:
    """Cosines and sines about the middle of an axis of n voxels, at the frequencies k / (2 n - 1), k from 0 to n - 1.

    Scaled so that the weighted sum of products of transforms is the sum over pairs itself: divided by the period, and
    doubled for k > 0, which stands for -k too.

    returns : float64 [p, n, h], by parity (cosine, sine; one for n = 1), k, and distance from the middle on that side
    """
    if n == 1:
        return np.ones((1, 1, 1))
    period = 2 * n - 1
    # twice the distances from the middle, which lies between two voxels of an even number
    twice = 2 * (n // 2 + np.arange((n + 1) // 2)) - (n - 1)
    turns = np.arange(n)[:, None] * twice % (2 * period)
    angles = np.pi / period * np.arange(2 * period)
    waves = np.sqrt(2 / period) * np.stack([np.cos(angles)[turns], np.sin(angles)[turns]])
    waves[:, 0] /= np.sqrt(2)
    if n % 2:
        waves[:, :, 0] /= 2  # folding has met the middle twice
    return waves


@lru_cache(maxsize=16)
def _cosines(n: int) -> np.ndarray:
    """Matrix that transforms an even function, given at distances 0 to n - 1, with period 2 n - 1; float64 [n, n]."""
    period = 2 * n - 1
    turns = np.arange(n)[:, None] * np.arange(n) % period
    cosines = 2 * np.cos(2 * np.pi / period * np.arange(period))[turns]
    cosines[:, 0] = 1.0
    return cosines
