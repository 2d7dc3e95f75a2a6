"""A label image whose axes run otherwise holds the same voxels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.imaging.orientation import turned
from radiomics_pipeline.types import Grid

GRID = Grid((3, 4, 5), (3.0, 2.0, 1.5), (10.0, -20.0, 30.0))
LABELS = np.arange(60).reshape(GRID.shape)


def turn(axes: tuple[int, ...], signs: tuple[int, ...]) -> tuple[float, ...]:
    found = np.zeros((3, 3))
    found[list(axes), range(3)] = signs
    return tuple(float(v) for v in found.ravel())


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_every_voxel_stays_where_it_is(axes, signs):
    labels, grid = turned(LABELS, GRID, turn(axes, signs))
    assert grid.direction == turn(axes, signs)
    for index in np.ndindex(*grid.shape):
        old = tuple(int(i[0]) for i in np.nonzero(labels[index] == LABELS))
        np.testing.assert_allclose(grid.position_mm(index), GRID.position_mm(old), atol=1e-9)


def test_and_comes_back():
    there = turned(LABELS, GRID, turn((1, 2, 0), (1, -1, -1)))
    labels, grid = turned(*there, GRID.direction)
    np.testing.assert_array_equal(labels, LABELS)
    assert grid == GRID


def test_it_does_what_itk_does():
    image = sitk.GetImageFromArray(LABELS.astype(np.int32))
    image.SetSpacing(GRID.spacing_mm[::-1])
    image.SetOrigin(GRID.origin_mm)
    other = sitk.DICOMOrient(image, "RAI")
    other = sitk.DICOMOrient(other, "SPR")
    labels, grid = turned(LABELS, GRID, other.GetDirection())
    np.testing.assert_array_equal(labels, sitk.GetArrayFromImage(other))
    np.testing.assert_allclose(grid.origin_mm, other.GetOrigin())


def test_oblique_axes_are_no_other_order_of_these():
    c, s = np.cos(0.1), np.sin(0.1)
    assert turned(LABELS, GRID, (c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)) is None
