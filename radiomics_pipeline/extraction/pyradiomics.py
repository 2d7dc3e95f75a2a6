"""Features of one region by the definitions of PyRadiomics."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import DiscretisationError, ParamsError
from radiomics_pipeline.extraction.plan import ORIGINAL, SeriesPlan
from radiomics_pipeline.extraction.pyradiomics_columns import ORIGINAL_TYPE, Computation, computations_of
from radiomics_pipeline.extraction.pyradiomics_diagnostics import diagnose
from radiomics_pipeline.extraction.result import (
    RegionFacts,
    RegionFeatures,
    centroid_mm,
    outline_ml,
    stage,
    touched_faces,
    xyz,
)
from radiomics_pipeline.extraction.source import pyradiomics_source
from radiomics_pipeline.features.pyradiomics.sample import FeatureSettings, PyradiomicsSample
from radiomics_pipeline.features.registry import NO_CONTEXT, Family
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.imaging.pyradiomics.discretise import discretise, overflows
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box
from radiomics_pipeline.imaging.pyradiomics.filters.table import IMAGE_TYPES
from radiomics_pipeline.imaging.pyradiomics.geometry import nearest
from radiomics_pipeline.imaging.pyradiomics.prepare import Prepared, prepare
from radiomics_pipeline.imaging.pyradiomics.resample import crop
from radiomics_pipeline.params.pyradiomics import (
    SHAPE_CLASSES,
    PyradiomicsSeries,
    Settings,
    require_computable,
)
from radiomics_pipeline.types import ColumnSpec, Levels, Region, Volume
from radiomics_pipeline.types.context import Context

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PyradiomicsPlan(SeriesPlan):
    """All computations on one series, in PyRadiomics' order.

    section : the parameters; settings : those that the features of the original image see
    """

    section: PyradiomicsSeries
    settings: Settings
    computations: tuple[Computation, ...]

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""
        return tuple(spec for c in self.computations for spec in c.columns.values())

    def without_features(self) -> SeriesPlan:
        """The same preparation of image and region, and no feature."""
        return replace(self, computations=())

    def extract(self, volume: Volume, region: Region, context: Context = NO_CONTEXT) -> RegionFeatures:
        """All features of one region; CaseError where a step cannot be done rightly.

        volume : with `native` set, in its file's own type of number, since PyRadiomics resamples in it
        context : of no use to PyRadiomics' features
        """
        prepared = prepare(volume, region, self.section.setting)
        levels: Levels | None = None
        values: dict[str, float] = {}
        undefined: dict[str, str] = {}
        told: list[str] = []
        shapes = [c for c in self.computations if c.family.token in SHAPE_CLASSES]
        with stage("features"):
            for computation in shapes:
                _fill(computation, self._shape(computation.family, prepared), values, undefined)
        seen = _seen(prepared)
        for image_type, computations in self._by_type().items():
            settings = self.section.settings_of(image_type)
            for token, inside in self._images(image_type, prepared, seen):
                own = [c for c in computations if c.token == token]
                sample = inside if isinstance(inside, str) else self._sample(seen, inside, settings, own, token)
                if isinstance(sample, str):
                    for computation in own:
                        nothing = dict.fromkeys(computation.family.features, np.nan)
                        _fill(computation, (nothing, dict.fromkeys(nothing, sample)), values, undefined)
                    continue
                levels = sample.levels if token == ORIGINAL else levels
                told += _overflown(token, sample, settings)
                with stage("features"):
                    for computation in own:
                        _fill(computation, computation.family.compute(sample), values, undefined)
        return RegionFeatures(
            values=values,
            undefined=undefined,
            facts=self._facts(volume, region, prepared, levels, told),
            diagnostics=diagnose(volume, region, prepared, self.section) if self.section.setting.additionalInfo else {},
        )

    def _by_type(self) -> dict[str, list[Computation]]:
        """The computations on intensities by the image type that they see."""
        found: dict[str, list[Computation]] = {}
        for computation in self.computations:
            if computation.family.token not in SHAPE_CLASSES:
                found.setdefault(computation.image_type, []).append(computation)
        return found

    def _images(self, image_type: str, prepared: Prepared, seen: Seen) -> Iterator[tuple[str, np.ndarray | str]]:
        """Of each image of a type the values in the region, or why there are none."""
        if image_type == ORIGINAL_TYPE:
            yield ORIGINAL, seen.inside(seen.image.array)
            return
        settings = self.section.settings_of(image_type)
        with stage("filter"):
            for token, response in IMAGE_TYPES[image_type].responses(prepared.whole, seen.box, settings):
                yield token, response if isinstance(response, str) else _finite(seen.inside(response))

    def _sample(
        self, seen: Seen, inside: np.ndarray, settings: Settings, computations: Sequence[Computation], token: str
    ) -> PyradiomicsSample | str:
        """What all families but shape see of one image; of a filtered one, why it cannot have grey levels."""
        levels = None
        if any(c.family.needs_levels for c in computations):
            try:
                with stage("discretise"):
                    levels = discretise(inside, seen.box.mask, settings, seen.image.unit if token == ORIGINAL else "")
            except DiscretisationError as e:
                if token == ORIGINAL:
                    raise
                return str(e)
        return PyradiomicsSample(seen.box.mask, seen.image.spacing_mm, inside, levels, feature_settings(settings))

    def _shape(self, family: Family, prepared: Prepared) -> tuple[dict[str, float], dict[str, str]]:
        """Values of a family of shape, and the reasons of those that are NaN."""
        general = self.section.setting
        outline = prepared.kept if general.resegmentShape else prepared.drawn
        # PyRadiomics takes the box of what re-segmentation left for the outline, too, and so may cut it off
        image, (mask,) = crop(prepared.image, [outline], *bounding_box(prepared.kept))
        reason = _no_plane(mask.shape, general.force2Ddimension) if family.token == "shape2D" else ""
        if reason:
            return dict.fromkeys(family.features, np.nan), dict.fromkeys(family.features, reason)
        return family.compute(PyradiomicsSample(mask, image.spacing_mm, settings=feature_settings(general)))

    def _facts(
        self, volume: Volume, region: Region, prepared: Prepared, levels: Levels | None, told: list[str]
    ) -> RegionFacts:
        grid = prepared.image.grid
        voxels = int(np.count_nonzero(prepared.drawn))
        return RegionFacts(
            voxels=voxels,
            intensity_voxels=int(np.count_nonzero(prepared.kept)),
            volume_ml=voxels * grid.voxel_volume_mm3 / 1000,
            native_mm=xyz(volume.spacing_mm),
            voxel_mm=xyz(grid.spacing_mm),
            levels=None if levels is None else len(levels.present),
            warnings=(*_cut_off(touched_border(volume, region)), *told),
            centroid_mm=centroid_mm(region),
            outline_ml=outline_ml(region),
        )


@dataclass(frozen=True)
class Seen:
    """What re-segmentation left, as intensities see it.

    image : the original in its box; box : where that lies; places : int64 [voxels], of the region in it
    """

    image: Volume
    box: Box
    places: np.ndarray

    def inside(self, array: np.ndarray) -> np.ndarray:
        """The region's values of an array [z, y, x] of the box, in the array's type."""
        return array.ravel()[self.places]


def _seen(prepared: Prepared) -> Seen:
    low, high = bounding_box(prepared.kept)
    image, (mask,) = crop(prepared.image, [prepared.kept], low, high)
    first, last = (tuple(a + b for a, b in zip(prepared.offset, at, strict=True)) for at in (low, high))
    return Seen(image, Box(first, last, mask), np.flatnonzero(mask))  # type: ignore[arg-type]


def _finite(inside: np.ndarray) -> np.ndarray | str:
    """The region's values of a response, or why nothing can be measured on it."""
    missing = int(np.count_nonzero(~np.isfinite(inside)))
    return f"the filtered image has no value at {missing} voxels of the region" if missing else inside


