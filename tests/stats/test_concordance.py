import numpy as np
import pytest
from sksurv.metrics import concordance_index_censored

from radiomics_pipeline.stats.concordance import harrell_c
from tests import naive_stats as naive
from tests.naive_stats import survival_sample as sample


@pytest.mark.parametrize("seed", range(5))
def test_c_equals_scikit_survival_and_the_definition_with_tied_times_and_values(seed):
    values, time, event = sample(seed)
    values = np.round(values, 1)
    found = harrell_c(values, time, event)
    for c, x in enumerate(values.T):
        assert found.index[c] == pytest.approx(concordance_index_censored(event, time, x)[0], abs=1e-12)
        assert found.index[c] == pytest.approx(naive.concordance(x, time, event), abs=1e-12)


def test_a_missing_cell_leaves_its_row_out_of_that_column_only():
    values, time, event = sample(1)
    with_gap = values.copy()
    with_gap[:7, 1] = np.nan
    found = harrell_c(with_gap, time, event)
    assert found.index[0] == harrell_c(values, time, event).index[0]
    assert found.index[1] == pytest.approx(naive.concordance(values[7:, 1], time[7:], event[7:]), abs=1e-12)
    assert found.n_rows.tolist() == [40, 33, 40, 40, 40]


def test_units_do_not_matter_however_small_the_values():
    values, time, event = sample(2)
    np.testing.assert_array_equal(harrell_c(values * 1e-12, time, event).index, harrell_c(values, time, event).index)


def test_variance_agrees_with_the_leave_one_out_jackknife():
    values, time, event = sample(3, n=120)
    found = harrell_c(values, time, event)
    for c, x in enumerate(values.T):
        left = [naive.concordance(*(np.delete(a, i) for a in (x, time, event))) for i in range(len(x))]
        jackknife = (len(x) - 1) / len(x) * np.sum((np.array(left) - np.mean(left)) ** 2)
        assert found.variance[c] == pytest.approx(jackknife, rel=0.1)


def test_repeating_every_patients_row_hardly_changes_the_variance_over_patients():
    values, time, event = sample(4, n=100)
    time = time + np.linspace(0, 0.5, 100)  # no ties, so that a patient's own rows are never comparable
    once = harrell_c(values, time, event)
    groups = np.repeat(np.arange(100), 2)
    twice = harrell_c(np.repeat(values, 2, axis=0), np.repeat(time, 2), np.repeat(event, 2), groups)
    np.testing.assert_allclose(twice.index, once.index, atol=1e-12)
    np.testing.assert_allclose(twice.variance, once.variance, rtol=1e-9)


def test_no_comparable_pair_is_undefined():
    found = harrell_c(np.arange(3.0)[:, None], np.array([1.0, 2.0, 3.0]), np.array([False, False, True]))
    assert np.isnan(found.index[0])


@pytest.mark.parametrize(("n", "effect"), [(60, 0.0), (60, 0.8), (150, 0.8)])
def test_interval_covers_the_true_c(n, effect):
    rng = np.random.default_rng(20260103)

    def draw(size):
        x = rng.normal(size=size)
        time = rng.exponential(size=size) * np.exp(-effect * x)
        censored = rng.exponential(size=size) * 1.5
        return x[:, None], np.minimum(time, censored), time <= censored

    truth = np.mean([harrell_c(*draw(2000)).index[0] for _ in range(20)])
    found = [harrell_c(*draw(n)) for _ in range(1500)]
    covered = np.mean([(f.lower[0] <= truth) and (truth <= f.upper[0]) for f in found])
    assert 0.92 < covered < 0.97
