"""A study to its tables: no case costs another, and the same bytes come out however it is run."""

from __future__ import annotations

import csv
import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from radiomics_pipeline.batch.case import CaseTask, run_case
from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.extract import check_study, extract_study, plan_study
from radiomics_pipeline.errors import ParamsError, StudyError
from radiomics_pipeline.io.delimited import write_text
from radiomics_pipeline.io.params_file import load_params, parse_params
from tests.images import edit_nifti, lesion, write, write_case

PARAMS = parse_params(
    b"""
series:
  PET:
    unit: SUV
    resegment: {range: [0, null]}
    discretise: {method: fixed-bin-size, width: 0.5, origin: 0}
  CT:
    unit: HU
    discretise: {method: fixed-bin-number, bins: 8}
    families: [intensity, histogram]
""",
    "test.yaml",
)
TIMES = ("seconds", "case_seconds_reading", "case_seconds")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables(out: Path) -> dict[str, object]:
    """All tables of a run, but for times."""
    found: dict[str, object] = {
        name: (out / name).read_bytes() for name in ("features.csv", "dictionary.csv", "failures.csv", "params.yaml")
    }
    found["case_log.csv"] = [{k: v for k, v in row.items() if k not in TIMES} for row in rows(out / "case_log.csv")]
    return found


