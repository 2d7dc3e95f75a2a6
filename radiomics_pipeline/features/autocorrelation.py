"""Spatial autocorrelation: sums over all pairs of voxels, weighted with the inverse of their distance.

Exact at any size. A sum over pairs of w(i - j) a(i) b(j) is, by Parseval's theorem, one over the product of the
Fourier transforms of w, a and b: n log n steps instead of n^2. Distances do not change when an axis is mirrored, so
that w has a real and even transform and those of a and b split into cosine and sine parts along each axis, which are
summed in real numbers.

Most axes are short, some hundred voxels at most. Along these a product with the matrix of cosines takes less time than
a fast transform; that takes over from `LONGEST_MATRIX` on. Few voxels are summed pair by pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft
from threadpoolctl import ThreadpoolController

from radiomics_pipeline.kernels.autocorrelation import add_spectra, find_box, fold_halves, sum_pairs

PAIRS_PER_VOXEL = 0.2
"""Pairs that can be summed in the time that the transforms take for a voxel of the box per voxel of its length."""

OVERHEAD = 200_000
"""What the transforms cost at least, in the same unit."""

LONGEST_MATRIX = 192
"""Voxels along an axis up to which a product with a matrix takes less time than a fast transform."""

WIDTH = 64
"""Most frequencies of the last axis that are computed together: enough for a fast product, few enough for the cache."""

PART_BYTES = 250_000
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
    n, *spans = find_box(np.ascontiguousarray(mask).view(np.uint8)).tolist()
    box = tuple(slice(spans[2 * a], spans[2 * a + 1]) for a in range(3))
    values, mask = values[box], mask[box]
    # the axis that is transformed last costs most: the shortest
    order = sorted(range(3), key=mask.shape.__getitem__)
    nz, ny, nx = (mask.shape[a] for a in order)
    if n * n <= PAIRS_PER_VOXEL * (mask.size * (4 * nz + 2 * ny + nx) + OVERHEAD):
        inside = (values[mask] - centre) / scale
        weight, product, difference = sum_pairs(np.argwhere(mask) * np.array(spacing_mm), inside)
        return PairSums(float(weight), float(product), float(difference), float(inside @ inside))
    shape = _even(nz), _even(ny), _even(nx)
    weights = _weights(shape, tuple(spacing_mm[a] for a in order))
    folded, square = fold_halves(
        _filled(values.transpose(order), shape),
        _filled(mask.transpose(order), shape).view(np.uint8),
        centre,
        scale,
    )
    # products of this size gain little from a second thread, and lose much where that one is busy
    with _libraries().limit(limits=1):
        sums = _by_frequencies(folded, shape, weights)
    return PairSums(*sums, float(square))


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """The libraries that multiply matrices, which were loaded with numpy and scipy."""
    return ThreadpoolController().select(user_api="blas")


def _even(n: int) -> int:
    """Length of an axis of n voxels as it is transformed: even where that is done by fast transforms."""
    return n + n % 2 if n > LONGEST_MATRIX else n


def _filled(part: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """An array filled up with 0 to this shape, in C-order; read-only, so that kernels see one type."""
    if part.shape == shape:
        filled = np.ascontiguousarray(part).view()
    else:
        filled = np.zeros(shape, part.dtype)
        filled[tuple(slice(n) for n in part.shape)] = part
    filled.flags.writeable = False
    return filled


def _by_frequencies(
    folded: np.ndarray, shape: tuple[int, int, int], weights: tuple[np.ndarray, ...]
) -> tuple[float, float, float]:
    """The three sums, from a region's even and odd parts about the middle of each axis of its box (`fold_halves`)."""
    nz, ny, nx = shape
    kz, ky, kx = _frequencies(nz), _frequencies(ny), _columns(nx)
    px, _, pz, hz, py, hy, hx = folded.shape
    columns = 3 * pz * hz
    width = weights[0].shape[2]
    step = min(max(1, PART_BYTES // (3 * pz * kz * width * 8)), ky)
    # one piece of memory, so that it is not returned to the system and fetched again for each part
    room = np.empty(columns * py * hy * kx + columns * ky * width + 3 * pz * kz * step * width)
    lines, planes, held = np.split(room, np.cumsum([columns * py * hy * kx, columns * ky * width]))
    sums = np.zeros((3, width))
    for parity_x in range(px):
        across = lines.reshape(columns * py * hy, kx)
        _transform_rows(folded[parity_x].reshape(-1, hx), nx, parity_x, across)
        for block, factors in enumerate(weights):
            wide = factors.shape[2]
            some = across[:, block * width : block * width + wide].reshape(columns, py, hy, wide)
            for parity_y in range(py):
                plane = planes[: columns * ky * wide].reshape(columns, ky, wide)
                _transform(some[:, parity_y], ny, parity_y, plane)
                volume = plane.reshape(3, pz, hz, ky * wide)
                for first in range(0, ky, step):
                    part = volume[..., first * wide : (first + step) * wide]
                    spectra = held[: part.size // hz * kz].reshape(3, pz, kz, part.shape[-1])
                    for parity_z in range(pz):
                        _transform(part[:, parity_z], nz, parity_z, spectra[:, parity_z])
                    add_spectra(spectra.reshape(3, pz, kz, -1, wide), factors, first, sums)
    weight, product, square = (float(s) for s in sums.sum(axis=1))
    return weight, product, 2 * (square - product)


def _transform(parts: np.ndarray, n: int, parity: int, out: np.ndarray) -> None:
    """Write the transforms of half-axes [..., h, :] of one parity at all frequencies of an axis of n voxels."""
    if n <= LONGEST_MATRIX:
        np.matmul(_waves(n)[parity], parts, out=out)
        return
    half = _frequencies(n) - 1
    if parity:
        out[..., 0, :] = 0.0
        out[..., 1:, :] = fft.dst(parts, n=half, axis=-2)
    else:
        out[..., :half, :] = fft.dct(parts, n=half, axis=-2)
        out[..., half, :] = 0.0


def _transform_rows(rows: np.ndarray, n: int, parity: int, out: np.ndarray) -> None:
    """Write the transforms of half-axes [rows, h] of one parity at all frequencies of an axis of n voxels."""
    if n <= LONGEST_MATRIX:
        np.matmul(rows, _row_waves(n)[parity], out=out)
        return
    several = max(1, PART_BYTES // (8 * n))
    for first in range(0, len(rows), several):
        part = slice(first, first + several)
        _transform(rows[part, :, None], n, parity, out[part, :, None])


def _weights(shape: tuple[int, int, int], spacing_mm: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """Blocks of the Fourier transform of 1 / distance: float64 [y, z, width], by frequency, for each block of x."""
    return (_kept_weights if np.prod(shape) <= LARGEST_KEPT else _weight_blocks)(shape, spacing_mm)


def _weight_blocks(shape: tuple[int, int, int], spacing_mm: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    nz, ny, nx = shape
    lengths = _frequencies(nz), _frequencies(ny), _columns(nx)
    z, y, x = ((np.arange(n) * s) ** 2 for n, s in zip(lengths, spacing_mm, strict=True))
    inverse = z[:, None, None] + y[:, None] + x
    inverse[0, 0, 0] = np.inf
    np.sqrt(inverse, out=inverse)
    np.divide(1.0, inverse, out=inverse)
    used = _frequencies(nx)
    with _libraries().limit(limits=1):
        for plane in inverse:
            plane[:, :used] = _transform_even(plane[:, :used].T, nx).T
        inverse[:, :, used:] = 0.0
        blocks = -(-len(x) // WIDTH)
        width = -(-len(x) // blocks)
        width += -width % 8 if blocks > 1 else 0
        found = []
        for start in range(0, len(x), width):
            planes = _transform_even(inverse[:, :, start : start + width], ny)
            found.append(_transform_even(np.ascontiguousarray(planes.transpose(1, 0, 2)), nz))
    return tuple(found)


_kept_weights = lru_cache(maxsize=4)(_weight_blocks)


def _transform_even(parts: np.ndarray, n: int) -> np.ndarray:
    """Transforms of even functions, given at distances [..., k, :] along an axis of n voxels."""
    if n <= LONGEST_MATRIX:
        return _cosines(n) @ parts
    half = parts.shape[-2] - 1
    # what the fast transforms of the parts are to be scaled with, squared: see `_waves`; theirs are twice as large
    scale = np.full((half + 1, 1), 2 / (2 * half) / 4)
    scale[0] /= 2
    scale[half] /= 2
    return scale * fft.dct(parts, type=1, axis=-2)


@lru_cache(maxsize=64)
def _frequencies(n: int) -> int:
    """Number of frequencies of an axis of n voxels: from 0 to half the period, which is 2 n - 1 at least."""
    return n if n <= LONGEST_MATRIX else fft.next_fast_len(n, real=True) + 1


def _columns(n: int) -> int:
    """Number of frequencies of the last axis, filled up with columns of 0 where that makes products faster."""
    return n + -n % 4 if n <= LONGEST_MATRIX else _frequencies(n)


@lru_cache(maxsize=16)
def _row_waves(n: int) -> np.ndarray:
    """The matrices of `_waves` to multiply rows with: float64 [p, h, k], by parity, and filled up with columns of 0."""
    waves = _waves(n).transpose(0, 2, 1)
    return np.concatenate([waves, np.zeros((*waves.shape[:2], _columns(n) - n))], axis=2)


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
