"""Polar map of the left ventricle: perfusion by the 17 segments, compared with normal, scored and summed.

Sampled on the voxels of the file, inside and beside the outline as drawn. Scores come from ratios to a normal map, and
are called so (`SssRatio`, `SrsRatio`): they are no total perfusion deficit, which needs a database of normal studies.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from radiomics_pipeline.features.polar_map_sample import PolarMapSample, Sampled, reach_mm
from radiomics_pipeline.features.polar_map_textures import map_textures
from radiomics_pipeline.features.registry import Family, FeatureSpec, Sample, Undefined
from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.types.polar_map import SEGMENTS, TERRITORIES

SUMMED = {"stress": "SssRatio", "rest": "SrsRatio", None: "SummedScoreRatio"}
"""What the summed score is called, by the role of the series."""


def polar_map_family(params: PolarMap) -> Family:
    """The features of the map with these parameters."""
    family = Family(
        "polarmap",
        title="Polar map of the left ventricle",
        ibsi="",
        prepare=partial(_prepared, params=params),
        reach_mm=reach_mm(params),
        native=True,
    )
    for spec in (*_segment_features(), *_territory_features(), *_map_features(params)):
        family.add(spec)
    return family


def polar_map_families(params: PolarMap) -> tuple[Family, ...]:
    """The features of the map, then the texture families of the map as an image, if any."""
    return polar_map_family(params), *map_textures(params)


def _prepared(sample: Sample, params: PolarMap) -> list[PolarMapSample]:
    return [PolarMapSample(sample.once(Sampled(params)), params)]


def _segment_mean(number: int, s: PolarMapSample) -> float:
    return s.segment(s.means, number)


def _segment_minimum(number: int, s: PolarMapSample) -> float:
    return float(s.inside(number).min())


def _segment_sd(number: int, s: PolarMapSample) -> float:
    return float(s.inside(number).std())


def _segment_ratio(number: int, s: PolarMapSample) -> float:
    return s.segment(s.ratios, number)


def _segment_score(number: int, s: PolarMapSample) -> float:
    return s.segment(s.scores, number)


OF_SEGMENT: tuple[tuple[str, str, str, Callable[[int, PolarMapSample], float]], ...] = (
    ("Mean", "{u}", "Mean of the map in {where}.", _segment_mean),
    ("Min", "{u}", "Minimum of the map in {where}.", _segment_minimum),
    ("Sd", "{u}", "Standard deviation (divisor n) of the map in {where}.", _segment_sd),
    (
        "Ratio",
        "1",
        "Mean of {where} over that of the normal map; 1 in the segment where this is highest, unless normalise is "
        "none.",
        _segment_ratio,
    ),
    (
        "Score",
        "1",
        "Number of cut points that the ratio of {where} lies below: with four, 0 is normal and 4 absent.",
        _segment_score,
    ),
)
"""Features of each segment: end of the name, unit, definition, function."""


def _segment_features() -> list[FeatureSpec]:
    return [
        FeatureSpec(f"Segment{n:02d}{end}", "", unit, told.format(where=f"segment {n} ({what})"), partial(compute, n))
        for n, what in enumerate(SEGMENTS, 1)
        for end, unit, told, compute in OF_SEGMENT
    ]


def _territory_mean(s: PolarMapSample, name: str) -> float:
    return s.territory(s.means, name)


def _territory_ratio(s: PolarMapSample, name: str) -> float:
    return s.territory(s.ratios, name)


def _territory_score(s: PolarMapSample, name: str) -> float:
    return sum(s.segment(s.scores, number) for number in TERRITORIES[name])


def _territory_features() -> list[FeatureSpec]:
    found = []
    for name, numbers in TERRITORIES.items():
        token = name.capitalize()
        where = f"the territory of the {name} (segments {', '.join(map(str, numbers))})"
        by = "each segment by the area of its wall"
        found += [
            _spec(f"{token}Mean", "{u}", f"Mean of the map in {where}, {by}.", partial(_territory_mean, name=name)),
            _spec(
                f"{token}Ratio", "1", f"Mean ratio to normal in {where}, {by}.", partial(_territory_ratio, name=name)
            ),
            _spec(f"{token}Score", "1", f"Sum of the scores in {where}.", partial(_territory_score, name=name)),
        ]
    return found


def _spec(name: str, unit: str, told: str, compute: Callable[[PolarMapSample], float]) -> FeatureSpec:
    return FeatureSpec(name, "", unit, told, compute)


def _map_features(params: PolarMap) -> list[FeatureSpec]:
    called = {"stress": "sss_ratio", "rest": "srs_ratio", None: "summed score"}[params.role]
    told = (
        f"Sum of the 17 segments' scores from their ratios to normal ({called}); not a reader's score, and no total "
        "perfusion deficit."
    )
    below = f"the ratio to normal lies below {params.extent_below:g}"
    return [
        _spec(SUMMED[params.role], "1", told, _summed_score),
        _spec("AbnormalSegments", "1", "Number of segments with a score above 0.", _abnormal_segments),
        _spec("LowestRatio", "1", "Lowest ratio to normal of the 17 segments.", _lowest_ratio),
        _spec("Extent", "1", f"Share of the wall, by its area, where {below}.", _extent),
        _spec("Severity", "1", f"Mean of 1 minus the ratio, by area, where {below}.", _severity),
        _spec("Deficit", "1", "Extent times severity: the deficit over the whole wall; 0 without a defect.", _deficit),
        _spec("Mean", "{u}", "Mean of the map, by area of the wall.", _mean),
        _spec("CoefficientOfVariation", "1", "Standard deviation of the map over its mean, by area of the wall.", _cov),
        _spec("SegmentVariation", "1", "Standard deviation of the segments' ratios over their mean.", _segment_cov),
        _spec(
            "Entropy",
            "1",
            f"Shannon entropy in bits, by area, of the map in {_levels(params)} grey levels between its minimum and "
            "maximum.",
            _entropy,
        ),
        _spec("WallFound", "1", "Share of the map's places where the mask has a wall.", _wall_found),
    ]


def _summed_score(s: PolarMapSample) -> float:
    return float(s.all_of(s.scores).sum())


def _abnormal_segments(s: PolarMapSample) -> float:
    return float((s.all_of(s.scores) > 0).sum())


def _lowest_ratio(s: PolarMapSample) -> float:
    return float(s.all_of(s.ratios).min())


def _extent(s: PolarMapSample) -> float:
    return float(s.defect.sum() / s.area.sum())


def _severity(s: PolarMapSample) -> float:
    defect = s.defect
    if not defect.any():
        raise Undefined("no part of the wall is a defect")
    return float((defect * (1 - s.place_ratios)).sum() / defect.sum())


def _deficit(s: PolarMapSample) -> float:
    return float((s.defect * (1 - s.place_ratios)).sum() / s.area.sum())


def _mean(s: PolarMapSample) -> float:
    return float((s.area * s.filled).sum() / s.area.sum())


def _cov(s: PolarMapSample) -> float:
    mean = _mean(s)
    if not mean > 0:
        raise Undefined(f"the map's mean is {mean:g}, not above 0")
    return math.sqrt(float((s.area * (s.filled - mean) ** 2).sum() / s.area.sum())) / mean


def _segment_cov(s: PolarMapSample) -> float:
    ratios = s.all_of(s.ratios)
    mean = float(ratios.mean())
    if not mean > 0:
        raise Undefined(f"the mean ratio is {mean:g}, not above 0")
    return float(ratios.std()) / mean


def _entropy(s: PolarMapSample) -> float:
    inside = s.filled[s.found]
    low, high = float(inside.min()), float(inside.max())
    if not high > low:
        return 0.0
    n = _levels(s.params)
    level = np.minimum((n * (inside - low) / (high - low)).astype(int), n - 1)
    p = np.bincount(level, s.area[s.found], n)
    p = p[p > 0] / p.sum()
    return float(-(p * np.log2(p)).sum())


def _wall_found(s: PolarMapSample) -> float:
    return float(s.found.mean())


def _levels(params: PolarMap) -> int:
    return params.textures.levels if params.textures else 32
