"""What a feature family is, and how its features are declared and computed.

    glcm = Family("glcm", title=..., prepare=cooccurrence, aggregation="directional")

    @glcm.feature(ibsi="ACUI", unit="1")
    def contrast(m): ...

Column names, the data dictionary, the documentation page and the reference test come from these lines.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import numpy as np

from radiomics_pipeline.types import Levels, Region, Volume
from radiomics_pipeline.types.columns import FAMILIES
from radiomics_pipeline.types.context import Context
from radiomics_pipeline.types.ivh import IntensityVolume

T = TypeVar("T")

NO_CONTEXT = Context()
"""That of an image of which nothing but itself is known."""

Aggregation = Literal["directional", "zonal", "volume"]
"""How matrices are gathered: by direction and slice (2D:avg to 3D:mrg), over volume or slices (3D), or not at all."""


class Undefined(Exception):
    """Raised by a feature whose value does not exist here, with the reason; the table gets NaN."""


@dataclass(frozen=True)
class Sample:
    """What a family is computed from: one image of one region, for one setting.

    volume, region : on the same grid, cropped to the region
    levels : grey levels in the intensity mask; None for families that need none
    aggregation : "2D:avg" .. "3D:mrg" for directional families, "2D", "2.5D" or "3D" for zonal ones, "3D" for the rest
    around : the image as far as some family looks beyond the region (`Family.reach_mm`), on the same grid, which
        holds `volume` from index `offset` (z, y, x) on; None where it is no larger
    ivh : voxels counted along an axis of intensities; None where they are to be counted as they are
    context : what lies beyond the region, such as reference regions
    memory : what several families need of this sample, by the function that computed it
    """

    volume: Volume
    region: Region
    levels: Levels | None = None
    aggregation: str = "3D"
    around: Volume | None = None
    offset: tuple[int, int, int] = (0, 0, 0)
    ivh: IntensityVolume | None = None
    context: Context = NO_CONTEXT
    memory: dict[Callable[[Sample], Any], Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, compute: Callable[[Sample], T]) -> T:
        """What `compute` gives for this sample, computed the first time that any family asks for it."""
        if compute not in self.memory:
            self.memory[compute] = compute(self)
        return self.memory[compute]


@dataclass(frozen=True)
class FeatureSpec:
    """One feature: a name, what it means, and the function that computes it from the family's matrix.

    default : whether it belongs to its whole family; otherwise it is wanted where it is named only
    absolute : whether it holds a limit in the image's unit, so that it means nothing for an image in another one;
        what has {u} in its unit does so anyway
    """

    name: str
    ibsi: str
    unit: str
    definition: str
    compute: Callable[[Any], float]
    default: bool = True
    absolute: bool = False

    @property
    def bound(self) -> bool:
        """Whether its value hangs on the image's unit."""
        return self.absolute or "{u}" in self.unit


class Family:
    """A group of features that share one preparation, such as one texture matrix.

    prepare : Sample (or that of another standard) -> what features are computed from, one for each matrix to average
    needs_levels : whether features see grey levels instead of intensities
    aggregation : "directional", "zonal" or "volume"
    ibsi : the family's code in the IBSI manual
    reach_mm : how far beyond the region's box it looks
    native : whether it sees the voxels of the file and the outline as drawn there, neither resampled nor re-segmented
    image : what columns call the image that it describes
    """

    image = "original"

    def __init__(
        self,
        token: str,
        *,
        title: str,
        ibsi: str,
        prepare: Callable[[Any], Sequence[Any]],
        needs_levels: bool = False,
        aggregation: Aggregation = "volume",
        reach_mm: float = 0.0,
        native: bool = False,
    ) -> None:
        if token not in FAMILIES:
            raise ValueError(f"family {token!r} is missing in types.columns.FAMILIES")
        self.token = token
        self.title = title
        self.ibsi = ibsi
        self.prepare = prepare
        self.needs_levels = needs_levels
        self.aggregation = aggregation
        self.reach_mm = reach_mm
        self.native = native
        self.features: dict[str, FeatureSpec] = {}

    def feature(
        self, *, ibsi: str, unit: str = "1", name: str = "", default: bool = True
    ) -> Callable[[Callable[[Any], float]], Callable[[Any], float]]:
        """Declare a feature; its name is the function's in camel case, its definition the docstring.

        ibsi : its code, empty where the IBSI has none
        unit : with {u} for the unit of the image, such as "{u}^2", "mm" or "1"
        default : False for a feature that is wanted where it is named only
        """

        def declare(compute: Callable[[Any], float]) -> Callable[[Any], float]:
            """Add the function to the family and give it back unchanged."""
            title = name or "".join(part.capitalize() for part in compute.__name__.split("_"))
            self.add(FeatureSpec(title, ibsi, unit, inspect.getdoc(compute) or "", compute, default))
            return compute

        return declare

    def add(self, spec: FeatureSpec) -> None:
        """Add a feature that parameters, not a function of its own, declare."""
        if spec.name in self.features:
            raise ValueError(f"{self.token} has two features named {spec.name}")
        text = " ".join(spec.definition.split())
        if not text:
            raise ValueError(f"{self.token} {spec.name}: the docstring is its definition, and is missing")
        self.features[spec.name] = replace(spec, definition=text)

    def aggregation_of(self, requested: str) -> str:
        """The aggregation token this family uses where `requested` (such as "3D:avg") is set."""
        if self.aggregation == "directional":
            return requested
        return requested.split(":", maxsplit=1)[0] if self.aggregation == "zonal" else "3D"

    def compute(self, sample: Any) -> tuple[dict[str, float], dict[str, str]]:
        """Values of all features, and the reason for each that is NaN."""
        try:
            prepared = self.prepare(sample)
        except Undefined as reason:
            return dict.fromkeys(self.features, math.nan), dict.fromkeys(self.features, str(reason))
        values: dict[str, float] = {}
        reasons: dict[str, str] = {}
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found, and named
            for name, feature in self.features.items():
                compute = feature.compute
                try:
                    value = float(compute(prepared[0])) if len(prepared) == 1 else _mean(map(compute, prepared))
                    if not math.isfinite(value):
                        raise Undefined("the value exceeds the range of numbers")
                    values[name] = value + 0.0  # which turns -0.0 into 0.0
                except Undefined as reason:
                    values[name], reasons[name] = math.nan, str(reason)
        return values, reasons


def _mean(values: Iterable[float]) -> float:
    found = [float(value) for value in values]
    return math.fsum(found) / len(found) if all(map(math.isfinite, found)) else math.inf
