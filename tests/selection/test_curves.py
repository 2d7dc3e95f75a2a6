import numpy as np
import pytest
import statsmodels.api as sm
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.outcomes.curves import calibration_rows, decision_rows, known_at
from radiomics_pipeline.stats.decision_curve import net_benefit
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.oof_studies import oof_of


def binary(n=300, stretch=1.0, shift=0.0, repeats=1, seed=0):
    """Probabilities whose logits are stretched and shifted against the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    event = rng.random(n) < expit(truth)
    noise = 0.05 * rng.normal(size=(repeats, n)) if repeats > 1 else 0.0
    return Outcome.binary(event.astype(float)), np.atleast_2d(expit(stretch * truth + shift + noise))


def part(rows, name):
    return [r for r in rows if r.part == name]


def test_slope_and_intercept_are_those_of_statsmodels():
    outcome, p = binary(stretch=2.0, shift=0.5)
    rows = calibration_rows(oof_of(outcome, p), draws=20)
    x, y = logit(p[0]), outcome.value
    slope = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
    large = sm.GLM(y, np.ones(300), family=sm.families.Binomial(), offset=x).fit()
    (row,) = part(rows, "slope")
    assert (row.value, row.lower, row.upper) == pytest.approx((slope.params[1], *slope.conf_int()[1]), rel=1e-6)
    assert row.upper < 1  # stretched probabilities are overfitted ones
    (row,) = part(rows, "intercept")
    assert (row.value, row.lower, row.upper) == pytest.approx((large.params[0], *large.conf_int()[0]), rel=1e-6)
    (row,) = part(rows, "expected_observed")
    assert row.value == pytest.approx(p.sum() / y.sum())
    assert row.lower < row.value < row.upper


def test_true_probabilities_are_calibrated_and_stretched_ones_are_not():
    good, bad = ((calibration_rows(oof_of(*binary(n=600, stretch=s)), draws=40)) for s in (1.0, 3.0))
    (slope,), (index,) = part(good, "slope"), part(good, "ici")
    assert slope.lower < 1 < slope.upper
    assert index.value < 0.04
    assert part(bad, "ici")[0].lower > index.upper
    x, y = (np.array([getattr(r, k) for r in part(good, "curve")]) for k in ("predicted", "value"))
    middle = (x > 0.2) & (x < 0.8)
    assert np.abs(y - x)[middle].max() < 0.08
    steep = np.array([[r.predicted, r.value] for r in part(bad, "curve")])
    assert steep[-1, 1] < steep[-1, 0] - 0.03
    assert steep[1, 1] > steep[1, 0] + 0.03


def test_the_index_and_the_curve_are_those_of_lowess():
    outcome, p = binary()
    rows = calibration_rows(oof_of(outcome, p), draws=20)
    line = sm.nonparametric.lowess(outcome.value, p[0], frac=0.75, it=0, delta=0, return_sorted=False)
    line = np.clip(line, 0, 1)
    (index,) = part(rows, "ici")
    assert index.value == pytest.approx(np.abs(line - p[0]).mean(), abs=1e-9)
    assert index.lower < index.value + 0.02
    curve = np.array([[r.predicted, r.value, r.lower, r.upper] for r in part(rows, "curve")])
    order = np.argsort(p[0])
    between = np.interp(curve[:, 0], p[0][order], line[order])
    inner = (between > 0.02) & (between < 0.98)  # held within 0 and 1 beyond
    assert curve[inner, 1] == pytest.approx(between[inner], abs=2e-3)
    assert (curve[:, 2] <= curve[:, 3]).all()


def test_groups_are_those_of_scikit_learn_with_wilsons_interval():
    outcome, p = binary()
    rows = part(calibration_rows(oof_of(outcome, p), draws=2), "group")
    observed, predicted = calibration_curve(outcome.event, p[0], n_bins=10, strategy="quantile")
    assert [r.value for r in rows] == pytest.approx(observed)
    assert [r.predicted for r in rows] == pytest.approx(predicted)
    first = rows[0]
    assert first.n == 30
    wanted = proportion_confint(round(first.value * 30), 30, method="wilson")
    assert (first.lower, first.upper) == pytest.approx(wanted)
    assert [r.group for r in rows] == list(range(1, 11))


def test_repeats_are_averaged():
    outcome, p = binary(repeats=3)
    together = calibration_rows(oof_of(outcome, p), draws=2)
    single = [calibration_rows(oof_of(outcome, q), draws=2) for q in p]
    for name in ("slope", "intercept", "expected_observed", "ici"):
        assert part(together, name)[0].value == pytest.approx(np.mean([part(s, name)[0].value for s in single]))
    last = part(together, "group")[-1]
    assert last.value == pytest.approx(np.mean([part(s, "group")[-1].value for s in single]))
    assert last.repeats == 3


def test_perfect_separation_and_constant_predictions_say_why_there_is_no_slope():
    outcome = Outcome.binary([0] * 10 + [1] * 10)
    apart = calibration_rows(oof_of(outcome, np.linspace(0.05, 0.95, 20)), draws=3)
    (row,) = part(apart, "slope")
    assert np.isnan(row.value)
    assert "separate" in row.note
    same = calibration_rows(oof_of(outcome, np.full(20, 0.5)), draws=3)
    assert "the same" in part(same, "slope")[0].note
    assert part(same, "intercept")[0].value == pytest.approx(0)
    assert part(same, "ici")[0].value == pytest.approx(0, abs=1e-6) or np.isnan(part(same, "ici")[0].value)


def test_scores_that_are_no_probabilities_have_no_rows():
    outcome, p = binary()
    assert calibration_rows(oof_of(outcome, logit(p))) == ()
    assert decision_rows([oof_of(outcome, logit(p))]) == ()
    assert calibration_rows(oof_of(Outcome.continuous(np.arange(9.0)), np.full(9, 0.5))) == ()


def timed(n=400, seed=0, competing=False):
    """Times whose event-free share at time 1 is known of every row."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(size=n) - 0.5)
    time, lost = rng.exponential(size=n) / rate, 3 * rng.exponential(size=n)
    event = (time <= lost).astype(float)
    if competing:
        event = np.where(event == 1, rng.integers(1, 3, n), 0)
        return Outcome.competing(np.minimum(time, lost), event), 1 - (1 - np.exp(-rate)) / 2
    return Outcome.survival(np.minimum(time, lost), event), np.exp(-rate)