def break_case(folder: Path, how: str) -> None:
    image, mask = folder / "PET_image.nii.gz", folder / "PET_mask.nii.gz"
    array, labels = lesion(1)
    if how == "truncated":
        image.write_bytes(image.read_bytes()[:-200])
    elif how == "changed byte":
        data = bytearray(image.read_bytes())
        data[len(data) // 2] ^= 0xFF
        image.write_bytes(bytes(data))
    elif how in ("nan", "inf"):
        array[3, 3, 3] = np.nan if how == "nan" else np.inf
        write(image, array)
    elif how == "4d":
        nib.Nifti1Image(np.stack([array.T] * 3, -1), np.diag([2.0, 2.0, 3.0, 1.0])).to_filename(image)
    elif how == "colour":
        colour = np.zeros(array.T.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
        nib.Nifti1Image(colour, np.eye(4)).to_filename(image)
    elif how == "zero spacing":
        edit_nifti(image, 84, struct.pack("<f", 0.0))
    elif how == "empty mask":
        write(mask, labels * 0)
    elif how == "other grid":
        write(mask, labels, origin=(0.5, 0, 0))
    elif how == "no mask":
        mask.unlink()
    elif how == "not an image":
        image.write_bytes(gzip.compress(b"hello" * 100))
    elif how == "bq/ml for suv":
        write(image, array * 1e4)


BAD = {
    "truncated": ("DamagedFile", "end too early"),
    "changed byte": ("DamagedFile", "damaged"),
    "nan": ("BadVoxels", "1 NaN"),
    "inf": ("BadVoxels", "1 infinite"),
    "4d": ("UnsupportedImage", "14 x 12 x 10 x 3"),
    "colour": ("UnsupportedImage", "colour"),
    "zero spacing": ("BadGeometry", "spacing along y is 0 mm"),
    "empty mask": ("EmptyRegion", "none of its 1680 voxels"),
    "other grid": ("GeometryMismatch", "0.25 of a voxel"),
    "no mask": ("MissingFile", "no such file"),
    "not an image": ("DamagedFile", "not a NIfTI file"),
    "bq/ml for suv": ("DiscretisationError", "grey levels"),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    study = tmp_path_factory.mktemp("good")
    for i in range(3):
        write_case(study / f"good{i}", seed=i)
    out = tmp_path_factory.mktemp("good_out")
    extraction = extract_study(study, PARAMS, out, jobs=1)
    assert not extraction.failures
    return study, out


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    study = tmp_path_factory.mktemp("mixed")
    for i in range(3):
        write_case(study / f"good{i}", seed=i)
    for number, how in enumerate(BAD):
        break_case(write_case(study / f"bad{number}", seed=1), how)
    out = tmp_path_factory.mktemp("mixed_out")
    return extract_study(study, PARAMS, out, jobs=2), out


def test_every_good_case_keeps_its_row_to_the_byte(good, mixed):
    expected = (good[1] / "features.csv").read_bytes()
    assert (mixed[1] / "features.csv").read_bytes() == expected
    assert expected.count(b"\n") == 4


def test_every_bad_case_has_its_line_with_file_and_cause(mixed):
    found = {row["case"]: row for row in rows(mixed[1] / "failures.csv")}
    assert len(found) == len(BAD)
    for number, (error, cause) in enumerate(BAD.values()):
        row = found[f"bad{number}"]
        assert row["error"] == error
        assert cause in row["message"]
        assert f"bad{number}/PET_" in row["message"] or error == "DiscretisationError"


def test_the_manifest_says_what_became_of_each_case(mixed):
    import json

    manifest = json.loads((mixed[1] / "run.json").read_text("utf-8"))
    assert [v for k, v in manifest["cases"].items() if k.startswith("good")] == ["ok"] * 3
    assert [v for k, v in manifest["cases"].items() if k.startswith("bad")] == ["failed"] * len(BAD)
    assert len(manifest["inputs"]["good0"]["PET_image: good0/PET_image.nii.gz"]) == 64


def test_one_job_two_jobs_a_second_run_and_a_resumed_run_give_the_same_bytes(good, tmp_path):
    study, out = good
    extract_study(study, PARAMS, tmp_path / "two", jobs=2)
    assert tables(tmp_path / "two") == tables(out)
    extract_study(study, PARAMS, tmp_path / "part", jobs=1, cases=["good1"])
    assert len(rows(tmp_path / "part" / "features.csv")) == 1
    extract_study(study, PARAMS, tmp_path / "part", jobs=2)
    assert tables(tmp_path / "part") == tables(out)


def test_a_resumed_run_computes_only_what_changed(good, tmp_path):
    copy = tmp_path / "study"
    for i in range(3):
        write_case(copy / f"good{i}", seed=i)
    out = tmp_path / "out"
    extract_study(copy, PARAMS, out, jobs=1)
    before = {p.name: p.stat().st_mtime_ns for p in (out / "records").iterdir()}
    write_case(copy / "good1", seed=7)
    extract_study(copy, PARAMS, out, jobs=1)
    after = {p.name: p.stat().st_mtime_ns for p in (out / "records").iterdir()}
    assert len(after) == 4
    assert all(after[name] == time for name, time in before.items())
    changed = [a != b for a, b in zip(rows(out / "features.csv"), rows(good[1] / "features.csv"), strict=True)]
    assert changed == [False, True, False]


def test_unnamed_images_measured_as_another_series_are_computed_again(tmp_path):
    write_case(tmp_path / "s/a", "")
    extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1, series="PET")
    extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1, series="CT")
    extract_study(tmp_path / "s", PARAMS, tmp_path / "fresh", jobs=1, series="CT")
    assert tables(tmp_path / "o") == tables(tmp_path / "fresh")


def test_a_changed_image_is_seen_where_image_and_mask_bear_one_name_outside_the_study(tmp_path):
    image, mask = lesion(0)
    write(tmp_path / "img/001.nii.gz", image)
    write(tmp_path / "lab/001.nii.gz", mask)
    (tmp_path / "Doe_John/s").mkdir(parents=True)
    (tmp_path / "Doe_John/s/cases.csv").write_text(
        f"case,patient,PET_image,PET_mask\nA,A,{tmp_path}/img/001.nii.gz,../../lab/001.nii.gz\n"
    )
    extract_study(tmp_path / "Doe_John/s", PARAMS, tmp_path / "o", jobs=1)
    manifest = (tmp_path / "o/run.json").read_text()
    assert "PET_image: 001.nii.gz" in manifest
    assert "PET_mask: 001.nii.gz" in manifest
    assert "Doe" not in manifest
    write(tmp_path / "img/001.nii.gz", image * 2)
    extract_study(tmp_path / "Doe_John/s", PARAMS, tmp_path / "o", jobs=1)
    extract_study(tmp_path / "Doe_John/s", PARAMS, tmp_path / "fresh", jobs=1)
    assert tables(tmp_path / "o") == tables(tmp_path / "fresh")


@pytest.mark.parametrize("path", ["C:\\Users\\Dr_Smith\\PET.nii.gz", "file:///home/Dr_Smith/PET.nii.gz"])
def test_folders_of_other_systems_are_written_nowhere(tmp_path, path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s/cases.csv").write_text(f"case,PET_image,PET_mask\nA,{path},m.nii.gz\n")
    extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    text = (tmp_path / "o/failures.csv").read_text()
    assert "PET.nii.gz: no such file" in text
    assert "Smith" not in text


def test_changed_voxels_in_a_file_of_their_own_are_seen(tmp_path):
    image, mask = lesion(0)
    header = write(tmp_path / "s/a/PET_image.mhd", image)
    write(tmp_path / "s/a/PET_mask.mha", mask)
    (voxels,) = header.parent.glob("*raw")
    voxels.rename(header.parent / "voxels.bin")
    header.write_bytes(header.read_bytes().replace(voxels.name.encode(), b"voxels.bin"))
    extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    stored = header.read_bytes()
    write(header, image * 2)
    voxels.rename(header.parent / "voxels.bin")
    header.write_bytes(stored.replace(b"CompressedDataSize", b"CompressedDataSize"))
    again = extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    fresh = extract_study(tmp_path / "s", PARAMS, tmp_path / "fresh", jobs=1)
    assert [r.failures for r in again.records] == [r.failures for r in fresh.records]
    assert tables(tmp_path / "o") == tables(tmp_path / "fresh")


def test_families_without_grey_levels_need_no_discretisation(tmp_path):
    write_case(tmp_path / "s/a")
    params = parse_params(
        b"series: {PET: {unit: SUV, families: [morphology, intensity], discretise: {method: none}}}", "x.yaml"
    )
    assert not extract_study(tmp_path / "s", params, tmp_path / "o", jobs=1).failures
    assert rows(tmp_path / "o/case_log.csv")[0]["levels"] == ""


def test_a_damaged_record_is_computed_again(good, tmp_path):
    study, out = good
    extract_study(study, PARAMS, tmp_path, jobs=1)
    for record in (tmp_path / "records").iterdir():
        record.write_text(record.read_text()[:-50])
    extract_study(study, PARAMS, tmp_path, jobs=1)
    assert tables(tmp_path) == tables(out)


def test_other_parameters_use_no_old_record(good, tmp_path):
    study, out = good
    extract_study(study, PARAMS, tmp_path, jobs=1)
    other = PARAMS.model_copy(
        update={"series": {k: v.model_copy(update={"aggregation": "3D:avg"}) for k, v in PARAMS.series.items()}}
    )
    extract_study(study, other, tmp_path, jobs=1)
    assert tables(tmp_path)["features.csv"] != tables(out)["features.csv"]


def test_labels_give_one_row_each_and_series_share_a_row(tmp_path):
    image, mask = lesion(3)
    two = np.where(mask.astype(bool), np.where(np.indices(mask.shape)[2] < 7, 1, 4), 0).astype(np.uint8)
    for series in ("PET", "CT"):
        write(tmp_path / f"s/i_{series}.nii.gz", image)
        write(tmp_path / f"s/m_{series}.nrrd", two)
    (tmp_path / "s/cases.csv").write_text(
        "case,patient,PET_image,PET_mask,PET_label,CT_image,CT_mask,CT_label\n"
        "A,P1,i_PET.nii.gz,m_PET.nrrd,all,i_CT.nii.gz,m_CT.nrrd,all\n"
        "B,P1,i_PET.nii.gz,m_PET.nrrd,1,i_CT.nii.gz,m_CT.nrrd,4\n"
        "C,P2,i_PET.nii.gz,m_PET.nrrd,2,i_CT.nii.gz,m_CT.nrrd,4\n"
        "D,P2,i_PET.nii.gz,m_PET.nrrd,,,,\n"
    )
    extraction = extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    found = rows(tmp_path / "o/features.csv")
    assert [(r["case"], r["patient"], r["roi"], r["label"]) for r in found] == [
        ("A", "P1", "1", "1"),
        ("A", "P1", "4", "4"),
        ("B", "P1", "", "1"),
        ("C", "P2", "", "4"),
    ]
    column = "CT_original_intensity_Mean"
    assert found[2][column] == found[1][column] != found[0][column]
    assert found[3]["PET_original_intensity_Mean"] == ""
    assert [(f.case, f.error) for f in extraction.failures] == [("C", "MissingLabel"), ("D", "BadMask")]


def test_a_case_without_any_series_of_the_parameters_is_a_failure(tmp_path):
    write_case(tmp_path / "s/a", "PET")
    write_case(tmp_path / "s/b", "MR")
    extraction = extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    assert [(f.case, f.error) for f in extraction.failures] == [("b", "MissingFile")]
    assert "has no PET, only MR" in extraction.failures[0].message
    assert check_study(tmp_path / "s", PARAMS, jobs=1).failures == extraction.failures


def named(label: str):
    return parse_params(
        f"series: {{PET: {{unit: SUV, label: {label}, families: [intensity],"
        " discretise: {method: fixed-bin-number, bins: 8}}}".encode(),
        "named.yaml",
    )


def test_a_named_label_that_a_case_lacks_costs_that_region_alone(tmp_path):
    write_case(tmp_path / "s/a", "PET")
    extraction = extract_study(tmp_path / "s", named("{tumour: 1, node: 2}"), tmp_path / "o", jobs=1)
    assert [(r["roi"], r["label"]) for r in rows(tmp_path / "o/features.csv")] == [("tumour", "1")]
    assert [f.error for f in extraction.failures] == ["MissingLabel"]
    assert "a/PET_mask.nii.gz: no voxel has label 2 (node); there are: 1" in extraction.failures[0].message


def test_series_whose_regions_could_not_share_rows_are_refused(tmp_path):
    write_case(tmp_path / "s/a", "PET")
    write_case(tmp_path / "s/a", "CT")
    series = dict(PARAMS.series)
    series["PET"] = series["PET"].model_copy(update={"label": "all"})
    mixed_kinds = PARAMS.model_copy(update={"series": series})
    with pytest.raises(ParamsError, match="PET asks for several regions, CT for one without a name"):
        extract_study(tmp_path / "s", mixed_kinds, tmp_path / "o", jobs=1)


def test_features_from_voxels_of_two_sizes_are_noted(tmp_path):
    write_case(tmp_path / "s/a", "PET")
    image, mask = lesion(1)
    write(tmp_path / "s/b/PET_image.nii.gz", image, (2.5, 2.5, 3))
    write(tmp_path / "s/b/PET_mask.nii.gz", mask, (2.5, 2.5, 3))
    extraction = extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    assert any("2 voxel sizes: 2 x 2 x 3 mm in 1 regions, 2.5 x 2.5 x 3 mm in 1" in n for n in extraction.notes)


def test_a_series_that_a_case_lacks_leaves_its_columns_empty_with_a_warning(tmp_path):
    write_case(tmp_path / "s/a", "PET")
    write_case(tmp_path / "s/a", "CT")
    write_case(tmp_path / "s/b", "PET")
    extraction = extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    assert not extraction.failures
    assert rows(tmp_path / "o/features.csv")[1]["CT_original_intensity_Mean"] == ""
    assert rows(tmp_path / "o/case_log.csv")[-1]["warnings"] == "the case has no CT; its columns are empty"


def test_series_and_parameters_that_do_not_meet_are_said(tmp_path):
    write_case(tmp_path / "s/a", "MR")
    with pytest.raises(StudyError, match="has the series MR, the parameters only PET, CT"):
        extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    write_case(tmp_path / "s/a", "PET")
    extraction = extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    assert "series MR: no section in the parameters (PET, CT); left out" in extraction.notes
    assert "series CT: in the parameters, but in no case" in extraction.notes


def test_unnamed_images_need_to_be_told_their_series_where_there_are_several(tmp_path):
    write_case(tmp_path / "s/a", "")
    with pytest.raises(StudyError, match="say which they are with --series"):
        extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1)
    with pytest.raises(ParamsError, match="the parameters have sections for PET, CT"):
        extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1, series="MR")
    extract_study(tmp_path / "s", PARAMS, tmp_path / "o", jobs=1, series="PET")
    assert "original_intensity_Mean" in rows(tmp_path / "o/features.csv")[0]


