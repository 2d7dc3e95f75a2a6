import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.icc import FORMS, intraclass_correlation

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
"""Table 2 of Shrout and Fleiss 1979: six subjects, four judges."""


def measured(n=20, k=3, columns=6, seed=0, noise=0.5):
    """Columns from repeatable to not, with differences between the measurements."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, 1, columns)) * np.linspace(0, 2, columns)
    return 10 + truth + 0.3 * rng.normal(size=(1, k, columns)) + noise * rng.normal(size=(n, k, columns))


def by_pingouin(x):
    """Rows of pingouin's table for one column, float64 [6 forms, value, f, df1, df2, p, lower, upper]."""
    n, k = x.shape
    long = pd.DataFrame({"s": np.repeat(np.arange(n), k), "r": np.tile(np.arange(k), n), "v": x.ravel()})
    long = long[~long["s"].isin(long.loc[long["v"].isna(), "s"])]
    table = pingouin.intraclass_corr(long, "s", "r", "v")
    numbers = table[["ICC", "F", "df1", "df2", "pval"]].to_numpy(np.float64)
    return np.column_stack([numbers, np.array(table["CI95"].tolist())])


@pytest.fixture(autouse=True)
def unrounded(monkeypatch):
    monkeypatch.setitem(pingouin.options, "round.column.CI95", None)


@pytest.mark.parametrize(
    ("form", "published"), [("1,1", 0.17), ("2,1", 0.29), ("3,1", 0.71), ("1,k", 0.44), ("2,k", 0.62), ("3,k", 0.91)]
)
def test_the_example_of_shrout_and_fleiss(form, published):
    assert intraclass_correlation(SHROUT_FLEISS[:, :, None], form).value[0] == pytest.approx(published, abs=0.005)


def test_f_and_interval_of_the_published_example():
    found = intraclass_correlation(SHROUT_FLEISS[:, :, None], "3,1")
    assert (found.f[0], found.df1[0], found.df2[0]) == pytest.approx((11.03, 5, 15), abs=0.005)
    assert (found.lower[0], found.upper[0]) == pytest.approx((0.34, 0.95), abs=0.005)


@pytest.mark.parametrize("seed", [0, 1])
def test_values_intervals_and_tests_equal_pingouin(seed):
    x = measured(seed=seed, k=2 + seed)
    x[2, 0, 1] = x[5, 1, 1] = x[:15, 0, 2] = np.nan
    reference = np.array([by_pingouin(x[:, :, c]) for c in range(x.shape[2])])
    for at, form in enumerate(FORMS):
        r = intraclass_correlation(x, form)
        ours = np.column_stack([r.value, r.f, r.df1, r.df2, r.p, r.lower, r.upper])
        np.testing.assert_allclose(ours, reference[:, at], rtol=1e-8, atol=1e-8)


def test_subjects_with_a_missing_cell_are_left_out_of_that_column_only():
    x = measured()
    x[3, 1, 2] = np.nan
    found, without = intraclass_correlation(x), intraclass_correlation(np.delete(x, 3, axis=0))
    assert found.subjects.tolist() == [20, 20, 19, 20, 20, 20]
    assert found.value[2] == pytest.approx(without.value[2], rel=1e-12)
    assert found.value[1] == pytest.approx(intraclass_correlation(x[:, :, [1]]).value[0], rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_equal_measurements_give_one_and_a_constant_column_gives_nan(form):
    x = np.repeat(np.random.default_rng(0).normal(size=(10, 1, 3)), 3, axis=1)
    x[:, :, 1] = 0.1
    x[:, 0, 1] += 1e-14
    x[:, 0, 2] = np.nan
    found = intraclass_correlation(x, form)
    assert (found.value[0], found.lower[0], found.upper[0]) == pytest.approx((1, 1, 1))
    assert np.isnan([found.value[1:], found.lower[1:], found.p[1:]]).all()
    assert found.subjects.tolist() == [10, 10, 0]


def test_a_constant_difference_between_readers_counts_against_agreement_and_not_consistency():
    x = measured(k=2, noise=0.2)
    x[:, 1] += 5
    assert (intraclass_correlation(x, "3,1").value[3:] > 0.8).all()
    assert (intraclass_correlation(x, "2,1").value[3:] < 0.3).all()
    exact = np.stack([np.arange(8.0), np.arange(8.0) + 3], axis=1)[:, :, None]
    found = intraclass_correlation(exact, "2,1")
    assert found.value[0] == pytest.approx(6 / (6 + 4.5))  # variances of subjects (6), of readers (4.5), no error
    assert 0 <= found.lower[0] < found.value[0] < found.upper[0] <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-3, 3), st.integers(-6, 6), st.sampled_from(FORMS))
def test_units_and_order_of_rows_and_measurements_change_nothing(seed, shift, power, form):
    x = measured(seed=seed, n=12, columns=3)
    rng = np.random.default_rng(seed)
    moved = 10.0**power * (x[rng.permutation(12)][:, rng.permutation(3)] + shift)
    a, b = intraclass_correlation(x, form), intraclass_correlation(moved, form)
    np.testing.assert_allclose([a.value, a.lower, a.upper, a.f], [b.value, b.lower, b.upper, b.f], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("columns", [1, 255, 600])
def test_each_column_stands_alone(columns):
    x = measured(columns=columns)
    whole = intraclass_correlation(x)
    last = intraclass_correlation(x[:, :, -1:])
    assert whole.value[-1] == pytest.approx(last.value[0], rel=1e-12)
    assert len(whole.value) == columns


def test_unknown_forms_and_single_measurements_are_refused():
    with pytest.raises(ParamsError, match="not one of"):
        intraclass_correlation(measured(), "4,1")
    with pytest.raises(ParamsError, match="2 or more measurements"):
        intraclass_correlation(measured()[:, :1])
