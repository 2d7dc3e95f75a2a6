"""Which of what is found are lesions: connected parts, their rules, clicks, candidates, and borders."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy.ndimage import binary_fill_holes

from radiomics_pipeline.errors import SegmentationError
from radiomics_pipeline.imaging.segment import delineation, segment, select
from radiomics_pipeline.imaging.segment.lesions import filled
from radiomics_pipeline.params.segmentation import AnyMethod, Segmentation
from radiomics_pipeline.types import Grid, Volume

SHAPE = (20, 30, 40)


def fixed(threshold=4.0, **given_) -> AnyMethod:
    return TypeAdapter(Segmentation).validate_python({"method": "fixed", "threshold": threshold, **given_})


def image(**boxes) -> Volume:
    """Boxes of an intensity in a background of 1; voxels of 1 ml. boxes : ((z, y, x), (dz, dy, dx), value)"""
    array = np.ones(SHAPE)
    for start, size, value in boxes.values():
        array[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))] = value
    return Volume(array, Grid(SHAPE, (10.0, 10.0, 10.0)), "SUV")


def at(*index) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[index] = True
    return mask


@pytest.fixture
def body() -> Volume:
    """Parts of 12 ml at 5, of 2 ml at 9, of 1 ml at 6 and of 3 ml at 4."""
    return image(
        a=((5, 5, 5), (2, 2, 3), 5.0),
        b=((10, 10, 10), (1, 1, 2), 9.0),
        c=((15, 15, 15), (1, 1, 1), 6.0),
        d=((5, 20, 30), (1, 1, 3), 4.0),
    )


def volumes(found):
    return [lesion.volume_ml for lesion in found.lesions]


def test_lesions_are_split_by_descending_volume_and_reach_the_threshold(body):
    found = segment(body, None, fixed(lesions="split"))
    assert volumes(found) == [12, 3, 2, 1]
    assert [lesion.maximum for lesion in found.lesions] == [5, 4, 9, 6]
    assert [lesion.threshold for lesion in found.lesions] == [4] * 4
    assert [int(lesion.mask.sum()) for lesion in found.lesions] == [12, 3, 2, 1]
    assert np.array_equal(found.labels > 0, body.array >= 4)


def test_one_lesion_is_all_of_them(body):
    found = segment(body, None, fixed())
    assert volumes(found) == [18]
    assert np.array_equal(found.lesions[0].mask, body.array >= 4)


def test_parts_of_one_volume_stand_in_the_order_of_their_first_voxel():
    twins = image(a=((9, 5, 5), (1, 1, 1), 5.0), b=((3, 9, 9), (1, 1, 1), 5.0), c=((3, 9, 5), (1, 1, 1), 5.0))
    found = segment(twins, None, fixed(lesions="split"))
    assert [tuple(np.argwhere(lesion.mask)[0]) for lesion in found.lesions] == [(3, 9, 5), (3, 9, 9), (9, 5, 5)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"min_volume_ml": 3}, [12, 3]),
        ({"min_volume_ml": 3.0001}, [12]),
        ({"minimum_maximum": 5}, [12, 2, 1]),
        ({"min_volume_ml": 2, "minimum_maximum": 5}, [12, 2]),
        ({"keep": "largest"}, [12]),
        ({"keep": "maximum"}, [2]),
    ],
)
def test_rules_leave_out_what_does_not_meet_them(body, rules, expected):
    assert volumes(segment(body, None, fixed(lesions="split", **rules))) == expected


def test_what_was_left_out_is_told(body):
    notes = segment(body, None, fixed(lesions="split", min_volume_ml=3)).notes
    assert notes == ("2 of 4 connected parts left out (3 ml)",)
    with pytest.raises(SegmentationError, match=r"none of 4 connected parts .*min_volume_ml 30.*12 ml.* 9 SUV"):
        segment(body, None, fixed(min_volume_ml=30))


def test_suv_4_and_3_ml_and_clicked_ones_of_any_volume(body):
    click = at(15, 15, 15)
    rules = fixed(lesions="split", search="image", min_volume_ml=3, minimum_maximum=4.5)
    assert volumes(segment(body, None, rules, seeds=click)) == [12, 1]
    assert volumes(segment(body, None, rules, seeds=at(1, 1, 1))) == [12]
    off = fixed(lesions="split", search="image", min_volume_ml=3, keep_seeded=False)
    assert volumes(segment(body, None, off, seeds=click)) == [12, 3]
    only = fixed(lesions="split", search="image", min_volume_ml=3, only_seeded=True)
    assert volumes(segment(body, None, only, seeds=click)) == [1]
    with pytest.raises(SegmentationError, match="only_seeded"):
        segment(body, None, only, seeds=at(1, 1, 1))


@pytest.mark.parametrize(("connectivity", "parts"), [(6, 3), (18, 2), (26, 1)])
def test_connectivity_says_what_is_one(connectivity, parts):
    steps = image(a=((5, 5, 5), (1, 1, 1), 5.0), b=((5, 6, 6), (1, 1, 1), 5.0), c=((6, 7, 7), (1, 1, 1), 5.0))
    assert len(segment(steps, None, fixed(lesions="split", connectivity=connectivity)).lesions) == parts


def test_each_candidate_has_its_own_threshold(body):
    half = {"method": "percent-of-maximum", "percent": 90, "lesions": "split"}
    relative = TypeAdapter(Segmentation).validate_python({**half, "preselect": {"threshold": 4, "min_volume_ml": 2}})
    found = segment(body, None, relative)
    assert volumes(found) == [12, 3, 2]
    assert [lesion.threshold for lesion in found.lesions] == pytest.approx([4.5, 3.6, 8.1])
    without = TypeAdapter(Segmentation).validate_python(half)
    assert volumes(segment(body, None, without)) == [2]


def test_candidates_search_within_their_margin_and_share_no_voxel():
    pair = image(a=((5, 5, 5), (3, 3, 3), 2.0), b=((6, 6, 6), (1, 1, 1), 9.0), c=((6, 6, 20), (1, 1, 1), 8.0))
    params = fixed(2.0, lesions="split", preselect={"threshold": 8, "margin_mm": 10})
    found = segment(pair, None, params)
    assert volumes(found) == [7, 1]  # the middle and its six neighbours
    assert "beyond its search volume" in found.notes[0]
    whole = fixed(2.0, lesions="split", preselect={"threshold": 8, "margin_mm": 18})
    assert volumes(segment(pair, None, whole)) == [27, 1]
    both = fixed(0.5, lesions="split", preselect={"threshold": 8, "margin_mm": 90})
    found = segment(pair, None, both)
    assert sum(volumes(found)) == np.count_nonzero(found.labels)


def test_clicked_candidates_need_no_volume_and_missing_ones_are_told(body):
    rule = {"threshold": 4, "min_volume_ml": 3}
    params = fixed(4.0, lesions="split", search="image", preselect=rule, min_volume_ml=3)
    assert volumes(segment(body, None, params, seeds=at(15, 15, 15))) == [12, 3, 1]
    with pytest.raises(SegmentationError, match=r"no voxel at or above 40 SUV .preselect.; .* is 9 SUV"):
        segment(body, None, fixed(4.0, preselect={"threshold": 40}))
    with pytest.raises(SegmentationError, match=r"none of 4 candidates .* has 100 ml .*12 ml"):
        segment(body, None, fixed(4.0, preselect={"threshold": 4, "min_volume_ml": 100}))


def test_a_candidate_without_a_threshold_is_noted_and_passed_over(body):
    adapted = {"method": "fuzzy-c-means", "lesions": "split", "preselect": {"threshold": 4}}
    mixed = Volume(np.where(at(5, 5, 5), 8.0, body.array), body.grid, "SUV")
    found = segment(mixed, None, TypeAdapter(Segmentation).validate_python(adapted))
    assert volumes(found) == [1]
    assert [note for note in found.notes if note.startswith("candidate 2: all 3 voxels")]
    with pytest.raises(SegmentationError, match="all 12 voxels"):
        segment(body, None, TypeAdapter(Segmentation).validate_python(adapted))


def test_a_lesion_that_goes_on_beyond_its_search_volume_is_flagged_or_refused(body):
    search = np.zeros(SHAPE, bool)
    search[3:10, 3:10, 3:7] = True
    found = segment(body, search, fixed())
    assert found.lesions[0].flags == ("goes on beyond its search volume, by its intensity",)
    assert found.notes == ("lesion 1: goes on beyond its search volume, by its intensity",)
    with pytest.raises(SegmentationError, match="lesion 1: goes on beyond its search volume"):
        segment(body, search, fixed(touching="refuse"))
    search[3:10, 3:10, 7] = True  # now all of the lesion is inside, and reaches the search volume's border
    assert segment(body, search, fixed(touching="refuse")).notes == ()


def test_a_lesion_at_the_border_of_the_image_is_flagged_but_not_in_an_image_of_one_slice():
    edge = image(a=((0, 5, 5), (2, 2, 2), 5.0))
    assert segment(edge, None, fixed()).lesions[0].flags == ("ends at the border of the image",)
    search = np.zeros(SHAPE, bool)
    search[0:9, 1:9, 1:9] = True
    assert segment(edge, search, fixed()).lesions[0].flags == ("ends at the border of the image",)
    with pytest.raises(SegmentationError, match="ends at the border"):
        segment(edge, None, fixed(touching="refuse"))
    array = edge.array[:1].copy()
    slice_ = Volume(array, Grid(array.shape, (10.0, 10.0, 10.0)), "SUV")
    assert segment(slice_, None, fixed()).notes == ()


def test_holes_are_filled_inside_the_search_volume_only():
    shell = np.ones(SHAPE)
    shell[5:10, 5:10, 5:10] = 5.0
    shell[6:9, 6:9, 6:9] = 1.0
    volume = Volume(shell, Grid(SHAPE, (10.0,) * 3), "SUV")
    assert volumes(segment(volume, None, fixed())) == [98]
    assert volumes(segment(volume, None, fixed(fill_holes=True))) == [125]
    search = np.ones(SHAPE, bool)
    search[7, 7, 7] = False
    assert volumes(segment(volume, search, fixed(fill_holes=True))) == [124]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 0.9))
def test_filling_agrees_with_scipy(seed, share):
    mask = np.random.default_rng(seed).random((5, 6, 7)) < share
    assert np.array_equal(filled(mask), binary_fill_holes(mask))


def test_more_regions_than_lesions_can_be_are_refused(monkeypatch, body):
    monkeypatch.setattr(delineation, "MOST_LESIONS", 3)
    with pytest.raises(SegmentationError, match="4 connected parts, more than 3"):
        segment(body, None, fixed(lesions="split"))
    assert volumes(segment(body, None, fixed())) == [18]


def command(**given_):
    words = ["tool", "{image}", "{mask}"]
    return TypeAdapter(Segmentation).validate_python({"method": "command", "command": words, **given_})


def test_a_mask_of_others_meets_the_same_rules(body):
    mask = (body.array >= 4).astype(np.uint8)
    found = select(body, mask, None, command(lesions="split", min_volume_ml=2))
    assert volumes(found) == [12, 3, 2]
    assert all(math.isnan(lesion.threshold) for lesion in found.lesions)
    search = np.zeros(SHAPE, bool)
    search[:12] = True
    found = select(body, mask, search, command())
    assert volumes(found) == [17]
    assert found.notes[0] == "1 ml of its mask lie outside the search volume and are left out"
    with pytest.raises(SegmentationError, match="none of 4"):
        select(body, mask, None, command(min_volume_ml=50))
    with pytest.raises(SegmentationError, match="no voxel found"):
        select(body, mask, at(0, 0, 0), command())


def test_labels_of_others_stay_regions_under_their_numbers(body):
    labels = np.zeros(SHAPE, np.int16)
    labels[body.array == 4] = 7
    labels[body.array == 5] = 300
    labels[body.array == 6] = 300
    labels[body.array == 9] = 9
    found = select(body, labels, None, command(lesions="split"))
    assert [(lesion.number, lesion.volume_ml) for lesion in found.lesions] == [(7, 3), (9, 2), (300, 13)]
    assert np.array_equal(found.lesions[2].mask, labels == 300)
    larger = select(body, labels, None, command(lesions="split", min_volume_ml=3))
    assert [(lesion.number, lesion.volume_ml) for lesion in larger.lesions] == [(7, 3), (300, 12)]
    with pytest.raises(SegmentationError, match="none of the 3 regions"):
        select(body, labels, None, command(lesions="split", min_volume_ml=99))