def test_a_check_finds_what_an_extraction_would_and_writes_nothing(mixed, tmp_path):
    extraction, _ = mixed
    found = check_study(extraction.study.root, PARAMS, jobs=2)
    assert found.failures == extraction.failures
    assert not list(tmp_path.iterdir())


def test_no_path_of_the_machine_reaches_a_table(mixed):
    extraction, out = mixed
    parent = str(extraction.study.root.parent)
    for path in out.rglob("*"):
        if path.is_file():
            assert parent not in path.read_text("utf-8"), path.name


def test_the_dictionary_has_a_row_for_every_feature_column(good):
    _, out = good
    columns = list(rows(out / "features.csv")[0])[4:]
    dictionary = rows(out / "dictionary.csv")
    assert [row["column"] for row in dictionary] == columns
    assert all(row["definition"] and row["unit"] and row["aggregation"] for row in dictionary)
    mean = next(row for row in dictionary if row["column"] == "PET_original_intensity_Mean")
    assert (mean["ibsi_code"], mean["unit"], mean["family"], mean["standard"]) == ("Q4LE", "SUV", "intensity", "ibsi")


def test_an_undefined_feature_is_an_empty_cell_with_its_reason(tmp_path):
    image, mask = lesion(0)
    write(tmp_path / "s/a/PET_image.nii.gz", np.where(mask, 3.0, image).astype(np.float32))
    write(tmp_path / "s/a/PET_mask.nii.gz", mask)
    extraction = extract_study(tmp_path / "s", load_params("fdg"), tmp_path / "o", jobs=1)
    assert not extraction.failures
    row, log = rows(tmp_path / "o/features.csv")[0], rows(tmp_path / "o/case_log.csv")[0]
    empty = [name for name, value in row.items() if value == "" and name not in ("roi",)]
    assert "PET_original_glcm_Correlation" in empty
    assert all(f"{name}: " in log["undefined"] for name in empty)
    assert "grey level only" in log["warnings"]


