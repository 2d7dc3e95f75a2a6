"""From parameters to the list of things to compute, and to the columns they give."""

from __future__ import annotations

from dataclasses import dataclass, replace

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.params.extraction import Discretise, SeriesParams
from radiomics_pipeline.params.run import RunParams
from radiomics_pipeline.types import ColumnName, ColumnSpec

ORIGINAL = "original"
"""Name of the image as it was read, before any filter."""


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
class SeriesPlan:
    """All computations on one image series.

    series : its name in the parameters; prefix : how its columns begin, empty for an unnamed image
    discretisations : grey levels that some family needs, the main ones first
    """

    series: str
    prefix: str
    params: SeriesParams
    computations: tuple[Computation, ...]
    discretisations: tuple[Discretise, ...]

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""
        return tuple(spec for c in self.computations for spec in c.columns.values())

    def without_features(self) -> SeriesPlan:
        """The same preparation of image and region, and no feature; for checking a study."""
        return replace(self, computations=())


def plan_series(params: RunParams, series: str, *, named: bool = True) -> SeriesPlan:
    """The plan of one series of the parameters; `named`: its columns begin with the series' name.

    Raises ParamsError for a family that does not exist.
    """
    chosen = params.series[series]
    prefix = series if named else ""
    ways = [("", _families(chosen.families, series), chosen.discretise, chosen.aggregation)]
    for setting in chosen.settings:
        discretise = setting.discretise or chosen.discretise
        aggregation = setting.aggregation or chosen.aggregation
        ways.append((setting.name, _families(setting.families, series), discretise, aggregation))
    computations = []
    for token, families, discretise, requested in ways:
        for family in families:
            gathered = family.aggregation_of(requested)
            columns = {
                feature.name: ColumnSpec(
                    ColumnName(prefix, ORIGINAL, family.token, feature.name, token),
                    params.standard,
                    gathered,
                    feature.ibsi,
                    feature.unit.replace("{u}", chosen.unit),
                    feature.definition,
                )
                for feature in family.features.values()
            }
            levels = discretise if family.needs_levels else None
            computations.append(Computation(family, gathered, levels, columns))
    try:
        for computation in computations:
            for spec in computation.columns.values():
                str(spec.name)
    except ValueError as e:
        raise ParamsError(f"series {series}: {e}") from None
    needed = tuple(dict.fromkeys(c.discretise for c in computations if c.discretise))
    return SeriesPlan(series, prefix, chosen, tuple(computations), needed)


def _families(wanted: str | tuple[str, ...], series: str) -> list[Family]:
    known = {family.token: family for family in FAMILIES}
    if isinstance(wanted, str):
        return list(known.values())
    for name in wanted:
        if name not in known:
            raise ParamsError(
                f"series {series}: no feature family {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}"
            )
    return [known[name] for name in known if name in wanted]
