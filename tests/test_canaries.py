"""From DICOM to every table and record: nothing that a header says of a person comes out."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest

from radiomics_pipeline.batch.extract import extract_study
from radiomics_pipeline.batch.index import index_export
from radiomics_pipeline.batch.index_table import write_index
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.types import Grid
from tests.canary import assert_absent, found, poison, word
from tests.dicom import save, uid, write_series
from tests.rtstruct_files import Roi, Series, rectangle, rtstruct

GRID = Grid((6, 12, 12), (3.0, 4.0, 4.0), (-20.0, -30.0, 100.0))
SAME = ("PatientID", "PatientName", "IssuerOfPatientID")


def poisoned(paths: list[Path], words: set[str], patient: dict[str, str]) -> None:
    """Put canaries into files of one series; `patient` gets what its files must share, or says it."""
    known: dict[str, str] = {}
    for path in paths:
        header = pydicom.dcmread(path)
        words |= poison(header, known=known)
        for keyword in SAME:
            setattr(header, keyword, patient.setdefault(keyword, str(header[keyword].value)))
        header.save_as(path)


def patient_of(export: Path, number: str, words: set[str], *, weight: bool = True) -> None:
    """PET, CT and a structure set of one patient, whose ROIs bear the patient's and the physician's name."""
    rng = np.random.default_rng(len(number))
    body = rng.gamma(2, 500, GRID.shape)
    body[1:5, 3:9, 3:9] += 8000
    given = {"PatientID": number, "PatientName": f"{word()}^{word()}"}
    study = {"StudyInstanceUID": uid("study", number), "FrameOfReferenceUID": uid("frame", number)}
    pet = write_series(export / "a" / number, body, patient=given, series=number, tags=study)
    ct = write_series(export / "b" / number, body / 50, modality="CT", patient=given, series=number, tags=study)
    headers = [pydicom.dcmread(path) for path in pet]
    image = Series(
        GRID,
        series_uid=headers[0].SeriesInstanceUID,
        frame_of_reference_uid=headers[0].FrameOfReferenceUID,
        instances=tuple(header.SOPInstanceUID for header in headers),
    )
    outlines = [rectangle(GRID, z, 2.5, 2.5, 8.5, 8.5) for z in range(1, 5)]
    drawn = pydicom.dcmread(
        BytesIO(rtstruct([Roi("GTV", outlines), Roi("node", outlines[:2])], image).data), force=True
    )
    drawn.SOPInstanceUID, drawn.StudyInstanceUID = uid("mask", number), headers[0].StudyInstanceUID
    mask = save(drawn, export / "c" / number)
    patient: dict[str, str] = {}
    poisoned(pet, words, patient)
    poisoned(ct, words, patient)
    poisoned([mask], words, patient)
    words |= {part for part in patient["PatientName"].replace("^", " ").split() if part.startswith("Qzxw")}
    header = pydicom.dcmread(mask)
    family = patient["PatientName"].split("^")[0]
    header.StructureSetROISequence[0].ROIName = f"GTV {family}"
    header.StructureSetROISequence[1].ROIName = f"node{family.upper()}2"
    header.save_as(mask)
    if not weight:
        for path in pet:
            header = pydicom.dcmread(path)
            del header.PatientWeight
            header.save_as(path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Two patients, one of whom has no weight, through index and extraction; and the words that must not come out."""
    root = tmp_path_factory.mktemp("canaries")
    words: set[str] = set()
    patient_of(root / "export", "one", words)
    patient_of(root / "export", "three", words, weight=False)
    table = root / "study" / "cases.csv"
    write_index(index_export(root / "export", table, bytes(32)), table)
    params = load_params("fdg")
    sections = {
        name: section.model_copy(update={"roi": "all", "families": ("morphology", "intensity")})
        for name, section in params.series.items()
    }
    params = params.model_copy(update={"series": sections})
    result = extract_study(table.parent, params, root / "results", jobs=1)
    return result, root / "results", words


def test_both_what_succeeds_and_what_fails_is_among_what_is_looked_at(ran):
    result, out, _ = ran
    assert result.n_rows >= 2
    assert {failure.error for failure in result.failures} >= {"MissingMetadata"}
    assert "[removed]" in (out / "features.csv").read_text()
    assert "Siemens" in (out / "case_log.csv").read_text()


def test_no_canary_is_in_any_file_of_the_results(ran):
    _, out, words = ran
    assert len(words) > 100
    assert_absent(out, words)


def test_no_canary_is_in_any_message(ran):
    result, _, words = ran
    told = " ".join(f"{f.message} {f.case}" for f in result.failures).lower()
    told += " ".join(result.notes).lower()
    assert [w for w in words if w.lower() in told] == []


def test_the_inputs_were_full_of_them(ran, tmp_path):
    _, out, words = ran
    assert len(found(out.parent / "export", words, passing=())) > 100
