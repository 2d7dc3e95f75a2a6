"""The command polar-map."""

from __future__ import annotations

import csv

import pytest
import typer
from typer.testing import CliRunner

from radiomics_pipeline.cli.polar_map import polar_map
from radiomics_pipeline.errors import ParamsError, TableError
from tests.hearts import heart
from tests.images import write

PARAMS = """series:
  SPECT:
    unit: counts
    discretise: {method: fixed-bin-number, bins: 32}
    polar_map: {axis: {method: short-axis, base: +z, anterior: -y, lateral: +x}, role: stress}
"""
GIVEN = """series:
  SPECT:
    unit: counts
    discretise: {method: fixed-bin-number, bins: 32}
    polar_map:
      axis: {method: given, centre_mm: [54, 54, 42], apex_mm: [54, 54, 10], cylinder_mm: 44, radius_mm: 25,
             anterior: -y, lateral: +x}
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mpi")
    volume, wall = heart(lambda angle, height: 1 - 0.6 * ((angle > 240) & (angle < 300)), blur_mm=8)
    write(folder / "image.nii.gz", volume.array.astype("float32"), (4, 4, 4))
    write(folder / "mask.nii.gz", wall.morphology.astype("uint8"), (4, 4, 4))
    (folder / "spect.yaml").write_text(PARAMS)
    (folder / "given.yaml").write_text(GIVEN)
    (folder / "plain.yaml").write_text(PARAMS.split("    polar_map", maxsplit=1)[0])
    return folder


def call(*arguments):
    app = typer.Typer()
    app.command()(polar_map)
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_map_is_drawn_and_its_segments_are_written(case, tmp_path):
    result = call(
        case / "image.nii.gz", case / "mask.nii.gz", "--params", case / "spect.yaml", "--out", tmp_path / "map.png",
        "--csv", tmp_path / "segments.csv",
    )  # fmt: skip
    assert result.exit_code == 0
    assert result.output.startswith("SssRatio")
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    table = rows(tmp_path / "segments.csv")
    assert [row["segment"] for row in table] == [str(n) for n in range(1, 18)]
    low = {row["segment"] for row in table if float(row["ratio"]) < 0.7}
    assert {"4", "10"} <= low <= {"4", "10", "15"}
    assert {row["territory"] for row in table if row["segment"] in ("4", "10", "15")} == {"RCA"}


def test_a_given_ventricle_is_drawn_without_a_mask(case, tmp_path):
    result = call(case / "image.nii.gz", "--params", case / "given.yaml", "--out", tmp_path / "map.png")
    assert result.exit_code == 0
    assert (tmp_path / "map.png").exists()


def test_any_values_are_drawn(tmp_path):
    table = tmp_path / "contributions.csv"
    table.write_text("segment,value\n" + "".join(f"{n},{n / 10}\n" for n in range(1, 17)))
    result = call("--values", table, "--out", tmp_path / "map.png", "--centre", 0, "--unit", "log odds")
    assert result.output.startswith("16 of 17 segments have a value")
    assert (tmp_path / "map.png").exists()


def test_a_row_of_a_feature_table_is_drawn(tmp_path):
    columns = [f"stress_original_polarmap_Segment{n:02d}Ratio" for n in range(1, 18)]
    table = tmp_path / "features.csv"
    table.write_text(",".join(["case", *columns]) + "\nA," + ",".join(["0.9"] * 17) + "\n")
    pattern = "stress_original_polarmap_Segment##Ratio"
    result = call("--values", table, "--column", pattern, "--row", "A", "--out", tmp_path / "map.png")
    assert result.output.startswith("17 of 17")
    for arguments, message in (
        (("--column", pattern, "--row", "B"), "no row"),
        (("--column", "stress##", "--row", "A"), "no column"),
    ):
        with pytest.raises(TableError, match=message):
            call("--values", table, *arguments, "--out", tmp_path / "map.png")
    with pytest.raises(ParamsError, match="##"):
        call("--values", table, "--column", "x", "--row", "A", "--out", tmp_path / "map.png")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("segment,value\n18,1\n", "1 to 17"),
        ("segment,value\n1,1\n1,2\n", "two values"),
        ("segment,value\n1,high\n", "no number"),
        ("number,value\n1,1\n", "no column"),
    ],
)
def test_tables_that_hold_no_segments_are_refused(tmp_path, text, message):
    (tmp_path / "values.csv").write_text(text)
    with pytest.raises(TableError, match=message):
        call("--values", tmp_path / "values.csv", "--out", tmp_path / "map.png")


def test_unusable_requests_are_refused(case, tmp_path):
    image, mask, out = case / "image.nii.gz", case / "mask.nii.gz", tmp_path / "map.png"
    for arguments, message in (
        ((image, mask, "--out", out), "name the parameters"),
        (("--out", out), "give an image"),
        ((image, mask, "--params", case / "plain.yaml", "--out", out), "no series of the parameters has a polar_map"),
        ((image, mask, "--params", "mpi_spect", "--out", out), "name one with --series"),
        ((image, mask, "--params", case / "spect.yaml", "--series", "PET", "--out", out), "no polar map of 'PET'"),
        ((image, "--params", case / "spect.yaml", "--out", out), "give its mask"),
        ((image, mask, "--params", case / "spect.yaml", "--out", tmp_path / "map.jpg"), "PNG"),
    ):
        with pytest.raises(ParamsError, match=message):
            call(*arguments)
    assert not list(tmp_path.iterdir())
