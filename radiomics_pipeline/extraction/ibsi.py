"""Features of one region by the definitions of the IBSI: from parameters to columns, and from a region to a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.extraction.ibsi_diagnostics import diagnose
from radiomics_pipeline.extraction.plan import ORIGINAL, SeriesPlan
from radiomics_pipeline.extraction.result import RegionFacts, RegionFeatures, stage, touched_faces, xyz
from radiomics_pipeline.extraction.source import ibsi_source
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.ivh import ivh
from radiomics_pipeline.features.registry import Family, Sample
from radiomics_pipeline.imaging.discretise import discretise
from radiomics_pipeline.imaging.ivh import intensity_volume
from radiomics_pipeline.imaging.resample import Resampled, resample
from radiomics_pipeline.imaging.resegment import resegment
from radiomics_pipeline.params.extraction import Discretise, IvhBinNumber, SeriesParams
from radiomics_pipeline.types import ColumnName, ColumnSpec, Levels, Region, Volume

FEW_LEVELS = 4
"""With fewer grey levels than this, textures say little; a warning."""


@dataclass(frozen=True)
class Computation:
    """One family computed in one way.

    discretise : grey levels it sees, None for families that need none
    columns : what its features are called, by the feature's name
    """

    family: Family
    aggregation: str
    discretise: Discretise | None
    columns: dict[str, ColumnSpec]


@dataclass(frozen=True)
class IbsiPlan(SeriesPlan):
    """All computations on one series.

    discretisations : grey levels that some family needs, the main ones first
    """

    params: SeriesParams
    computations: tuple[Computation, ...]
    discretisations: tuple[Discretise, ...]

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""
        return tuple(spec for c in self.computations for spec in c.columns.values())

    @property
    def margin_mm(self) -> float:
        """How far around the region's box the image is needed."""
        return max((c.family.reach_mm for c in self.computations), default=0.0)

    def without_features(self) -> SeriesPlan:
        """The same preparation of image and region, and no feature."""
        return replace(self, computations=())

    def extract(self, volume: Volume, region: Region) -> RegionFeatures:
        """All features of one region; CaseError where a step cannot be done rightly."""
        touches = touched_faces(region)
        with stage("resample"):
            found = resample(volume, region, self.params.resample, self.margin_mm)
        with stage("resegment"):
            roi = resegment(found.volume, found.region, self.params.resegment)
        levels: dict[Discretise, Levels] = {}
        with stage("discretise"):
            for wanted in self.discretisations:
                levels[wanted] = discretise(found.volume, roi, wanted)
        with stage("features"):
            values, undefined = self._compute(found, roi, levels)
        main = levels.get(self.params.discretise)
        count = None if main is None else len(main.present)
        warnings = list(_warnings(touches, count))
        diagnostics: dict[str, str] = {}
        if self.params.diagnostics:
            diagnostics, further = diagnose(volume, region, found, roi, self.params.resample)
            warnings += further
        facts = RegionFacts(
            voxels=int(np.count_nonzero(roi.morphology)),
            intensity_voxels=int(np.count_nonzero(roi.intensity)),
            volume_ml=float(np.count_nonzero(roi.morphology) * roi.grid.voxel_volume_mm3 / 1000),
            native_mm=xyz(volume.spacing_mm),
            voxel_mm=xyz(found.volume.spacing_mm),
            levels=count,
            warnings=tuple(warnings),
        )
        return RegionFeatures(values, undefined, facts, diagnostics)

    def _compute(
        self, found: Resampled, roi: Region, levels: dict[Discretise, Levels]
    ) -> tuple[dict[str, float], dict[str, str]]:
        """Values by column, and the reasons of those that are NaN."""
        values: dict[str, float] = {}
        undefined: dict[str, str] = {}
        samples: dict[tuple[Discretise | None, str], Sample] = {}
        axis = None
        if any(c.family.token == ivh.token for c in self.computations):
            axis = intensity_volume(found.volume, roi, self.params.ivh, self.params.resegment.range)
        for computation in self.computations:
            way = (computation.discretise, computation.aggregation)
            if way not in samples:
                seen = levels[computation.discretise] if computation.discretise else None
                samples[way] = Sample(
                    found.volume, roi, seen, computation.aggregation, found.around, found.offset, axis
                )
            numbers, reasons = computation.family.compute(samples[way])
            for feature, spec in computation.columns.items():
                values[spec.column] = numbers[feature]
            undefined |= {computation.columns[feature].column: reason for feature, reason in reasons.items()}
        return values, undefined


def plan_ibsi(params: SeriesParams, series: str, *, named: bool = True) -> IbsiPlan:
    """The plan of one series; `named`: its columns begin with the series' name.

    Raises ParamsError for a family that does not exist.
    """
    prefix = series if named else ""
    ways = [("", _families(params.families, series), params.discretise, params.aggregation)]
    for setting in params.settings:
        scheme = setting.discretise or params.discretise
        aggregation = setting.aggregation or params.aggregation
        ways.append((setting.name, _families(setting.families, series), scheme, aggregation))
    numbered = isinstance(params.ivh, IvhBinNumber)  # the axis of the histogram then holds bin numbers
    computations = []
    for token, families, scheme, requested in ways:
        for family in families:
            gathered = family.aggregation_of(requested)
            columns = {
                feature.name: ColumnSpec(
                    ColumnName(prefix, ORIGINAL, family.token, feature.name, token),
                    "ibsi",
                    gathered,
                    feature.ibsi,
                    feature.unit.replace("{u}", "1" if family is ivh and numbered else params.unit),
                    feature.definition,
                )
                for feature in family.features.values()
            }
            levels = scheme if family.needs_levels else None
            computations.append(Computation(family, gathered, levels, columns))
    try:
        for computation in computations:
            for spec in computation.columns.values():
                str(spec.name)
    except ValueError as e:
        raise ParamsError(f"series {series}: {e}") from None
    needed = tuple(dict.fromkeys(c.discretise for c in computations if c.discretise))
    return IbsiPlan(series, prefix, ibsi_source(params), params, tuple(computations), needed)


def unknown_family(name: str) -> str:
    """What is wrong with the name of a family; empty where there is one of that name."""
    known = [family.token for family in FAMILIES]
    if name in known:
        return ""
    return f"no feature family {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}"


def _families(wanted: str | tuple[str, ...], series: str) -> list[Family]:
    if isinstance(wanted, str):
        return list(FAMILIES)
    for problem in filter(None, map(unknown_family, wanted)):
        raise ParamsError(f"series {series}: {problem}")
    return [family for family in FAMILIES if family.token in wanted]


def _warnings(touches: str, levels: int | None) -> Iterator[str]:
    if touches:
        yield f"the region touches the border of the image ({touches}); it may be cut off"
    if levels is not None and levels < FEW_LEVELS:
        yield f"{levels} grey level{'s' if levels > 1 else ''} only; textures say little, use narrower bins"
