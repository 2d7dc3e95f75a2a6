"""Tables beside the feature table: a match by key, never by position, and nothing guessed."""

import numpy as np
import pandas as pd
import pytest

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.further_tables import join_block, read_repeats, same_columns, stack
from radiomics_pipeline.io.tables import read_features

NAN = np.nan
TABLE = (
    "case,patient,roi,label,a,b,c\nc1,p1,PET,1,1,10,100\n"
    "c1,p1,PET,2,2,20,200\nc2,p1,PET,1,3,30,300\nc3,p2,PET,1,4,40,400\n"
)
HEAD = "case,patient,roi,label"


@pytest.fixture
def text(tmp_path):
    def made(content, name="further.csv"):
        (tmp_path / name).write_text(content)
        return read_text_table(tmp_path / name)

    return made


@pytest.fixture
def table(text):
    return read_features(text(TABLE, "features.csv")).table


def test_a_second_reader_is_matched_by_case_roi_and_label_in_any_order(table, text):
    rows = ["c3,p2,PET,1,B,4.5,40.5,400.5", "c1,p1,PET,2,B,2.5,20.5,200.5", "c1,p1,PET,1,B,1.5,10.5,100.5"]
    found = read_repeats(table, text(f"{HEAD},reader,a,b,c\n" + "\n".join(rows)))
    assert found.names == ("B",)
    np.testing.assert_array_equal(
        found.values[0], [[1.5, 10.5, 100.5], [2.5, 20.5, 200.5], [NAN, NAN, NAN], [4.5, 40.5, 400.5]]
    )
    assert found.notes[0] == "further.csv: 1 measurements again (B) of 3 rows"
    assert "at least 10 are advised" in found.notes[1]


def test_perturbations_give_what_pandas_pivots(table, text):
    rng = np.random.default_rng(0)
    keys = list(zip(table.case, table.patient, table.roi, table.label, strict=True))
    wanted = {(*key, name): rng.normal(size=3) for key in keys for name in ("rotate+5", "noise1", "grow-0.15")}
    order = rng.permutation(len(wanted))
    rows = [(*key, *map(repr, map(float, wanted[key]))) for key in wanted]
    lines = [",".join(rows[i]) for i in order]
    source = text(f"{HEAD},perturbation,c,a,b\n" + "\n".join(lines))
    found = read_repeats(table, source)
    frame = pd.DataFrame(wanted).T
    assert found.values.shape == (3, 4, 3)
    for r, name in enumerate(found.names):
        expected = frame.xs(name, level=4).loc[keys].to_numpy()[:, [1, 2, 0]]
        np.testing.assert_array_equal(found.values[r], expected)


@pytest.mark.parametrize("column", ["repeat", "perturbation", "reader", "session"])
def test_the_column_that_tells_measurements_apart_is_no_feature(table, text, column):
    found = read_repeats(table, text(f"{HEAD},{column},a,b,c\nc1,p1,PET,1,1,7,8,9\nc1,p1,PET,1,2,5,6,7\n"))
    assert found.names == ("1", "2")
    assert found.values[:, 0].tolist() == [[7, 8, 9], [5, 6, 7]]


def test_fewer_columns_are_gaps_and_noted_and_others_do_not_matter(table, text):
    found = read_repeats(table, text(f"{HEAD},reader,further,b\nc3,p2,PET,1,B,99,41\n"))
    np.testing.assert_array_equal(found.values[0, 3], [NAN, 41, NAN])
    assert "further.csv: 2 features have no value there: a, c" in found.notes


def test_a_feature_that_holds_texts_in_the_measurement_is_noted(table, text):
    found = read_repeats(table, text(f"{HEAD},reader,a,b,c\nc3,p2,PET,1,B,failed,41,401\nc2,p1,PET,1,B,3,31,301\n"))
    np.testing.assert_array_equal(found.values[0, 3], [NAN, 41, 401])
    assert "further.csv: 1 features have no value there: a" in found.notes


