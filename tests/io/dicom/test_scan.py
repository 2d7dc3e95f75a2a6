"""DICOM found by content, and grouped into series, masks and reports."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from radiomics_pipeline.errors import DamagedFile, NotDicom
from radiomics_pipeline.io.dicom.rtstruct import referenced
from radiomics_pipeline.io.dicom.scan import describe, header, is_dicom
from radiomics_pipeline.io.volumes import VolumeFile
from tests.dicom import PATIENT, enhanced, file_of, nuclear, uid, volume_files, write_series

HU = np.zeros((3, 4, 5))


def file(data, name="file 1 of 1"):
    return VolumeFile(Path("x"), name, data)


def other(sop_class, modality="SR", **tags):
    made = pydicom.Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = sop_class, uid(sop_class), modality
    made.SeriesInstanceUID = uid(sop_class, "series")
    made.PatientID, made.PatientName = PATIENT["PatientID"], PATIENT["PatientName"]
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


def without_preamble(path):
    length = pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
    return path.read_bytes()[132 + 12 + length :]


def test_dicom_is_told_by_its_prefix(tmp_path):
    assert is_dicom(write_series(tmp_path, HU, modality="CT")[0].read_bytes())
    assert is_dicom(b"anything" * 16 + b"DICM")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, None])
def test_dicom_without_a_prefix_is_told_by_its_first_element(tmp_path, syntax):
    made = enhanced(HU)
    found = file_of(made, tmp_path / "x", *([syntax] if syntax else []))
    assert is_dicom(without_preamble(found.path))
    assert is_dicom(found.data[132:])


@pytest.mark.parametrize(
    "data",
    [b"", b"DICM", b"\x08", b"PK\x03\x04" + bytes(200), b"\x1f\x8b\x08\x00" + bytes(200),
     b"\x5c\x01\x00\x00" + bytes(400), b"NRRD0005\n# Complete NRRD file\n", b"ObjectType = Image\nNDims = 3\n",
     b"\x89PNG\r\n\x1a\n" + bytes(100), b"case,image,mask\n1,a,b\n", bytes(200), b"\xff" * 200,
     b"\x08\x00\x05\x00\x00\x00\x00\x00" + bytes(16), b"\x08\x00\x05\x00\xff\xff\xff\xff" + bytes(16)],
)  # fmt: skip
def test_what_is_no_dicom_is_told_too(data):
    assert not is_dicom(data)


@given(st.text(min_size=0, max_size=400))
def test_no_text_is_taken_for_dicom(text):
    data = text.encode("utf-8")
    control = data[:1] in (b"\x00", b"\x02", b"\x08")
    assert control or is_dicom(data) == (data[128:132] == b"DICM")


def test_a_pile_of_files_falls_into_its_series_and_objects(tmp_path):
    """Two series whose files lie among each other, under names that say nothing, beside everything else."""
    write_series(tmp_path / "a", HU, modality="CT")
    write_series(tmp_path / "b", HU + 5, modality="PT")
    file_of(nuclear(HU.astype(int)), tmp_path / "spect")
    file_of(other("1.2.840.10008.5.1.4.1.1.88.33"), tmp_path / "report")
    file_of(other("1.2.840.10008.5.1.4.1.1.67", "RWV"), tmp_path / "map")
    file_of(other("1.2.840.10008.5.1.4.1.1.104.1", "DOC"), tmp_path / "pdf")
    (tmp_path / "notes.txt").write_text("notes")
    files = volume_files(tmp_path)
    shuffled = [files[i] for i in np.random.default_rng(0).permutation(len(files))]
    found = describe(shuffled)
    assert sorted((f.kind, f.modality, len(f.files)) for f in found) == [
        ("image", "CT", 3), ("image", "NM", 1), ("image", "PT", 3), ("other", "", 1), ("other", "DOC", 1),
        ("rwvm", "RWV", 1), ("sr", "SR", 1),
    ]  # fmt: skip
    assert sum(len(f.files) for f in found) == len(files)
    assert len({f.patient_key for f in found if f.modality}) == 1
    ct = next(f for f in found if f.modality == "CT")
    assert (ct.series_uid, ct.study_uid) == (uid("CT", "", "series"), uid("study"))
    assert ct.frame_of_reference_uid == uid("frame")
    assert not any(f.problem for f in found)


def test_series_of_two_patients_stay_apart_under_one_series_uid(tmp_path):
    write_series(tmp_path / "a", HU, modality="CT")
    write_series(tmp_path / "b", HU, modality="CT", patient={"PatientID": "P-2"})
    found = describe(volume_files(tmp_path))
    assert [len(f.files) for f in found] == [3, 3]
    assert found[0].patient_key != found[1].patient_key


@pytest.mark.parametrize("name", ["Phantom^Uniform^^", "PHANTOM^UNIFORM", "Phantom^Uniform "])
def test_a_patient_is_the_same_however_the_name_is_padded(tmp_path, name):
    write_series(tmp_path / "a", HU, modality="CT")
    write_series(tmp_path / "b", HU, modality="PT", patient={"PatientName": name})
    assert len({f.patient_key for f in describe(volume_files(tmp_path))}) == 1


def test_nothing_of_the_patient_shows_when_a_series_is_printed(tmp_path):
    write_series(tmp_path, HU, modality="CT")
    found = describe(volume_files(tmp_path))[0]
    shown = f"{found!r} {found.patient_key}"
    for secret in ("Phantom", "PHANTOM", uid("study"), uid("frame"), uid("CT", "", "series"), str(tmp_path)):
        assert secret not in shown


def test_a_directory_of_a_medium_is_no_object(tmp_path):
    directory = file_of(other("1.2.840.10008.1.3.10"), tmp_path / "DICOMDIR")
    found = describe([directory])
    assert [(f.kind, f.problem) for f in found] == [("other", "")]
    with pytest.raises(NotDicom, match="DICOMDIR"):
        header(directory)


def test_a_header_comes_without_its_pixels(tmp_path):
    write_series(tmp_path, HU, modality="CT")
    found = header(volume_files(tmp_path)[0])
    assert found.Rows == 4
    assert "PixelData" not in found


def test_what_is_no_dicom_has_no_header():
    with pytest.raises(NotDicom, match="file 1 of 1: not a DICOM file"):
        header(file(b"some text, and more of it"))


@pytest.mark.parametrize("left", [132, 140, 200, 330])
def test_a_file_cut_before_it_says_what_it_holds_is_damaged(tmp_path, left):
    data = write_series(tmp_path, HU, modality="CT")[0].read_bytes()[:left]
    with pytest.raises(DamagedFile, match="file 1 of 1"):
        header(file(data))
    assert [(f.kind, bool(f.problem)) for f in describe([file(data)])] == [("other", True)]


@pytest.mark.parametrize("left", [-41, -60, -200, 600])
def test_an_image_cut_before_its_pixels_says_so(tmp_path, left):
    write_series(tmp_path, HU, modality="CT")
    files = volume_files(tmp_path)
    data = files[2].data
    end = data.rindex(b"\xe0\x7f\x10\x00")
    cut = VolumeFile(files[2].path, files[2].name, data[: min(end, left if left > 0 else len(data) + left)])
    problems = [f.problem for f in describe([*files[:2], cut]) if f.problem]
    assert len(problems) == 1
    assert re.fullmatch("file 3 of 3: ends .*(before its pixels|within its header); copy or export it again", *problems)


def test_an_empty_file_is_a_problem(tmp_path):
    found = describe([file(b"")])
    assert [(f.kind, f.problem) for f in found] == [
        ("other", "file 1 of 1: the file is empty (0 bytes); copy or export it again")
    ]


def test_a_structure_set_names_the_images_that_it_was_drawn_on(shared, tmp_path):
    with zipfile.ZipFile(shared / "nm_data" / "sts_001_pet_bqml" / "STS_001_FDG_PET.zip") as archive:
        archive.extractall(tmp_path)
    image, structures = sorted(describe(volume_files(tmp_path)), key=lambda f: f.kind)
    assert (image.kind, image.modality, len(image.files)) == ("image", "PT", 267)
    assert (structures.kind, len(structures.files)) == ("rtstruct", 1)
    assert structures.patient_key == image.patient_key
    named = referenced(structures.files[0])
    assert named.series_uids == {image.series_uid}
    assert len(named.sop_uids) == 267


def test_real_reports_and_segmentations_are_told_apart(shared):
    folder = shared / "nm_data" / "qiicr_sr_seg"
    found = describe([file((folder / f"{kind}.dcm").read_bytes(), kind) for kind in ("seg", "sr", "rwvm")])
    assert [f.kind for f in found] == ["seg", "sr", "rwvm"]
    assert len({f.patient_key for f in found}) == 1
