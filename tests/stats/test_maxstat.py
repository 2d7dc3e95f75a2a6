import numpy as np
import pytest
from scipy.stats import kstest

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.cox import empty_residuals
from radiomics_pipeline.stats.maxstat import (
    lausen_p,
    lausen_schumacher_p,
    maximally_selected,
    maximally_selected_log_rank,
)

# Mean gene expression, months and deaths of 40 lymphomas: Alizadeh et al., Nature 2000;403:503, as published
# with R's maxstat, whose saved examples give the figures below.
LYMPHOMA = """
77.4 0 .24797368 3.4 1 -.00689474 71.3 1 .13755263 69.6 0 .37128947 51.2 0 .02571053 3.2 1 .09813158 8.3 1 -.00331579
102.4 0 .21497368 89.8 0 .12815789 88.1 0 .22039474 27.1 1 .11644737 4.1 1 -.05236842 23.7 1 .01765789
59 0 -.07121053 56.6 0 .16268421 15.5 1 -.06197368 2.4 1 .07334211 2.9 1 .18605263 80.4 0 .08784211 4.6 1 -.15892105
8.2 1 .04023684 129.9 0 .028 32.5 1 -.05107895 11.8 1 .13826316 5.1 1 -.01255263 90.2 0 -.04207895 83.8 0 .26339474
71.3 0 .29178947 12.3 1 -.05721053 69.1 0 .16936842 68.8 0 .00997368 1.3 1 .15063158 12.67 1 .06463158
72.03 0 .31247368 91.33 0 .09628947 53.73 0 -.04057895 31.47 1 -.07447368 39.6 1 .01563158 9.45 1 -.04686842
22.3 1 .06705263
"""
# Ejection fraction, months and events of 94 patients: Hohnloser et al., J Am Coll Cardiol 1987;10:1017, likewise.
EJECTION = """
11 1 0 11 5 1 12 14 0 13 2 1 13 10 0 13 39 0 15 16 1 17 17 0 20 1 1 20 1 1 20 1 1 20 8 1 20 29 0 21 22 1 22 1 0 22 3 0
22 11 1 22 15 0 23 13 0 24 1 0 24 1 0 24 3 1 24 5 1 24 7 1 24 11 0 24 33 0 25 3 1 25 16 1 26 1 1 26 13 0 26 23 0 27 20 0
28 12 0 30 1 0 30 1 1 31 18 1 31 20 0 32 23 0 33 9 1 33 12 0 33 17 0 33 21 0 34 1 0 34 5 1 34 14 1 34 38 0 36 6 0 37 1 1
38 3 1 38 12 0 38 18 0 39 8 1 40 19 0 41 3 0 41 10 0 41 15 1 43 19 0 43 31 0 43 33 0 44 23 0 44 24 0 49 5 0 50 13 0
51 4 1 51 21 0 51 28 0 52 3 0 52 16 0 52 37 0 56 1 0 56 3 1 56 33 0 57 23 0 57 29 0 58 5 1 58 9 0 58 36 0 59 19 1
60 1 0 60 10 0 61 7 0 64 1 0 64 6 0 64 7 0 64 14 0 65 6 0 70 5 0 70 23 0 72 36 0 75 30 0 77 10 0 77 20 0 80 7 0 93 22 0
"""


def numbers(text):
    return np.array(text.split(), np.float64).reshape(-1, 3)


def lymphoma():
    time, event, values = numbers(LYMPHOMA).T
    return values, time, event == 1


def ejection():
    values, time, event = numbers(EJECTION).T
    return values, time, event == 1


def scores_of_maxstat(time, event):
    """R's log-rank scores: rows of the same time count as gone but for one."""
    gone = np.array([(time <= t).sum() for t in time])
    jumps = event / (len(time) - gone + 1)
    return event - np.array([jumps[time <= t].sum() for t in time])


@pytest.mark.parametrize(("data", "statistic", "cut"), [(lymphoma, 3.1772, 0.18605263), (ejection, 3.5691, 39)])
def test_statistic_and_cut_are_those_of_rs_maxstat_given_its_scores(data, statistic, cut):
    values, time, event = data()
    found = maximally_selected(values, scores_of_maxstat(time, event))
    assert found.statistic == pytest.approx(statistic, abs=5e-5)
    assert found.cut == cut
    assert found.upper_worse is False


