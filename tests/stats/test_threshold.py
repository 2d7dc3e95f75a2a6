import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, roc_curve
from statsmodels.stats.proportion import proportion_confint

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.threshold import choose_cut, diagnose
from radiomics_pipeline.stats.wilson import wilson


def scores(seed, n=40):
    rng = np.random.default_rng(seed)
    event = rng.permutation(np.arange(n) < n // 3)
    return np.round(rng.normal(size=n) + event, 1), event


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(4, 40))
def test_the_best_cuts_are_as_good_as_the_best_point_of_scikit_learns_curve(seed, n):
    score, event = scores(seed, n)
    false, true, _ = roc_curve(event, score, drop_intermediate=False)
    if len(set(score)) < 2:
        return
    youden, closest = choose_cut(score, event), choose_cut(score, event, "closest")
    inner = slice(1, -1)  # cuts that call somebody positive and somebody negative
    assert youden.sensitivity + youden.specificity == pytest.approx((true - false)[inner].max() + 1)
    assert np.hypot(1 - closest.sensitivity, 1 - closest.specificity) == pytest.approx(
        np.hypot(1 - true, false)[inner].min()
    )
    for cut in (youden, closest):
        called = score >= cut.value
        assert (cut.sensitivity, cut.specificity) == pytest.approx((called[event].mean(), (~called)[~event].mean()))
        assert cut.value not in score or np.spacing(cut.value) > 0


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_a_wanted_sensitivity_or_specificity_is_reached_at_the_least_cost(seed, target):
    score, event = scores(seed)
    levels = np.unique(score)
    cuts = np.concatenate([levels[:1], (levels[1:] + levels[:-1]) / 2])
    table = [((score >= c)[event].mean(), (score < c)[~event].mean()) for c in cuts]
    found = choose_cut(score, event, "sensitivity", target)
    assert found.sensitivity >= target - 1e-12
    assert found.specificity == pytest.approx(max(b for a, b in table if a >= target - 1e-12))
    other = choose_cut(score, event, "specificity", target)
    enough = [a for a, b in table if b >= target - 1e-12]
    if enough:
        assert other.sensitivity == pytest.approx(max(enough))
    else:
        assert np.isnan(other.value)
        assert "no cut" in other.note


def test_of_equally_good_cuts_the_one_with_even_errors_is_taken():
    # cuts 1.5 and 3.5 have the sum 1.5, the first with sensitivity 1, the second with specificity 1
    score, event = np.array([1.0, 2, 3, 4]), np.array([0, 1, 0, 1])
    found = choose_cut(score, event)
    assert (found.value, found.sensitivity, found.specificity) == (1.5, 1.0, 0.5)


def test_perfect_separation_is_cut_in_the_middle_of_the_gap():
    found = choose_cut(np.array([1.0, 2, 8, 9]), np.array([0, 0, 1, 1]))
    assert (found.value, found.sensitivity, found.specificity) == (5.0, 1.0, 1.0)
    two = choose_cut(np.array([0.0, 1]), np.array([0, 1]))
    assert two.value == 0.5


def test_neighbours_in_floating_point_are_still_told_apart():
    score = np.array([1.0, np.nextafter(1.0, 2)])
    found = choose_cut(score, np.array([0, 1]))
    assert ((score >= found.value) == [False, True]).all()


def test_where_nothing_can_be_chosen_the_cut_is_nan_with_a_reason():
    assert "one class" in choose_cut(np.arange(3.0), np.zeros(3)).note
    assert "the same" in choose_cut(np.ones(3), np.array([0, 1, 0])).note
    found = diagnose(np.arange(3.0), np.array([0, 1, 0]), float("nan"))
    assert np.isnan(found.sensitivity.value)
    assert found.note == "no cut was chosen"


@pytest.mark.parametrize("seed", range(4))
def test_shares_and_intervals_equal_scikit_learn_and_statsmodels(seed):
    score, event = scores(seed)
    found = diagnose(score, event, 0.45)
    called = score >= 0.45
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(event, called))
    for share, hits, n in (
        (found.sensitivity, (called & event).sum(), event.sum()),
        (found.specificity, (~called & ~event).sum(), (~event).sum()),
        (found.ppv, (called & event).sum(), called.sum()),
        (found.npv, (~called & ~event).sum(), (~called).sum()),
        (found.accuracy, (called == event).sum(), len(event)),
    ):
        assert share.value == pytest.approx(hits / n)
        assert (share.lower, share.upper) == pytest.approx(proportion_confint(hits, n, method="wilson"))
    low = np.hypot(found.sensitivity.value - found.sensitivity.lower, found.specificity.value - found.specificity.lower)
    assert found.balanced_accuracy.lower == pytest.approx(found.balanced_accuracy.value - low / 2)
    assert 0 <= found.balanced_accuracy.lower < found.balanced_accuracy.upper <= 1


def test_a_single_class_leaves_the_other_share_undefined_and_named():
    found = diagnose(np.array([0.1, 0.9]), np.array([0, 0]), 0.5)
    assert np.isnan([found.sensitivity.value, found.sensitivity.lower, found.balanced_accuracy.value]).all()
    assert found.specificity.value == 0.5
    assert found.note == "no row to count for sensitivity"
    none = diagnose(np.array([0.1, 0.2]), np.array([0, 1]), 0.5)
    assert "positive predictive value" in none.note
    assert np.isnan(none.ppv.value)


def test_wilson_reaches_the_ends_and_is_undefined_without_a_trial():
    lower, upper = wilson(np.array([0, 10, 5, 0]), np.array([10, 10, 10, 0]))
    assert (lower[0], upper[1]) == (0, 1)
    assert upper[0] == pytest.approx(proportion_confint(0, 10, method="wilson")[1])
    assert lower[2] + upper[2] == pytest.approx(1)
    assert np.isnan([lower[3], upper[3]]).all()


def test_wilson_covers_near_its_level_close_to_zero():
    hits = np.random.default_rng(1).binomial(40, 0.05, 4000)
    lower, upper = wilson(hits, 40)
    assert 0.92 < ((lower <= 0.05) & (upper >= 0.05)).mean() < 0.98


def test_rules_targets_and_scores_that_cannot_be_are_refused():
    score, event = scores(0)
    with pytest.raises(ParamsError, match="rule"):
        choose_cut(score, event, "best")
    with pytest.raises(ParamsError, match="target"):
        choose_cut(score, event, "sensitivity", 1.5)
    with pytest.raises(TableError, match="missing"):
        diagnose(np.array([np.nan, 1]), np.array([0, 1]), 0.5)
