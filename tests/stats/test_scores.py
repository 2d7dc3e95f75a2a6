import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.stats import scores


def binary(seed, n=50):
    rng = np.random.default_rng(seed)
    event = rng.permutation(np.arange(n) < n // 3)
    return np.round(rng.random(n), 2), event


def classes(seed, n=60, k=4):
    rng = np.random.default_rng(seed)
    p = np.round(rng.dirichlet(np.ones(k), n), 2)
    p[:, -1] = 1 - p[:, :-1].sum(axis=1)
    return np.clip(p, 0, 1), rng.permutation(np.arange(n) % k)


@pytest.mark.parametrize("seed", range(4))
def test_scores_of_two_classes_equal_scikit_learn(seed):
    p, event = binary(seed)
    assert scores.brier(p, event).value == pytest.approx(metrics.brier_score_loss(event, p), abs=1e-14)
    inner = np.clip(p, 0.01, 0.99)
    assert scores.log_loss(inner, event).value == pytest.approx(metrics.log_loss(event, inner), abs=1e-14)
    assert scores.brier_skill(p, event, 0.3).value == pytest.approx(
        1 - metrics.brier_score_loss(event, p) / metrics.brier_score_loss(event, np.full(len(p), 0.3)), abs=1e-13
    )


@pytest.mark.parametrize("seed", range(4))
def test_scores_of_several_classes_equal_scikit_learn(seed):
    p, codes = classes(seed)
    truth = np.eye(4)[codes]
    assert scores.brier_classes(p, codes).value == pytest.approx(((p - truth) ** 2).sum() / len(p), abs=1e-14)
    inner = (p + 0.01) / (p + 0.01).sum(axis=1, keepdims=True)
    assert scores.log_loss_classes(inner, codes).value == pytest.approx(metrics.log_loss(codes, inner), abs=1e-12)
    assert scores.hand_till(p, codes).value == pytest.approx(
        metrics.roc_auc_score(codes, p, multi_class="ovo", average="macro"), abs=1e-12
    )
    found = p.argmax(axis=1)
    assert scores.quadratic_kappa(found, codes, 4).value == pytest.approx(
        metrics.cohen_kappa_score(found, codes, weights="quadratic"), abs=1e-12
    )


def test_scores_of_quantities_equal_scikit_learn_and_scipy():
    rng = np.random.default_rng(1)
    truth = np.round(rng.normal(size=40), 1)
    found = np.round(truth + rng.normal(size=40), 1)
    assert scores.mae(found, truth).value == pytest.approx(metrics.mean_absolute_error(truth, found))
    assert scores.rmse(found, truth).value == pytest.approx(metrics.root_mean_squared_error(truth, found))
    assert scores.r2(found, truth, float(truth.mean())).value == pytest.approx(metrics.r2_score(truth, found))
    assert scores.spearman(found, truth).value == pytest.approx(spearmanr(found, truth).statistic, abs=1e-13)


def test_r2_is_against_the_training_mean_and_so_zero_for_predicting_it():
    truth = np.array([1.0, 2, 6])
    assert scores.r2(np.full(3, 5.0), truth, 5.0).value == 0
    assert scores.r2(np.full(3, 3.0), truth, 5.0).value > 0


def test_two_classes_in_two_columns_score_twice_the_brier_score():
    p, event = binary(7)
    both = np.column_stack([1 - p, p])
    assert scores.brier_classes(both, event.astype(int)).value == pytest.approx(2 * scores.brier(p, event).value)
    assert scores.hand_till(both, event.astype(int)).value == pytest.approx(metrics.roc_auc_score(event, p))
    assert scores.brier_skill_classes(both, event.astype(int), np.array([0.7, 0.3])).value == pytest.approx(
        scores.brier_skill(p, event, 0.3).value
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_predicting_the_prior_has_no_skill_and_certainty_has_all(seed):
    _, event = binary(seed, 12)
    assert scores.brier_skill(np.full(12, 0.4), event, 0.4).value == pytest.approx(0, abs=1e-14)
    assert scores.brier_skill(event.astype(float), event, 0.4).value == 1


def test_one_sure_mistake_costs_much_and_not_everything():
    assert scores.log_loss(np.array([0.0, 0.5]), np.array([True, False])).value == pytest.approx(
        (-np.log(1e-15) + np.log(2)) / 2
    )


def test_what_cannot_be_scored_is_nan_with_a_reason():
    none = np.zeros(5, bool)
    for found, reason in (
        (scores.brier_skill(np.full(5, 0.1), none, 0.0), "one class"),
        (scores.brier_skill_classes(np.tile([0.5, 0.5], (3, 1)), np.zeros(3, int), np.array([1.0, 0])), "one class"),
        (scores.hand_till(np.tile([0.2, 0.3, 0.5], (3, 1)), np.array([0, 1, 1])), "no row of class 2"),
        (scores.quadratic_kappa(np.ones(4, int), np.ones(4, int), 3), "one class in every row"),
        (scores.r2(np.arange(3.0), np.ones(3), 1.0), "mean of the training rows"),
        (scores.spearman(np.ones(4), np.arange(4.0)), "predictions are the same"),
        (scores.spearman(np.arange(4.0), np.ones(4)), "one outcome"),
        (scores.spearman(np.arange(2.0), np.arange(2.0)), "three rows"),
    ):
        assert np.isnan(found.value)
        assert reason in found.note


def test_a_single_class_still_has_a_brier_score():
    assert scores.brier(np.full(3, 0.1), np.zeros(3, bool)).value == pytest.approx(0.01)
    assert scores.brier_skill(np.full(3, 0.1), np.zeros(3, bool), 0.2).value == pytest.approx(0.75)


def test_two_rows_are_enough_for_every_mean():
    p, event = np.array([0.2, 0.9]), np.array([0, 1])
    assert scores.brier(p, event).value == pytest.approx((0.04 + 0.01) / 2)
    assert scores.rmse(p, p).value == 0


@pytest.mark.parametrize(
    ("p", "event", "said"),
    [
        ([0.1, np.nan], [0, 1], "missing"),
        ([0.1, 1.2], [0, 1], "within 0 and 1"),
        ([0.1, 0.2], [0, 2], "other than 0 and 1"),
        ([0.1], [0, 1], "2 rows"),
        ([], [], "at least one row"),
    ],
)
def test_arrays_that_are_no_probabilities_and_outcomes_are_refused(p, event, said):
    with pytest.raises(TableError, match=said):
        scores.brier(np.array(p), np.array(event))


def test_class_arrays_and_pairs_that_do_not_fit_are_refused():
    with pytest.raises(TableError, match="sum 1"):
        scores.brier_classes(np.array([[0.5, 0.4]]), np.array([0]))
    with pytest.raises(TableError, match="0 to 1"):
        scores.brier_classes(np.array([[0.5, 0.5]]), np.array([2]))
    with pytest.raises(TableError, match="of shape"):
        scores.hand_till(np.array([0.5, 0.5]), np.array([0, 1]))
    with pytest.raises(TableError, match="0 to 2"):
        scores.quadratic_kappa(np.array([3]), np.array([0]), 3)
    with pytest.raises(TableError, match="1 predicted"):
        scores.quadratic_kappa(np.array([1]), np.array([0, 1]), 3)
    with pytest.raises(TableError, match="prior shares"):
        scores.brier_skill_classes(np.array([[0.5, 0.5]]), np.array([0]), np.array([0.5, 0.6]))
    with pytest.raises(TableError, match="prior share of events"):
        scores.brier_skill(np.array([0.5]), np.array([1]), 1.5)
    with pytest.raises(TableError, match="shape"):
        scores.mae(np.zeros(2), np.zeros(3))
    with pytest.raises(TableError, match="missing"):
        scores.mae(np.array([np.nan]), np.zeros(1))
