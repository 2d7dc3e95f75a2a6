"""A batch table of PyRadiomics is a study."""

from __future__ import annotations

import pytest

from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.errors import StudyError


def table(folder, text: str):
    path = folder / "batch.csv"
    path.write_text(text, "utf-8")
    return find_study(path)


def names(study):
    return [(case.name, case.patient) for case in study.cases]


def test_rows_are_cases_with_paths_from_the_tables_folder(tmp_path):
    study = table(tmp_path, f"Image,Mask,Label\nsub/i.nrrd,sub/m.nrrd,2\n{tmp_path / 'j.nrrd'},../n.nrrd,\n")
    assert names(study) == [("Case-1", "Case-1"), ("Case-2", "Case-2")]
    (first,), (second,) = (case.series for case in study.cases)
    assert (first.series, first.image, first.mask) == ("", tmp_path / "sub/i.nrrd", tmp_path / "sub/m.nrrd")
    assert (first.label, second.label) == ("2", "")
    assert (second.image, second.mask) == (tmp_path / "j.nrrd", tmp_path / "../n.nrrd")
    assert (study.root, study.name) == (tmp_path, "batch.csv")
    assert "cases are named by their row" in study.notes[0]


def test_row_10_comes_after_row_2(tmp_path):
    study = table(tmp_path, "Image,Mask\n" + "".join(f"{i}.nrrd,m.nrrd\n" for i in range(1, 12)))
    assert [case.series[0].image.stem for case in study.cases] == [str(i) for i in range(1, 12)]


@pytest.mark.parametrize("column", ["ID", "id", "Case", "case_ID", "CaseID", "Patient", "patient_id", "Subject ID"])
def test_a_column_that_names_each_row_once_names_the_cases(tmp_path, column):
    study = table(tmp_path, f"{column},Image,Mask\nlung2,a.nrrd,b.nrrd\nbrain1,c.nrrd,d.nrrd\n")
    assert names(study) == [("brain1", "brain1"), ("lung2", "lung2")]
    assert study.notes == ()
    assert study.cases[0].extra == {}


def test_lesions_of_a_patient_keep_him(tmp_path):
    study = table(tmp_path, "ID,Patient,Image,Mask\na1,P,a.nrrd,b.nrrd\na2,P,c.nrrd,d.nrrd\na3,,c.nrrd,d.nrrd\n")
    assert names(study) == [("a1", "P"), ("a2", "P"), ("a3", "a3")]


def test_an_id_that_comes_again_is_the_patient(tmp_path):
    study = table(tmp_path, "ID,Image,Mask\nP1,a.nrrd,b.nrrd\nP1,c.nrrd,d.nrrd\nP2,e.nrrd,f.nrrd\n,g.nrrd,h.nrrd\n")
    assert names(study) == [("Case-1", "P1"), ("Case-2", "P1"), ("Case-3", "P2"), ("Case-4", "Case-4")]
    assert "column 'ID' is taken for the patient" in study.notes[1]


def test_an_id_that_is_missing_once_names_no_case(tmp_path):
    study = table(tmp_path, "ID,Image,Mask\nx,a.nrrd,b.nrrd\n,c.nrrd,d.nrrd\n")
    assert names(study) == [("Case-1", "x"), ("Case-2", "Case-2")]


def test_further_columns_are_kept_in_order_and_are_no_series(tmp_path):
    study = table(
        tmp_path,
        "Outcome,ID,Image,Mask,CT_image,roi,Label_channel\n1,x,a.nrrd,b.nrrd,c.nrrd,node,0\n0,y,d.nrrd,e.nrrd,,,0\n",
    )
    first, second = study.cases
    assert list(first.extra.items()) == [("Outcome", "1"), ("CT_image", "c.nrrd"), ("input_roi", "node")]
    assert second.extra == {"Outcome": "0", "CT_image": "", "input_roi": ""}
    assert [files.series for files in first.series] == [""]
    assert study.notes == (
        "batch.csv: column 'Label_channel' is not used; masks with several channels are refused",
        "batch.csv: written to diagnostics.csv, no features: 'Outcome', 'CT_image', 'roi'",
    )


def test_a_label_in_small_letters_chooses_none_and_is_noted(tmp_path):
    study = table(tmp_path, "ID,Image,Mask,label\nx,a.nrrd,b.nrrd,2\n")
    assert study.cases[0].series[0].label == ""
    assert study.cases[0].extra == {"input_label": "2"}
    assert "batch.csv: column 'label' chooses no label, did you mean 'Label'?" in study.notes


def test_a_row_without_a_file_costs_its_row(tmp_path):
    study = table(tmp_path, "Image,Mask\na.nrrd,\n,\nc.nrrd,d.nrrd\n,e.nrrd\n")
    assert [case.series[0].problem for case in study.cases] == [
        "batch.csv, row 1: no Mask; give its path",
        "",
        "batch.csv, row 3: no Image; give its path",
    ]


def test_further_columns_named_like_ours_get_other_names(tmp_path):
    study = table(tmp_path, "Image,Mask,diagnostics_x,roi,input_roi,note\na,b,1,2,3,4\n")
    assert study.cases[0].extra == {"input_diagnostics_x": "1", "input_input_roi": "2", "input_roi": "3", "note": "4"}


def test_a_row_with_too_few_cells_costs_its_row(tmp_path):
    study = table(tmp_path, "ID,Image,Mask,Label\nx,a.nrrd,b.nrrd\ny,a.nrrd,b.nrrd,2\nz\n")
    problem = "fewer cells than the header's 4; write empty ones, too"
    assert [case.name for case in study.cases] == ["x", "y", "z"]
    assert [case.series[0].problem for case in study.cases] == [
        f"batch.csv, row 1: {problem}",
        "",
        f"batch.csv, row 3: {problem}",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,Mask\na,b\n", "no column 'case'; it has image, Mask; a batch table .* 'Image' and 'Mask', spelled so"),
        ("Image\na\n", "no column 'case'; it has Image; a batch table"),
        ("Image,Image,Mask\na,b,c\n", "column named twice: 'Image'"),
        ("Image,Mask\n", "batch.csv: a header and no rows"),
        ("Image,Mask\na,b,c\n", "batch.csv, line 2: 3 cells, the header has 2"),
        ('ID,Image,Mask\n"a\tb",c,d\n', "holds characters that no table can"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, message):
    with pytest.raises(StudyError, match=message):
        table(tmp_path, text)


def test_files_that_are_no_tables_are_refused(tmp_path):
    (tmp_path / "image.nii").write_bytes(bytes(400))
    with pytest.raises(StudyError, match=r"image\.nii: not a text file"):
        find_study(tmp_path / "image.nii")
    with pytest.raises(StudyError, match="no such folder or table of cases"):
        find_study(tmp_path / "batch.csv")


def test_a_batch_table_does_not_stand_in_a_folder_as_its_cases(tmp_path):
    (tmp_path / "cases.csv").write_text("Image,Mask\na.nrrd,b.nrrd\n", "utf-8")
    with pytest.raises(StudyError, match="is given by its path"):
        find_study(tmp_path)
    assert len(find_study(tmp_path / "cases.csv").cases) == 1
