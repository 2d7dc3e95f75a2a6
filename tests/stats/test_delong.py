import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.mannwhitney import clustered_p, mannwhitney_p
from tests import naive_stats as naive


def sample(seed, n=40, columns=6, *, ties=False, gaps=False):
    rng = np.random.default_rng(seed)
    positive = rng.permutation(np.arange(n) < n // 3)
    values = rng.normal(size=(n, columns)) + positive[:, None] * np.linspace(-1, 1, columns)
    if ties:
        values = np.round(values, 1)
    if gaps:
        values[rng.random(values.shape) < 0.2] = np.nan
    return values, positive


@pytest.mark.parametrize("seed", range(5))
def test_area_and_variance_are_those_of_the_definition_with_ties_and_gaps(seed):
    values, positive = sample(seed, ties=True, gaps=True)
    found = auc_delong(values, positive)
    for c, x in enumerate(values.T):
        kept = ~np.isnan(x)
        assert found.area[c] == pytest.approx(naive.area(x[kept], positive[kept]), abs=1e-12)
        assert found.area[c] == pytest.approx(roc_auc_score(positive[kept], x[kept]), abs=1e-12)
        assert found.variance[c] == pytest.approx(naive.area_variance(x[kept], positive[kept]), abs=1e-12)
        assert found.n_positive[c] + found.n_negative[c] == kept.sum()


@pytest.mark.parametrize("seed", range(5))
def test_mann_whitney_p_equals_scipy_with_ties_and_gaps(seed):
    values, positive = sample(seed, ties=True, gaps=True)
    p = mannwhitney_p(auc_delong(values, positive))
    for c, x in enumerate(values.T):
        a, b = x[positive & ~np.isnan(x)], x[~positive & ~np.isnan(x)]
        assert p[c] == pytest.approx(mannwhitneyu(a, b, method="asymptotic").pvalue, rel=1e-10)


def test_a_constant_column_has_area_one_half_and_no_p():
    found = auc_delong(np.ones((10, 1)), np.arange(10) < 4)
    assert found.area[0] == 0.5
    assert np.isnan(mannwhitney_p(found)[0])
    assert np.isnan(found.lower[0])


def test_perfect_separation_has_no_interval_since_its_variance_is_zero():
    found = auc_delong(np.arange(10.0)[:, None], np.arange(10) >= 5)
    assert found.area[0] == 1.0
    assert np.isnan(found.lower[0])
    assert mannwhitney_p(found)[0] < 0.05


def test_an_empty_column_is_undefined():
    found = auc_delong(np.full((10, 1), np.nan), np.arange(10) < 4)
    assert np.isnan(found.area[0])
    assert np.isnan(mannwhitney_p(found)[0])


def test_repeating_every_patients_row_leaves_area_and_clustered_variance_unchanged():
    values, positive = sample(3)
    once = auc_delong(values, positive)
    thrice = auc_delong(np.repeat(values, 3, axis=0), np.repeat(positive, 3), np.repeat(np.arange(len(values)), 3))
    np.testing.assert_allclose(thrice.area, once.area, atol=1e-12)
    np.testing.assert_allclose(thrice.variance, once.variance, rtol=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_monotone_transforms_leave_the_area_and_negation_mirrors_it(seed):
    values, positive = sample(seed, n=25, ties=True)
    found = auc_delong(values, positive)
    np.testing.assert_array_equal(auc_delong(np.exp(values), positive).area, found.area)
    np.testing.assert_allclose(auc_delong(-values, positive).area, 1 - found.area, atol=1e-12)
    order = np.random.default_rng(seed).permutation(len(values))
    np.testing.assert_allclose(auc_delong(values[order], positive[order]).area, found.area, atol=1e-12)


def test_delong_interval_covers_the_true_area():
    rng = np.random.default_rng(20260101)
    truth = 0.7602499389065233  # of two unit normals one standard deviation apart
    positive = np.arange(80) < 30
    found = auc_delong(rng.normal(size=(80, 4000)) + positive[:, None], positive)
    covered = np.mean((found.lower <= truth) & (truth <= found.upper))
    assert 0.93 < covered < 0.97


def test_clustered_p_is_the_same_with_gaps_left_out_and_finite_where_the_classes_part():
    rng = np.random.default_rng(20260103)
    groups = np.sort(np.arange(30) % 17)
    positive = rng.random(30) < 0.5
    values = rng.normal(size=(30, 3))
    values[[2, 9, 20], 1] = np.nan
    values[:, 2] = positive
    p = clustered_p(values, positive, groups)
    there = ~np.isnan(values[:, 1])
    assert p[1] == pytest.approx(clustered_p(values[there, 1:2], positive[there], groups[there])[0], rel=1e-12)
    assert 1e-6 < p[2] < 0.01
    assert np.isnan(clustered_p(np.ones((30, 1)), positive, groups))[0]


def test_clustered_p_holds_its_level_where_mann_whitney_does_not():
    rng = np.random.default_rng(20260102)
    patients, rows = 40, 4
    groups = np.repeat(np.arange(patients), rows)
    positive = np.repeat(np.arange(patients) < 20, rows)
    values = rng.normal(size=(patients, 4000))[groups] + 0.7 * rng.normal(size=(patients * rows, 4000))
    found = auc_delong(values, positive, groups)
    p = clustered_p(values, positive, groups)
    assert 0.03 < np.mean(p < 0.05) < 0.065
    assert np.mean(p < 0.001) < 0.002
    assert np.mean(mannwhitney_p(found) < 0.05) > 0.15
