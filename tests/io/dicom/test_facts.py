"""What case_log.csv says of an acquisition: as headers have it, in one spelling, and nothing that identifies."""

from __future__ import annotations

import zipfile
from typing import get_args

import numpy as np
import pytest
from pydicom.dataset import Dataset

from radiomics_pipeline.io.dicom.facts import facts_of
from radiomics_pipeline.io.dicom.headers import parse, quiet
from radiomics_pipeline.io.dicom.vocabulary import TRACERS, kernel, reconstruction, scanner, tracer
from radiomics_pipeline.io.volumes import VolumeFile
from radiomics_pipeline.params.acquisition import Tracer
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.facts import Facts, facts_of_table
from tests.canary import poison
from tests.dicom import volume_files, write_series

GRID = Grid((3, 4, 5), (3.0, 4.0, 4.5))


def headers_of(folder) -> list[Dataset]:
    return [parse(file) for file in volume_files(folder)]


@pytest.fixture
def pet(tmp_path):
    write_series(tmp_path, np.ones((3, 4, 5)))
    return headers_of(tmp_path)


def changed(headers, **values):
    with quiet():
        for header in headers:
            for keyword, value in values.items():
                setattr(header, keyword, value)
    return headers


def test_facts_of_a_pet_series_are_those_of_its_headers(pet):
    changed(pet, ReconstructionMethod="PSF+TOF 3i21s", ConvolutionKernel="XYZ Gauss5.00", PatientAge="063Y")
    assert facts_of(pet, GRID) == Facts(
        modality="PT",
        scanner="Siemens Biograph",
        reconstruction="OSEM TOF PSF 3i21s, gauss 5 mm",
        nuclide="F-18",
        tracer="FDG",
        dose_mbq=370.0,
        uptake_time_min=60.0,
        weight_kg=70.0,
        height_m=1.75,
        age_years=63,
        sex="F",
        voxel_mm=(4.5, 4.0, 3.0),
        slice_mm=3.0,
        duration_s=120.0,
        corrections=("NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"),
        gated=False,
    )


def test_figures_of_the_conversion_go_before_the_table_and_the_table_before_the_header(pet):
    table = {
        "weight_kg": "80",
        "height_m": "1.8",
        "dose_mbq": "300",
        "sex": "male",
        "glucose_mmol_l": "6.1",
        "earl": "EARL 2",
    }
    found = facts_of(pet, GRID, table=table)
    assert (found.weight_kg, found.height_m, found.dose_mbq, found.sex) == (80.0, 1.8, 300.0, "M")
    assert (found.glucose_mmol_l, found.earl, found.uptake_time_min) == (6.1, "EARL2", 60.0)
    used = facts_of(pet, GRID, uptake_time_min=61.0, dose_mbq=250.0, weight_kg=81.0, table=table)
    assert (used.uptake_time_min, used.dose_mbq, used.weight_kg, used.height_m) == (61.0, 250.0, 81.0, 1.8)
    assert (used.nuclide, used.corrections) == ("F-18", found.corrections)


def test_an_image_without_headers_has_the_facts_of_the_table():
    table = {"weight_kg": "80", "earl": "1"}
    found = facts_of_table(table, GRID)
    assert found == facts_of((), GRID, table=table)
    assert found == Facts(weight_kg=80.0, earl="EARL1", voxel_mm=(4.5, 4.0, 3.0), gated=None)


def test_units_that_headers_mistake_are_told_by_size(pet):
    for header in pet:
        header.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = 370
    found = facts_of(changed(pet, PatientWeight=70000, PatientSize=175), GRID)
    assert (found.weight_kg, found.height_m, found.dose_mbq) == (70.0, 1.75, 370.0)


@pytest.mark.parametrize(
    ("age", "birth", "years"),
    [
        ("063Y", "", 63),
        ("089Y", "", 89),
        ("090Y", "", 89),
        ("007M", "", 0),
        ("030M", "", 2),
        ("", "19500116", 73),
        ("", "19500115", 74),
        ("", "19200101", 89),
        ("", "20250101", None),
        ("", "", None),
        ("old", "", None),
        ("", "1950", None),
    ],
)
def test_age_is_whole_years_and_ends_at_89(pet, age, birth, years):
    assert facts_of(changed(pet, PatientAge=age, PatientBirthDate=birth), GRID).age_years == years


