"""Files that end too early never make a shorter volume, and no refusal repeats what a header says of a person."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from radiomics_pipeline.errors import CaseError, DamagedFile
from radiomics_pipeline.io.dicom.scan import describe
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.volumes import VolumeFile
from tests.canary import poison
from tests.dicom import enhanced, file_of, save, volume_files, write_series

HU = np.random.default_rng(1).integers(-1000, 2000, (5, 4, 6)).astype(float)


@pytest.fixture(scope="module", params=[None, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def files(request, tmp_path_factory):
    """A series whose last slice nobody would miss: what remains without it is a sound volume."""
    folder = tmp_path_factory.mktemp("cut")
    for path in write_series(folder, HU, modality="CT"):
        if request.param:
            save(pydicom.dcmread(path), path, request.param)
    return volume_files(folder)


def cut(file, left):
    return VolumeFile(file.path, file.name, file.data[:left])


@given(share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=120, deadline=None)
def test_a_file_that_ends_too_early_is_named_wherever_it_ends(files, share):
    last = files[4]
    trailer = 8 if b"1.2.840.10008.1.2.1.99" in last.data else 0  # of a deflated file, after all that is in it
    left = 132 + int(share * (len(last.data) - 132 - trailer))
    with pytest.raises(DamagedFile, match=r"^file 5 of 5: ") as caught:
        read_series([*files[:4], cut(last, left)], "CT")
    assert "copy" in str(caught.value).lower()


@given(share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=120, deadline=None)
def test_looking_through_a_folder_finds_a_header_that_ends_too_early(files, share):
    last = files[4]
    if b"1.2.840.10008.1.2.1.99" in last.data:
        return
    pixels = last.data.rindex(b"\xe0\x7f\x10\x00")
    found = describe([*files[:4], cut(last, 132 + int(share * (pixels - 132)))])
    assert [one.problem[:13] for one in found if one.problem] == ["file 5 of 5: "]


@given(share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=60, deadline=None)
def test_an_enhanced_object_that_ends_too_early_is_refused(whole, share):
    with pytest.raises(DamagedFile):
        read_series([cut(whole, 132 + int(share * (len(whole.data) - 132)))], "PET")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return file_of(enhanced(HU, modality="CT"), tmp_path_factory.mktemp("enhanced") / "x")


def test_values_that_nobody_needs_may_be_wrong(tmp_path):
    wrong = {"StudyDate": "yesterday", "InstitutionName": "x" * 90, "PatientAge": "old", "ExposureTime": "1.5"}
    with pydicom.config.disable_value_validation():
        for path in write_series(tmp_path, HU, modality="CT"):
            dataset = pydicom.dcmread(path)
            for keyword, value in wrong.items():
                tag = pydicom.tag.Tag(keyword)
                dataset[tag] = pydicom.DataElement(tag, "LT", value)
            dataset.save_as(path)
            data = path.read_bytes()
            for keyword, vr in zip(wrong, (b"DA", b"LO", b"AS", b"IS"), strict=True):
                tag = pydicom.tag.Tag(keyword)
                mark = tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little")
                assert data.count(mark + b"LT") == 1
                data = data.replace(mark + b"LT", mark + vr)
            path.write_bytes(data)
    np.testing.assert_array_equal(read_series(volume_files(tmp_path), "CT").array, HU)


@pytest.mark.parametrize(
    "change",
    [{"SeriesInstanceUID": "1.2.3"}, {"PatientID": "Qzxwid"}, {"FrameOfReferenceUID": "1.2.3"}, {"Modality": "QZXW"},
     {"ImagePositionPatient": [0, 0, 0]}, {"ImagePositionPatient": [9, 9, 109]}, {"PixelSpacing": None},
     {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, {"RescaleType": "Qzxw"}, {"RescaleSlope": None},
     {"PhotometricInterpretation": "QZXW"}, {"PixelData": b"\0\0"}, {"Rows": 0}, {"BitsAllocated": 12},
     {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, {"ModalityLUTSequence": [pydicom.Dataset()]}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_no_refusal_repeats_what_a_header_says_of_a_person(tmp_path, change):
    """All texts of the headers are words that stand nowhere else."""
    write_series(tmp_path, HU, modality="CT", slice_tags=lambda z: change if z == 3 else {})
    words: set[str] = {"Qzxw", "QZXW", str(tmp_path)}
    known: dict[str, str] = {}
    for path in sorted(tmp_path.iterdir()):
        dataset = pydicom.dcmread(path)
        own = dataset.PatientID
        words |= poison(dataset, known=known)
        if own == "Qzxwid":
            dataset.PatientID = own
        dataset.save_as(path)
    with pytest.raises(CaseError) as caught:
        read_series(volume_files(tmp_path), "CT")
    assert not [word for word in words if word in str(caught.value)]
