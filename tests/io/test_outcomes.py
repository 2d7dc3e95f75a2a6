import numpy as np
import pytest

from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.outcomes import OutcomeColumns, align_outcomes
from radiomics_pipeline.io.tables import read_features

FEATURES = "case,patient,roi,label,a\nc1,p1,,,1\nc2,p1,,,2\nc3,p2,,,3\nc4,p3,,,4\n"


@pytest.fixture
def join(tmp_path):
    def joined(outcomes, features=FEATURES, **columns):
        (tmp_path / "features.csv").write_text(features)
        (tmp_path / "outcomes.csv").write_text(outcomes)
        table = read_features(read_text_table(tmp_path / "features.csv")).table
        return align_outcomes(table, read_text_table(tmp_path / "outcomes.csv"), OutcomeColumns(**columns))

    return joined


def test_outcomes_are_matched_by_case_in_any_order(join):
    found = join("case,died\nc4,1\nc2,0\nc1,1\nc3,0\n", target="died")
    assert found.outcome.event.tolist() == [True, False, False, True]


def test_outcomes_by_patient_go_to_all_rows_of_the_patient(join):
    found = join("patient_id,died\np1,1\np2,0\np3,1\n", target="died")
    assert found.outcome.event.tolist() == [True, True, False, True]


def test_unmatched_blank_and_ignored_things_are_listed(join):
    found = join("case,died,date,death_time\nc1,1,2020,4\nc2,0,2020,5\nc3,,2020,6\nc9,1,2020,7\n", target="died")
    notes = "\n".join(found.notes)
    assert found.table.case == ("c1", "c2")
    assert "1 rows of the feature table have no outcome row and are left out: c4" in notes
    assert "1 rows of outcomes.csv are not in the feature table: c9" in notes
    assert "1 rows have no value of died and are left out: c3" in notes
    assert "2 other columns of outcomes.csv are ignored: date, death_time" in notes


def test_only_clinical_columns_named_enter_numbers_as_they_are_texts_as_categories(join):
    found = join(
        "case,died,age,sex,notes\nc1,1,61,m,x\nc2,0,,f,y\nc3,1,70,,z\nc4,0,55,f,w\n",
        target="died",
        clinical=("age", "sex"),
    )
    assert found.clinical.columns == ("age", "sex")
    assert found.clinical.categories == (None, ("f", "m"))
    np.testing.assert_array_equal(found.clinical.values, [[61, 1], [np.nan, 0], [70, np.nan], [55, 0]])


def test_a_text_with_too_many_values_is_no_clinical_category(join):
    with pytest.raises(TableError, match="4 different texts in 4 rows"):
        join("case,died,name\nc1,1,an\nc2,0,bo\nc3,1,cy\nc4,0,di\n", target="died", clinical=("name",))


def test_times_and_events_are_read_and_true_and_false_are_events(join):
    found = join("case;t;e\nc1;1,5;true\nc2;2;FALSE\nc3;3;1\nc4;4;0\n", time="t", event="e")
    assert found.outcome.time.tolist() == [1.5, 2, 3, 4]
    assert found.outcome.event.tolist() == [True, False, True, False]
    assert found.outcome.names == ("t", "e")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("yes no yes no", "holds 'no', 'yes'; write numbers.*in words are outcomes of --kind multiclass, or ordinal"),
        ("1 2 1 2", r"2 of 4 rows are neither 0 nor 1 \(2\)"),
        ("1 1 1 1", "all 4 rows are 1; two classes"),
        ("0 0 0 0", "all 4 rows are 0; two classes"),
        ("0.3 0.5 0 1", r"neither 0 nor 1 \(0.3, 0.5\)"),
        ("NA NA NA NA", "no row has a value"),
    ],
)
def test_binary_outcomes_that_cannot_be_used_are_refused_with_what_they_hold(join, cells, message):
    rows = "".join(f"c{i},{cell}\n" for i, cell in enumerate(cells.split(), 1))
    with pytest.raises(OutcomeError, match=message):
        join("case,died\n" + rows, target="died")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("c1,0,1\nc2,-2,0\nc3,5,1\n", r"2 of 3 are not positive numbers \(-2, 0\)"),
        ("c1,1,0\nc2,2,0\nc3,5,0\n", "none of 3 rows has the event"),
        ("c1,1,0\nc2,2,2\nc3,5,1\n", r"'e': 1 of 3 rows are neither 0 nor 1 \(2\)"),
        ("c1,1,0\nc2,2,dead\nc3,5,1\n", "'e' holds 'dead'"),
        ("c1,12 months,0\nc2,2,1\nc3,5,1\n", "'t' holds '12 months'"),
        ("c1,inf,0\nc2,2,1\nc3,5,1\n", "1 of 3 are not positive numbers"),
    ],
)
def test_times_that_cannot_be_used_are_refused_with_what_they_hold(join, rows, message):
    with pytest.raises(OutcomeError, match=message):
        join("case,t,e\n" + rows, time="t", event="e")