def test_an_injection_after_the_scan_is_no_uptake_time(pet):
    for header in pet:
        header.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime = "20240115120000"
    assert facts_of(pet, GRID).uptake_time_min is None


def test_an_injection_before_midnight_counts(pet):
    for header in pet:
        item = header.RadiopharmaceuticalInformationSequence[0]
        del item.RadiopharmaceuticalStartDateTime
        item.RadiopharmaceuticalStartTime = "233000"
        header.AcquisitionTime = "003000"
    assert facts_of(pet, GRID).uptake_time_min == 60.0


def test_frames_of_different_length_have_no_common_one(pet):
    pet[1].ActualFrameDuration = 90_000
    assert facts_of(pet, GRID).duration_s is None


def test_gated_images_are_called_so(pet):
    assert facts_of(changed(pet, SeriesType=["GATED", "IMAGE"]), GRID).gated is True
    assert facts_of(changed(pet, SeriesType=["STATIC", "IMAGE"]), GRID, gated=True).gated is True


def test_ct_has_neither_nuclide_nor_gates(tmp_path):
    write_series(
        tmp_path, np.zeros((2, 4, 4)), modality="CT", tags={"ConvolutionKernel": "B30f", "SliceThickness": "5"}
    )
    found = facts_of(headers_of(tmp_path), GRID)
    assert (found.modality, found.reconstruction, found.slice_mm) == ("CT", "B30f", 5.0)
    assert (found.nuclide, found.uptake_time_min, found.gated, found.duration_s) == ("", None, None, None)


@pytest.mark.parametrize(("unit", "value"), [("mmol/l", 5.5), ("mg/dl", 5.5 * 18.016), ("1", None)])
def test_glucose_is_read_from_the_acquisition_context(pet, unit, value):
    item, name, code = Dataset(), Dataset(), Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = "14749-6", "LN", "Glucose [Moles/volume] in blood"
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
    item.ConceptNameCodeSequence, item.MeasurementUnitsCodeSequence = [name], [code]
    item.NumericValue = f"{value or 5.5:.6g}"
    found = facts_of(changed(pet, AcquisitionContextSequence=[item]), GRID).glucose_mmol_l
    assert found == (None if value is None else pytest.approx(5.5, abs=1e-3))


def test_values_that_cannot_be_read_are_not_known(pet):
    for header in pet:
        header.add_new("PatientWeight", "LO", "seventy")
        header.add_new("PatientSize", "LO", "1,75")
        header.add_new("NumberOfIterations", "LO", "many")
    found = facts_of(changed(pet, PatientSex="?", SliceThickness=None), GRID)
    assert (found.weight_kg, found.height_m, found.slice_mm, found.sex) == (None, None, None, "")


def test_codes_of_the_radiopharmaceutical_are_understood_old_and_new(pet):
    for value, scheme, name in (
        ("118961", "NCIt", ""),
        ("C118961", "NCIt", "PSMA-11"),
        ("C-B1031", "SRT", "FDG"),
        ("35321007", "SCT", "FDG"),
        ("126758", "DCM", "PSMA-1007"),
    ):
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, "some words"
        for header in pet:
            item = header.RadiopharmaceuticalInformationSequence[0]
            item.Radiopharmaceutical, item.RadiopharmaceuticalCodeSequence = "", [code]
        assert facts_of(pet, GRID).tracer == name


def test_no_canary_of_a_header_reaches_the_facts(pet):
    words = set()
    for header in pet:
        words |= poison(header)
    written = " ".join(facts_of(pet, GRID).cells().values()).lower()
    assert [word for word in words if word.lower() in written] == []
    assert "siemens" in written
    assert "unlisted-" in written


@pytest.mark.parametrize(
    ("maker", "model", "name"),
    [
        ("SIEMENS", "Biograph64_mCT", "Siemens Biograph64 mCT"),
        ("SIEMENS", "Biograph128_Vision 600 Edge-2R", "Siemens Biograph128 Vision 600 Edge-2R"),
        ("CPS", "1080", "Siemens 1080"),
        ("CTI", "ECAT HR+", "Siemens ECAT HR+"),
        ("SIEMENS NM", "Encore2", "Siemens Encore2"),
        ("GE MEDICAL SYSTEMS", "Discovery STE", "GE Discovery STE"),
        ("GE MEDICAL SYSTEMS", "Tandem_Discovery_670_ES", "GE Tandem Discovery 670 ES"),
        ("Philips Medical Systems", "Guardian Body(C)", "Philips Guardian Body(C)"),
        ("Philips", "Vereos PET/CT", "Philips Vereos PET/CT"),
        ("UIH", "uMI 780", "United Imaging uMI 780"),
        ("", "", ""),
    ],
)
def test_scanners_are_spelled_in_one_way(maker, model, name):
    assert scanner(maker, model) == name


