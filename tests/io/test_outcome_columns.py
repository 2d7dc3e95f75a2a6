"""Columns of an outcomes file, of every kind of outcome, written as people and Excel write them."""

from datetime import date

import numpy as np
import pytest

from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.outcomes import OutcomeColumns, align_outcomes, check_source, own_outcomes
from radiomics_pipeline.io.tables import read_features

FEATURES = "case,patient,a\nc1,p1,1\nc2,p1,2\nc3,p2,3\nc4,p3,4\nc5,p4,5\nc6,p5,6\n"


@pytest.fixture
def join(tmp_path):
    def joined(outcomes, features=FEATURES, **columns):
        (tmp_path / "features.csv").write_text(features)
        data = outcomes if isinstance(outcomes, bytes) else outcomes.encode()
        (tmp_path / "outcomes.csv").write_bytes(data)
        table = read_features(read_text_table(tmp_path / "features.csv")).table
        return align_outcomes(table, read_text_table(tmp_path / "outcomes.csv"), OutcomeColumns(**columns))

    return joined


def column(name, cells, separator=","):
    """An outcomes file of six cases with one column."""
    return f"case{separator}{name}\n" + "".join(f"c{i}{separator}{cell}\n" for i, cell in enumerate(cells, 1))


def columns(header, *rows):
    return f"case,{header}\n" + "".join(f"c{i},{row}\n" for i, row in enumerate(rows, 1))


@pytest.mark.parametrize(
    ("kind", "cells", "options", "y", "categories"),
    [
        ("binary", "0 1 1 0 TRUE false", {}, [0, 1, 1, 0, 1, 0], ()),
        ("continuous", "1.5 -2 0 1e1 4 5", {}, [1.5, -2, 0, 10, 4, 5], ()),
        ("multiclass", "b a c a b c", {}, [1, 0, 2, 0, 1, 2], ("a", "b", "c")),
        ("multiclass", "10 9 9 10 2 2", {}, [2, 1, 1, 2, 0, 0], ("2", "9", "10")),
        ("ordinal", "10 9 9 10 2 2", {}, [2, 1, 1, 2, 0, 0], ("2", "9", "10")),
        ("ordinal", "lo hi mid hi lo lo", {"order": ("lo", "mid", "hi")}, [0, 2, 1, 2, 0, 0], ("lo", "mid", "hi")),
    ],
)
def test_a_target_is_of_the_kind_that_is_said(join, kind, cells, options, y, categories):
    outcome = join(column("target", cells.split()), target="target", kind=kind, **options).outcome
    assert outcome.kind == kind
    assert outcome.y.tolist() == y
    assert outcome.categories == categories


def test_a_target_is_binary_and_a_time_is_survival_where_no_kind_is_said(join):
    assert join(column("t", "010101"), target="t").outcome.kind == "binary"
    found = join(columns("t,e", "1,0", "2,1", "3,1"), time="t", event="e")
    assert found.outcome.kind == "survival"


def test_causes_of_competing_events_are_read(join):
    found = join(columns("t,e", "1,0", "2,1", "3,2", "4,3"), time="t", event="e", kind="competing").outcome
    assert found.y["cause"].tolist() == [0, 1, 2, 3]
    assert found.y["event"].tolist() == [False, True, False, False]
    assert found.categories == ("1", "2", "3")


@pytest.mark.parametrize(
    ("kind", "cells", "options", "message"),
    [
        ("binary", "111111", {}, "all 6 rows are 1; two classes"),
        ("binary", "121212", {}, r"3 of 6 rows are neither 0 nor 1 \(2\); code the outcome as 0 and 1$"),
        ("binary", "012012", {}, "for an outcome of another kind say --kind continuous, ordinal or multiclass"),
        ("continuous", "333333", {}, "all 6 rows are 3; nothing can be ranked"),
        ("continuous", ["1", "2", "high", "3", "4", "5"], {}, "'t' holds 'high'; write numbers"),
        ("multiclass", "aaaaaa", {}, "all rows are a"),
        ("ordinal", "ababab", {}, "the order of 'a', 'b' is not known"),
        ("ordinal", "ababac", {"order": ("a", "b")}, "c stand not among the classes"),
        ("ordinal", "ababab", {"order": ("a", "b", "c")}, "no row is c"),
        ("ordinal", ["1", "2", "1.0", "2", "1", "2"], {}, "'1' and '1.0' are the same number"),
    ],
)
def test_targets_of_another_kind_are_refused(join, kind, cells, options, message):
    with pytest.raises(OutcomeError, match=message):
        join(column("t", cells), target="t", kind=kind, **options)


