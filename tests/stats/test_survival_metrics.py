import numpy as np
import pytest
from sksurv.metrics import (
    brier_score,
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.selection.validation import timed_scores
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.stats.survival_metrics import (
    FollowUp,
    auc_at,
    auc_over_time,
    brier_at,
    c_harrell,
    c_uno,
    integrated_brier,
    integrated_brier_skill,
)
from radiomics_pipeline.types.outcome import Outcome

TIMES = np.array([0.2, 0.4, 0.6, 0.9])


def parts(seed=0, causes=1, n=(150, 90), *, whole=False, censoring=1.2):
    """Training and test part, risks and curves; `whole`: times as whole numbers, many of them alike."""
    rng = np.random.default_rng(seed)
    out = []
    for size in n:
        risk = rng.normal(size=size)
        times = [rng.exponential(size=size) * np.exp(-0.8 * risk)]
        times += [1.5 * rng.exponential(size=size) * np.exp(0.5 * risk) for _ in range(causes - 1)]
        lost = censoring * rng.exponential(size=size)
        if whole:
            times, lost = [np.ceil(6 * t) for t in times], np.ceil(6 * lost)
        first = np.min(times, axis=0)
        cause = np.where(lost < first, 0, np.argmin(times, axis=0) + 1)
        out.append((np.minimum(first, lost), cause, risk, first, np.argmin(times, axis=0) + 1))
    return out


def follow_up(seed=0, **settings):
    training, test = parts(seed, **settings)
    return FollowUp(training[0], training[1], test[0], test[1]), test[2], training, test


def structured(part):
    y = np.empty(len(part[0]), dtype=[("event", "?"), ("time", "<f8")])
    y["event"], y["time"] = part[1] == 1, part[0]
    return y


def curves(risk, times):
    return np.exp(-np.exp(0.6 * risk)[:, None] * np.asarray(times)[None, :])


def test_c_equals_scikit_survival():
    part, risk, training, test = follow_up()
    assert c_harrell(part, risk).value == pytest.approx(
        concordance_index_censored(test[1] == 1, test[0], risk)[0], abs=1e-12
    )
    twin = concordance_index_ipcw(structured(training), structured(test), risk, tau=0.9)[0]
    assert c_uno(part, risk, 0.9).value == pytest.approx(twin, abs=1e-12)


def test_auc_over_time_equals_scikit_survival():
    part, risk, training, test = follow_up()
    values, mean = cumulative_dynamic_auc(structured(training), structured(test), risk, TIMES)
    found = auc_over_time(part, risk, TIMES)
    np.testing.assert_allclose(found.values, values, atol=1e-12)
    assert found.mean.value == pytest.approx(mean, abs=1e-12)
    assert auc_at(part, risk, TIMES[2]).value == pytest.approx(values[2], abs=1e-12)


def test_brier_scores_equal_scikit_survival():
    training, test = parts()
    risk = test[2]
    # scikit-survival asks for weights of all test times, those past the last score too
    test = np.minimum(test[0], 1.0), np.where(test[0] > 1, 0, test[1])
    part = FollowUp(training[0], training[1], test[0], test[1])
    predicted = curves(risk, TIMES)
    _, scores = brier_score(structured(training), structured(test), predicted, TIMES)
    assert [brier_at(part, predicted[:, k], t).value for k, t in enumerate(TIMES)] == pytest.approx(scores, abs=1e-12)
    twin = integrated_brier_score(structured(training), structured(test), predicted, TIMES)
    assert integrated_brier(part, predicted, TIMES).value == pytest.approx(twin, abs=1e-12)


@pytest.mark.parametrize("causes", [1, 2])
def test_values_equal_those_that_evaluate_gives(causes):
    part, risk, training, test = follow_up(causes=causes)
    make = Outcome.competing if causes > 1 else Outcome.survival
    held = Held(
        outcome=make(test[0], test[1]),
        training=make(training[0], training[1]),
        risk=risk,
        survival=curves(risk, TIMES),
        times=TIMES,
        horizon=0.6,
        limit=0.9,
    )
    assert timed_scores.c_index(held) == pytest.approx(c_harrell(part, risk).value, abs=1e-12)
    assert timed_scores.c_ipcw(held) == pytest.approx(c_uno(part, risk, 0.9).value, abs=1e-12)
    assert timed_scores.auc_horizon(held) == pytest.approx(auc_at(part, risk, 0.6).value, abs=1e-12)
    assert timed_scores.brier_horizon(held) == pytest.approx(
        brier_at(part, curves(risk, [0.6])[:, 0], 0.6).value, abs=1e-12
    )
    assert timed_scores.integrated_brier(held) == pytest.approx(
        integrated_brier(part, curves(risk, TIMES), TIMES).value, abs=1e-12
    )


def truth(test, risk, at, predicted):
    """Brier score, AUC and C as they would be were nobody lost."""
    _, _, _, first, cause = test
    event = (first <= at) & (cause == 1)
    brier = np.mean(np.where(event, predicted**2, (1 - predicted) ** 2))
    pairs = risk[event][:, None] - risk[~event][None, :]
    case = np.flatnonzero((first < at) & (cause == 1))
    later = (first[None, :] > first[case][:, None]) | ((cause[None, :] > 1) & (first[None, :] <= first[case][:, None]))
    ahead = risk[case][:, None] > risk[None, :]
    return brier, (pairs > 0).mean(), ahead[later].mean()


@pytest.mark.parametrize("causes", [1, 2])
@pytest.mark.parametrize("whole", [False, True])
def test_weights_undo_the_censoring_with_and_without_ties_and_competing_events(causes, whole):
    """The mean over studies is what would be seen without censoring; weights of events at G itself would fail."""
    at = 4.0 if whole else 0.6
    gaps = []
    for seed in range(150):
        part, risk, _, test = follow_up(seed, causes=causes, n=(300, 200), whole=whole)
        predicted = np.exp(-0.7 * np.exp(0.6 * risk) * (at / 6 if whole else at))
        found = brier_at(part, predicted, at).value, auc_at(part, risk, at).value, c_uno(part, risk, at).value
        gaps.append(np.array(found) - truth(test, risk, at, predicted))
    error = np.std(gaps, axis=0) / np.sqrt(len(gaps))
    assert (np.abs(np.mean(gaps, axis=0)) < 3.5 * error + 5e-4).all()


def test_a_constant_risk_has_an_auc_and_c_of_one_half():
    part, risk, *_ = follow_up()
    same = np.zeros(len(risk))
    assert {c_harrell(part, same).value, c_uno(part, same).value, auc_at(part, same, 0.5).value} == {0.5}


def test_a_perfect_forecast_and_the_training_curve_mark_the_ends_of_skill():
    part, _, _, test = follow_up(censoring=1e9)
    perfect = (test[3][:, None] > TIMES[None, :]).astype(float)
    assert integrated_brier_skill(part, perfect, TIMES).value == 1
    base = np.array([(part.training_time > t).mean() for t in TIMES])
    assert integrated_brier_skill(part, np.tile(base, (90, 1)), TIMES).value == pytest.approx(0, abs=1e-12)


def test_too_little_follow_up_has_no_value_and_a_reason():
    training = np.array([1.0, 2, 3, 4, 5]), np.array([1, 0, 1, 1, 0])
    part = FollowUp(*training, np.array([1.0, 2, 8]), np.array([1, 0, 1]))
    assert part.limit == 4
    late = auc_at(part, np.arange(3.0), 6.0)
    assert np.isnan(late.value)
    assert "followed up to 5 only" in late.reason
    assert "nobody is followed beyond 5" in brier_at(part, np.full(3, 0.5), 5.0).reason
    assert "no event of the test part" in c_uno(part, np.arange(3.0), 0.5).reason
    short = FollowUp(*training, np.array([1.0, 2, 2]), np.array([1, 0, 0]))
    assert short.limit == 2
    assert "test part is followed up to 2 only" in brier_at(short, np.full(3, 0.5), 3.0).reason
    assert "no row of the test part is followed" in auc_at(short, np.arange(3.0), 2.5).reason
    assert np.isnan(integrated_brier(short, np.full((3, 2), 0.5), np.array([3.0, 3.5])).value)
    known = integrated_brier(short, np.full((3, 3), 0.5), np.array([0.5, 1.5, 3.0]))
    assert (known.until, known.reason) == (1.5, "")
    assert integrated_brier_skill(short, np.full((3, 2), 0.5), np.array([3.0, 3.5])).reason


def test_a_part_that_nobody_leaves_is_known_for_ever():
    part = FollowUp(np.array([1.0, 2, 3]), np.ones(3), np.array([1.0, 2]), np.ones(2))
    assert part.limit == 2
    assert brier_at(part, np.array([0.0, 0.0]), 2.5).value == 0


def test_without_comparable_pairs_there_is_a_reason():
    part = FollowUp(np.array([1.0, 2, 3]), np.array([1, 1, 0]), np.array([1.0, 1.0]), np.array([1, 1]))
    assert "no comparable pair" in c_harrell(part, np.arange(2.0)).reason
    assert np.isnan(c_uno(part, np.arange(2.0), 1.5).value)


def test_the_unit_of_time_does_not_matter():
    training, test = parts()
    one = FollowUp(training[0], training[1], test[0], test[1])
    two = FollowUp(training[0] * 365.25, training[1], test[0] * 365.25, test[1])
    assert c_uno(one, test[2], 0.9).value == c_uno(two, test[2], 0.9 * 365.25).value
    predicted = curves(test[2], TIMES)
    assert integrated_brier(one, predicted, TIMES).value == pytest.approx(
        integrated_brier(two, predicted, TIMES * 365.25).value, rel=1e-12
    )


def test_what_is_no_risk_or_probability_is_refused():
    part, risk, *_ = follow_up()
    with pytest.raises(TableError, match="none missing"):
        c_uno(part, np.where(risk > 1, np.nan, risk))
    with pytest.raises(TableError, match="within 0 and 1"):
        brier_at(part, np.full(len(risk), 1.2), 0.5)
    with pytest.raises(TableError, match="4 times"):
        integrated_brier(part, np.full((len(risk), 3), 0.5), TIMES)
    with pytest.raises(TableError, match="whole numbers"):
        FollowUp(np.ones(2), np.array([0.5, 1]), np.ones(2), np.ones(2))
