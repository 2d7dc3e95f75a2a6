"""Kernels and features against slow twins on small random volumes."""

from __future__ import annotations

import numpy as np
import pytest

from radiomics_pipeline.features import autocorrelation
from radiomics_pipeline.features.gathering import STEPS_3D
from radiomics_pipeline.features.glcm import glcm
from radiomics_pipeline.features.hull import hull_of
from radiomics_pipeline.features.mesh import mesh_of
from radiomics_pipeline.features.morphology import morphology
from radiomics_pipeline.kernels.hull import find_largest_distance
from radiomics_pipeline.kernels.surface import count_cells, find_line_ends, sum_moments
from tests import naive
from tests.phantom import make_sample

SEEDS = range(8)


def volume(seed, *, n_levels=5, filled=0.7):
    """Random levels 1..n_levels in a random mask of random size, 0 outside."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 7, 3)) if seed else (4, 5, 6)
    levels = rng.integers(1, n_levels + 1, shape) * (rng.random(shape) < filled)
    levels.flat[0] = n_levels
    return levels.astype(np.int32)


def test_directions_hold_one_of_each_opposite_two():
    directions = {tuple(step) for step in STEPS_3D.tolist()}
    assert len(STEPS_3D) == 13
    assert directions | {tuple(-d for d in step) for step in directions} == set(naive.STEPS) | {
        tuple(-d for d in step) for step in naive.STEPS
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_surface_counts_are_those_of_looking_at_each_cell(seed):
    mask = np.pad((volume(seed) > 0).astype(np.uint8), 1)
    assert (count_cells(mask) == naive.count_cells(mask)).all()
    assert sum_moments(mask).tolist() == naive.sum_moments(mask)


@pytest.mark.parametrize("seed", SEEDS)
def test_line_ends_hold_the_outermost_surface_points(seed):
    mask = (volume(seed) > 0).astype(np.uint8)
    ends, surface = {tuple(p) for p in find_line_ends(mask).tolist()}, naive.surface_points(mask)
    assert ends <= surface
    hull = hull_of(mask, (1.0, 2.0, 3.0))
    whole = np.array(sorted(surface)) * (0.5, 1.0, 1.5)
    assert hull.diameter == pytest.approx(naive.largest_distance(whole), rel=1e-12)
    assert (hull.aligned_box == np.ptp(whole, axis=0)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_mesh_is_the_sum_over_all_triangles(seed):
    mask, spacing_mm = volume(seed) > 0, (3.0, 0.7, 1.1)
    found = mesh_of(mask, spacing_mm)
    assert (found.volume, found.area) == pytest.approx(naive.mesh(mask, spacing_mm), rel=1e-6)


def test_mesh_holds_for_every_pattern_of_eight_voxels():
    for pattern in range(1, 256):
        mask = np.array([pattern >> bit & 1 for bit in range(8)], bool).reshape(2, 2, 2)
        found = mesh_of(mask, (1.0, 2.0, 3.0))
        assert (found.volume, found.area) == pytest.approx(naive.mesh(mask, (1.0, 2.0, 3.0)), rel=1e-6)


def test_largest_distance_of_points():
    points = np.random.default_rng(1).normal(size=(40, 3))
    assert find_largest_distance(points) == pytest.approx(naive.largest_distance(points), rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pairs_per_voxel", [0, 10**9], ids=["transforms", "pairs"])
def test_autocorrelation_is_the_sum_over_all_pairs(seed, pairs_per_voxel, monkeypatch):
    monkeypatch.setattr(autocorrelation, "PAIRS_PER_VOXEL", pairs_per_voxel)
    rng = np.random.default_rng(seed)
    mask = volume(seed) > 0
    if mask.sum() < 2:
        pytest.skip("one voxel has no pair")
    intensities = rng.normal(1000, 5, mask.shape)
    spacing_mm = tuple(rng.uniform(0.5, 5, 3))
    values, _ = morphology.compute(make_sample(intensities, mask, spacing_mm=spacing_mm))
    expected = naive.moran_and_geary(intensities, mask, spacing_mm)
    assert (values["MoransI"], values["GearysC"]) == pytest.approx(expected, rel=1e-9)


def test_both_ways_of_autocorrelation_agree_on_many_voxels(monkeypatch):
    rng = np.random.default_rng(3)
    mask = rng.random((23, 31, 17)) < 0.4
    values = np.where(mask, rng.normal(size=mask.shape), 0.0)
    found = []
    for pairs_per_voxel in (0, 10**9):
        monkeypatch.setattr(autocorrelation, "PAIRS_PER_VOXEL", pairs_per_voxel)
        sums = autocorrelation.pair_sums(values, mask, (2.0, 1.0, 1.3))
        found.append((sums.weight, sums.product, sums.difference))
    assert found[0] == pytest.approx(found[1], rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_cooccurrence_features_are_those_of_a_dense_matrix(seed):
    levels = volume(seed)
    sample = make_sample(levels.astype(float), levels > 0, aggregation="3D:mrg")
    values, reasons = glcm.compute(sample)
    if reasons:
        assert set(reasons.values()) == {"no two voxels of the region are neighbours"}
        assert not sum(naive.count_pairs(levels, step, 5).sum() for step in naive.STEPS)
        return
    assert values == pytest.approx(naive.cooccurrence_features(levels, naive.STEPS), rel=1e-9, abs=1e-12)


def test_cooccurrence_mean_leaves_out_directions_without_a_pair():
    levels = np.array([[[1, 3, 2, 2, 5, 1]]], np.int32)
    sample = make_sample(levels.astype(float), levels > 0, aggregation="3D:avg")
    values, _ = glcm.compute(sample)
    assert values == pytest.approx(naive.cooccurrence_features(levels, [(0, 0, 1)]), rel=1e-9, abs=1e-12)


def test_cooccurrence_mean_is_that_over_directions():
    levels = volume(0)
    values, _ = glcm.compute(make_sample(levels.astype(float), levels > 0, aggregation="3D:avg"))
    single = [naive.cooccurrence_features(levels, [step]) for step in naive.STEPS]
    assert values == pytest.approx({k: np.mean([s[k] for s in single]) for k in values}, rel=1e-9)


def test_levels_without_a_voxel_cost_nothing_and_change_nothing():
    levels = volume(0)
    spread = np.where(levels > 0, (levels - 1) * 20_000 + 1, 0)
    values, _ = glcm.compute(make_sample(spread.astype(float), spread > 0, aggregation="3D:mrg"))
    plain, _ = glcm.compute(make_sample(levels.astype(float), levels > 0, aggregation="3D:mrg"))
    assert values["JointEntropy"] == pytest.approx(plain["JointEntropy"], rel=1e-12)
    assert values["Contrast"] == pytest.approx(plain["Contrast"] * 20_000**2, rel=1e-12)
    assert values["NormalisedInverseDifference"] != pytest.approx(plain["NormalisedInverseDifference"])
