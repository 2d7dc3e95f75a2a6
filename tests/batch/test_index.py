"""A pile of DICOM files becomes a table of cases: right groups, stated choices, labels that identify nobody."""

from __future__ import annotations

import csv
import random
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from radiomics_pipeline.batch.case_tables import study_of_table
from radiomics_pipeline.batch.index import USUAL, Index, Wanted, index_export
from radiomics_pipeline.batch.index_table import rows_of, write_index
from radiomics_pipeline.batch.inputs import Reader
from radiomics_pipeline.errors import StudyError
from radiomics_pipeline.io.dicom.headers import parse
from radiomics_pipeline.types import Grid
from tests.canary import poison
from tests.dicom import save, uid, write_series
from tests.rtstruct_files import Roi, Series, rectangle, rtstruct

SALT = bytes(range(32))
GRID = Grid((4, 6, 6), (3.0, 4.0, 4.0))
ANNA = {"PatientID": "A1", "PatientName": "Adler^Anna"}
BERT = {"PatientID": "B2", "PatientName": "Bauer^Bert"}


def series(
    folder: Path,
    patient: dict[str, Any],
    study: str = "one",
    modality: str = "PT",
    *,
    name: str = "",
    slices: int = 4,
    day: str = "20240115",
    frame: str = "",
    number: int = 2,
    **tags: Any,
) -> list[Path]:
    """A series of a study of a patient, each with UIDs of its own."""
    key = f"{patient['PatientID']}|{study}|{name}"
    given = {
        "StudyInstanceUID": uid("study", patient["PatientID"], study),
        "FrameOfReferenceUID": uid("frame", patient["PatientID"], frame or study),
        "StudyDate": day,
        "SeriesNumber": number,
        **tags,
    }
    if modality == "NM":
        given |= {"ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]}
    return write_series(
        folder, np.ones((slices, 6, 6)), modality=modality, tags={**given, **tags}, patient=patient, series=key
    )


def mask_of(images: list[Path], path: Path, *, refer: str = "contours", **tags: Any) -> Path:
    """An RTSTRUCT with one rectangle on the second slice of a series."""
    headers = [pydicom.dcmread(p, stop_before_pixels=True) for p in images]
    image = Series(
        GRID,
        series_uid=headers[0].SeriesInstanceUID,
        frame_of_reference_uid=headers[0].FrameOfReferenceUID,
        instances=tuple(h.SOPInstanceUID for h in headers),
    )
    file = rtstruct([Roi("GTV", [rectangle(GRID, 1, 1, 1, 4, 4)])], image, refer=refer)
    found = pydicom.dcmread(BytesIO(file.data), force=True)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID"):
        setattr(found, keyword, headers[0][keyword].value)
    found.SOPInstanceUID = uid("mask", path.name, image.series_uid)
    for keyword, value in tags.items():
        setattr(found, keyword, value)
    return save(found, path)


def indexed(export: Path, out: Path | None = None, wanted=USUAL) -> Index:
    return index_export(export, out or export.parent / "study" / "cases.csv", SALT, wanted)


def table_of(found: Index, out: Path) -> list[dict[str, str]]:
    write_index(found, out, overwrite=True)
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def export(tmp_path) -> Path:
    """Two patients: Anna with PET, CT and a mask, twice; Bert with PET only."""
    folder = tmp_path / "export"
    pet = series(folder / "Adler" / "1" / "PT", ANNA)
    series(folder / "Adler" / "1" / "CT", ANNA, modality="CT", slices=5)
    mask_of(pet, folder / "Adler" / "1" / "RS" / "rs.dcm")
    later = series(folder / "Adler" / "2" / "PT", ANNA, "two", day="20240325")
    mask_of(later, folder / "Adler" / "2" / "rs.dcm")
    series(folder / "Bauer" / "x", BERT)
    return folder


def test_patients_studies_and_series_are_told_apart(export):
    found = indexed(export)
    assert len(found.cases) == 3
    assert len({case.patient for case in found.cases}) == 2
    assert found.names == ("PET", "CT")
    sets = sorted((tuple(case.series), case.day, case.series["PET"].mask is not None) for case in found.cases)
    assert sets == [(("PET",), 0, False), (("PET",), 70, True), (("PET", "CT"), 0, True)]


def test_the_table_is_one_that_is_read_as_a_study(export, tmp_path):
    out = tmp_path / "study" / "cases.csv"
    write_index(indexed(export, out), out)
    study = study_of_table(out, "study")
    assert len(study.cases) == 3
    for case in study.cases:
        for files in case.series:
            assert files.problem == ""
            assert files.image.exists()
            assert files.mask is None or files.mask.is_file()


def test_folders_of_one_series_stand_as_folders(export, tmp_path):
    rows = table_of(indexed(export), tmp_path / "study" / "cases.csv")
    assert {row["PET_image"] for row in rows} == {
        "../export/Adler/1/PT",
        "../export/Adler/2/PT",
        "../export/Bauer/x",
    }
    assert {row["PET_mask"] for row in rows} == {"../export/Adler/1/RS/rs.dcm", "../export/Adler/2/rs.dcm", ""}
    assert not (tmp_path / "study" / "cases_files").exists()


def shuffled(export: Path, to: Path, seed: int) -> Path:
    """All files of an export in one folder, under numbers in random order and without suffixes."""
    files = sorted(p for p in export.rglob("*") if p.is_file())
    random.Random(seed).shuffle(files)
    to.mkdir()
    for number, path in enumerate(files):
        shutil.copy(path, to / f"IM{number:05d}")
    (to / "notes.txt").write_text("no DICOM")
    (to / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"\x02\0")
    return to


def test_shuffled_names_in_one_folder_give_the_same_cases(export, tmp_path):
    plain = indexed(export)
    flat = indexed(shuffled(export, tmp_path / "flat", 1))
    again = indexed(shuffled(export, tmp_path / "again", 2))
    for other in (flat, again):
        assert [(c.case, c.patient, c.day, tuple(c.series), c.notes) for c in other.cases] == [
            (c.case, c.patient, c.day, tuple(c.series), c.notes) for c in plain.cases
        ]
    assert any("no DICOM" in note for note in flat.notes)


def test_files_among_others_stand_in_a_list_with_exactly_them(export, tmp_path):
    flat = shuffled(export, tmp_path / "flat", 3)
    out = tmp_path / "study" / "cases.csv"
    rows = table_of(indexed(flat, out), out)
    seen: set[Path] = set()
    for row in rows:
        for name in ("PET", "CT"):
            if not row[f"{name}_image"]:
                continue
            assert row[f"{name}_image"] == f"cases_files/{row['case']}_{name}.files"
            file = out.parent / row[f"{name}_image"]
            listed = [file.parent / line for line in file.read_text().splitlines()]
            headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in listed]
            assert len({h.SeriesInstanceUID for h in headers}) == 1
            assert len(listed) == (5 if name == "CT" else 4)
            seen |= set(listed)
    assert len(seen) == 3 * 4 + 5


