"""Canaries in every text of the headers are in no output, whether a case succeeds or fails."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.batch.test_scanner_to_table import CT, PET, draw, run, write_pet
from tests.canary import assert_absent, poison
from tests.dicom import write_series

OWN = {"SOPInstanceUID", "InstanceNumber", "ImagePositionPatient", "PixelData", "RescaleSlope"}
"""What slices of a series do not share."""


def poison_series(folder: Path) -> set[str]:
    """The same canaries in every file of a series; the words."""
    paths = sorted(folder.rglob("*.dcm"))
    first = pydicom.dcmread(paths[0])
    words = poison(first)
    for path in paths:
        found = pydicom.dcmread(path)
        words.add(str(found.SOPInstanceUID))
        for element in first:
            if element.keyword not in OWN:
                found[element.tag] = element
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.save_as(path)
    return words


def poison_file(path: Path) -> set[str]:
    found = pydicom.dcmread(path)
    names = [str(roi.ROIName) for roi in found.StructureSetROISequence]
    words = poison(found)
    for roi, name in zip(found.StructureSetROISequence, names, strict=True):  # what `roi: all` is asked to write
        words -= {word for word in words if word.lower() in str(roi.ROIName).lower()}
        roi.ROIName = name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.save_as(path)
    return words


@pytest.mark.parametrize("fault", ["", "weight", "series", "patient", "truncated", "wrong-mask", "units", "mask-cut"])
def test_nothing_of_a_header_reaches_an_output(tmp_path, fault, caplog, capsys):
    case = write_pet(tmp_path / "s/P1")
    write_series(case / "CT", np.full((8, 16, 16), 40.0), modality="CT", spacing_mm=(3.0, 4.0, 4.0))
    words = poison_series(case / "PET") | poison_series(case / "CT")
    draw(case)
    draw(case, name="masks/ct.dcm", series="CT")
    words |= poison_file(case / "masks/rs.dcm") | poison_file(case / "masks/ct.dcm")
    slices = sorted((case / "PET").glob("*.dcm"))
    if fault in ("weight", "units", "patient", "series"):
        tag, value = {
            "weight": ("PatientWeight", None),
            "units": ("Units", "QZXWUNIT"),
            "patient": ("PatientID", "Qzxwother"),
            "series": ("SeriesInstanceUID", "1.2.3.44.5566"),
        }[fault]
        for path in slices if fault in ("weight", "units") else slices[:3]:
            found = pydicom.dcmread(path)
            setattr(found, tag, value)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.save_as(path)
        words |= {"QZXWUNIT", "Qzxwother", "1.2.3.44.5566"}
    if fault == "truncated":
        slices[2].write_bytes(slices[2].read_bytes()[:-100])
    if fault == "mask-cut":
        data = (case / "masks/rs.dcm").read_bytes()
        (case / "masks/rs.dcm").write_bytes(data[: len(data) // 2])
    if fault == "wrong-mask":
        (case / "masks/rs.dcm").unlink()
    text = f"{PET}    roi: all\n    uptake: {{}}\n{CT}    roi: all\n"
    out = run(tmp_path / "s", tmp_path / "o", text)
    assert bool(out.failures) == bool(fault), out.failures
    assert_absent(tmp_path / "o", words)
    said = " ".join([*(f.message for f in out.failures), *out.notes, caplog.text, *capsys.readouterr()]).lower()
    assert not [word for word in words if len(word) >= 6 and word.lower() in said]


def test_a_roi_that_bears_the_patients_name_is_not_written_with_it(tmp_path):
    case = write_pet(tmp_path / "s/P1", patient={"PatientName": "Adlerova^Anna"})
    draw(case, name="rs.dcm", **{"GTV Adlerova": (3, 4, 4, 6, 6), "node": (5, 11, 11, 11, 11)})
    run(tmp_path / "s", tmp_path / "o", f"{PET}    roi: all\n")
    assert_absent(tmp_path / "o", {"adlerova"})
    assert "GTV [removed]" in (tmp_path / "o/features.csv").read_text("utf-8")
