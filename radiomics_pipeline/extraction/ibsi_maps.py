"""Feature maps by the definitions of the IBSI, each family computed on the box around a voxel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from radiomics_pipeline.extraction.map_work import Compute, Kernel, MapPlan, MapWork, select_maps
from radiomics_pipeline.extraction.result import stage
from radiomics_pipeline.extraction.source import ibsi_source
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.patches import Index, Patches, describe_ibsi
from radiomics_pipeline.features.registry import Family, Sample
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.imaging.resample import Resampled, resample, resampled_grid, wanted_spacing
from radiomics_pipeline.imaging.resegment import resegment
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.types import Grid, Levels, Region, Volume
from radiomics_pipeline.types.arrays import read_only

REFUSED = {
    "morphology": "a box around a voxel has the shape of the box",
    "localintensity": "its peaks are means over spheres, which the kernel would cut off",
    "ivh": "its volumes are shares of the whole region",
}
"""Families without maps, and why."""

DEFAULT = ("intensity", "glcm")


@dataclass(frozen=True)
class IbsiMaps(MapPlan):
    """Maps of one series."""

    params: SeriesParams

    def prepare(self, volume: Volume, region: Region, *, crop: bool = False) -> MapWork:
        """The work on one region; maps are NaN outside what re-segmentation leaves of it."""
        spacing = wanted_spacing(volume.grid, self.params.resample) if self.params.resample else volume.spacing_mm
        radius = self.kernel.voxels(spacing)
        margin = max(r * mm for r, mm in zip(radius, spacing, strict=True)) * (1 + 1e-9)
        with stage("resample"):
            found = resample(volume, region, self.params.resample, margin)
        with stage("resegment"):
            roi = resegment(found.volume, found.region, self.params.resegment)
            image, low = _grown(found, radius)
            drawn, kept = (_placed(m, low, image.grid.shape) for m in (roi.morphology, roi.intensity))
            seen = Region(drawn, kept, image.grid)
            if not self.kernel.masked:
                everywhere = np.ones(image.grid.shape, bool)
                seen = resegment(image, Region(everywhere, everywhere, image.grid), self.params.resegment)
        levels = Levels(np.zeros(image.grid.shape, np.int32), 1)
        known = {family.token: family for family in FAMILIES}
        if any(known[token].needs_levels for token in self.names):
            with stage("discretise"):
                levels = discretise(image, seen, self.params.discretise)
        levels = Levels(read_only(levels.array, np.int32), levels.count)
        patches = Patches(image.array, read_only(seen.intensity, np.uint8), levels, radius, image.spacing_mm)
        boxes = _Boxes(image, seen, levels, radius)
        parts = tuple(self._part(known[token], names, patches, boxes) for token, names in self.names.items())
        grid = volume.grid if spacing == volume.spacing_mm else resampled_grid(volume.grid, spacing)
        offset = _place_in(grid, image.grid)
        if crop:
            grid, offset = image.grid, (0, 0, 0)
        return MapWork(patches, kept, grid, offset, parts, np.nan)

    def _part(self, family: Family, names: list[str], patches: Patches, boxes: _Boxes) -> Compute:
        gathered = family.aggregation_of(self.params.aggregation)
        fast = describe_ibsi(family.token, names, gathered)
        if fast is not None:
            return partial(fast, patches)
        return partial(boxes.compute, family, names, gathered)


@dataclass(frozen=True)
class _Boxes:
    """The box around each voxel as a region of its own: how any family is computed there."""

    image: Volume
    seen: Region
    levels: Levels
    radius: Index

    def compute(self, family: Family, names: list[str], aggregation: str, centres: np.ndarray) -> np.ndarray:
        """Features of one family; float64 [names, centres]."""
        found = np.full((len(names), len(centres)), np.nan)
        for i, centre in enumerate(centres.tolist()):
            sample = self.sample(centre, aggregation)
            if sample is not None:
                values, _ = family.compute(sample)
                found[:, i] = [values[name] for name in names]
        return found

    def sample(self, centre: list[int], aggregation: str) -> Sample | None:
        """The box around a voxel; None where no voxel in it counts."""
        part = tuple(slice(max(0, c - r), c + r + 1) for c, r in zip(centre, self.radius, strict=True))
        counted = self.seen.intensity[part]
        if not counted.any():
            return None
        z, y, x = counted.shape
        grid = Grid((z, y, x), self.image.spacing_mm)
        region = Region(self.seen.morphology[part], counted, grid)
        volume, levels = Volume(self.image.array[part], grid), Levels(self.levels.array[part], self.levels.count)
        return Sample(volume, region, levels, aggregation)


def plan_ibsi_maps(params: SeriesParams, series: str, wanted: tuple[str, ...], kernel: Kernel) -> IbsiMaps:
    """The maps of one series; ParamsError for features that do not exist, or of which there are no maps."""
    families = [family for family in FAMILIES if family.token not in REFUSED]
    maps = select_maps(wanted, families, DEFAULT, params.unit, REFUSED)
    return IbsiMaps(series, ibsi_source(params), maps, kernel, params)


def _grown(found: Resampled, radius: Index) -> tuple[Volume, Index]:
    """The image up to the radius around the region's box, and the index in it at which the box begins."""
    assert found.around is not None
    wide, low = found.around, found.offset
    box = found.volume.grid.shape
    begin = tuple(max(0, a - r) for a, r in zip(low, radius, strict=True))
    end = tuple(min(n, a + b + r) for n, a, b, r in zip(wide.grid.shape, low, box, radius, strict=True))
    part = tuple(slice(a, b) for a, b in zip(begin, end, strict=True))
    grid = wide.grid.crop(begin, end)  # type: ignore[arg-type]
    z, y, x = (a - b for a, b in zip(low, begin, strict=True))
    return Volume(wide.array[part], grid, wide.unit), (z, y, x)


def _placed(mask: np.ndarray, low: Index, shape: Index) -> np.ndarray:
    """A mask in a larger box, from index `low` on."""
    found = np.zeros(shape, bool)
    found[tuple(slice(a, a + n) for a, n in zip(low, mask.shape, strict=True))] = mask
    return found


def _place_in(grid: Grid, part: Grid) -> Index:
    """Index (z, y, x) of a grid at which a part of it begins."""
    axes = np.array(grid.direction).reshape(3, 3)
    x, y, z = axes.T @ (np.array(part.origin_mm) - np.array(grid.origin_mm)) / np.array(grid.spacing_mm[::-1])
    return round(z), round(y), round(x)
