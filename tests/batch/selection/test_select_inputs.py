"""The tables of a selection, read, joined and checked."""

import json
from dataclasses import replace

import numpy as np
import pytest

from radiomics_pipeline.batch.selection.inputs import Beside, read_inputs, with_columns
from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.steps import HarmoniseParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.layout import inputs_of, layout_of
from radiomics_pipeline.types.outcome import UNKNOWN_TEXT

FEATURES = "case,patient,a,b\nc1,p1,1,10\nc2,p1,2,20\nc3,p2,3,30\nc4,p3,4,40\n"
OUTCOMES = "case,died,age,sex,site,read\nc1,1,60,m,A,1\nc2,0,,f,B,2\nc3,1,70,m,A,\nc4,0,80,f,B,4\n"
DIED = OutcomeColumns("died")
PARAMS = SelectionParams()
EXTERNAL = SelectionParams(validation=ValidationParams(scheme="external"))


@pytest.fixture
def read(tmp_path):
    def write(name, content):
        (tmp_path / name).write_text(content)
        return tmp_path / name

    def inputs(columns=DIED, params=PARAMS, features=FEATURES, outcomes=OUTCOMES, **beside):
        paths = {
            name: {k: write(f"{k}.csv", v) for k, v in text.items()} if name == "blocks" else write(f"{name}.csv", text)
            for name, text in beside.items()
            if text is not None
        }
        made = write("features.csv", features)
        known = write("outcomes.csv", outcomes) if outcomes else None
        return read_inputs(made, known, columns, params, Beside(**paths))

    inputs.folder = tmp_path
    return inputs


def test_features_and_outcomes_are_joined_by_case(read):
    found = read(replace(DIED, clinical=("age", "sex"), centre="site", readers=("read",)))
    assert found.table.columns == ("a", "b")
    assert found.outcome.value.tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(found.clinical.values, [[60, 1], [np.nan, 0], [70, 1], [80, 0]])
    assert found.side.centre == ("A", "B", "A", "B")
    np.testing.assert_array_equal(found.readers["read"], [1, 2, np.nan, 4])
    assert (found.n_own, found.history) == (None, ())


def test_outcomes_in_the_features_own_file_are_no_features(read):
    found = read(replace(DIED, clinical=("age",)), features="case,died,age,a\nx,1,60,5\ny,0,70,6\n", outcomes="")
    assert found.table.columns == ("a",)


def test_columns_and_parameters_are_brought_together():
    validation = ValidationParams(scheme="leave-one-centre-out", centre="site")
    params = SelectionParams(validation=validation, clinical=("age",))
    columns, both = with_columns(DIED, params)
    assert (columns.centre, columns.clinical) == ("site", ("age",))
    columns, both = with_columns(replace(DIED, date="seen", clinical=("sex",)), params)
    assert (both.validation.date, columns.date, columns.clinical) == ("seen", "seen", ("sex",))
    with pytest.raises(ParamsError, match="the parameters name 'site' as centre, the command line 'clinic'; name one"):
        with_columns(replace(DIED, centre="clinic"), params)


def test_measurements_again_are_found_by_row(read):
    again = "case,patient,reader,b,a\nc4,p3,B,41,4.5\nc1,p1,B,11,1.5\n"
    found = read(repeated=again, outcomes=OUTCOMES.replace("c1,1", "c1,"))  # the first row has no outcome
    assert found.table.case == ("c2", "c3", "c4")
    assert found.side.row.tolist() == [0, 1, 2]
    nan = [np.nan, np.nan]
    np.testing.assert_array_equal(found.side.repeats, [[nan, nan, [4.5, 41]]])


def test_measurements_again_may_be_of_blocks_and_blocks_have_their_names(read):
    found = read(blocks={"genes": "patient,g\np1,7\np2,8\np3,9\n"}, repeated="case,patient,reader,g\nc3,p2,B,8.5\n")
    assert found.table.columns == ("a", "b", "g")
    assert found.side.blocks == {"genes": ("g",)}
    assert found.table.values[:, 2].tolist() == [7, 7, 8, 9]
    np.testing.assert_array_equal(found.side.repeats[0, 2], [np.nan, np.nan, 8.5])


