"""From DICOM folders to the tables: conventions, conversions, masks, references, delineation, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from radiomics_pipeline.batch.extract import Extraction, extract_study
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.params_file import parse_params
from radiomics_pipeline.types import Grid
from tests.dicom import SUV_FACTOR, volume_files, write_series
from tests.images import write
from tests.rtstruct_files import Roi, rectangle, rtstruct

GRID = Grid((8, 16, 16), (3.0, 4.0, 4.0), (-20.0, -30.0, 100.0))
PET = """
  PET:
    unit: SUV
    families: [intensity]
    discretise: {method: fixed-bin-size, width: 0.25, origin: 0}
"""
CT = """
  CT:
    unit: HU
    families: [intensity]
    discretise: {method: fixed-bin-size, width: 25, origin: -1000}
"""


def activity() -> np.ndarray:
    """Background of SUV 1, a ball of SUV 8 and a smaller one of SUV 5, in Bq/ml."""
    z, y, x = np.indices(GRID.shape)
    suv = np.ones(GRID.shape)
    suv[(z - 3) ** 2 + (y - 5) ** 2 + (x - 5) ** 2 <= 6] = 8
    suv[(z - 5) ** 2 + (y - 11) ** 2 + (x - 11) ** 2 <= 2] = 5
    return suv / SUV_FACTOR


def write_pet(case: Path, **options) -> Path:
    write_series(case / "PET", activity(), **options)
    return case


def draw(case: Path, name: str = "masks/rs.dcm", series: str = "PET", **rois: tuple[int, int, int, int, int]) -> None:
    """A structure set of rectangles (slice, top, left, bottom, right) that refers to a series of the case."""
    image = read_series(volume_files(case / series), series)
    drawn = [
        Roi(name, [rectangle(image.grid, z, top - 0.5, left - 0.5, bottom + 0.5, right + 0.5)])
        for name, (z, top, left, bottom, right) in (rois or {"lesion": (3, 4, 4, 6, 6)}).items()
    ]
    path = case / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rtstruct(drawn, image).data)


def run(study: Path, out: Path, text: str = PET) -> Extraction:
    return extract_study(study, parse_params(f"series:{text}".encode(), "my.yaml"), out, jobs=1)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def only_failure(found: Extraction) -> tuple[str, str]:
    assert len(found.failures) == 1, found.failures
    return found.failures[0].error, found.failures[0].message


def test_a_folder_of_dicom_and_a_structure_set_give_a_row_in_suv(tmp_path):
    draw(write_pet(tmp_path / "s/P1"))
    found = run(tmp_path / "s", tmp_path / "o")
    assert found.failures == ()
    (row,) = table(tmp_path / "o/features.csv")
    assert float(row["PET_original_intensity_Mean"]) == pytest.approx(8, rel=1e-4)
    (suv,) = table(tmp_path / "o/suv.csv")
    assert (suv["case"], suv["series"], suv["unit"], suv["units"]) == ("P1", "PET", "SUV", "BQML")
    assert float(suv["factor_max"]) == pytest.approx(SUV_FACTOR, rel=1e-9)
    (log,) = table(tmp_path / "o/case_log.csv")
    assert (log["modality"], log["nuclide"], log["uptake_time_min"], log["weight_kg"]) == ("PT", "F-18", "60", "70")


def test_the_table_of_cases_names_folders_structures_and_rois(tmp_path):
    study = tmp_path / "s"
    draw(write_pet(study / "export"), name="rs.dcm", tumour=(3, 4, 4, 6, 6), node=(5, 11, 11, 11, 11))
    (study / "cases.csv").write_text(
        "case,PET_image,PET_mask,PET_roi\nA,export/PET,export/rs.dcm,NODE\nB,export/PET,export/rs.dcm,tum.*\n"
        "C,export/PET,export/rs.dcm,liver\n"
    )
    found = run(study, tmp_path / "o")
    error, message = only_failure(found)
    assert (error, "there are: 1 (tumour), 2 (node)" in message) == ("MissingRoi", True)
    a, b = table(tmp_path / "o/features.csv")
    assert float(a["PET_original_intensity_Mean"]) == pytest.approx(5, rel=1e-4)
    assert float(b["PET_original_intensity_Mean"]) == pytest.approx(8, rel=1e-4)


def test_all_rois_are_rows_of_their_names(tmp_path):
    draw(write_pet(tmp_path / "s/P1"), tumour=(3, 4, 4, 6, 6), node=(5, 11, 11, 11, 11))
    run(tmp_path / "s", tmp_path / "o", f"{PET}    roi: all\n")
    assert [row["roi"] for row in table(tmp_path / "o/features.csv")] == ["tumour", "node"]


def test_dicom_and_nifti_may_be_mixed(tmp_path):
    case = write_pet(tmp_path / "s/P1")
    labels = np.zeros(GRID.shape, np.uint8)
    labels[3, 4:7, 4:7] = 1
    write(case / "PET_mask.nii.gz", labels, GRID.spacing_mm[::-1], GRID.origin_mm)
    write(case / "CT_image.nii.gz", np.full(GRID.shape, 40, np.int16), GRID.spacing_mm[::-1], GRID.origin_mm)
    write(case / "CT_mask.nii.gz", labels, GRID.spacing_mm[::-1], GRID.origin_mm)
    found = run(tmp_path / "s", tmp_path / "o", PET + CT)
    assert found.failures == ()
    (row,) = table(tmp_path / "o/features.csv")
    assert float(row["PET_original_intensity_Mean"]) == pytest.approx(8, rel=1e-4)
    assert float(row["CT_original_intensity_Mean"]) == 40


def test_a_mask_whose_axes_run_otherwise_is_the_same_mask(tmp_path):
    import SimpleITK as sitk

    case = write_pet(tmp_path / "s/P1")
    labels = np.zeros(GRID.shape, np.uint8)
    labels[3, 4:7, 4:7] = 1
    path = write(case / "PET_mask.nii.gz", labels, GRID.spacing_mm[::-1], GRID.origin_mm)
    sitk.WriteImage(sitk.DICOMOrient(sitk.ReadImage(str(path)), "SRA"), str(path))
    run(tmp_path / "s", tmp_path / "o")
    (row,) = table(tmp_path / "o/features.csv")
    assert float(row["PET_original_intensity_Mean"]) == pytest.approx(8, rel=1e-4)


def test_a_ct_mask_is_brought_to_pet_where_the_parameters_say_so(tmp_path):
    case = write_pet(tmp_path / "s/P1")
    write_series(case / "CT", np.full((12, 32, 32), 40.0), modality="CT", spacing_mm=(2.0, 2.0, 2.0),
                 origin_mm=(-21.0, -31.0, 99.5))  # fmt: skip
    draw(case, series="CT", lesion=(5, 9, 9, 12, 12))
    found = run(tmp_path / "s", tmp_path / "o", PET + CT)
    assert "refer to other images" in only_failure(found)[1]
    found = run(tmp_path / "s", tmp_path / "o", f"{PET}    mask_from: {{series: CT, threshold: 0.3}}\n{CT}")
    assert found.failures == ()
    pet = next(line for line in table(tmp_path / "o/case_log.csv") if line["series"] == "PET")
    assert "mask of CT (overlap)" in pet["warnings"]


def test_a_series_that_a_case_lacks_leaves_its_columns_empty_unless_required(tmp_path):
    draw(write_pet(tmp_path / "s/P1"))
    case = tmp_path / "s/P2"
    draw(write_pet(case))
    write_series(case / "CT", np.full(GRID.shape, 40.0), modality="CT", spacing_mm=GRID.spacing_mm)
    draw(case, name="masks/ct.dcm", series="CT")
    found = run(tmp_path / "s", tmp_path / "o", PET + CT)
    assert found.failures == ()
    first, second = table(tmp_path / "o/features.csv")
    assert (first["CT_original_intensity_Mean"], second["CT_original_intensity_Mean"]) == ("", "40.0")
    assert "the case has no CT" in (tmp_path / "o/case_log.csv").read_text("utf-8")
    found = run(tmp_path / "s", tmp_path / "o2", f"{PET}{CT}    required: true\n")
    assert only_failure(found) == ("MissingFile", "the case has no CT, which the parameters require; add its files")


@pytest.mark.parametrize(
    ("wrong", "error", "part"),
    [
        ({"tags": {"PatientWeight": None}}, "MissingMetadata", "weight"),
        ({"tags": {"Units": "PROPCNTS"}}, "SuvError", "PROPCNTS"),
        ({"tags": {"CorrectedImage": ["NORM"]}}, "SuvError", "ATTN"),
        ({"tags": {"Modality": "CT"}}, "WrongModality", "unit is SUV"),
        ({"slice_tags": lambda z: {"SeriesInstanceUID": f"1.2.3.{z % 2}"}}, "MixedSeries", "2 series"),
        ({"slice_tags": lambda z: {"PatientID": f"Q{z % 2}"}}, "MixedSeries", ""),
        ({"slice_tags": lambda z: {"ImagePositionPatient": [0, 0, 3.0 * z + 9 * (z > 4)]}}, "MissingSlices", ""),
        ({"slice_tags": lambda z: {"ImagePositionPatient": [0, 0, 3.0 * min(z, 6)]}}, "DoubledSlices", ""),
        ({"slice_tags": lambda z: {"ImagePositionPatient": [0, 0.5 * z, 3.0 * z]}}, "TiltedGantry", ""),
    ],
)
def test_a_series_that_is_not_right_costs_its_case_alone(tmp_path, wrong, error, part):
    draw(write_pet(tmp_path / "s/P1"))
    (tmp_path / "s/P2/masks").mkdir(parents=True)
    write_pet(tmp_path / "s/P2", **wrong)
    (tmp_path / "s/P2/masks/rs.dcm").write_bytes((tmp_path / "s/P1/masks/rs.dcm").read_bytes())
    found = run(tmp_path / "s", tmp_path / "o")
    kind, message = only_failure(found)
    assert (kind, part in message) == (error, True), message
    assert [row["case"] for row in table(tmp_path / "o/features.csv")] == ["P1"]


def test_weight_and_dose_may_come_from_the_table_of_cases(tmp_path):
    study = tmp_path / "s"
    draw(write_pet(study / "P1", tags={"PatientWeight": None}), name="PET/rs.dcm")
    (study / "cases.csv").write_text("case;PET_image;weight_kg;PET_dose_mbq\nA;P1/PET;35,0;370\nB;P1/PET;heavy;370\n")
    found = run(study, tmp_path / "o")
    assert only_failure(found) == (
        "MissingFile",
        "PET: cases.csv, row 2: weight_kg is 'heavy'; it must be a number from 1 to 650",
    )
    (row,) = table(tmp_path / "o/features.csv")
    assert float(row["PET_original_intensity_Mean"]) == pytest.approx(4, rel=1e-4)
    assert "table" in table(tmp_path / "o/suv.csv")[0]["rule_weight"]


def test_two_structure_sets_of_one_series_are_not_chosen_between(tmp_path):
    draw(write_pet(tmp_path / "s/P1"))
    draw(tmp_path / "s/P1", name="masks/second.dcm")
    assert "2 structure sets or segmentations refer to it" in only_failure(run(tmp_path / "s", tmp_path / "o"))[1]


def test_without_a_mask_it_is_said_what_lacks(tmp_path):
    write_pet(tmp_path / "s/P1")
    error, message = only_failure(run(tmp_path / "s", tmp_path / "o"))
    assert (error, "no RTSTRUCT or SEG that refers to its PET images" in message) == ("MissingFile", True)


def test_ratios_are_to_reference_regions_of_the_mask_or_of_a_file_beside(tmp_path):
    case = write_pet(tmp_path / "s/P1")
    draw(case, lesion=(3, 4, 4, 6, 6), blood=(6, 1, 1, 3, 3))
    text = f"{PET}    roi: lesion\n    uptake: {{}}\n    references: {{blood: {{file: mask, roi: blood}}}}\n"
    run(tmp_path / "s", tmp_path / "o", text)
    (row,) = table(tmp_path / "o/features.csv")
    assert float(row["PET_original_uptake_TbrBloodMax"]) == pytest.approx(8, rel=1e-3)
    reference = np.zeros(GRID.shape, np.uint8)
    reference[6, 1:4, 1:4] = 3
    write(case / "PET_references.nii.gz", reference, GRID.spacing_mm[::-1], GRID.origin_mm)
    beside = text.replace("{file: mask, roi: blood}", "{label: 3}")
    run(tmp_path / "s", tmp_path / "o2", beside)
    assert table(tmp_path / "o2/features.csv") == [row]
    assert (
        "no file <SERIES>_references"
        in only_failure(run(_without(tmp_path / "s", case / "PET_references.nii.gz"), tmp_path / "o3", beside))[1]
    )


def _without(study: Path, path: Path) -> Path:
    path.unlink()
    return study


def test_lesions_of_a_patient_become_a_row_of_patients(tmp_path):
    draw(write_pet(tmp_path / "s/P1"), tumour=(3, 4, 4, 6, 6), node=(5, 11, 11, 11, 11))
    text = f"{PET}    roi: all\n    uptake: {{}}\naggregate: {{features: [uptake_Mean]}}\n"
    run(tmp_path / "s", tmp_path / "o", text)
    (row,) = table(tmp_path / "o/patients.csv")
    voxel_ml = GRID.voxel_volume_mm3 / 1000
    assert (row["case"], row["PET_original_patient_LesionCount"]) == ("P1", "2.0")
    assert float(row["PET_original_patient_Tmtv"]) == pytest.approx(10 * voxel_ml)
    assert float(row["PET_original_patient_Dmax"]) == pytest.approx(np.hypot(np.hypot(6, 24), 24))
    assert float(row["PET_original_uptake_Mean_volume-weighted-mean"]) == pytest.approx(7.7, rel=1e-4)
    area = 0.007184 * 175**0.725 * 70**0.425
    assert float(row["PET_original_patient_SDmax"]) == pytest.approx(np.hypot(np.hypot(6, 24), 24) / 1000 / area)
    tables = {line["column"]: line["table"] for line in table(tmp_path / "o/dictionary.csv")}
    assert tables["PET_original_patient_Tmtv"] == "patients"


def test_gates_give_volumes_and_ejection_fraction(tmp_path):
    import SimpleITK as sitk

    case = write_pet(tmp_path / "s/P1")
    draw(case)
    gates = np.zeros((2, *GRID.shape), np.uint8)
    gates[0, 2:6, 2:12, 2:12] = 1
    gates[1, 2:6, 2:12, 2:7] = 1
    image = sitk.JoinSeries([sitk.GetImageFromArray(gate) for gate in gates])
    image.SetSpacing((4.0, 4.0, 3.0, 1.0))
    sitk.WriteImage(image, str(case / "PET_gates.nii.gz"))
    run(tmp_path / "s", tmp_path / "o", f"{PET}    gated: true\n")
    (row,) = table(tmp_path / "o/features.csv")
    assert float(row["PET_original_gated_EjectionFraction"]) == pytest.approx(50)
    assert float(row["PET_original_gated_EndDiastolicVolume"]) == pytest.approx(400 * 48 / 1000)


def test_a_second_run_takes_its_records_and_writes_the_same_bytes(tmp_path):
    draw(write_pet(tmp_path / "s/P1"), tumour=(3, 4, 4, 6, 6), node=(5, 11, 11, 11, 11))
    text = f"{PET}    roi: all\n    uptake: {{}}\naggregate: {{}}\n"
    run(tmp_path / "s", tmp_path / "o", text)
    names = ("features.csv", "patients.csv", "patient_log.csv", "suv.csv", "dictionary.csv", "case_log.csv")
    before = [(tmp_path / "o" / name).read_bytes() for name in names]
    run(tmp_path / "s", tmp_path / "o", text)
    assert [(tmp_path / "o" / name).read_bytes() for name in names] == before


SEGMENT = "    segment: {method: fixed, threshold: 2.5, lesions: split}\n"


def test_lesions_are_sought_in_the_mask_of_another_series_too(tmp_path):
    case = write_pet(tmp_path / "s/P1")
    write_series(case / "CT", np.full(GRID.shape, 40.0), modality="CT", spacing_mm=GRID.spacing_mm)
    draw(case, series="CT", box=(3, 1, 1, 14, 14))
    text = f"{PET}{SEGMENT}    mask_from: {{series: CT}}\n{CT}"
    run(tmp_path / "s", tmp_path / "o", text)
    found = [float(row["PET_original_intensity_Mean"]) for row in table(tmp_path / "o/features.csv") if row["roi"]]
    assert found == pytest.approx([8], rel=1e-4)


def test_lesions_that_share_voxels_are_noted(tmp_path):
    draw(write_pet(tmp_path / "s/P1"), a=(3, 1, 1, 14, 14), b=(3, 2, 2, 13, 13))
    found = run(tmp_path / "s", tmp_path / "o", f"{PET}{SEGMENT}    roi: all\n    uptake: {{}}\naggregate: {{}}\n")
    assert "P1: b-1 shares voxels with a-1: they count in each" in found.notes
    assert "shares 21 voxels with region a-1" in (tmp_path / "o/case_log.csv").read_text("utf-8")


def test_one_lesion_in_two_cases_of_one_image_is_noted(tmp_path):
    study = tmp_path / "s"
    draw(write_pet(study / "P1"), name="rs.dcm")
    (study / "cases.csv").write_text("case,patient,PET_image,PET_mask\nA,P,P1/PET,P1/rs.dcm\nB,P,P1/PET,P1/rs.dcm\n")
    found = run(study, tmp_path / "o", f"{PET}    uptake: {{}}\naggregate: {{}}\n")
    assert any("lies where 1 of case A does" in note for note in found.notes), found.notes


def test_an_expression_that_fits_no_lesion_is_noted(tmp_path):
    draw(write_pet(tmp_path / "s/P1"))
    text = f"{PET}    roi: all\n    uptake: {{}}\naggregate: {{lesions: tumour, pairs: {{x: [left, right]}}}}\n"
    found = run(tmp_path / "s", tmp_path / "o", text)
    assert "aggregate.lesions: no region of the study is called 'tumour'; every count is 0" in found.notes
    assert "aggregate.pairs: no region of the study is called left" in found.notes


@pytest.mark.parametrize(
    ("column", "cell", "part"),
    [
        ("weight_kg", "inf", "from 1 to 650"),
        ("weight_kg", "70000", "from 1 to 650"),
        ("height_m", "175", "from 0.3 to 2.6"),
        ("PET_dose_mbq", "370000000", "from 0.1 to 50000"),
        ("glucose_mmol_l", "100", "from 0.5 to 40"),
        ("sex", "female", "one of M, F, O"),
        ("earl", "perhaps", "one of EARL1"),
        ("PET_injected", "2024-01-15", "write date and time"),
    ],
)
def test_facts_of_the_table_that_cannot_be_meant_are_refused(tmp_path, column, cell, part):
    study = tmp_path / "s"
    draw(write_pet(study / "P1"), name="rs.dcm")
    (study / "cases.csv").write_text(f"case,PET_image,PET_mask,{column}\nA,P1/PET,P1/rs.dcm,{cell}\n")
    assert part in only_failure(run(study, tmp_path / "o"))[1]


def test_a_series_that_announces_more_slices_is_warned_of(tmp_path):
    case = write_pet(tmp_path / "s/P1", tags={"NumberOfSlices": 8})
    draw(case)
    (case / "PET/0007.dcm").unlink()
    run(tmp_path / "s", tmp_path / "o")
    assert "7 of the 8 slices that the header announces" in table(tmp_path / "o/case_log.csv")[0]["warnings"]


def test_a_reference_that_its_file_does_not_hold_is_named(tmp_path):
    draw(write_pet(tmp_path / "s/P1"))
    text = f"{PET}    uptake: {{}}\n    references: {{liver: {{file: mask, label: 77}}}}\n"
    error, message = only_failure(run(tmp_path / "s", tmp_path / "o", text))
    assert (error, "no voxel has label 77 (reference liver)" in message) == ("MissingLabel", True)


def test_volumes_of_gates_without_gates_say_why_they_are_empty(tmp_path):
    draw(write_pet(tmp_path / "s/P1"))
    run(tmp_path / "s", tmp_path / "o", f"{PET}    gated: true\n")
    assert "the case has no masks of gates (PET_gates)" in table(tmp_path / "o/case_log.csv")[0]["undefined"]


def test_an_element_of_no_known_kind_costs_nothing_but_its_case(tmp_path):
    draw(write_pet(tmp_path / "s/P1"))
    draw(write_pet(tmp_path / "s/P2"))
    path = tmp_path / "s/P1/PET/0000.dcm"
    path.write_bytes(path.read_bytes().replace(b"\x10\x00\x20\x00LO", b"\x10\x00\x20\x00L\0"))
    found = run(tmp_path / "s", tmp_path / "o")
    assert not any("please report" in failure.message for failure in found.failures), found.failures
    assert "P2" in [row["case"] for row in table(tmp_path / "o/features.csv")]