def short(more: str = "", families: str = "[intensity]"):
    levels = "{method: fixed-bin-number, bins: 8}"
    text = f"series: {{PET: {{unit: SUV, families: {families}, discretise: {levels}{more}}}}}"
    return parse_params(text.encode(), "short.yaml")


def test_a_huge_range_of_intensities_costs_its_case_and_not_the_process(tmp_path):
    image, mask = lesion(0)
    image = image.astype(np.float64)
    image[5, 6, 6:8] = -1.7e308, 1.7e308
    write(tmp_path / "s/a/PET_image.nii.gz", image)
    write(tmp_path / "s/a/PET_mask.nii.gz", mask)
    extraction = extract_study(tmp_path / "s", short(families="[glcm]"), tmp_path / "o", jobs=1)
    assert [(f.error, f.stage) for f in extraction.failures] == [("DiscretisationError", "discretise")]
    assert "exceeds the range of numbers" in extraction.failures[0].message


def test_diagnostics_change_no_feature_and_cost_no_case(tmp_path, monkeypatch):
    write_case(tmp_path / "s/a")
    resampled = ", resample: {voxel_mm: 1.3}, diagnostics: "
    plain = run_case(case_task(tmp_path / "s", short(f"{resampled}false", "all")))
    whole = run_case(case_task(tmp_path / "s", short(f"{resampled}true", "all")))
    monkeypatch.setattr("radiomics_pipeline.imaging.resample.MAX_VOXELS", 10_000)
    empty = run_case(case_task(tmp_path / "s", short(f"{resampled}true", "all")))
    assert plain.rows[0].values == whole.rows[0].values == empty.rows[0].values
    assert not plain.rows[0].diagnostics
    lacking = {k: v for k, v in empty.rows[0].diagnostics.items() if v != whole.rows[0].diagnostics[k]}
    assert lacking == {f"PET_diagnostics_{k}_int_interp_img": "" for k in ("mean", "min", "max")}
    assert whole.log[0].warnings == ()
    assert empty.log[0].warnings == (
        "diagnostics: no intensities of the whole image after interpolation, which would hold 22 x 19 x 24 voxels",
    )


