"""Every kind of outcome: what it holds, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from sksurv.util import Surv

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.types.outcome import KINDS, Clinical, Outcome

NAN = float("nan")
TIME = [4.0, 1.5, 3.0, 2.0]
MADE = {
    "binary": Outcome.binary([0, 1, 1, 0], "died"),
    "continuous": Outcome.continuous([2.5, -1, 0, 7], "size"),
    "multiclass": Outcome.multiclass(["b", "c", "a", "b"], "type"),
    "ordinal": Outcome.ordinal(["mid", "high", "low", "mid"], ("low", "mid", "high"), "grade"),
    "survival": Outcome.survival(TIME, [0, 1, 1, 0], ("t", "e")),
    "competing": Outcome.competing(TIME, [0, 1, 2, 1], ("t", "e")),
}


def test_there_is_one_of_each_kind():
    assert tuple(MADE) == KINDS
    assert all(outcome.kind == kind for kind, outcome in MADE.items())


def test_targets_are_codes_and_numbers_as_scikit_learn_takes_them():
    assert MADE["binary"].y.tolist() == [0, 1, 1, 0]
    assert MADE["multiclass"].y.tolist() == pd.Categorical(["b", "c", "a", "b"]).codes.tolist()
    assert MADE["ordinal"].y.tolist() == [1, 2, 0, 1]
    assert MADE["continuous"].y.tolist() == [2.5, -1, 0, 7]
    for kind, dtype in (("binary", np.int64), ("multiclass", np.int64), ("ordinal", np.int64), ("continuous", float)):
        assert MADE[kind].y.dtype == dtype


def test_times_are_structured_as_scikit_survival_makes_them():
    wanted = Surv.from_arrays([False, True, True, False], TIME)
    assert MADE["survival"].y.dtype == wanted.dtype
    np.testing.assert_array_equal(MADE["survival"].y, wanted)
    y = MADE["competing"].y
    assert y.dtype.names == ("event", "time", "cause")
    assert y["event"].tolist() == [False, True, False, True]
    assert y["cause"].tolist() == [0, 1, 2, 1]


def test_classes_that_are_numbers_stand_in_the_order_of_numbers():
    assert Outcome.ordinal(["10", "9", "-1", "2.5"]).categories == ("-1", "2.5", "9", "10")
    assert Outcome.multiclass(["10", "9", "x", "9"]).categories == ("9", "10", "x")


def test_classes_keep_the_order_that_was_named():
    assert Outcome.ordinal(["1", "2", "3"], ("3", "1", "2")).y.tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 1], "'died': all 2 rows are 1; two classes"),
        ([0, 0], "all 2 rows are 0; two classes"),
        ([1, 2, 1], r"1 of 3 rows are neither 0 nor 1 \(2\)"),
        ([0, -1], r"neither 0 nor 1 \(-1\)"),
        ([0, 1, NAN], "missing or not a number"),
        ([0, 1, np.inf], "1 of 3 rows are neither"),
        ([], "no rows"),
        ([[0], [1]], "no rows"),
        ([3, 4, 5, 6, 7, 8, 9], "3, 4, 5, 6, 7, and 2 more"),
    ],
)
def test_binary_outcomes_of_other_values_are_refused(values, message):
    with pytest.raises(OutcomeError, match=message):
        Outcome.binary(values, "died")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([2, 2, 2], "'size': all 3 rows are 2; nothing can be ranked"),
        ([1, NAN], "1 of 2 rows are no finite numbers"),
        ([1, np.inf, -np.inf], "2 of 3 rows are no finite numbers"),
        ([], "no rows"),
    ],
)
def test_continuous_outcomes_need_different_finite_numbers(values, message):
    with pytest.raises(OutcomeError, match=message):
        Outcome.continuous(values, "size")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", "a"], "'type': all rows are a; every class needs rows, and two"),
        (["a", "", "b"], "1 of 3 rows are blank"),
        ([], "0 of 0 rows are blank"),
        (["1", "2", "1.0"], "'1' and '1.0' are the same number"),
    ],
)
def test_classes_need_two_and_no_blank(texts, message):
    with pytest.raises(OutcomeError, match=message):
        Outcome.multiclass(texts, "type")


@pytest.mark.parametrize(
    ("texts", "order", "message"),
    [
        (["low", "high"], (), "order of 'high', 'low' is not known; name the classes from low to high"),
        (["1", "2", "high"], (), "order of '1', '2', 'high' is not known"),
        (["low", "high", "top"], ("low", "high"), "top stand not among the classes"),
        (["low", "high"], ("low", "mid", "high"), "no row is mid"),
        (["low", "high"], ("low", "high", "low"), "'low' is named twice in the order"),
        (["low", "low"], ("low",), "all rows are low"),
        (["low", ""], ("low", "high"), "1 of 2 rows are blank"),
        (["1", "2", "02"], (), "'02' and '2' are the same number"),
    ],
)
def test_ordered_classes_that_are_unclear_are_refused(texts, order, message):
    with pytest.raises(OutcomeError, match=message):
        Outcome.ordinal(texts, order, "grade")


@pytest.mark.parametrize("kind", ["survival", "competing"])
@pytest.mark.parametrize(
    ("time", "message"),
    [
        ([0, 1, 2, 3], r"'t': 1 of 4 are not positive numbers \(0\); leave such rows out or correct them"),
        ([-2, 1, 2, 0], r"2 of 4 are not positive numbers \(-2, 0\)"),
        ([NAN, 1, 2, 3], "1 of 4 are not positive numbers"),
        ([np.inf, 1, 2, 3], "1 of 4 are not positive numbers"),
        ([1, 2, 3], r"\(3,\) times for \(4,\) events"),
    ],
)
def test_times_that_are_not_positive_are_refused(kind, time, message):
    with pytest.raises(OutcomeError, match=message):
        getattr(Outcome, kind)(time, [0, 1, 2 if kind == "competing" else 0, 1], ("t", "e"))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([0, 0, 0, 0], "'e': none of 4 rows has the event; nothing can be ranked"),
        ([1, 2, 1, 2], r"'e': 2 of 4 rows are neither 0 nor 1 \(2\)"),
        ([0, 1, NAN, 0], "1 of 4 rows are neither 0 nor 1"),
    ],
)
def test_events_of_survival_are_0_and_1_with_one_seen(event, message):
    with pytest.raises(OutcomeError, match=message):
        Outcome.survival(TIME, event, ("t", "e"))


def test_a_single_event_and_no_censored_row_are_survival():
    assert Outcome.survival(TIME, [0, 0, 1, 0]).event.sum() == 1
    assert Outcome.survival(TIME, [1, 1, 1, 1]).event.all()


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ([0, 1, 1, 0], "'e' holds 0, 1; cause 1 and a competing cause"),
        ([0, 2, 2, 0], "holds 0, 2; cause 1 and a competing cause"),
        ([0, 0, 0, 0], "holds 0; cause 1"),
        ([0, 1, 1.5, 2], r"1 rows hold 1.5; causes are coded 0 \(none seen\)"),
        ([0, 1, -1, 2], "1 rows hold -1"),
        ([0, 1, NAN, 2], "1 of 4 rows are no finite numbers"),
    ],
)
def test_causes_are_whole_numbers_with_the_one_of_interest_and_another(cause, message):
    with pytest.raises(OutcomeError, match=message):
        Outcome.competing(TIME, cause, ("t", "e"))


def test_causes_are_named_by_their_numbers_unless_names_are_given():
    assert Outcome.competing(TIME, [0, 1, 3, 1]).categories == ("1", "2", "3")
    assert Outcome.competing(TIME, [0, 1, 2, 1], categories=("relapse", "death")).categories == ("relapse", "death")


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_chosen_in_order_and_values_cannot_be_changed(kind):
    outcome, keep = MADE[kind], np.array([3, 0, 3])
    part = outcome.rows(keep)
    np.testing.assert_array_equal(part.y, outcome.y[keep])
    assert (part.names, part.categories, len(part)) == (outcome.names, outcome.categories, 3)
    with pytest.raises(ValueError, match="read-only"):
        part.value[0] = 9


def test_an_outcome_does_not_follow_the_array_it_was_made_from():
    times = np.array(TIME)
    outcome = Outcome.survival(times, [0, 1, 1, 0])
    times[0] = 99
    assert outcome.time[0] == 4


def test_cells_are_what_stood_in_the_columns():
    assert {kind: outcome.cells(1) for kind, outcome in MADE.items()} == {
        "binary": (1,),
        "continuous": (-1.0,),
        "multiclass": ("c",),
        "ordinal": ("high",),
        "survival": (1.5, 1),
        "competing": (1.5, 1),
    }


def test_only_kinds_with_one_event_have_it():
    assert MADE["binary"].event.tolist() == [False, True, True, False]
    assert MADE["competing"].event.tolist() == [False, True, False, True]
    for kind in ("continuous", "multiclass", "ordinal"):
        with pytest.raises(OutcomeError, match=f"a {kind} outcome has no event"):
            _ = MADE[kind].event


def test_folds_share_out_classes_causes_and_fifths():
    values = np.random.default_rng(0).permutation(50).astype(float)
    fifths = Outcome.continuous(values).strata
    np.testing.assert_array_equal(fifths, pd.qcut(values, 5, labels=False))
    assert MADE["competing"].strata.tolist() == [0, 1, 2, 1]
    assert MADE["ordinal"].strata.tolist() == [1, 2, 0, 1]


def test_clinical_values_of_another_shape_are_refused():
    with pytest.raises(OutcomeError, match=r"shape \(2, 1\) for 2 columns"):
        Clinical(("age", "sex"), np.zeros((2, 1)), (None, None))
