"""Riesz transforms of the Laplacian of Gaussian and of Simoncelli's wavelet, aligned or not (IBSI 2: AYRS)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from pydantic import Field, model_validator
from scipy.ndimage import gaussian_filter

from radiomics_pipeline.imaging.filters.boundary import OF_SCIPY, padded
from radiomics_pipeline.imaging.filters.fourier import Spectrum, Transfer, spectrum
from radiomics_pipeline.imaging.filters.gaussian import reach_of
from radiomics_pipeline.imaging.filters.lengths import in_voxels, isotropic, require_one, written
from radiomics_pipeline.imaging.filters.log import LogParams
from radiomics_pipeline.imaging.filters.log import respond as log_response
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.simoncelli import band
from radiomics_pipeline.imaging.filters.spec import EVERYWHERE, Filter, FilterParams, Spacing

Order = tuple[int, ...]


class RieszParams(FilterParams):
    """A Riesz transform of a band-pass filter: its change along the axes, of any order, without loss of scale."""

    order: Order = Field(description="of the transform along x, y and z, such as [0, 2, 0]")
    sigma_mm: float | None = Field(None, gt=0, description="of the Laplacian of Gaussian that is transformed, mm")
    sigma_voxels: float | None = Field(None, gt=0, description="the same in voxels")
    truncate: float = Field(4.0, gt=0, description="widths at which its kernel is cut off")
    level: int | None = Field(None, ge=1, le=8, description="of Simoncelli's wavelet that is transformed")
    tensor_sigma_mm: float | None = Field(
        None, gt=0, description="width of the structure tensor by which axes are aligned at every voxel, mm; null: not"
    )
    tensor_sigma_voxels: float | None = Field(None, gt=0, description="the same in voxels")

    @model_validator(mode="after")
    def _complete(self) -> RieszParams:
        if self.level is None:
            require_one(self, "sigma")
        elif self.sigma_mm is not None or self.sigma_voxels is not None:
            raise ValueError("give either sigma_mm (Laplacian of Gaussian) or level (Simoncelli)")
        if self.aligned:
            require_one(self, "tensor_sigma")
        if len(self.order) != len(self.axes) or min(self.order) < 0 or not 1 <= sum(self.order) <= 4:
            raise ValueError(
                f"order {list(self.order)}: {len(self.axes)} whole numbers from 0 are needed, with a sum from 1 to 4"
            )
        return self

    @property
    def aligned(self) -> bool:
        """Whether axes are those of the structure."""
        return self.tensor_sigma_mm is not None or self.tensor_sigma_voxels is not None


def respond(array: np.ndarray, spacing_mm: Spacing, params: RieszParams, memory: Memory | None = None) -> np.ndarray:
    """Response to the transform, in the axes of the image or in those of its structure; float64 [z, y, x]."""
    isotropic(spacing_mm, params.axes, "riesz")
    how = (params.axes, params.boundary, params.sigma_mm, params.sigma_voxels, params.truncate)
    base = (memory or Memory()).once(array, how, lambda: _base(array, spacing_mm, params))
    if not params.aligned:
        return base.through(params, params.order)
    total = sum(params.order)
    frame = _frame(base, params, in_voxels(params, "tensor_sigma", spacing_mm))
    parts = {order: base.through(params, order) for order in _orders(total, len(params.order))}
    return _steered(parts, frame, params.order)


@dataclass(frozen=True)
class Base:
    """The frequencies of what is transformed: of the image for Simoncelli's wavelet, else of its Laplacian of Gaussian.

    beyond : voxels along each axis around the image that were filtered, too, so that its border is like the rest
    """

    found: Spectrum
    beyond: tuple[int, ...]

    def through(self, params: RieszParams, order: Order) -> np.ndarray:
        """Response along the image's own axes; float64 [z, y, x]."""
        first = riesz(order)
        if params.level is None:
            return _inside(self.found.through(first), self.beyond)
        both = band(params.level)
        return self.found.through(lambda f: both(f) * first(f))


