"""PyRadiomics' own parameter file: `imageType`, `featureClass`, `setting` and `voxelSetting`.

Names, types and defaults are those of PyRadiomics 3.1 (pyradiomics.readthedocs.io, "Customizing the Extraction").
"""
# ruff: noqa: N815 - the names are those of the files

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_serializer,
)

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.params.series import SeriesSource

IMAGE_TYPES = (
    "Original",
    "Exponential",
    "Gradient",
    "LBP2D",
    "LBP3D",
    "LoG",
    "Logarithm",
    "Square",
    "SquareRoot",
    "Wavelet",
)
FEATURE_CLASSES = ("shape", "shape2D", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
"""In PyRadiomics' order of columns where a file names no class."""
SHAPE_CLASSES = ("shape", "shape2D")
"""Computed once, before everything that sees intensities; their columns come first."""
SECTIONS = ("imageType", "featureClass", "setting", "voxelSetting")


def _as_written(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """A number as it stands in the file, whole or not: the diagnostics repeat the settings."""
    checked = check(value)
    return value if isinstance(value, int) else checked


Number = Annotated[float, Field(strict=True), WrapValidator(_as_written)]
Positive = Annotated[float, Field(gt=0, strict=True), WrapValidator(_as_written)]
Spacing = Annotated[float, Field(ge=0, strict=True), WrapValidator(_as_written)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Interpolator = Literal[
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
]
INTERPOLATORS: tuple[str, ...] = get_args(Interpolator)
"""In the order of their numbers, from 1; but SimpleITK has no number 3 any more."""
UNSET = ("label", "normalize", "preCrop", "correctMask", "resegmentShape")
"""Settings that PyRadiomics takes for unset where a file says null."""


class Settings(Section):
    """Every setting of PyRadiomics; those of filters have its own defaults, written here as null."""

    minimumROIDimensions: Whole = Field(2, ge=1, le=3, description="axes along which the region needs 2 voxels")
    minimumROISize: Whole | None = Field(None, gt=0, description="a region of no more voxels than this is refused")
    geometryTolerance: Positive | None = Field(
        None, description="how far image and mask may lie apart; here 1e-3 of a voxel is allowed at least"
    )
    correctMask: Flag = Field(
        False, description="bring a mask on another grid onto the image's, where nothing is resampled"
    )
    additionalInfo: Flag = Field(True, description="write the diagnostic values, too")
    label: Whole = Field(1, gt=0, description="label of the region in the mask")
    label_channel: Whole = Field(0, ge=0, description="channel of a mask with several values a voxel")
    binWidth: Positive = Field(25, description="width of a grey level; edges are multiples of it")
    binCount: Whole | None = Field(None, gt=0, description="number of grey levels; replaces binWidth")
    normalize: Flag = Field(False, description="first bring the image to mean 0 and standard deviation 1")
    normalizeScale: Positive = Field(1, description="then multiply it by this")
    removeOutliers: Positive | None = Field(
        None, description="cut a normalised image off at this many standard deviations"
    )
    resampledPixelSpacing: tuple[Spacing, Spacing, Spacing] | None = Field(
        None, description="edges (x, y, z) of the new voxels, mm; 0 keeps that of the file; null: no resampling"
    )
    interpolator: Interpolator | None = Field(
        "sitkBSpline", description="of intensities; the mask takes the nearest neighbour; null: no resampling"
    )
    padDistance: Whole = Field(5, ge=0, description="new voxels around the region that are resampled, too")
    preCrop: Flag = Field(False, description="crop to the region and padDistance where nothing is resampled")
    distances: tuple[Annotated[Whole, Field(gt=0)], ...] = Field(
        (1,), min_length=1, description="between neighbours, in voxels: glcm, gldm, ngtdm"
    )
    force2D: Flag = Field(False, description="textures slice by slice; needed for shape2D")
    force2Ddimension: Whole = Field(0, ge=0, le=2, description="axis across the slices: 0 z, 1 y, 2 x")
    resegmentRange: tuple[Number, ...] | None = Field(
        None, min_length=1, max_length=2, description="lowest and highest intensity kept; one number: the lowest"
    )
    resegmentMode: Literal["absolute", "relative", "sigma"] = Field(
        "absolute", description="range in the image's unit, as a share of the maximum, or in standard deviations"
    )
    resegmentShape: Flag = Field(False, description="measure shape on the re-segmented mask, too")
    voxelArrayShift: Whole = Field(0, description="added to intensities in Energy, TotalEnergy and RootMeanSquared")
    symmetricalGLCM: Flag = Field(True, description="count pairs in both directions")
    weightingNorm: Literal["manhattan", "euclidean", "infinity", "no_weighting"] | None = Field(
        None, description="weight directions by distance and merge them; null: mean over directions"
    )
    gldm_a: Whole = Field(0, ge=0, description="largest difference of levels that still counts as dependent")
    sigma: tuple[Positive, ...] | None = Field(None, description="LoG: widths, mm")
    start_level: Annotated[Whole, Field(ge=0)] | None = Field(None, description="Wavelet: first level")
    level: Annotated[Whole, Field(gt=0)] | None = Field(None, description="Wavelet: number of levels")
    wavelet: str | None = Field(None, description="Wavelet: name of the wavelet")
    gradientUseSpacing: Flag = Field(True, description="Gradient: per mm instead of per voxel")
    lbp2DRadius: Positive | None = Field(None, description="LBP2D: radius")
    lbp2DSamples: Annotated[Whole, Field(ge=1)] | None = Field(None, description="LBP2D: samples")
    lbp2DMethod: Literal["default", "ror", "uniform", "var"] | None = Field(None, description="LBP2D: method")
    lbp3DLevels: Annotated[Whole, Field(ge=1)] | None = Field(None, description="LBP3D: levels")
    lbp3DIcosphereRadius: Positive | None = Field(None, description="LBP3D: radius")
    lbp3DIcosphereSubdivision: Annotated[Whole, Field(ge=0)] | None = Field(None, description="LBP3D: subdivisions")

    @field_validator("interpolator", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """SimpleITK's number of an interpolator as its name."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        if whole and value == 3:
            raise ValueError("SimpleITK has no interpolator of number 3 any more; write sitkBSpline")
        return INTERPOLATORS[value - 1] if whole and 1 <= value <= len(INTERPOLATORS) else value

    @field_validator(*UNSET, mode="before")
    @classmethod
    def _unset(cls, value: Any, info: ValidationInfo) -> Any:
        return Settings.model_fields[str(info.field_name)].default if value is None else value

    @field_validator("resampledPixelSpacing", mode="before")
    @classmethod
    def _of_volumes(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) == 2:
            raise ValueError(
                "two numbers are for images of two dimensions, which are not computed here; save them as volumes of "
                "one slice and write a third number, 0, which keeps the slice's thickness"
            )
        return value

    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """PyRadiomics refuses null for some settings, so those that are null by default are left out."""
        fields = type(self).model_fields
        return {k: v for k, v in handler(self).items() if v is not None or fields[k].default is not None}

    @property
    def resampled(self) -> bool:
        """Whether the image gets another grid, or is at least cropped as for one."""
        return self.resampledPixelSpacing is not None and self.interpolator is not None

    def given(self) -> dict[str, Any]:
        """The settings that were written down, as PyRadiomics takes them."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


class Overrides(Settings):
    """Settings of one image type; what is not written is that of `setting`."""

    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {k: v for k, v in handler(self).items() if k in self.model_fields_set}


class VoxelSettings(Section):
    """Settings of PyRadiomics' feature maps; they do not touch the features of a region."""

    kernelRadius: Whole = Field(1, gt=0, description="radius of the kernel, voxels")
    maskedKernel: Flag = Field(True, description="only voxels of the region count")
    initValue: Number = Field(0, description="value outside the region")
    voxelBatch: Whole | None = Field(None, gt=0, description="voxels computed at a time")

    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {k: v for k, v in handler(self).items() if v is not None}


class PyradiomicsSeries(SeriesSource):
    """One image series in PyRadiomics' schema; `unit` and what says where image and regions come from are ours."""

    unit: str = Field("", description="unit of the stored intensities, for the data dictionary: SUV, HU, ...")
    imageType: dict[str, Overrides] = Field({}, description="images that features are taken of; none: Original")
    featureClass: dict[str, tuple[str, ...] | None] = Field(
        {}, description="classes, each with its features; null or []: all but the deprecated; no class: all"
    )
    setting: Settings = Field(Settings(), description="settings of PyRadiomics")
    voxelSetting: VoxelSettings = Field(VoxelSettings(), description="settings of feature maps; used by `maps` only")

    @field_validator("imageType")
    @classmethod
    def _known_types(cls, value: dict[str, Overrides]) -> dict[str, Overrides]:
        for name in value:
            _require(name, IMAGE_TYPES, "image type")
        return value

    @field_validator("featureClass")
    @classmethod
    def _known_classes(cls, value: dict[str, tuple[str, ...] | None]) -> dict[str, tuple[str, ...] | None]:
        for name in value:
            _require(name, FEATURE_CLASSES, "feature class")
        return value

    @property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """Features wanted by class, in the order of the columns; an empty tuple means all."""
        wanted = self.featureClass or dict.fromkeys(FEATURE_CLASSES)
        first = [name for name in SHAPE_CLASSES if name in wanted]
        return {name: wanted[name] or () for name in [*first, *(n for n in wanted if n not in SHAPE_CLASSES)]}

    def settings_of(self, image_type: str) -> Settings:
        """The settings that the features of one image type see."""
        own = self.imageType.get(image_type, Overrides())
        changed = {name: getattr(own, name) for name in own.model_fields_set}
        return self.setting.model_copy(update=changed)

    def as_file(self) -> dict[str, Any]:
        """The sections that were written down, as PyRadiomics takes them from a file or a dict."""
        sections: dict[str, Any] = {}
        if self.imageType:
            sections["imageType"] = {name: own.given() for name, own in self.imageType.items()}
        if self.featureClass:
            sections["featureClass"] = {name: list(names or ()) for name, names in self.featureClass.items()}
        sections["setting"] = self.setting.given()
        return sections


BESIDE = ("description", "standard", "engine", "selection")
"""What may stand beside the sections of a PyRadiomics file, though PyRadiomics itself would refuse it."""


def is_pyradiomics_file(tree: Mapping[str, Any]) -> bool:
    """Whether a YAML file's content is one of PyRadiomics: some of its sections, and no key but those in BESIDE."""
    known = all(key in SECTIONS or key in BESIDE for key in tree)
    return known and any(key in SECTIONS for key in tree) and tree.get("standard", "pyradiomics") == "pyradiomics"


def require_computable(params: PyradiomicsSeries, series: str) -> None:
    """ParamsError for what is allowed by PyRadiomics' schema and cannot be computed rightly."""
    where = f"series {series}: " if series else ""
    own = [(f"imageType.{name}", params.settings_of(name)) for name in params.imageType or ("Original",)]
    for path, settings in (("setting", params.setting), *own):
        repeated = [d for d, n in Counter(settings.distances).items() if n > 1]
        if repeated:
            raise ParamsError(
                f"{where}{path}.distances: {repeated[0]} stands there {settings.distances.count(repeated[0])} times, "
                "and PyRadiomics then counts dependences as often; write each distance once"
            )
    if params.setting.label_channel:
        raise ParamsError(f"{where}label_channel: masks with several values a voxel are not read; store one as a file")
    for name, given in params.imageType.items():
        if "label" in given.model_fields_set:
            raise ParamsError(f"{where}imageType.{name}.label: the label is chosen once, by setting.label")


def _require(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        raise ValueError(f"no {what} {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}")
