import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import somersd, spearmanr
from sklearn import metrics as sk
from sksurv.metrics import (
    brier_score,
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.nonparametric import kaplan_meier_estimator

from radiomics_pipeline.selection.validation import class_scores, timed_scores
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.selection.validation.metrics import METRICS, metrics_of, primary, score
from radiomics_pipeline.stats import calibration
from radiomics_pipeline.types.outcome import KINDS, Outcome


def binary(n=80, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.4).astype(float)
    p = np.clip(0.4 + 0.2 * (y - 0.4) + 0.2 * rng.normal(size=n), 0.02, 0.98).round(2)
    outcome = Outcome.binary(y)
    training = Outcome.binary((rng.random(100) < 0.3).astype(float))
    return Held(outcome, training, p, np.column_stack([1 - p, p]), cut=0.35)


def classes(kind="multiclass", n=90, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, n)
    p = rng.random((n, 3)).round(2) + np.eye(3)[codes] + 0.01
    p /= p.sum(axis=1, keepdims=True)
    make = Outcome.multiclass if kind == "multiclass" else Outcome.ordinal
    outcome = make([str(c) for c in codes])
    return Held(outcome, outcome, p @ np.arange(3.0), p)


def timed(n=120, seed=0, ties=False, causes=1):
    """Test rows and training rows; curves of any shape."""
    rng = np.random.default_rng(seed)

    def one(m):
        event, lost = rng.exponential(10, m), rng.uniform(5, 30, m)
        time = np.minimum(event, lost)
        time = np.ceil(time) if ties else time
        value = np.where(event <= lost, 1 + rng.integers(0, causes, m), 0)
        return Outcome.survival(time, value) if causes == 1 else Outcome.competing(time, value)

    test, training = one(n), one(200)
    times = np.linspace(1, 14, 30)
    rate = rng.exponential(0.1, n)
    curves = np.exp(-rate[:, None] * times[None, :])
    return Held(test, training, rate.round(2), None, curves, times, float(times[15]), float(times[-1]))


def test_every_kind_has_metrics_and_names_are_unique_within_a_kind():
    for kind in KINDS:
        names = [m.name for m in metrics_of(kind, (0.1, 0.2))]
        assert len(names) == len(set(names)) > 3
    assert [primary(kind).name for kind in KINDS] == ["auc", "r2", "auc", "somers_d", "c_index", "c_index"]
    assert [m.name for m in metrics_of("binary", (0.1, 0.25))][-2:] == ["net_benefit@0.1", "net_benefit@0.25"]


def test_binary_metrics_are_those_of_scikit_learn():
    held = binary()
    y, p = held.outcome.y, held.probability[:, 1]
    assert class_scores.auc(held) == pytest.approx(sk.roc_auc_score(y, p), abs=1e-12)
    assert class_scores.brier(held) == pytest.approx(sk.brier_score_loss(y, p), abs=1e-12)
    assert class_scores.log_loss(held) == pytest.approx(sk.log_loss(y, p), abs=1e-12)
    assert class_scores.balanced_accuracy(held) == pytest.approx(sk.balanced_accuracy_score(y, p >= 0.35), abs=1e-12)
    base = np.full(len(y), held.training.value.mean())
    expected = 1 - sk.brier_score_loss(y, p) / sk.brier_score_loss(y, base)
    assert class_scores.brier_skill(held) == pytest.approx(expected, abs=1e-12)


def test_net_benefit_is_that_of_its_definition_and_of_treating_all():
    held = binary()
    y, p = held.outcome.y == 1, held.probability[:, 1]
    treated = p >= 0.3
    expected = (np.sum(treated & y) - np.sum(treated & ~y) * 0.3 / 0.7) / len(y)
    assert class_scores.net_benefit(held, 0.3) == pytest.approx(expected)
    assert class_scores.net_benefit(held, 0.01) == pytest.approx(y.mean() - (1 - y.mean()) * 0.01 / 0.99)


def test_calibration_is_that_of_statsmodels():
    held = binary(n=200)
    y, p = held.outcome.y, held.probability[:, 1]
    x = np.log(p / (1 - p))
    slope = sm.Logit(y, sm.add_constant(x)).fit(disp=0)
    large = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=x).fit()
    assert class_scores.recalibrated(held) == pytest.approx((slope.params[1], slope.bse[1]), abs=1e-7)
    assert class_scores.in_the_large(held) == pytest.approx((large.params[0], large.bse[0]), abs=1e-7)