def test_a_listed_series_is_read_as_the_one_that_was_meant(export, tmp_path):
    flat = shuffled(export, tmp_path / "flat", 4)
    out = tmp_path / "study" / "cases.csv"
    write_index(indexed(flat, out), out)
    for case in study_of_table(out, "study").cases:
        for files in case.series:
            given = Reader(out.parent).series(files)
            assert len(given.image.files) == (5 if files.series == "CT" else 4)
            modality = {parse(file).Modality for file in given.image.files}
            assert modality == {"CT" if files.series == "CT" else "PT"}


def test_a_name_with_a_line_break_is_left_out_and_said_so(export):
    (export / "Bauer" / "x").rename(export / "Bauer" / "x\ny")
    found = indexed(export)
    assert len(found.cases) == 2
    assert any("line breaks" in note for note in found.notes)


def test_the_same_export_gives_the_same_bytes(export, tmp_path):
    first, second = tmp_path / "a" / "cases.csv", tmp_path / "b" / "cases.csv"
    write_index(indexed(export, first), first)
    write_index(indexed(export, second), second)
    assert first.read_bytes() == second.read_bytes()


def test_another_salt_gives_other_labels(export, tmp_path):
    out = tmp_path / "cases.csv"
    first, second = (index_export(export, out, bytes([n]) * 32) for n in (1, 2))
    assert {c.case for c in first.cases}.isdisjoint(c.case for c in second.cases)
    assert {c.patient for c in first.cases}.isdisjoint(c.patient for c in second.cases)


