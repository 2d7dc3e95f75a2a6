"""Neighbourhood sums, and the features of NGTDM and NGLDM."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from radiomics_pipeline.features.gathering import STEPS_2D, STEPS_3D
from radiomics_pipeline.features.ngldm import ngldm
from radiomics_pipeline.features.ngtdm import ngtdm
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.kernels.neighbours import sum_complexity, sum_neighbours
from radiomics_pipeline.types import Grid, Levels, Region, Volume
from tests.naive import neighbourhood as naive
from tests.naive import zones as naive_zones

FAMILIES = {family.token: family for family in (ngtdm, ngldm)}
STEPS = {"2D": STEPS_2D, "2.5D": STEPS_2D, "3D": STEPS_3D}
FAR = np.array([(0, 0, 2), (0, 2, -1), (2, 0, 0), (1, -2, 2)], np.int64)
TERMS = [
    "1/jj", "jj", "1/ii", "ii", "1/iijj", "ii/jj", "jj/ii", "iijj", "level nonuniformity",
    "level nonuniformity, normalised", "number nonuniformity", "number nonuniformity, normalised", "percentage",
    "level variance", "number variance", "entropy", "energy",
]  # fmt: skip
"""What the features of NGLDM are, in the order in which they are declared."""
NO_NEIGHBOURS = "no two voxels of the region are neighbours"


def volumes(highest=3, longest=6):
    """Levels 0..highest in boxes; 0 is outside."""
    return arrays(np.int32, array_shapes(min_dims=3, max_dims=3, max_side=longest), elements=st.integers(0, highest))


def sample_of(levels, aggregation="3D"):
    levels = np.array(levels, np.int32)
    grid = Grid(levels.shape, (1.0, 1.0, 1.0))
    region = Region(levels > 0, levels > 0, grid)
    return Sample(Volume(np.zeros(levels.shape), grid), region, Levels(levels, int(levels.max())), aggregation)


def compute(levels, aggregation="3D"):
    """Values and reasons of both families by (family, feature)."""
    sample, values, reasons = sample_of(levels, aggregation), {}, {}
    for family in FAMILIES.values():
        found, why = family.compute(sample)
        values |= {(family.token, name): value for name, value in found.items()}
        reasons |= {(family.token, name): reason for name, reason in why.items()}
    return values, reasons


def check_kernel(levels, steps, coarseness):
    grey = Levels(levels, int(levels.max()))
    values = grey.present.astype(float)
    voxels, deviations, dependences = sum_neighbours(grey.ranks, values, steps, coarseness)
    expected = naive.sum_neighbours(levels, [tuple(s) for s in steps.tolist()], coarseness)
    present = grey.present.tolist()
    assert voxels.tolist() == [expected[0][level] for level in present]
    assert deviations == pytest.approx([float(expected[1][level]) for level in present], rel=1e-12, abs=0)
    assert dependences.shape == (len(present), 2 * len(steps) + 1)
    assert dependences.tolist() == [[expected[2][i, j] for j in range(2 * len(steps) + 1)] for i in present]


@pytest.mark.parametrize("steps", [STEPS_2D, STEPS_3D, FAR], ids=["plane", "volume", "two voxels away"])
@settings(max_examples=100, deadline=None, derandomize=True)
@given(volumes(), st.integers(0, 2), st.sampled_from([1, 7, 300_000, 50_000_000]))
def test_sums_are_those_of_looking_at_each_neighbour(steps, levels, coarseness, factor):
    levels.flat[-1] = 3
    check_kernel(levels * np.int32(factor), steps, coarseness * factor)


@pytest.mark.parametrize("shape", [(3, 61, 37), (2, 3, 1100), (30, 2, 31)])
@pytest.mark.parametrize("steps", [STEPS_2D, STEPS_3D, FAR], ids=["plane", "volume", "two voxels away"])
def test_sums_go_on_where_one_chunk_ends(shape, steps):
    rng = np.random.default_rng(3)
    levels = rng.integers(1, 9, shape).astype(np.int32) * (rng.random(shape) < 0.7)
    check_kernel(levels, steps, 1)


def test_levels_that_cannot_be_summed_are_refused():
    levels, coarse = np.ones((1, 1, 2), np.int32), np.iinfo(np.int32).max
    voxels, _, dependences = sum_neighbours(Levels(levels, 1).array, np.array([2**26 / 26 - 1]), STEPS_3D, coarse)
    assert voxels.tolist() == [2]
    assert dependences[0, 1] == 2
    voxels, _, dependences = sum_neighbours(Levels(levels, 1).array, np.array([2**29 - 1.0]), STEPS_3D, 0)
    assert (voxels.tolist(), dependences[0, 1]) == ([2], 2)
    with pytest.raises(OverflowError, match="cannot be summed"):
        sum_neighbours(Levels(levels, 1).array, np.array([2.0**29]), STEPS_3D, 0)


@pytest.mark.parametrize("highest", [40, 60_000])
def test_many_neighbours_of_high_levels_are_summed(highest):
    """More neighbours times levels than 31 bits hold together: all up to 4 voxels away."""
    reach = range(-4, 5)
    steps = np.array([s for s in itertools.product(reach, repeat=3) if s > (0, 0, 0)], np.int64)
    levels = np.random.default_rng(2).integers(0, highest, (6, 7, 9)).astype(np.int32)
    check_kernel(levels, steps, 3)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 30), st.floats(0, 100)), min_size=1, max_size=12))
def test_complexity_is_the_sum_over_all_pairs(rows):
    levels, voxels, deviations = (np.array(column, float) for column in zip(*rows, strict=True))
    shares = voxels / voxels.sum()
    expected = naive.sum_complexity(levels, shares, deviations)
    assert sum_complexity(levels, shares, deviations) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("aggregation", STEPS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(volumes(highest=4), st.data())
def test_features_are_those_of_the_definitions(aggregation, levels, data):
    levels.flat[data.draw(st.integers(0, levels.size - 1))] = 4
    parts = [levels]
    if aggregation == "2D":
        parts = [levels[z : z + 1] for z in range(len(levels)) if levels[z].any()]
    tones, dependent = [], []
    for part in parts:
        voxels, deviations, counts = naive.sum_neighbours(part, [tuple(s) for s in STEPS[aggregation].tolist()], 0)
        if voxels:
            tones.append(naive.difference_features(voxels, deviations))
        matrix = Counter({(i, j + 1): n for (i, j), n in counts.items()})
        dependent.append(naive_zones.matrix_features(matrix, np.count_nonzero(part)))
    values, reasons = compute(levels, aggregation)
    for name, term in zip(ngldm.features, TERMS, strict=True):
        mean = np.mean([found[term] for found in dependent])
        assert values["ngldm", name] == pytest.approx(mean, rel=1e-9, abs=1e-12), name
    for name in ngtdm.features:
        singles = [found[name] for found in tones]
        if not singles:
            assert reasons["ngtdm", name] == NO_NEIGHBOURS
        elif None in singles:
            assert "the same for all grey levels" in reasons["ngtdm", name]
        else:
            assert values["ngtdm", name] == pytest.approx(np.mean(singles), rel=1e-9, abs=1e-12), name
            assert ("ngtdm", name) not in reasons


@settings(max_examples=40, deadline=None, derandomize=True)
@given(volumes(highest=3, longest=5))
def test_mirroring_and_turning_change_nothing(levels):
    levels.flat[0] = 1
    flips = [axes for n in (1, 2, 3) for axes in itertools.combinations(range(3), n)]
    for aggregation in STEPS:
        values, reasons = compute(levels, aggregation)
        turns = [(1, 2)] if aggregation != "3D" else [(0, 1), (0, 2), (1, 2)]
        images = [np.flip(levels, axes) for axes in flips] + [np.rot90(levels, axes=axes) for axes in turns]
        for image in images:
            found, why = compute(image, aggregation)
            assert found == pytest.approx(values, rel=1e-14, nan_ok=True)
            assert why == reasons


@settings(max_examples=30, deadline=None, derandomize=True)
@given(volumes(highest=3, longest=5))
def test_empty_space_around_changes_nothing(levels):
    levels.flat[-1] = 2
    for aggregation in STEPS:
        values, reasons = compute(levels, aggregation)
        padded = compute(np.pad(levels, 2), aggregation)
        assert padded[0] == pytest.approx(values, rel=0, abs=0, nan_ok=True)
        assert padded[1] == reasons


@settings(max_examples=30, deadline=None, derandomize=True)
@given(volumes(highest=4, longest=5))
def test_levels_many_times_as_high_scale_differences(levels):
    levels[:, :, -1] = 4
    levels.flat[0] = 1
    (plain, reasons), (spread, _) = compute(levels), compute(levels * 1000)
    assert spread["ngldm", "DependenceCountEntropy"] == plain["ngldm", "DependenceCountEntropy"]
    assert spread["ngldm", "GreyLevelVariance"] == pytest.approx(1e6 * plain["ngldm", "GreyLevelVariance"])
    if reasons:
        assert set(reasons.values()) <= {NO_NEIGHBOURS, "level times share is the same for all grey levels"}
        return
    for name, power in {"Contrast": 3, "Busyness": 0, "Complexity": 2, "Strength": 1}.items():
        assert spread["ngtdm", name] == pytest.approx(1000.0**power * plain["ngtdm", name], rel=1e-9)


@pytest.mark.parametrize("aggregation", STEPS)
def test_without_neighbours_there_are_no_differences_but_dependences(aggregation):
    lonely = np.zeros((5, 5, 5), np.int32)
    lonely[::2, ::2, ::2] = 3
    for levels in ([[[2]]], lonely):
        values, reasons = compute(levels, aggregation)
        assert reasons == {("ngtdm", name): NO_NEIGHBOURS for name in ngtdm.features}
        assert values["ngldm", "HighDependenceEmphasis"] == values["ngldm", "LowDependenceEmphasis"] == 1
        assert values["ngldm", "DependenceCountEnergy"] == 1
        assert values["ngldm", "DependenceCountEntropy"] == 0


@pytest.mark.parametrize("aggregation", STEPS)
def test_one_level_has_the_values_that_the_standard_names(aggregation):
    values, reasons = compute(np.full((3, 3, 3), 5), aggregation)
    assert not reasons
    named = {"Coarseness": 1e6, "Contrast": 0, "Busyness": 0, "Complexity": 0, "Strength": 0}
    assert {name: values["ngtdm", name] for name in named} == named


def test_busyness_is_undefined_where_level_times_share_is_the_same():
    values, reasons = compute([[[1, 1, 2]]])
    assert reasons == {("ngtdm", "Busyness"): "level times share is the same for all grey levels"}
    assert values["ngtdm", "Coarseness"] > 0


def test_a_voxel_without_neighbours_counts_for_dependences_only():
    near, far = [[[1, 2, 2]]], [[[1, 2, 2, 0, 3]]]
    assert compute(near)[0]["ngtdm", "Strength"] == compute(far)[0]["ngtdm", "Strength"]
    assert compute(far)[0]["ngldm", "HighGreyLevelCountEmphasis"] == (1 + 4 + 4 + 9) / 4


def test_slices_are_averaged_or_merged():
    pair, single, empty = [[1, 3], [0, 0]], [[2, 0], [0, 0]], [[0, 0], [0, 0]]
    for aggregation in ("2D", "2.5D"):
        lone, _ = compute([pair], aggregation)
        values, _ = compute([pair, empty, single], aggregation)
        assert values["ngtdm", "Contrast"] == lone["ngtdm", "Contrast"]  # the single voxel has no neighbourhood
    assert compute([pair, single], "2D")[0]["ngldm", "HighGreyLevelCountEmphasis"] == ((1 + 9) / 2 + 4) / 2
    assert compute([pair, single], "2.5D")[0]["ngldm", "HighGreyLevelCountEmphasis"] == pytest.approx((1 + 9 + 4) / 3)


def test_both_families_share_the_sums(monkeypatch):
    sample = sample_of(np.ones((3, 3, 3), np.int32))
    ngtdm.compute(sample)
    monkeypatch.setattr("radiomics_pipeline.features.neighbourhood.sum_neighbours", None)
    ngldm.compute(sample)
    with pytest.raises(TypeError):
        ngldm.compute(sample_of(np.ones((3, 3, 3), np.int32)))


def test_unknown_aggregation_is_refused():
    with pytest.raises(ValueError, match="4D"):
        ngldm.compute(sample_of([[[1]]], "4D"))
