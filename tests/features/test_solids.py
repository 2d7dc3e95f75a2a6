"""Form of solids whose measures are known: boxes, balls and ellipsoids, straight and turned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.special import elliprg, eval_legendre

from radiomics_pipeline.features.ellipsoid import ellipsoid_area, ellipsoid_volume, semi_axes, smallest_ellipsoid
from radiomics_pipeline.features.hull import Hull
from radiomics_pipeline.features.morphology import morphology
from tests.phantom import make_sample


def rotation(seed):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q


def hull_of_points(points):
    hull = ConvexHull(points)
    number = np.zeros(len(points), int)
    number[hull.vertices] = np.arange(len(hull.vertices))
    return Hull(
        points[hull.vertices],
        number[hull.simplices],
        np.ascontiguousarray(hull.equations[:, :3]),
        hull.neighbors.astype(np.int64),
        hull.volume,
    )


def box(sides):
    return np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * sides


def sphere(n, seed=0):
    points = np.random.default_rng(seed).normal(size=(n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_smallest_box_of_a_turned_box_is_that_box(seed):
    sides = np.array([2.0, 5.0, 7.0])
    found = hull_of_points(box(sides) @ rotation(seed) + 3).smallest_box
    assert np.sort(found) == pytest.approx(sides, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_smallest_box_is_no_larger_than_any_turned_one(seed):
    points = sphere(40, seed) * (1.0, 2.0, 4.0)
    hull = hull_of_points(points)
    smallest = float(np.prod(hull.smallest_box))
    boxes = [np.prod(np.ptp(points @ rotation(100 + k), axis=0)) for k in range(300)]
    assert hull.volume <= smallest <= min(boxes) * (1 + 1e-9)
    turned = float(np.prod(hull_of_points(points @ rotation(seed)).smallest_box))
    assert turned == pytest.approx(smallest, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_smallest_ellipsoid_around_points_of_an_ellipsoid_is_that_ellipsoid(seed):
    points = (sphere(400, seed) * (3.0, 2.0, 1.0)) @ rotation(seed) + 10
    corners = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    points = np.vstack([points, (np.vstack([corners, -corners]) * (3.0, 2.0, 1.0)) @ rotation(seed) + 10])
    assert smallest_ellipsoid(points) == pytest.approx([3, 2, 1], rel=1e-4)


def test_smallest_ellipsoid_of_a_box_has_its_sides_times_root_three_halves():
    sides = np.array([2.0, 3.0, 6.0])
    found = smallest_ellipsoid(box(sides) @ rotation(1))
    assert np.sort(found) == pytest.approx(sides * math.sqrt(3) / 2, rel=1e-4)


def test_smallest_ellipsoid_holds_all_points_and_no_smaller_one_does():
    points = np.random.default_rng(2).normal(size=(60, 3)) * (1, 4, 2)
    volume = ellipsoid_volume(smallest_ellipsoid(points))
    assert volume >= ConvexHull(points).volume
    # the covariance's own ellipsoid, grown until it holds all points, is an upper bound
    centred = points - points.mean(axis=0)
    covariance = centred.T @ centred / len(points)
    reach = np.einsum("ia,ab,ib->i", centred, np.linalg.inv(covariance), centred).max()
    assert volume <= ellipsoid_volume(semi_axes(covariance, math.sqrt(reach))) * (1 + 1e-4)


@pytest.mark.parametrize("axes", [(2, 1, 1), (5, 4, 3), (3, 2, 1.5), (9, 3, 0.1)])
def test_area_of_an_ellipsoid_is_the_series_of_the_standard(axes):
    a, b, c = axes
    alpha, beta = math.sqrt(1 - b**2 / a**2), math.sqrt(1 - c**2 / a**2)
    x = (alpha**2 + beta**2) / (2 * alpha * beta)
    series = sum((alpha * beta) ** n / (1 - 4 * n**2) * eval_legendre(n, x) for n in range(21))
    assert ellipsoid_area(np.array(axes, float)) == pytest.approx(4 * math.pi * a * b * series, rel=1e-10)


def test_area_of_a_sphere_is_exact_and_that_of_the_series_is_not_in_general():
    assert ellipsoid_area(np.full(3, 2.0)) == pytest.approx(16 * math.pi, rel=1e-15)
    a, b, c = 5.701, 4.654, 4.268  # the digital phantom
    exact = 4 * math.pi * a * b * c * elliprg(a**-2, b**-2, c**-2)
    assert ellipsoid_area(np.array([a, b, c])) / exact == pytest.approx(0.9626, abs=1e-4)


def test_area_continues_to_equal_axes():
    near = ellipsoid_area(np.array([2.0, 2.0 - 1e-9, 1.0]))
    assert ellipsoid_area(np.array([2.0, 2.0, 1.0])) == pytest.approx(near, rel=1e-8)


def ball(radius):
    z, y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    return x * x + y * y + z * z <= radius * radius


def test_ball_of_voxels_is_nearly_a_sphere():
    mask = ball(15)
    values, reasons = morphology.compute(make_sample(np.arange(mask.size, dtype=float).reshape(mask.shape), mask))
    assert not reasons
    assert values["VolumeMesh"] == pytest.approx(4 / 3 * math.pi * 15**3, rel=0.02)
    assert values["Maximum3DDiameter"] == pytest.approx(31, rel=0.02)
    assert values["MajorAxisLength"] == pytest.approx(4 * 15 / math.sqrt(5), rel=0.01)
    assert values["Elongation"] == pytest.approx(1, abs=1e-9)
    assert values["VolumeDensityMVEE"] == pytest.approx(1, abs=0.12)
    assert values["VolumeDensityConvexHull"] == pytest.approx(1, abs=0.05)
    assert values["Sphericity"] == pytest.approx(values["Compactness2"] ** (1 / 3), rel=1e-12)
    assert values["Compactness1"] == pytest.approx(math.sqrt(values["Compactness2"]) / (6 * math.pi), rel=1e-12)
    assert values["Asphericity"] == pytest.approx(values["SphericalDisproportion"] - 1, rel=1e-12)


def test_turned_box_of_voxels_fills_its_own_box_better_than_the_aligned_one():
    _, y, x = np.mgrid[0:12, 0:40, 0:40]
    mask = (np.abs(x + y - 39) < 30) & (np.abs(x - y) < 12)
    values, _ = morphology.compute(make_sample(x.astype(float), mask))
    assert values["VolumeDensityOMBB"] > 0.9
    assert values["VolumeDensityAABB"] < 0.6


def test_centre_shift_follows_the_intensities():
    mask = np.ones((1, 1, 5), bool)
    intensities = np.array([[[0.0, 0, 0, 0, 2]]])
    values, _ = morphology.compute(make_sample(intensities, mask, spacing_mm=(1.0, 1.0, 3.0)))
    assert values["CentreOfMassShift"] == pytest.approx(6.0)
    constant, _ = morphology.compute(make_sample(np.ones((1, 1, 5)), mask))
    assert constant["CentreOfMassShift"] == pytest.approx(0, abs=1e-12)


def test_integrated_intensity_takes_the_mesh_volume_and_the_intensity_mask():
    mask = np.ones((2, 2, 2), bool)
    inside = mask.copy()
    inside[0] = False
    intensities = np.where(inside, 4.0, 100.0)
    values, _ = morphology.compute(make_sample(intensities, mask, intensity_mask=inside))
    assert values["IntegratedIntensity"] == pytest.approx(4 * values["VolumeMesh"])