def test_two_blocks_cannot_hold_one_column(read):
    with pytest.raises(TableError, match="g stand in the feature table, too"):
        read(blocks={"one": "case,g\nc1,7\n", "two": "case,g\nc1,7\n"})


def test_a_named_key_serves_all_tables(read):
    found = read(
        OutcomeColumns("died", id="ID"),
        features="ID,a\nx,1\ny,2\n",
        outcomes="ID,died\ny,0\nx,1\n",
        blocks={"genes": "ID,g\ny,7\nx,8\n"},
        repeated="ID,reader,a\ny,B,5\n",
    )
    assert found.table.values.tolist() == [[1, 8], [2, 7]]
    assert found.side.repeats[0, 1, 0] == 5


def test_harmonisation_needs_centres(read):
    params = SelectionParams(harmonise=HarmoniseParams(method="combat"))
    with pytest.raises(ParamsError, match="the column of the centres is not named; give --centre"):
        read(params=params)
    assert read(replace(DIED, centre="site"), params).side.centres == ("A", "B")


NEW = "case,patient,b,z,a\nn1,q1,50,0,5\nn2,q2,60,0,6\n"
NEW_OUTCOMES = "case,died,age,sex,site,read\nn1,1,50,f,C,7\nn2,0,55,x,A,8\n"


def external(read, columns=DIED, params=EXTERNAL, table=NEW, outcomes=NEW_OUTCOMES, **more):
    return read(columns, params, external=table, external_outcomes=outcomes, **more)


def test_rows_of_another_study_stand_below_our_own(read):
    columns = replace(DIED, clinical=("age", "sex"), centre="site", readers=("read",))
    found = external(read, columns)
    assert found.n_own == 4
    assert found.table.case == ("c1", "c2", "c3", "c4", "n1", "n2")
    assert found.table.values[4:].tolist() == [[5, 50], [6, 60]]
    assert found.outcome.value.tolist() == [1, 0, 1, 0, 1, 0]
    assert found.side.centre == ("A", "B", "A", "B", "C", "A")
    np.testing.assert_array_equal(found.readers["read"], [1, 2, np.nan, 4, 7, 8])
    X = inputs_of(found.table, found.clinical, found.side)
    assert X.shape == (6, len(layout_of(found.table.columns, found.clinical, "", found.side).names))


def test_a_clinical_text_that_training_does_not_have_is_none_of_its_texts(read):
    found = external(read, replace(DIED, clinical=("age", "sex")))
    assert found.clinical.categories == (None, ("f", "m"))
    np.testing.assert_array_equal(found.clinical.values[4:], [[50, 0], [55, UNKNOWN_TEXT]])
    other = external(read, replace(DIED, clinical=("sex",)), outcomes="case,died,sex\nn1,1,m\nn2,0,a\n")
    np.testing.assert_array_equal(other.clinical.values[4:, 0], [1, UNKNOWN_TEXT])


def test_a_clinical_text_that_is_blank_there_is_missing(read):
    found = external(read, replace(DIED, clinical=("sex",)), outcomes="case,died,sex\nn1,1,m\nn2,0,\n")
    np.testing.assert_array_equal(found.clinical.values[4:, 0], [1, np.nan])


@pytest.mark.parametrize(
    ("table", "outcomes", "error", "message"),
    [
        (NEW.replace("q1", "p3"), NEW_OUTCOMES, TableError, "p3 stand in the training table, too; leave them out"),
        (NEW.replace(",b,", ",c,"), NEW_OUTCOMES, TableError, "1 features of the training table are absent: b"),
        (NEW, NEW_OUTCOMES.replace("n2,0", "n2,1"), OutcomeError, "all 2 rows are 1"),
        (NEW, NEW_OUTCOMES.replace("died", "dead"), TableError, "no column 'died', did you mean 'dead'"),
        (NEW, None, TableError, "no column 'died'.*in a file of their own, give --test-outcomes"),
        (NEW, NEW_OUTCOMES.replace("n1", "m1").replace("n2", "m2"), TableError, "no case is in the feature table"),
    ],
)
def test_another_study_that_does_not_fit_is_refused(read, table, outcomes, error, message):
    with pytest.raises(error, match=message):
        external(read, table=table, outcomes=outcomes)


