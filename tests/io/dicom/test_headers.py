"""Values of headers: the quick way gives what pydicom gives, and what cannot be had is refused without being quoted."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from radiomics_pipeline.errors import MissingMetadata
from radiomics_pipeline.io.dicom.headers import OpenedFile, items, number, numbers, open_header, parse, quiet, text
from radiomics_pipeline.io.volumes import VolumeFile
from tests.dicom import PATIENT, SOP_CLASSES, common, uid, write_series


def written(implicit: bool, **values) -> VolumeFile:
    """A header in a file, of implicit or explicit VR."""
    found = common("CT", SOP_CLASSES["CT"], PATIENT)
    found.SOPInstanceUID = uid("header")
    for keyword, value in values.items():
        setattr(found, keyword, value)
    buffer = io.BytesIO()
    with quiet():
        found.save_as(buffer, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    return VolumeFile(Path("a"), "a", buffer.getvalue())


def slow_text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    if value is None:
        return ""
    return "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value).strip()


@settings(max_examples=60, deadline=None)
@given(
    implicit=st.booleans(),
    spacing=st.lists(st.floats(-1e5, 1e5).map(lambda v: float(f"{v:.8g}")), min_size=2, max_size=2),
    rows=st.integers(0, 65535),
    frames=st.integers(-(2**31), 2**31 - 1),
    words=st.lists(st.text("ABCXYZ_ 019", max_size=16).map(str.strip), min_size=1, max_size=4).filter(
        lambda words: words[0]
    ),
)
def test_the_quick_way_gives_what_pydicom_gives(implicit, spacing, rows, frames, words):
    file = written(implicit, PixelSpacing=spacing, Rows=rows, NumberOfFrames=frames, ImageType=words)
    quick, slow = parse(file), dcmread(io.BytesIO(file.data), force=True)
    for keyword in ("ImageType", "SOPClassUID", "StudyDate", "StudyTime", "Modality", "PatientName", "Laterality"):
        assert text(quick, keyword) == slow_text(slow, keyword)
        assert text(slow, keyword) == slow_text(slow, keyword)
    assert numbers(quick, "PixelSpacing", "a", 2) == tuple(float(v) for v in slow.PixelSpacing)
    assert number(quick, "Rows", "a") == slow.Rows
    assert number(quick, "NumberOfFrames", "a") == slow.NumberOfFrames


@pytest.mark.parametrize("implicit", [True, False])
def test_what_is_not_there_and_what_is_empty_are_no_number(implicit):
    header = parse(written(implicit, PixelSpacing="", SliceThickness=None))
    assert numbers(header, "PixelSpacing", "a", 2) is None
    assert number(header, "SliceThickness", "a") is None
    assert number(header, "RescaleSlope", "a") is None
    assert text(header, "RescaleSlope") == ""
    assert items(header, "DetectorInformationSequence") == []


@pytest.mark.parametrize("value", ["1\\2\\3", "1", "DOE\\1", "nan\\1", "1\\inf", "\\"])
def test_what_is_no_list_of_so_many_numbers_is_refused_and_not_quoted(value):
    file = written(False, PixelSpacing=[1.5, 2.5])
    place = file.data.index(b"1.5\\2.5")
    longer = value.ljust(8).encode()
    data = file.data[: place - 2] + len(longer).to_bytes(2, "little") + longer + file.data[place + 8 :]
    header = parse(VolumeFile(file.path, "a", data))
    with pytest.raises(MissingMetadata, match=r"PixelSpacing \(0028,0030\) is not 2 numbers") as refused:
        numbers(header, "PixelSpacing", "a", 2)
    assert "DOE" not in str(refused.value)


def test_an_opened_file_is_not_read_again(tmp_path):
    (path,) = write_series(tmp_path, np.zeros((1, 4, 5)))
    opened = open_header(VolumeFile(path, "a", path.read_bytes()))
    assert isinstance(opened, OpenedFile)
    assert open_header(opened) is opened
    assert parse(opened) is opened.header
    assert opened.goes_on
    assert opened.data[opened.end : opened.end + 4] == b"\xe0\x7f\x10\0"
