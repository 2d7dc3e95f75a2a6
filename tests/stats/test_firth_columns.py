import numpy as np
import pytest

from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.stats.firth import firth_logistic
from radiomics_pipeline.stats.firth_columns import firth_columns


def columns_of(n, events, seed=0):
    """Noise, the outcome itself, a separating column, a rare flag, gaps, a long tail, all but separated."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 7)), np.arange(n) < events
    x[:, 1] = y
    x[:, 2] = 3 * y + rng.random(n)
    x[:, 3] = rng.random(n) < 0.2
    x[1::5, 4] = np.nan
    x[:, 5] = np.exp(3 * x[:, 5])
    x[:, 6] = y
    x[-1, 6] = 1
    return x, y


@pytest.mark.parametrize(("n", "events"), [(20, 3), (40, 20), (80, 2), (30, 1)])
def test_every_column_equals_the_regression_of_it_alone(n, events):
    x, y = columns_of(n, events)
    found = firth_columns(x, y)
    assert found.converged.all()
    for c, column in enumerate(x.T):
        there = ~np.isnan(column)
        one, unit = firth_logistic(column[there][:, None], y[there]), column[there].std(ddof=1)
        numbers = [found.coefficient[c], found.standard_error[c], found.lower[c], found.upper[c]]
        expected = [v[1] * unit for v in (one.coefficients, one.standard_errors, one.lower, one.upper)]
        assert numbers == pytest.approx(expected, rel=1e-5)
        assert found.p[c] == pytest.approx(one.p[1], rel=1e-6)


def test_a_two_by_two_table_gives_the_log_odds_ratio_with_a_half_added_to_every_cell():
    for a, b, c, d in ((7, 2, 3, 9), (7, 0, 2, 7), (10, 0, 0, 10), (1, 5, 0, 6)):
        x, y = np.repeat([0.0, 0.0, 1.0, 1.0], (a, b, c, d)), np.repeat([0, 1, 0, 1], (a, b, c, d))
        expected = np.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
        assert firth_columns(x[:, None], y == 1).coefficient[0] == pytest.approx(expected * x.std(ddof=1), rel=1e-9)


def test_sign_unit_and_origin_of_a_column_do_not_matter():
    x, y = columns_of(40, 6)
    plain, other = firth_columns(x, y), firth_columns(1e6 - 1e-2 * x, y)
    np.testing.assert_allclose(other.coefficient, -plain.coefficient, rtol=1e-5)
    np.testing.assert_allclose(other.lower, -plain.upper, rtol=1e-5)
    np.testing.assert_allclose(other.p, plain.p, rtol=1e-5)


def test_no_model_gives_nan():
    x = np.column_stack([np.full(20, 3.0), np.full(20, np.nan), np.arange(20.0), np.arange(20.0)])
    y = np.arange(20) < 5
    x[:5, 2] = np.nan
    found = firth_columns(x, y)
    assert np.isnan([found.coefficient[:3], found.lower[:3], found.upper[:3], found.p[:3]]).all()
    assert not found.converged[:3].any()
    assert found.coefficient[3] < 0
    with pytest.raises(TableError):
        firth_logistic(x[:, :1], y)
    with pytest.raises(OutcomeError):
        firth_logistic(x[5:, 2:3], y[5:])


def test_beside_adjusting_columns_every_column_equals_the_regression_of_all_of_them():
    rng = np.random.default_rng(8)
    x, y = columns_of(40, 8)
    adjust = np.column_stack([rng.normal(size=40), 1e5 + rng.normal(size=40), y + rng.normal(size=40)])
    adjust[-4:, 1] = np.nan
    used = np.ones((7, 3), bool)
    used[1, 0] = used[2, 1] = False
    found = firth_columns(x, y, adjust=adjust, used=used)
    assert found.converged.all()
    for c in range(7):
        whole = np.column_stack([x[:, c], adjust[:, used[c]]])
        there = ~np.isnan(whole).any(axis=1)
        one, unit = firth_logistic(whole[there], y[there]), x[there, c].std(ddof=1)
        numbers = [found.coefficient[c], found.standard_error[c], found.lower[c], found.upper[c]]
        expected = [v[1] * unit for v in (one.coefficients, one.standard_errors, one.lower, one.upper)]
        assert numbers == pytest.approx(expected, rel=1e-6)
        assert found.p[c] == pytest.approx(one.p[1], rel=1e-6)


def test_a_sum_of_the_adjusting_columns_has_no_model_and_a_repeated_one_changes_nothing():
    rng = np.random.default_rng(9)
    adjust, y = rng.normal(size=(30, 2)), np.arange(30) < 7
    x = np.column_stack([adjust.sum(axis=1), rng.normal(size=30)])
    once, twice = firth_columns(x, y, adjust=adjust), firth_columns(x, y, adjust=np.hstack([adjust, 3 * adjust]))
    assert np.isnan([once.coefficient[0], once.p[0], once.upper[0]]).all()
    assert twice.upper[1] == pytest.approx(once.upper[1], rel=1e-9)
    few = firth_columns(x[:4], y[-4:] | (np.arange(4) > 1), adjust=adjust[:4])
    assert np.isnan(few.coefficient).all()
