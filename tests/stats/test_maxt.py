import numpy as np
import pytest
from scipy.stats import chi2, kruskal, mannwhitneyu, rankdata

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.stats.correlation import spearman_columns
from radiomics_pipeline.stats.cox import empty_residuals
from radiomics_pipeline.stats.maxt import _arrangement, _blocks, _Statistic, max_t
from tests import naive_alone as naive


def sample(seed, n=30, columns=6, *, gaps=True):
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(n, columns)), 1)
    number = values[:, 0] + 0.7 * rng.normal(size=n)
    if gaps:
        values[rng.random((n, columns)) < 0.15] = np.nan
    values[:, 5] = 1.0
    return values, number


def ranked(values):
    return np.apply_along_axis(lambda x: rankdata(x, nan_policy="omit"), 0, values)


@pytest.mark.parametrize("kind", ["number", "classes", "clustered"])
def test_p_equals_the_slow_twin_with_the_same_arrangements(kind):
    values, number = sample(1)
    groups = np.repeat(np.arange(15), 2) if kind == "clustered" else np.arange(30)
    codes = np.digitize(number, [-0.5, 0.5])
    outcome = (codes[:, None] == np.arange(3)).astype(float) if kind == "classes" else number
    found = max_t(ranked(values), outcome, permutations=150, seed=3, groups=groups)
    rng = np.random.default_rng(3)
    sources = [_arrangement(_blocks(groups), 30, rng) for _ in range(150)]
    statistic = {
        "number": naive.squared_correlation,
        "classes": lambda x, y: kruskal(*(x[y[:, k] == 1] for k in range(3))).statistic,
    }.get(kind)
    if kind == "clustered":
        expected = naive.step_down(ranked(values), outcome, sources, naive.patient_score, groups=groups)
    else:
        expected = naive.step_down(ranked(values), outcome, sources, statistic)
    np.testing.assert_allclose(found[:5], expected[:5], atol=1e-12)
    assert np.isnan(found[5])


def test_statistic_is_the_square_of_mann_and_whitneys_z_and_the_score_of_cox_where_nothing_is_missing():
    values, number = sample(2, gaps=False)
    positive = number > 0
    found = _Statistic(ranked(values), None).of(positive[None].astype(float))[:, 0]
    for c in range(5):
        p = mannwhitneyu(values[positive, c], values[~positive, c], method="asymptotic", use_continuity=False).pvalue
        assert chi2.sf(found[c], 1) == pytest.approx(p, rel=1e-9)
    rng = np.random.default_rng(0)
    time, event = np.ceil(9 * rng.exponential(size=30)), rng.random(30) < 0.7
    residual = empty_residuals(time, event)
    cox = _Statistic(values, None).of(residual[None])[:, 0]
    z = values[:, 0] - values[:, 0].mean()
    assert cox[0] == pytest.approx((residual @ values[:, 0]) ** 2 / (z @ z * (residual @ residual) / 29), rel=1e-9)


def test_clustered_statistic_is_the_score_over_patients():
    values, number = sample(3, gaps=False)
    groups = np.repeat(np.arange(10), 3)
    found = _Statistic(ranked(values), groups).of(rankdata(number)[None])[:, 0]
    np.testing.assert_allclose(chi2.sf(found[:5], 1), spearman_columns(values, number, groups).p[:5], rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("clustered", [False, True])
def test_the_chance_of_any_false_find_among_correlated_columns_is_kept(clustered):
    rng = np.random.default_rng(20260108)
    rows = 2 if clustered else 1
    groups = np.repeat(np.arange(40), rows)
    false = []
    for study in range(300):
        shared = rng.normal(size=(40, 1))
        values = (0.7 * shared + rng.normal(size=(40, 25)))[groups] + 0.5 * rng.normal(size=(40 * rows, 25))
        outcome = rng.normal(size=40)[groups]
        p = max_t(values, outcome, permutations=99, seed=study, groups=groups)
        false.append(np.nanmin(p) <= 0.05)
    assert 0.02 < np.mean(false) < 0.085


def test_a_true_column_is_found_and_p_rises_in_the_order_of_the_statistics():
    values, number = sample(4, n=80)
    p = max_t(ranked(values), number, permutations=199, seed=0)
    statistic = _Statistic(ranked(values), None).of(number[None])[:, 0]
    order = np.argsort(-statistic[:5])
    assert p[0] == 1 / 200
    assert (np.diff(p[order]) >= 0).all()


def test_p_hangs_on_the_seed_alone():
    values, number = sample(5)
    first, again = (max_t(ranked(values), number, permutations=130, seed=9) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    alone = max_t(ranked(values)[:, :1], number, permutations=130, seed=9)
    assert alone[0] <= first[0]


def test_too_few_patients_to_exchange_are_refused():
    values, number = sample(6, n=12)
    with pytest.raises(OutcomeError, match="exchanged"):
        max_t(values, number, permutations=10, seed=0, groups=np.repeat([0, 1, 2], 4))


def test_patients_change_places_only_with_those_of_as_many_rows():
    codes = np.array([0, 1, 1, 2, 3, 3, *range(4, 12)])
    source = _arrangement(_blocks(codes), len(codes), np.random.default_rng(1))
    assert sorted(source) == list(range(len(codes)))
    sizes = np.bincount(codes)[codes]
    np.testing.assert_array_equal(sizes[source], sizes)
    assert source[2] == source[1] + 1
    assert source[5] == source[4] + 1