@pytest.mark.parametrize("competing", [False, True])
def test_survival_at_the_horizon_is_compared_with_the_curve_of_each_group(competing):
    outcome, alive = timed(competing=competing)
    rows = calibration_rows(oof_of(outcome, -alive, survival=alive), 1.0, draws=50)
    groups = part(rows, "group")
    assert len(groups) == 5
    place = np.searchsorted(np.quantile(1 - alive, [0.2, 0.4, 0.6, 0.8]), 1 - alive, side="left")
    for k, row in enumerate(groups):
        own = place == k
        if competing:
            curve = AalenJohansenFitter(calculate_variance=False).fit(
                outcome.time[own], outcome.value[own].astype(int), event_of_interest=1
            )
            wanted = float(curve.predict(1.0))
        else:
            wanted = 1 - KaplanMeierFitter().fit(outcome.time[own], outcome.event[own]).predict(1.0)
        assert row.value == pytest.approx(wanted)
        assert row.predicted == pytest.approx((1 - alive[own]).mean())
        assert row.lower < row.value < row.upper
        assert row.horizon == 1.0
    (ratio,) = part(rows, "expected_observed")
    assert ratio.lower < 1 < ratio.upper
    low = calibration_rows(oof_of(outcome, -alive, survival=alive**3), 1.0, draws=50)
    assert part(low, "expected_observed")[0].lower > 1
    assert calibration_rows(oof_of(outcome, -alive), 1.0) == ()


def test_net_benefit_is_that_of_the_definition():
    outcome, p = binary()
    rows = decision_rows([oof_of(outcome, p)])
    assert len(rows) == 3 * 99
    y = outcome.event
    for row in rows:
        t = row.threshold
        treated = {"plan": p[0] >= t, "all": np.full(300, True), "none": np.full(300, False)}[row.plan]
        wanted = (treated & y).mean() - (treated & ~y).mean() * t / (1 - t)
        assert row.net_benefit == pytest.approx(wanted)
        assert row.treated == pytest.approx(treated.mean())
        if row.plan == "plan":
            assert wanted == pytest.approx(net_benefit(p[0], y, t))
        everyone = y.mean() - (~y).mean() * t / (1 - t)
        assert row.gain == pytest.approx(wanted - max(everyone, 0))


def test_the_interval_of_the_net_benefit_is_that_of_the_bootstrap():
    outcome, p = binary(repeats=2)
    (row,) = [r for r in decision_rows([oof_of(outcome, p)], [0.4]) if r.plan == "plan"]
    rng = np.random.default_rng(0)
    y, drawn = outcome.event, []
    for _ in range(2000):
        k = rng.integers(0, 300, 300)
        drawn.append(np.mean([(y[k] & (q[k] >= 0.4)).mean() - (~y[k] & (q[k] >= 0.4)).mean() * 2 / 3 for q in p]))
    assert (row.upper - row.lower) / 3.92 == pytest.approx(np.std(drawn), rel=0.06)