def test_clinical_numbers_here_and_texts_there_are_refused(read):
    with pytest.raises(TableError, match="'age' holds texts, such as"):
        external(read, replace(DIED, clinical=("age",)), outcomes="case,died,age\nn1,1,old\nn2,0,young\n")


@pytest.mark.parametrize("kind", ["multiclass", "ordinal"])
def test_other_classes_there_are_refused(read, kind):
    ours, theirs = "case,died\nc1,1\nc2,2\nc3,3\nc4,1\n", "case,died\nn1,1\nn2,2\n"
    with pytest.raises(OutcomeError, match="its classes are 1, 2, those of the training table 1, 2, 3"):
        read(replace(DIED, kind=kind), EXTERNAL, FEATURES, ours, external=NEW, external_outcomes=theirs)


def test_times_of_both_studies_are_kept(read):
    ours = "case,t,e\nc1,1,1\nc2,2,0\nc3,3,1\nc4,4,0\n"
    theirs = "case,t,e\nn1,5,1\nn2,6,0\n"
    found = read(OutcomeColumns(time="t", event="e"), EXTERNAL, FEATURES, ours, external=NEW, external_outcomes=theirs)
    assert found.outcome.time.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.outcome.event.tolist() == [True, False, True, False, True, False]


def test_an_external_test_needs_its_table_and_the_table_an_external_test(read):
    with pytest.raises(ParamsError, match="external needs a second table to test on; give --test"):
        read(params=EXTERNAL)
    with pytest.raises(ParamsError, match=r"validation\.scheme is cross-validation, which would train on its rows"):
        external(read, params=PARAMS)


def test_another_study_with_repeats_or_blocks_is_refused(read):
    with pytest.raises(ParamsError, match="cannot be joined with repeated measurements or further blocks"):
        external(read, repeated="case,patient,reader,a\nc1,p1,B,5\n")


TIMES = "case,t,e\nc1,10,1\nc2,20,0\nc3,30,1\nc4,40,0\n"


def at(horizon, scheme="cross-validation"):
    return SelectionParams(validation=ValidationParams(horizon=horizon, scheme=scheme))


TIMED = OutcomeColumns(time="t", event="e")


def test_a_horizon_beyond_the_follow_up_is_refused(read):
    with pytest.raises(OutcomeError, match=r"the horizon 41 lies beyond the longest follow-up \(40\)"):
        read(TIMED, at(41), outcomes=TIMES)
    read(TIMED, at(40), outcomes=TIMES)


def test_rows_that_are_censored_before_the_horizon_are_counted(read):
    assert "1 of 4 rows are censored before the horizon 25" in read(TIMED, at(25), outcomes=TIMES).notes
    assert not any("censored" in n for n in read(TIMED, at(15), outcomes=TIMES).notes)
    assert not any("censored" in n for n in read(TIMED, outcomes=TIMES).notes)


@pytest.mark.parametrize(("ours", "theirs"), [(30, 60), (60, 30)])
def test_the_horizon_must_lie_within_the_follow_up_of_both_studies(read, ours, theirs):
    times = [f"case,t,e\n{c}1,10,1\n{c}2,{last},0\n" for c, last in (("c", ours), ("n", theirs))]
    with pytest.raises(OutcomeError, match=r"the horizon 50 lies beyond the longest follow-up \(30\)"):
        read(TIMED, at(50, "external"), FEATURES, times[0], external=NEW, external_outcomes=times[1])


def test_what_was_done_to_a_table_before_is_read_from_beside_it(read):
    told: tuple[str, ...] = ()
    for name, entry in (("run.json", ["chosen in run.json"]), ("select.json", "outcome: chosen by hand")):
        (read.folder / name).write_text(json.dumps({"options": {"history": entry}}))
        told = (*told, *([entry] if isinstance(entry, str) else entry))
        assert read().history == told


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"options": null}', '{"options": {"history": null}}'])
def test_a_manifest_that_says_nothing_is_no_history(read, content):
    (read.folder / "run.json").write_text(content)
    assert read().history == ()
