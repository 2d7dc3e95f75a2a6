"""PyRadiomics itself as the engine: the same image, region and parameters, computed by the module `radiomics`.

Everything it can do is allowed, filters too; its numbers, names and diagnostics are passed on as they are.
"""

from __future__ import annotations

import json
import logging
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from radiomics_pipeline.errors import CaseError, ParamsError, some
from radiomics_pipeline.extraction.plan import ORIGINAL, SeriesPlan
from radiomics_pipeline.extraction.pyradiomics import touched_border
from radiomics_pipeline.extraction.pyradiomics_columns import FAMILIES, made_how, unit_of
from radiomics_pipeline.extraction.result import RegionFacts, RegionFeatures, centroid_mm, outline_ml, stage, xyz
from radiomics_pipeline.extraction.source import pyradiomics_source
from radiomics_pipeline.features.registry import NO_CONTEXT
from radiomics_pipeline.imaging.pyradiomics.geometry import agree, on_grid
from radiomics_pipeline.imaging.pyradiomics.itk import to_itk
from radiomics_pipeline.params.pyradiomics import IMAGE_TYPES, SHAPE_CLASSES, PyradiomicsSeries, Settings
from radiomics_pipeline.types import ColumnName, ColumnSpec, Grid, Region, Volume
from radiomics_pipeline.types.context import Context

_FAMILIES = {family.token: family for family in FAMILIES}
_log = logging.getLogger(__name__)

DIAGNOSTICS = "diagnostics_"
"""How PyRadiomics' names of what is no feature begin."""

LONGEST = 300
"""Characters of its messages that are passed on."""
PROBE_SIZE = 16
"""Edge in voxels of the image that tells which columns there are."""
_NAMING = {"force2D", "force2Ddimension", "sigma", "level", "start_level", "wavelet", "symmetricalGLCM"}
_NAMING |= {"lbp2DMethod", "lbp3DLevels", "lbp3DIcosphereRadius", "lbp3DIcosphereSubdivision"}
"""Settings that decide which images and features there are; all others only change their values."""
_IMAGES = {"LoG": "log-sigma-", "Wavelet": "wavelet", "LBP2D": "lbp-2D", "LBP3D": "lbp-3D-"}
"""How the names of an image type's images begin, where it gives several; the others are its name in lower case."""


@dataclass(frozen=True)
class EnginePlan(SeriesPlan):
    """One series as PyRadiomics computes it.

    section : the parameters in PyRadiomics' schema
    specs : the columns in PyRadiomics' order; without any, images are only prepared
    usual : warnings that these parameters give with any region, so that they say nothing of one
    """

    section: PyradiomicsSeries
    specs: tuple[ColumnSpec, ...]
    usual: frozenset[str]

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""
        return self.specs

    def without_features(self) -> SeriesPlan:
        """The same preparation of image and region, and no feature."""
        return replace(self, specs=())

    def extract(self, volume: Volume, region: Region, context: Context = NO_CONTEXT) -> RegionFeatures:
        """All features of one region; CaseError with PyRadiomics' message where it refuses. It needs no context."""
        mask = np.where(region.morphology, region.label, 0).astype(np.uint32)
        extractor = _extractor(json.dumps(_complete(self.section, bare=not self.specs)))
        images = to_itk(volume.array, volume.grid), to_itk(mask, _mask_grid(volume, region, self.section.setting))
        with stage("features"), _quiet() as said:
            try:
                found = extractor.execute(*images, label=region.label)
            except Exception as e:  # noqa: BLE001 - whatever it raises is its refusal of this region
                raise CaseError(f"PyRadiomics: {_message(e)}") from None
        told = [text for text in dict.fromkeys(said) if text not in self.usual]
        if faces := touched_border(volume, region):
            told.append(f"the region touches the border of the image ({faces}); it may be cut off")
        values, undefined = _values(found, self.specs)
        return RegionFeatures(
            values=values,
            undefined=undefined,
            facts=_facts(found, volume, region, tuple(told)),
            diagnostics=_diagnostics(found) if self.section.setting.additionalInfo else {},
        )


