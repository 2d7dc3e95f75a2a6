from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import RepeatedStratifiedKFold

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.selection.validation.folds import deal, draw_folds, inner_count
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study, table_of


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_patients_never_straddle_folds_and_events_are_shared_out(seed, folds):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 30, 70)
    event = rng.random(70) < 0.4
    place = deal(event, groups, folds, rng)
    assert all(len(set(place[groups == g])) == 1 for g in set(groups.tolist()))
    largest = max(event[groups == g].sum() for g in set(groups.tolist()))
    events = [event[place == f].sum() for f in range(folds)]
    assert max(events) - min(events) <= max(largest, 1)


def test_single_rows_give_folds_of_equal_size_and_equal_share_of_events():
    event = np.arange(53) < 21
    place = deal(event, np.arange(53), 5, np.random.default_rng(0))
    assert sorted(np.bincount(place)) == [10, 10, 11, 11, 11]
    assert sorted(np.bincount(place[event])) == [4, 4, 4, 4, 5]


def test_every_row_is_tested_once_a_repeat_and_repeats_differ():
    table, outcome, _ = study()
    folds = draw_folds(table, outcome, folds=5, repeats=3, seed=1)
    for repeat in (1, 2, 3):
        tested = np.concatenate([f.test for f in folds if f.repeat == repeat])
        assert sorted(tested) == list(range(60))
    assert all(not set(f.train) & set(f.test) and len(f.train) + len(f.test) == 60 for f in folds)
    assert set(folds[0].test) != set(folds[5].test)


@pytest.mark.parametrize("kind", ["binary", "survival", "continuous", "multiclass"])
def test_with_one_row_a_patient_the_folds_are_scikit_learns_over_the_rows_in_file_order(kind):
    table, outcome, _ = study(kind="survival")
    if kind == "binary":
        outcome = Outcome.binary(outcome.event.astype(float))
    elif kind == "continuous":
        outcome = Outcome.continuous(table.values[:, 1])
    elif kind == "multiclass":
        outcome = Outcome.multiclass([("a", "b", "c")[i % 3] for i in range(60)])
    expected = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=20261122)
    splits = list(expected.split(table.values, outcome.strata))
    found = draw_folds(table, outcome, folds=5, repeats=3, seed=20261122)
    assert [(f.repeat, f.number) for f in found] == [(r, k) for r in (1, 2, 3) for k in (1, 2, 3, 4, 5)]
    for fold, (train, test) in zip(found, splits, strict=True):
        assert fold.train.tolist() == train.tolist()
        assert fold.test.tolist() == test.tolist()


def test_folds_of_patients_are_the_same_for_any_order_of_rows_and_differ_by_seed():
    table, outcome, _ = study()
    table = replace(table, patient=tuple(f"p{i // 2:02d}" for i in range(60)))
    order = np.random.default_rng(5).permutation(60)

    def tested(t, o, seed):
        return [[t.case[i] for i in f.test] for f in draw_folds(t, o, folds=4, repeats=2, seed=seed)]

    assert tested(table, outcome, 1) == tested(table.rows(order), outcome.rows(order), 1)
    assert tested(table, outcome, 1) != tested(table, outcome, 2)


def test_every_class_is_shared_out_among_folds_of_patients():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 2)
    classes = np.repeat(np.array([0] * 25 + [1] * 10 + [2] * 5), 2)
    place = deal(classes, groups, 5, rng)
    assert all(sorted(np.bincount(place[classes == c], minlength=5)) == [n * 2] * 5 for c, n in enumerate((5, 2, 1)))


def test_the_event_as_bool_and_as_code_gives_the_same_folds():
    event = np.random.default_rng(1).random(50) < 0.3
    groups = np.repeat(np.arange(25), 2)
    one, two = (deal(e, groups, 4, np.random.default_rng(3)) for e in (event, event.astype(np.int64)))
    assert one.tolist() == two.tolist()


def test_a_class_rarer_than_the_folds_is_named_and_inner_folds_adapt_to_the_rarest():
    table, _, _ = study()
    outcome = Outcome.multiclass(["rare"] * 4 + ["a"] * 28 + ["b"] * 28)
    with pytest.raises(OutcomeError, match="4 patients of class 'rare' are fewer than 5 folds"):
        draw_folds(table, outcome, folds=5, repeats=1, seed=0)
    assert len(draw_folds(table, outcome, folds=4, repeats=1, seed=0)) == 4
    assert inner_count(outcome.strata, np.arange(60), 5, both=True) == 4
    with pytest.raises(OutcomeError, match="too few"):
        inner_count(np.zeros(60), np.arange(60), 5, both=True)


@pytest.mark.parametrize(
    ("positives", "message"), [(4, "4 patients with the event are fewer than 5 folds"), (1, "too few")]
)
def test_fewer_positives_than_folds_are_refused_with_their_number(positives, message):
    table, _, _ = study()
    with pytest.raises(OutcomeError, match=message):
        draw_folds(table, Outcome.binary(np.arange(60) < positives), folds=5, repeats=1, seed=0)


def test_fewer_negatives_than_folds_are_refused_but_censored_rows_are_not_needed():
    table, _, _ = study()
    with pytest.raises(OutcomeError, match="without the event"):
        draw_folds(table, Outcome.binary(np.arange(60) >= 3), folds=5, repeats=1, seed=0)
    all_seen = Outcome.survival(np.arange(1.0, 61.0), np.ones(60))
    assert len(draw_folds(table, all_seen, folds=5, repeats=1, seed=0)) == 5


def test_two_positives_leave_too_few_for_inner_folds():
    table, _, _ = study()
    with pytest.raises(OutcomeError, match="inner folds"):
        draw_folds(table, Outcome.binary(np.arange(60) < 2), folds=2, repeats=1, seed=0)


def test_positives_counted_are_patients_not_lesions():
    patient = tuple(f"p{i // 5:02d}" for i in range(60))
    table = table_of(np.zeros((60, 1)), patient=patient)
    with pytest.raises(OutcomeError, match="3 patients with the event"):
        draw_folds(table, Outcome.binary(np.arange(60) < 15), folds=5, repeats=1, seed=0)


def test_a_patient_with_both_outcomes_stays_whole():
    patient = tuple(f"p{i // 3:02d}" for i in range(60))
    table = table_of(np.zeros((60, 1)), patient=patient)
    for fold in draw_folds(table, Outcome.binary(np.arange(60) % 3 == 0), folds=5, repeats=4, seed=0):
        assert not {patient[i] for i in fold.train} & {patient[i] for i in fold.test}
