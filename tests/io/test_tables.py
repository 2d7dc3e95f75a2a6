import csv
import gzip

import numpy as np
import pytest

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.tables import (
    read_features,
    write_features,
    write_predictions,
    write_records,
)
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.performance import PerformanceRow, PredictionRow
from radiomics_pipeline.types.ranking import RankingRow
from tests.selection.studies import table_of


def read(tmp_path, content, name="table.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_features(read_text_table(path), **options)


@pytest.mark.parametrize(
    "content",
    [
        "case,a,b\nx,1.5,2\ny,,-3e2\n",
        "\ufeffcase,a,b\r\nx,1.5,2\r\ny,NA,-3e2\r\n",
        "case;a;b\nx;1,5;2\ny;;-3e2\n",
        "case\ta\tb\nx\t1,5\t2\ny\tn/a\t-300\n",
        ' case , a ,"b"\n\n x , 1.5 ,"2"\n y , nan , -300 \n\n,,\n',
        "case,a,b,,\nx,1.5,2,,\ny,,-300,,\n",
        "case,a,b\nx,1.5,2\ny,,-300\n".encode("utf-16"),
        gzip.compress(b"case,a,b\nx,1.5,2\ny,,-300\n"),
    ],
    ids=["plain", "mark and CRLF", "semicolon", "tab", "blanks", "empty columns", "utf-16", "gzip"],
)
def test_tables_are_read_as_people_write_them(tmp_path, content):
    table = read(tmp_path, content).table
    assert (table.case, table.patient, table.columns) == (("x", "y"), ("x", "y"), ("a", "b"))
    np.testing.assert_array_equal(table.values, [[1.5, 2], [np.nan, -300]])


def test_a_written_table_reads_back_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).normal(size=(20, 7)) * 10.0 ** np.arange(-150, 135, 45)
    values[3, 2] = np.nan
    table = table_of(values)
    write_features(tmp_path / "features.csv", table)
    text = (tmp_path / "features.csv").read_bytes()
    assert text.startswith(b"case,patient,roi,label,f000,")
    assert b"\r" not in text
    back = read_features(read_text_table(tmp_path / "features.csv")).table
    np.testing.assert_array_equal(back.values, table.values)
    assert (back.case, back.patient, back.columns) == (table.case, table.patient, table.columns)


def test_columns_of_texts_are_ignored_and_listed_with_what_they_hold(tmp_path):
    found = read(tmp_path, ",case,a,scanner,b\n0,x,1,GE,2\n1,y,2,Siemens,>5\n")
    assert found.table.columns == ("a",)
    assert "3 columns hold texts" in found.notes[0]
    assert "scanner" in found.notes[0]
    assert "b (1 of 2 cells, such as '>5')" in found.notes[0]
    assert "(column 1 without a name)" in found.notes[0]


def test_infinite_values_are_missing_and_said(tmp_path):
    found = read(tmp_path, "case,a,b\nx,inf,1\ny,2,1\n")
    assert np.isnan(found.table.values[0, 0])
    assert "infinite" in found.notes[0]


def test_outcome_and_clinical_columns_are_no_features(tmp_path):
    found = read(tmp_path, "ID,Target,a,age\n1,0,3,50\n2,1,4,60\n", id_column="ID", not_features=("Target", "age"))
    assert found.table.columns == ("a",)
    assert found.table.case == ("1", "2")


def test_a_table_without_a_key_is_refused_with_its_columns(tmp_path):
    with pytest.raises(TableError, match=r"name it by --id. Columns: 'ID', 'a'"):
        read(tmp_path, "ID,a\n1,2\n")
    with pytest.raises(TableError, match="did you mean 'ID'"):
        read(tmp_path, "ID,a\n1,2\n", id_column="IDs")


def test_rows_that_share_an_id_are_regions_of_one_patient(tmp_path):
    found = read(tmp_path, "ID,a\np,1\nq,2\np,3\n", id_column="ID")
    assert found.table.patient == ("p", "q", "p")
    assert found.table.label == ("1", "1", "2")
    assert "1 keys occur in several rows" in found.notes[1]


def test_patient_column_is_used_beside_the_case(tmp_path):
    table = read(tmp_path, "case,patient_id,roi,label,a\nx1,x,PET,1,5\nx2,x,PET,1,6\n").table
    assert (table.case, table.patient, table.roi) == (("x1", "x2"), ("x", "x"), ("PET", "PET"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"case,a\n", "no rows"),
        (b"case,a,a\nx,1,2\n", "column named twice: 'a'"),
        (b"case,a,b\nx,1\n", "line 2: 2 cells, the header has 3"),
        (b"case,a\nx,1,2\n", "line 2: 3 cells, the header has 2"),
        (b"case,a\n,1\n", "row 1 has no case"),
        (b"case,a\nx,word\n", "no column of numbers"),
        (b"PK\x03\x04rest", "workbook"),
        (gzip.compress(b"case,a\nx,1\n" * 50)[:-20], "compressed data"),
        (b"case;a;b\nx;1,5;1\ny;2.5;1\n", "mixes decimal commas and decimal points"),
    ],
)
def test_tables_that_cannot_be_used_are_refused_by_name(tmp_path, content, message):
    with pytest.raises(TableError, match=message) as caught:
        read(tmp_path, content)
    assert str(tmp_path) not in str(caught.value)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(TableError, match=r"none.csv: cannot be read"):
        read_text_table(tmp_path / "none.csv")