def plan_engine(section: PyradiomicsSeries, series: str, *, named: bool = True) -> EnginePlan:
    """The plan of one series; `named`: its columns begin with the series' name.

    Which columns there are is found by running PyRadiomics once on a small synthetic region with the same image
    types, classes and features. Raises ParamsError where PyRadiomics is not installed or refuses the parameters.
    """
    where = f"series {series}: " if series else ""
    if section.setting.label_channel:
        raise ParamsError(f"{where}label_channel: masks with several values a voxel are not read; store one as a file")
    for image_type, own in section.imageType.items():
        if "label" in own.model_fields_set:
            raise ParamsError(f"{where}imageType.{image_type}.label: the label is chosen once, by setting.label")
    _featureextractor()
    prefix = series if named else ""
    try:
        _extractor(json.dumps(_complete(section)))
        probing = _extractor(json.dumps(_probing(section)))
        with _quiet() as said:
            found = probing.execute(*_probe(section))
    except Exception as e:  # noqa: BLE001 - whatever it raises is its refusal of these parameters
        raise ParamsError(f"{where}PyRadiomics refuses the parameters: {_message(e)}") from None
    names = [name for name in found if not name.startswith(DIAGNOSTICS)]
    _require_all(section, names, where, said)
    try:
        specs = tuple(_spec(name, prefix, section) for name in names)
        for spec in specs:
            str(spec.name)
    except ValueError as e:
        raise ParamsError(f"{where}{e}") from None
    for text in dict.fromkeys(said):
        _log.info("%sPyRadiomics: %s", where, text)
    return EnginePlan(series, prefix, pyradiomics_source(section), section, specs, frozenset(said))


def _mask_grid(volume: Volume, region: Region, settings: Settings) -> Grid:
    """The grid that PyRadiomics is told a mask lies on: its own, which alone decides on the grid it is resampled to.

    Where nothing is resampled, PyRadiomics refuses what lies a millionth of a voxel beside the image; we do not.
    """
    if settings.resampled or settings.correctMask or not on_grid(region, volume.grid, settings):
        return region.grid
    return region.grid if agree(volume.grid, region.grid, settings.geometryTolerance) else volume.grid


def _featureextractor() -> Any:
    """PyRadiomics' module of that name; ParamsError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from radiomics import featureextractor
    except ImportError as e:
        raise ParamsError(
            f"engine: pyradiomics needs PyRadiomics, which is not installed ({e}); install the extra, "
            "pip install 'radiomics_pipeline[pyradiomics]' (it needs a C compiler), or choose 'engine: own'"
        ) from None
    return featureextractor


@lru_cache(maxsize=8)
def _extractor(parameters: str) -> Any:
    """PyRadiomics' extractor for its parameters as JSON; one that asks for no class computes no feature."""
    tree = json.loads(parameters)
    with _quiet():
        extractor = _featureextractor().RadiomicsFeatureExtractor(tree)
        if tree.get("featureClass") == {}:
            extractor.disableAllFeatures()
    return extractor


def _complete(section: PyradiomicsSeries, *, bare: bool = False) -> dict[str, Any]:
    """The parameters with diagnostics, which the log needs; `bare`: of no image and no class."""
    tree = section.as_file()
    if bare:
        tree |= {"featureClass": {}, "imageType": {"Original": {}}}
    return tree | {"setting": {**tree["setting"], "additionalInfo": True}}


def _probing(section: PyradiomicsSeries) -> dict[str, Any]:
    """The parameters with only those settings that decide which columns there are, and few grey levels."""

    def kept(settings: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in settings.items() if name in _NAMING}

    tree = section.as_file()
    if "imageType" in tree:
        tree["imageType"] = {name: kept(own) for name, own in tree["imageType"].items()}
    return tree | {"setting": {**kept(tree["setting"]), "binCount": 8}}


def _probe(section: PyradiomicsSeries) -> tuple[Any, Any]:
    """A small image and mask that every image type and class can be computed on.

    Voxels as wide as the widest LoG, which PyRadiomics leaves out where it does not fit the image; one slice where
    shapes in two dimensions are asked for, which PyRadiomics refuses for more.
    """
    widths = [s for own in (section.setting, *section.imageType.values()) for s in own.sigma or ()]
    size = (PROBE_SIZE, PROBE_SIZE, PROBE_SIZE)
    grid = Grid(size, (float(max([1, *widths])),) * 3)
    places = np.indices(size) - (PROBE_SIZE - 1) / 2
    mask = ((places**2).sum(axis=0) < (PROBE_SIZE / 3) ** 2).astype(np.uint8)
    if section.setting.force2D and "shape2D" in section.classes:
        mask[np.abs(places[section.setting.force2Ddimension] - 0.5) > 0.1] = 0
    image = np.random.default_rng(0).normal(0, 1, size).cumsum(axis=0)
    return to_itk(image, grid), to_itk(mask, grid)


def _require_all(section: PyradiomicsSeries, names: list[str], where: str, said: list[str]) -> None:
    """ParamsError where an image type, or all, has no column: PyRadiomics leaves out what it cannot compute."""
    lacking = []
    if not section.featureClass or set(section.featureClass) - set(SHAPE_CLASSES):
        there = {_image_type(name.split("_")[0]) for name in names}
        lacking = [f"imageType {wanted}" for wanted in section.imageType if wanted not in there]
    if lacking or not names:
        reason = f"; it says: {some(dict.fromkeys(said), 3)}" if said else ""
        reason += "; LoG needs sigma" if "imageType LoG" in lacking else ""
        raise ParamsError(f"{where}{', '.join(lacking) or 'featureClass'}: PyRadiomics computes no feature{reason}")


