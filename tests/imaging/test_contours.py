"""Contours drawn into voxels: the pixel-centre rule, holes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon
from skimage.draw import polygon2mask

from radiomics_pipeline.errors import BadContour, EmptyRegion
from radiomics_pipeline.imaging.contours import enclose
from radiomics_pipeline.types import Grid
from tests.naive.contours import enclosed
from tests.rtstruct_files import contour, rectangle

UPRIGHT = Grid((5, 20, 24), (3.0, 2.0, 1.5), (-17.25, 4.5, 100.0))


def turned(grid: Grid, angles: tuple[float, float, float] = (0.3, -0.2, 0.5)) -> Grid:
    """The same grid in another orientation."""
    a, b, c = angles
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return Grid(grid.shape, grid.spacing_mm, grid.origin_mm, tuple((rx @ ry @ rz).ravel().tolist()))


def drawn(contours, grid=UPRIGHT, **how) -> np.ndarray:
    return enclose(contours, grid, "ROI 'x'", **how).mask(grid)


def star(rng, n, centre, radius) -> list[tuple[float, float]]:
    """A star-shaped polygon of (row, column) without equal angles."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, n))
    r = rng.uniform(0.3, 1, n) * radius
    return list(zip(centre[0] + r * np.sin(angles), centre[1] + r * np.cos(angles), strict=True))


def test_a_rectangle_between_centres_holds_the_centres_inside():
    mask = drawn([rectangle(UPRIGHT, 2, 2.5, 3.5, 6.5, 9.5)])
    assert np.argwhere(mask).min(axis=0).tolist() == [2, 3, 4]
    assert np.argwhere(mask).max(axis=0).tolist() == [2, 6, 9]
    assert mask.sum() == 4 * 6


def test_centres_on_the_sides_of_low_index_are_in_and_on_the_others_out():
    mask = drawn([rectangle(UPRIGHT, 0, 2, 3, 6, 9)])
    assert np.array_equal(np.argwhere(mask[0]).min(axis=0), [2, 3])
    assert np.array_equal(np.argwhere(mask[0]).max(axis=0), [5, 8])


def test_rectangles_that_share_edges_share_no_voxel_and_leave_none_out():
    parts = [(2, 3, 6, 9), (2, 9, 6, 15), (6, 3, 11, 9), (6, 9, 11, 15)]
    counts = sum(drawn([rectangle(UPRIGHT, 1, *part)]).astype(int) for part in parts)
    assert counts.max() == 1
    assert np.array_equal(counts > 0, drawn([rectangle(UPRIGHT, 1, 2, 3, 11, 15)]))


def test_a_contour_inside_another_is_a_hole_and_one_inside_that_an_island():
    rings = [rectangle(UPRIGHT, 1, 1.5 + i, 1.5 + i, 14.5 - i, 14.5 - i) for i in (0, 2, 4)]
    found = enclose(rings, UPRIGHT, "x")
    assert found.box.sum() == 13 * 13 - 9 * 9 + 5 * 5
    assert found.notes == ()


def test_a_keyhole_is_a_hole():
    outer = [(1.5, 1.5), (1.5, 12.5), (12.5, 12.5), (12.5, 1.5), (7.25, 1.5)]
    inner = [(7.25, 4.5), (4.5, 4.5), (4.5, 9.5), (9.5, 9.5), (9.5, 4.5), (7.25, 4.5)]
    mask = drawn([contour(UPRIGHT, 1, [*outer, *inner, (7.25, 1.5)])])
    assert mask.sum() == 11 * 11 - 5 * 5
    assert not mask[1, 7, 7]
    assert mask[1, 7, 2:5].all(), "the bridge has no width"


