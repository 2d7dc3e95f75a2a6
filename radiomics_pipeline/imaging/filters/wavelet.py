"""Separable wavelets, undecimated, with all filter banks of PyWavelets (IBSI 2: 25BO)."""

from __future__ import annotations

import numpy as np
import pywt
from pydantic import Field, field_validator, model_validator

from radiomics_pipeline.errors import did_you_mean
from radiomics_pipeline.imaging.filters.separable import Kernels, Pooling, convolve, rotations
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


def respond(array: np.ndarray, spacing_mm: Spacing, params: WaveletParams) -> np.ndarray:
    """Response to the subband's filters after the low passes of the levels before; float64 [z, y, x]."""
    passes = bank(params.wavelet)
    wanted = tuple(passes[letter] for letter in params.subband)
    low = tuple(passes["L"] for _ in params.axes)
    if params.pooling == "none":
        return _through(array, wanted, low, params)
    total, count = None, 0
    for turned, lows in zip(rotations(wanted), rotations(low), strict=True):
        response = _through(array, turned, lows, params)
        if total is None:
            total = response
        else:
            total = total + response if params.pooling == "average" else np.maximum(total, response)
        count += 1
    assert total is not None
    return total / count if params.pooling == "average" else total


def bank(wavelet: str) -> dict[str, np.ndarray]:
    """Low and high pass of the decomposition, of odd length: an even one ends with a 0."""
    found = pywt.Wavelet(wavelet)
    return {letter: _odd(np.array(taps)) for letter, taps in (("L", found.dec_lo), ("H", found.dec_hi))}


def _odd(taps: np.ndarray) -> np.ndarray:
    return taps if len(taps) % 2 else np.append(taps, 0.0)


def _through(array: np.ndarray, wanted: Kernels, low: Kernels, params: WaveletParams) -> np.ndarray:
    for level in range(params.level - 1):
        array = convolve(array, [spread(taps, level) for taps in low], params.axes, params.boundary)
    return convolve(array, [spread(taps, params.level - 1) for taps in wanted], params.axes, params.boundary)


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
