import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, lasso_path
from sksurv.linear_model import CoxnetSurvivalAnalysis

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.steps.artificial import permuted_columns
from radiomics_pipeline.selection.steps.calibrated_stability import CalibratedStability, calibrated_threshold
from radiomics_pipeline.selection.steps.l1_paths import (
    entry_order,
    first_penalty,
    first_to_enter,
    lasso_coefficients,
    standardised,
)
from radiomics_pipeline.selection.steps.penalised_choice import PenalisedChoice
from radiomics_pipeline.selection.steps.stability import Stability, entries_for, false_positive_bound, halves
from radiomics_pipeline.selection.steps.target import read_target
from tests.selection.selector_studies import KINDS, lesions, planted


def path_of(kind, n=100, columns=30):
    X, y = planted(kind, n=n, columns=columns)
    Z, target = standardised(X), read_target(y, kind, n)
    return Z, y, target, first_penalty(Z, target) * np.geomspace(1.0, 0.2, 8)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_held_at_the_first_penalty_and_something_just_below(kind):
    Z, _, target, _ = path_of(kind)
    first = first_penalty(Z, target)
    held = lasso_coefficients(Z, target, first * np.array([1.0001, 0.98]))
    assert not held[0].any()
    assert held[1].any()


def test_paths_equal_those_of_scikit_learn_and_scikit_survival():
    Z, y, target, penalties = path_of("binary")
    found = lasso_coefficients(Z, target, penalties)
    for k in (3, 7):
        twin = LogisticRegression(C=1 / (100 * penalties[k]), l1_ratio=1.0, solver="saga", tol=1e-7, max_iter=100_000)
        np.testing.assert_allclose(found[k], np.abs(twin.fit(Z, y).coef_[0]), atol=2e-3)
    Z, y, target, penalties = path_of("continuous")
    scaled = (y - y.mean()) / y.std()
    twin = lasso_path(Z, scaled, alphas=penalties, tol=1e-9)[1].T
    np.testing.assert_allclose(lasso_coefficients(Z, target, penalties), np.abs(twin), atol=2e-3)
    Z, y, target, penalties = path_of("survival")
    twin = CoxnetSurvivalAnalysis(alphas=penalties[1:], l1_ratio=1.0, tol=1e-9, max_iter=10**6).fit(Z, y).coef_.T
    np.testing.assert_allclose(lasso_coefficients(Z, target, penalties)[1:], np.abs(twin), atol=2e-3)


def test_columns_come_in_the_order_in_which_the_path_takes_them():
    held = np.array([[0, 0, 0, 0], [0, 2, 1, 0], [3, 0, 2, 0]], float)
    assert entry_order(held).tolist() == [1, 2, 0]
    Z, _, target, _ = path_of("binary")
    assert set(first_to_enter(Z, target, 3).tolist()) == {0, 1, 2}
    assert len(first_to_enter(Z, target, 20)) == 20


def test_the_bound_is_that_of_meinshausen_and_buhlmann():
    # their theorem 1: E(V) <= q^2 / ((2 pi - 1) p); at pi = 0.9 and q = sqrt(0.8 p) it is 1
    assert false_positive_bound(np.sqrt(0.8 * 1000), 1000, 0.9) == pytest.approx(1.0)
    for columns, threshold, bound in ((1000, 0.75, 1.0), (50, 0.6, 2.0), (5000, 0.9, 0.5)):
        q = entries_for(columns, threshold, bound)
        assert q**2 / ((2 * threshold - 1) * columns) <= bound < (q + 1) ** 2 / ((2 * threshold - 1) * columns)
    X, y = planted("binary", n=40, columns=3)
    few = Stability(pairs=2, false_positives=0.1).fit(X, y)
    assert (few.q_, few.bound_) == (1, pytest.approx(1 / 1.5))
    assert entries_for(4, 0.9, 100.0) == 4


def test_fewer_irrelevant_columns_than_the_bound_are_kept_on_noise():
    kept = []
    for seed in range(12):
        X, y = planted("binary", n=80, columns=150, effect=0.0, seed=seed)
        found = Stability(pairs=15, threshold=0.6, false_positives=1.0).fit(X, y)
        kept.append(0 if found.nothing_found_ else len(found.order_))
        assert found.mean_entered_ == pytest.approx(found.q_)
        assert found.bound_ <= 1.0
    assert np.mean(kept) <= 1.0


