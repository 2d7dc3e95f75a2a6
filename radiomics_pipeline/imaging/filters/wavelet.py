"""Separable wavelets, undecimated, with all filter banks of PyWavelets (IBSI 2: 25BO)."""

from __future__ import annotations

import numpy as np
import pywt
from pydantic import Field, field_validator, model_validator

from radiomics_pipeline.errors import did_you_mean
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.separable import Kernels, Pooling, Step, convolve, joined, rotations
from radiomics_pipeline.imaging.filters.spec import Filter, FilterParams, Spacing


class WaveletParams(FilterParams):
    """One subband of a separable wavelet."""

    wavelet: str = Field(description="filter bank by its name in PyWavelets, such as haar, db3, coif1")
    subband: str = Field(description="low (L) or high (H) pass along x, y and z, such as LLH")
    level: int = Field(1, ge=1, le=6, description="of the decomposition")
    pooling: Pooling = Field("none", description="over all rotations by right angles; none: as it stands")

    @field_validator("wavelet")
    @classmethod
    def _known(cls, value: str) -> str:
        names = pywt.wavelist(kind="discrete")
        if value not in names:
            raise ValueError(f"no wavelet {value!r}{did_you_mean(value, names)}; see pywt.wavelist(kind='discrete')")
        return value

    @model_validator(mode="after")
    def _subband_of_axes(self) -> WaveletParams:
        if set(self.subband) - {"L", "H"} or len(self.subband) != len(self.axes):
            raise ValueError(f"subband {self.subband!r}: write {len(self.axes)} letters, L or H")
        return self


def respond(array: np.ndarray, spacing_mm: Spacing, params: WaveletParams, memory: Memory | None = None) -> np.ndarray:
    """Response to the subband's filters after the low passes of the levels before; float64 [z, y, x]."""
    passes = bank(params.wavelet)
    wanted = tuple(passes[letter] for letter in params.subband)
    low = tuple(passes["L"] for _ in params.axes)
    memory = memory or Memory()
    if params.pooling == "none":
        return convolve(array, _steps(wanted, low, params), params.boundary, memory)
    ways = [_steps(turned, lows, params) for turned, lows in zip(rotations(wanted), rotations(low), strict=True)]
    total = None
    for way in sorted(ways, key=lambda steps: [taps.tobytes() for _, taps in steps]):  # alike ones side by side
        response = convolve(array, way, params.boundary, memory)
        total = response if total is None else joined(total, response, params.pooling)
        del response  # which would else be kept while the next one is made
    assert total is not None
    if params.pooling == "average":
        total /= len(ways)
    return total


def bank(wavelet: str) -> dict[str, np.ndarray]:
    """Low and high pass of the decomposition, of odd length: an even one ends with a 0."""
    found = pywt.Wavelet(wavelet)
    return {letter: _odd(np.array(taps)) for letter, taps in (("L", found.dec_lo), ("H", found.dec_hi))}


def _odd(taps: np.ndarray) -> np.ndarray:
    return taps if len(taps) % 2 else np.append(taps, 0.0)


def _steps(wanted: Kernels, low: Kernels, params: WaveletParams) -> list[Step]:
    """The low passes of the levels before, then the subband's own."""
    levels = [low] * (params.level - 1) + [wanted]
    return [
        (axis, spread(taps, level))
        for level, kernels in enumerate(levels)
        for axis, taps in zip(params.axes, kernels, strict=True)
    ]


def spread(taps: np.ndarray, level: int) -> np.ndarray:
    """A filter with 2**level - 1 zeros between its taps (the algorithme a trous)."""
    found = np.zeros((len(taps) - 1) * 2**level + 1)
    found[:: 2**level] = taps
    return found


def _reach(params: WaveletParams, spacing_mm: Spacing) -> float:
    taps = len(bank(params.wavelet)["L"])
    return sum(len(spread(np.zeros(taps), level)) // 2 for level in range(params.level))


def _token(params: WaveletParams) -> str:
    parts = ["wavelet", params.wavelet, params.subband, *([f"level{params.level}"] if params.level > 1 else [])]
    return "-".join([*parts, *([params.pooling] if params.pooling != "none" else [])])


WAVELET = Filter("wavelet", "separable wavelet", "25BO", WaveletParams, respond, _reach, _token)
