import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from statsmodels.stats.multitest import multipletests

from radiomics_pipeline.stats.clusters import correlation_clusters, medoids
from radiomics_pipeline.stats.correlation import fill_median, spearman_matrix
from radiomics_pipeline.stats.multiplicity import benjamini_hochberg
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from tests import naive_stats as naive


def blocks(seed, n=30, columns=24):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, columns // 4))
    return np.repeat(base, 4, axis=1) * rng.choice([-1, 1], columns) + 0.35 * rng.normal(size=(n, columns))


def as_sets(labels):
    return sorted(tuple(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels))


def test_spearman_matrix_equals_scipy_with_ties():
    x = np.round(blocks(0), 1)
    np.testing.assert_allclose(spearman_matrix(x), spearmanr(x).statistic, atol=1e-12)


def test_spearman_matrix_does_not_depend_on_the_order_of_rows_and_columns_to_the_last_bit():
    x = blocks(1, n=57, columns=64)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(57), rng.permutation(64)
    np.testing.assert_array_equal(spearman_matrix(x[rows][:, columns]), spearman_matrix(x)[np.ix_(columns, columns)])


def test_missing_cells_take_the_median_and_a_constant_column_correlates_with_none():
    x = blocks(2)
    x[3, 0] = np.nan
    x[:, 5] = 7.0
    rho = spearman_matrix(x)
    filled = x.copy()
    filled[3, 0] = np.nanmedian(x[:, 0])
    assert rho[0, 1] == pytest.approx(spearmanr(filled[:, 0], filled[:, 1]).statistic)
    assert (np.delete(rho[5], 5) == 0).all()
    assert np.isnan(x[3, 0])
    assert (fill_median(np.full((3, 1), np.nan)) == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9]))
def test_clusters_are_those_of_average_linkage_from_the_definition(seed, threshold):
    rho = spearman_matrix(blocks(seed))
    assert as_sets(correlation_clusters(rho, threshold)) == naive.average_linkage(rho, threshold)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_monotone_transforms_leave_clusters_and_medoids(seed):
    x = blocks(seed)
    rho, other = spearman_matrix(x), spearman_matrix(np.exp(x))
    labels = correlation_clusters(rho, 0.8)
    np.testing.assert_array_equal(correlation_clusters(other, 0.8), labels)
    np.testing.assert_array_equal(medoids(other, labels), medoids(rho, labels))


def test_the_medoid_is_the_member_closest_to_the_others_and_the_first_of_two():
    rho = np.eye(5)
    for i, j, r in [(0, 1, 0.95), (1, 2, -0.95), (0, 2, -0.91), (3, 4, 0.99)]:
        rho[i, j] = rho[j, i] = r
    labels = correlation_clusters(rho, 0.9)
    assert labels.tolist() == [0, 0, 0, 1, 1]
    assert medoids(rho, labels).tolist() == [1, 3]


def test_false_discovery_rates_equal_statsmodels_and_skip_undefined_ones():
    p = np.random.default_rng(0).random(50) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)
    with_gap = np.insert(p, 10, np.nan)
    np.testing.assert_array_equal(np.delete(benjamini_hochberg(with_gap), 10), benjamini_hochberg(p))
    assert np.isnan(benjamini_hochberg(with_gap)[10])


def test_corrected_interval_is_that_of_nadeau_and_bengio():
    scores = np.array([0.6, 0.7, 0.8, 0.9])
    mean, lower, upper = corrected_interval(scores, 0.25)
    reach = 3.182446305284263 * np.sqrt(np.var(scores, ddof=1) * (1 / 4 + 0.25))
    assert (mean, lower, upper) == pytest.approx((0.75, 0.75 - reach, 0.75 + reach))
    assert corrected_interval(np.array([0.6, np.nan, 0.7, 0.8, 0.9]), 0.25) == (mean, lower, upper)
    assert np.isnan(corrected_interval(np.array([0.7]), 0.25)[1])


def test_folds_that_all_score_alike_give_no_interval():
    for scores in ([1.0] * 5, [0.5] * 5, [0.7]):
        mean, lower, upper = corrected_interval(np.array(scores), 0.25)
        assert mean == scores[0]
        assert np.isnan([lower, upper]).all()
