"""Co-occurrence: kernels and features against slow twins, references, and what must not change."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.features.gathering import STEPS_2D, STEPS_3D
from radiomics_pipeline.features.glcm import glcm
from radiomics_pipeline.kernels.pairs import count_pairs, fold_list, fold_matrices, list_pairs
from tests import naive
from tests.naive import directional
from tests.phantom import make_sample

AGGREGATIONS = ("2D:avg", "2D:mrg", "2.5D:avg", "2.5D:mrg", "3D:avg", "3D:mrg")
SEEDS = st.integers(0, 10_000)
module = importlib.import_module("radiomics_pipeline.features.glcm")  # the family hides its module


def volume(seed, *, n_levels=4):
    """Random levels 1..n_levels in a random mask of random size, 0 outside; the highest level occurs."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, 3))
    levels = rng.integers(1, n_levels + 1, shape) * (rng.random(shape) < rng.uniform(0.3, 1))
    levels.flat[rng.integers(levels.size)] = n_levels
    return levels.astype(np.int32)


def compute(levels, aggregation):
    return glcm.compute(make_sample(levels.astype(float), levels > 0, aggregation=aggregation))


def same(found, expected):
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11, nan_ok=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_pairs_of_each_step_go_into_its_matrix(seed):
    levels, rng = volume(seed), np.random.default_rng(seed)
    steps = rng.permutation(STEPS_3D)[: rng.integers(1, 14)] * rng.choice([-1, 1])
    groups = rng.integers(0, 3, len(steps))
    found = count_pairs(levels, np.ascontiguousarray(steps), groups, 3, 4)
    assert (found == directional.count_groups(levels, steps.tolist(), groups.tolist(), 3, 4)).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_listed_pairs_are_those_that_are_counted(seed):
    levels = volume(seed)
    counts = directional.count_groups(levels, STEPS_3D.tolist(), [0] * 13, 1, 4)[0]
    keys = list_pairs(levels, STEPS_3D, 4, 13 * levels.size)
    upper = np.triu(counts) + np.tril(counts, -1).T
    assert (np.bincount(keys, minlength=16).reshape(4, 4) == upper).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_histograms_of_matrices_are_those_of_their_cells(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    levels = np.sort(rng.choice(np.arange(1, 12), n, replace=False))
    counts = rng.integers(0, 4, (3, n, n)) * (rng.random((3, n, n)) < 0.5)
    counts[1] = 0
    counts[2].flat[rng.integers(n * n)] += 1
    folded = fold_matrices(counts, levels)
    kept = [g for g in range(3) if counts[g].any()]
    assert len(folded[0]) == len(kept)
    for row, g in enumerate(kept):
        check_fold(folded, row, directional.fold(counts[g], levels))
    pairs = [(min(i, j) * n + max(i, j)) for i in range(n) for j in range(n) for _ in range(counts[2, i, j])]
    check_fold(fold_list(np.sort(np.array(pairs, np.uint32)), levels), 0, directional.fold(counts[2], levels))


def check_fold(folded, row, expected):
    joint, values, shares, starts, used = folded
    assert joint[row].tolist() == pytest.approx(expected[0], rel=1e-12, abs=1e-15)
    for kind in range(3):
        ends = [*starts[kind, 1:], used[kind]]
        bins = slice(starts[kind, row], ends[row])
        assert values[kind, bins].tolist() == sorted(expected[kind + 1])
        assert dict(zip(values[kind, bins], shares[kind, bins], strict=True)) == pytest.approx(expected[kind + 1])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS, st.sampled_from(AGGREGATIONS))
def test_features_are_means_over_the_matrices_that_have_a_pair(seed, aggregation):
    levels = volume(seed)
    values, reasons = compute(levels, aggregation)
    expected = [
        naive.cooccurrence_features(directional.with_highest(part, 4), steps)
        for part, steps in directional.matrices(levels, aggregation)
        if sum(naive.count_pairs(part, step, 4).sum() for step in steps)
    ]
    if not expected:
        assert set(reasons.values()) == {"no two voxels of the region are neighbours"}
        return
    same(values, directional.mean_of(expected))
    assert {name for name, value in values.items() if math.isnan(value)} == reasons.keys()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, st.sampled_from(AGGREGATIONS))
def test_how_matrices_are_counted_does_not_matter(seed, aggregation):
    levels = volume(seed)
    values, reasons = compute(levels, aggregation)
    for name, value in (("prefers_list", lambda n, pairs: True), ("ROOM", 1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, name, value)
            other, why = compute(levels, aggregation)
        assert why == reasons
        same(other, values)


def test_a_list_is_preferred_where_a_matrix_would_be_large_and_empty():
    assert not module.prefers_list(256, 10)
    assert module.prefers_list(257, 1000)
    assert not module.prefers_list(257, 10**6)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS)
def test_mirrored_and_turned_region(seed):
    levels = volume(seed)
    for aggregation in AGGREGATIONS:
        expected, _ = compute(levels, aggregation)
        for axes in ((0,), (1,), (2,), (0, 1, 2)):
            same(compute(np.flip(levels, axes), aggregation)[0], expected)
        same(compute(np.rot90(levels, axes=(1, 2)), aggregation)[0], expected)
        if aggregation.startswith("3D"):
            same(compute(np.rot90(levels, axes=(0, 1)), aggregation)[0], expected)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, st.sampled_from(AGGREGATIONS))