def case_task(folder: Path, params, records: Path | None = None) -> CaseTask:
    study = find_study(folder)
    plans, _ = plan_study(study, params)
    return CaseTask(study.cases[0], study.root, plans, "", records)


def test_too_little_memory_is_said_with_what_to_do(tmp_path, monkeypatch):
    write_case(tmp_path / "s/a")

    def extract(*_):
        np.empty(2**62, np.uint8)

    monkeypatch.setattr("radiomics_pipeline.extraction.ibsi.resample", extract)
    (failure,) = run_case(case_task(tmp_path / "s", short())).failures
    assert (failure.error, failure.stage) == ("MemoryError", "resample")
    assert "not enough memory (Unable to allocate" in failure.message
    assert failure.message.endswith("use fewer --jobs or larger voxels")


def test_a_record_that_cannot_be_written_costs_no_row(tmp_path):
    write_case(tmp_path / "s/a")
    task = case_task(tmp_path / "s", short(), tmp_path / "records")
    expected = run_case(task)
    (path,) = (tmp_path / "records").iterdir()
    path.unlink()
    path.mkdir()
    for _ in range(2):
        found = run_case(task)
        assert (found.rows, found.failures) == (expected.rows, ())
        (warning,) = found.log[0].warnings
        assert warning == "its record could not be written (Is a directory); the next run computes the case again"
    assert list((tmp_path / "records").iterdir()) == [path]


