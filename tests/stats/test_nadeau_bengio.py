import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_rel

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.holm import holm
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval, corrected_t_test
from radiomics_pipeline.stats.permutation_p import permutation_p


def pair(seed, n=15):
    rng = np.random.default_rng(seed)
    return rng.normal(0.75, 0.05, n), rng.normal(0.72, 0.05, n)


def test_without_a_test_share_it_is_the_paired_t_test_of_scipy():
    first, second = pair(1)
    found, expected = corrected_t_test(first, second, 0.0), ttest_rel(first, second)
    assert (found.statistic, found.p, found.df) == pytest.approx((expected.statistic, expected.pvalue, expected.df))
    interval = expected.confidence_interval()
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high))


def test_the_overlap_of_the_folds_widens_the_interval_by_its_formula():
    first, second = pair(2)
    difference, n = first - second, 15
    error = np.sqrt(difference.var(ddof=1) * (1 / n + 1 / 4))
    found = corrected_t_test(first, second, 1 / 4)
    assert found.p == pytest.approx(2 * student.sf(abs(difference.mean()) / error, n - 1))
    assert (found.mean, found.lower, found.upper) == pytest.approx(corrected_interval(difference, 1 / 4))
    assert found.upper - found.mean == pytest.approx(student.ppf(0.975, n - 1) * error)


def test_a_fold_that_lacks_either_score_is_left_out_of_both():
    first, second = pair(3)
    whole = corrected_t_test(first[2:], second[2:], 0.25)
    first[0], second[1] = np.nan, np.nan
    found = corrected_t_test(first, second, 0.25)
    assert (found.mean, found.lower, found.p, found.n_folds) == (whole.mean, whole.lower, whole.p, 13)
    assert found.note == "2 of 15 folds lack a score"


def test_swapping_models_turns_the_sign_and_keeps_p():
    first, second = pair(4)
    one, other = corrected_t_test(first, second, 0.25), corrected_t_test(second, first, 0.25)
    assert (one.mean, one.lower, one.p) == pytest.approx((-other.mean, -other.upper, other.p))


def test_models_that_score_alike_have_p_of_one_even_up_to_rounding():
    first = np.array([0.7, 0.8, 0.9])
    for second in (first, first + np.array([0, 1e-16, -1e-16])):
        found = corrected_t_test(first, second, 0.25)
        assert found.p == 1
        assert np.isnan(found.lower)
        assert "equal in every fold" in found.note


def test_one_and_the_same_difference_in_every_fold_has_no_p():
    found = corrected_t_test(np.array([0.7, 0.8, 0.9]), np.array([0.6, 0.7, 0.8]), 0.25)
    assert found.mean == pytest.approx(0.1)
    assert np.isnan([found.lower, found.p]).all()
    assert "same difference" in found.note


@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3, 1e-9])
@pytest.mark.parametrize("n", [3, 7, 15])
def test_equal_scores_give_no_interval_although_their_mean_is_rounded(value, n):
    mean, lower, upper = corrected_interval(np.full(n, value), 0.25)
    assert mean == pytest.approx(value)
    assert np.isnan([lower, upper]).all()


def test_small_units_do_not_pass_for_rounding():
    scores = np.array([1.0, 1.1, 0.9]) * 1e-9
    assert np.isfinite(corrected_interval(scores, 0.25)).all()


def test_a_margin_is_tested_against_and_leaves_the_interval():
    first, second = pair(5)
    plain = corrected_t_test(first, second, 0.25)
    at_bound = corrected_t_test(first, second, 0.25, margin=plain.lower)
    assert at_bound.p == pytest.approx(0.05)
    assert at_bound.lower == plain.lower


def test_too_few_folds_have_no_test():
    one = corrected_t_test(np.array([0.7, np.nan]), np.array([0.6, 0.5]), 0.25)
    assert (round(one.mean, 12), one.n_folds) == (0.1, 1)
    assert np.isnan(one.p)
    assert "fewer than two" in one.note
    assert np.isnan(corrected_t_test(np.array([np.nan]), np.array([0.5]), 0.25).mean)
    with pytest.raises(ParamsError, match="one set of folds"):
        corrected_t_test(np.zeros(3), np.zeros(2), 0.25)
    with pytest.raises(ParamsError, match="negative"):
        corrected_t_test(np.zeros(3), np.ones(3), -1)


def test_on_equally_good_models_the_corrected_test_is_not_too_liberal_and_the_plain_one_is():
    rng = np.random.default_rng(20261122)
    plain = corrected = 0
    for _ in range(400):
        y = np.arange(60) % 2
        x = rng.normal(size=(60, 2)) + 0.8 * y[:, None]  # one model a column: a cut half way between the class means
        accuracy = np.zeros((15, 2))
        for fold, rows in enumerate(part for _ in range(3) for part in rng.permutation(60).reshape(5, 12)):
            train = np.setdiff1d(np.arange(60), rows)
            cut = (x[train[y[train] == 1]].mean(axis=0) + x[train[y[train] == 0]].mean(axis=0)) / 2
            accuracy[fold] = ((x[rows] > cut) == y[rows, None]).mean(axis=0)
        plain += corrected_t_test(*accuracy.T, 0.0).p < 0.05
        corrected += corrected_t_test(*accuracy.T, 0.25).p < 0.05
    assert plain / 400 > 0.2
    assert corrected / 400 < 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 400)


def test_permutation_p_counts_the_observed_arrangement():
    null = np.arange(99.0)
    assert permutation_p(1000.0, null) == pytest.approx(1 / 100)
    assert permutation_p(98.0, null) == pytest.approx(2 / 100)
    assert permutation_p(-1.0, null) == 1
    assert permutation_p(-1.0, null, better="lower") == pytest.approx(1 / 100)
    assert permutation_p(-98.0, null, better="both") == pytest.approx(2 / 100)


def test_permuted_plans_without_a_score_weaken_the_claim():
    assert permutation_p(5.0, np.array([1.0, np.nan, 2.0])) == pytest.approx(2 / 4)
    assert np.isnan(permutation_p(np.nan, np.array([1.0])))


def test_many_statistics_are_tested_at_once_and_rounding_counts_as_reaching():
    found = permutation_p(np.array([0.3, 0.9]), np.array([[0.1 + 0.2, 0.5], [0.1, 0.95]]))
    assert found == pytest.approx([2 / 3, 2 / 3])
    with pytest.raises(ParamsError, match="shape"):
        permutation_p(0.5, np.zeros((2, 2)))
    with pytest.raises(ParamsError, match="shape"):
        permutation_p(0.5, np.zeros(0))
    with pytest.raises(ParamsError, match="not one of"):
        permutation_p(0.5, np.zeros(3), better="best")


def test_permutation_p_of_noise_is_valid_at_every_level():
    rng = np.random.default_rng(3)
    p = np.array([permutation_p(rng.normal(), rng.normal(size=19)) for _ in range(4000)])
    for level in (0.05, 0.1, 0.5):
        assert (p <= level + 1e-12).mean() < level + 3.5 * np.sqrt(level * (1 - level) / 4000)


def test_holms_p_is_that_of_statsmodels_and_keeps_gaps():
    from statsmodels.stats.multitest import multipletests

    p = np.array([0.04, 0.01, 0.5, 0.03, 0.03])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm(np.array([0.04, np.nan, 0.01])) == pytest.approx([0.04, np.nan, 0.02], nan_ok=True)
    assert holm(np.zeros(0)).shape == (0,)