def test_levels_in_reverse_order(seed, aggregation):
    levels = np.random.default_rng(seed).integers(1, 5, (3, 4, 5)).astype(np.int32)
    levels[0, 0, 0], levels[1, 1, 1] = 1, 4
    expected, found = compute(levels, aggregation)[0], compute(5 - levels, aggregation)[0]
    moved = {
        "JointAverage": 5 - expected["JointAverage"],
        "SumAverage": 10 - expected["SumAverage"],
        "ClusterShade": -expected["ClusterShade"],
        # (5 - i) (5 - j) = 25 - 5 (i + j) + i j
        "Autocorrelation": 25 - 5 * expected["SumAverage"] + expected["Autocorrelation"],
    }
    same(found, expected | moved)


def test_a_second_copy_far_away_changes_nothing_that_is_merged():
    levels = volume(3)
    twice = np.concatenate([levels, np.zeros_like(levels[:1]), levels])
    for aggregation in ("2.5D:avg", "2.5D:mrg", "3D:avg", "3D:mrg"):
        same(compute(twice, aggregation)[0], compute(levels, aggregation)[0])


def test_slices_without_a_pair_are_left_out_and_a_flat_one_has_no_correlation():
    textured = np.array([[1, 2, 1], [3, 3, 1]])
    single, flat = np.array([[0, 0, 3], [0, 0, 0]]), np.array([[2, 2, 0], [0, 0, 0]])
    alone, _ = compute(textured[None].astype(np.int32), "2D:mrg")
    same(compute(np.stack([textured, single]).astype(np.int32), "2D:mrg")[0], alone)
    values, reasons = compute(np.stack([textured, flat]).astype(np.int32), "2D:mrg")
    assert reasons.keys() == {"Correlation", "InformationCorrelation1"}
    assert values["Contrast"] == pytest.approx(alone["Contrast"] / 2, rel=1e-12)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_region_of_one_level(aggregation):
    values, reasons = compute(np.full((3, 3, 3), 5, np.int32), aggregation)
    assert reasons.keys() == {"Correlation", "InformationCorrelation1"}
    for name in ("JointVariance", "JointEntropy", "Contrast", "ClusterProminence", "InformationCorrelation2"):
        assert values[name] == 0
    assert values["JointMaximum"] == values["AngularSecondMoment"] == 1
    assert values["Autocorrelation"] == 25


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_voxels_apart_have_no_pair(aggregation):
    levels = np.zeros((5, 5, 5), np.int32)
    levels[::2, ::2, ::2] = 2
    _, reasons = compute(levels, aggregation)
    assert set(reasons.values()) == {"no two voxels of the region are neighbours"}


def test_a_line_across_the_slices_has_pairs_in_space_only():
    levels = np.array([1, 2, 4], np.int32).reshape(3, 1, 1)
    assert compute(levels, "3D:avg")[0]["DifferenceAverage"] == 1.5
    for aggregation in AGGREGATIONS[:4]:
        assert set(compute(levels, aggregation)[1].values()) == {"no two voxels of the region are neighbours"}


@pytest.mark.parametrize("aggregation", ["2D:mrg", "3D:mrg"])
def test_many_levels_with_gaps(aggregation):
    rng = np.random.default_rng(1)
    levels = np.sort(rng.choice(np.arange(1, 4097), 700, replace=False))[rng.integers(0, 700, (6, 12, 12))]
    values, reasons = compute(levels.astype(np.int32), aggregation)
    assert not reasons
    parts, steps = ([levels], STEPS_3D) if aggregation == "3D:mrg" else (list(levels), STEPS_2D[:, 1:])
    expected = []
    for part in parts:
        here, there = (np.concatenate(ends) for ends in zip(*(shifted(part, s) for s in steps.tolist()), strict=True))
        expected.append((np.mean((here - there) ** 2.0), np.mean(here * there), np.mean(1 / (1 + abs(here - there)))))
    found = [values[name] for name in ("Contrast", "Autocorrelation", "InverseDifference")]
    assert found == pytest.approx(np.mean(expected, axis=0), rel=1e-11)


def shifted(array, step):
    here = tuple(slice(max(0, -d), n - max(0, d)) for d, n in zip(step, array.shape, strict=True))
    there = tuple(slice(max(0, d), n - max(0, -d)) for d, n in zip(step, array.shape, strict=True))
    return array[here].ravel(), array[there].ravel()


def test_more_levels_than_pairs_can_be_numbered_for():
    _, reasons = compute(np.arange(1, 65_537, dtype=np.int32).reshape(1, 1, -1), "3D:mrg")
    assert set(reasons.values()) == {"65536 different grey levels, at most 65535"}


def test_unknown_aggregation_is_refused():
    for wrong in ("3D", "4D:avg", "3D:sum"):
        with pytest.raises(ValueError, match="no such aggregation"):
            compute(volume(0), wrong)
