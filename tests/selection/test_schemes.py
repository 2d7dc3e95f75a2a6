from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.validation import schemes
from radiomics_pipeline.selection.validation.dates import read_dates, same_scale
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study, table_of

CENTRES = tuple("ABC"[i % 3] for i in range(60))
MODEL = make_pipeline(StandardScaler(), LogisticRegression())


def test_each_centre_is_left_out_in_turn_and_names_its_fold():
    table, outcome, _ = study()
    splits = schemes.leave_one_centre_out(table, outcome, CENTRES)
    assert [f.name for f in splits.folds] == ["A", "B", "C"]
    for fold in splits.folds:
        assert {CENTRES[i] for i in fold.test} == {fold.name}
        assert sorted([*fold.train, *fold.test]) == list(range(60))
    found = evaluate(MODEL, table, outcome, splits.folds)
    assert found.performance.n_folds == 3
    assert {row.fold_name for row in found.predictions} == {"A", "B", "C"}


def test_centres_of_numbers_are_in_the_order_of_numbers():
    table, outcome, _ = study()
    splits = schemes.leave_one_centre_out(table, outcome, [str(1 + 9 * (i % 2)) for i in range(60)])
    assert [f.name for f in splits.folds] == ["1", "10"]


def test_a_centre_of_one_class_is_predicted_but_has_no_score():
    table, _, _ = study()
    outcome = Outcome.binary([0.0 if i % 3 == 2 else float(i % 2) for i in range(60)])
    splits = schemes.leave_one_centre_out(table, outcome, CENTRES)
    assert splits.notes == ("centre 'C' (20 rows) is predicted, but has no score: all rows are of one class",)
    found = evaluate(MODEL, table, outcome, splits.folds)
    assert found.performance.n_folds == 2
    assert np.isnan(found.scores[2])
    assert len(found.predictions) == 60
    assert "1 of 3 folds: all rows of the test part are of one class" in found.metrics[0].note


@pytest.mark.parametrize(
    ("centre", "message"),
    [
        (("A",) * 60, "all rows are of centre 'A'"),
        (("A",) * 59 + (" ",), "1 rows have no centre"),
        (("A",) * 58 + ("B",) * 2, "the centres other than 'A'"),
        (("A",) * 50, "50 centres for 60 rows"),
    ],
)
def test_centres_that_give_no_splits_are_refused(centre, message):
    table, _, _ = study()
    with pytest.raises(OutcomeError, match=message):
        schemes.leave_one_centre_out(table, Outcome.binary(np.arange(60) % 2), centre)


def test_a_patient_of_two_centres_is_refused():
    table, outcome, _ = study()
    lesions = replace(table, patient=tuple(f"p{i // 2:02d}" for i in range(60)))
    with pytest.raises(OutcomeError, match="patient p00 stands in centre 'A' and in 'B'"):
        schemes.leave_one_centre_out(lesions, outcome, CENTRES)


def test_the_earlier_part_trains_and_the_later_is_tested():
    table, outcome, _ = study()
    dates = [f"{2010 + i % 10}-0{1 + i % 9}-15" for i in range(60)]
    splits = schemes.temporal(table, outcome, dates, cut="2016-01-01")
    (fold,) = splits.folds
    assert {dates[i][:4] for i in fold.train} == {str(y) for y in range(2010, 2016)}
    assert {dates[i][:4] for i in fold.test} == {str(y) for y in range(2016, 2020)}
    same = schemes.temporal(table, outcome, dates, cut="2016")
    assert same.folds[0].test.tolist() == fold.test.tolist()


def test_a_share_trains_on_the_earliest_patients_and_keeps_a_date_together():
    table, outcome, _ = study()
    dates = np.arange(60.0)[::-1].copy()
    (fold,) = schemes.temporal(table, outcome, dates, share=0.7).folds
    assert sorted(dates[fold.train]) == list(range(42))
    tied = np.floor(dates / 10)
    (fold,) = schemes.temporal(table, outcome, tied, share=0.7).folds
    assert set(tied[fold.train]) == {0, 1, 2, 3, 4}


def test_later_rows_of_patients_trained_on_are_left_out_of_both_parts():
    table, outcome, _ = study()
    lesions = replace(table, patient=tuple(f"p{i % 50:02d}" for i in range(60)))
    dates = np.arange(60.0)
    splits = schemes.temporal(lesions, outcome, dates, cut="40")
    (fold,) = splits.folds
    assert fold.train.tolist() == list(range(40))
    assert fold.test.tolist() == list(range(40, 50))
    assert "10 later rows of patients that are trained on" in splits.notes[1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cut": "2000"}, ParamsError, "0 rows are earlier"),
        ({"cut": "2012", "share": 0.5}, ParamsError, "either"),
        ({}, ParamsError, "either"),
        ({"cut": "2012-06-01"}, ParamsError, "cannot be compared"),
    ],
)
def test_temporal_cuts_that_do_not_split_are_refused(options, error, message):
    table, outcome, _ = study()
    with pytest.raises(error, match=message):
        schemes.temporal(table, outcome, [str(2010 + i % 10) for i in range(60)], **options)


def test_dates_are_read_in_one_precision_and_nothing_is_guessed():
    assert read_dates(["2020-03-04", "20200305", "2020-03-04T10:00"]).tolist() == [20200304, 20200305, 20200304]
    assert read_dates(["5", "300", "1200"]).tolist() == [5, 300, 1200]
    assert read_dates(["1999", "2001"]).tolist() == [19990000, 20010000]
    for bad, message in (
        (["03/04/2020"], "cannot be read"),
        (["2020-01-02", ""], "cannot be read"),
        (["2020-01", "2020-01-02"], "others only a month or year"),
        (["2020-13-40"], "cannot be read"),
    ):
        with pytest.raises(OutcomeError, match=message):
            read_dates(bad)
    assert same_scale("2020", ["2020-01-02"]) == 20200000
    assert same_scale("100", ["5", "300"]) == 100
    with pytest.raises(ParamsError, match="neither a number nor a date"):
        same_scale("spring", ["5", "300"])


