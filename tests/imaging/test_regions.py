"""Which region a mask's labels mean."""

from __future__ import annotations

import numpy as np
import pytest

from radiomics_pipeline.errors import BadMask, EmptyRegion, MissingLabel
from radiomics_pipeline.imaging.regions import regions_of
from radiomics_pipeline.types import Grid

LABELS = np.array([[[0, 1, 1, 3, 7]]])
GRID = Grid(LABELS.shape, (1.0, 1.0, 1.0))


def test_the_only_label_is_taken_whatever_it_is():
    (region,) = regions_of(np.where(LABELS == 3, 255, 0), GRID, None, "m")
    assert (region.name, region.label, int(region.morphology.sum())) == ("", 255, 1)


def test_several_labels_are_not_guessed_between():
    with pytest.raises(BadMask, match="labels 1, 3, 7; say which"):
        regions_of(LABELS, GRID, None, "m")


def test_all_labels_give_one_region_each():
    assert [(r.name, r.label, int(r.morphology.sum())) for r in regions_of(LABELS, GRID, "all", "m")] == [
        ("1", 1, 2),
        ("3", 3, 1),
        ("7", 7, 1),
    ]


def test_named_labels_bear_their_names():
    regions = regions_of(LABELS, GRID, {"tumour": 3, "liver": 1}, "m")
    assert [(r.name, r.label) for r in regions] == [("liver", 1), ("tumour", 3)]


def test_a_label_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(MissingLabel, match="no voxel has label 2; there are: 1, 3, 7"):
        regions_of(LABELS, GRID, 2, "m")


def test_an_empty_mask_is_an_error():
    with pytest.raises(EmptyRegion, match="none of its 5 voxels"):
        regions_of(np.zeros_like(LABELS), GRID, None, "m")


def test_an_image_taken_for_a_mask_is_recognised():
    many = np.arange(3000).reshape(1, 1, -1)
    with pytest.raises(BadMask, match="2999 different labels"):
        regions_of(many, Grid(many.shape, (1.0, 1.0, 1.0)), "all", "m")
