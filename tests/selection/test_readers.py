import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sksurv.metrics import concordance_index_censored

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.outcomes.readers import reader_rows
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.oof_studies import oof_of


def binary(n=100, gain=1.5, repeats=1, seed=0):
    """An outcome, a plan that knows it with some error, and a reader who guesses."""
    rng = np.random.default_rng(seed)
    event = rng.random(n) < 0.4
    prediction = 1 / (1 + np.exp(-(gain * (event - 0.5) + rng.normal(size=(repeats, n)))))
    return Outcome.binary(event.astype(float)), prediction, rng.integers(1, 6, n).astype(float)


def test_areas_are_those_of_scikit_learn_and_the_test_is_delongs_by_hand():
    outcome, prediction, reader = binary(n=30)
    (row,) = reader_rows(oof_of(outcome, prediction), {"expert": reader})
    y, p = outcome.event, prediction[0]
    assert row.reader_value == pytest.approx(roc_auc_score(y, reader))
    assert row.plan_value == pytest.approx(roc_auc_score(y, p))
    single = auc_delong(np.column_stack([reader, p]), y)
    assert (row.reader_lower, row.reader_upper) == pytest.approx((single.lower[0], single.upper[0]))
    assert (row.plan_lower, row.plan_upper) == pytest.approx((single.lower[1], single.upper[1]))

    # the difference of the placements of every positive and every negative, from the definition
    def wins(s):
        return (s[y][:, None] > s[~y]) + 0.5 * (s[y][:, None] == s[~y])

    gap = wins(p) - wins(reader)
    variance = gap.mean(axis=1).var(ddof=1) / y.sum() + gap.mean(axis=0).var(ddof=1) / (~y).sum()
    assert row.difference == pytest.approx(gap.mean())
    assert row.upper - row.lower == pytest.approx(2 * 1.959963984540054 * variance**0.5)
    assert (row.n, row.events, row.metric, row.test) == (30, y.sum(), "auc", "DeLong")


def test_repeats_count_as_scores_of_the_same_rows_and_not_as_a_committee():
    outcome, prediction, reader = binary(repeats=4)
    (row,) = reader_rows(oof_of(outcome, prediction), {"expert": reader})
    areas = [roc_auc_score(outcome.event, p) for p in prediction]
    assert row.plan_value == pytest.approx(np.mean(areas))
    assert row.plan_value < roc_auc_score(outcome.event, prediction.mean(axis=0))
    (once,) = reader_rows(oof_of(outcome, prediction[:1]), {"expert": reader})
    (same,) = reader_rows(oof_of(outcome, np.repeat(prediction[:1], 4, axis=0)), {"expert": reader})
    assert (same.lower, same.upper, same.p) == pytest.approx((once.lower, once.upper, once.p))
    assert "mean over 4 repeats" in row.note


def test_missing_scores_leave_their_rows_out_of_that_comparison_alone():
    outcome, prediction, reader = binary()
    gaps = reader.copy()
    gaps[::4] = np.nan
    some, whole = reader_rows(oof_of(outcome, prediction), {"some": gaps, "whole": reader})
    kept = np.isfinite(gaps)
    assert (some.n, whole.n) == (75, 100)
    assert some.plan_value == pytest.approx(roc_auc_score(outcome.event[kept], prediction[0, kept]))
    assert "25 rows" in some.note
    (none,) = reader_rows(oof_of(outcome, prediction), {"none": np.full(100, np.nan)})
    assert np.isnan(none.p)
    assert "no pair" in none.note


def test_a_reader_as_good_as_the_plan_shows_no_difference_and_a_guesser_a_clear_one():
    outcome, prediction, reader = binary(n=150)
    same, guess = reader_rows(oof_of(outcome, prediction), {"same": prediction[0], "guess": reader})
    assert (same.difference, same.p) == (0.0, 1.0)
    assert guess.p < 1e-4
    assert guess.p_holm == pytest.approx(2 * guess.p)


def test_the_direction_of_a_score_is_declared_and_never_found():
    outcome, prediction, _ = binary()
    low = -prediction[0]
    (stands,) = reader_rows(oof_of(outcome, prediction), {"fraction": low})
    (turned,) = reader_rows(oof_of(outcome, prediction), {"fraction": low}, reversed_scores=("fraction",))
    assert stands.reader_value < 0.5
    assert "low scores go with the event" in stands.note
    assert turned.reader_value == pytest.approx(1 - stands.reader_value)
    assert "turned round" in turned.note