def test_calibration_of_equal_and_of_separating_predictions_says_why_there_is_none():
    held = binary()
    flat = Held(held.outcome, held.training, probability=np.full((80, 2), 0.5))
    sure = Held(held.outcome, held.training, probability=np.eye(2)[held.outcome.y] * 0.8 + 0.1)
    assert class_scores.calibration_slope(flat) == calibration.SAME
    assert "separate" in class_scores.calibration_slope(sure)


def test_metrics_of_several_classes_are_those_of_scikit_learn_and_scipy():
    held = classes()
    y, p = held.outcome.y, held.probability
    expected = sk.roc_auc_score(y, p, multi_class="ovo", average="macro")
    assert class_scores.hand_till(held) == pytest.approx(expected, abs=1e-12)
    assert class_scores.log_loss(held) == pytest.approx(sk.log_loss(y, p), abs=1e-12)
    assert class_scores.brier(held) == pytest.approx(((p - np.eye(3)[y]) ** 2).sum(axis=1).mean(), abs=1e-12)
    ordinal = classes("ordinal")
    assert class_scores.somers_d(ordinal) == pytest.approx(
        somersd(ordinal.outcome.y, ordinal.risk).statistic, abs=1e-12
    )
    kappa = sk.cohen_kappa_score(y, p.argmax(axis=1), weights="quadratic")
    assert class_scores.quadratic_kappa(ordinal) == pytest.approx(kappa, abs=1e-12)


def test_metrics_of_numbers_follow_their_definitions():
    rng = np.random.default_rng(0)
    outcome, training = Outcome.continuous(rng.normal(size=40)), Outcome.continuous(rng.normal(1, 1, size=90))
    held = Held(outcome, training, outcome.value + rng.normal(size=40))
    found = {m.name: score(m, held)[0] for m in metrics_of("continuous")}
    error = outcome.value - held.risk
    assert found["r2"] == pytest.approx(1 - (error**2).sum() / ((outcome.value - training.value.mean()) ** 2).sum())
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(outcome.value, held.risk))
    assert found["mae"] == pytest.approx(np.abs(error).mean())
    assert found["spearman"] == pytest.approx(spearmanr(outcome.value, held.risk).statistic)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_timed_metrics_are_those_of_scikit_survival(seed):
    """Without ties: of an event and a censoring at one time scikit-survival weighs the event as if it came after."""
    held = timed(seed=seed, ties=False)
    y, training = held.outcome.y, held.training.y
    c = concordance_index_censored(y["event"], y["time"], held.risk)[0]
    assert timed_scores.c_index(held) == pytest.approx(c, abs=1e-12)
    uno = concordance_index_ipcw(training, y, held.risk, tau=held.limit)[0]
    assert timed_scores.c_ipcw(held) == pytest.approx(uno, abs=1e-10)
    area = cumulative_dynamic_auc(training, y, held.risk, [held.horizon])[0][0]
    assert timed_scores.auc_horizon(held) == pytest.approx(area, abs=1e-10)
    score_at = brier_score(training, y, held.survival[:, [15]], [held.horizon])[1][0]
    assert timed_scores.brier_horizon(held) == pytest.approx(score_at, abs=1e-10)
    whole = integrated_brier_score(training, y, held.survival, held.times)
    assert timed_scores.integrated_brier(held) == pytest.approx(whole, abs=1e-10)
    at, km = kaplan_meier_estimator(training["event"], training["time"])
    expected = np.array([km[at <= t][-1] if (at <= t).any() else 1.0 for t in held.times])
    reference = integrated_brier_score(training, y, np.tile(expected, (120, 1)), held.times)
    assert timed_scores.integrated_brier_skill(held) == pytest.approx(1 - whole / reference, abs=1e-9)


