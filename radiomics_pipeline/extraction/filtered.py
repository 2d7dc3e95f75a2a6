"""Filtered images that a section asks for: from parameters to images with a name, and from a volume to a response."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from pydantic import ValidationError

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.local_intensity import local_intensity
from radiomics_pipeline.features.morphology import morphology
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.spec import EVERYWHERE, Filter, FilterParams, Spacing
from radiomics_pipeline.imaging.filters.table import filter_named, settings_of
from radiomics_pipeline.params.filtered import Filtered
from radiomics_pipeline.params.levels import Aggregation, Discretise, FixedBinNumber
from radiomics_pipeline.types import Volume

LEVELS = FixedBinNumber(method="fixed-bin-number", bins=32)
"""Grey levels of a response where the parameters name none: it has no unit in which a bin could have a width."""
UNIT = "response"
"""What the dictionary calls the unit of a response."""
UNFIT = (morphology, local_intensity)
"""Families that describe an outline, or uptake; they say nothing of a filtered image."""


@dataclass(frozen=True)
class Response:
    """One filtered image, and what is measured on it.

    token : how columns call it
    """

    token: str
    row: Filter
    params: FilterParams
    families: tuple[Family, ...]
    discretise: Discretise
    aggregation: Aggregation

    def told(self, family: Family) -> str:
        """How it is made, and its grey levels where a family sees those."""
        settings = ", ".join(f"{name} {_text(value)}" for name, value in self.params if value is not None)
        levels = ", ".join(f"{name} {_text(value)}" for name, value in self.discretise) if family.needs_levels else ""
        return f"{self.row.name}: {settings}" + (f"; grey levels: {levels}" if levels else "")

    def margin_mm(self, spacing_mm: Spacing) -> float:
        """How far around a voxel it looks; infinite for the whole image."""
        reach = self.row.reach(self.params, spacing_mm)
        if reach == EVERYWHERE:
            return math.inf
        return reach * max(spacing_mm[axis] for axis in self.params.axes) * (1 + 1e-9)

    def require(self, spacing_mm: Spacing) -> None:
        """AnisotropicVoxels where the filter needs cubes and voxels are none."""
        self.row.respond(np.zeros((1, 1, 1)), spacing_mm, self.params)

    def of(self, volume: Volume, memory: Memory | None = None) -> Volume:
        """The response on the same grid; AnisotropicVoxels where the filter needs cubes.

        memory : of the responses before of the same volume
        """
        found = self.row.respond(volume.array, volume.spacing_mm, self.params, memory)
        return Volume(_round(found, float(np.abs(volume.array).max())), volume.grid, UNIT)


def _text(value: object) -> str:
    """A setting as parameter files write it."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _round(response: np.ndarray, largest: float) -> np.ndarray:
    """A response to 12 digits of the largest intensity, so that what is flat stays flat and has one grey level."""
    if not 1e-250 < largest < 1e250:
        return response
    return np.round(response, 12 - math.ceil(math.log10(largest)))


def responses(wanted: tuple[Filtered, ...], aggregation: Aggregation, series: str) -> tuple[Response, ...]:
    """The filtered images of a section, in its order; ParamsError for an unknown filter, setting or family."""
    found: list[Response] = []
    for number, one in enumerate(wanted, 1):
        try:
            found += _expanded(one, aggregation)
        except ParamsError as e:
            raise ParamsError(f"series {series}: filters, number {number}: {e}") from None
    tokens = [image.token for image in found]
    twice = sorted({token for token in tokens if tokens.count(token) > 1})
    if twice:
        raise ParamsError(
            f"series {series}: filters: two images are called {', '.join(twice)}; give one of them another `name`"
        )
    return tuple(found)


def _expanded(one: Filtered, aggregation: Aggregation) -> list[Response]:
    """One image, or one for each combination of `each`."""
    row = filter_named(one.filter)
    families = _families(one.families)
    found = []
    for values in product(*one.each.values()):
        params = settings_of(row, {**one.settings, **dict(zip(one.each, values, strict=True))})
        found.append(
            Response(
                one.name or row.token(params),
                row,
                params,
                families,
                one.discretise or LEVELS,
                one.aggregation or aggregation,
            )
        )
    return found


def _families(wanted: str | tuple[str, ...]) -> tuple[Family, ...]:
    fit = {family.token: family for family in FAMILIES if family not in UNFIT}
    if isinstance(wanted, str):
        return tuple(fit.values())
    for name in wanted:
        if name in {family.token for family in UNFIT}:
            raise ParamsError(f"family {name} says nothing of a filtered image; there are: {', '.join(fit)}")
        if name not in fit:
            raise ParamsError(f"no feature family {name!r}{did_you_mean(name, fit)}; there are: {', '.join(fit)}")
    return tuple(family for token, family in fit.items() if token in wanted)


def problem_of(one: Filtered) -> str:
    """What is wrong with an entry of `filters`, or nothing."""
    try:
        _expanded(one, "3D:mrg")
    except ParamsError as e:
        return str(e)
    return ""


def apply_filter(volume: Volume, spec: Filtered | Mapping[str, Any]) -> Volume:
    """The response of an image to a filter, on the same grid.

    spec : what an entry of `filters` in a series says, such as {"filter": "log", "settings": {"sigma_mm": 3}}
    Raises ParamsError for an unknown filter or setting and for several images, AnisotropicVoxels where it needs cubes.
    """
    try:
        wanted = spec if isinstance(spec, Filtered) else Filtered.model_validate(spec)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ParamsError(
            f"filter: {where}{': ' if where else ''}{first['msg'].removeprefix('Value error, ')}"
        ) from None
    found = _expanded(wanted, "3D:mrg")
    if len(found) > 1:
        raise ParamsError(f"{len(found)} images are asked for, {', '.join(one.token for one in found)}; name one")
    return found[0].of(volume)
