"""Masks written as DICOM Segmentations, and read back voxel for voxel."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch, MissingMetadata, TooLarge
from radiomics_pipeline.io.dicom import write_seg as module
from radiomics_pipeline.io.dicom.objects import Made, uid_of
from radiomics_pipeline.io.dicom.seg import read_seg
from radiomics_pipeline.io.dicom.series import DicomSeries, read_series
from radiomics_pipeline.io.dicom.write_seg import Mask, write_seg
from radiomics_pipeline.io.volumes import VolumeFile, read_file
from tests.dicom import volume_files, write_series

MADE = Made(datetime(2025, 3, 1, 8, 30, tzinfo=UTC), "0123")
TILTED = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)


@pytest.fixture
def image(tmp_path):
    array = np.random.default_rng(1).random((7, 9, 11)) * 1e4
    write_series(tmp_path / "PET", array, spacing_mm=(3.27, 5.4688, 4.1))
    return read_series(volume_files(tmp_path / "PET"), "PET")


def masks_in(shape, seed=0):
    """Three masks: two that overlap, and one with empty slices between its voxels."""
    random = np.random.default_rng(seed)
    first, second, third = (random.random(shape) < share for share in (0.3, 0.4, 0.2))
    third[2:5] = False
    return [Mask(7, "tumour", first), Mask(2, "node left", second), Mask(40, "", third)]


def round_trip(masks, image, path, **options):
    written = write_seg(masks, image, path, made=MADE, **options)
    return written, read_seg(read_file(path), image, image.grid)


def test_overlapping_masks_come_back_voxel_for_voxel(image, tmp_path):
    masks = masks_in(image.grid.shape)
    assert (masks[0].voxels & masks[1].voxels).any()
    written, found = round_trip(masks, image, tmp_path / "seg.dcm")
    assert found.grid == image.grid
    assert [entry.name for entry in found.entries] == ["tumour", "node left", "Region 40"]
    for mask in masks:
        assert np.array_equal(found.mask(written.segments[mask.number]), mask.voxels)


def test_masks_that_do_not_overlap_come_back_voxel_for_voxel(image, tmp_path):
    first, second, _ = masks_in(image.grid.shape)
    second = replace(second, voxels=second.voxels & ~first.voxels)
    written, found = round_trip([first, second], image, tmp_path / "seg.dcm")
    assert pydicom.dcmread(tmp_path / "seg.dcm").SegmentsOverlap == "NO"
    for mask in (first, second):
        assert np.array_equal(found.mask(written.segments[mask.number]), mask.voxels)


def test_an_oblique_series_comes_back_voxel_for_voxel(tmp_path):
    write_series(tmp_path / "PET", np.ones((5, 6, 7)), direction=TILTED)
    image = read_series(volume_files(tmp_path / "PET"), "PET")
    masks = masks_in(image.grid.shape)
    written, found = round_trip(masks, image, tmp_path / "seg.dcm")
    assert all(np.array_equal(found.mask(written.segments[m.number]), m.voxels) for m in masks)


def test_highdicom_reads_the_same_masks(image, tmp_path):
    masks = masks_in(image.grid.shape)
    write_seg(masks, image, tmp_path / "seg.dcm", made=MADE)
    found = highdicom.seg.segread(tmp_path / "seg.dcm")
    kept = [z for z in range(image.grid.shape[0]) if any(mask.voxels[z].any() for mask in masks)]
    pixels = found.get_pixels_by_source_instance([image.sop_uids[z] for z in kept])
    assert np.array_equal(pixels.astype(bool), np.stack([mask.voxels[kept] for mask in masks], axis=-1))


def test_slices_without_a_voxel_are_left_out_and_every_image_is_named(image, tmp_path):
    voxels = np.zeros(image.grid.shape, bool)
    voxels[[1, 5], 2:4, 3] = True
    write_seg([Mask(1, "a", voxels)], image, tmp_path / "seg.dcm", made=MADE)
    found = pydicom.dcmread(tmp_path / "seg.dcm")
    assert found.NumberOfFrames == 2
    (series,) = found.ReferencedSeriesSequence
    named = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert (series.SeriesInstanceUID, named) == (image.series_uid, set(image.sop_uids))
    sources = {}
    for frame in found.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        sources[source] = [float(c) for c in frame.PlanePositionSequence[0].ImagePositionPatient]
    assert sources == {image.sop_uids[z]: pytest.approx(image.grid.position_mm((z, 0, 0)).tolist()) for z in (1, 5)}


def test_the_same_masks_give_the_same_bytes_and_others_another_uid(image, tmp_path):
    masks = masks_in(image.grid.shape)
    first = write_seg(masks, image, tmp_path / "a.dcm", made=MADE)
    again = write_seg(masks, image, tmp_path / "b.dcm", made=MADE)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    assert first.sop_uid == again.sop_uid
    voxels = masks[0].voxels.copy()
    voxels[0, 0, 0] ^= True
    for other in (
        [replace(masks[0], voxels=voxels), *masks[1:]],
        [replace(masks[0], name="other"), *masks[1:]],
        masks[:2],
    ):
        assert write_seg(other, image, tmp_path / "c.dcm", made=MADE).sop_uid != first.sop_uid
    later = replace(MADE, when=MADE.when + timedelta(seconds=1))
    assert write_seg(masks, image, tmp_path / "c.dcm", made=later).sop_uid != first.sop_uid


def test_a_uid_is_one_of_version_8_and_parts_do_not_run_together():
    number = int(uid_of("a", "bc").removeprefix("2.25."))
    assert number >> 76 & 0xF == 8
    assert number >> 62 & 0b11 == 0b10
    assert len({uid_of("a", "bc"), uid_of("ab", "c"), uid_of("abc")}) == 3


def test_patient_and_study_are_those_of_the_series_and_dates_those_of_the_computation(image, tmp_path):
    write_seg(masks_in(image.grid.shape), image, tmp_path / "seg.dcm", made=MADE)
    found, header = pydicom.dcmread(tmp_path / "seg.dcm"), image.headers[0]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate",
                    "AccessionNumber", "FrameOfReferenceUID"):  # fmt: skip
        assert found[keyword].value == header[keyword].value
    assert (found.ContentDate, found.ContentTime, found.SeriesDate) == ("20250301", "083000", "20250301")
    assert found.SeriesInstanceUID != image.series_uid
    assert "InstitutionName" not in found


def test_the_time_is_told_in_the_offset_that_the_series_states(image, tmp_path):
    for header in image.headers:
        header.TimezoneOffsetFromUTC = "-0500"
    write_seg(masks_in(image.grid.shape), image, tmp_path / "seg.dcm", made=MADE)
    found = pydicom.dcmread(tmp_path / "seg.dcm")
    assert (found.ContentTime, found.TimezoneOffsetFromUTC) == ("033000", "-0500")


@pytest.mark.parametrize(("name", "charset"), [("tumour", None), ("Läsion ö", "ISO_IR 100"), ("腫瘍", "ISO_IR 192")])
def test_names_are_kept_in_the_smallest_character_set_that_holds_them(image, tmp_path, name, charset):
    mask = replace(masks_in(image.grid.shape)[0], name=name)
    _, found = round_trip([mask], image, tmp_path / "seg.dcm")
    assert found.entries[0].name == name
    assert pydicom.dcmread(tmp_path / "seg.dcm").get("SpecificCharacterSet") == charset


def test_headers_without_optional_values_or_with_impossible_ones_can_be_written(image, tmp_path):
    for header in image.headers:
        for keyword in ("AccessionNumber", "StudyID", "StudyTime", "PatientBirthDate", "PatientName"):
            del header[keyword]
        header.PatientSex = "U"
        with pydicom.config.disable_value_validation():
            header.StudyDate = "20009999"
    _, found = round_trip(masks_in(image.grid.shape), image, tmp_path / "seg.dcm")
    assert len(found.entries) == 3
    written = pydicom.dcmread(tmp_path / "seg.dcm")
    assert (written.PatientSex, written.StudyDate, written.StudyID) == ("", "", "")


@pytest.mark.parametrize("algorithm", ["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"])
def test_the_file_says_how_the_outline_came_about(image, tmp_path, algorithm):
    write_seg(masks_in(image.grid.shape), image, tmp_path / "s.dcm", made=MADE, algorithm=algorithm, method="41 % max")
    (segment, *_) = pydicom.dcmread(tmp_path / "s.dcm").SegmentSequence
    assert segment.SegmentAlgorithmType == algorithm
    assert segment.get("SegmentAlgorithmName", "") == ("" if algorithm == "MANUAL" else "41 % max")


def frames_of_one_object(image: DicomSeries) -> DicomSeries:
    """The series as the reader gives it where all its slices are frames of one enhanced PET object."""
    headers = []
    for header in image.headers:
        flat = Dataset(header)
        flat.SOPInstanceUID, flat.SOPClassUID = "1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.130"
        flat.NumberOfFrames = len(image.headers)
        headers.append(flat)
    return replace(image, headers=tuple(headers))


def test_a_multi_frame_image_is_named_once_and_by_its_own_class(image, tmp_path):
    several = frames_of_one_object(image)
    masks = masks_in(image.grid.shape)
    written, found = round_trip(masks, several, tmp_path / "seg.dcm")
    assert all(np.array_equal(found.mask(written.segments[m.number]), m.voxels) for m in masks)
    header = pydicom.dcmread(tmp_path / "seg.dcm")
    (item,) = header.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert (item.ReferencedSOPInstanceUID, item.ReferencedSOPClassUID) == ("1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.130")
    assert "1.2.840.10008.5.1.4.1.1.128" not in str(header)


def test_what_cannot_be_written_is_refused(image, tmp_path, monkeypatch):
    masks = masks_in(image.grid.shape)
    out = tmp_path / "seg.dcm"
    with pytest.raises(EmptyRegion, match="no mask to write"):
        write_seg([], image, out, made=MADE)
    with pytest.raises(EmptyRegion, match="mask empty: no voxel"):
        write_seg([replace(masks[0], name="empty", voxels=masks[0].voxels & False)], image, out, made=MADE)
    with pytest.raises(GeometryMismatch, match="bring it to the voxels"):
        write_seg([replace(masks[0], voxels=masks[0].voxels[1:])], image, out, made=MADE)
    monkeypatch.setattr(module, "LARGEST", 100)
    with pytest.raises(TooLarge, match="3 overlapping masks"):
        write_seg(masks, image, out, made=MADE)
    for header in image.headers:
        del header.FrameOfReferenceUID
    with pytest.raises(MissingMetadata, match="FrameOfReferenceUID"):
        write_seg(masks[:1], image, out, made=MADE)
    assert not out.exists()


def test_dcmdump_reads_it_without_a_word(image, tmp_path):
    program = shutil.which("dcmdump")
    if not program:
        pytest.skip("dcmdump is not installed (Debian: apt-get install dcmtk)")
    write_seg(masks_in(image.grid.shape), image, tmp_path / "seg.dcm", made=MADE)
    found = subprocess.run([program, str(tmp_path / "seg.dcm")], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.slow
def test_the_outlines_of_a_real_patient_come_back_voxel_for_voxel(shared, tmp_path):
    from radiomics_pipeline.io.dicom.rtstruct import read_rtstruct

    with zipfile.ZipFile(shared / "nm_data/sts_001_pet_bqml/STS_001_FDG_PET.zip") as pack:
        pack.extractall(tmp_path)
    files = volume_files(tmp_path)
    drawn = [f for f in files if pydicom.dcmread(f.path, specific_tags=["Modality"]).Modality == "RTSTRUCT"]
    image = read_series([f for f in files if f not in drawn], "PET")
    outlines = read_rtstruct(drawn[0], image, image.grid)
    masks = [Mask(e.number, e.name, outlines.mask(e.number)) for e in outlines.entries]
    sizes = {mask.name: int(mask.voxels.sum()) for mask in masks}
    assert (sizes["GTV_Mass"], sizes["GTV_Edema"]) == (5095, 8058)
    written, found = round_trip(masks, image, tmp_path / "seg.dcm")
    assert all(np.array_equal(found.mask(written.segments[m.number]), m.voxels) for m in masks)


def test_a_written_file_is_whole_or_not_there(image, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_seg(masks_in(image.grid.shape), image, tmp_path / "out/seg.dcm", made=MADE)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_file_is_read_as_any_other_mask_of_a_case(image, tmp_path):
    write_seg(masks_in(image.grid.shape), image, tmp_path / "seg.dcm", made=MADE)
    file = VolumeFile(tmp_path / "seg.dcm", "mask", (tmp_path / "seg.dcm").read_bytes())
    assert len(read_seg(file, None, None).entries) == 3
