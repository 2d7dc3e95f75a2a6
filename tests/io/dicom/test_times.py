"""Several images at one position: gates are told apart, time frames and copies refused."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from radiomics_pipeline.errors import DoubledSlices, MissingSlices, SeveralFrames
from radiomics_pipeline.io.dicom.series import read_series
from tests.dicom import uid, volume_files, write_series

COUNTS = np.random.default_rng(5).integers(0, 99, (3, 5, 4, 6)).astype(float)


def several(folder, images, *, kind="GATED", units="CNTS", tags):
    """A classic PET series of several images at every position; tags : of an image, by its number."""
    for number, array in enumerate(images):
        write_series(
            folder / str(number), array, modality="PT", slopes=np.ones(len(array)),
            tags={"SeriesType": [kind, "IMAGE"], "Units": units, **tags(number)},
            slice_tags=lambda z, number=number: {"SOPInstanceUID": uid("image", number, z)},
        )  # fmt: skip
    return folder


def triggered(number):
    return {"TriggerTime": 100.0 * (number + 1)}


def test_counts_of_gates_are_summed(tmp_path):
    files = volume_files(several(tmp_path, COUNTS, tags=triggered))
    found = read_series(files[::-1], "PET", gate="sum")
    np.testing.assert_array_equal(found.gates, COUNTS)
    np.testing.assert_array_equal(found.array, COUNTS.sum(axis=0))
    second = read_series(files, "PET", gate=2)
    np.testing.assert_array_equal(second.array, COUNTS[1])
    assert second.sop_uids == tuple(uid("image", 1, z) for z in range(5))


def test_trigger_times_may_differ_from_bed_to_bed(tmp_path):
    """The heart beats faster in the second bed: gates are in the order of their times at each position."""
    folder = several(tmp_path, COUNTS, tags=triggered)
    for path in folder.rglob("000[34].dcm"):
        dataset = pydicom.dcmread(path)
        dataset.TriggerTime = float(dataset.TriggerTime) * 0.3
        dataset.save_as(path)
    np.testing.assert_array_equal(read_series(volume_files(folder), "PET", gate="sum").gates, COUNTS)


@pytest.mark.parametrize("tags", [lambda n: {"ImageIndex": 5 * n + 1}, lambda n: {"TemporalPositionIndex": n + 1},
                                  lambda n: {"FrameReferenceTime": 50.0 * n}])  # fmt: skip
def test_gates_without_a_trigger_time_are_told_apart_by_what_else_orders_them(tmp_path, tags):
    found = read_series(volume_files(several(tmp_path, COUNTS, tags=tags)), "PET", gate=3)
    np.testing.assert_array_equal(found.array, COUNTS[2])


def test_a_gate_lacking_at_one_position_is_a_missing_slice(tmp_path):
    folder = several(tmp_path, COUNTS, tags=triggered)
    (folder / "1" / "0003.dcm").unlink()
    with pytest.raises(MissingSlices, match=r"3 gates, but only 2 of them at 109 mm.*1 of 5"):
        read_series(volume_files(folder), "PET", gate="sum")


def test_several_intervals_between_heart_beats_are_refused(tmp_path):
    folder = several(tmp_path, COUNTS, tags=lambda n: {**triggered(n), "NumberOfRRIntervals": 3})
    with pytest.raises(SeveralFrames, match="3 R-R intervals"):
        read_series(volume_files(folder), "PET", gate="sum")


@pytest.mark.parametrize("gate", [None, "sum", 1])
@pytest.mark.parametrize("tags", [lambda n: {"FrameReferenceTime": 1000.0 * n}, lambda n: {"ImageIndex": 5 * n + 1},
                                  lambda n: {"TemporalPositionIndex": n + 1},
                                  lambda n: {"AcquisitionTime": f"11{n:02d}00.000000"}])  # fmt: skip
def test_a_dynamic_series_is_refused_whatever_gate_is_asked_for(tmp_path, tags, gate):
    folder = several(tmp_path, COUNTS, kind="DYNAMIC", units="BQML", tags=tags)
    with pytest.raises(SeveralFrames, match=r"up to 3 images at one position.*dynamic"):
        read_series(volume_files(folder), "PET", gate=gate)


def test_a_time_frame_with_a_slice_less_is_no_copy(tmp_path):
    folder = several(tmp_path, COUNTS, kind="DYNAMIC", tags=lambda n: {"FrameReferenceTime": 1000.0 * n})
    (folder / "2" / "0004.dcm").unlink()
    with pytest.raises(SeveralFrames, match="dynamic"):
        read_series(volume_files(folder), "PET")


def test_images_that_nothing_tells_apart_are_copies(tmp_path):
    folder = several(tmp_path, COUNTS[:2], kind="STATIC", tags=lambda n: {"ImageIndex": n + 1})
    with pytest.raises(DoubledSlices, match="5 of 5"):
        read_series(volume_files(folder), "PET")


def test_a_copy_among_gates_is_a_copy(tmp_path):
    folder = several(tmp_path, COUNTS, tags=triggered)
    data = (folder / "1" / "0002.dcm").read_bytes()
    (folder / "again").write_bytes(data)
    with pytest.raises(DoubledSlices, match=r"at 106 mm|more than one"):
        read_series(volume_files(folder), "PET", gate="sum")