@pytest.mark.parametrize(
    ("kind", "rows", "message"),
    [
        ("survival", ["1,0", "2,0", "3,0"], "none of 3 rows has the event"),
        ("survival", ["1,1", "2,2", "3,1"], r"1 of 3 rows are neither 0 nor 1 \(2\); code the outcome as 0 and 1$"),
        ("survival", ["1,0", "2,1", "3,2"], "for an outcome of another kind say --kind competing"),
        ("survival", ["0,0", "-1,1", "3,1"], r"2 of 3 are not positive numbers \(-1, 0\)"),
        ("competing", ["0,1", "1,2", "3,0"], r"1 of 3 are not positive numbers \(0\)"),
        ("competing", ["1,1", "2,1", "3,0"], "a competing cause"),
        ("competing", ["1,2", "2,2", "3,0"], "cause 1 and"),
        ("competing", ["1,1", "2,2.5", "3,0"], "1 rows hold 2.5"),
        ("competing", ["1,relapse", "2,death", "3,0"], "'e' holds 'death', 'relapse'"),
    ],
)
def test_times_and_events_of_another_kind_are_refused(join, kind, rows, message):
    with pytest.raises(OutcomeError, match=message):
        join(columns("t,e", *rows), time="t", event="e", kind=kind)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "a", "kind": "survival"}, "a survival outcome is named by a time and an event column"),
        ({"target": "a", "kind": "competing"}, "a competing outcome is named by a time and an event column"),
        ({"time": "a", "event": "b", "kind": "binary"}, "a binary outcome is named by a target column"),
        ({"target": "a", "order": ("x", "y")}, "an order of classes is for an ordinal outcome"),
        ({"target": "a", "centre": "a"}, "a is the outcome, and can be nothing else"),
        ({"time": "a", "event": "b", "readers": ("b",)}, "b is the outcome, and can be nothing else"),
        ({"target": "a", "date": "a"}, "each column can be named once, not a"),
        ({"target": "a", "date": "b", "clinical": ("b",)}, "each column can be named once, not b"),
    ],
)
def test_columns_that_contradict_the_kind_or_leak_the_outcome_are_refused(options, message):
    with pytest.raises(OutcomeError, match=message):
        OutcomeColumns(**options)


@pytest.mark.parametrize("kind", ["binary", "continuous", "multiclass", "ordinal"])
@pytest.mark.parametrize("blank", ["", "NA", "n/a", "NaN", "-", "#DIV/0!"])
def test_blank_targets_are_left_out_and_noted_never_a_class(join, kind, blank):
    found = join(column("t", ["0", "1", "0", "1", "1", blank]), target="t", kind=kind)
    assert found.table.case == ("c1", "c2", "c3", "c4", "c5")
    assert "1 rows have no value of t and are left out: c6" in found.notes
    assert found.outcome.value.tolist() == [0, 1, 0, 1, 1]


def test_a_row_without_its_time_or_its_event_is_left_out(join):
    found = join(columns("t,e", "1,0", ",1", "3,", "4,1", "5,1"), time="t", event="e")
    assert found.table.case == ("c1", "c4", "c5")
    assert "2 rows have no value of t or e and are left out: c2, c3" in found.notes


@pytest.mark.parametrize(
    "content",
    [
        "case;size\nc1;1,5\nc2;2\nc3;0,25\n",
        "case\tsize\nc1\t1,5\nc2\t2\nc3\t0,25\n",
        b"\xef\xbb\xbfcase;size\r\nc1;1,5\r\nc2;2\r\nc3;0,25\r\n",
        "case;size\nc1;1,5\nc2;2\nc3;0,25\n".encode("utf-16"),
        '\ufeff"case","size"\nc1,1.5\nc2,2\nc3,0.25\n',
    ],
    ids=["semicolon", "tab", "mark and CRLF", "utf-16", "mark and quotes"],
)
def test_numbers_are_read_as_spreadsheets_write_them(join, content):
    assert join(content, target="size", kind="continuous").outcome.value.tolist() == [1.5, 2, 0.25]


