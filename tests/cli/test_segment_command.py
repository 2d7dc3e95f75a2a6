"""`radiomics-pipeline segment`: lesions of an image, and two masks compared."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from radiomics_pipeline.cli.segment import app
from radiomics_pipeline.errors import (
    EmptyRegion,
    GeometryMismatch,
    MissingFile,
    MissingLabel,
    ParamsError,
    SegmentationError,
)
from tests.dicom import write_series
from tests.images import write

PARAMS = """
series:
  PET:
    unit: SUV
    discretise: {method: fixed-bin-size, width: 0.5, origin: 0}
    references: {liver: {label: 2}}
    segment: {method: reference, region: liver, factor: 1.5, sd: 2, lesions: split, search: image}
  CT:
    unit: HU
    discretise: {method: fixed-bin-size, width: 25, origin: -1000}
"""


@pytest.fixture
def folder(tmp_path):
    """Lesions of 12 and of 1 voxels (10 mm, so 1 ml each), two areas around them, and a liver of 2."""
    image = np.ones((8, 9, 10), np.float32)
    image[2:4, 2:4, 2:5] = 6
    image[6, 6, 6] = 5
    areas = np.zeros(image.shape, np.uint8)
    areas[1:5, 1:5, 1:6] = 1
    areas[5:7, 5:8, 5:8] = 4
    liver = np.zeros(image.shape, np.uint8)
    liver[6, 1:3, 1] = 2
    image[liver == 2] = 2, 3
    for name, array in (("image", image), ("areas", areas), ("liver", liver)):
        write(tmp_path / f"{name}.nii.gz", array, spacing=(10, 10, 10), origin=(5, 6, 7))
    (tmp_path / "p.yaml").write_text(PARAMS)
    return tmp_path


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def labels(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_lesions_of_the_whole_image_are_listed_and_written(folder):
    out = folder / "made" / "m.nii.gz"
    result = call("find", folder / "image.nii.gz", "--method", "fixed", "--threshold", 4, "--out", out)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].split()[:3] == ["lesion", "area", "ml"]
    assert lines[1].split() == ["1", "12.000", "6", "6", "4"]
    assert lines[2].split() == ["2", "1.000", "5", "5", "4"]
    assert lines[3] == "in all 13.000 ml"
    image = labels(folder / "image.nii.gz")
    assert np.array_equal(labels(out), np.where(image == 6, 1, np.where(image == 5, 2, 0)))
    assert sitk.ReadImage(str(out)).GetOrigin() == pytest.approx((5, 6, 7))
    before = out.read_bytes()
    call("find", folder / "image.nii.gz", "--method", "fixed", "--threshold", 4, "--out", out)
    assert out.read_bytes() == before


def test_each_area_of_the_mask_is_searched_for_itself(folder):
    words = ["find", folder / "image.nii.gz", folder / "areas.nii.gz", "--method", "percent-of-maximum"]
    result = call(*words, "--percent", 50, "--out", folder / "m.nii")
    assert [line.split()[1] for line in result.output.splitlines()[1:3]] == ["1", "4"]
    assert [line.split()[5] for line in result.output.splitlines()[1:3]] == ["3", "2.5"]
    assert np.bincount(labels(folder / "m.nii").ravel())[1:].tolist() == [12, 1]
    alone = call(*words, "--percent", 50, "--label", 4)
    assert len(alone.output.splitlines()) == 3
    with pytest.raises(MissingLabel, match="no label 7; there are: 1, 4"):
        call(*words, "--percent", 50, "--label", 7)


def test_clicks_and_rules(folder):
    click = np.zeros((8, 9, 10), np.uint8)
    click[6, 6, 6] = 1
    write(folder / "click.nii.gz", click, spacing=(10, 10, 10), origin=(5, 6, 7))
    rules = ["--method", "fixed", "--threshold", 4, "--min-volume-ml", 3]
    assert "in all 12.000 ml" in call("find", folder / "image.nii.gz", *rules).output
    both = call("find", folder / "image.nii.gz", folder / "click.nii.gz", *rules, "--search", "image", "--one")
    assert "in all 13.000 ml" in both.output


def test_parameters_and_references(folder):
    words = ["find", folder / "image.nii.gz", "--params", folder / "p.yaml", "--references", folder / "liver.nii.gz"]
    result = call(*words)
    assert [line.split()[4] for line in result.output.splitlines()[1:3]] == ["4.75", "4.75"]
    again = call(*words, "--series", "PET", "--set", "factor=2.1", "--set", "sd=0")
    assert [line.split()[4] for line in again.output.splitlines()[1:2]] == ["5.25"]
    other = call(*words, "--method", "fixed", "--threshold", 5.5)
    assert "in all 12.000 ml" in other.output


def test_a_folder_of_dicom_is_measured_in_suv(tmp_path):
    array = np.full((5, 16, 16), 1000.0)
    array[2, 8, 8:10] = 30000
    write_series(tmp_path / "pet", array)
    result = call("find", tmp_path / "pet", "--method", "fixed", "--threshold", 4)
    assert result.exit_code == 0
    assert "maximum SUV" in result.output
    assert 5 < float(result.output.splitlines()[1].split()[2]) < 9


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "fixd"], "segment.method: 'fixd' is none, did you mean 'fixed'"),
        ([], "segment.method: missing; one of fixed, "),
        (["--method", "fixed"], "segment.threshold: missing"),
        (["--method", "fixed", "--threshold", "4", "--set", "wrong=1"], "segment.wrong: this method has no such"),
        (["--method", "fixed", "--threshold", "4", "--set", "wrong"], "write KEY=VALUE"),
        (["--method", "fixed", "--threshold", "4", "--set", "connectivity=[1"], "is no value"),
        (["--method", "fixed", "--threshold", "4", "--set", "connectivity=7"], "segment.connectivity: input should be"),
        (["--method", "fixed", "--threshold", "4", "--out", "m.nrrd"], "m.nrrd: masks are written as NIfTI"),
        (["--method", "fixed", "--threshold", "4", "--series", "PET"], "give --params, too"),
        (["--params", "P", "--series", "PT"], "no section 'PT'"),
        (["--params", "P", "--series", "CT"], "segment.method: missing"),
    ],
)
def test_what_cannot_be_asked_for(folder, words, message):
    words = [folder / "p.yaml" if word == "P" else word for word in words]
    with pytest.raises(ParamsError, match=message):
        call("find", folder / "image.nii.gz", *words)


def test_nothing_found_writes_nothing(folder):
    with pytest.raises(SegmentationError, match="no voxel found at or above 40 SUV"):
        call("find", folder / "image.nii.gz", "--method", "fixed", "--threshold", 40, "--out", folder / "m.nii")
    assert not (folder / "m.nii").exists()


def test_two_masks_are_compared_label_by_label(folder):
    other = labels(folder / "areas.nii.gz")
    other[other == 1] = 0
    other[1:5, 1:5, 2:7] = 1
    other[0, 0, 0] = 9
    write(folder / "other.nii.gz", other, spacing=(10, 10, 10), origin=(5, 6, 7))
    result = call("compare", folder / "areas.nii.gz", folder / "other.nii.gz", "--out", folder / "c.csv")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.output.splitlines()[1:4]] == [["1", "0.8"], ["4", "1"], ["9", "0"]]
    assert result.output.splitlines()[3].endswith("A is empty")
    rows = list(csv.DictReader((folder / "c.csv").read_text("utf-8").splitlines()))
    assert [row["label"] for row in rows] == ["1", "4", "9", "all"]
    assert [row["reason"] for row in rows] == ["", "", "A is empty", ""]
    together = (labels(folder / "areas.nii.gz") > 0, other > 0)
    expected = 2 * (together[0] & together[1]).sum() / (together[0].sum() + together[1].sum())
    assert float(rows[3]["dice"]) == pytest.approx(expected, rel=1e-12)
    assert float(rows[0]["dice"]) == pytest.approx(0.8)
    assert float(rows[0]["hausdorff_mm"]) == pytest.approx(10)
    assert float(rows[0]["tolerance_mm"]) == 2
    assert rows[2]["hausdorff_mm"] == ""
    alone = call("compare", folder / "areas.nii.gz", folder / "other.nii.gz", "--label", 4)
    assert [line.split()[:2] for line in alone.output.splitlines()[1:]] == [["4", "1"]]
    with pytest.raises(MissingLabel, match=r"neither areas.nii.gz nor other.nii.gz has label 2; they have: 1, 4, 9"):
        call("compare", folder / "areas.nii.gz", folder / "other.nii.gz", "--label", 2)


def test_two_masks_without_a_voxel_are_a_row_without_values(folder):
    write(folder / "none.nii.gz", np.zeros((8, 9, 10), np.uint8), spacing=(10, 10, 10), origin=(5, 6, 7))
    result = call("compare", folder / "none.nii.gz", folder / "none.nii.gz")
    assert result.output.splitlines()[1].split()[:3] == ["all", "-", "-"]
    assert result.output.splitlines()[1].endswith("A and B are empty")


def test_a_mask_whose_axes_run_otherwise_is_the_same_mask(folder):
    flipped = sitk.Flip(sitk.ReadImage(str(folder / "areas.nii.gz")), [True, False, True])
    turned = sitk.PermuteAxes(flipped, [2, 0, 1])
    sitk.WriteImage(turned, str(folder / "turned.nii.gz"))
    result = call("compare", folder / "areas.nii.gz", folder / "turned.nii.gz")
    assert [line.split()[1] for line in result.output.splitlines()[1:]] == ["1", "1", "1"]


def test_the_masks_of_two_folders_are_compared_by_name(folder):
    for reader in ("one", "two"):
        for name in ("case1", f"only_{reader}", "moved"):
            origin = (5, 6, 7) if (reader, name) != ("two", "moved") else (0, 0, 0)
            areas = labels(folder / "areas.nii.gz")
            write(folder / reader / f"{name}.nii.gz", areas, spacing=(10, 10, 10), origin=origin)
    (folder / "one" / "notes.txt").write_text("not a mask")
    result = call("compare", folder / "one", folder / "two", "--out", folder / "c.csv", "--label", 1)
    assert result.exit_code == 3
    assert result.output.splitlines()[1].split()[:3] == ["case1.nii.gz", "1", "1"]
    problems = [line for line in result.output.splitlines() if line.startswith("not compared: ")]
    assert problems[0] == "not compared: only_one.nii.gz: only in the first folder"
    assert problems[1] == "not compared: only_two.nii.gz: only in the second folder"
    assert problems[2].startswith("not compared: moved.nii.gz: its voxels lie up to")
    rows = list(csv.DictReader((folder / "c.csv").read_text("utf-8").splitlines()))
    assert [(row["file"], row["label"], row["dice"]) for row in rows] == [("case1.nii.gz", "1", "1.0")]
    with pytest.raises(ParamsError, match="one is a folder, the other a file"):
        call("compare", folder / "one", folder / "areas.nii.gz")
    (folder / "three").mkdir()
    with pytest.raises(MissingFile, match=r"the first has case1.nii.gz, .*, the second none"):
        call("compare", folder / "one", folder / "three")


def test_find_may_be_left_out(folder):
    words = [folder / "image.nii.gz", "--method", "fixed", "--threshold", 4]
    assert call(*words).output == call("find", *words).output
    options_first = ["--method", "fixed", "--threshold", 4, folder / "image.nii.gz"]
    assert call(*options_first).output == call("find", *words).output
    assert "compare" in call("--help").output
    assert call("--help").exit_code == 0


def test_the_list_is_written_as_a_table(folder):
    call(folder / "image.nii.gz", "--method", "fixed", "--threshold", 4, "--table", folder / "l.csv")
    rows = list(csv.DictReader((folder / "l.csv").read_text("utf-8").splitlines()))
    assert [(row["lesion"], float(row["volume_ml"]), row["threshold"], row["unit"]) for row in rows] == [
        ("1", 12, "4.0", "SUV"),
        ("2", 1, "4.0", "SUV"),
    ]
    assert [float(row["mean"]) for row in rows] == [6, 5]


def test_without_parameters_every_area_of_the_references_is_one(folder):
    words = [folder / "image.nii.gz", "--method", "reference", "--references", folder / "liver.nii.gz"]
    result = call(*words, "--set", "region='2'", "--set", "factor=2")
    assert [line.split()[4] for line in result.output.splitlines()[1:3]] == ["5", "5"]


def test_an_area_without_a_lesion_is_noted_and_passed_over(folder):
    words = [folder / "image.nii.gz", folder / "areas.nii.gz", "--method", "fixed"]
    result = call(*words, "--threshold", 5.5)
    assert "in all 12.000 ml" in result.output
    assert (
        "note: 4: no voxel found at or above 5.5 SUV; the highest intensity in the search volume is 5" in result.output
    )
    with pytest.raises(SegmentationError, match="no voxel found at or above 7 SUV"):
        call(*words, "--threshold", 7)
    write(folder / "none.nii.gz", np.zeros((8, 9, 10), np.uint8), spacing=(10, 10, 10), origin=(5, 6, 7))
    with pytest.raises(EmptyRegion, match="no voxel to search in"):
        call(folder / "image.nii.gz", folder / "none.nii.gz", "--method", "fixed", "--threshold", 4)


def test_masks_on_different_voxels_are_refused(folder):
    write(folder / "moved.nii.gz", labels(folder / "areas.nii.gz"), spacing=(10, 10, 10))
    with pytest.raises(GeometryMismatch, match=r"moved.nii.gz: its voxels lie up to"):
        call("compare", folder / "areas.nii.gz", folder / "moved.nii.gz")
