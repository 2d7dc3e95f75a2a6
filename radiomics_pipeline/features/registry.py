"""What a feature family is, and how its features are declared and computed.

    glcm = Family("glcm", title=..., prepare=cooccurrence, aggregation="directional")

    @glcm.feature(ibsi="ACUI", unit="1")
    def contrast(m): ...

Column names, the data dictionary, the documentation page and the reference test come from these lines.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from radiomics_pipeline.types import Levels, Region, Volume
from radiomics_pipeline.types.columns import FAMILIES

Aggregation = Literal["directional", "zonal", "volume"]
"""How matrices are gathered: by direction (3D:avg, 3D:mrg), over volume or slices (3D), or not at all."""


class Undefined(Exception):
    """Raised by a feature whose value does not exist here, with the reason; the table gets NaN."""


@dataclass(frozen=True)
class Sample:
    """What a family is computed from: one image of one region, for one setting.

    volume, region : on the same grid, cropped to the region
    levels : grey levels in the intensity mask; None for families that need none
    aggregation : "3D:avg" or "3D:mrg" for directional families, "3D" for all others
    """

    volume: Volume
    region: Region
    levels: Levels | None = None
    aggregation: str = "3D"


@dataclass(frozen=True)
class FeatureSpec:
    """One feature: a name, what it means, and the function that computes it from the family's matrix."""

    name: str
    ibsi: str
    unit: str
    definition: str
    compute: Callable[[Any], float]


class Family:
    """A group of features that share one preparation, such as one texture matrix.

    prepare : Sample -> the things a feature is computed from, one for each matrix to average over
    needs_levels : whether features see grey levels instead of intensities
    aggregation : "directional", "zonal" or "volume"
    ibsi : the family's code in the IBSI manual
    """

    def __init__(
        self,
        token: str,
        *,
        title: str,
        ibsi: str,
        prepare: Callable[[Sample], Sequence[Any]],
        needs_levels: bool = False,
        aggregation: Aggregation = "volume",
    ) -> None:
        if token not in FAMILIES:
            raise ValueError(f"family {token!r} is missing in types.columns.FAMILIES")
        self.token = token
        self.title = title
        self.ibsi = ibsi
        self.prepare = prepare
        self.needs_levels = needs_levels
        self.aggregation = aggregation
        self.features: dict[str, FeatureSpec] = {}

    def feature(
        self, *, ibsi: str, unit: str = "1", name: str = ""
    ) -> Callable[[Callable[[Any], float]], Callable[[Any], float]]:
        """Declare a feature; its name is the function's in camel case, its definition the docstring.

        ibsi : its code, empty where the IBSI has none
        unit : with {u} for the unit of the image, such as "{u}^2", "mm" or "1"
        """

        def declare(compute: Callable[[Any], float]) -> Callable[[Any], float]:
            """Add the function to the family and give it back unchanged."""
            title = name or "".join(part.capitalize() for part in compute.__name__.split("_"))
            if title in self.features:
                raise ValueError(f"{self.token} has two features named {title}")
            text = " ".join((inspect.getdoc(compute) or "").split())
            if not text:
                raise ValueError(f"{self.token} {title}: the docstring is its definition, and is missing")
            self.features[title] = FeatureSpec(title, ibsi, unit, text, compute)
            return compute

        return declare

    def aggregation_of(self, requested: str) -> str:
        """The aggregation token this family uses where `requested` (such as "3D:avg") is set."""
        if self.aggregation == "directional":
            return requested
        return requested.split(":", maxsplit=1)[0] if self.aggregation == "zonal" else "3D"

    def compute(self, sample: Sample) -> tuple[dict[str, float], dict[str, str]]:
        """Values of all features, and the reason for each that is NaN."""
        try:
            prepared = self.prepare(sample)
        except Undefined as reason:
            return dict.fromkeys(self.features, math.nan), dict.fromkeys(self.features, str(reason))
        values, reasons = {}, {}
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found, and named, in _mean
            for feature in self.features.values():
                try:
                    values[feature.name] = _mean([float(feature.compute(item)) for item in prepared])
                except Undefined as reason:
                    values[feature.name], reasons[feature.name] = math.nan, str(reason)
        return values, reasons


def _mean(values: list[float]) -> float:
    if not all(math.isfinite(v) for v in values):
        raise Undefined("the value exceeds the range of numbers")
    return math.fsum(values) / len(values) + 0.0  # which turns -0.0 into 0.0
