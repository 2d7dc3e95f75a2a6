"""Features of one region by the definitions of the IBSI: from parameters to columns, and from a region to a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.extraction.filtered import UNIT, Response, responses
from radiomics_pipeline.extraction.ibsi_diagnostics import diagnose
from radiomics_pipeline.extraction.ibsi_samples import Computation, Samples
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.extraction.result import (
    RegionFacts,
    RegionFeatures,
    centroid_mm,
    outline_ml,
    stage,
    touched_faces,
    xyz,
)
from radiomics_pipeline.extraction.source import ibsi_source
from radiomics_pipeline.extraction.units import foreign_unit, usable_levels, usable_resegment, withheld
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.ivh import ivh
from radiomics_pipeline.features.polar_map import polar_map_families
from radiomics_pipeline.features.registry import NO_CONTEXT, Family, Undefined
from radiomics_pipeline.features.uptake import uptake_family
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.imaging.filters.spec import Spacing
from radiomics_pipeline.imaging.resample import resample, wanted_spacing
from radiomics_pipeline.imaging.resegment import resegment
from radiomics_pipeline.params.extraction import IvhBinNumber, SeriesParams
from radiomics_pipeline.params.levels import Aggregation, Discretise
from radiomics_pipeline.types import ColumnName, ColumnSpec, Levels, Region, Volume
from radiomics_pipeline.types.context import Context

SECTIONS = {"uptake": "uptake", "polarmap": "polar_map", "polar_map": "polar_map"}
"""Families that a section of their own asks for, by what someone might call them."""
FEW_LEVELS = 4
"""With fewer grey levels than this, textures say little; a warning."""


@dataclass(frozen=True)
class IbsiPlan(SeriesPlan):
    """All computations on one series.

    discretisations : grey levels that some family needs, the main ones first
    checked : filtered images of which is only asked whether voxels allow them
    """

    params: SeriesParams
    computations: tuple[Computation, ...]
    discretisations: tuple[Discretise, ...]
    checked: tuple[Response, ...] = ()

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""
        return tuple(spec for c in self.computations for spec in c.columns.values())

    def margin_mm(self, spacing_mm: Spacing) -> float:
        """How far around the region's box the image is needed on the grid of the features, with this spacing."""
        families = [c.family.reach_mm for c in self.computations if c.response is None and not c.family.native]
        filters = {c.response.token: c.response.margin_mm(spacing_mm) for c in self.computations if c.response}
        return max([0.0, *families, *filters.values()])

    def without_features(self) -> SeriesPlan:
        """The same preparation of image and region, and no feature."""
        images = {c.response.token: c.response for c in self.computations if c.response}
        return replace(self, computations=(), checked=tuple(images.values()))

    def extract(self, volume: Volume, region: Region, context: Context = NO_CONTEXT) -> RegionFeatures:
        """All features of one region; CaseError where a step cannot be done rightly.

        volume : where its unit is another one than that of the parameters, such as counts instead of SUV, all that
            hangs on the unit is NaN, and the rest is computed
        context : reference regions and the sum of the whole image, in the unit of the volume
        """
        touches = touched_faces(region)
        foreign = foreign_unit(volume.unit, self.params.unit)
        with stage("resample"):
            spacing = volume.spacing_mm
            if self.params.resample:
                spacing = wanted_spacing(volume.grid, self.params.resample)
            found = resample(volume, region, self.params.resample, self.margin_mm(spacing))
        with stage("filter"):
            for image in self.checked:
                image.require(found.volume.spacing_mm)
        with stage("resegment"):
            wanted = usable_resegment(self.params.resegment) if foreign else self.params.resegment
            roi = resegment(found.volume, found.region, wanted)
        levels: dict[Discretise, Levels] = {}
        with stage("discretise"):
            for scheme in self.discretisations:
                if not foreign or usable_levels(scheme, self.params):
                    levels[scheme] = discretise(found.volume, roi, scheme)
        with stage("features"):
            samples = Samples(self.computations, self.params, volume, region, found, roi, levels, context)
            values, undefined = self._compute(samples, foreign)
        main = levels.get(self.params.discretise)
        count = None if main is None else len(main.present)
        warnings = list(_warnings(touches, count, foreign))
        diagnostics: dict[str, str] = {}
        if self.params.diagnostics:
            diagnostics, further = diagnose(volume, region, found, roi, self.params.resample)
            warnings += further
        facts = RegionFacts(
            voxels=int(np.count_nonzero(roi.morphology)),
            intensity_voxels=int(np.count_nonzero(roi.intensity)),
            volume_ml=outline_ml(roi),
            native_mm=xyz(volume.spacing_mm),
            voxel_mm=xyz(found.volume.spacing_mm),
            levels=count,
            warnings=tuple(warnings),
            centroid_mm=centroid_mm(region),
            outline_ml=outline_ml(region),
        )
        return RegionFeatures(values, undefined, facts, diagnostics)

    def _compute(self, samples: Samples, foreign: str) -> tuple[dict[str, float], dict[str, str]]:
        """Values by column, and the reasons of those that are NaN.

        foreign : why what hangs on the image's unit has no value; empty where the image is in the unit meant
        """
        values: dict[str, float] = {}
        undefined: dict[str, str] = {}
        for computation in self.computations:
            family = computation.family
            without = withheld(family, computation.discretise, self.params) if foreign else frozenset[str]()
            numbers, reasons = dict.fromkeys(without, math.nan), dict.fromkeys(without, foreign)
            if len(without) < len(family.features):
                try:
                    found, why = family.compute(samples.of(computation))
                except Undefined as reason:
                    found, why = dict.fromkeys(family.features, math.nan), dict.fromkeys(family.features, str(reason))
                numbers, reasons = {**found, **numbers}, {**why, **reasons}
            for feature, spec in computation.columns.items():
                values[spec.column] = numbers[feature]
                if feature in reasons:
                    undefined[spec.column] = reasons[feature]
        return values, undefined


