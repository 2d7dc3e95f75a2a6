"""Stress against rest: what the polar maps of two series of one case say together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.extraction.plan import ORIGINAL
from radiomics_pipeline.features.polar_map import SUMMED
from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.params.run import Run, RunParams
from radiomics_pipeline.types import ColumnName, ColumnSpec
from radiomics_pipeline.types.polar_map import SEGMENTS, TERRITORIES

FAMILY = "polarmap"


@dataclass(frozen=True)
class Difference:
    """One column made of two: `combine` of the value at stress and that at rest.

    stress, rest : the columns that are read
    """

    spec: ColumnSpec
    stress: tuple[str, ...]
    rest: tuple[str, ...]
    combine: Callable[[list[float], list[float]], float]


@dataclass(frozen=True)
class StressRest:
    """All that is computed from the polar maps of a stress and a rest series.

    series : what columns begin with, such as "stress-rest"
    """

    series: str
    differences: tuple[Difference, ...]

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""
        return tuple(difference.spec for difference in self.differences)

    def values(self, row: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
        """Values by column, and the reasons of those that are NaN, from one row with the columns of both series."""
        values: dict[str, float] = {}
        reasons: dict[str, str] = {}
        for difference in self.differences:
            column = difference.spec.column
            stress = [row.get(name, math.nan) for name in difference.stress]
            rest = [row.get(name, math.nan) for name in difference.rest]
            lacking = [name for name in (*difference.stress, *difference.rest) if math.isnan(row.get(name, math.nan))]
            values[column] = math.nan if lacking else difference.combine(stress, rest) + 0.0
            if lacking:
                reasons[column] = f"{lacking[0]} has no value"
        return values, reasons


def stress_rest_plans(params: Run, prefixes: Mapping[str, str] | None = None) -> tuple[StressRest, ...]:
    """One plan for each series whose polar map names a rest series; empty where none does.

    prefixes : how the columns of each series begin; without, by the series' own name
    Raises ParamsError where the rest series does not exist, has no polar map, or one that is scored otherwise.
    """
    if not isinstance(params, RunParams):
        return ()
    found = []
    for name, section in params.series.items():
        stress = section.polar_map
        if stress is None or stress.rest is None:
            continue
        if stress.rest not in params.series or stress.rest == name:
            hint = did_you_mean(stress.rest, [other for other in params.series if other != name])
            raise ParamsError(f"series {name}: polar_map.rest names {stress.rest!r}, which is no other series{hint}")
        rest = params.series[stress.rest].polar_map
        _require_alike(name, stress, stress.rest, rest)
        assert rest is not None
        begin = prefixes or {}
        found.append(
            _plan(begin.get(name, name), stress, begin.get(stress.rest, stress.rest), rest, f"{name}-{stress.rest}")
        )
    return tuple(found)


def _require_alike(name: str, stress: PolarMap, other: str, rest: PolarMap | None) -> None:
    if rest is None:
        raise ParamsError(f"series {other}: it is the rest series of {name}, and has no polar_map; add one")
    for field in ("cut_points", "extent_below", "normalise"):
        if getattr(stress, field) != getattr(rest, field):
            raise ParamsError(
                f"series {name} and {other}: polar_map.{field} differs, so that their scores cannot be compared; give "
                "both the same"
            )
    if (stress.normal is None) != (rest.normal is None):
        raise ParamsError(f"series {name} and {other}: one of them has a normal map, the other none")


def _plan(stress: str, stress_map: PolarMap, rest: str, rest_map: PolarMap, series: str) -> StressRest:
    def column(of: str, feature: str) -> str:
        return str(ColumnName(of, ORIGINAL, FAMILY, feature))

    def made(
        feature: str, told: str, combine: Callable[[list[float], list[float]], float], *features: str
    ) -> Difference:
        """A column from these features of both series."""
        spec = ColumnSpec(ColumnName(series, ORIGINAL, FAMILY, feature), "ibsi", "3D", "", "1", told)
        return Difference(
            spec, tuple(column(stress, f) for f in features), tuple(column(rest, f) for f in features), combine
        )

    summed = ColumnSpec(
        ColumnName(series, ORIGINAL, FAMILY, "SdsRatio"),
        "ibsi",
        "3D",
        "",
        "1",
        "Summed score at stress minus that at rest, from ratios to normal (sds_ratio); not a reader's score.",
    )
    sums = Difference(
        summed, (column(stress, SUMMED[stress_map.role]),), (column(rest, SUMMED[rest_map.role]),), _difference
    )
    scores = [f"Segment{n:02d}Score" for n in range(1, len(SEGMENTS) + 1)]
    return StressRest(
        series,
        (
            sums,
            made(
                "IschaemicSegments",
                "Number of segments that score higher at stress than at rest.",
                _count_higher,
                *scores,
            ),
            made("ExtentDifference", "Extent at stress minus that at rest.", _difference, "Extent"),
            made("DeficitDifference", "Deficit at stress minus that at rest.", _difference, "Deficit"),
            *(
                made(
                    f"{name.capitalize()}ScoreDifference",
                    f"Summed score of the territory of the {name} at stress minus that at rest.",
                    _difference,
                    f"{name.capitalize()}Score",
                )
                for name in TERRITORIES
            ),
            *(
                made(
                    f"Segment{n:02d}RatioDifference",
                    f"Ratio to normal of segment {n} ({what}) at rest minus that at stress: above 0 where it recovers.",
                    _recovery,
                    f"Segment{n:02d}Ratio",
                )
                for n, what in enumerate(SEGMENTS, 1)
            ),
            *(
                made(
                    f"Segment{n:02d}ScoreDifference",
                    f"Score of segment {n} ({what}) at stress minus that at rest.",
                    _difference,
                    f"Segment{n:02d}Score",
                )
                for n, what in enumerate(SEGMENTS, 1)
            ),
        ),
    )


def _difference(stress: list[float], rest: list[float]) -> float:
    return stress[0] - rest[0]


def _recovery(stress: list[float], rest: list[float]) -> float:
    return rest[0] - stress[0]


def _count_higher(stress: list[float], rest: list[float]) -> float:
    return float(sum(s > r for s, r in zip(stress, rest, strict=True)))
