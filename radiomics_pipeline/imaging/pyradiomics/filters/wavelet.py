"""Undecimated wavelets of PyWavelets' filter banks, every level computed anew from the low pass before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pywt

from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.kernels.taps import weigh_along
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume
from radiomics_pipeline.types.arrays import read_only

WAVELET, START, LEVELS = "coif1", 0, 1
"""PyRadiomics' defaults."""


def tokens(settings: Settings) -> tuple[str, ...]:
    """wavelet-LLH, ..., wavelet-HHH of each level, the low pass of the last one at the end."""
    bands = ["".join(letters) for letters in product("LH", repeat=len(_axes(settings)))]
    found = [f"{stem}-{band}" for stem in _stems(settings) for band in bands[1:]]
    return (*found, f"{list(_stems(settings))[-1]}-{bands[0]}")


def responses(whole: Volume, box: Box, settings: Settings) -> Responses:
    """Subbands in the box; the image goes on periodically, after one more voxel along axes of an odd number."""
    axes, start = _axes(settings), settings.start_level or START
    stems = list(_stems(settings))
    depth = start + len(stems)
    taps = _taps(settings.wavelet or WAVELET, np.float32 if whole.array.dtype == np.float32 else np.float64)
    before, after = len(taps["L"]) - 1 - len(taps["L"]) // 2, len(taps["L"]) // 2
    part = _wrapped(whole.array, box, axes, depth * before, depth * after).astype(taps["L"].dtype)
    low = "L" * len(axes)
    for level in range(depth):
        left = (depth - level - 1) * before
        wanted = ("LH",) * len(axes) if level >= start else ("L",) * len(axes)
        bands = {"": part}
        for axis, letters in zip(axes, wanted, strict=True):
            places = np.arange(part.shape[axis])
            count = len(places) - before - after
            early = _early(
                np.arange(box.low[axis] - left, box.low[axis] - left + count), whole.array.shape[axis], after
            )
            bands = {
                name + letter: weigh_along(read_only(band), axis, taps[letter], places, early)
                for name, band in bands.items()
                for letter in letters
            }
        part = bands.pop(low)
        for name, band in bands.items():
            yield f"{stems[level - start]}-{name}", _box_of(band, box, axes, left)
    yield f"{stems[-1]}-{low}", part


def _early(places: np.ndarray, n: int, after: int) -> np.ndarray:
    """How many taps reach beyond the end of an axis of n voxels, by place: PyWavelets adds these first."""
    even = n + n % 2
    return np.clip(places % even + after - even + 1, 0, None)


def _taps(wavelet: str, dtype: type) -> dict[str, np.ndarray]:
    """The low and the high pass in the digits that PyWavelets has for a type of number: its answer to a single 1."""
    length = pywt.Wavelet(wavelet).dec_len
    pulse = np.zeros(4 * length, dtype)
    pulse[2 * length] = 1
    ((smooth, detail),) = pywt.swt(pulse, wavelet, level=1)
    first = 2 * length - length // 2
    return {"L": smooth[first : first + length].copy(), "H": detail[first : first + length].copy()}


def _wrapped(array: np.ndarray, box: Box, axes: tuple[int, ...], before: int, after: int) -> np.ndarray:
    """The box with so many voxels before and behind it along the axes, from a periodic image of even sizes."""
    for axis in range(array.ndim):
        low, high, n = box.low[axis], box.high[axis], array.shape[axis]
        if axis in axes:
            places = np.arange(low - before, high + after) % (n + n % 2)
            array = array.take(places % n, axis)  # the voxel after an odd number is the first one
        else:
            array = array.take(np.arange(low, high), axis)
    return array


def _box_of(band: np.ndarray, box: Box, axes: tuple[int, ...], before: int) -> np.ndarray:
    """The box, of a subband that has some voxels before it along the axes."""
    starts = [before if axis in axes else 0 for axis in range(3)]
    return band[tuple(slice(s, s + n) for s, n in zip(starts, box.mask.shape, strict=True))]


def _axes(settings: Settings) -> tuple[int, ...]:
    """x first; without the axis across the slices where textures are taken slice by slice."""
    return tuple(axis for axis in (2, 1, 0) if not (settings.force2D and axis == settings.force2Ddimension))


def _stems(settings: Settings) -> Iterator[str]:
    return (f"wavelet{level if level > 1 else ''}" for level in range(1, (settings.level or LEVELS) + 1))


def used(settings: Settings) -> dict[str, object]:
    """The filter bank and the levels."""
    return {
        "wavelet": settings.wavelet or WAVELET,
        "start_level": settings.start_level or START,
        "level": settings.level or LEVELS,
    }


WAVELETS = ImageType("Wavelet", tokens, responses, used)