@pytest.mark.parametrize("name", ["features.csv", "params.yaml", "run.json", "diagnostics.csv", "case_log.csv"])
def test_a_folder_where_a_table_is_to_be_written_is_found_before_anything_runs(tmp_path, name):
    write_case(tmp_path / "s/a")
    (tmp_path / "o" / name).mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match="a folder stands where a file is to be written; move it") as error:
        extract_study(tmp_path / "s", short(), tmp_path / "o", jobs=1)
    assert error.value.filename == str(tmp_path / "o" / name)
    assert [p.name for p in (tmp_path / "o").iterdir()] == [name]


def test_a_file_that_cannot_be_written_is_named_itself(tmp_path):
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(IsADirectoryError) as error:
        write_text(tmp_path / "table.csv", "x")
    assert error.value.filename == str(tmp_path / "table.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_series_that_chooses_nothing_is_noted_or_refused(tmp_path):
    write_case(tmp_path / "s/a")
    study = find_study(tmp_path / "s")
    assert plan_study(study, PARAMS)[1] == ["series CT: in the parameters, but in no case"]
    assert (
        plan_study(study, PARAMS, "CT")[1][0] == "--series CT: without effect, as all images have the name of a series"
    )
    with pytest.raises(ParamsError, match="--series MR: the parameters have sections for PET, CT"):
        plan_study(study, PARAMS, "MR")
    theirs = parse_params(b"setting: {binWidth: 1}", "theirs.yaml")
    assert plan_study(study, theirs)[1] == []
    (note,) = plan_study(study, theirs, "PET")[1]
    assert note == "--series PET: without effect, as the parameters are the same for all series"


def test_a_label_that_is_none_names_its_row(tmp_path):
    write_case(tmp_path / "s")
    (tmp_path / "s/cases.csv").write_text(
        "case,PET_image,PET_mask,PET_label\nA,PET_image.nii.gz,PET_mask.nii.gz,one\n", "utf-8"
    )
    (failure,) = extract_study(tmp_path / "s", short(), tmp_path / "o", jobs=1).failures
    assert failure.error == "BadMask"
    assert failure.message == "PET: cases.csv, row 1: label 'one' is neither a whole number from 1 nor 'all'"


def test_a_path_longer_than_any_file_system_takes_is_shortened(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s/cases.csv").write_text(f"case,PET_image,PET_mask\nA,{'x' * 5000}/i.nii,m.nii\n", "utf-8")
    (failure,) = extract_study(tmp_path / "s", short(), tmp_path / "o", jobs=1).failures
    assert "xxx/i.nii" in failure.message
    assert len(failure.message) < 400
