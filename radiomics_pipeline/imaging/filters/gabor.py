"""Gabor filters, in the planes of the slices or in all three orthogonal planes (IBSI 2: Q88H)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from pydantic import Field, model_validator
from scipy import fft

from radiomics_pipeline.imaging.filters.boundary import padded
from radiomics_pipeline.imaging.filters.lengths import in_voxels, isotropic, most_voxels, require_one, written
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.separable import Pooling
from radiomics_pipeline.imaging.filters.spec import Filter, FilterParams, Spacing

PLANES = ((2, 1), (2, 0), (1, 0))
"""Axes of an array [z, y, x] that span the planes xy, xz and yz."""
PARTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"modulus": np.abs, "real": np.real, "imaginary": np.imag}


class GaborParams(FilterParams):
    """A wave under a Gaussian, in one direction or in several."""

    sigma_mm: float | None = Field(None, gt=0, description="width of the Gaussian along the wave, mm")
    sigma_voxels: float | None = Field(None, gt=0, description="the same in voxels; give one of the two")
    wavelength_mm: float | None = Field(None, gt=0, description="length of the wave, mm")
    wavelength_voxels: float | None = Field(None, gt=0, description="the same in voxels; give one of the two")
    gamma: float = Field(1.0, gt=0, description="width along the wave over that across it")
    theta: float = Field(0.0, description="direction of the wave in its plane, degrees from the first axis on")
    delta_theta: float | None = Field(
        None, gt=0, le=180, description="step of directions over the whole turn, degrees; null: theta alone"
    )
    pooling: Pooling = Field("none", description="over the directions")
    part: Literal["modulus", "real", "imaginary"] = Field("modulus", description="of the complex response")
    truncate: float = Field(4.0, gt=0, description="widths at which the Gaussian is cut off")

    @model_validator(mode="after")
    def _complete(self) -> GaborParams:
        require_one(self, "sigma", "wavelength")
        if (self.delta_theta is None) != (self.pooling == "none"):
            raise ValueError("several directions are pooled: give delta_theta and pooling together, or neither")
        if self.delta_theta is not None and abs(360 / self.delta_theta - round(360 / self.delta_theta)) > 1e-9:
            raise ValueError(f"delta_theta {self.delta_theta:g} does not divide the turn of 360 degrees")
        return self

    @property
    def directions(self) -> list[float]:
        """Directions that differ, radians; a wave and its opposite have one modulus and one real part."""
        if self.delta_theta is None:
            return [math.radians(self.theta)]
        count = round(360 / self.delta_theta)
        count = count // 2 if count % 2 == 0 and self.part != "imaginary" else count
        return [math.radians(self.theta + k * self.delta_theta) for k in range(count)]


def respond(array: np.ndarray, spacing_mm: Spacing, params: GaborParams, memory: Memory | None = None) -> np.ndarray:
    """Response in the slices; without `slicewise` the mean of those in the three orthogonal planes; float64."""
    isotropic(spacing_mm, params.axes, "gabor")
    planes = PLANES[:1] if params.slicewise else PLANES
    total = np.zeros(array.shape)
    for plane in planes:
        total += _in_plane(array, plane, params, spacing_mm)
    return total / len(planes)


def _in_plane(array: np.ndarray, plane: tuple[int, int], params: GaborParams, spacing_mm: Spacing) -> np.ndarray:
    """Response in all slices parallel to a plane."""
    slices = np.moveaxis(array, plane, (1, 2))
    half = _half(params, spacing_mm)
    size = [fft.next_fast_len(n + 2 * half) for n in slices.shape[1:]]
    kernels = [fft.fft2(kernel, s=size) for kernel in _kernels(params, spacing_mm)]
    found = np.empty(slices.shape)
    inside = tuple(slice(half * 2, half * 2 + n) for n in slices.shape[1:])
    for at, part in enumerate(slices):
        spectrum = fft.fft2(padded(part, (half, half), params.boundary), s=size)
        responses = (PARTS[params.part](fft.ifft2(spectrum * kernel)[inside]) for kernel in kernels)
        found[at] = _pool(responses, len(kernels), params.pooling)
    return np.moveaxis(found, (1, 2), plane)


def _pool(responses: Iterator[np.ndarray], count: int, pooling: Pooling) -> np.ndarray:
    total = next(responses)
    for response in responses:
        total = np.maximum(total, response) if pooling == "max" else total + response
    return total / count if pooling == "average" else total


def _kernels(params: GaborParams, spacing_mm: Spacing) -> Iterator[np.ndarray]:
    """Complex128 [2 half + 1, 2 half + 1] of every direction."""
    half = _half(params, spacing_mm)
    sigma, wavelength = (in_voxels(params, name, spacing_mm) for name in ("sigma", "wavelength"))
    k = np.arange(-half, half + 1, dtype=np.float64)
    for theta in params.directions:
        along = k[:, None] * math.cos(theta) + k * math.sin(theta)
        across = k * math.cos(theta) - k[:, None] * math.sin(theta)
        bell = np.exp(-(along**2 + (params.gamma * across) ** 2) / (2 * sigma**2))
        yield bell * np.exp(2j * math.pi * along / wavelength)


def _half(params: GaborParams, spacing_mm: Spacing) -> int:
    return math.ceil(params.truncate * most_voxels(params, "sigma", spacing_mm) * max(1.0, 1 / params.gamma))


def _reach(params: GaborParams, spacing_mm: Spacing) -> float:
    return _half(params, spacing_mm)


def _token(params: GaborParams) -> str:
    parts = ["gabor", written(params, "sigma"), f"wave{written(params, 'wavelength')}", f"gamma{params.gamma:g}"]
    parts.append(f"theta{params.theta:g}" if params.delta_theta is None else f"step{params.delta_theta:g}")
    parts += [params.pooling] if params.pooling != "none" else []
    return "-".join([*parts, *([params.part] if params.part != "modulus" else [])])


GABOR = Filter("gabor", "Gabor", "Q88H", GaborParams, respond, _reach, _token)
