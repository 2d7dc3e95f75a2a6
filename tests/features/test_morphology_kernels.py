"""What morphology is computed with, against slow twins on small random regions."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.features import autocorrelation
from radiomics_pipeline.features.autocorrelation import pair_sums
from radiomics_pipeline.features.ellipsoid import TOLERANCE, ellipsoid_volume, smallest_ellipsoid
from radiomics_pipeline.features.hull import hull_of
from radiomics_pipeline.features.mesh import mesh_of
from radiomics_pipeline.kernels.autocorrelation import add_spectra, find_box, fold_halves
from radiomics_pipeline.kernels.box import find_smallest_box, measure_triangles
from radiomics_pipeline.kernels.ellipsoid import find_ellipsoid, find_ellipsoid_weights
from radiomics_pipeline.kernels.hull import drop_inner, find_extent, find_hull, measure_hull
from radiomics_pipeline.kernels.surface import count_cells, find_line_ends, sum_intensities
from tests import naive
from tests.naive import morphology as twins

SEEDS = st.integers(0, 100_000)


@contextmanager
def settings_of_autocorrelation(**values):
    """Other values of the module's constants, without what was kept for the usual ones."""
    kept = (autocorrelation._frequencies, autocorrelation._kept_weights, autocorrelation._row_waves)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(autocorrelation, name, value)
        for function in kept:
            function.cache_clear()
        yield
    for function in kept:
        function.cache_clear()


def mask_of(seed, *, largest=5):
    """A random mask, uint8, of random size and filling."""
    rng = np.random.default_rng(seed)
    mask = (rng.random(tuple(rng.integers(1, largest + 1, 3))) < rng.uniform(0.2, 1)).astype(np.uint8)
    mask.flat[int(rng.integers(mask.size))] = 1
    return mask


def points_of(seed, *, largest=12):
    """Different random points in whole numbers, not all in a plane; most of them with several in one plane."""
    rng = np.random.default_rng(seed)
    corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    points = np.vstack([corners, rng.integers(-3, 4, (int(rng.integers(0, largest)), 3))])
    return rng.permutation(np.unique(points, axis=0)).astype(np.int64)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SEEDS)
def test_cells_at_the_border_are_those_of_a_mask_with_room_around(seed):
    mask = mask_of(seed)
    cells, sums_x = naive.count_cells(np.pad(mask, 1)).T
    found = count_cells(mask)
    assert (found[:, 0] == cells).all()
    assert (found[:, 1] == sums_x - cells).all()
    assert (count_cells(np.pad(mask, 1)) == np.stack([cells, sums_x], axis=1)).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_mesh_is_the_sum_over_all_triangles(seed):
    mask = mask_of(seed)
    found = mesh_of(mask, (3.0, 0.7, 1.1))
    assert (found.volume, found.area) == pytest.approx(naive.mesh(mask, (3.0, 0.7, 1.1)), rel=1e-6)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SEEDS)