def test_rows_of_one_patient_are_taken_as_clustered_and_named():
    outcome, prediction, reader = binary(n=60)
    twice = np.repeat(np.arange(60), 2)
    (once,) = reader_rows(oof_of(outcome, prediction), {"expert": reader})
    names = [f"p{i:02d}" for i in twice]
    doubled = oof_of(outcome.rows(twice), prediction[:, twice], patient=names)
    (row,) = reader_rows(doubled, {"expert": reader[twice]})
    assert row.difference == pytest.approx(once.difference)
    assert row.p == pytest.approx(once.p, rel=0.05)
    assert "120 rows of 60 patients" in row.note


def test_noise_differs_from_noise_no_more_often_than_chance():
    p = []
    for seed in range(200):
        outcome, prediction, reader = binary(n=60, gain=0.0, repeats=2, seed=seed)
        p.append(reader_rows(oof_of(outcome, prediction), {"expert": reader})[0].p)
    assert abs(np.mean(np.array(p) < 0.05) - 0.05) < 3.5 * (0.05 * 0.95 / 200) ** 0.5


def timed(n=80, gain=1.0, seed=0):
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    time, lost = rng.exponential(size=n) * np.exp(-gain * risk), 2 * rng.exponential(size=n)
    return Outcome.survival(np.minimum(time, lost), (time <= lost).astype(float)), risk, rng.normal(size=n)


def test_concordances_are_those_of_scikit_survival_with_bootstrap_intervals():
    outcome, risk, reader = timed()
    predictions = oof_of(outcome, [risk, risk + 0.1])
    (row,) = reader_rows(predictions, {"expert": reader}, draws=200)
    wanted = [concordance_index_censored(outcome.event, outcome.time, v)[0] for v in (reader, risk)]
    assert (row.reader_value, row.plan_value) == pytest.approx(wanted)
    assert row.lower < row.difference < row.upper
    assert row.p < 0.02
    assert row.metric == "c_index"
    assert row == reader_rows(predictions, {"expert": reader}, draws=200)[0]
    (same,) = reader_rows(predictions, {"same": risk}, draws=50)
    assert (same.difference, same.p) == (0.0, 1.0)


def test_rows_with_a_competing_event_count_as_never_having_the_event():
    outcome, risk, reader = timed()
    rng = np.random.default_rng(1)
    cause = np.where(outcome.event, rng.integers(1, 3, 80), 0)
    (row,) = reader_rows(oof_of(Outcome.competing(outcome.time, cause), risk), {"expert": reader}, draws=20)
    never = np.where(cause == 2, 100.0, outcome.time)
    assert row.plan_value == pytest.approx(concordance_index_censored(cause == 1, never, risk)[0])
    assert row.events == (cause == 1).sum()


def test_concordances_of_noise_differ_no_more_often_than_chance():
    p = []
    for seed in range(60):
        outcome, _, reader = timed(n=50, gain=0.0, seed=seed)
        other = np.random.default_rng([2, seed]).normal(size=50)
        p.append(reader_rows(oof_of(outcome, other), {"expert": reader}, draws=100)[0].p)
    assert np.mean(np.array(p) < 0.05) < 0.15


def test_net_reclassification_is_counted_at_the_cuts_given():
    outcome = Outcome.binary([1, 1, 1, 1, 0, 0, 0, 0])
    reader = np.array([1, 1, 5, 5, 1, 1, 5, 5.0])
    plan = np.array([0.9, 0.2, 0.9, 0.1, 0.1, 0.8, 0.1, 0.2])
    (row,) = reader_rows(oof_of(outcome, plan), {"expert": reader}, cuts={"expert": ([3], [0.5])})
    # events: one up, one down; others: one up, two down
    assert (row.nri_events, row.nri_nonevents) == (0.0, 0.25)
    assert np.isnan(row.idi)  # a scale of 1 to 5 is no probability
    chance = np.array([0.6, 0.4, 0.5, 0.5, 0.3, 0.2, 0.4, 0.1])
    (row,) = reader_rows(oof_of(outcome, plan), {"expert": chance})
    slope = plan[:4].mean() - plan[4:].mean() - (chance[:4].mean() - chance[4:].mean())
    assert row.idi == pytest.approx(slope)
    assert np.isnan(row.nri_events)


def test_what_does_not_fit_is_refused():
    outcome, prediction, reader = binary()
    predictions = oof_of(outcome, prediction)
    with pytest.raises(TableError, match="99 scores for 100 rows"):
        reader_rows(predictions, {"expert": reader[1:]})
    with pytest.raises(ParamsError, match="did you mean 'expert'"):
        reader_rows(predictions, {"expert": reader}, reversed_scores=("exprt",))
    with pytest.raises(ParamsError, match="rising"):
        reader_rows(predictions, {"expert": reader}, cuts={"expert": ([3, 2], [0.1, 0.2])})
    assert reader_rows(oof_of(Outcome.continuous(np.arange(100.0)), prediction), {"expert": reader}) == ()