def test_noise_is_worth_no_more_than_treating_all_or_none_and_a_good_plan_is():
    rng = np.random.default_rng(3)
    outcome, p = binary()
    good, noise = oof_of(outcome, p, plan="good"), oof_of(outcome, rng.permutation(p[0]), plan="noise")
    rows = decision_rows([good, noise], [0.3, 0.5])
    assert [r.plan for r in rows] == ["good"] * 2 + ["all"] * 2 + ["none"] * 2 + ["noise"] * 2
    assert all(r.gain_lower > 0 for r in rows if r.plan == "good")
    assert all(r.gain < 0 and r.gain_lower < 0 for r in rows if r.plan == "noise")


def test_timed_net_benefit_without_censoring_is_that_of_the_status_at_the_horizon():
    rng = np.random.default_rng(4)
    time = rng.exponential(size=200)
    outcome, alive = Outcome.survival(time, np.ones(200)), rng.random(200)
    status = Outcome.binary((time <= 1).astype(float))
    timed_rows = decision_rows([oof_of(outcome, -alive, survival=alive)], [0.2, 0.6], 1.0)
    plain = decision_rows([oof_of(status, 1 - alive)], [0.2, 0.6])
    for one, two in zip(timed_rows, plain, strict=True):
        assert (one.net_benefit, one.lower, one.upper) == pytest.approx((two.net_benefit, two.lower, two.upper))
        assert one.horizon == 1.0


def test_rows_lost_before_the_horizon_are_stood_for_by_those_known():
    outcome, alive = timed(n=4000)
    event, free = known_at(outcome, 1.0)
    assert event.mean() == pytest.approx(
        1 - KaplanMeierFitter().fit(outcome.time, outcome.event).predict(1.0), abs=1e-3
    )
    assert event.mean() + free.mean() == pytest.approx(1, abs=2e-3)
    lost = (outcome.value == 0) & (outcome.time <= 1)
    assert (event[lost] + free[lost] == 0).all()
    with pytest.raises(ParamsError, match="horizon"):
        known_at(outcome, 1e6)
    (row,) = decision_rows([oof_of(outcome, -alive, survival=alive)], [0.5], 1e6)
    assert "nobody is followed" in row.note
    assert np.isnan(row.net_benefit)
    (ratio, *groups) = calibration_rows(oof_of(outcome, -alive, survival=alive), 1e6, draws=3)
    assert np.isnan(ratio.value)
    assert "not followed" in ratio.note
    assert all((np.isnan(r.value) and r.note) or r.value == 1 for r in groups)  # 1: the last one followed had the event


def test_rows_of_one_patient_widen_the_intervals():
    outcome, p = binary(n=100)
    twice = np.repeat(np.arange(100), 2)
    names = [f"p{k:03d}" for k in twice]
    alone = oof_of(outcome.rows(twice), p[:, twice])
    clustered = oof_of(outcome.rows(twice), p[:, twice], patient=names)
    width = [np.array([r.upper - r.lower for r in decision_rows([o], [0.4])])[0] for o in (alone, clustered)]
    assert width[1] == pytest.approx(width[0] * 2**0.5, rel=0.02)
    once, doubled = (calibration_rows(o, draws=50) for o in (oof_of(outcome, p), clustered))
    for name in ("slope", "expected_observed"):
        (a,), (b,) = part(once, name), part(doubled, name)
        assert b.value == pytest.approx(a.value)
        assert b.upper - b.lower == pytest.approx(a.upper - a.lower, rel=0.3)
    assert all(np.isnan(r.lower) for r in part(doubled, "group"))


def test_rows_that_no_fold_tested_count_nowhere():
    outcome, p = binary(n=100)
    fold = np.ones(100, int)
    fold[60:] = 0
    some = p.copy()
    some[:, 60:] = np.nan
    outer = oof_of(outcome, some, fold)
    own = oof_of(outcome.rows(np.arange(60)), p[:, :60], fold[:60])
    for one, two in zip(decision_rows([outer]), decision_rows([own]), strict=True):
        assert (one.net_benefit, one.n) == (two.net_benefit, 60)
    wanted = calibration_rows(own, draws=2)
    for one, two in zip(calibration_rows(outer, draws=2), wanted, strict=True):
        assert (one.value, one.n) == pytest.approx((two.value, two.n))


def test_thresholds_and_rows_that_do_not_fit_are_refused():
    outcome, p = binary()
    with pytest.raises(ParamsError, match="between 0 and 1"):
        decision_rows([oof_of(outcome, p)], [0.0])
    other = Outcome.binary(1 - outcome.value)
    with pytest.raises(ParamsError, match="same rows"):
        decision_rows([oof_of(outcome, p), oof_of(other, p, plan="b")])
    assert decision_rows([]) == ()
