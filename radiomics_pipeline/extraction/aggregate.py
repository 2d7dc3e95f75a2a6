"""Rows of lesions to rows of patients (or of cases): burden and spread, statistics of any feature, left and right."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from radiomics_pipeline.errors import ParamsError, did_you_mean, some
from radiomics_pipeline.extraction.lesion_statistics import COMPARISONS, STATISTICS, describe_lesions
from radiomics_pipeline.extraction.plan import ORIGINAL
from radiomics_pipeline.features.patient import VOLUME, Burden, LesionFacts, patient_family
from radiomics_pipeline.features.registry import Family, Undefined
from radiomics_pipeline.features.uptake import uptake
from radiomics_pipeline.params.aggregate import Aggregate, Statistic
from radiomics_pipeline.types import ColumnName, ColumnSpec

DIGITS_MM, DIGITS_ML = 3, 6
"""To which two regions have the same place and the same volume: those of copies differ by rounding alone."""


@dataclass(frozen=True)
class LesionRow:
    """One row of the table of regions, with what its image's headers and its outline say.

    values : by column, NaN where undefined
    position_mm, volume_ml : of the outline on the voxels of the file, in the series that is aggregated
        (`RegionFacts.centroid_mm`, `outline_ml`); None and NaN where the row has no region in it
    frame : key of the space that positions belong to, such as one of the frame of reference; never the UID itself
    bsa_m2 : the patient's body surface area, NaN where not known
    """

    patient: str
    case: str
    roi: str
    values: Mapping[str, float]
    position_mm: tuple[float, float, float] | None = None
    volume_ml: float = math.nan
    frame: str = ""
    bsa_m2: float = math.nan


@dataclass(frozen=True)
class PatientRow:
    """One patient, or one case.

    case : its name where rows are cases; empty where they are patients
    cases : those that the row is made from
    lesions : names of the lesions, with their case where there are several cases
    hottest, largest : the names of those lesions; empty where there is none
    values : by column, NaN where undefined; undefined : the reasons
    notes : what a reader of the row should know
    """

    patient: str
    case: str
    cases: tuple[str, ...]
    lesions: tuple[str, ...]
    hottest: str
    largest: str
    values: dict[str, float]
    undefined: dict[str, str]
    notes: tuple[str, ...]


@dataclass
class _Found:
    """Values of one row while it is made."""

    values: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def keep(self, column: str, compute: Callable[[], float]) -> None:
        """What `compute` gives, or NaN with its reason."""
        try:
            value = compute()
            if not math.isfinite(value):
                raise Undefined("the value exceeds the range of numbers")
            self.values[column] = value + 0.0
        except Undefined as reason:
            self.values[column], self.undefined[column] = math.nan, str(reason)


def aggregate(
    rows: Sequence[LesionRow],
    specs: Sequence[ColumnSpec],
    params: Aggregate,
    *,
    cases: Sequence[tuple[str, str]] = (),
    incomplete: Mapping[str, str] | None = None,
) -> tuple[tuple[ColumnSpec, ...], list[PatientRow]]:
    """The columns of the table of patients, and its rows in the order in which patients first appear.

    specs : all columns of the table of regions
    cases : name and patient of every case that was read, so that one without any lesion has its row, of 0 lesions;
        where empty, the cases are those of `rows`
    incomplete : cases of which a region was lost, with the reason: what is summed or compared over lesions is undefined
    Raises ParamsError where series or features are asked for that there are not.
    """
    plan = plan_aggregate(specs, params)
    groups: dict[str, tuple[str, dict[str, None], list[LesionRow]]] = {}
    for case, patient in [*cases, *((row.case, row.patient) for row in rows)]:
        key = case if params.by == "case" else patient
        groups.setdefault(key, (patient, {}, []))[1][case] = None
    for row in rows:
        groups[row.case if params.by == "case" else row.patient][2].append(row)
    lost = incomplete or {}
    return plan.columns, [
        plan.row(patient, tuple(named), sorted(found, key=lambda r: (r.case, r.roi)), lost)
        for patient, named, found in groups.values()
    ]


def aggregated_series(specs: Sequence[ColumnSpec], params: Aggregate) -> str:
    """The series whose outlines and uptake count, as columns begin with it; empty for unnamed images.

    Raises ParamsError where it is not there, or where several could be meant.
    """
    known = list(dict.fromkeys(spec.name.series for spec in specs))
    if params.series is not None:
        if params.series in known:
            return params.series
        if known == [""]:
            return ""
        raise ParamsError(
            f"aggregate.series: no series {params.series!r} here{did_you_mean(params.series, known)}; there are: "
            f"{', '.join(known) or 'none'}"
        )
    measured = list(dict.fromkeys(spec.name.series for spec in specs if spec.name.family == uptake.token))
    for several in (measured, known):
        if len(several) == 1:
            return several[0]
    raise ParamsError(f"aggregate.series: say which series counts; there are: {', '.join(measured or known) or 'none'}")


@dataclass(frozen=True)
class AggregatePlan:
    """What a row of the table of patients holds.

    burden : columns of the indices of a patient, by the feature's name
    uptake : columns of the lesions' indices, by the feature's name
    statistics : column, feature and statistic of each column over lesions
    pairs : column, feature, pair and comparison of each column of left and right
    """

    params: Aggregate
    family: Family
    burden: dict[str, ColumnSpec]
    uptake: dict[str, str]
    statistics: tuple[tuple[ColumnSpec, ColumnSpec, Statistic], ...]
    pairs: tuple[tuple[ColumnSpec, ColumnSpec, str, str], ...]

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The columns in the order of the table."""
        return (*self.burden.values(), *(s for s, *_ in self.statistics), *(s for s, *_ in self.pairs))

    def row(
        self, patient: str, cases: tuple[str, ...], rows: Sequence[LesionRow], lost: Mapping[str, str]
    ) -> PatientRow:
        """The row of one patient, of all its rows of regions."""
        lesions = [row for row in rows if self._is_lesion(row)]
        names = [f"{row.case}/{row.roi}" if len(cases) > 1 else row.roi for row in lesions]
        burden = self._burden(lesions, names)
        reason = next((lost[case] for case in cases if case in lost), "")
        found = _Found()
        if reason:
            columns = [spec.column for spec in (*self.burden.values(), *(s for s, *_ in self.statistics))]
            found.values, found.undefined = dict.fromkeys(columns, math.nan), dict.fromkeys(columns, reason)
        else:
            self._describe(found, burden, lesions)
        for spec, source, pair, way in self.pairs:
            found.keep(spec.column, lambda s=source, p=pair, w=way: self._compare(rows, s, p, w))  # type: ignore[misc]
        found.notes += _alike(lesions, names)
        frames = {row.frame for row in lesions}
        if len(frames) > 1:
            found.notes.append(
                f"lesions of {len(frames)} images are put together; where these are several examinations, aggregate "
                "by: case"
            )
        return PatientRow(
            patient,
            cases[0] if self.params.by == "case" else "",
            cases,
            tuple(names),
            "" if reason else _leader(burden, "Maximum"),
            "" if reason else _leader(burden, VOLUME),
            found.values,
            found.undefined,
            tuple(found.notes),
        )

    def _is_lesion(self, row: LesionRow) -> bool:
        pattern = self.params.lesions
        return pattern is not None and re.fullmatch(pattern, row.roi, re.IGNORECASE) is not None

    def _burden(self, lesions: Sequence[LesionRow], names: Sequence[str]) -> Burden:
        facts = tuple(
            LesionFacts(
                name or "(unnamed)",
                row.volume_ml,
                row.position_mm,
                row.frame,
                {feature: row.values.get(column, math.nan) for feature, column in self.uptake.items()},
            )
            for row, name in zip(lesions, names, strict=True)
        )
        areas = {row.bsa_m2 for row in lesions if not math.isnan(row.bsa_m2)}
        single = 0.0 if self.params.dmax_of_one_lesion == "zero" else math.nan
        return Burden(facts, areas.pop() if len(areas) == 1 else math.nan, single)

    def _describe(self, found: _Found, burden: Burden, lesions: Sequence[LesionRow]) -> None:
        """The indices of the patient, and statistics of features over the lesions."""
        numbers, reasons = self.family.compute(burden)
        for feature, spec in self.burden.items():
            found.values[spec.column] = numbers[feature]
            if feature in reasons:
                found.undefined[spec.column] = reasons[feature]
        without: dict[str, int] = {}
        for spec, source, statistic in self.statistics:
            pairs = [(row.values.get(source.column, math.nan), row.volume_ml) for row in lesions]
            there = [(value, ml) for value, ml in pairs if not math.isnan(value)]
            found.keep(spec.column, lambda p=there, s=statistic: describe_lesions(p, s))  # type: ignore[misc]
            if there and len(there) < len(lesions):
                without[source.column] = len(lesions) - len(there)
        found.notes += [
            f"{column}: {n} of {len(lesions)} lesions without a value, left out of its statistics"
            for column, n in without.items()
        ]

    def _compare(self, rows: Sequence[LesionRow], source: ColumnSpec, pair: str, way: str) -> float:
        values = []
        for name in self.params.pairs[pair]:
            there = [row for row in rows if row.roi == name]
            if len(there) != 1:
                more = "; aggregate by: case" if there else ""
                raise Undefined(f"there {'are several regions' if there else 'is no region'} {name}{more}")
            value = there[0].values.get(source.column, math.nan)
            if math.isnan(value):
                raise Undefined(f"region {name} has no {source.column}")
            values.append(value)
        return COMPARISONS[way].compute(values[0], values[1])