@pytest.mark.parametrize("first", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "\ufeffSEP=;\n"])
def test_the_separator_that_excel_writes_into_the_first_line_is_no_header(join, first):
    found = join(first + "case;died\nc1;1\nc2;0\n", target="died")
    assert found.outcome.value.tolist() == [1, 0]


def test_a_decimal_comma_in_a_file_of_commas_is_refused_not_guessed(join):
    with pytest.raises(TableError, match="3 cells, the header has 2"):
        join("case,size\nc1,1,5\nc2,2,5\n", target="size", kind="continuous")


def test_decimal_commas_and_points_in_one_column_are_refused(join):
    with pytest.raises(TableError, match="mixes decimal commas and decimal points"):
        join("case;size\nc1;1,5\nc2;2.5\n", target="size", kind="continuous")


@pytest.mark.parametrize(
    "rows", ["case;days;age\nc1;1.950;61,5\nc2;2.100;50\n", "case;days;age\nc1;1.950;61\nc2;950;50\n"]
)
def test_points_that_may_part_thousands_are_refused(join, rows):
    with pytest.raises(TableError, match=r"column 'days' holds numbers such as '1\.950', which may mean thousands"):
        join(rows, target="days", kind="continuous")


@pytest.mark.parametrize(
    "rows", ["case;x;age\nc1;0.950;61,5\nc2;2.100;50\n", "case;x;age\nc1;1.95;6\nc2;2;5\n", "case,x\nc1,1.950\nc2,2\n"]
)
def test_points_that_part_no_thousands_are_decimal(join, rows):
    assert 0.9 < join(rows, target="x", kind="continuous").outcome.value[0] < 2


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ("patient,died\np1,1\np2,0\np1,1\n", "patient occurs twice: p1; one row each is needed"),
        ("case,died\nc1,1\nc2,0\nc1,0\n", "case occurs twice: c1"),
        ("case,died\nc1,1\n,0\n", "row 2 has no case"),
    ],
)
def test_doubled_and_blank_keys_are_refused(join, outcomes, message):
    with pytest.raises(TableError, match=message):
        join(outcomes, target="died")


def test_centres_follow_their_rows_as_texts(join):
    found = join("case,died,site\nc4,1,7\nc2,0,B\nc1,1,7\n", target="died", centre="site")
    assert found.table.case == ("c1", "c2", "c4")
    assert found.side.centre == ("7", "B", "7")
    assert found.side.centres == ("7", "B")


def test_a_blank_centre_is_refused_but_not_where_the_row_is_left_out(join):
    with pytest.raises(TableError, match=r"no site in row 2, 3; every row needs its centre"):
        join("case,died,site\nc1,1,A\nc2,0,\nc3,1,NA\n", target="died", centre="site")
    found = join("case,died,site\nc1,1,A\nc2,,\nc3,0,B\nc9,1,\n", target="died", centre="site")
    assert found.side.centre == ("A", "B")


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["2020-03-04", "2019-12-31", "2020-03-05"], [date(2020, 3, 4), date(2019, 12, 31), date(2020, 3, 5)]),
        (
            ["2020-03-04 10:30", "2019-12-31T23:59:59", "20200305"],
            [date(2020, 3, 4), date(2019, 12, 31), date(2020, 3, 5)],
        ),
    ],
)
def test_iso_dates_are_days_whatever_the_time_of_day(join, cells, wanted):
    rows = [f"{i % 2},{cell}" for i, cell in enumerate(cells)]
    found = join(columns("died,seen", *rows), target="died", date="seen").side.date
    assert found.tolist() == [d.toordinal() for d in wanted]