def test_frequencies_are_counts_of_halves_that_take_a_column_first():
    X, y = planted("binary", n=120, columns=40, effect=2.0)
    found = Stability(pairs=4, seed=9).fit(X, y)
    target, counts = read_target(y, "binary", 120), np.zeros(40)
    for half in halves(target, np.arange(120), 4, 9):
        for column in first_to_enter(standardised(X[half]), target.rows(half), found.q_):
            counts[column] += 1
    np.testing.assert_array_equal(found.frequencies_, counts / 8)
    np.testing.assert_array_equal(np.sort(found.order_), np.flatnonzero(counts / 8 >= 0.75))
    assert {0, 1, 2} <= set(found.order_.tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_halves_are_complementary_and_keep_patients_and_events_shared_out(kind):
    _, y = planted(kind, n=90, columns=3)
    target, patient = read_target(y, kind, 90), np.repeat(np.arange(30), 3)
    drawn = list(halves(target, patient, 5, 0))
    assert len(drawn) == 10
    for one, two in zip(drawn[::2], drawn[1::2], strict=True):
        assert sorted([*one, *two]) == list(range(90))
        assert not set(patient[one]) & set(patient[two])
        assert abs(len(one) - len(two)) <= 6
        if kind != "continuous":
            assert target.rows(one).event.any()
            assert target.rows(two).event.any()
    assert any(set(a) != set(b) for a, b in zip(drawn[::2], drawn[2::2], strict=False))


def test_one_event_is_too_few_for_halves():
    X = np.random.default_rng(0).normal(size=(20, 4))
    with pytest.raises(OutcomeError, match="need one each"):
        Stability(pairs=2).fit(X, np.arange(20) == 3)
    with pytest.raises(OutcomeError, match="need one each"):
        CalibratedStability(pairs=2).fit(X, np.repeat([0, 1], 10), patient=np.repeat([0, 1], 10))


def test_patients_matter_where_rows_repeat():
    X, y, patient = lesions(columns=120)
    rows, patients = Stability(pairs=10).fit(X, y), Stability(pairs=10).fit(X, y, patient=patient)
    assert rows.support_.sum() > patients.support_.sum()
    assert rows.frequencies_.max() > patients.frequencies_.max() - 0.2


def slow_threshold(real, artificial):
    best, chosen = np.inf, 1.0
    for t in sorted({float(r) for r in real if r > 0}, reverse=True):
        surrogate = (1 + sum(a >= t for a in artificial)) / sum(r >= t for r in real)
        if surrogate < best:
            best, chosen = surrogate, t
    return chosen, best


def test_the_threshold_minimises_the_surrogate_of_false_discoveries():
    assert calibrated_threshold(np.array([0.9, 0.8, 0.3, 0.1]), np.array([0.3, 0.2, 0.1, 0.0])) == (0.8, 0.5)
    rng = np.random.default_rng(0)
    for _ in range(30):
        real, artificial = rng.integers(0, 21, 40) / 20, rng.integers(0, 15, 40) / 20
        assert calibrated_threshold(real, artificial) == slow_threshold(real, artificial)
    assert calibrated_threshold(np.zeros(3), np.zeros(3)) == (1.0, np.inf)


@pytest.mark.parametrize("kind", KINDS)
def test_planted_columns_pass_the_calibrated_threshold_and_artificial_ones_mostly_do_not(kind):
    X, y = planted(kind, n=150, columns=80, effect=2.0)
    found = CalibratedStability(pairs=10, kind=kind).fit(X, y)
    assert {0, 1, 2} <= set(found.order_.tolist())
    assert found.surrogate_ <= 0.5
    assert (found.frequencies_[found.order_] >= found.threshold_).all()
    assert (1 + (found.artificial_ >= found.threshold_).sum()) / (
        found.frequencies_ >= found.threshold_
    ).sum() == pytest.approx(found.surrogate_)


def test_few_columns_of_noise_are_kept():
    kept, published = [], []
    for seed in range(8):
        X, y = planted("binary", n=60, columns=150, effect=0.0, seed=seed)
        kept.append(CalibratedStability(pairs=8).fit(X, y).support_.sum())
        published.append(CalibratedStability(pairs=8, max_surrogate=1.0).fit(X, y).support_.sum())
    assert np.median(kept) <= 2
    assert np.mean(kept) <= np.mean(published)


def test_a_shuffled_copy_holds_the_same_values_and_whole_patients():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 5))
    copy = permuted_columns(X, np.arange(12), np.random.default_rng(1))
    np.testing.assert_array_equal(np.sort(copy, axis=0), np.sort(X, axis=0))
    assert not (copy == X).all(axis=0).any()
    patient = np.array([2, 0, 1, 2, 0, 1, 3, 3])
    inside = np.column_stack([patient, patient]).astype(float)
    copy = permuted_columns(inside, patient, np.random.default_rng(2))
    for column in copy.T:
        assert all(len(set(column[patient == g])) == 1 for g in range(4))
    assert (copy != inside).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_lasso_holds_planted_columns_and_no_more_than_asked(kind):
    X, y = planted(kind, n=150, columns=40, effect=2.0)
    for ratios in ((1.0,), (0.3, 0.7)):
        found = PenalisedChoice(ratios, keep=4, kind=kind).fit(X, y)
        assert {0, 1, 2} <= set(found.order_.tolist())
        assert len(found.order_) <= 4
        assert (found.scores_[found.order_] > 0).all()


def test_a_lasso_that_holds_nothing_keeps_the_best_column_alone():
    empty = 0
    for seed in range(6):
        X, y = planted("continuous", n=60, columns=40, effect=0.0, seed=seed)
        found = PenalisedChoice().fit(X, y)
        if found.nothing_found_:
            empty += 1
            ranks = [abs(np.corrcoef(np.argsort(np.argsort(x)), np.argsort(np.argsort(y)))[0, 1]) for x in X.T]
            assert found.order_.tolist() == [int(np.argmax(ranks))]
    assert empty >= 2


def test_inner_folds_of_a_lasso_keep_patients_together():
    X, y, patient = lesions(columns=60)
    number = y + 0.01 * np.random.default_rng(0).normal(size=len(y))
    for outcome in (y, number):
        rows = PenalisedChoice(keep=None).fit(X, outcome)
        patients = PenalisedChoice(keep=None).fit(X, outcome, patient=patient)
        assert patients.support_.sum() < rows.support_.sum()


def test_wrong_settings_are_refused():
    X, y = planted("binary", n=40, columns=4)
    for selector, message in (
        (Stability(threshold=0.5), "threshold is 0.5"),
        (Stability(pairs=0), "pairs is 0"),
        (Stability(false_positives=0.0), "false_positives is 0"),
        (CalibratedStability(smallest=2.0), "smallest is 2"),
        (CalibratedStability(max_surrogate=0.0), "max_surrogate is 0"),
        (PenalisedChoice((0.0,)), "l1_ratios is 0"),
        (PenalisedChoice(keep=0), "keep is 0"),
    ):
        with pytest.raises(ParamsError, match=message):
            selector.fit(X, y)
