"""Cases are found by table or by folder, and what is not clear is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.errors import StudyError
from tests.images import write_case


def table(root, text: str):
    (root / "cases.csv").write_text(text, "utf-8")
    return find_study(root)


def test_folders_are_cases_in_natural_order(tmp_path):
    for name in ("case10", "case2", "case1"):
        write_case(tmp_path / name)
    study = find_study(tmp_path)
    assert [(c.name, c.patient) for c in study.cases] == [(n, n) for n in ("case1", "case2", "case10")]


def test_series_and_unnamed_images_are_found(tmp_path):
    write_case(tmp_path / "a", "PET")
    write_case(tmp_path / "a", "CT", suffix=".nrrd")
    write_case(tmp_path / "b", "", suffix=".mha")
    (tmp_path / "a" / "._PET_image.nii.gz").write_bytes(b"resource fork")
    study = find_study(tmp_path)
    assert [[s.series for s in c.series] for c in study.cases] == [["CT", "PET"], [""]]
    assert not any(s.problem for c in study.cases for s in c.series)


def test_a_second_readers_mask_is_no_series(tmp_path):
    write_case(tmp_path / "a")
    (tmp_path / "a" / "PET_mask_reader2.nii.gz").write_bytes((tmp_path / "a" / "PET_mask.nii.gz").read_bytes())
    assert [s.series for s in find_study(tmp_path).cases[0].series] == ["PET"]


def test_a_missing_mask_and_a_doubled_image_are_problems_of_their_series(tmp_path):
    write_case(tmp_path / "a")
    (tmp_path / "a" / "PET_mask.nii.gz").unlink()
    write_case(tmp_path / "b")
    write_case(tmp_path / "b", suffix=".nrrd")
    a, b = (case.series[0] for case in find_study(tmp_path).cases)
    assert not a.problem
    assert "PET_mask.*: no such file" in a.without_mask
    assert "two files for one" in b.problem


def test_other_folders_are_noted_and_hidden_ones_are_not(tmp_path):
    write_case(tmp_path / "a")
    (tmp_path / "notes").mkdir()
    (tmp_path / ".git").mkdir()
    assert find_study(tmp_path).notes == (
        "folder notes: no <SERIES>_image or image file, and no folder with a DICOM series; passed over",
    )


def test_a_table_gives_patients_labels_and_paths(tmp_path):
    study = table(
        tmp_path,
        "\ufeffcase;patient;PET_image;PET_mask;PET_label;CT_image;CT_mask;comment\n"
        "L1;P1;x/i.nii.gz;x/m.nii.gz;2;;;first\n"
        "L2;P1;y/i.nii.gz; y/m.nii.gz ;all;y/c.nii;y/cm.nii;\n",
    )
    first, second = study.cases
    assert (first.name, first.patient, [s.series for s in first.series]) == ("L1", "P1", ["PET"])
    assert (second.series[0].label, second.series[0].mask) == ("all", tmp_path / "y/m.nii.gz")
    assert [s.series for s in second.series] == ["PET", "CT"]
    assert study.notes == ("cases.csv: column 'comment' is not used",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,PET_image,PET_mask\nP,a,b\n", "no column 'case'"),
        ("case,PET_mask\nA,a\n", "column PET_image is missing"),
        ("case,PET_image,PET_mask\nA,a,b\nA,c,d\n", "case 'A' stands in rows 1 and 2"),
        ("case,PET_image,PET_mask\n,a,b\n", "row 1: no name"),
        ("case,case,PET_image,PET_mask\nA,A,a,b\n", "column named twice: 'case'"),
        ("case,age\nA,70\n", "no columns <SERIES>_image"),
        ("case,PET_image,PET_mask\nA,a,b,c\n", "line 2: 4 cells, the header has 3"),
        ("", "the file is empty"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, message):
    with pytest.raises(StudyError, match=message):
        table(tmp_path, text)


def test_patient_id_is_the_patient(tmp_path):
    study = table(tmp_path, "case,patient_id,PET_image,PET_mask\nA,P,a.nii,b.nii\nB,P,c.nii,d.nii\n")
    assert [c.patient for c in study.cases] == ["P", "P"]
    assert study.notes == ()


def test_names_that_look_like_numbers_and_are_none_are_sorted(tmp_path):
    for name in ("P²", "P10", "P9", "P" + "9" * 200):
        write_case(tmp_path / name)
    assert [c.name[:3] for c in find_study(tmp_path).cases][:2] == ["P9", "P10"]


def test_names_that_no_table_can_hold_are_refused(tmp_path):
    with pytest.raises(StudyError, match="holds characters that no table can"):
        table(tmp_path, 'case,PET_image,PET_mask\n"a\tb",a.nii,b.nii\n')


def test_a_row_without_a_mask_is_a_problem_of_its_case_alone(tmp_path):
    study = table(tmp_path, "case,PET_image,PET_mask\nA,a.nii,\nB,b.nii,c.nii\n")
    assert [c.series[0].mask for c in study.cases] == [None, tmp_path / "c.nii"]
    assert study.cases[0].series[0].without_mask == "cases.csv, row 1: no PET_mask"


def test_a_row_with_too_few_cells_is_a_problem_of_its_case_alone(tmp_path):
    study = table(tmp_path, "case,PET_image,PET_mask,CT_image,CT_mask\nA,a.nii,b.nii\nB,b.nii,c.nii,,\n")
    problem = "cases.csv, row 1: fewer cells than the header's 5; write empty ones, too"
    assert [(s.series, s.problem) for s in study.cases[0].series] == [("PET", problem), ("CT", problem)]
    assert [(s.series, s.problem) for s in study.cases[1].series] == [("PET", "")]


def test_a_folder_without_cases_says_what_was_expected(tmp_path):
    with pytest.raises(StudyError, match=r"no case found; expected cases\.csv"):
        find_study(tmp_path)
    with pytest.raises(StudyError, match="no such folder"):
        find_study(tmp_path / "x")


def test_cases_are_chosen_by_name(tmp_path):
    for name in ("a", "b", "c"):
        write_case(tmp_path / name)
    study = find_study(tmp_path)
    assert [c.name for c in study.only(["c", "a"]).cases] == ["a", "c"]
    with pytest.raises(StudyError, match="no case 'x'; there are a, b, c"):
        study.only(["x"])


@pytest.fixture
def locked(monkeypatch):
    """Folders named `locked` cannot be listed, whoever runs the test."""
    listed = Path.iterdir

    def iterdir(folder: Path):
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)


def test_a_folder_that_cannot_be_read_costs_its_case(tmp_path, locked):
    write_case(tmp_path / "a", "PET")
    write_case(tmp_path / "a", "CT")
    write_case(tmp_path / "locked")
    first, second = find_study(tmp_path).cases
    assert not any(files.problem for files in first.series)
    assert (second.name, [files.series for files in second.series]) == ("locked", ["CT", "PET"])
    assert {files.problem for files in second.series} == {
        "folder locked: cannot be read (Permission denied); ask for the right to read it"
    }


def test_a_study_that_cannot_be_read_is_refused(tmp_path, locked):
    write_case(tmp_path / "locked")
    with pytest.raises(StudyError, match=r"folder locked: cannot be read \(Permission denied\)"):
        find_study(tmp_path)
    with pytest.raises(StudyError, match=r"^locked: cannot be read \(Permission denied\)"):
        find_study(tmp_path / "locked")


def test_a_table_of_cases_may_bear_any_name(tmp_path):
    path = tmp_path / "second_reader.csv"
    path.write_text("case,PET_image,PET_mask\nA,a.nii,b.nii\n", "utf-8")
    study = find_study(path)
    assert (study.name, study.root) == ("second_reader.csv", tmp_path)
    assert study.cases[0].series[0].image == tmp_path / "a.nii"
    with pytest.raises(StudyError, match=r"second_reader\.csv: no case 'B'"):
        study.only(["B"])


def test_cases_that_were_fetched_know_their_patient(tmp_path):
    for name in ("C-1", "C-2", "own"):
        write_case(tmp_path / name)
    (tmp_path / "fetched.csv").write_text("case,patient,day\nC-1,P-1,0\nC-2,P-1,90\n", "utf-8")
    assert [(c.name, c.patient) for c in find_study(tmp_path).cases] == [("C-1", "P-1"), ("C-2", "P-1"), ("own", "own")]
    (tmp_path / "fetched.csv").write_text("case,whose\nC-1,P-1\n", "utf-8")
    with pytest.raises(StudyError, match=r"fetched\.csv: no column 'patient'"):
        find_study(tmp_path)