def test_p_of_the_search_are_those_of_rs_maxstat():
    values, time, event = ejection()
    found = maximally_selected(values, scores_of_maxstat(time, event), permutations=9999, seed=1)
    assert found.p_1992 == pytest.approx(0.01065, abs=5e-6)
    assert found.p_1994 == pytest.approx(0.005453, abs=5e-7)
    assert found.p_permutation == pytest.approx(0.0045, abs=4 * np.sqrt(0.0045 / 9999))
    assert found.p == found.p_permutation
    # for the lymphomas R's p values are printed with the statistic 3.171
    values, time, event = lymphoma()
    sizes = maximally_selected(values, scores_of_maxstat(time, event)).sizes
    assert lausen_schumacher_p(3.171, 0.1, 0.9) == pytest.approx(0.03611, abs=2e-5)
    assert lausen_p(3.171, len(values), sizes) == pytest.approx(0.02435, abs=2e-5)


@pytest.mark.parametrize(
    ("low", "high", "quantiles"),
    [
        (0.25, 0.75, (2.539, 2.829, 3.088, 3.395)),
        (0.4, 0.6, (2.263, 2.560, 2.828, 3.149)),
        (0.1, 0.9, (2.784, 3.054, 3.297, 3.588)),
        (0.4, 0.9, (2.597, 2.883, 3.138, 3.442)),
    ],
)
def test_quantiles_are_those_of_lausen_and_schumachers_second_table(low, high, quantiles):
    for p, at in zip((0.1, 0.05, 0.025, 0.01), quantiles, strict=True):
        assert lausen_schumacher_p(at + 5e-4, low, high) <= p <= lausen_schumacher_p(at - 5e-4, low, high)


def test_the_improved_bound_is_that_of_lausen_1994():
    assert lausen_p(2.5, 20, np.arange(5, 16)) == pytest.approx(0.073, abs=5e-4)
    assert lausen_p(2.5, 200, np.arange(50, 151, 10)) == pytest.approx(0.073, abs=5e-4)


def test_every_cut_has_the_permutation_mean_and_variance():
    rng = np.random.default_rng(2)
    values, fates = rng.integers(0, 8, 12).astype(float), rng.normal(size=12)
    found = maximally_selected(values, fates)
    for cut, statistic in zip(found.cuts, found.statistics, strict=True):
        lower = values <= cut
        drawn = np.array([rng.permutation(fates)[lower].sum() for _ in range(4000)])
        assert (fates[lower].sum() - lower.sum() * fates.mean()) == pytest.approx(
            np.copysign(statistic, fates[lower].mean() - fates.mean()) * drawn.std(), rel=0.06
        )
    assert found.statistic == found.statistics.max()


def test_ties_and_direction_are_seen():
    values = np.repeat([1.0, 2.0, 3.0], 10)
    time, event = np.r_[np.full(20, 9.0), np.full(10, 1.0)] + np.arange(30) / 100, np.ones(30, bool)
    found = maximally_selected_log_rank(values, time, event)
    assert found.cuts.tolist() == [1, 2]
    assert (found.cut, found.upper_worse) == (2, True)
    assert maximally_selected_log_rank(-values, time, event).statistic == pytest.approx(found.statistic)
    np.testing.assert_allclose(
        found.statistics, maximally_selected(values, empty_residuals(time, event)).statistics, rtol=1e-12
    )


def test_without_effect_p_of_permutations_is_uniform_and_the_bounds_hold():
    rng = np.random.default_rng(5)
    p, bound = [], []
    for seed in range(300):
        values, time = rng.normal(size=40), rng.exponential(size=40)
        found = maximally_selected_log_rank(values, time, rng.random(40) < 0.6, permutations=199, seed=seed)
        p.append(found.p_permutation)
        bound.append(min(found.p_1992, found.p_1994))
    assert kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(bound) <= 0.05) <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 300)
    # a p of the log-rank test at the best cut would be far below its level
    assert np.mean(p) == pytest.approx(0.5, abs=3.5 * np.sqrt(1 / 12 / 300))


def test_the_same_seed_gives_the_same_p_and_nothing_to_cut_has_a_reason():
    values, time, event = lymphoma()
    one, two = (maximally_selected_log_rank(values, time, event, permutations=300, seed=s).p for s in (3, 3))
    assert one == two
    alike = maximally_selected_log_rank(np.ones(40), time, event, permutations=10)
    assert np.isnan(alike.p)
    assert np.isnan(alike.cut)
    assert "no two scores differ" in alike.reason
    assert "no fate" in maximally_selected(values, np.zeros(40)).reason


def test_wrong_limits_and_missing_scores_are_refused():
    values, time, event = lymphoma()
    with pytest.raises(ParamsError, match="limits"):
        maximally_selected_log_rank(values, time, event, limits=(0.9, 0.1))
    with pytest.raises(TableError, match="finite"):
        maximally_selected_log_rank(np.where(values > 0.3, np.nan, values), time, event)
