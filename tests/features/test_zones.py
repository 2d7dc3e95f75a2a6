"""Zones of one grey level, their distances to the border, and the features of GLSZM and GLDZM."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from radiomics_pipeline.features.counts import count_alike
from radiomics_pipeline.features.gldzm import gldzm
from radiomics_pipeline.features.glszm import glszm
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.kernels.distances import measure_distances
from radiomics_pipeline.kernels.zones import find_zones
from radiomics_pipeline.types import Grid, Levels, Region, Volume
from tests.naive import zones as naive

FAMILIES = {family.token: family for family in (glszm, gldzm)}
REACH = {"2D": (0, 1, 1), "2.5D": (0, 1, 1), "3D": (1, 1, 1)}
TERMS = [
    "1/jj", "jj", "1/ii", "ii", "1/iijj", "ii/jj", "jj/ii", "iijj", "level nonuniformity",
    "level nonuniformity, normalised", "number nonuniformity", "number nonuniformity, normalised", "percentage",
    "level variance", "number variance", "entropy",
]  # fmt: skip
"""What the features are, in the order in which both families declare them."""


def volumes(highest=3, longest=6):
    """Levels 0..highest in boxes; 0 is outside."""
    return arrays(np.int32, array_shapes(min_dims=3, max_dims=3, max_side=longest), elements=st.integers(0, highest))


def sample_of(levels, aggregation="3D", mask=None):
    levels = np.array(levels, np.int32)
    grid = Grid(levels.shape, (1.0, 1.0, 1.0))
    outline = levels > 0 if mask is None else mask
    grey = Levels(levels, int(levels.max()))
    return Sample(Volume(np.zeros(levels.shape), grid), Region(outline, levels > 0, grid), grey, aggregation)


def kernel_zones(levels, mask, reach):
    """Sorted rows of the kernel, called as the families call it."""
    sample = sample_of(levels, mask=mask)
    steps = np.array(reach, np.int64)
    return sorted(
        map(tuple, find_zones(sample.levels.array, measure_distances(sample.region.morphology, steps), steps).tolist())
    )


def naive_zones(levels, mask, reach):
    return naive.find_zones(levels, naive.measure_distances(mask, reach), reach)


def compute(levels, aggregation="3D", mask=None):
    """Values of both families by (family, feature)."""
    sample, found = sample_of(levels, aggregation, mask), {}
    for family in FAMILIES.values():
        values, reasons = family.compute(sample)
        assert not reasons
        found |= {(family.token, name): value for name, value in values.items()}
    return found


@pytest.mark.parametrize("reach", [(0, 1, 1), (1, 1, 1), (1, 0, 1), (1, 1, 0)])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(volumes(), st.data())
def test_zones_and_distances_are_those_of_flooding_and_eroding(reach, levels, data):
    mask = (levels > 0) | data.draw(arrays(bool, levels.shape))
    distances = measure_distances(sample_of(levels, mask=mask).region.morphology, np.array(reach, np.int64))
    assert naive.inside(distances) == naive.measure_distances(mask, reach)
    assert kernel_zones(levels, mask, reach) == naive_zones(levels, mask, reach)


@pytest.mark.parametrize("shape", [(3, 61, 47), (2, 3, 1500), (40, 2, 41)])
@pytest.mark.parametrize("highest", [1, 2, 8])
@pytest.mark.parametrize("reach", sorted(set(REACH.values())))
def test_zones_go_on_where_one_chunk_ends(shape, highest, reach):
    rng = np.random.default_rng(7)
    levels = rng.integers(1, highest + 1, shape).astype(np.int32) * (rng.random(shape) < 0.6)
    mask = (levels > 0) | (rng.random(shape) < 0.9)
    assert kernel_zones(levels, mask, reach) == naive_zones(levels, mask, reach)


def test_zones_stand_in_the_order_of_their_first_voxels():
    levels = np.array([[[2, 0, 1], [0, 0, 0], [1, 3, 3]]], np.int32)
    found = find_zones(levels, np.ones(levels.shape, np.int32), np.array([0, 1, 1]))
    assert found.tolist() == [[2, 1, 1], [1, 1, 1], [1, 1, 1], [3, 2, 1]]


def test_a_spiral_is_one_zone():
    levels = np.zeros((1, 41, 41), np.int32)
    y, x, dy, dx, left = 0, 0, 0, 1, 40
    while left > 0:
        for _ in range(2 if left < 40 else 1):
            for _ in range(left):
                levels[0, y, x] = 1
                y, x = y + dy, x + dx
            dy, dx = dx, -dy
        left -= 2
    size = np.count_nonzero(levels)
    for turned in (levels, levels[:, ::-1], levels[:, :, ::-1], levels.transpose(2, 1, 0), levels.transpose(1, 0, 2)):
        assert kernel_zones(np.ascontiguousarray(turned), turned > 0, (1, 1, 1)) == [(1, size, 1)]


@pytest.mark.parametrize("aggregation", REACH)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(volumes(highest=4), st.data())
def test_features_are_those_of_the_definitions(aggregation, levels, data):
    levels.flat[data.draw(st.integers(0, levels.size - 1))] = 4
    mask = (levels > 0) | data.draw(arrays(bool, levels.shape))
    reach = REACH[aggregation]
    parts = [(levels, mask)]
    if aggregation == "2D":
        parts = [(levels[z : z + 1], mask[z : z + 1]) for z in range(len(levels)) if levels[z].any()]
    expected = []
    for part, outline in parts:
        zones, n_voxels = naive_zones(part, outline, reach), np.count_nonzero(part)
        by_size = naive.matrix_features(Counter((i, j) for i, j, _ in zones), n_voxels)
        by_distance = naive.matrix_features(Counter((i, j) for i, _, j in zones), n_voxels)
        expected.append({("glszm", term): by_size[term] for term in TERMS})
        expected[-1] |= {("gldzm", term): by_distance[term] for term in TERMS}
    found = compute(levels, aggregation, mask)
    for token, family in FAMILIES.items():
        for name, term in zip(family.features, TERMS, strict=True):
            mean = np.mean([values[token, term] for values in expected])
            assert found[token, name] == pytest.approx(mean, rel=1e-9, abs=1e-12), (token, name)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(volumes(highest=3, longest=5), st.data())
def test_mirroring_and_turning_change_nothing(levels, data):
    levels.flat[0] = 1
    mask = (levels > 0) | data.draw(arrays(bool, levels.shape))
    flips = [axes for n in (1, 2, 3) for axes in itertools.combinations(range(3), n)]
    for aggregation in REACH:
        expected = compute(levels, aggregation, mask)
        for axes in flips:
            assert compute(np.flip(levels, axes), aggregation, np.flip(mask, axes)) == pytest.approx(
                expected, rel=1e-14
            )
        turns = [(1, 2)] if aggregation != "3D" else [(0, 1), (0, 2), (1, 2)]
        for axes in turns:
            turned = compute(np.rot90(levels, axes=axes), aggregation, np.rot90(mask, axes=axes))
            assert turned == pytest.approx(expected, rel=1e-14)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(volumes(highest=3, longest=5))
def test_empty_space_around_changes_nothing(levels):
    levels.flat[-1] = 2
    for aggregation in REACH:
        assert compute(np.pad(levels, 2), aggregation) == compute(levels, aggregation)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(volumes(highest=4, longest=5))
def test_gaps_between_levels_change_levels_only(levels):
    levels.flat[-1] = 4
    plain, spread = compute(levels), compute(levels * 1000)
    for name in ("SmallZoneEmphasis", "ZoneSizeVariance", "ZoneSizeEntropy", "GreyLevelNonUniformity"):
        assert spread["glszm", name] == plain["glszm", name]
    for name in ("ZoneDistanceVariance", "ZoneDistanceEntropy", "SmallDistanceEmphasis"):
        assert spread["gldzm", name] == plain["gldzm", name]
    assert spread["glszm", "HighGreyLevelEmphasis"] == pytest.approx(1e6 * plain["glszm", "HighGreyLevelEmphasis"])


@pytest.mark.parametrize("aggregation", REACH)
@pytest.mark.parametrize("level", [1, 5])
def test_one_voxel_is_one_zone_at_the_border(level, aggregation):
    found = compute([[[level]]], aggregation)
    assert found["glszm", "LargeZoneEmphasis"] == found["gldzm", "LargeDistanceEmphasis"] == 1
    assert found["glszm", "HighGreyLevelEmphasis"] == level**2
    assert found["glszm", "ZonePercentage"] == found["gldzm", "ZonePercentage"] == 1
    for name in ("ZoneSizeVariance", "GreyLevelVariance", "ZoneSizeEntropy"):
        assert found["glszm", name] == 0
        assert math.copysign(1, found["glszm", name]) == 1


def test_a_line_of_one_level_is_one_zone_in_the_volume_and_many_in_slices():
    line = np.ones((7, 1, 1), np.int32)
    assert compute(line)["glszm", "LargeZoneEmphasis"] == 49
    for aggregation in ("2D", "2.5D"):
        assert compute(line, aggregation)["glszm", "LargeZoneEmphasis"] == 1


def test_distance_is_that_to_the_outline_not_to_the_levels():
    levels, outline = np.zeros((7, 7, 7), np.int32), np.ones((7, 7, 7), bool)
    levels[3, 3, 3] = 1
    assert compute(levels, mask=outline)["gldzm", "LargeDistanceEmphasis"] == 16
    outline[3, 3, 5] = False
    assert compute(levels, mask=outline)["gldzm", "LargeDistanceEmphasis"] == 4
    outline[3, 3, 5], outline[2, 3, 3] = True, False
    assert compute(levels, mask=outline)["gldzm", "LargeDistanceEmphasis"] == 1
    assert compute(levels, "2D", outline)["gldzm", "LargeDistanceEmphasis"] == 16


def test_slices_are_averaged_or_merged():
    one, other = [[1, 1], [1, 1]], [[2, 0], [0, 3]]
    assert compute([one, other], "2D")["glszm", "LargeZoneEmphasis"] == (16 + 1) / 2
    assert compute([one, other], "2.5D")["glszm", "LargeZoneEmphasis"] == pytest.approx((16 + 1 + 1) / 3)
    empty = [[0, 0], [0, 0]]
    assert compute([one, empty, other], "2D") == compute([one, other], "2D")
    assert compute([one, empty, other], "2.5D") == compute([one, other], "2.5D")


def test_both_families_share_the_search_for_zones(monkeypatch):
    sample = sample_of(np.ones((3, 3, 3), np.int32))
    glszm.compute(sample)
    monkeypatch.setattr("radiomics_pipeline.features.zones.find_zones", None)
    gldzm.compute(sample)
    with pytest.raises(TypeError):
        gldzm.compute(sample_of(np.ones((3, 3, 3), np.int32)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(arrays(np.int64, st.tuples(st.integers(1, 3), st.integers(1, 30)), elements=st.integers(0, 3)), st.booleans())
def test_rows_alike_are_counted(columns, weighted):
    weights = np.arange(1, columns.shape[1] + 1) if weighted else None
    expected = Counter()
    for at, row in enumerate(columns.T.tolist()):
        expected[tuple(row)] += at + 1 if weighted else 1
    found, counts = count_alike(list(columns), weights)
    rows = list(zip(*(c.tolist() for c in found), strict=True))
    assert rows == sorted(expected)
    assert dict(zip(rows, counts.tolist(), strict=True)) == expected


def test_too_many_combinations_are_refused():
    with pytest.raises(OverflowError, match="exceed"):
        count_alike([np.array([2**40]), np.array([2**40])])


def test_unknown_aggregation_is_refused():
    with pytest.raises(ValueError, match="4D"):
        glszm.compute(sample_of([[[1]]], "4D"))
