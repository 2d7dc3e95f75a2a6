"""Which region a mask's labels mean."""

from __future__ import annotations

import numpy as np
import pytest

from radiomics_pipeline.errors import BadMask, EmptyRegion, MissingLabel, MissingRoi
from radiomics_pipeline.imaging.regions import region_of, regions_of, wanted_regions
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.masks import LabelImage, MaskStack

LABELS = np.array([[[0, 1, 1, 3, 7]]])
GRID = Grid(LABELS.shape, (1.0, 1.0, 1.0))


def test_the_only_label_is_taken_whatever_it_is():
    (region,) = regions_of(LabelImage("m", GRID, np.where(LABELS == 3, 255, 0)), None)
    assert (region.name, region.label, int(region.morphology.sum())) == ("", 255, 1)


def test_several_labels_are_not_guessed_between():
    with pytest.raises(BadMask, match="labels 1, 3, 7; say which"):
        regions_of(LabelImage("m", GRID, LABELS), None)


def test_all_labels_give_one_region_each():
    assert [(r.name, r.label, int(r.morphology.sum())) for r in regions_of(LabelImage("m", GRID, LABELS), "all")] == [
        ("1", 1, 2),
        ("3", 3, 1),
        ("7", 7, 1),
    ]


def test_named_labels_bear_their_names():
    regions = regions_of(LabelImage("m", GRID, LABELS), {"tumour": 3, "liver": 1})
    assert [(r.name, r.label) for r in regions] == [("liver", 1), ("tumour", 3)]


def test_a_label_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(MissingLabel, match="no voxel has label 2; there are: 1, 3, 7"):
        regions_of(LabelImage("m", GRID, LABELS), 2)


def test_an_empty_mask_is_an_error():
    with pytest.raises(EmptyRegion, match="none of its 5 voxels"):
        regions_of(LabelImage("m", GRID, np.zeros_like(LABELS)), None)


def test_an_image_taken_for_a_mask_is_recognised():
    many = np.arange(3000).reshape(1, 1, -1)
    with pytest.raises(BadMask, match="2999 different labels"):
        regions_of(LabelImage("m", Grid(many.shape, (1.0, 1.0, 1.0)), many), "all")


def stack(*names: str) -> MaskStack:
    """Areas of one voxel each, numbered from 1."""
    areas = {}
    for i, name in enumerate(names):
        mask = np.zeros((1, 1, 50), bool)
        mask[0, 0, i] = True
        areas[i + 1] = (name, mask)
    return MaskStack("m", Grid((1, 1, 50), (1.0, 1.0, 1.0)), areas)


ROIS = stack("GTV_Mass", "gtv_mass_old", "Liver (left)", "CTV", "ctv", "Spleen[", "")


@pytest.mark.parametrize(
    ("roi", "number"),
    [
        ("GTV_Mass", 1),
        ("gtv_mass", 1),
        ("GTV_MASS_OLD", 2),
        ("gtv.*old", 2),
        ("Liver (left)", 3),
        ("liver (LEFT)", 3),
        (r"liver \(.*\)", 3),
        ("CTV", 4),
        ("ctv", 5),
        ("Spleen[", 6),
        ("spleen[", 6),
        ("  GTV_Mass ", 1),
    ],
)
def test_a_roi_is_found_by_name_or_by_an_expression_for_the_whole_name(roi, number):
    assert wanted_regions(ROIS, None, roi) == [("", number)]
    assert wanted_regions(ROIS, 4, {"row": roi}) == [("row", number)], "a roi goes before a label"


@pytest.mark.parametrize(
    ("roi", "message"),
    [
        ("gtv.*", r"2 areas fit roi 'gtv.\*': 1 \(GTV_Mass\), 2 \(gtv_mass_old\); name one of them, or use 'all'"),
        ("Ctv", r"2 areas fit roi 'Ctv': 4 \(CTV\), 5 \(ctv\)"),
        ("mass", r"no area fits roi 'mass'.*; there are: 1 \(GTV_Mass\), .* 6 \(Spleen\[\), 7$"),
        ("Livr (left)", r"did you mean 'Liver \(left\)'"),
        ("Heart[", r"no area fits roi 'Heart\['"),
        ("", r"no area fits roi ''"),
        (".*nothing", "no area fits"),
    ],
)
def test_none_or_several_that_fit_are_an_error_that_lists_the_names(roi, message):
    with pytest.raises(MissingRoi, match=message):
        wanted_regions(ROIS, None, roi)


def test_at_most_forty_names_are_listed():
    with pytest.raises(MissingRoi, match=r"40 \(n39\) and 5 more"):
        wanted_regions(stack(*(f"n{i}" for i in range(45))), None, "x")


def test_all_gives_every_area_a_row_of_its_own_name():
    masks = stack("b", "a", "a", "", "two\nlines\x07", "a (2)")
    names = [("b", 1), ("a (2) (2)", 2), ("a (3)", 3), ("4", 4), ("two lines", 5), ("a (2) (6)", 6)]
    assert wanted_regions(masks, None, "all") == names
    assert wanted_regions(stack("b"), None, "ALL|b") == [("", 1)]


def test_names_of_rows_are_given_by_ascending_number():
    assert wanted_regions(ROIS, None, {"x": "CTV", "y": "GTV_Mass"}) == [("y", 1), ("x", 4)]


def test_a_file_of_one_named_area_needs_no_name():
    assert wanted_regions(stack("GTV"), None, None) == [("", 1)]
    with pytest.raises(BadMask, match=r"labels 1 \(a\), 2; say which is meant \(roi: 'a' or label: 1\), or 'all'"):
        wanted_regions(stack("a", ""), None, None)


def test_numbers_of_areas_are_labels():
    assert wanted_regions(ROIS, "all", None)[:2] == [("1", 1), ("2", 2)]
    assert wanted_regions(ROIS, {"x": 3}, None) == [("x", 3)]
    region = region_of(ROIS, "x", 3)
    assert (region.name, region.label, int(region.morphology.sum())) == ("x", 3, 1)
    with pytest.raises(MissingLabel, match=r"no voxel has label 9 \(x\); there are: 1 \(GTV_Mass\), 2"):
        region_of(ROIS, "x", 9)


def test_an_area_without_a_voxel_is_empty():
    masks = MaskStack("m", GRID, {1: ("a", np.zeros(GRID.shape, bool))})
    with pytest.raises(EmptyRegion, match="label 1 has no voxel"):
        region_of(masks, "a", 1)


def test_labels_with_names_are_found_by_them():
    masks = LabelImage("m", GRID, LABELS, {1: "liver", 3: "spleen", 9: "not there"})
    assert wanted_regions(masks, None, "spleen") == [("", 3)]
    assert wanted_regions(masks, None, "all") == [("liver", 1), ("spleen", 3), ("7", 7)]
    with pytest.raises(MissingRoi, match="no area fits roi 'not there'"):
        wanted_regions(masks, None, "not there")
    with pytest.raises(EmptyRegion, match="none of its 5 voxels"):
        wanted_regions(LabelImage("m", GRID, LABELS * 0), None, "all")
