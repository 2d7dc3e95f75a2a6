"""Features of the polar map: segments, ratios, scores, defects, textures."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from radiomics_pipeline.extraction.standards import plan_series
from radiomics_pipeline.features.glcm import glcm
from radiomics_pipeline.features.polar_map import polar_map_families, polar_map_family
from radiomics_pipeline.features.polar_map_sample import PolarMapSample, Sampled
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.types import Levels, Region, read_name
from radiomics_pipeline.types.polar_map import SEGMENTS, TERRITORIES, WallMap
from tests.hearts import heart, settings

AREA = np.linspace(1, 3, 8)
NORMAL = tuple(1 + 0.05 * n for n in range(17))


def wall_map(segments: list[float], *, angles: int = 24) -> WallMap:
    """A map of 8 rings, two for each level, whose segments are even."""
    shares = np.zeros((17, 8, angles))
    values = np.zeros((8, angles))
    for number in range(17):
        level = 0 if number < 6 else 1 if number < 12 else 2 if number < 16 else 3
        rings = slice(6 - 2 * level, 8 - 2 * level)
        count, first = (6, 60) if level < 2 else (4, 45) if level == 2 else (1, 0)
        place = (number - (0, 6, 12, 16)[level]) * 360 / count + first
        for angle in range(angles):
            for half in (0.25, 0.75):
                inside = ((angle + half) * 360 / angles - place) % 360 < 360 / count
                shares[number, rings, angle] += 0.5 * inside
        values[rings] += shares[number, rings] * segments[number]
    return WallMap(values, AREA, shares, "counts")


def computed(segments: list[float], **changes: object) -> tuple[dict[str, float], dict[str, str]]:
    params = settings(rings=8, angles=24, **changes)
    found = polar_map_family(params)
    found.prepare = lambda sample: [sample]
    return found.compute(PolarMapSample(wall_map(segments), params))


def test_segments_give_their_mean_ratio_and_score():
    means = [100.0 * n for n in NORMAL]
    means[3] *= 0.6
    means[9] *= 0.86
    values, reasons = computed(means, normal=NORMAL)
    assert not [reason for feature, reason in reasons.items() if feature != "Severity"]
    assert values["Segment04Mean"] == pytest.approx(means[3])
    assert values["Segment04Min"] == pytest.approx(means[3])
    assert values["Segment04Ratio"] == pytest.approx(0.6)
    assert [values[f"Segment{n:02d}Score"] for n in (4, 10, 1)] == [2, 0, 0]
    assert values["SummedScoreRatio"] == 2
    assert values["AbnormalSegments"] == 1
    assert values["LowestRatio"] == pytest.approx(0.6)
    assert values["RcaScore"] == 2
    assert values["LadRatio"] == pytest.approx(1)


@pytest.mark.parametrize(("ratio", "score"), [(0.85, 0), (0.8499, 1), (0.7, 1), (0.5, 2), (0.3, 3), (0.2999, 4)])
def test_a_ratio_at_a_cut_point_scores_as_above_it(ratio, score):
    values, _ = computed([1.0] * 16 + [ratio])
    assert values["Segment17Score"] == score


@pytest.mark.parametrize(("role", "name"), [("stress", "SssRatio"), ("rest", "SrsRatio"), (None, "SummedScoreRatio")])
def test_the_summed_score_is_called_by_its_role_and_never_a_deficit_of_perfusion(role, name):
    family = polar_map_family(settings(role=role))
    assert name in family.features
    assert not any("tpd" in feature.lower() for feature in family.features)
    assert len(family.features) == 5 * 17 + 3 * 3 + 11


def test_own_maximum_is_the_segment_with_the_highest_ratio_to_normal():
    means = [50.0 * n for n in NORMAL]
    means[16] *= 0.9  # the highest mean still, and not the highest ratio
    values, _ = computed(means, normal=NORMAL)
    assert values["Segment01Ratio"] == pytest.approx(1)
    assert values["Segment17Ratio"] == pytest.approx(0.9)
    values, _ = computed(means, normal=NORMAL, normalise="none")
    assert values["Segment01Ratio"] == pytest.approx(50)
    values, _ = computed(means)
    assert max(values[f"Segment{n:02d}Ratio"] for n in range(1, 18)) == 1


def test_without_a_normal_map_and_a_maximum_there_is_no_ratio():
    values, reasons = computed([10.0] * 17, normalise="none")
    assert math.isnan(values["Segment01Ratio"])
    assert "nothing to compare with" in reasons["SummedScoreRatio"]
    assert values["Segment01Mean"] == 10
    assert math.isnan(computed([0.0] * 17)[0]["Segment01Ratio"])


def test_extent_and_severity_are_by_area():
    means = [1.0] * 17
    means[16] = 0.4  # rings 0 and 1
    values, _ = computed(means)
    share = AREA[:2].sum() / AREA.sum()
    assert values["Extent"] == pytest.approx(share)
    assert values["Severity"] == pytest.approx(0.6)
    assert values["Deficit"] == pytest.approx(0.6 * share)
    assert values["Mean"] == pytest.approx(1 - 0.6 * share)
    assert values["CoefficientOfVariation"] == pytest.approx(0.6 * math.sqrt(share * (1 - share)) / (1 - 0.6 * share))
    assert values["Entropy"] == pytest.approx(-share * math.log2(share) - (1 - share) * math.log2(1 - share))


def test_an_even_map_has_no_defect_and_no_severity():
    values, reasons = computed([7.0] * 17)
    assert (values["Extent"], values["Deficit"], values["Entropy"], values["SummedScoreRatio"]) == (0, 0, 0, 0)
    assert math.isnan(values["Severity"])
    assert set(reasons) == {"Severity"}


def test_territories_weigh_segments_by_the_area_of_their_wall():
    values, _ = computed([float(n) for n in range(1, 18)])
    area = {0: AREA[6:].sum() / 6, 1: AREA[4:6].sum() / 6, 2: AREA[2:4].sum() / 4, 3: AREA[:2].sum()}
    of = {n: area[0 if n < 7 else 1 if n < 13 else 2 if n < 17 else 3] for n in range(1, 18)}
    for name, numbers in TERRITORIES.items():
        expected = sum(n * of[n] for n in numbers) / sum(of[n] for n in numbers)
        assert values[f"{name.capitalize()}Mean"] == pytest.approx(expected)
    assert sorted(n for numbers in TERRITORIES.values() for n in numbers) == list(range(1, 18))
    assert len(SEGMENTS) == 17


def test_a_normal_map_of_places_compares_place_by_place():
    wall = wall_map([3.0 * n for n in NORMAL])
    params = settings(rings=8, angles=24, normal=(wall.values / 3).tolist())
    sample = PolarMapSample(wall, params)
    np.testing.assert_allclose(sample.ratios, 1)
    np.testing.assert_allclose(sample.place_ratios, 1)


def test_a_segment_without_a_wall_leaves_the_sum_undefined():
    volume, wall = heart(blur_mm=8)
    mask = wall.morphology.copy()
    mask[19:, :, :11] = False  # the basal septum
    params = settings()
    values, reasons = polar_map_family(params).compute(Sample(volume, Region(mask, mask, wall.grid)))
    assert math.isnan(values["SummedScoreRatio"])
    assert "less than half of segment" in reasons["SummedScoreRatio"]
    assert reasons["Segment03Mean"].endswith("has a wall")
    assert math.isfinite(values["Segment06Mean"])
    assert 0.7 < values["WallFound"] < 0.99


def test_textures_of_the_map_are_those_of_its_grey_levels():
    volume, wall = heart(lambda angle, height: 1.2 + np.sin(np.radians(angle)), blur_mm=8)
    params = settings(textures={"levels": 8, "families": ["glcm", "glrlm", "glszm", "ngtdm", "ngldm"]})
    sample = Sample(volume, wall)
    _, *textures = polar_map_families(params)
    assert [family.image for family in textures] == ["polar-map"] * 5
    values, reasons = textures[0].compute(sample)
    assert not reasons
    found = Sampled(params)(sample).values
    low, high = found.min(), found.max()
    levels = np.minimum(np.floor(8 * (found - low) / (high - low)) + 1, 8).astype(np.int32)
    expected, _ = glcm.compute(Sample(volume, wall, Levels(levels[None], 8), "3D:mrg"))
    assert values == pytest.approx(expected)
    for family in textures[1:]:
        assert all(map(math.isfinite, family.compute(sample)[0].values()))
    assert len(polar_map_families(settings(textures=None))) == 1


def test_the_map_is_sampled_once_and_families_travel_to_workers():
    volume, wall = heart(blur_mm=8)
    sample = Sample(volume, wall)
    families = pickle.loads(pickle.dumps(polar_map_families(settings())))
    first = [family.compute(sample)[0] for family in families]
    assert len([key for key in sample.memory if isinstance(key, Sampled)]) == 1
    assert first[0] == polar_map_family(settings()).compute(Sample(volume, wall))[0]


def test_columns_of_the_tracer_file_read_back():
    params = load_params("mpi_spect")
    for series, summed in (("stress", "SssRatio"), ("rest", "SrsRatio")):
        columns = [spec.column for spec in plan_series(params, series).columns]
        assert f"{series}_original_polarmap_{summed}" in columns
        assert f"{series}_polar-map_glcm_Contrast" in columns
        assert f"{series}_original_glcm_Contrast" in columns
        assert all(str(read_name(column)) == column for column in columns)
        assert len(set(columns)) == len(columns)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normal": [1.0] * 16}, "16 normal segments"),
        ({"normal": [0.0] * 17}, "above 0"),
        ({"normal": [[1.0] * 60] * 29}, "30 rings of 60 angles"),
        ({"cut_points": [0.3, 0.5]}, "descend"),
        ({"rest": "rest"}, "role: stress"),
        ({"angles": 50}, "multiple"),
    ],
)
def test_parameters_that_fit_nothing_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PolarMap.model_validate({"axis": settings().axis.model_dump(), **changes})