def _image_type(image: str) -> str:
    """The image type in the parameters that gives an image of this name."""
    several = (wanted for wanted, start in _IMAGES.items() if image.startswith(start))
    return next(several, "") or next((wanted for wanted in IMAGE_TYPES if wanted.lower() == image), "")


def _spec(name: str, prefix: str, section: PyradiomicsSeries) -> ColumnSpec:
    """What a feature's column means, from PyRadiomics' name of it.

    A filtered or normalised image has another unit than the file; which, PyRadiomics does not say.
    """
    image, family, feature = name.split("_")
    known = _FAMILIES[family].features.get(feature) if family in _FAMILIES else None
    unit = known.unit if known else ""
    settings = section.settings_of(_image_type(image))
    unit = unit_of(unit, section.unit if image == ORIGINAL and not settings.normalize else "")
    extent = f"{'2.5D' if settings.force2D else '3D'}:{'mrg' if settings.weightingNorm else 'avg'}"
    return ColumnSpec(
        name=ColumnName(prefix, image, family, feature),
        standard="pyradiomics",
        aggregation=_FAMILIES[family].aggregation_of(extent) if family in _FAMILIES else "",
        ibsi_code=known.ibsi if known else "",
        unit=unit,
        definition=known.definition if known else f"see PyRadiomics, class {family}",
        filter=made_how(_image_type(image), settings, _FAMILIES[family]) if family in _FAMILIES else "",
    )


def _values(found: Mapping[str, Any], specs: tuple[ColumnSpec, ...]) -> tuple[dict[str, float], dict[str, str]]:
    """Values by column, and the reasons of those that are NaN."""
    values: dict[str, float] = {}
    undefined: dict[str, str] = {}
    for spec in specs:
        name = spec.name
        theirs = f"{name.image}_{name.family}_{name.feature}"
        value = float(found.get(theirs, math.nan))
        if not math.isfinite(value):
            what = f"gives {value}" if theirs in found else "leaves it out"
            undefined[spec.column] = f"PyRadiomics {what}"
            value = math.nan
        values[spec.column] = value
    return values, undefined


def _facts(found: Mapping[str, Any], volume: Volume, region: Region, told: tuple[str, ...]) -> RegionFacts:
    """What the log says, from PyRadiomics' diagnostics: the last grid and mask that it reports."""

    def last(what: str, *steps: str) -> Any:
        return next(found[key] for step in steps if (key := f"{DIAGNOSTICS}{what.format(step)}") in found)

    voxels = int(last("Mask-{}_VoxelNum", "interpolated", "original"))
    x, y, z = (float(edge) for edge in last("Mask-{}_Spacing", "interpolated", "original"))
    return RegionFacts(
        voxels=voxels,
        intensity_voxels=int(last("Mask-{}_VoxelNum", "resegmented", "interpolated", "original")),
        volume_ml=voxels * x * y * z / 1000,
        native_mm=xyz(volume.spacing_mm),
        voxel_mm=(x, y, z),
        levels=None,
        warnings=told,
        centroid_mm=centroid_mm(region),
        outline_ml=outline_ml(region),
    )


def _diagnostics(found: Mapping[str, Any]) -> dict[str, str]:
    """What PyRadiomics says beside the features, as text."""
    return {name: _text(value) for name, value in found.items() if name.startswith(DIAGNOSTICS)}


def _text(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple):
        return f"({', '.join(_text(part) for part in value)})"
    return str(value)


def _message(error: Exception) -> str:
    """The end of what an error says, in one line without addresses in memory."""
    lines = str(error).strip().splitlines()
    text = re.sub(r"\(?0x[0-9a-f]+\)?", "", lines[-1] if lines else "").removeprefix("sitk::ERROR: ")
    text = " ".join(text.split()) or type(error).__name__
    return f"{text[:LONGEST]} ..." if len(text) > LONGEST else text


class _Collector(logging.Handler):
    """Keeps the messages of a log."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.said.append(" ".join(record.getMessage().split()))


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """What PyRadiomics warns of inside, instead of on the terminal; its loggers are afterwards as they were."""
    said: list[str] = []
    handlers = {"radiomics": _Collector(said), "pykwalify": logging.NullHandler()}
    before = {}
    for name, handler in handlers.items():
        logger = logging.getLogger(name)
        before[logger] = (logger.handlers, logger.propagate, logger.level)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield said
    finally:
        for logger, (kept, propagate, level) in before.items():
            logger.handlers, logger.propagate = kept, propagate
            logger.setLevel(level)