def test_years_and_days_of_a_study_are_numbers(join):
    found = join(columns("died,seen", "1,2020", "0,2019", "1,2020.5"), target="died", date="seen")
    assert found.side.date.tolist() == [2020, 2019, 2020.5]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2020-03-04", "04.03.2020", "2020-01-01"], "'seen' holds '04.03.2020'; write all dates as YYYY-MM-DD"),
        (["03/04/2020", "2020", "2021"], "'03/04/2020'"),
        (["2020-03-04", "2020", "2021"], "'2020', '2021'; write all dates"),
        (["2020-02-30", "2020-01-01", "2020-01-02"], "'2020-02-30'"),
        (["2020-01-011", "2020-01-01", "2020-01-02"], "'2020-01-011'"),
        (["spring", "summer", "autumn"], "'spring', 'summer', 'autumn'"),
        (["inf", "2020", "2021"], "'inf'"),
        (["2020-01-01", "", "2020-01-02"], "no seen in row 2; every row needs its date"),
        (["2020", "NA", "2021"], "no seen in row 2"),
    ],
)
def test_dates_that_cannot_be_ordered_are_refused_with_what_they_hold(join, cells, message):
    rows = [f"{i % 2},{cell}" for i, cell in enumerate(cells)]
    with pytest.raises(TableError, match=message):
        join(columns("died,seen", *rows), target="died", date="seen")


def test_dates_of_rows_that_do_not_count_are_not_read(join):
    found = join("case,died,seen\nc1,1,2020-01-02\nc9,1,unknown\nc2,,\nc3,0,2020-01-01\n", target="died", date="seen")
    assert np.diff(found.side.date).tolist() == [-1]


def test_readers_scores_are_numbers_and_may_be_missing(join):
    found = join(columns("died,deauville", "1,5", "0,", "1,4.5", "0,NA"), target="died", readers=("deauville",))
    np.testing.assert_array_equal(found.readers["deauville"], [5, np.nan, 4.5, np.nan])
    assert not any("deauville" in note for note in found.notes)  # named, so that it is not ignored


def test_readers_texts_are_refused(join):
    with pytest.raises(TableError, match="'deauville' holds 'high'; a score to compare is a number"):
        join(columns("died,deauville", "1,5", "0,high", "1,4"), target="died", readers=("deauville",))


def test_a_reader_is_neither_a_feature_nor_a_clinical_variable(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("case,died,a,deauville,site\nx,1,1,5,1\ny,0,2,4,2\n")
    source, named = read_text_table(path), OutcomeColumns("died", readers=("deauville",), centre="site")
    table = read_features(source, not_features=named.named).table
    assert table.columns == ("a",)
    found = own_outcomes(table, source, named)
    assert found.clinical is None
    assert found.readers["deauville"].tolist() == [5, 4]


def test_what_a_clinical_column_is_depends_only_on_rows_that_count(join):
    rows = "c1,1,61\nc2,0,55\nc3,1,70\nc4,0,58\nc5,1,60\nc9,1,unknown\n"
    found = join(f"case,died,age\n{rows}", target="died", clinical=("age",))
    assert found.clinical.categories == (None,)
    assert found.clinical.values[:, 0].tolist() == [61, 55, 70, 58, 60]


def test_an_infinite_clinical_value_is_refused(join):
    with pytest.raises(TableError, match="'age' holds inf; correct it"):
        join(columns("died,age", "1,61", "0,inf", "1,5"), target="died", clinical=("age",))


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        ("case,t\nx,1\ny,1\n", {"target": "t"}, OutcomeError, "all 2 rows are 1"),
        ("name,t\nx,1\ny,0\n", {"target": "t"}, TableError, "name the key by --id"),
        ("case,t\nx,1\ny,0\n", {"target": "s"}, TableError, "no column 's'"),
        ("case,t,d\nx,1,\ny,0,2020\n", {"target": "t", "date": "d"}, TableError, "no d in row 1"),
    ],
)
def test_an_outcomes_file_is_checked_before_there_are_features(tmp_path, content, options, error, message):
    (tmp_path / "o.csv").write_text(content)
    with pytest.raises(error, match=message):
        check_source(read_text_table(tmp_path / "o.csv"), OutcomeColumns(**options))
    (tmp_path / "o.csv").write_text("case,t\nx,1\ny,0\n")
    check_source(read_text_table(tmp_path / "o.csv"), OutcomeColumns("t"))