def test_unlisted_scanners_stay_apart_and_untold():
    first, second = scanner("Acme", "Jane Doe"), scanner("Acme", "John Doe")
    assert first != second
    assert first == scanner("Acme", "Jane  Doe")
    assert "Doe" not in first
    assert "Acme" not in first
    assert "19620304" not in scanner("Siemens", "19620304")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("PSF+TOF 3i21s", "OSEM TOF PSF 3i21s"),
        ("TrueX 3i24s", "OSEM PSF 3i24s"),
        ("OSEM2D 4i8s", "OSEM 4i8s"),
        ("VPFX", "OSEM TOF"),
        ("VPFXS", "OSEM TOF PSF"),
        ("VPHD", "OSEM"),
        ("QCFX", "BSREM TOF PSF"),
        ("BLOB-OS-TF", "OSEM TOF"),
        ("3D-RAMLA", "RAMLA"),
        ("3D IR", "OSEM"),
    ],
)
def test_reconstructions_are_spelled_in_one_way(text, name):
    assert reconstruction(text, None, None) == name


def test_iterations_of_their_own_elements_are_added():
    assert reconstruction("OSEM", 4, 16) == "OSEM 4i16s"
    assert reconstruction("John Smith", None, None).startswith("unlisted-")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("XYZ Gauss5.00", "gauss 5 mm"),
        ("Gaussian 4.1 mm", "gauss 4.1 mm"),
        ("Br38d\\3", "Br38d 3"),
        ("STANDARD", "STANDARD"),
        ("FC18", "FC18"),
        ("", ""),
    ],
)
def test_kernels_are_codes(text, name):
    assert kernel(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("FDG -- fluorodeoxyglucose", "FDG"),
        ("18F-PSMA-1007", "PSMA-1007"),
        ("68Ga-PSMA-11", "PSMA-11"),
        ("Piflufolastat F^18^", "DCFPyL"),
        ("Ga-68 DOTATATE", "DOTATATE"),
        ("Fluorethyltyrosin F^18^", "FET"),
        ("Fluoro-L-dopa F^18^", "FDOPA"),
        ("Thymidine F^18^", "FLT"),
        ("Sodium fluoride F^18^", "NaF"),
        ("Ioflupane I^123^", "FP-CIT"),
        ("Iodine^123 3-Iodobenzylguanidine MIBG", "MIBG"),
        ("Technetium Tc^99m^ medronate", "MDP"),
        ("HMDP", "HDP"),
        ("Technetium Tc^99m^ sestamibi", "sestamibi"),
        ("Technetium Tc^99m^ aggregated albumin", "MAA"),
        ("177Lu-PSMA I&T", "PSMA-I&T"),
        ("Solution", ""),
        ("Jane Doe", ""),
    ],
)
def test_radiopharmaceuticals_are_told_from_their_names(text, name):
    assert tracer([text]) == name


def test_the_words_of_headers_and_of_parameters_are_the_same():
    assert {name for name, _ in TRACERS} == set(get_args(Tracer))


def test_the_real_ge_series_of_sts_001(shared, tmp_path):
    with zipfile.ZipFile(shared / "nm_data" / "sts_001_pet_bqml" / "STS_001_FDG_PET.zip") as archive:
        names = [n for n in sorted(archive.namelist()) if not n.endswith("/")]
        files = [VolumeFile(tmp_path / n, n, archive.read(n)) for n in names]
    headers = [h for h in map(parse, files) if h.Modality == "PT"]
    assert len(headers) == 267
    found = facts_of(headers, Grid((267, 128, 128), (3.27, 5.46875, 5.46875)))
    assert (found.scanner, found.nuclide, found.tracer, found.sex) == ("GE Discovery ST", "F-18", "FDG", "M")
    assert (found.dose_mbq, found.weight_kg, found.height_m) == (388.777472, 71.0, 1.63)
    assert found.uptake_time_min == pytest.approx(2711 / 60)
    assert {"ATTN", "SCAT", "DECY"} <= set(found.corrections)
    assert found.voxel_mm == (5.46875, 5.46875, 3.27)