def test_underscores_and_two_separators_make_no_number(tmp_path):
    found = read(tmp_path, "case;a;b;c\nx;1_000;1.234,5;1\n")
    assert found.table.columns == ("c",)


def test_records_have_their_headers_and_empty_cells_for_undefined(tmp_path):
    row = RankingRow(1, "a", 2, "b;c", 0.1 + 0.2, 0.5, float("nan"), 1.0, 0.05, 0.1)
    write_records(tmp_path / "r.csv", RankingRow, [row])
    lines = (tmp_path / "r.csv").read_text().splitlines()
    assert lines[0] == "rank,feature,cluster,members,selection_frequency,alone,alone_lower,alone_upper,p,q"
    assert lines[1] == "1,a,2,b;c,0.30000000000000004,0.5,,1.0,0.05,0.1"


def test_a_table_of_no_records_keeps_its_header_and_truths_are_words(tmp_path):
    write_records(tmp_path / "none.csv", PerformanceRow, [])
    assert (tmp_path / "none.csv").read_text() == "plan,metric,mean,lower,upper,n_folds,default\n"
    rows = [PerformanceRow(plan, "auc", 0.5, 0.4, 0.6, 1, plan == "a") for plan in "ab"]
    write_records(tmp_path / "two.csv", PerformanceRow, rows)
    assert [r["default"] for r in rows_of(tmp_path / "two.csv")] == ["true", "false"]
    assert [r["n_folds"] for r in rows_of(tmp_path / "two.csv")] == ["1", "1"]


WRITTEN = {
    "binary": (Outcome.binary([0, 1], "died"), {"died": "1", "prediction": "0.25"}),
    "continuous": (Outcome.continuous([1.5, 2], "size"), {"size": "2.0", "prediction": "0.25"}),
    "multiclass": (
        Outcome.multiclass(["a", "b", "c"], "type"),
        {"type": "b", "prediction": "0.25", "probability_a": "0.5", "probability_b": "0.375", "probability_c": "0.125"},
    ),
    "ordinal": (
        Outcome.ordinal(["low", "high"], ("low", "high"), "grade"),
        {"grade": "high", "prediction": "0.25", "probability_low": "0.5", "probability_high": "0.375"},
    ),
    "survival": (
        Outcome.survival([1.5, 2], [1, 0], ("t", "e")),
        {"t": "2.0", "e": "0", "prediction": "0.25", "survival": "0.75"},
    ),
    "competing": (
        Outcome.competing([1.5, 2, 3], [1, 2, 0], ("t", "e")),
        {"t": "2.0", "e": "2", "prediction": "0.25", "survival": "0.75"},
    ),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_predictions_have_the_outcome_and_what_a_plan_says_of_its_kind(tmp_path, kind):
    outcome, wanted = WRITTEN[kind]
    shares = (0.5, 0.375, 0.125)[: max(2, len(outcome.categories))]
    row = PredictionRow("x", "p", "PET", "1", "lasso", 1, 2, outcome.cells(1), 0.25, shares, 0.75, "north")
    bare = PredictionRow("y", "p", "", "", "lasso", 1, 2, outcome.cells(0), 0.5)
    write_predictions(tmp_path / "p.csv", outcome, [row, bare])
    keys = {"case": "x", "patient": "p", "roi": "PET", "label": "1"}
    place = {"plan": "lasso", "repeat": "1", "fold": "2", "fold_name": "north"}
    first, second = rows_of(tmp_path / "p.csv")
    assert list(first.items()) == list((keys | place | wanted).items())
    further = [c for c in second if c == "survival" or c.startswith("probability_")]
    assert [second[c] for c in further] == [""] * len(further)  # a plan without probabilities has empty cells
    assert None not in second


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("head", "id_column", "case", "patient"),
    [
        ("case,patient,lesion", "", "c", "p"),
        ("case,patient,lesion", "lesion", "c", "p"),
        ("case,other,lesion", "", "c", "c"),
        ("case,other,lesion", "lesion", "c", "l"),
        ("number,patient_id,lesion", "lesion", "l", "p"),
        ("number,patient,lesion", "", "p", "p"),
        ("number,other,lesion", "lesion", "l", "l"),
    ],
)
def test_rows_of_a_patient_are_kept_together_whatever_names_the_cases(tmp_path, head, id_column, case, patient):
    body = "".join(f"c{i},p{i // 2},l{i % 2},{i}\n" for i in range(4))
    found = read(tmp_path, f"{head},a\n{body}", id_column=id_column)
    assert {cell[0] for cell in found.table.case} == {case}
    assert {cell[0] for cell in found.table.patient} == {patient}
    grouped = len(set(found.table.patient)) < 4
    assert any("their rows stay in one fold" in note for note in found.notes) == grouped


def test_values_too_large_for_a_standard_deviation_are_missing_and_noted(tmp_path):
    found = read(tmp_path, "case,a\nx,1e300\ny,inf\nz,2\n")
    np.testing.assert_array_equal(found.table.values, [[np.nan], [np.nan], [2.0]])
    assert "beyond 1e+150, were taken as missing in a" in found.notes[0]
