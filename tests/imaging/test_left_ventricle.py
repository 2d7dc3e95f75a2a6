"""The polar map against a phantom of others, against formulas, and where it must not change."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes, map_coordinates, maximum_filter, minimum_filter

from radiomics_pipeline.errors import BadMask
from radiomics_pipeline.features.polar_map_sample import PolarMapSample
from radiomics_pipeline.imaging.left_ventricle import left_ventricle, voxel_positions
from radiomics_pipeline.imaging.polar_map import polar_map, segment_labels
from radiomics_pipeline.io.volumes import decode, read_file
from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.types import Grid, Region, Volume
from tests.hearts import CAP, CYLINDER, RADIUS, STACK, WALL, flipped, heart, settings

PHANTOM = {"method": "short-axis", "base": "+z", "anterior": "+y", "lateral": "+x"}
FOUND = {"method": "mask", "anterior": "+y", "lateral": "+x"}
CUTS = (0.85, 0.70, 0.50, 0.30)
DEFECTS = {"stress": {7, 8, 13, 14, 17}, "rest": {7, 8, 13, 14, 17}, "infarct_inf": {4, 5, 10, 15}}


def means(volume: Volume, region: Region, params: PolarMap) -> np.ndarray:
    return PolarMapSample(polar_map(volume, region, params), params).means


@pytest.fixture(scope="module")
def phantom(shared):
    """Volumes by name, the wall and its labels."""
    folder = shared / "nm_data" / "lv_phantom"
    names = ("normal", "stress", "rest", "infarct_inf", "aha17_labels")
    raw = {name: decode(read_file(folder / f"{name}.nii.gz")) for name in names}
    labels = raw.pop("aha17_labels").array
    volumes = {name: Volume(r.array.astype(float), r.grid, "counts") for name, r in raw.items()}
    wall = Region(labels > 0, labels > 0, volumes["normal"].grid)
    return volumes, wall, labels, json.loads((folder / "expected.json").read_text())


@pytest.fixture(scope="module", params=[PHANTOM, FOUND], ids=["short-axis", "mask"])
def ratios(request, phantom):
    """Ratios to the normal phantom, by name."""
    volumes, wall, _, _ = phantom
    params = settings(axis=request.param)
    normal = means(volumes["normal"], wall, params)
    return {name: means(volume, wall, params) / normal for name, volume in volumes.items()}


@pytest.mark.parametrize("name", DEFECTS)
def test_the_phantoms_ratios_are_those_of_the_other_sampler(phantom, ratios, name):
    expected = phantom[3]["recovered_ratio_reference"][name]
    np.testing.assert_allclose(ratios[name], expected, atol=0.02)


def test_the_phantoms_summed_scores_are_those_of_the_other_sampler(phantom, ratios):
    score = {name: sum((ratio < cut).astype(int) for cut in CUTS) for name, ratio in ratios.items()}
    assert score["stress"].sum() == phantom[3]["scores_reference"]["SSS_stress"] == 12
    assert score["rest"].sum() == phantom[3]["scores_reference"]["SRS_rest"] == 2
    assert (score["stress"] - score["rest"]).sum() == phantom[3]["scores_reference"]["SDS"] == 10
    assert score["infarct_inf"].sum() == phantom[3]["scores_reference"]["summed_infarct_inf"] == 11


@pytest.mark.parametrize("name", DEFECTS)
def test_the_phantoms_defects_are_found_and_nothing_else(phantom, ratios, name):
    ratio, planted = ratios[name], phantom[3]["true_relative_uptake"][name]
    lowest = set((np.argsort(ratio)[: len(planted)] + 1).tolist())
    assert lowest == DEFECTS[name]
    assert set((np.flatnonzero(ratio < 0.85) + 1).tolist()) <= DEFECTS[name]
    for segment, truth in planted.items():
        assert truth - 0.02 <= ratio[int(segment) - 1] <= truth + 0.20


def test_voxels_get_the_phantoms_labels_but_at_borders(phantom):
    _, wall, labels, _ = phantom
    found = segment_labels(wall, left_ventricle(wall, settings(axis=PHANTOM).axis))
    differ = (found != labels) & (labels > 0)
    assert differ.sum() / (labels > 0).sum() < 0.02
    low = minimum_filter(np.where(labels > 0, labels, 99), 3)
    assert np.all((low != maximum_filter(labels, 3))[differ])


def test_turning_the_phantom_by_a_quarter_turns_its_map(phantom):
    volumes, wall, _, _ = phantom
    params = settings(axis=PHANTOM)
    grid = volumes["stress"].grid
    upright = polar_map(volumes["stress"], wall, params).values
    turned = np.rot90(volumes["stress"].array, 1, (2, 1)).copy()  # x to y: from the lateral wall to the anterior one
    mask = np.rot90(wall.morphology, 1, (2, 1)).copy()
    values = polar_map(Volume(turned, grid, "counts"), Region(mask, mask, grid), params).values
    np.testing.assert_allclose(values, np.roll(upright, 15, axis=1), rtol=1e-5)


def test_the_form_is_that_of_the_heart():
    _, wall = heart(voxel_mm=2.0, count=56)
    lv = left_ventricle(wall, settings().axis)
    assert lv.radius_mm == pytest.approx(RADIUS + WALL / 2, abs=0.5)
    assert lv.cylinder_mm + lv.cap_mm == pytest.approx(CYLINDER + CAP + WALL / 2, abs=2.5)
    assert lv.cylinder_mm + lv.cavity_mm == pytest.approx(CYLINDER + CAP, abs=2.0)
    found = polar_map(*heart(voxel_mm=2.0, count=56), settings())
    radius, cap = lv.radius_mm, lv.cap_mm
    bend = math.sqrt(1 - (radius / cap) ** 2)  # half a prolate spheroid, and the cylinder
    surface = math.pi * radius * (radius + cap * math.asin(bend) / bend) + 2 * math.pi * radius * lv.cylinder_mm
    assert found.area_mm2.sum() * 60 == pytest.approx(surface, rel=2e-3)


def test_the_map_shows_what_lies_at_each_place():
    volume, wall = heart(lambda angle, height: 2 + np.cos(np.radians(angle - 70)), voxel_mm=2.0, count=56)
    found = polar_map(volume, wall, settings())
    angle = np.radians((np.arange(60) + 0.5) * 6)
    expected = 100 * (2 + np.cos(angle - np.radians(70)))
    np.testing.assert_allclose(found.values[8:-1], np.broadcast_to(expected, (21, 60)), rtol=0.06)
    volume, wall = heart(lambda angle, height: 1 + (height > 0), voxel_mm=2.0, count=56)
    rings = polar_map(volume, wall, settings()).values.mean(axis=1)
    lv = left_ventricle(wall, settings().axis)
    assert np.argmax(rings > 150) == pytest.approx(30 * (1 - lv.cylinder_mm / _length(lv)), abs=2)


def _length(lv) -> float:
    turn = np.linspace(0, np.pi / 2, 500)
    cap = sum(
        math.hypot(lv.cap_mm * (math.cos(b) - math.cos(a)), lv.radius_mm * (math.sin(b) - math.sin(a)))
        for a, b in pairwise(turn)
    )
    return cap + lv.cylinder_mm


def test_every_place_lies_in_its_segments_wholly():
    for angles in (12, 36, 60, 120):
        found = polar_map(*heart(), settings(angles=angles, rings=17))
        np.testing.assert_allclose(found.segments.sum(axis=0), 1, atol=1e-12)
    six = found.segments[:12].sum(axis=(1, 2)).reshape(2, 6)
    np.testing.assert_allclose(six, six[:, :1] * np.ones(6))


def test_a_slow_sampler_finds_the_same_maxima():
    volume, wall = heart(lambda angle, height: 1.5 + np.sin(np.radians(2 * angle)) * 0.4, blur_mm=9, background=3)
    params = settings(step_mm=0.05)
    lv = left_ventricle(wall, params.axis)
    found = polar_map(volume, wall, params)
    turn = np.linspace(0, np.pi / 2, 4001)
    steps = np.hypot(np.diff(-lv.cap_mm * np.cos(turn)), np.diff(lv.radius_mm * np.sin(turn)))
    lengths = np.concatenate([[0], np.cumsum(steps)])
    total = lengths[-1] + lv.cylinder_mm
    for ring, column in ((0, 3), (5, 17), (9, 40), (15, 0), (22, 59), (28, 31)):
        along = (ring + 0.5) / 30 * total
        theta = np.interp(along, lengths, turn)
        height = max(along - lengths[-1], 0) or -lv.cap_mm * math.cos(theta)
        radius = lv.radius_mm * math.sin(theta)
        normal = np.array([-math.cos(theta) / lv.cap_mm, math.sin(theta) / lv.radius_mm])
        normal /= np.linalg.norm(normal)
        angle = (column + 0.5) * 2 * math.pi / 60
        out = math.cos(angle) * lv.lateral + math.sin(angle) * lv.anterior
        values, inside = {}, []
        for t in np.arange(-20, 20.1, 0.05):
            point = lv.centre_mm + (height + t * normal[0]) * lv.base + (radius + t * normal[1]) * out
            at = voxel_positions(volume.grid, point)[:, None]
            values[t] = map_coordinates(volume.array, at, order=1)[0]
            if map_coordinates(wall.morphology.astype(float), at, order=1)[0] >= 0.5 and abs(t) <= 0.8 * lv.radius_mm:
                inside.append(t)
        middle = np.mean(inside)
        expected = max(value for t, value in values.items() if -8 <= t - middle <= 8)
        assert found.values[ring, column] == pytest.approx(expected, rel=1e-3)


def test_scaling_the_counts_scales_the_map_and_leaves_the_ratios():
    volume, wall = heart(lambda angle, height: 1 + (angle < 90), blur_mm=8)
    params = settings()
    more = Volume(volume.array * 37, volume.grid, "counts")
    first, second = (PolarMapSample(polar_map(v, wall, params), params) for v in (volume, more))
    np.testing.assert_allclose(second.means, 37 * first.means, rtol=1e-12)
    np.testing.assert_allclose(second.ratios, first.ratios, rtol=1e-12)


@pytest.mark.parametrize(("axis", "name"), [(0, "base"), (1, "anterior"), (2, "lateral")])
def test_a_flipped_stack_gives_the_same_map_when_its_axis_is_named_so(axis, name):
    volume, wall = heart(lambda angle, height: 1 + (angle < 90) + (height > 9), blur_mm=8)
    sign = {"+": "-", "-": "+"}
    other = {**STACK, name: sign[STACK[name][0]] + STACK[name][1]}
    found = polar_map(*flipped(volume, wall, axis), settings(axis=other)).values
    np.testing.assert_allclose(found, polar_map(volume, wall, settings()).values, rtol=1e-6)


def anatomical(turn: np.ndarray) -> tuple[Volume, Region, np.ndarray]:
    """A heart as it lies in a patient, its defect in segment 6 and above; its axes (lateral, inferior, base) in LPS."""
    volume, wall = heart(lambda angle, height: np.where((angle < 60) & (height > 22), 0.3, 1.0), blur_mm=8)
    base = turn @ np.array([-0.62, 0.6, 0.5])
    base /= np.linalg.norm(base)
    anterior = np.array([0, 0, 1.0]) - base[2] * base
    anterior /= np.linalg.norm(anterior)
    frame = np.column_stack([np.cross(base, anterior), -anterior, base])
    grid = Grid(volume.grid.shape, volume.spacing_mm, (31.0, -210.0, 55.0), tuple(frame.ravel().tolist()))
    return Volume(volume.array, grid, "counts"), Region(wall.morphology, wall.morphology, grid), frame


@pytest.mark.parametrize("degrees", [0, 25, -40])
def test_a_transaxial_heart_gives_the_segments_of_its_short_axis_stack(degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    volume, wall, _ = anatomical(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]))
    upright = settings()
    expected = PolarMapSample(polar_map(volume, wall, upright), upright).ratios
    assert np.argmin(expected) == 5
    found = settings(axis={"method": "mask"})
    same = PolarMapSample(polar_map(volume, wall, found), found).ratios
    np.testing.assert_allclose(same, expected, atol=0.01)
    centre = volume.grid.position_mm((13.5, 13.5, 13.5))
    n = 34
    axial = Grid((n, n, n), (4.0, 4.0, 4.0), tuple((centre - 4.0 * (n - 1) / 2).tolist()))
    z, y, x = np.indices(axial.shape)
    points = np.stack([x, y, z], axis=-1) * 4.0 + np.array(axial.origin_mm)
    at = voxel_positions(volume.grid, points)
    array = map_coordinates(volume.array, at, order=1)
    mask = map_coordinates(wall.morphology.astype(float), at, order=1) >= 0.5
    sampled = polar_map(Volume(array, axial, "counts"), Region(mask, mask, axial), found)
    np.testing.assert_allclose(PolarMapSample(sampled, found).ratios, expected, atol=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_patient_coordinates_outlive_a_flip_of_the_array(axis):
    volume, wall, _ = anatomical(np.eye(3))
    params = settings(axis={"method": "mask"})
    expected = polar_map(volume, wall, params).values
    np.testing.assert_allclose(polar_map(*flipped(volume, wall, axis), params).values, expected, rtol=1e-3)


@pytest.mark.parametrize("degrees", [20, 35])
def test_an_oblique_valve_plane_does_not_turn_the_long_axis(degrees):
    _, wall = heart(blur_mm=8)
    z, _, x = (np.indices(wall.grid.shape) - 13.5) * 4.0
    mask = wall.morphology & (z <= 40 - np.tan(np.radians(degrees)) * (x + 30))
    params = settings(axis={"method": "mask", "anterior": "-y", "lateral": "+x"})
    lv = left_ventricle(Region(mask, mask, wall.grid), params.axis)
    assert math.degrees(math.acos(min(1.0, float(lv.base[2])))) < 2


def test_a_given_ventricle_needs_no_mask():
    volume, wall = heart(lambda angle, height: np.where(angle < 90, 0.5, 1.0), blur_mm=8)
    params = settings()
    lv = left_ventricle(wall, params.axis)
    given = {
        "method": "given",
        "centre_mm": lv.centre_mm.tolist(),
        "apex_mm": (lv.centre_mm - lv.cap_mm * lv.base).tolist(),
        "cylinder_mm": lv.cylinder_mm,
        "radius_mm": lv.radius_mm,
        "anterior": "-y",
        "lateral": "+x",
    }
    nothing = np.zeros(volume.grid.shape, bool)
    found = settings(axis=given)
    there = PolarMapSample(polar_map(volume, Region(nothing, nothing, volume.grid), found), found)
    np.testing.assert_allclose(there.means[:12], means(volume, wall, params)[:12], rtol=0.02)
    np.testing.assert_allclose(there.means, means(volume, wall, params), rtol=0.05)


def test_a_hole_in_the_wall_is_no_value():
    volume, wall = heart()
    mask = wall.morphology.copy()
    mask[18:, :, :10] = False
    found = polar_map(volume, Region(mask, mask, wall.grid), settings())
    assert np.isnan(found.values[-6:, 25:35]).all()
    assert np.isfinite(found.values[:, :10]).all()


def binary_fill_slices(mask: np.ndarray) -> np.ndarray:
    """The wall with its cavity."""
    return np.array([binary_fill_holes(page) for page in mask])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda mask: np.zeros_like(mask) | (np.indices(mask.shape).sum(axis=0) < 5), "voxels; the wall"),
        (binary_fill_slices, "filled"),
        (lambda mask: mask & (np.arange(28) > 12)[:, None, None], "open"),
    ],
)
@pytest.mark.parametrize("axis", [STACK, {"method": "mask", "anterior": "-y", "lateral": "+x"}])
def test_what_is_no_wall_is_refused(axis, change, message):
    volume, wall = heart()
    mask = change(wall.morphology)
    with pytest.raises(BadMask, match=message):
        polar_map(volume, Region(mask, mask, wall.grid), settings(axis=axis))


def test_a_long_axis_towards_the_head_has_no_anterior_wall():
    with pytest.raises(BadMask, match="anterior"):
        polar_map(*heart(), settings(axis={"method": "mask"}))
    with pytest.raises(BadMask, match="lateral"):
        polar_map(*heart(), settings(axis={"method": "mask", "anterior": "-y", "lateral": "+z"}))


@pytest.mark.parametrize(
    "axis",
    [
        {**STACK, "lateral": "+y"},
        {"method": "mask", "anterior": "+y"},
        {"method": "mask", "anterior": "+y", "lateral": "-y"},
        {"method": "given", "centre_mm": (0, 0, 0), "apex_mm": (0, 0, 0), "cylinder_mm": 4, "radius_mm": 4},
    ],
)
def test_axes_that_leave_the_frame_open_are_refused(axis):
    with pytest.raises(ValueError, match="ax"):
        settings(axis=axis)
