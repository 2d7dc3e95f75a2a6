"""Undecimated wavelets of PyWavelets, every level computed anew from the low pass before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pywt

from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume

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
    part, inner = _wrapped(whole.array, box, axes, depth * pywt.Wavelet(settings.wavelet or WAVELET).dec_len)
    low = "a" * len(axes)
    for level in range(depth):
        (bands,) = pywt.swtn(part, settings.wavelet or WAVELET, level=1, axes=axes)
        part = bands[low]
        if level >= start:
            for key in ("".join(letters) for letters in product("ad", repeat=len(axes))):
                if key != low:
                    yield f"{stems[level - start]}-{_name(key)}", bands[key][inner]
    yield f"{stems[-1]}-{_name(low)}", part[inner]


def _wrapped(array: np.ndarray, box: Box, axes: tuple[int, ...], by: int) -> tuple[np.ndarray, tuple[slice, ...]]:
    """The box with `by` voxels around it along the axes, from a periodic image of even sizes, and where it lies."""
    inner = []
    for axis in range(array.ndim):
        low, high, n = box.low[axis], box.high[axis], array.shape[axis]
        reach = by if axis in axes else 0
        more = (high - low) % 2 if axis in axes else 0  # PyWavelets takes even sizes only
        places = np.arange(low - reach, high + reach + more) % (n + n % 2 if axis in axes else n)
        array = array.take(places % n, axis)  # the voxel after an odd number is the first one
        inner.append(slice(reach, reach + high - low))
    return array, tuple(inner)


def _axes(settings: Settings) -> tuple[int, ...]:
    """x first; without the axis across the slices where textures are taken slice by slice."""
    return tuple(axis for axis in (2, 1, 0) if not (settings.force2D and axis == settings.force2Ddimension))


def _stems(settings: Settings) -> Iterator[str]:
    return (f"wavelet{level if level > 1 else ''}" for level in range(1, (settings.level or LEVELS) + 1))


def _name(key: str) -> str:
    return key.replace("a", "L").replace("d", "H")


WAVELETS = ImageType("Wavelet", tokens, responses)
