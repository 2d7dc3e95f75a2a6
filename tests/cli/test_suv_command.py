"""radiomics-pipeline suv: a page that explains one series, or a refusal with its reason."""

from __future__ import annotations

import zipfile
from copy import deepcopy
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from radiomics_pipeline.cli import suv as command
from radiomics_pipeline.errors import MissingFile, MissingMetadata, MixedSeries, NotDicom, ParamsError, SuvError
from radiomics_pipeline.imaging.suv import PatientOverrides, convert
from radiomics_pipeline.io.dicom.acquisition import read_acquisition
from radiomics_pipeline.params.suv import Normalisation, Suv
from tests.canary import poison
from tests.suv_headers import header, write_series

BW = 70_000 / (370e6 * 2 ** (-3600 / 6586.2))
VALUES = np.arange(48).reshape(3, 4, 4) * 100


def page(*headers, array=None, **params):
    """The two halves of the page, as one text."""
    acquisition = read_acquisition(headers, "PET")
    conversion = convert(acquisition, Suv(**params))
    read = SimpleNamespace(array=np.ones((len(headers), 2, 2)) if array is None else array, padding=None)
    return "\n".join([*command.header_page(acquisition), *command.conversion_page(conversion, read)])


def test_the_page_says_what_was_read_and_each_rule():
    text = page(header(FrameReferenceTime="60000", DecayFactor="1.006"), header(FrameReferenceTime="60000"))
    for line in (
        "PET series of 2 slices, Siemens",
        "  units               BQML",
        "  dose, as written    370000000",
        "  administration      10:00:00",
        "  acquisition         11:00:00",
        "  7. reference        11:00:00, SeriesTime",
        f"Factor                {BW:.9g}",
        f"Maximum               SUV {BW:.6g}, in slice 1 of 2",
        "No warnings",
    ):
        assert line in text


def test_the_page_lists_warnings_and_factors_by_slice():
    none = {"DecayCorrection": "NONE", "CorrectedImage": ["ATTN"], "dose": {"RadionuclideTotalDose": "370"}}
    text = page(header(**none), header(AcquisitionTime="111000", **none))
    assert "  - RadionuclideTotalDose is 370, far too little in Bq: read as MBq" in text
    assert " to " in next(line for line in text.splitlines() if line.startswith("Factor"))
    assert "  acquisition         11:00:00 to 11:10:00" in text


def test_every_line_fits_and_shows_no_date():
    text = page(header(dose={"RadiopharmaceuticalStartDateTime": "20241231230000"}))
    assert "23:00:00 (1 day before)" in text
    assert max(map(len, text.splitlines())) <= command.WIDTH
    assert "2024" not in text
    assert "2025" not in text


def test_counts_say_why_there_is_no_suv():
    text = page(header(Modality="NM", Units=None))
    assert "Not to be had         the image is in counts: the header names no unit" in text.replace("\n", "")


def test_padding_is_no_maximum():
    array = np.array([[[1.0, 9.0], [2.0, 3.0]]])
    made = convert(read_acquisition([header(Units="GML")], "PET"), Suv())
    read = SimpleNamespace(array=array, padding=array == 9.0)
    assert "SUV 3, in slice 1 of 1" in "\n".join(command.conversion_page(made, read))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("370 MBq", 370e6),
        ("3.7e8", 3.7e8),
        ("370000000Bq", 370e6),
        ("10mCi", 370e6),
        ("0.37 GBq", 370e6),
        ("5 uCi", 185e3),
    ],
)
def test_a_dose_is_read_with_its_unit(text, expected):
    assert command.becquerel(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "MBq", "370 Sv", "-1 MBq", "0", "nan", "1 2 MBq", "inf"])
def test_a_dose_that_is_none_is_refused(text):
    with pytest.raises(ParamsError, match="--dose"):
        command.becquerel(text)


def test_options_are_what_a_case_table_says():
    made = command.overrides(weight=71.0, height=None, sex="M", dose="370 MBq", injected="2025-01-01T10:30")
    assert (made.weight_kg, made.height_m, made.sex, made.dose_bq) == (71.0, None, "M", 370e6)
    assert str(made.injected) == "2025-01-01 10:30:00"
    none = command.overrides(weight=None, height=None, sex="", dose="", injected="")
    assert none == PatientOverrides()


@pytest.mark.parametrize("injected", ["10:30", "2025-01-01", "yesterday"])
def test_a_time_of_injection_needs_day_and_time(injected):
    with pytest.raises(ParamsError, match="--injected"):
        command.overrides(weight=None, height=None, sex="", dose="", injected=injected)


def test_the_normalisations_are_those_of_the_parameters():
    assert get_args(Normalisation) == command.NORMALISATIONS


# From files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def call():
    """The command on a folder, called from the shell's side; errors are those that `main` prints with exit code 2."""
    app = typer.Typer()
    app.command()(command.suv)

    def run(folder, *options):
        return CliRunner().invoke(app, [str(folder), *map(str, options)])

    return run


