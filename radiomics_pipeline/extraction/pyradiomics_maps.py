"""Feature maps by the definitions of PyRadiomics (its `voxelBased` extraction).

As in PyRadiomics the kernel lies in the box around the region, grown by the radius; grey levels are made once, of the
region, or of that whole box where the kernel is not masked; `force2D` makes the kernel flat.

Where one direction has no pair in a neighbourhood, PyRadiomics 3.1 leaves JointAverage NaN there, and `initValue` as
the MCC of all voxels of the batch; here both are the mean over the other directions, as all other features are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.extraction.map_work import Compute, Kernel, MapPlan, MapWork, select_maps
from radiomics_pipeline.extraction.pyradiomics import feature_settings
from radiomics_pipeline.extraction.pyradiomics_columns import WITHDRAWN
from radiomics_pipeline.extraction.result import stage
from radiomics_pipeline.extraction.source import pyradiomics_source
from radiomics_pipeline.features.patches import Index, Patches, describe_pyradiomics
from radiomics_pipeline.features.pyradiomics import FAMILIES
from radiomics_pipeline.features.pyradiomics.sample import FeatureSettings, PyradiomicsSample
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.imaging.pyradiomics.discretise import discretise
from radiomics_pipeline.imaging.pyradiomics.prepare import prepare
from radiomics_pipeline.imaging.pyradiomics.resample import crop as crop_box
from radiomics_pipeline.params.pyradiomics import SHAPE_CLASSES, PyradiomicsSeries, Settings, require_computable
from radiomics_pipeline.types import Levels, Region, Volume
from radiomics_pipeline.types.arrays import read_only

REFUSED = dict.fromkeys(SHAPE_CLASSES, "a box around a voxel has the shape of the box")
"""Families without maps, and why."""

DEFAULT = ("firstorder", "glcm")

FARTHEST = 32
"""Largest of the `distances` that maps are made for, in voxels."""

PROOF = {"glcm": "Contrast", "glrlm": "RunPercentage"}
"""A feature that is NaN where a box holds no pair or run; of a whole region PyRadiomics then has numbers for some."""


@dataclass(frozen=True)
class PyradiomicsMaps(MapPlan):
    """Maps of one series; settings : those that the features of the original image see."""

    section: PyradiomicsSeries
    settings: Settings

    def prepare(self, volume: Volume, region: Region, *, crop: bool = False) -> MapWork:
        """The work on one region; maps hold `initValue` outside what re-segmentation leaves of it."""
        prepared = prepare(volume, region, self.section.setting)
        whole = prepared.whole
        inside = tuple(slice(a, a + n) for a, n in zip(prepared.offset, prepared.kept.shape, strict=True))
        kept = np.zeros(whole.grid.shape, bool)
        kept[inside] = prepared.kept
        radius = self.kernel.voxels(whole.spacing_mm)
        first, behind = bounding_box(kept)
        low = tuple(max(0, a - r) for a, r in zip(first, radius, strict=True))
        high = tuple(min(n, b + r) for n, b, r in zip(whole.grid.shape, behind, radius, strict=True))
        image, (wanted,) = crop_box(whole, [kept], low, high)  # type: ignore[arg-type]
        counted = wanted if self.kernel.masked else np.ones_like(wanted)
        with stage("discretise"):
            levels = discretise(image.array[counted], counted, self.settings, image.unit)
        levels = Levels(read_only(levels.array, np.int32), levels.count)
        settings = feature_settings(self.settings)
        if settings.flat_axis is not None:
            z, y, x = (0 if axis == settings.flat_axis else r for axis, r in enumerate(radius))
            radius = z, y, x
        patches = Patches(
            read_only(image.array, np.float64), read_only(counted, np.uint8), levels, radius, image.spacing_mm
        )
        parts = tuple(self._parts(image.array, counted, patches, settings))
        grid, offset = (image.grid, (0, 0, 0)) if crop else (whole.grid, low)
        return MapWork(patches, wanted, grid, offset, parts, float(self.section.voxelSetting.initValue))  # type: ignore[arg-type]

    def _parts(
        self, image: np.ndarray, counted: np.ndarray, patches: Patches, settings: FeatureSettings
    ) -> Iterator[Compute]:
        known = {family.token: family for family in FAMILIES}
        boxes = None
        for token, names in self.names.items():
            fast = describe_pyradiomics(token, names, settings)
            if fast is not None:
                yield partial(fast, patches)
                continue
            boxes = boxes or _Boxes.around(image, counted, patches, settings)
            yield partial(boxes.compute, known[token], names)


@dataclass(frozen=True)
class _Boxes:
    """The box around each voxel as a region of its own: how any family is computed there.

    image, counted, levels : [z, y, x], `grown` (z, y, x) voxels wider on all sides than what boxes are wanted of
    whole : grey levels of all that counts
    """

    image: np.ndarray
    counted: np.ndarray
    levels: np.ndarray
    whole: Levels
    radius: Index
    grown: Index
    spacing_mm: tuple[float, float, float]
    settings: FeatureSettings

    @staticmethod
    def around(image: np.ndarray, counted: np.ndarray, patches: Patches, settings: FeatureSettings) -> _Boxes:
        """Boxes that hold every step between neighbours, at the border of the image too."""
        reach = (max(settings.distances) + 1) // 2
        z, y, x = (max(r, reach) for r in patches.radius)
        pad = [(n, n) for n in (z, y, x)]
        wide, mask, levels = (np.pad(array, pad) for array in (image, counted, patches.levels.array))
        return _Boxes(wide, mask, levels, patches.levels, patches.radius, (z, y, x), patches.spacing_mm, settings)

    def compute(self, family: Family, names: list[str], centres: np.ndarray) -> np.ndarray:
        """Features of one family; float64 [names, centres]."""
        found = np.empty((len(names), len(centres)))
        for i, centre in enumerate(centres.tolist()):
            values, _ = family.compute(self.sample(centre, whole=family.token == "glcm"))
            if family.token in PROOF and math.isnan(values[PROOF[family.token]]):
                values = dict.fromkeys(values, math.nan)
            found[:, i] = [values[name] for name in names]
        return found

    def sample(self, centre: list[int], *, whole: bool) -> PyradiomicsSample:
        """The box around a voxel; `whole`: with all grey levels of the region, as PyRadiomics' matrices have them."""
        part = tuple(slice(c, c + 2 * g + 1) for c, g in zip(centre, self.grown, strict=True))
        inner = tuple(slice(g - r, g + r + 1) for g, r in zip(self.grown, self.radius, strict=True))
        mask, array = np.zeros(self.counted[part].shape, bool), np.zeros(self.counted[part].shape, np.int32)
        mask[inner], array[inner] = self.counted[part][inner], self.levels[part][inner]
        levels = Levels(array, self.whole.count)
        if whole:
            vars(levels)["present"] = self.whole.present
        return PyradiomicsSample(mask, self.spacing_mm, self.image[part][mask], levels, self.settings)


def plan_pyradiomics_maps(
    section: PyradiomicsSeries, series: str, wanted: tuple[str, ...], kernel: Kernel
) -> PyradiomicsMaps:
    """The maps of one series; ParamsError for features that do not exist, or of which there are no maps.

    Without `wanted`: the features that `featureClass` names, but of shape; without those first order and co-occurrence.
    """
    require_computable(section, series)
    filters = [name for name in section.imageType if name != "Original"]
    if filters:
        raise ParamsError(f"imageType {', '.join(filters)}: maps are made of the original image; leave only Original")
    families = [family for family in FAMILIES if family.token not in REFUSED]
    named = [
        f"{token}_{feature}" if feature else token
        for token, features in section.featureClass.items()
        if token not in REFUSED
        for feature in (features or ("",))
        if feature not in WITHDRAWN.get(token, ())
    ]
    settings = section.settings_of("Original")
    farthest = max(settings.distances)
    if farthest > FARTHEST:
        raise ParamsError(f"distances: maps are made of neighbours up to {FARTHEST} voxels apart, not {farthest}")
    maps = select_maps(wanted, families, named or DEFAULT, section.unit, REFUSED)
    return PyradiomicsMaps(series, pyradiomics_source(section), maps, kernel, section, settings)
