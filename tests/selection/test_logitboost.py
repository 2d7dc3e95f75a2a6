import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.selection.learners.logitboost import LARGEST, LogitBoost, best_stump, boost, sort_columns


@parametrize_with_checks([LogitBoost()])
def test_logitboost_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


def slow_stump(x, weight, weighted, least):
    """Every cut of every column, one after the other; the error that the best one leaves, and where it is."""
    found = (np.inf, 0, 0.0)
    response = weighted / weight
    for j in range(x.shape[1]):
        missing = np.isnan(x[:, j])
        values = np.unique(x[~missing, j])
        for a, b in itertools.pairwise(values):
            low = ~missing & (x[:, j] <= (a + b) / 2)
            high = ~missing & ~low
            if min(low.sum(), high.sum()) < least:
                continue
            error = 0.0
            for leaf in (low, high, missing):
                if leaf.any():
                    mean = np.average(response[leaf], weights=weight[leaf])
                    error += (weight[leaf] * (response[leaf] - mean) ** 2).sum()
            if error < found[0] - 1e-12:
                found = (error, j, (a + b) / 2)
    return found


@pytest.mark.parametrize("holes", [0.0, 0.3])
@pytest.mark.parametrize("ties", [False, True])
def test_the_stump_is_the_best_of_all_columns_and_cuts(holes, ties):
    for seed in range(10):
        rng = np.random.default_rng([seed, ties])
        x = rng.normal(size=(30, 6))
        x = np.round(x) if ties else x
        x[rng.random(x.shape) < holes] = np.nan
        weight, residual = rng.uniform(0.05, 0.25, 30), rng.normal(size=30) * 0.1
        found = best_stump(sort_columns(x, 4), weight, residual)
        error, column, cut = slow_stump(x, weight, residual, 4)
        assert (found.column, found.cut) == (column, pytest.approx(cut))
        left = (weight * (residual / weight - found(x)) ** 2).sum()
        assert left == pytest.approx(error, rel=1e-9)


def test_a_round_is_a_newton_step_of_the_log_likelihood_in_each_leaf():
    x, y = np.repeat([0.0, 1.0], 10)[:, None], np.array([0] * 8 + [1] * 2 + [0] * 3 + [1] * 7)
    start, stumps = boost(x, y, 2, 1, 1.0, 1)
    p = y.mean()
    assert start == pytest.approx([np.log(p / (1 - p))])
    stump = stumps[0][0]
    assert stump.low == pytest.approx((0.2 - p) / (p * (1 - p)))
    assert stump.high == pytest.approx((0.7 - p) / (p * (1 - p)))
    start, stumps = boost(x, y, 2, 60, 1.0, 1)
    model = LogitBoost(rounds=60, shrinkage=1.0, inner_folds=0).fit(x, y)
    np.testing.assert_allclose(model.predict_proba([[0.0], [1.0]])[:, 1], [0.2, 0.7], atol=1e-6)


def test_several_classes_come_to_the_shares_of_each_leaf():
    x, y = np.repeat([0.0, 1.0], 20)[:, None], np.array([0] * 10 + [1] * 5 + [2] * 5 + [0] * 2 + [1] * 4 + [2] * 14)
    p = LogitBoost(rounds=200, shrinkage=0.5, inner_folds=0).fit(x, y).predict_proba([[0.0], [1.0]])
    np.testing.assert_allclose(p, [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], atol=1e-3)


def test_leaves_are_bounded_and_a_rare_class_keeps_its_share():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 4)), np.arange(400) < 12
    model = LogitBoost(inner_folds=0).fit(x, y)
    leaves = [leaf for stumps in model.stumps_ for s in stumps for leaf in (s.low, s.high)]
    assert np.abs(leaves).max() <= LARGEST
    assert model.predict_proba(x)[:, 1].mean() == pytest.approx(0.03, abs=0.004)


def test_missing_cells_that_tell_of_the_outcome_are_used_and_unknown_ones_change_nothing():
    rng = np.random.default_rng(1)
    y = np.arange(80) % 2
    x = rng.normal(size=(80, 3))
    x[y == 1, 1] = np.where(rng.random(40) < 0.7, np.nan, x[y == 1, 1])
    model = LogitBoost().fit(x, y)
    assert roc_auc_score(y, model.predict_proba(x)[:, 1]) > 0.75
    full = LogitBoost().fit(np.nan_to_num(x), y)
    assert np.isfinite(full.predict_proba(np.full((1, 3), np.nan))).all()


def test_rounds_are_those_of_the_smallest_loss_left_out_and_columns_used_are_named():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 30))
    y = (2 * (x[:, 4] > 0) + 2 * (x[:, 7] > 0.5) - 1.5 + rng.logistic(size=200) > 0).astype(int)
    model = LogitBoost().fit(x, y)
    assert model.rounds_ == model.loss_.argmin() == len(model.stumps_)
    assert {4, 7} <= set(model.selected_)
    assert len(model.selected_) < 25
    assert LogitBoost().fit(x[:, 10:20], rng.permutation(y)).rounds_ < 15


def test_columns_that_cannot_be_cut_leave_the_shares():
    model = LogitBoost(inner_folds=0).fit(np.ones((20, 2)), np.arange(20) % 4 == 0)
    np.testing.assert_allclose(model.predict_proba(np.ones((1, 2))), [[0.75, 0.25]])
    assert len(model.selected_) == 0


def test_neither_units_nor_the_order_of_rows_matter():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 5)), (rng.random(60) < 0.4).astype(int)
    order = rng.permutation(60)
    first = LogitBoost(inner_folds=0).fit(x, y).predict_proba(x)
    second = LogitBoost(inner_folds=0).fit(1e4 * x[order] + 5, y[order]).predict_proba(1e4 * x + 5)
    np.testing.assert_allclose(first, second, atol=1e-9)