QUARTERS = st.integers(-8, 60).map(lambda n: n / 4)
POLYGON = st.lists(st.tuples(QUARTERS, QUARTERS), min_size=3, max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(POLYGON, min_size=1, max_size=3))
@example([[(1, 1), (1, 5), (5, 5), (5, 1)]])
def test_any_polygons_are_drawn_as_point_by_point(polygons):
    grid = Grid((1, 14, 13), (1.0, 1.0, 1.0))
    unique = [p for i, p in enumerate(polygons) if p not in polygons[:i]]
    expected = enclosed(unique, (14, 13))
    points = [np.array([(x, y, 0.0) for x, y in polygon]) for polygon in polygons]
    if not expected.any():
        with pytest.raises(EmptyRegion):
            enclose(points, grid, "x")
        return
    assert np.array_equal(enclose(points, grid, "x").mask(grid)[0], expected)


@pytest.mark.parametrize("seed", range(5))
def test_matplotlib_and_scikit_image_agree(seed):
    rng = np.random.default_rng(seed)
    grid = Grid((1, 60, 70), (1.0, 1.0, 1.0))
    points = star(rng, 40, (30, 35), 28)
    mask = drawn([contour(grid, 0, points)], grid)[0]
    y, x = np.indices(mask.shape)
    by_path = Polygon([*points, points[0]], closed=True).contains_points(np.stack([y.ravel(), x.ravel()], 1))
    assert np.array_equal(mask, by_path.reshape(mask.shape))
    assert np.array_equal(mask, polygon2mask(mask.shape, np.array(points)))


@pytest.mark.parametrize("seed", range(3))
def test_order_and_direction_of_points_do_not_matter(seed):
    points = np.array(star(np.random.default_rng(seed), 25, (9, 11), 8))
    mask = drawn([contour(UPRIGHT, 2, points)])
    assert np.array_equal(drawn([contour(UPRIGHT, 2, np.roll(points, 7, axis=0))]), mask)
    assert np.array_equal(drawn([contour(UPRIGHT, 2, points[::-1])]), mask)
    assert np.array_equal(drawn([contour(UPRIGHT, 2, [*points, points[0]])]), mask)


def test_a_contour_split_in_two_touching_ones_is_the_same():
    points = star(np.random.default_rng(4), 20, (9, 11), 8)
    whole = drawn([contour(UPRIGHT, 2, points)])
    centre = (9, 11)
    parts = [[centre, *points[:11]], [centre, *points[10:], points[0]]]
    assert np.array_equal(drawn([contour(UPRIGHT, 2, part) for part in parts]), whole)


@pytest.mark.parametrize("on_centres", [False, True])
def test_oblique_and_shifted_grids_give_what_upright_ones_give(on_centres):
    rng = np.random.default_rng(5)
    shapes = [(z, star(rng, 30, (9, 11), 8)) for z in (1, 2, 3)]
    if on_centres:
        shapes = [(z, [(2, 3), (2, 12), (9, 12), (9, 3)]) for z in (1, 2, 3)]
    mask = drawn([contour(UPRIGHT, z, points) for z, points in shapes])
    for grid in (turned(UPRIGHT), Grid(UPRIGHT.shape, UPRIGHT.spacing_mm, (333.3, -71.7, -1234.56))):
        contours = [np.round(contour(grid, z, points), 9) for z, points in shapes]
        assert np.array_equal(drawn(contours, grid), mask)


def test_a_tilted_contour_is_refused():
    points = contour(UPRIGHT, 2, [(2, 3), (2, 12), (9, 12), (9, 3)])
    points[:2, 2] += 1.0
    with pytest.raises(BadContour, match=r"contour 1 of 1 is tilted .* span 1 mm across them \(allowed: 0.3 mm\)"):
        drawn([points])


def test_a_contour_between_slices_is_refused_unless_that_is_allowed():
    points = rectangle(UPRIGHT, 2.4, 2, 3, 9, 12)
    with pytest.raises(BadContour, match=r"1 of 1 contours lie between slices, the worst 1.2 mm beside slice 3"):
        drawn([points])
    assert drawn([points], tolerance=0.5)[2].any()
    assert drawn([rectangle(UPRIGHT, 2.2, 2, 3, 9, 12)])[2].any()