def _base(array: np.ndarray, spacing_mm: Spacing, params: RieszParams) -> Base:
    nothing = (0,) * array.ndim
    if params.level is not None:
        return Base(spectrum(array, params.axes, params.boundary), nothing)
    how = LogParams(**{name: getattr(params, name) for name in LogParams.model_fields})
    if params.boundary == "periodic":
        return Base(spectrum(log_response(array, spacing_mm, how), params.axes, "periodic"), nothing)
    reach = reach_of(in_voxels(params, "sigma", spacing_mm), params.truncate)
    beyond = tuple((n + 1) // 2 if axis in params.axes else 0 for axis, n in enumerate(array.shape))
    edge = [reach if axis in params.axes else 0 for axis in range(array.ndim)]
    wide = log_response(padded(array, tuple(np.add(beyond, edge)), params.boundary), spacing_mm, how)
    return Base(spectrum(_inside(wide, edge), params.axes, "periodic"), beyond)


def _inside(array: np.ndarray, by: Sequence[int]) -> np.ndarray:
    """An array without so many values at both ends of every axis."""
    return array[tuple(slice(b, n - b) for b, n in zip(by, array.shape, strict=True))]


def riesz(order: Order) -> Transfer:
    """Riesz transform of an order along each axis."""
    total = sum(order)
    weight = _multinomial(order) ** 0.5 * (-1j) ** total

    def transfer(frequency: list[np.ndarray]) -> np.ndarray:
        radius = np.sqrt(sum(f**2 for f in frequency))
        radius[radius == 0] = 1.0
        found = weight / radius**total
        for f, power in zip(frequency, order, strict=True):
            found = found * f**power
        return np.asarray(found)

    return transfer


def _multinomial(order: Order) -> float:
    return math.factorial(sum(order)) / math.prod(math.factorial(power) for power in order)


def _orders(total: int, axes: int) -> Iterator[Order]:
    return (order for order in product(range(total + 1), repeat=axes) if sum(order) == total)


def _frame(base: Base, params: RieszParams, sigma: float) -> np.ndarray:
    """Axes of the structure at every voxel, the direction of most change first; float64 [z, y, x, axis, component].

    From the structure tensor: products of the transforms of first order, smoothed.
    """
    d = len(params.axes)
    slopes = [base.through(params, order) for order in sorted(_orders(1, d), reverse=True)]
    tensor = np.empty((*slopes[0].shape, d, d))
    widths = [sigma if axis in params.axes else 0.0 for axis in range(3)]
    for i in range(d):
        for j in range(i + 1):
            smooth = gaussian_filter(slopes[i] * slopes[j], widths, mode=OF_SCIPY[params.boundary])
            tensor[..., i, j] = tensor[..., j, i] = smooth
    vectors = np.linalg.eigh(tensor)[1][..., ::-1]  # columns by falling eigenvalue
    return np.swapaxes(vectors, -1, -2)


def _steered(parts: dict[Order, np.ndarray], frame: np.ndarray, order: Order) -> np.ndarray:
    """Response of an order along the axes of `frame`, from those of all orders along the image's axes.

    Along turned axes the transform is a product of sums of the transforms along the image's axes.
    """
    d = len(order)
    grown: dict[Order, np.ndarray | float] = {(0,) * d: 1.0}
    for axis, power in enumerate(order):
        for _ in range(power):
            more: dict[Order, np.ndarray | float] = {}
            for known, weight in grown.items():
                for component in range(d):
                    key = tuple(k + (c == component) for c, k in enumerate(known))
                    more[key] = more.get(key, 0.0) + weight * frame[..., axis, component]
            grown = more
    scale = _multinomial(order) ** 0.5
    return np.asarray(sum(weight * parts[key] * (scale / _multinomial(key) ** 0.5) for key, weight in grown.items()))


def _reach(params: RieszParams, spacing_mm: Spacing) -> float:
    return EVERYWHERE


def _token(params: RieszParams) -> str:
    base = f"log-{written(params, 'sigma')}" if params.level is None else f"simoncelli-level{params.level}"
    parts = ["riesz", "".join(map(str, params.order)), base]
    return "-".join([*parts, *([f"aligned{written(params, 'tensor_sigma')}"] if params.aligned else [])])


RIESZ = Filter("riesz", "Riesz transform", "AYRS", RieszParams, respond, _reach, _token)