@pytest.fixture
def folder(tmp_path):
    write_series(tmp_path / "PET", [header() for _ in range(3)], VALUES)
    return tmp_path / "PET"


def test_a_folder_is_explained(call, folder):
    result = call(folder)
    assert result.exit_code == 0, result.exception
    assert "PET series of 3 slices, Siemens" in result.stdout
    assert f"Maximum               SUV {4700 * BW:.6g}, in slice 3 of 3" in result.stdout


def test_no_identity_is_shown(call, tmp_path):
    one = header(ManufacturerModelName="Biograph mCT")
    words = poison(one)
    write_series(tmp_path / "PET", [deepcopy(one) for _ in range(3)], VALUES)
    result = call(tmp_path / "PET")
    text = result.stdout
    assert result.exit_code == 0, result.exception
    assert "PET series of 3 slices, Siemens unlisted-" in text
    assert [word for word in words if word.lower() in text.lower()] == []
    assert "1.2.826" not in text
    assert "2025" not in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize("keyword", ["Units", "SUVType", "DecayCorrection", "PatientSex", "CorrectedImage"])
def test_codes_that_are_none_are_never_shown(call, tmp_path, keyword):
    tags = {"Units": "GML"} if keyword == "SUVType" else {}
    tags[keyword] = ["ATTN", "DECY", "JANE DOE"] if keyword == "CorrectedImage" else "JANE DOE"
    write_series(tmp_path / "PET", [header(**tags) for _ in range(3)], VALUES)
    result = call(tmp_path / "PET", "--normalisation", "ibw")
    assert "JANE" not in result.stdout + str(result.exception)
    assert keyword == "CorrectedImage" or result.exit_code


def test_options_change_the_result(call, folder):
    result = call(folder, "--weight", 77, "--dose", "740 MBq", "--normalisation", "bw")
    assert f"SUV {4700 * BW * 77 / 140:.6g}" in result.stdout
    assert "weight: the header says 70 kg, the case table 77 kg, which is used" in result.stdout
    assert f"SUV {4700:.6g}" not in call(folder).stdout
    assert "Bq/ml 4700, in slice 3" in call(folder, "--unit", "Bq/ml").stdout


def test_parameters_say_normalisation_and_unit(call, folder, tmp_path):
    file = tmp_path / "pet.yaml"
    file.write_text(
        "series:\n  PET:\n    unit: SUV\n    suv: {normalisation: lbmjanma}\n"
        "    discretise: {method: fixed-bin-size, width: 0.5, origin: 0}\n"
    )
    assert "lean body mass after Janmahasatian" in call(folder, "--params", file).stdout
    assert "bw: body weight" in call(folder, "--params", file, "--normalisation", "bw").stdout
    assert isinstance(call(folder, "--params", file, "--series", "CT").exception, ParamsError)
    assert isinstance(call(folder, "--normalisation", "lbmjama").exception, ParamsError)


def test_a_refusal_comes_after_what_the_headers_say(call, tmp_path):
    write_series(tmp_path / "PET", [header(PatientWeight=None) for _ in range(3)], VALUES)
    result = call(tmp_path / "PET")
    assert isinstance(result.exception, MissingMetadata)
    assert "PET: PatientWeight (0010,1030) is missing" in str(result.exception)
    assert "What the headers say" in result.stdout
    assert call(tmp_path / "PET", "--weight", 70).exit_code == 0


def test_an_unusable_unit_is_refused(call, tmp_path):
    write_series(tmp_path / "PET", [header(Units="PROPCPS") for _ in range(3)], VALUES)
    assert isinstance(call(tmp_path / "PET").exception, SuvError)


def test_several_series_are_listed_and_one_is_chosen(call, folder, tmp_path):
    write_series(tmp_path / "GML", [header(Units="GML") for _ in range(2)], VALUES[:2], series=2)
    result = call(tmp_path)
    assert isinstance(result.exception, MixedSeries)
    assert "PT, 2 files" in str(result.exception)
    assert "PT, 3 files" in str(result.exception)
    chosen = [call(tmp_path, "--select", n).stdout for n in (1, 2)]
    assert sorted("GML" in text for text in chosen) == [False, True]
    assert isinstance(call(tmp_path, "--select", 3).exception, MixedSeries)


def test_a_folder_without_pet_is_refused(call, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    assert isinstance(call(tmp_path).exception, NotDicom)
    assert isinstance(call(tmp_path / "absent").exception, MissingFile)


def test_the_real_patient_from_its_files(call, shared, tmp_path):
    with zipfile.ZipFile(shared / "nm_data" / "sts_001_pet_bqml" / "STS_001_FDG_PET.zip") as opened:
        opened.extractall(tmp_path)
    text = call(tmp_path).stdout
    assert "PET series of 267 slices, GE Discovery ST" in text
    assert "Factor                0.000242902977" in text
    assert "Maximum               SUV 66.5215" in text
    assert "No warnings" in text
    assert "STS_001" not in text
