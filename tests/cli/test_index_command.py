"""The command that makes a table of cases from an export."""

from __future__ import annotations

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from radiomics_pipeline.cli.index import index, wanted_series
from radiomics_pipeline.errors import StudyError
from tests.dicom import write_series


@pytest.fixture
def export(tmp_path):
    write_series(tmp_path / "export" / "Doe^Jane" / "pt", np.ones((3, 5, 5)), patient={"PatientName": "Doe^Jane"})
    return tmp_path / "export"


def called(*arguments: object):
    app = typer.Typer()
    app.command()(index)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_table_and_a_salt_are_written_and_told_of(export, tmp_path):
    out = tmp_path / "study" / "cases.csv"
    result = called(export, "--out", out)
    assert result.exit_code == 0
    assert "1 cases of 1 patients, 0 of them with a mask" in result.output
    assert "PET: no mask refers to it" in result.output
    assert "Doe" not in result.output
    assert out.read_text().startswith("case,patient,day,PET_image,PET_mask,notes\nC-")
    assert (out.parent / ".radiomics_salt").stat().st_mode & 0o077 == 0


def test_the_salt_makes_labels_of_two_runs_agree(export, tmp_path):
    first, second = tmp_path / "a" / "cases.csv", tmp_path / "b" / "cases.csv"
    assert called(export, "--out", first).exit_code == 0
    assert called(export, "--out", second, "--salt", first.parent / ".radiomics_salt").exit_code == 0
    assert first.read_text() == second.read_text()
    other = tmp_path / "c" / "cases.csv"
    assert called(export, "--out", other).exit_code == 0
    assert other.read_text() != first.read_text()


def test_a_dry_run_prints_the_table_and_writes_nothing(export, tmp_path):
    result = called(export, "--out", tmp_path / "study" / "cases.csv", "--dry-run")
    assert result.exit_code == 0
    assert "case,patient,day,PET_image,PET_mask,notes" in result.output
    assert "of this dry run only" in result.output
    assert not (tmp_path / "study").exists()


def test_a_table_that_is_there_stays_unless_overwritten(export, tmp_path):
    out = tmp_path / "cases.csv"
    out.write_text("mine")
    result = called(export, "--out", out)
    assert isinstance(result.exception, StudyError)
    assert out.read_text() == "mine"
    assert called(export, "--out", out, "--overwrite").exit_code == 0
    assert out.read_text() != "mine"


def test_series_are_named_by_option():
    assert (wanted_series("stress=nm:^MPI.*stress")).modality == "NM"
    assert wanted_series("PET=PT").text == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("PET", "write NAME=MODALITY"),
        ("PET=MR", "modality MR is not one of"),
        ("P_T=PT", "cannot stand in column names"),
        ("glcm=PT", "cannot stand in column names"),
        ("PET=PT:(", "no regular expression"),
    ],
)
def test_series_that_cannot_be_meant_are_refused(text, why):
    with pytest.raises(StudyError, match=why):
        wanted_series(text)