def test_contours_of_an_image_with_thinner_slices_do_not_cancel_each_other():
    pair = [rectangle(UPRIGHT, z, 2, 3, 9, 12) for z in (1.9, 2.1)]
    with pytest.raises(BadContour, match=r"two contours 0.6 mm apart fall on slice 3"):
        drawn(pair)


def test_slices_without_a_contour_are_told_and_not_filled():
    found = enclose([rectangle(UPRIGHT, z, 2, 3, 9, 12) for z in (0, 3)], UPRIGHT, "x")
    assert found.notes == (
        "x: no contour on 2 slices between its first and its last (slices 2, 3); nothing is filled in there",
    )
    assert found.mask(UPRIGHT).any(axis=(1, 2)).tolist() == [True, False, False, True, False]


def test_what_lies_outside_the_image_is_cut_off_and_told():
    found = enclose([rectangle(UPRIGHT, z, 5, -4, 30, 3.5) for z in (-1, 0)], UPRIGHT, "x")
    assert found.box.sum() == 15 * 4
    assert len(found.notes) == 2
    assert "1 of 2 contours lie before the first or behind the last slice" in found.notes[0]
    assert "1 of 2 contours leave the image in plane" in found.notes[1]


@pytest.mark.parametrize("where", [(7, 2, 3, 9, 12), (2, 2, 30, 9, 40), (2, -20, 3, -9, 12)])
def test_contours_wholly_outside_the_image_are_refused(where):
    with pytest.raises(EmptyRegion, match="lie outside the image"):
        drawn([rectangle(UPRIGHT, *where)])


def test_contours_smaller_than_a_voxel_are_an_empty_region():
    with pytest.raises(EmptyRegion, match="enclose the centre of no voxel"):
        drawn([rectangle(UPRIGHT, 2, 2.2, 3.2, 2.8, 3.8)])


def test_contours_of_one_or_two_points_enclose_nothing():
    good, stray = rectangle(UPRIGHT, 2, 2, 3, 9, 12), contour(UPRIGHT, 1, [(2, 2), (5, 5)])
    found = enclose([stray, good], UPRIGHT, "x")
    assert found.notes == ("x: 1 of 2 contours have fewer than 3 points and enclose nothing",)
    assert np.array_equal(found.mask(UPRIGHT), drawn([good]))
    with pytest.raises(BadContour, match="none of its 1 contours has 3 points"):
        drawn([stray])


def test_a_contour_that_stands_there_twice_is_taken_once_unless_xor_is_meant():
    one = rectangle(UPRIGHT, 2, 2, 3, 9, 12)
    found = enclose([one, one], UPRIGHT, "x")
    assert found.box.any()
    assert found.notes == ("x: 1 contours stand there twice and are taken once",)
    with pytest.raises(EmptyRegion):
        drawn([one, one], xor=True)


def test_contours_that_overlap_in_part_are_told():
    found = enclose([rectangle(UPRIGHT, 2, 2, 3, 9, 12), rectangle(UPRIGHT, 2, 5, 6, 12, 15)], UPRIGHT, "x")
    assert len(found.notes) == 1
    assert "slices 3); the 24 voxels that two of them enclose are left out" in found.notes[0]
    assert found.box.sum() == 2 * (7 * 9 - 24)


def test_a_point_that_is_no_number_is_refused():
    points = rectangle(UPRIGHT, 2, 2, 3, 9, 12)
    points[1, 0] = np.nan
    with pytest.raises(BadContour, match="not a finite number"):
        drawn([points])


def test_a_large_roi_is_filled_whole():
    grid = Grid((300, 512, 512), (3.0, 0.97, 0.97))
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    ring = [(256 + 60 * np.sin(a), 256 + 70 * np.cos(a)) for a in angles]
    contours = [contour(grid, z, ring) for z in range(100, 150)]
    assert enclose(contours, grid, "x").box.sum() == pytest.approx(50 * np.pi * 60 * 70, rel=5e-3)
