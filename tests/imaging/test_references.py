"""Reference regions: what erosion and sphere leave, and their values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch
from radiomics_pipeline.imaging.references import deepest, depth_mm, reference_values
from radiomics_pipeline.params.references import Reference
from radiomics_pipeline.types import Grid, Volume
from tests.naive.uptake import reference


def volume(array, spacing_mm=(1.0, 1.0, 1.0)) -> Volume:
    return Volume(array, Grid(array.shape, spacing_mm), "SUV")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_values_are_those_of_the_voxels_that_the_definition_keeps(seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(2, 1, rng.integers(2, 7, 3))
    mask = rng.random(image.shape) < 0.85
    mask.flat[0] = True
    spacing_mm = tuple(float(s) for s in rng.choice([1.0, 2.0, 3.3], 3))
    erode_mm, sphere_mm = float(rng.choice([0.0, 1.5])), [None, 4.0, 7.0][seed % 3]
    expected = reference(image, mask, spacing_mm, erode_mm=erode_mm, sphere_mm=sphere_mm)
    params = Reference(erode_mm=erode_mm, sphere_mm=sphere_mm)
    if not expected:
        with pytest.raises(EmptyRegion, match="smaller erode_mm"):
            reference_values(volume(image, spacing_mm), mask, params, "liver")
        return
    found = reference_values(volume(image, spacing_mm), mask, params, "liver")
    assert found.voxels == len(expected)
    assert found.volume_ml == pytest.approx(len(expected) * np.prod(spacing_mm) / 1000)
    assert found.mean == pytest.approx(np.mean(expected))
    assert found.sd == pytest.approx(np.std(expected), abs=1e-12)
    assert found.maximum == max(expected)


def test_sphere_of_3_cm_in_a_large_organ_has_its_volume_and_lies_in_its_middle():
    z, y, x = np.indices((40, 40, 40))
    organ = (z - 20) ** 2 + (y - 18) ** 2 + (x - 22) ** 2 <= 15**2
    image = np.where((z - 20) ** 2 + (y - 18) ** 2 + (x - 22) ** 2 <= 8**2, 5.0, 1.0)
    found = reference_values(volume(image, (2.0, 2.0, 2.0)), organ, Reference(sphere_mm=30), "liver")
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.02)
    assert (found.mean, found.sd) == (5.0, 0.0)


def test_sphere_is_cut_off_at_the_border_of_the_mask():
    image = np.zeros((9, 9, 9))
    image[4] = 3.0
    mask = np.zeros(image.shape, bool)
    mask[4] = True
    found = reference_values(volume(image), mask, Reference(sphere_mm=6), "blood")
    assert (found.mean, found.voxels) == (3.0, 29)  # the disc of radius 3 around a voxel


def test_deepest_voxel_does_not_lie_at_the_border_of_the_image():
    mask = np.zeros((7, 7, 7), bool)
    mask[:5] = True
    assert deepest(depth_mm(mask, (1.0, 1.0, 1.0)), (1.0, 1.0, 1.0)) == (2, 3, 3)


def test_of_equally_deep_voxels_the_one_nearest_to_the_middle_is_taken_then_the_first():
    spacing_mm = (3.3, 3.3, 3.3)
    for shift in range(3):
        cube, vessel = (np.pad(np.ones(shape, bool), shift) for shape in ((4, 4, 4), (11, 3, 3)))
        assert deepest(depth_mm(cube, spacing_mm), spacing_mm) == (1 + shift,) * 3
        assert deepest(depth_mm(vessel, spacing_mm), spacing_mm) == (5 + shift, 1 + shift, 1 + shift)


def test_more_image_around_changes_nothing():
    rng = np.random.default_rng(3)
    image, mask = rng.random((6, 5, 7)), rng.random((6, 5, 7)) < 0.7
    params = Reference(sphere_mm=4, erode_mm=0.5)
    expected = reference_values(volume(image), mask, params, "a")
    wide = reference_values(volume(np.pad(image, 3, constant_values=99.0)), np.pad(mask, 3), params, "a")
    assert wide == expected


def test_refusals_name_the_reference_and_what_to_do():
    image, mask = np.ones((4, 4, 4)), np.zeros((4, 4, 4), bool)
    with pytest.raises(EmptyRegion, match="reference liver: no voxel"):
        reference_values(volume(image), mask, Reference(), "liver")
    mask[1:3, 1:3, 1:3] = True
    with pytest.raises(EmptyRegion, match=r"8 voxels, 0\.008 ml, .*less than minimum_ml 1;"):
        reference_values(volume(image), mask, Reference(minimum_ml=1), "liver")
    with pytest.raises(EmptyRegion, match="further than 2 mm"):
        reference_values(volume(image), mask, Reference(erode_mm=2), "liver")
    with pytest.raises(GeometryMismatch, match="3 x 4 x 4 voxels, the image 4 x 4 x 4"):
        reference_values(volume(image), mask[:, :, :3], Reference(), "liver")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"label": 1, "roi": "liver"}, "give one of them"),
        ({"file": "mask"}, "lesions' mask is the reference"),
        ({"label": 0}, "greater than or equal to 1"),
        ({"sphere_mm": 0}, "greater than 0"),
        ({"sphere": 30}, "Extra inputs"),
    ],
)
def test_parameters_that_say_nothing_clear_are_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        Reference.model_validate(given)