def test_sums_of_intensities_are_those_over_all_voxels(seed):
    mask = mask_of(seed)
    values = np.random.default_rng(seed).normal(2, 5, mask.shape)
    expected = twins.sum_intensities(values, mask)
    assert sum_intensities(values, mask).tolist() == pytest.approx(expected, rel=1e-13, abs=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_box_holds_the_voxels_inside_and_no_empty_border(seed):
    rng = np.random.default_rng(seed)
    mask = (rng.random(tuple(rng.integers(1, 6, 3))) < rng.choice([0.0, 0.05, 0.5])).astype(np.uint8)
    assert find_box(mask).tolist() == twins.find_box(mask)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_folded_parts_are_sums_and_differences_about_the_middle(seed):
    mask = mask_of(seed)
    values = np.random.default_rng(seed).normal(2, 5, mask.shape)
    folded, square = fold_halves(values, mask, 1.5, 4.0)
    scaled = np.where(mask, (values - 1.5) / 4, 0.0)
    assert square == pytest.approx((scaled**2).sum(), rel=1e-12)
    for which, part in enumerate((mask.astype(float), scaled, scaled**2)):
        for pz, py, px in itertools.product(*(range(min(n, 2)) for n in mask.shape)):
            expected = twins.fold_axes(part, (pz, py, px))
            assert folded[px, which, pz, :, py] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(SEEDS)
def test_products_of_spectra_are_weighted_and_summed(seed):
    rng = np.random.default_rng(seed)
    np_z, nkz, nky, nkx, more = rng.integers(1, 4, 5)
    spectra = rng.normal(size=(3, np_z, nkz, nky, nkx))
    weights = rng.normal(size=(nky + more, nkz, nkx))
    sums = np.ones((3, nkx))
    add_spectra(spectra, weights, int(more), sums)
    assert sums == pytest.approx(1 + twins.add_spectra(spectra, weights, more), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_waves_are_cosines_and_sines_about_the_middle(n):
    line = np.random.default_rng(n).normal(size=(1, 1, n))
    period = 2 * n - 1
    for parity in range(min(n, 2)):
        found = autocorrelation._waves(n)[parity] @ twins.fold(line[0, 0], parity)
        for k in range(n):
            expected = twins.transform(line, (0, 0, k), (0, 0, parity)) * math.sqrt((2 if k else 1) / period)
            assert found[k] == pytest.approx(expected, abs=1e-13)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS, st.permutations([1, 2, 9]))
def test_frequencies_and_pairs_give_the_same_sums(seed, stretch):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 8, 3) * stretch)
    mask = rng.random(shape) < 0.6
    mask.flat[0] = mask.flat[-1] = True
    values = rng.normal(100, 3, shape)
    spacing_mm = tuple(float(s) for s in rng.uniform(0.5, 4, 3))
    found = []
    # by pairs, by matrices, and by fast transforms of the axes that are longer than 4
    for pairs_per_voxel, longest_matrix in ((10**9, 192), (0, 192), (0, 4)):
        with settings_of_autocorrelation(PAIRS_PER_VOXEL=pairs_per_voxel, LONGEST_MATRIX=longest_matrix):
            sums = pair_sums(values, mask, spacing_mm, centre=100.0, scale=10.0)
        found.append([sums.weight, sums.product, sums.difference, sums.square])
    largest = found[0][0] * ((values[mask] - 100) ** 2).max() / 100
    for each in found[1:]:
        assert each[::3] == pytest.approx(found[0][::3], rel=1e-12)
        assert each[1:3] == pytest.approx(found[0][1:3], abs=1e-13 * largest, rel=1e-12)


@pytest.mark.parametrize("longest_matrix", [192, 20, 50])
def test_many_voxels_in_several_blocks_are_the_sum_over_all_pairs(longest_matrix):
    rng = np.random.default_rng(3)
    mask = rng.random((13, 71, 41)) < 0.15
    values = rng.normal(size=mask.shape)
    found = []
    for pairs_per_voxel in (0, 10**9):
        with settings_of_autocorrelation(
            PAIRS_PER_VOXEL=pairs_per_voxel,
            LONGEST_MATRIX=longest_matrix,
            WIDTH=30,
            PART_BYTES=300_000,
            LARGEST_KEPT=0,
        ):
            sums = pair_sums(values, mask, (2.0, 1.0, 1.3))
        found.append((sums.weight, sums.product, sums.difference, sums.square))
    assert found[0] == pytest.approx(found[1], rel=1e-11)


def test_autocorrelation_needs_little_memory():
    mask = np.ones((90, 100, 110), bool)
    values = np.random.default_rng(0).normal(size=mask.shape)
    pair_sums(values[:20, :20, :20], mask[:20, :20, :20], (1.0, 1.0, 1.0))
    tracemalloc.start()
    pair_sums(values, mask, (1.0, 1.0, 1.0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80 * mask.size


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SEEDS, st.integers(0, 2))
def test_corners_in_each_plane_are_those_between_no_others(seed, axis):
    points = points_of(seed)
    kept = {tuple(p) for p in drop_inner(points, axis).tolist()}
    assert kept == twins.corners_by_plane(points, axis)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SEEDS)