def _alike(lesions: Sequence[LesionRow], names: Sequence[str]) -> list[str]:
    """A note on lesions of one place and volume: most likely the same region, drawn or copied twice."""
    held: dict[tuple[object, ...], list[str]] = {}
    for row, name in zip(lesions, names, strict=True):
        if row.position_mm is not None and row.volume_ml > 0:
            place = tuple(round(x, DIGITS_MM) for x in row.position_mm)
            held.setdefault((row.frame, place, round(row.volume_ml, DIGITS_ML)), []).append(name)
    twice = [" = ".join(same) for same in held.values() if len(same) > 1]
    return [f"lesions of the same place and volume, each of which counts: {some(twice)}"] if twice else []


def plan_aggregate(specs: Sequence[ColumnSpec], params: Aggregate) -> AggregatePlan:
    """The columns of the table of patients from those of the table of regions; errors as of `aggregate`."""
    series = aggregated_series(specs, params)
    own = {s.name.feature: s for s in specs if (s.name.series, s.name.family) == (series, uptake.token)}
    indices = {feature: spec.column for feature, spec in own.items() if not spec.name.setting}
    unit = own["Maximum"].unit if "Maximum" in own else ""
    standard = specs[0].standard
    family = patient_family(indices)
    burden = {
        feature.name: ColumnSpec(
            ColumnName(series, ORIGINAL, family.token, feature.name),
            standard,
            "",
            feature.ibsi,
            feature.unit.replace("{u}", unit),
            feature.definition,
        )
        for feature in family.features.values()
        if params.lesions is not None
    }
    wanted = _matching(specs, params.features, "features") if params.features else []
    statistics = tuple(
        (_renamed(spec, statistic, STATISTICS[statistic], spec.unit), spec, statistic)
        for spec in wanted
        for statistic in params.statistics
        if params.lesions is not None
    )
    compared = _matching([s for s in specs if s.name.series == series], params.paired, "paired") if params.pairs else []
    pairs = tuple(
        (_renamed(spec, f"{way}-{pair}", comparison.told.format(*sides), comparison.unit), spec, pair, way)
        for spec in compared
        for pair, sides in params.pairs.items()
        for way, comparison in COMPARISONS.items()
    )
    plan = AggregatePlan(params, family, burden, indices, statistics, pairs)
    names = [spec.column for spec in plan.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ParamsError(f"aggregate: two columns would be called {twice}; rename a setting or a pair")
    if not names:
        raise ParamsError("aggregate: neither lesions nor pairs are asked for")
    return plan


def _matching(specs: Sequence[ColumnSpec], wanted: Sequence[str], key: str) -> list[ColumnSpec]:
    """The columns that fit some pattern, in their own order; ParamsError for a pattern that fits none."""
    found: dict[str, ColumnSpec] = {}
    for pattern in wanted:
        expression = re.compile(".*".join(map(re.escape, pattern.split("*"))))
        fits = [s for s in specs if expression.fullmatch(s.column) or expression.fullmatch(_short(s))]
        if not fits:
            hint = did_you_mean(pattern, [_short(s) for s in specs] + [s.column for s in specs])
            section = "; write a section `uptake:` in the series" if pattern.startswith("uptake_") else ""
            raise ParamsError(f"aggregate.{key}: no column fits {pattern!r}{hint}{section}")
        found |= {s.column: s for s in fits}
    return [s for s in specs if s.column in found]


def _short(spec: ColumnSpec) -> str:
    """A column's name without series and image."""
    return "_".join(part for part in (spec.name.family, spec.name.feature, spec.name.setting) if part)


def _renamed(spec: ColumnSpec, token: str, told: str, unit: str) -> ColumnSpec:
    """A column made from another, its setting told apart by a token."""
    setting = f"{spec.name.setting}-{token}" if spec.name.setting else token
    name = replace(spec.name, setting=setting)
    return replace(spec, name=name, ibsi_code="", unit=unit, definition=f"{told} {spec.definition}")


def _leader(burden: Burden, index: str) -> str:
    try:
        return burden.leading(index).name
    except Undefined:
        return ""