def test_days_read_from_a_file_are_cut_by_a_date_and_numbers_of_another_scale_are_refused():
    table, outcome, _ = study()
    days = np.array([date(2019, 12, 1).toordinal() + i for i in range(60)], float)
    (fold,) = schemes.temporal(table, outcome, [str(d) for d in days], cut="2020-01-01").folds
    assert fold.train.tolist() == list(range(31))
    with pytest.raises(ParamsError, match="0 later"):
        schemes.temporal(table, outcome, np.arange(1960.0, 2020.0), cut="2020-01-01")


def test_an_external_table_is_tested_on_with_its_columns_in_the_order_of_the_training_table():
    table, outcome, _ = study()
    other, other_outcome, _ = study(n=40, seed=1)
    names = {key: tuple(f"x{v}" for v in getattr(other, key)) for key in ("case", "patient")}
    other = replace(other, **names, columns=other.columns[::-1], values=other.values[:, ::-1])
    whole = schemes.stack(table, other)
    assert whole.columns == table.columns
    np.testing.assert_array_equal(whole.values[60:], other.values[:, ::-1])
    both = schemes.stack_outcomes(outcome, other_outcome)
    splits = schemes.external(whole, both, 60)
    found = evaluate(MODEL, whole, both, splits.folds)
    model = clone(MODEL).fit(table.values, outcome.y)
    expected = model.predict_proba(other.values[:, ::-1])[:, 1]
    assert [row.prediction for row in found.predictions] == pytest.approx(expected.tolist())
    assert found.performance.lower < found.performance.mean < found.performance.upper


def test_external_tables_that_share_patients_lack_columns_or_differ_in_kind_are_refused():
    table, outcome, _ = study()
    with pytest.raises(TableError, match="60 patients stand in both tables"):
        schemes.external(schemes.stack(table, table), schemes.stack_outcomes(outcome, outcome), 60)
    with pytest.raises(TableError, match="lacks 1 columns of the training table: f029"):
        schemes.stack(table, replace(table, columns=table.columns[:-1], values=table.values[:, :-1]))
    with pytest.raises(OutcomeError, match=r"binary .* continuous"):
        schemes.stack_outcomes(outcome, Outcome.continuous(np.arange(60.0)))


def test_bootstrap_samples_are_of_patients_and_test_those_not_drawn():
    table, outcome, _ = study()
    lesions = replace(table, patient=tuple(f"p{i // 3:02d}" for i in range(60)))
    splits = schemes.bootstrap(lesions, outcome, draws=30, seed=0)
    sizes = []
    for fold in splits.folds:
        trained = {lesions.patient[i] for i in fold.train}
        tested = {lesions.patient[i] for i in fold.test}
        assert not trained & tested
        assert trained | tested == set(lesions.patient)
        counts = np.bincount(fold.train, minlength=60).reshape(20, 3)
        assert (counts == counts[:, :1]).all()
        assert len(fold.train) == 60
        sizes.append(len(trained) / 20)
    assert np.mean(sizes) == pytest.approx(1 - (1 - 1 / 20) ** 20, abs=0.04)
    again = schemes.bootstrap(lesions, outcome, draws=30, seed=0)
    assert [f.train.tolist() for f in again.folds] == [f.train.tolist() for f in splits.folds]


def test_bootstrap_samples_without_an_event_are_drawn_anew_and_a_hopeless_table_is_refused():
    table = table_of(np.zeros((30, 2)))
    splits = schemes.bootstrap(table, Outcome.binary(np.arange(30) < 3), draws=20, seed=0)
    assert "drawn anew" in splits.notes[0]
    with pytest.raises(OutcomeError, match="too small"):
        schemes.bootstrap(table, Outcome.binary(np.arange(30) < 1), draws=1, seed=0)


def test_parameters_choose_the_scheme_and_unknown_columns_are_refused():
    table, outcome, _ = study()
    columns = {"site": CENTRES, "when": [str(i) for i in range(60)]}
    draws = {
        "cross-validation": {},
        "leave-one-centre-out": {"centre": "site"},
        "temporal": {"date": "when", "date_cut": "40"},
    }
    counts = {}
    for scheme, options in draws.items():
        params = ValidationParams(scheme=scheme, repeats=2, **options)
        counts[scheme] = len(schemes.draw(params, table, outcome, seed=0, columns=columns).folds)
    assert counts == {"cross-validation": 10, "leave-one-centre-out": 3, "temporal": 1}
    external = ValidationParams(scheme="external")
    assert len(schemes.draw(external, table, outcome, seed=0, n_own=40).folds) == 1
    with pytest.raises(ParamsError, match="second table"):
        schemes.draw(external, table, outcome, seed=0)
    params = ValidationParams(scheme="leave-one-centre-out", centre="ward")
    with pytest.raises(ParamsError, match="'ward', which no table has"):
        schemes.draw(params, table, outcome, seed=0, columns=columns)


@pytest.mark.parametrize(
    "options",
    [
        {"scheme": "temporal", "date": "d"},
        {"scheme": "temporal", "date": "d", "date_cut": "2020", "date_share": 0.5},
        {"thresholds": (0.1, 0.1)},
        {"thresholds": (1.0,)},
        {"horizon": 0},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(options):
    with pytest.raises(ValidationError):
        ValidationParams(**options)
