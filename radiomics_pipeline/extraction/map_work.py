"""Feature maps of one region, by whatever standard: which maps, of which boxes, and how their values are made.

The kernel is a box around each voxel of the region. What it holds of the region (masked), or of the image, is described
as if it were a region of its own; grey levels are made once, before.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.extraction.plan import ORIGINAL
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.features.patches import Index, Patches
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.types import Grid, Region, Volume

BATCH = 1024
"""Voxels whose values are computed and kept at a time."""


@dataclass(frozen=True)
class Kernel:
    """The box around a voxel.

    radius : voxels from its centre to its faces; radius_mm : the same in mm, rounded down along each axis; one of both
    masked : whether only voxels of the region count in it
    """

    radius: int | None = None
    radius_mm: float | None = None
    masked: bool = True

    def __post_init__(self) -> None:
        if (self.radius is None) == (self.radius_mm is None):
            raise ParamsError("the kernel's radius is given in voxels or in mm, by one of both")
        if self.radius is not None and self.radius < 1:
            raise ParamsError(f"a kernel of radius {self.radius} holds no neighbour; it must be 1 at least")
        if self.radius_mm is not None and not (math.isfinite(self.radius_mm) and self.radius_mm > 0):
            raise ParamsError(f"a kernel's radius of {self.radius_mm:g} mm; it must be above 0")

    def voxels(self, spacing_mm: tuple[float, float, float]) -> Index:
        """Radius (z, y, x) in voxels of this spacing; ParamsError where it holds no neighbour along any axis."""
        if self.radius is not None:
            return (self.radius,) * 3
        assert self.radius_mm is not None
        z, y, x = (math.floor(self.radius_mm / mm * (1 + 1e-9)) for mm in spacing_mm)
        if not (z or y or x):
            size = " x ".join(f"{mm:g}" for mm in spacing_mm[::-1])
            raise ParamsError(
                f"a kernel of radius {self.radius_mm:g} mm holds one voxel of {size} mm; use a larger one"
            )
        return z, y, x


@dataclass(frozen=True)
class MapSpec:
    """One map: its name, such as original_glcm_Contrast, and what its values mean."""

    name: str
    family: str
    feature: str
    unit: str
    definition: str


Compute = Callable[[np.ndarray], np.ndarray]
"""Centres, int64 [n, 3], in the patches' array -> float64 [features, n]."""


@dataclass(frozen=True)
class MapWork:
    """All maps of one region, before they are computed.

    patches : the image that boxes are taken from; wanted : bool [z, y, x] in it, the voxels that get values
    grid : of the maps; offset : index (z, y, x) in it at which the patches begin
    parts : one function a family; their features follow each other in the order of the maps
    outside : what a map holds where there is no value
    """

    patches: Patches
    wanted: np.ndarray
    grid: Grid
    offset: Index
    parts: tuple[Compute, ...]
    outside: float

    @property
    def voxels(self) -> int:
        """Number of voxels that get values."""
        return int(np.count_nonzero(self.wanted))

    def compute(self, centres: np.ndarray) -> np.ndarray:
        """Values of all maps at centres of the patches, int64 [n, 3]; float64 [maps, n], NaN where undefined."""
        found = np.concatenate([part(centres) for part in self.parts])
        found[~np.isfinite(found)] = np.nan
        return found

    def some(self, n: int) -> np.ndarray:
        """Up to n of the centres, spread over the region; int64 [n, 3]."""
        inside = np.flatnonzero(self.wanted)
        chosen = inside[np.unique(np.linspace(0, len(inside) - 1, n).astype(np.int64))]
        return np.stack(np.unravel_index(chosen, self.wanted.shape), axis=1).astype(np.int64)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Values by parts: flat indices in the maps' grid, ascending, int64 [n], and values, float64 [maps, n]."""
        _, ny, nx = self.grid.shape
        for z in np.flatnonzero(self.wanted.any(axis=(1, 2))):
            inside = np.argwhere(self.wanted[z])
            for first in range(0, len(inside), BATCH):
                y, x = inside[first : first + BATCH].T
                centres = np.stack([np.full(len(y), z), y, x], axis=1).astype(np.int64)
                places = centres + np.array(self.offset)
                yield (places[:, 0] * ny + places[:, 1]) * nx + places[:, 2], self.compute(centres)


@dataclass(frozen=True)
class MapPlan(ABC):
    """What maps are wanted of a series.

    series : section of the parameters; source : how its files are read
    maps : in the order of the families
    """

    series: str
    source: Source
    maps: tuple[MapSpec, ...]
    kernel: Kernel

    @abstractmethod
    def prepare(self, volume: Volume, region: Region, *, crop: bool = False) -> MapWork:
        """The work on one region; CaseError where a step cannot be done rightly.

        crop : maps hold the region's box and the kernel's radius around it, as those of PyRadiomics, not the whole grid
        """

    @property
    def names(self) -> dict[str, list[str]]:
        """The features wanted of each family, in the order of the maps."""
        found: dict[str, list[str]] = {}
        for spec in self.maps:
            found.setdefault(spec.family, []).append(spec.feature)
        return found


def select_maps(
    wanted: Sequence[str], families: Sequence[Family], default: Sequence[str], unit: str, refused: dict[str, str]
) -> tuple[MapSpec, ...]:
    """The maps that are asked for, each "family_Feature" or "family"; in the order of the families.

    default : what is meant where nothing is asked for; refused : reasons by family of those that have no maps
    Raises ParamsError for what does not exist.
    """
    known = {family.token: family for family in families}
    chosen: set[tuple[str, str]] = set()
    for name in wanted or default:
        token, _, feature = name.strip().removeprefix(f"{ORIGINAL}_").partition("_")
        if token in refused:
            raise ParamsError(f"--features {name}: no maps of {token}: {refused[token]}; there are: {', '.join(known)}")
        if token not in known:
            near = did_you_mean(token, known)
            raise ParamsError(f"--features {name}: no feature family {token!r}{near}; there are: {', '.join(known)}")
        features = known[token].features
        if feature and feature not in features:
            raise ParamsError(f"--features {name}: {token} has no feature {feature!r}{did_you_mean(feature, features)}")
        chosen |= {(token, f.name) for f in features.values() if (f.name == feature if feature else f.default)}
    return tuple(
        MapSpec(f"{ORIGINAL}_{family.token}_{f.name}", family.token, f.name, f.unit.replace("{u}", unit), f.definition)
        for family in families
        for f in family.features.values()
        if (family.token, f.name) in chosen
    )