def test_a_mask_that_names_its_series_only_is_matched_too(tmp_path):
    pet = series(tmp_path / "export" / "a", ANNA)
    mask_of(pet, tmp_path / "export" / "m", refer="series")
    (case,) = indexed(tmp_path / "export").cases
    assert case.series["PET"].mask == tmp_path / "export" / "m"


def test_a_mask_that_names_the_frame_only_is_not_guessed(tmp_path):
    pet = series(tmp_path / "export" / "a", ANNA)
    mask_of(pet, tmp_path / "export" / "m", refer="frame")
    (case,) = indexed(tmp_path / "export").cases
    assert case.series["PET"].mask is None
    assert "PET: no mask refers to it" in case.notes


def test_a_mask_drawn_on_the_ct_is_pointed_at_from_the_pet(tmp_path):
    series(tmp_path / "export" / "a", ANNA)
    ct = series(tmp_path / "export" / "b", ANNA, modality="CT")
    mask_of(ct, tmp_path / "export" / "m")
    (case,) = indexed(tmp_path / "export").cases
    assert case.series["CT"].mask is not None
    assert case.series["PET"].mask is None
    assert any(note.startswith("PET:") and "drawn on the CT" in note for note in case.notes)


def test_several_masks_of_a_series_are_candidates_and_none_is_taken(tmp_path):
    pet = series(tmp_path / "export" / "a", ANNA)
    for reader in "xy":
        mask_of(pet, tmp_path / "export" / reader)
    found = indexed(tmp_path / "export")
    (row,) = table_of(found, tmp_path / "study" / "cases.csv")
    assert row["PET_mask"] == ""
    assert row["PET_mask_candidates"] == "../export/x | ../export/y"
    assert "2 masks refer to it" in row["notes"]


def test_a_mask_of_another_patient_is_not_used(tmp_path):
    pet = series(tmp_path / "export" / "a", ANNA)
    mask_of(pet, tmp_path / "export" / "m", PatientID="B2")
    (case,) = indexed(tmp_path / "export").cases
    assert case.series["PET"].mask is None
    assert any("name another patient" in note for note in case.notes)


@pytest.mark.parametrize(
    ("worse", "reason"),
    [
        ({"CorrectedImage": ["DECY", "RAN"]}, "not corrected for attenuation"),
        ({"CorrectedImage": None}, "attenuation correction is not stated"),
        ({"SeriesType": ["GATED", "IMAGE"]}, "gates or time frames"),
        ({"slices": 3}, "fewer slices"),
        ({"number": 9}, "a higher series number"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "not slices of a volume"),
    ],
)
def test_of_two_pet_series_the_better_one_is_taken_and_the_other_noted(tmp_path, worse, reason):
    series(tmp_path / "export" / "0", ANNA, name="worse", **worse)
    series(tmp_path / "export" / "1", ANNA, name="better")
    (case,) = indexed(tmp_path / "export").cases
    assert case.series["PET"].image == tmp_path / "export" / "1"
    assert any("passed over" in note and reason in note for note in case.notes)


