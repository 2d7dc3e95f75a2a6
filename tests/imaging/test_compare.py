"""Comparison of two masks: against SimpleITK, against plain loops, and by hand."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.errors import GeometryMismatch
from radiomics_pipeline.imaging.compare import compare, surface

SPACING = (3.0, 1.5, 2.0)


def as_itk(mask):
    found = sitk.GetImageFromArray(mask.astype(np.uint8))
    found.SetSpacing(SPACING[::-1])
    return found


def pair(seed, shape=(7, 8, 9)):
    random = np.random.default_rng(seed)
    masks = []
    for _ in range(2):
        z, y, x = np.indices(shape)
        c = random.uniform(2, 6, 3)
        r = random.uniform(1.2, 4)
        masks.append((z - c[0]) ** 2 + (y - c[1]) ** 2 + (x - c[2]) ** 2 + random.normal(0, 1, shape) <= r**2)
    return masks


def by_loops(a, b, tolerance_mm):
    """Surface distances from the definition: voxels with a free face, nearest centre to nearest centre."""

    def points(mask):
        found = []
        for at in np.argwhere(mask):
            for axis in range(3):
                for step in (-1, 1):
                    other = at.copy()
                    other[axis] += step
                    free = (other < 0).any() or (other >= mask.shape).any() or not mask[tuple(other)]
                    if free:
                        found.append(tuple(at))
        return np.array(sorted(set(found))) * SPACING

    p, q = points(a), points(b)
    apart = np.sqrt(((p[:, None] - q[None]) ** 2).sum(axis=2))
    there, back = apart.min(axis=1), apart.min(axis=0)
    both = [*there, *back]
    return (
        max(both),
        max(np.percentile(there, 95), np.percentile(back, 95)),
        sum(both) / len(both),
        sum(d <= tolerance_mm + 1e-9 for d in both) / len(both),
    )


@pytest.mark.parametrize("seed", range(8))
def test_overlap_and_volumes_are_those_of_simpleitk(seed):
    a, b = pair(seed)
    found = compare(a, b, SPACING)
    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(as_itk(a), as_itk(b))
    assert found.dice == pytest.approx(measures.GetDiceCoefficient(1), rel=1e-12)
    assert found.jaccard == pytest.approx(measures.GetJaccardCoefficient(1), rel=1e-12)
    shape = sitk.LabelShapeStatisticsImageFilter()
    centres = []
    for mask, volume_ml in ((a, found.volume_a_ml), (b, found.volume_b_ml)):
        shape.Execute(as_itk(mask))
        assert volume_ml == pytest.approx(shape.GetPhysicalSize(1) / 1000, rel=1e-12)
        centres.append(np.array(shape.GetCentroid(1)))
    assert found.centroid_distance_mm == pytest.approx(np.linalg.norm(centres[0] - centres[1]), rel=1e-9)
    assert found.volume_difference == pytest.approx(b.sum() / a.sum() - 1)


@pytest.mark.parametrize("seed", range(8))
def test_the_hausdorff_distance_of_the_surfaces_is_that_of_simpleitk(seed):
    a, b = pair(seed)
    measures = sitk.HausdorffDistanceImageFilter()
    measures.Execute(as_itk(surface(a)), as_itk(surface(b)))
    assert compare(a, b, SPACING).hausdorff_mm == pytest.approx(measures.GetHausdorffDistance(), rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 6))
def test_distances_agree_with_loops(seed, tolerance_mm):
    a, b = pair(seed, (5, 6, 7))
    if not a.any() or not b.any():
        return
    found = compare(a, b, SPACING, tolerance_mm=tolerance_mm)
    measured = (found.hausdorff_mm, found.hausdorff95_mm, found.mean_surface_distance_mm, found.surface_dice)
    assert measured == pytest.approx(by_loops(a, b, tolerance_mm), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_matters_to_the_volumes_alone(seed):
    a, b = pair(seed)
    if not a.any() or not b.any():
        return
    one, other = compare(a, b, SPACING), compare(b, a, SPACING)
    assert (one.volume_a_ml, one.volume_b_ml) == (other.volume_b_ml, other.volume_a_ml)
    assert astuple(one)[:2] == astuple(other)[:2]
    assert astuple(one)[5:] == pytest.approx(astuple(other)[5:], rel=1e-12)


def test_a_box_moved_by_two_voxels():
    a = np.zeros((9, 9, 12), bool)
    a[2:7, 2:7, 2:7] = True
    found = compare(a, np.roll(a, 2, axis=2), (1.0, 1.0, 1.0), tolerance_mm=1.0)
    assert found.dice == pytest.approx(0.6)
    assert found.jaccard == pytest.approx(3 / 7)
    assert found.hausdorff_mm == 2
    assert found.centroid_distance_mm == pytest.approx(2)
    assert found.volume_difference == 0


def test_equal_masks_are_equal_wherever_they_lie():
    a, _ = pair(3)
    wide = np.pad(a, ((3, 0), (0, 5), (2, 2)))
    assert astuple(compare(a, a, SPACING))[:2] == (1, 1)
    assert astuple(compare(a, a, SPACING))[4:] == (0, 0, 0, 0, 1, 0)
    assert astuple(compare(wide, wide, SPACING)) == astuple(compare(a, a, SPACING))


def test_empty_masks():
    a, _ = pair(3)
    none = np.zeros_like(a)
    both = compare(none, none, SPACING)
    assert (both.volume_a_ml, both.volume_b_ml) == (0, 0)
    assert all(math.isnan(v) for v in astuple(both)[:2] + astuple(both)[4:])
    for found, difference in ((compare(a, none, SPACING), -1), (compare(none, a, SPACING), math.nan)):
        assert (found.dice, found.jaccard, found.surface_dice) == (0, 0, 0)
        assert found.volume_difference == pytest.approx(difference, nan_ok=True)
        assert math.isnan(found.hausdorff_mm)
        assert math.isnan(found.centroid_distance_mm)


def test_masks_of_two_sizes_are_refused():
    a, _ = pair(3)
    with pytest.raises(GeometryMismatch, match="resample"):
        compare(a, a[1:], SPACING)