def test_rows_of_other_cases_are_noted(table, text):
    found = read_repeats(table, text(f"{HEAD},reader,a\nc3,p2,PET,1,B,5\nc9,p9,PET,1,B,6\nc3,p2,CT,1,B,7\n"))
    assert "further.csv: 2 rows are not in the feature table: c9, c3" in found.notes
    assert found.values[0, 3, 0] == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEAD},a\nc3,p2,PET,1,5\n", "no column that tells the measurements apart; name one of repeat, perturbation"),
        (f"{HEAD},reader,a\nc3,p2,PET,1,B,5\nc3,p2,PET,1,B,6\n", "c3 stand twice in the measurement reader B"),
        (f"{HEAD},reader,session,a\nc3,p2,PET,1,B,1,5\nc3,p2,PET,1,B,2,6\n", "c3 stand twice in the measurement"),
        (f"{HEAD},reader,a\nc8,p8,PET,1,B,5\n", "no row of it is in the feature table; here c8"),
        (f"{HEAD},reader,a\nc1,p1,CT,1,B,5\n", "no row of it is in the feature table"),
        (f"{HEAD},reader,z\nc3,p2,PET,1,B,5\n", "none of its columns is a feature of the table, such as a, b, c"),
        (f"{HEAD},reader,a\nc3,p2,PET,1,,5\nc2,p1,PET,1,B,5\n", "no reader in row 1; every row needs the name"),
    ],
)
def test_measurements_that_are_unclear_are_refused(table, text, content, message):
    with pytest.raises(TableError, match=message):
        read_repeats(table, text(content))


def test_a_row_twice_without_labels_is_refused_even_where_the_table_numbers_its_rows(text):
    table = read_features(text("case,a\nx,1\nx,2\ny,3\n", "features.csv")).table
    with pytest.raises(TableError, match="x stand twice in the measurement reader B; one row each"):
        read_repeats(table, text("case,reader,a\nx,B,2\nx,B,1\ny,B,3\n"))


def test_a_key_of_another_name_serves_repeats_and_blocks(text):
    table = read_features(text("ID,a\nx,1\ny,2\n", "features.csv"), id_column="ID").table
    assert read_repeats(table, text("ID,reader,a\ny,B,5\n"), "ID").values[0, 1, 0] == 5
    joined, _, _ = join_block(table, text("ID,g\ny,7\nx,8\n"), "genes", "ID")
    assert joined.values[:, 1].tolist() == [8, 7]


def test_a_block_by_patient_goes_to_all_rows_of_the_patient(table, text):
    joined, own, notes = join_block(table, text("patient_id,g,h\np2,7,8\np1,5,6\n"), "genes")
    assert own == ("g", "h")
    assert joined.columns == ("a", "b", "c", "g", "h")
    np.testing.assert_array_equal(joined.values[:, 3:], [[5, 6], [5, 6], [5, 6], [7, 8]])
    np.testing.assert_array_equal(joined.values[:, :3], table.values)
    assert (joined.case, joined.label) == (table.case, table.label)
    assert notes == ("block genes: 2 columns of further.csv",)


def test_a_block_by_case_goes_to_all_regions_of_the_case_and_lacking_rows_are_gaps(table, text):
    joined, _, notes = join_block(table, text("case,g\nc3,7\nc1,5\n"), "genes")
    np.testing.assert_array_equal(joined.values[:, 3], [5, 5, NAN, 7])
    assert "block genes: 1 rows have no match and gaps there: c2" in notes


def test_a_block_says_which_of_its_columns_and_values_were_left_out(table, text):
    _, own, notes = join_block(table, text("case,g,panel,h\nc3,7,v1,inf\nc1,5,v2,1\n"), "genes")
    assert own == ("g", "h")
    assert any("1 columns hold texts and are ignored: panel" in note for note in notes)
    assert any("infinite values" in note for note in notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("case,b,g\nc1,1,2\n", "b stand in the feature table, too; rename them"),
        ("case,g\nc1,1\nc1,2\n", "c1 stand there twice; one row each is needed"),
        ("patient,g\np1,1\np1,2\n", "p1 stand there twice"),
        ("case,g\nx1,1\nx2,2\n", "no row of it is in the feature table; here x1, x2, there c1, c1, c2"),
        ("name,g\nc1,1\n", "no column 'case', 'patient' or 'patient_id'"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(table, text, content, message):
    with pytest.raises(TableError, match=message):
        join_block(table, text(content), "genes")


def test_an_external_table_has_our_columns_in_our_order(table, text):
    theirs = read_features(text("case,z,c,a,b\nx,0,300,3,30\n")).table
    found = same_columns(theirs, table.columns, "other.csv")
    assert found.columns == table.columns
    assert found.values.tolist() == [[3, 30, 300]]
    with pytest.raises(TableError, match=r"other.csv: 1 features of the training table are absent: q"):
        same_columns(theirs, ("a", "q"), "other.csv")


def test_stacked_tables_have_the_rows_of_both(table, text):
    theirs = same_columns(read_features(text("case,c,a,b\nx,300,3,30\n")).table, table.columns, "other.csv")
    both = stack(table, theirs)
    np.testing.assert_array_equal(both.values, np.vstack([table.values, theirs.values]))
    assert both.case == (*table.case, "x")
    assert both.patient == (*table.patient, "x")