@pytest.mark.parametrize(
    ("outcomes", "columns", "message"),
    [
        ("case,died\nc1,1\nc1,0\n", {"target": "died"}, "case occurs twice: c1"),
        ("name,died\nc1,1\n", {"target": "died"}, "no case, patient or patient_id column; name the key by --id"),
        ("patient,patient_id,died\np1,1,1\n", {"target": "died"}, "both patient and patient_id"),
        ("case,died\nx1,1\nx2,0\n", {"target": "died"}, "no case is in the feature table; here x1, x2, there c1"),
        ("key,died\nc1,1\np1,0\n", {"target": "died", "id": "key"}, "fits 1 cases and 2 patients"),
        ("case,died\nc1,1\n", {"target": "deid"}, "no column 'deid', did you mean 'died'"),
        ("case,died\n,1\n", {"target": "died"}, "row 1 has no case"),
        ("case,died\nc1,1\n", {"target": "died", "clinical": ("case",)}, "also named"),
    ],
)
def test_keys_and_columns_that_are_unclear_are_refused(join, outcomes, columns, message):
    with pytest.raises(TableError, match=message):
        join(outcomes, **columns)


def test_a_key_of_another_name_is_matched_with_what_it_fits(join):
    by_case = join("key,died\nc1,1\nc3,0\n", target="died", id="key")
    assert by_case.table.case == ("c1", "c3")
    by_patient = join("key,died\np1,1\np2,0\n", target="died", id="key")
    assert by_patient.table.case == ("c1", "c2", "c3")


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"target": "a", "time": "b", "event": "c"},
        {"time": "b"},
        {"event": "c"},
        {"time": "b", "event": "b"},
        {"target": "a", "clinical": ("a",)},
        {"target": "a", "id": "a"},
        {"target": "a", "clinical": ("b", "b")},
    ],
)
def test_an_outcome_is_a_target_or_a_time_and_an_event(columns):
    with pytest.raises(OutcomeError):
        OutcomeColumns(**columns)


def test_keys_that_only_a_typist_made_different_are_pointed_out(join):
    found = join("case,died\nC-01,1\nc2,0\nc3,1\nc44,0\n", target="died")
    assert any("1 keys differ" in note and "'C-01' here, 'c1' there; write them alike" in note for note in found.notes)
    assert found.table.case == ("c2", "c3")
    with pytest.raises(TableError, match=r"'C1' here, 'c1' there, 'C_002' here, 'c2' there"):
        join("case,died\nC1,1\nC_002,0\n", target="died")
    with pytest.raises(TableError, match=r"'1\.0' here, '1' there, '10\.0' here, '10' there"):
        join("case,died\n1.0,1\n10.0,0\n", "case,patient,a\n1,p1,4\n10,p2,5\n", target="died")


def test_keys_that_differ_in_a_number_are_not(join):
    found = join("case,died\nc1,1\nc2,0\nc10,1\nc3b,0\nc4.01,1\n", target="died")
    assert not any("write them alike" in note for note in found.notes)