def plan_ibsi(params: SeriesParams, series: str, *, named: bool = True) -> IbsiPlan:
    """The plan of one series; `named`: its columns begin with the series' name.

    Raises ParamsError for a family or a reference region that does not exist.
    """
    prefix = series if named else ""
    families = [*_families(params.families, series), *_configured(params, series)]
    ways: list[tuple[str, Sequence[Family], Discretise, Aggregation, Response | None]]
    ways = [("", families, params.discretise, params.aggregation, None)]
    for setting in params.settings:
        scheme = setting.discretise or params.discretise
        aggregation = setting.aggregation or params.aggregation
        ways.append((setting.name, _families(setting.families, series), scheme, aggregation, None))
    for found in responses(params.filters, params.aggregation, series):
        ways.append(("", found.families, found.discretise, found.aggregation, found))
    numbered = isinstance(params.ivh, IvhBinNumber)  # the axis of the histogram then holds bin numbers
    computations = []
    for token, members, scheme, requested, response in ways:
        for family in members:
            gathered = family.aggregation_of(requested)
            image = response.token if response else family.image
            bins = response is not None or numbered
            columns = {
                feature.name: ColumnSpec(
                    ColumnName(prefix, image, family.token, feature.name, token),
                    "ibsi",
                    gathered,
                    feature.ibsi,
                    feature.unit.replace("{u}", _unit(family, params.unit if response is None else UNIT, bins)),
                    feature.definition,
                    response.told(family) if response else "",
                )
                for feature in family.features.values()
            }
            levels = scheme if family.needs_levels else None
            computations.append(Computation(family, gathered, levels, columns, response))
    try:
        for computation in computations:
            for spec in computation.columns.values():
                str(spec.name)
    except ValueError as e:
        raise ParamsError(f"series {series}: {e}") from None
    needed = tuple(dict.fromkeys(c.discretise for c in computations if c.discretise and c.response is None))
    return IbsiPlan(series, prefix, ibsi_source(params), params, tuple(computations), needed)


def _unit(family: Family, unit: str, numbered: bool) -> str:
    """The unit of intensities, as a family sees them; numbered : its histogram counts along bin numbers"""
    return "1" if family.token == ivh.token and numbered else unit


def unknown_family(name: str) -> str:
    """What is wrong with the name of a family; empty where there is one of that name."""
    known = [family.token for family in FAMILIES]
    if name in known:
        return ""
    if name.lower() in SECTIONS:
        section = SECTIONS[name.lower()]
        return (
            f"family {name!r} is asked for by a section of its own, not by name: write `{section}: {{}}` beside "
            "`families:` and take it out here"
        )
    return f"no feature family {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}"


def _families(wanted: str | tuple[str, ...], series: str) -> list[Family]:
    if isinstance(wanted, str):
        return list(FAMILIES)
    for problem in filter(None, map(unknown_family, wanted)):
        raise ParamsError(f"series {series}: {problem}")
    return [family for family in FAMILIES if family.token in wanted]


def _configured(params: SeriesParams, series: str) -> list[Family]:
    """The families that sections of their own ask for."""
    families = []
    try:
        if params.uptake is not None:
            families.append(uptake_family(params.uptake, tuple(params.references)))
        if params.polar_map is not None:
            families += polar_map_families(params.polar_map)
    except ValueError as e:
        raise ParamsError(f"series {series}: {e}") from None
    return families


def _warnings(touches: str, levels: int | None, foreign: str) -> Iterator[str]:
    if foreign:
        yield f"{foreign}: what hangs on the unit is left empty"
    if touches:
        yield f"the region touches the border of the image ({touches}); it may be cut off"
    if levels is not None and levels < FEW_LEVELS:
        yield f"{levels} grey level{'s' if levels > 1 else ''} only; textures say little, use narrower bins"