def plan_pyradiomics(section: PyradiomicsSeries, series: str, *, named: bool = True) -> PyradiomicsPlan:
    """The plan of one series; `named`: its columns begin with the series' name.

    Raises ParamsError for a feature that does not exist, and for what cannot be computed.
    """
    require_computable(section, series)
    where = f"series {series}: " if series else ""
    prefix = series if named else ""
    computations = computations_of(section, prefix, where)
    settings = section.settings_of(ORIGINAL_TYPE)
    plan = PyradiomicsPlan(series, prefix, pyradiomics_source(section), section, settings, computations)
    if not plan.columns:
        raise ParamsError(f"{where}featureClass asks for no feature that is computed; shape2D needs force2D: true")
    try:
        for spec in plan.columns:
            str(spec.name)
    except ValueError as e:
        raise ParamsError(f"{where}{e}") from None
    return plan


def touched_border(volume: Volume, region: Region) -> str:
    """The faces of the image that a region touches, wherever its mask lies."""
    if region.grid.shape == volume.grid.shape and volume.grid.distance_in_voxels(region.grid) < 0.5:
        return touched_faces(region)
    seen = nearest(region, volume.grid)
    return touched_faces(Region(seen, seen, volume.grid))


def feature_settings(settings: Settings) -> FeatureSettings:
    """The part of PyRadiomics' settings that the features themselves see."""
    return FeatureSettings(
        voxel_array_shift=settings.voxelArrayShift,
        symmetrical_glcm=settings.symmetricalGLCM,
        weighting_norm=settings.weightingNorm,
        distances=settings.distances,
        gldm_a=settings.gldm_a,
        force_2d=settings.force2D,
        force_2d_dimension=settings.force2Ddimension,
    )


def _fill(
    computation: Computation,
    found: tuple[Mapping[str, float], Mapping[str, str]],
    values: dict[str, float],
    undefined: dict[str, str],
) -> None:
    """Numbers and reasons by feature, sorted into those by column."""
    numbers, reasons = found
    for feature, spec in computation.columns.items():
        values[spec.column] = numbers[feature]
        if feature in reasons:
            undefined[spec.column] = reasons[feature]


def _no_plane(shape: tuple[int, ...], axis: int) -> str:
    """Why PyRadiomics gives no shape2D of a region whose box has this shape (z, y, x); empty where it does.

    Beside one slice across `axis` it wants more than one voxel along the axis counted from the other end.
    """
    names = "zyx"
    if shape[axis] > 1:
        return f"the region has {shape[axis]} slices across {names[axis]}; shape2D is that of one"
    if shape[2 - axis] == 1:
        return f"PyRadiomics computes no shape2D of a region that is one voxel wide along {names[2 - axis]}"
    return ""


def _cut_off(touches: str) -> list[str]:
    """A warning of the faces that a region touches."""
    return [f"the region touches the border of the image ({touches}); it may be cut off"] if touches else []


def _overflown(image: str, sample: PyradiomicsSample, settings: Settings) -> list[str]:
    """A warning of grey levels that PyRadiomics gives otherwise."""
    inside = sample.values
    if inside is None or sample.levels is None or not overflows(inside, settings):
        return []
    name = "intensities" if image == ORIGINAL else f"values of {image}"
    return [
        f"{name} from {inside.min()} to {inside.max()} in voxels of type {inside.dtype}: PyRadiomics with "
        "NumPy 2 overflows and gives other grey levels here; these are as it documents them"
    ]