def test_hull_has_the_planes_that_hold_all_points_on_one_side(seed):
    points = points_of(seed)
    triangles, neighbours, normals = find_hull(points)
    planes = twins.hull_planes(points)
    found = set()
    for corners, across, normal in zip(triangles, neighbours, normals, strict=True):
        a, b, c = (tuple(points[k].tolist()) for k in corners)
        assert twins.cross(twins.less(b, a), twins.less(c, a)) == tuple(normal.tolist())
        lowest = tuple((normal // np.gcd.reduce(normal)).tolist())
        found.add((lowest, twins.dot(lowest, a)))
        for k in range(3):
            assert set(triangles[across[k]]) & set(corners) == set(np.delete(corners, k))
    assert found == set(planes)
    assert len(np.unique(triangles)) - len(triangles) / 2 == 2  # Euler: one closed surface
    volume = (normals * (points[triangles[:, 0]] - points[0])).sum() / 6
    assert volume == pytest.approx(twins.hull_volume(points), rel=1e-12)
    areas = [np.linalg.norm(normal) / 2 for normal in normals]
    assert measure_triangles(points.astype(float), triangles) == pytest.approx(areas, rel=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS)
def test_hull_of_a_region_is_that_of_all_its_surface_points(seed):
    mask = mask_of(seed, largest=2)
    assert len(find_line_ends(mask)) >= 6
    surface = np.array(sorted(naive.surface_points(mask)))
    hull = hull_of(mask, (1.0, 1.0, 1.0))
    planes = twins.hull_planes(surface)
    # facets of one plane have the same normal to the last digit
    assert len(np.unique(hull.normals, axis=0)) == len({normal for normal, _ in planes})
    assert hull.volume == pytest.approx(twins.hull_volume(surface) / 8, rel=1e-12)
    assert (hull.aligned_box == np.ptp(surface, axis=0) / 2).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS)
def test_hull_in_millimetres_is_the_hull_with_every_coordinate_scaled(seed):
    points = points_of(seed)
    units = np.array([2.0, 0.5, 1.3])
    triangles, _, normals = find_hull(points)
    corners, numbers, outward, volume = measure_hull(points, triangles, normals, units)
    assert (corners[numbers] == points[triangles] * units).all()
    assert len(corners) == len(np.unique(triangles))
    scaled = normals / units
    assert outward == pytest.approx(scaled / np.linalg.norm(scaled, axis=1, keepdims=True), rel=1e-14, abs=1e-15)
    assert len(np.unique(outward, axis=0)) == len({normal for normal, _ in twins.hull_planes(points)})
    assert volume == pytest.approx(twins.hull_volume(points) * units.prod(), rel=1e-12)
    assert find_extent(corners).tolist() == [max(c) - min(c) for c in corners.T.tolist()]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEEDS)
def test_smallest_box_is_that_of_trying_every_plane_and_every_line(seed):
    points = points_of(seed, largest=7)
    triangles, neighbours, normals = find_hull(points)
    stretched = points * (1.0, 2.5, 0.8)
    outward = normals / (1.0, 2.5, 0.8)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    found = find_smallest_box(stretched, triangles, neighbours, outward)
    assert np.prod(found) == pytest.approx(twins.smallest_box(stretched), rel=1e-9)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SEEDS, st.sampled_from([0, 30, 1000]))
def test_weights_are_those_of_the_smallest_ellipsoid(seed, first_steps):
    points = points_of(seed, largest=40) * (0.3, 0.2, 0.1)
    equal = np.full(len(points), 1 / len(points))
    weights, violation = find_ellipsoid_weights(points, equal, first_steps, TOLERANCE, 1000)
    assert violation <= TOLERANCE
    assert twins.ellipsoid_violation(points, weights) <= 10 * TOLERANCE


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_no_point_is_outside_the_ellipsoid_and_its_matrix_is_that_of_weights(seed):
    points = points_of(seed, largest=40) * (30.0, 2.0, 0.1) + (5.0, -3.0, 100.0)
    covariance, violation = find_ellipsoid(points, 30, TOLERANCE, 1000)
    assert violation <= TOLERANCE
    equal = np.full(len(points), 1 / len(points))
    weights, _ = find_ellipsoid_weights((points - points.mean(axis=0)) / points.std(axis=0), equal, 30, TOLERANCE, 1000)
    assert twins.ellipsoid_violation(points, weights) <= 1e-6
    centred = points - weights @ points
    assert covariance == pytest.approx((weights[:, None] * centred).T @ centred, rel=1e-6, abs=1e-6)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(SEEDS)
def test_smallest_ellipsoid_is_that_of_growing_weights(seed):
    points = points_of(seed, largest=20) * (3.0, 2.0, 1.0)
    expected = twins.smallest_ellipsoid_volume(points)
    assert ellipsoid_volume(smallest_ellipsoid(points)) == pytest.approx(expected, rel=2e-3)
    assert ellipsoid_volume(smallest_ellipsoid(points)) >= expected * (1 - 1e-9)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 40), (2, 3, 5), (30, 30, 1)])
def test_smallest_ellipsoid_of_symmetric_regions_is_found(shape):
    corners = hull_of(np.ones(shape, np.uint8), (3.0, 1.0, 1.0)).corners
    assert (smallest_ellipsoid(corners) > 0).all()


@pytest.mark.parametrize("length", [3, 30, 300])
def test_smallest_ellipsoid_of_a_thin_diagonal_is_found(length):
    corners = hull_of(np.eye(length, dtype=np.uint8)[:, None], (1.0, 1.0, 1.0)).corners
    half = length / math.sqrt(2)
    # between the ellipsoids around a line and around a bar of that length
    assert half <= smallest_ellipsoid(corners)[0] <= math.sqrt(3) * half