def test_a_row_with_a_competing_event_never_has_the_event_of_interest():
    time = np.array([2.0, 3, 4, 5])
    outcome = Outcome.competing(time, [2, 1, 1, 1])  # nothing is censored: weights are 1
    training = Outcome.competing(np.arange(1.0, 21), np.arange(20) % 2 + 1)
    held = Held(outcome, training, np.array([0.9, 0.8, 0.1, 0.2]), horizon=3.5, limit=6.0)
    pairs = [(1, 2), (1, 3), (2, 3), (1, 0), (2, 0), (3, 0)]
    expected = np.mean([held.risk[i] > held.risk[j] for i, j in pairs])
    assert timed_scores.c_index(held) == pytest.approx(expected)
    assert timed_scores.c_ipcw(held) == pytest.approx(expected)
    assert timed_scores.auc_horizon(held) == pytest.approx(np.mean([r < 0.8 for r in (0.9, 0.1, 0.2)]))
    curves = np.array([[0.9], [0.2], [0.7], [0.8]])
    held = Held(outcome, training, held.risk, None, curves, np.array([3.5]), 3.5, 3.5)
    expected = np.mean([0.1**2, 0.2**2, 0.3**2, 0.2**2])
    assert timed_scores.brier_horizon(held) == pytest.approx(expected)


def test_metrics_weighted_for_censoring_agree_with_uncensored_truth():
    """With long follow-up the weighted Brier score is the plain one of the truth at the horizon."""
    rng = np.random.default_rng(5)
    event, lost = rng.exponential(10, 6000), rng.uniform(2, 40, 6000)
    value = np.where(event <= lost, rng.integers(1, 3, 6000), 0)
    outcome = Outcome.competing(np.minimum(event, lost), value)
    held = Held(outcome, outcome, None, None, np.full((6000, 1), 0.6), np.array([8.0]), 8.0, 8.0)
    happened = (1 - np.exp(-0.8)) / 2
    assert timed_scores.brier_horizon(held) == pytest.approx(happened * 0.36 + (1 - happened) * 0.16, abs=0.004)


def test_too_little_follow_up_is_said_and_never_a_number():
    held = timed()
    short = Held(held.outcome, held.training, held.risk, None, held.survival, held.times, 100.0, 100.0)
    for metric in metrics_of("survival"):
        value, why = score(metric, short)
        if metric.name != "c_index" and metric.name != "c_ipcw":
            assert np.isnan(value)
            assert "followed up to" in why
    few = held.rows(np.flatnonzero(held.outcome.time < 10))
    assert not few.outcome.event.all()
    assert "test part is followed up to" in score(METRICS[-2], few)[1]
    none = held.rows(np.flatnonzero(~held.outcome.event))
    assert "no event" in timed_scores.auc_horizon(none)
    assert "no comparable pair" in timed_scores.c_index(none)


def test_a_plan_without_probabilities_or_curves_has_reasons_instead_of_metrics():
    held = binary()
    bare = Held(held.outcome, held.training, held.risk)
    reasons = {m.name: score(m, bare)[1] for m in metrics_of("binary", (0.2,))}
    assert reasons["auc"] == ""
    assert all("no probabilities" in why for name, why in reasons.items() if name != "auc")
    times = timed()
    bare = Held(times.outcome, times.training, times.risk, horizon=5, limit=10)
    assert "no survival curves" in score(METRICS[-2], bare)[1]


def test_a_test_part_of_one_class_has_no_auc():
    held = binary()
    one = held.rows(np.flatnonzero(held.outcome.event))
    reasons = {m.name: score(m, one) for m in metrics_of("binary")}
    assert np.isnan(reasons["auc"][0])
    assert reasons["auc"][1] == class_scores.ONE_CLASS
    assert np.isfinite(reasons["brier"][0])
