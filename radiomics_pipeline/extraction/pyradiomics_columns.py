"""From parameters of PyRadiomics to columns: which families of which images, and what their features are called."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.extraction.plan import ORIGINAL
from radiomics_pipeline.features.pyradiomics import FAMILIES
from radiomics_pipeline.features.registry import Family, FeatureSpec
from radiomics_pipeline.imaging.pyradiomics.filters.table import IMAGE_TYPES
from radiomics_pipeline.params.pyradiomics import SHAPE_CLASSES, Overrides, PyradiomicsSeries, Settings
from radiomics_pipeline.types import ColumnName, ColumnSpec

logger = logging.getLogger(__name__)

WITHDRAWN = {
    "glcm": ("Dissimilarity", "Homogeneity1", "Homogeneity2", "SumVariance"),
    "gldm": ("DependencePercentage", "GrayLevelNonUniformityNormalized"),
}
"""Names that PyRadiomics accepts in a file and gives no column for: each equals another feature, or is constant."""


ORIGINAL_TYPE = "Original"


@dataclass(frozen=True)
class Computation:
    """One family of one image: what its wanted features are called, by the feature's name.

    image_type : of the parameters; token : what columns call the image
    """

    family: Family
    columns: dict[str, ColumnSpec]
    image_type: str = ORIGINAL_TYPE
    token: str = ORIGINAL


def computations_of(section: PyradiomicsSeries, prefix: str, where: str) -> tuple[Computation, ...]:
    """What a section asks for, in PyRadiomics' order; ParamsError, beginning with `where`, for what there is not."""
    known = {family.token: family for family in FAMILIES}
    settings = section.settings_of(ORIGINAL_TYPE)
    computations = []
    for token, names in section.classes.items():
        if token in SHAPE_CLASSES and (token != "shape2D" or section.setting.force2D):
            features = _features(known[token], names, where)
            columns = {f.name: _spec(prefix, ORIGINAL, known[token], f, settings, section.unit) for f in features}
            computations.append(Computation(known[token], columns))
    for kind, image in images_of(section, where):
        seen = section.settings_of(kind)
        for token, names in section.classes.items():
            if token not in SHAPE_CLASSES:
                family, unit = known[token], section.unit if kind == ORIGINAL_TYPE else ""
                features = _features(family, names, where)
                told = made_how(kind, seen, family)
                columns = {f.name: _spec(prefix, image, family, f, seen, unit, told) for f in features}
                computations.append(Computation(family, columns, kind, image))
    return tuple(computations)


def images_of(section: PyradiomicsSeries, where: str) -> list[tuple[str, str]]:
    """The images that a section asks for: image type, and what columns call the image."""
    wanted = section.imageType or {ORIGINAL_TYPE: Overrides()}
    return [(kind, token) for kind in wanted for token in _tokens(kind, section, where)]


def _features(family: Family, names: tuple[str, ...], where: str) -> list[FeatureSpec]:
    """The features of a family that a file names, in its order; those of the whole class where it names none."""
    if not names:
        return [feature for feature in family.features.values() if feature.default]
    withdrawn = WITHDRAWN.get(family.token, ())
    known = [*family.features, *withdrawn]
    for name in names:
        if name not in known:
            raise ParamsError(
                f"{where}featureClass {family.token}: no feature {name!r}{did_you_mean(name, known)}; "
                f"there are: {', '.join(family.features)}"
            )
        if name in withdrawn:
            logger.warning("%s%s %s: withdrawn by PyRadiomics; there is no column for it", where, family.token, name)
    return [family.features[name] for name in dict.fromkeys(names) if name not in withdrawn]


def _tokens(image_type: str, section: PyradiomicsSeries, where: str) -> tuple[str, ...]:
    """What columns call the images of a type."""
    if image_type == ORIGINAL_TYPE:
        return (ORIGINAL,)
    found = IMAGE_TYPES[image_type].tokens(section.settings_of(image_type))
    if not found:
        raise ParamsError(f"{where}imageType {image_type} makes no image; LoG needs sigma, a list of widths in mm")
    return found


def _spec(  # noqa: PLR0917
    prefix: str, image: str, family: Family, feature: FeatureSpec, settings: Settings, unit: str, told: str = ""
) -> ColumnSpec:
    unit = unit_of(feature.unit, "" if settings.normalize else unit)
    extent = "2.5D" if settings.force2D else "3D"
    gathered = family.aggregation_of(f"{extent}:{'mrg' if settings.weightingNorm else 'avg'}")
    return ColumnSpec(
        ColumnName(prefix, image, family.token, feature.name),
        "pyradiomics",
        gathered,
        feature.ibsi,
        unit,
        feature.definition,
        told,
    )


def made_how(image_type: str, settings: Settings, family: Family) -> str:
    """How an image is made, and its grey levels where a family sees those; nothing of the original."""
    if image_type == ORIGINAL_TYPE:
        return ""
    used = ", ".join(f"{name} {value}" for name, value in IMAGE_TYPES[image_type].used(settings).items())
    width, count = settings.binWidth, settings.binCount
    levels = f"binWidth {width}" if count is None else f"binCount {count}"
    return image_type + (f": {used}" if used else "") + (f"; grey levels: {levels}" if family.needs_levels else "")


def unit_of(feature: str, image: str) -> str:
    """A feature's unit, such as "{u}^2", with that of the image in it; empty where that is not known."""
    return feature.replace("{u}", image) if image or "{u}" not in feature else ""
