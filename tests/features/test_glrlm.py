"""Run lengths: kernels and features against slow twins, references, and what must not change."""

from __future__ import annotations

import importlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.features.gathering import STEPS_3D
from radiomics_pipeline.features.glrlm import glrlm
from radiomics_pipeline.kernels.runs import count_runs, list_runs, sum_by
from tests.naive import directional
from tests.phantom import make_sample

AGGREGATIONS = ("2D:avg", "2D:mrg", "2.5D:avg", "2.5D:mrg", "3D:avg", "3D:mrg")
SEEDS = st.integers(0, 10_000)
module = importlib.import_module("radiomics_pipeline.features.glrlm")  # the family hides its module


def volume(seed, *, n_levels=3):
    """Random levels 1..n_levels in a random mask of random size, 0 outside."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 7, 3))
    levels = rng.integers(1, n_levels + 1, shape) * (rng.random(shape) < rng.uniform(0.3, 1))
    levels.flat[rng.integers(levels.size)] = n_levels
    return levels.astype(np.int32)


def compute(levels, aggregation):
    values, reasons = glrlm.compute(make_sample(levels.astype(float), levels > 0, aggregation=aggregation))
    assert not reasons
    return values


def same(found, expected):
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(SEEDS)
def test_runs_of_each_step_go_into_its_matrix(seed):
    levels, rng = volume(seed), np.random.default_rng(seed)
    steps = np.ascontiguousarray(rng.permutation(STEPS_3D)[: rng.integers(1, 14)])
    groups = rng.integers(0, 3, len(steps))
    found = count_runs(levels, steps, groups, 3, 3, max(levels.shape))
    for group in range(3):
        listed = Counter({(i + 1, r + 1): int(found[group, i, r]) for i, r in np.argwhere(found[group]).tolist()})
        assert listed == directional.count_runs(levels, steps[groups == group].tolist())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS)
def test_entries_are_those_of_the_matrices(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 3, (3, 4, 5)) * (rng.random((3, 4, 5)) < 0.5)
    counts[:, 1, 1] += 1
    present = np.array([2, 3, 7, 40])
    levels, lengths, numbers, starts = list_runs(counts, present)
    ends = [*starts[1:], len(levels)]
    for g, (start, end) in enumerate(zip(starts, ends, strict=True)):
        entries = zip(levels[start:end], lengths[start:end], numbers[start:end], strict=True)
        expected = [(present[i], j + 1, counts[g, i, j]) for i, j in np.argwhere(counts[g])]
        assert list(entries) == expected


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1), min_size=1, max_size=4))
def test_counts_of_equal_keys_are_added_in_each_list(lists):
    entries = np.array([entry for one in lists for entry in one])
    starts = np.cumsum([0] + [len(one) for one in lists[:-1]])
    values, shares, firsts = sum_by(entries[:, 0].copy(), entries[:, 1].copy(), starts)
    ends = [*firsts[1:], len(values)]
    for one, start, end in zip(lists, firsts, ends, strict=True):
        sums = Counter()
        for key, count in one:
            sums[key] += count
        assert values[start:end].tolist() == sorted(sums)
        assert shares[start:end].tolist() == pytest.approx([sums[k] / sums.total() for k in sorted(sums)])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS, st.sampled_from(AGGREGATIONS))
def test_features_are_means_over_the_matrices(seed, aggregation):
    levels = volume(seed)
    expected = [directional.run_features(part, steps) for part, steps in directional.matrices(levels, aggregation)]
    same(compute(levels, aggregation), directional.mean_of(expected))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, st.sampled_from(AGGREGATIONS), st.sampled_from([1, 7, 20, 50]))
def test_room_for_matrices_does_not_matter(seed, aggregation, room):
    levels = volume(seed)
    expected = compute(levels, aggregation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROOM", room)
        same(compute(levels, aggregation), expected)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS)
def test_mirrored_and_turned_region(seed):
    levels = volume(seed)
    for aggregation in AGGREGATIONS:
        expected = compute(levels, aggregation)
        for axes in ((0,), (1,), (2,), (0, 1, 2)):
            same(compute(np.flip(levels, axes), aggregation), expected)
        same(compute(np.rot90(levels, axes=(1, 2)), aggregation), expected)
        if aggregation.startswith("3D"):
            same(compute(np.rot90(levels, axes=(0, 1)), aggregation), expected)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, st.sampled_from(AGGREGATIONS))
def test_each_voxel_is_in_one_run_of_each_direction(seed, aggregation):
    levels = volume(seed)
    (runs,) = glrlm.prepare(make_sample(levels.astype(float), levels > 0, aggregation=aggregation))
    parts = directional.matrices(levels, aggregation)
    voxels = np.add.reduceat(runs.lengths * runs.counts, runs.starts)
    assert voxels.tolist() == [np.count_nonzero(part) * len(steps) for part, steps in parts]


def test_a_second_copy_far_away_doubles_the_non_uniformity_alone():
    levels = volume(3)
    twice = np.concatenate([levels, np.zeros_like(levels[:1]), levels])
    doubled = {"GreyLevelNonUniformity", "RunLengthNonUniformity"}
    for aggregation in ("2.5D:avg", "2.5D:mrg", "3D:avg", "3D:mrg"):
        found, expected = compute(twice, aggregation), compute(levels, aggregation)
        same(found, {name: value * (2 if name in doubled else 1) for name, value in expected.items()})


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_one_voxel_is_a_run(aggregation):
    values = compute(np.full((1, 1, 1), 3, np.int32), aggregation)
    assert values["RunPercentage"] == values["ShortRunEmphasis"] == 1
    assert values["HighGreyLevelRunEmphasis"] == 9
    for name in ("RunEntropy", "GreyLevelVariance", "RunLengthVariance"):
        assert values[name] == 0


@pytest.mark.parametrize(("shape", "n"), [((7, 1, 1), 7), ((1, 7, 1), 7), ((1, 1, 7), 7), ((1, 1, 40_000), 40_000)])
def test_a_line_of_one_level_is_one_run_along_it(shape, n):
    (runs,) = glrlm.prepare(make_sample(np.full(shape, 2.0), np.ones(shape, bool), aggregation="3D:mrg"))
    entries = zip(runs.levels.tolist(), runs.lengths.tolist(), runs.counts.tolist(), strict=True)
    assert set(entries) == {(2, 1, 12 * n), (2, n, 1)}


def test_a_gap_ends_a_run():
    levels = np.array([[[1, 1, 0, 1, 2, 2]]], np.int32)
    (runs,) = glrlm.prepare(make_sample(levels.astype(float), levels > 0, aggregation="3D:avg"))
    along = Counter({(1, 2): 1, (1, 1): 1, (2, 2): 1})
    found = list(zip(runs.levels.tolist(), runs.lengths.tolist(), runs.counts.tolist(), strict=True))
    assert Counter({(i, j): c for i, j, c in found[:3]}) == along  # the first step is that along x


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_many_levels_with_gaps(aggregation):
    rng = np.random.default_rng(1)
    levels = np.sort(rng.choice(np.arange(1, 4097), 9, replace=False))[rng.integers(0, 9, (3, 6, 6))].astype(np.int32)
    expected = [directional.run_features(part, steps) for part, steps in directional.matrices(levels, aggregation)]
    same(compute(levels, aggregation), directional.mean_of(expected))


def test_unknown_aggregation_is_refused():
    with pytest.raises(ValueError, match="no such aggregation"):
        compute(volume(0), "3D")