def test_a_series_that_a_mask_refers_to_goes_before_all_others(tmp_path):
    small = series(tmp_path / "export" / "0", ANNA, name="small", slices=3, number=9)
    series(tmp_path / "export" / "1", ANNA, name="large", slices=8)
    mask_of(small, tmp_path / "export" / "m")
    (case,) = indexed(tmp_path / "export").cases
    assert case.series["PET"].image == tmp_path / "export" / "0"
    assert any("8 slices passed over: no mask refers to it" in note for note in case.notes)


def test_a_localiser_is_no_ct(tmp_path):
    series(tmp_path / "export" / "0", ANNA, modality="CT", slices=9, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    series(tmp_path / "export" / "1", ANNA, name="ct", modality="CT", slices=4)
    (case,) = indexed(tmp_path / "export").cases
    assert case.series["CT"].image == tmp_path / "export" / "1"


def test_series_of_one_modality_are_told_by_their_description(tmp_path):
    series(tmp_path / "export" / "0", ANNA, name="s", modality="NM", SeriesDescription="MPI STRESS [AC]")
    series(tmp_path / "export" / "1", ANNA, name="r", modality="NM", SeriesDescription="MPI Rest [AC]")
    wanted = (Wanted("stress", "NM", "stress"), Wanted("rest", "NM", "rest"))
    (case,) = indexed(tmp_path / "export", wanted=wanted).cases
    assert case.series["stress"].image == tmp_path / "export" / "0"
    assert case.series["rest"].image == tmp_path / "export" / "1"


def test_studies_of_one_day_and_frame_are_one_case(tmp_path):
    series(tmp_path / "export" / "0", ANNA, "pet", frame="common")
    series(tmp_path / "export" / "1", ANNA, "ct", modality="CT", frame="common")
    found = indexed(tmp_path / "export")
    (case,) = found.cases
    assert tuple(case.series) == ("PET", "CT")
    assert any("share day and frame of reference" in note for note in found.notes)


def test_studies_of_two_days_stay_two_cases_even_in_one_frame(tmp_path):
    series(tmp_path / "export" / "0", ANNA, "first", frame="common")
    series(tmp_path / "export" / "1", ANNA, "second", frame="common", day="20240116")
    assert [case.day for case in sorted(indexed(tmp_path / "export").cases, key=lambda c: c.day or 0)] == [0, 1]


def test_one_number_of_two_people_is_two_patients(tmp_path):
    series(tmp_path / "export" / "0", {"PatientID": "1", "PatientName": "Adler^Anna"}, "a")
    series(tmp_path / "export" / "1", {"PatientID": "1", "PatientName": "Bauer^Bert"}, "b")
    found = indexed(tmp_path / "export")
    assert len({case.patient for case in found.cases}) == 2
    assert any("several names" in note for note in found.notes)


def test_one_person_spelled_in_two_ways_is_one_patient(tmp_path):
    series(tmp_path / "export" / "0", {"PatientID": "1", "PatientName": "Adler^Anna"}, "a")
    series(tmp_path / "export" / "1", {"PatientID": "1", "PatientName": "ADLER^ANNA "}, "b")
    assert len({case.patient for case in indexed(tmp_path / "export").cases}) == 1


def test_studies_without_a_patient_are_patients_of_their_own_and_said_so(tmp_path):
    nobody = {"PatientID": "", "PatientName": ""}
    series(tmp_path / "export" / "0", nobody, "a")
    series(tmp_path / "export" / "1", nobody, "b")
    found = indexed(tmp_path / "export")
    assert len({case.patient for case in found.cases}) == 2
    assert any("2 studies name no patient" in note for note in found.notes)


def test_files_that_come_twice_are_taken_once(tmp_path):
    pet = series(tmp_path / "export" / "0", ANNA)
    (tmp_path / "export" / "again").mkdir()
    for path in pet[:2]:
        shutil.copy(path, tmp_path / "export" / "again" / path.name)
    (case,) = indexed(tmp_path / "export").cases
    assert len(case.series["PET"].listed or list(case.series["PET"].image.iterdir())) == 4
    assert any("2 files repeat an image" in note for note in case.notes)


def test_repeated_files_in_the_folder_of_a_series_make_it_a_list(tmp_path):
    pet = series(tmp_path / "export" / "0", ANNA)
    shutil.copy(pet[0], tmp_path / "export" / "0" / "copy.dcm")
    (case,) = indexed(tmp_path / "export").cases
    assert len(case.series["PET"].listed) == 4


def test_a_damaged_file_costs_only_itself(export):
    (export / "broken").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\0\x05\0CS\xff\xff")
    assert len(indexed(export).cases) == 3


def test_a_table_that_is_there_is_not_replaced_unasked(export, tmp_path):
    out = tmp_path / "cases.csv"
    out.write_text("mine")
    with pytest.raises(StudyError, match=r"cases\.csv: there is such a table already"):
        write_index(indexed(export, out), out)
    assert out.read_text() == "mine"


def test_an_export_without_images_is_refused(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing")
    with pytest.raises(StudyError, match=r"no series of slices of PT \(PET\).*among 1 files; 1 files are no DICOM"):
        index_export(tmp_path, tmp_path / "cases.csv", SALT)
    with pytest.raises(StudyError, match="gone: no such folder"):
        index_export(tmp_path / "gone", tmp_path / "cases.csv", SALT)


def test_one_name_for_two_series_is_refused(export, tmp_path):
    with pytest.raises(StudyError, match="named twice: PET"):
        indexed(export, wanted=(Wanted("PET", "PT"), Wanted("PET", "CT")))


def test_progress_tells_how_far_it_is(export, tmp_path):
    seen = []
    index_export(export, tmp_path / "cases.csv", SALT, progress=lambda done, total, _: seen.append((done, total)))
    assert seen == [(n, 19) for n in range(1, 20)]


def test_no_canary_reaches_labels_notes_or_the_table(tmp_path):
    words: set[str] = set()
    export = tmp_path / "export"
    for patient in (ANNA, BERT):
        pet = series(export / patient["PatientID"].lower() / "pt", patient)
        ct = series(export / patient["PatientID"].lower() / "ct", patient, modality="CT")
        mask = mask_of(pet, export / patient["PatientID"].lower() / "rs")
        names = {}
        for path in (*pet, *ct, mask):
            header = pydicom.dcmread(path)
            if not names:
                words |= poison(header)
                names = {k: header[k].value for k in ("PatientID", "PatientName", "IssuerOfPatientID")}
            else:
                words |= poison(header)
                for keyword, value in names.items():
                    setattr(header, keyword, value)
            header.save_as(path)
    out = tmp_path / "study" / "cases.csv"
    found = indexed(export, out)
    write_index(found, out)
    assert len(found.cases) == 2
    assert all(case.series["PET"].mask for case in found.cases)
    written = "\n".join(path.read_text() for path in out.parent.rglob("*") if path.is_file())
    told = " ".join([*found.notes, *(note for case in found.cases for note in case.notes), written]).lower()
    assert [word for word in words if word.lower() in told] == []


def test_rows_have_a_cell_for_each_column(export, tmp_path):
    header, rows = rows_of(indexed(export), tmp_path / "cases.csv")
    assert header == ["case", "patient", "day", "PET_image", "PET_mask", "CT_image", "CT_mask", "notes"]
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize(("kind", "told"), [("STATIC", False), ("WHOLE BODY", False), ("DYNAMIC", True)])
def test_beds_of_a_still_series_are_no_time_frames(tmp_path, kind, told):
    tags = {"SeriesType": [kind, "IMAGE"], "NumberOfTimeSlices": 6}
    write_series(tmp_path / "export", np.ones((4, 6, 6)), tags=tags)
    (case,) = index_export(tmp_path / "export", tmp_path / "cases.csv", SALT).cases
    assert any("gates or time frames" in note for note in case.notes) == told
