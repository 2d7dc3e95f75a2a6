import numpy as np
import pytest
from scipy.stats import kendalltau, kruskal, spearmanr
from sklearn.metrics import mutual_info_score, roc_auc_score

from radiomics_pipeline.stats.correlation import spearman_columns
from radiomics_pipeline.stats.hand_till import mean_pair_auc
from radiomics_pipeline.stats.information import mutual_information
from radiomics_pipeline.stats.jonckheere import somers_d
from radiomics_pipeline.stats.kruskal import kruskal_p
from radiomics_pipeline.stats.mannwhitney import clustered_p


def sample(seed, n=60, columns=5):
    """Columns with ties and gaps, and a number that goes with the first."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(n, columns)), 1)
    number = np.round(values[:, 0] + rng.normal(size=n), 1)
    values[rng.random((n, columns)) < 0.15] = np.nan
    values[:, 4] = 2.5
    return values, number


@pytest.mark.parametrize("seed", range(4))
def test_spearman_equals_scipy_with_ties_and_gaps(seed):
    values, number = sample(seed)
    found = spearman_columns(values, number)
    for c in range(4):
        kept = ~np.isnan(values[:, c])
        expected = spearmanr(values[kept, c], number[kept])
        assert found.rho[c] == pytest.approx(expected.statistic, abs=1e-12)
        assert found.p[c] == pytest.approx(expected.pvalue, abs=1e-12)
        assert found.n[c] == kept.sum()
        assert found.lower[c] < found.rho[c] < found.upper[c]
    assert np.isnan([found.rho[4], found.p[4], found.lower[4]]).all()


def test_perfect_rank_correlation_has_no_interval():
    found = spearman_columns(np.arange(10.0)[:, None] ** 3, np.arange(10.0))
    assert found.rho[0] == 1.0
    assert found.p[0] == 0.0
    assert np.isnan(found.lower[0])


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("clustered", [False, True])
def test_spearman_interval_covers_the_true_correlation(rho, clustered):
    rng = np.random.default_rng(20260106)
    patients, rows, tries = (60, 2, 1500) if clustered else (60, 1, 1500)
    truth = 6 / np.pi * np.arcsin(rho / 2)  # of two normals
    groups = np.repeat(np.arange(patients), rows)

    # two rows of one patient share half of their variance in both numbers
    def normals(size):
        own = rng.normal(size=(patients, size))[groups]
        return np.sqrt(0.5) * own + np.sqrt(0.5) * rng.normal(size=(patients * rows, size))

    y = normals(1)
    covered = []
    for _ in range(15):
        y = normals(1)
        x = rho * y + np.sqrt(1 - rho**2) * normals(tries // 15)
        found = spearman_columns(x, y[:, 0], groups if clustered else None)
        covered.append(np.mean((found.lower <= truth) & (truth <= found.upper)))
    assert 0.90 < np.mean(covered) < 0.98


def test_jackknife_of_the_rank_correlation_agrees_with_leaving_patients_out():
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(60), 3)
    y = rng.normal(size=60)[groups] + rng.normal(size=180)
    x = np.round(0.8 * y + rng.normal(size=180), 1)
    found = spearman_columns(x[:, None], y, groups)
    left = [np.arctanh(spearmanr(x[groups != g], y[groups != g]).statistic) for g in range(60)]
    jackknife = np.sqrt(59 / 60 * ((left - np.mean(left)) ** 2).sum())
    width = (np.arctanh(found.upper[0]) - np.arctanh(found.lower[0])) / 2 / 1.959964
    assert width == pytest.approx(jackknife, rel=0.05)


def test_patients_rows_repeated_leave_rank_tests_over_patients_unchanged():
    values, number = sample(6)
    codes = np.digitize(number, [-0.7, 0.7])
    once, many = np.arange(60), np.repeat(np.arange(60), 3)
    repeated = np.repeat(values, 3, axis=0)
    first, second = spearman_columns(values, number, once), spearman_columns(repeated, np.repeat(number, 3), many)
    np.testing.assert_allclose(second.p, first.p, rtol=1e-10)
    np.testing.assert_allclose(second.lower, first.lower, rtol=1e-10)
    np.testing.assert_allclose(
        kruskal_p(repeated, np.repeat(codes, 3), many), kruskal_p(values, codes, once), rtol=1e-9
    )


@pytest.mark.parametrize("seed", range(4))
def test_kruskal_wallis_equals_scipy_with_ties_and_gaps(seed):
    values, number = sample(seed)
    codes = np.digitize(number, [-0.7, 0.7])
    found = kruskal_p(values, codes)
    for c in range(4):
        parts = [values[(codes == k) & ~np.isnan(values[:, c]), c] for k in range(3)]
        assert found[c] == pytest.approx(kruskal(*parts).pvalue, abs=1e-12)
    assert np.isnan(found[4])


def test_kruskal_wallis_by_patient_is_the_rank_sum_by_patient_where_there_are_two_classes():
    values, number = sample(7)
    groups = np.repeat(np.arange(20), 3)
    found = kruskal_p(values, (number > 0).astype(int), groups)
    np.testing.assert_allclose(found[:4], clustered_p(values, number > 0, groups)[:4], rtol=1e-9)


def test_kruskal_wallis_by_patient_holds_its_level():
    rng = np.random.default_rng(20260107)
    groups = np.repeat(np.arange(60), 3)
    codes = np.repeat(np.arange(60) % 3, 3)
    values = rng.normal(size=(60, 3000))[groups] + 0.5 * rng.normal(size=(180, 3000))
    assert 0.03 < np.mean(kruskal_p(values, codes, groups) < 0.05) < 0.07
    assert np.mean(kruskal_p(values, codes) < 0.05) > 0.15


@pytest.mark.parametrize("seed", range(4))
def test_jonckheere_p_is_that_of_kendalls_tau_and_d_that_of_the_definition(seed):
    values, number = sample(seed)
    codes = np.digitize(number, [-1.0, 0.0, 1.0])
    found = somers_d(values, codes)
    for c in range(4):
        kept = ~np.isnan(values[:, c])
        x, k = values[kept, c], codes[kept]
        assert found.p[c] == pytest.approx(kendalltau(x, k, method="asymptotic").pvalue, abs=1e-12)
        signs = [np.sign(x[j] - x[i]) for i in range(len(x)) for j in range(len(x)) if k[j] > k[i]]
        assert found.d[c] == pytest.approx(np.mean(signs), abs=1e-12)
        assert found.lower[c] < found.d[c] < found.upper[c]
    assert np.isnan(found.p[4])
    assert found.d[4] == 0


def test_of_two_classes_somers_d_is_twice_the_area_less_one():
    values, number = sample(8)
    there = ~np.isnan(values[:, 1])
    found = somers_d(values, (number > 0).astype(int))
    assert found.d[1] == pytest.approx(2 * roc_auc_score(number[there] > 0, values[there, 1]) - 1, abs=1e-12)


def test_mean_area_of_pairs_is_that_of_the_definition_and_missing_where_a_class_is():
    values, number = sample(9)
    codes = np.digitize(number, [-0.7, 0.7])
    values[codes == 2, 3] = np.nan
    found = mean_pair_auc(values, codes)
    areas = []
    for low, high in ((0, 1), (0, 2), (1, 2)):
        rows = ((codes == low) | (codes == high)) & ~np.isnan(values[:, 0])
        area = roc_auc_score(codes[rows] == high, values[rows, 0])
        areas.append(max(area, 1 - area))
    assert found[0] == pytest.approx(np.mean(areas), abs=1e-12)
    assert np.isnan(found[3])
    assert found[4] == 0.5


def test_information_is_that_of_the_counts_less_what_chance_gives():
    rng = np.random.default_rng(10)
    codes = rng.integers(0, 3, 200)
    x = codes + rng.normal(size=200)
    x[:20] = np.nan
    kept = ~np.isnan(x)
    part = np.floor(np.argsort(np.argsort(x[kept])) / 180 * 6).astype(int)  # the cube root of 180 is 5.6
    expected = (mutual_info_score(codes[kept], part) - 5 * 2 / (2 * 180)) / np.log(2)
    found = mutual_information(np.column_stack([x, np.exp(x), np.ones(200)]), codes)
    np.testing.assert_allclose(found[:2], expected, rtol=1e-12)
    assert np.isnan(found[2])


def test_information_of_noise_is_near_zero_and_of_the_class_itself_near_its_entropy():
    rng = np.random.default_rng(11)
    codes = np.arange(400) % 2
    found = mutual_information(np.column_stack([rng.normal(size=(400, 300)), codes + 0.0]), codes)
    assert 0 <= np.mean(found[:300]) < 0.01
    assert found[300] == pytest.approx(1.0, abs=0.01)
