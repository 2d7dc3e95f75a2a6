import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew
from sklearn.preprocessing import PowerTransformer, RobustScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.params.steps import ScaleParams
from radiomics_pipeline.selection.steps.scale import Scale, scaler

METHODS = ("z", "robust", "yeo-johnson")


@parametrize_with_checks([Scale(), Scale("robust"), Scale("yeo-johnson")])
def test_scaling_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


def skewed(n=80, columns=4, seed=0):
    return np.random.default_rng(seed).lognormal(sigma=0.7, size=(n, columns))


def test_training_rows_are_scaled_as_by_scikit_learn():
    x = skewed()
    np.testing.assert_allclose(scaler("z").fit_transform(x), StandardScaler().fit_transform(x), rtol=1e-12)
    robust = RobustScaler(unit_variance=True).fit_transform(x)
    np.testing.assert_allclose(scaler("robust").fit_transform(x), robust, rtol=1e-12)
    z = StandardScaler().fit_transform(x)
    power = PowerTransformer().fit(z)
    np.testing.assert_allclose(scaler("yeo-johnson").fit(x).power_, power.lambdas_, atol=1e-6)
    np.testing.assert_allclose(scaler("yeo-johnson").fit_transform(x), power.transform(z), atol=1e-6)


def test_powers_of_columns_with_gaps_are_those_of_the_values_there():
    x = np.column_stack([skewed(), -skewed(seed=1)])
    x[5:20, 1] = np.nan
    z = StandardScaler().fit_transform(x)
    np.testing.assert_allclose(scaler("yeo-johnson").fit(x).power_, PowerTransformer().fit(z).lambdas_, atol=1e-6)


def test_a_power_takes_the_skew_out():
    x = skewed(500)
    out = scaler("yeo-johnson").fit_transform(x)
    assert (np.abs(skew(out)) < 0.3).all()
    assert (skew(x) > 1).all()


@pytest.mark.parametrize("method", METHODS)
def test_constant_columns_become_zero_and_gaps_stay(method):
    x = skewed()
    x[:, 1] = 0.1
    x[3, 2] = np.nan
    step = scaler(method).fit(x)
    out = step.transform(x)
    assert np.abs(out[:, 1]).max() < 1e-9
    assert np.isnan(out[3, 2])
    assert np.isnan(out).sum() == 1
    wild = x.copy()
    wild[:, 1] = 0.2
    assert np.abs(step.transform(wild)[:, 1]).max() <= 3


def test_where_the_quartiles_are_equal_the_standard_deviation_scales():
    x = np.zeros((50, 2))
    x[:8, 0] = np.arange(1, 9)
    x[:, 1] = np.arange(50)
    out = scaler("robust").fit_transform(x)
    np.testing.assert_allclose(out[:, 0], StandardScaler().fit_transform(x)[:, 0])


@pytest.mark.parametrize("method", METHODS)
def test_one_wild_value_of_a_new_row_is_bounded_and_told_of(method):
    x = skewed()
    step = scaler(method, clip=2).fit(x)
    inside = step.transform(x)
    new = x[:2].copy()
    new[0, 0], new[1, 1] = 1e200, -1e200
    out = step.transform(new)
    assert out[0, 0] == pytest.approx(inside[:, 0].max() + 2)
    assert out[1, 1] == pytest.approx(inside[:, 1].min() - 2)
    assert step.beyond(new).sum() == 2
    assert not step.beyond(x).any()
    assert scaler("z", clip=None).fit(x).transform(new)[0, 0] > 1e199
    assert np.isfinite(scaler("yeo-johnson", clip=None).fit(x).transform(new)[:, :2]).all()


def test_columns_that_no_power_suits_are_scaled_by_z_only():
    rng = np.random.default_rng(0)
    spike = np.zeros(80)
    spike[0] = 1e6
    codes = rng.integers(0, 2, 80).astype(float)
    heavy = np.concatenate([np.full(79, 1.0) + 1e-3 * rng.random(79), [1e9]])
    x = np.column_stack([spike, codes, heavy, skewed()[:, 0]])
    step = scaler("yeo-johnson").fit(x)
    assert step.powered_.tolist() == [False, False, False, True]
    np.testing.assert_allclose(step.transform(x)[:, :3], StandardScaler().fit_transform(x)[:, :3])
    assert np.isfinite(step.transform(x)).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(METHODS), st.integers(-5, 5), st.floats(-5, 5))
def test_units_and_order_of_rows_change_nothing(seed, method, power, shift):
    x, new = skewed(30, 2, seed), 3 * skewed(30, 2, seed + 1)
    order = np.random.default_rng(seed).permutation(30)
    a = scaler(method).fit(x).transform(new)
    b = scaler(method).fit(10.0**power * (x[order] + shift)).transform(10.0**power * (new + shift))
    np.testing.assert_allclose(a, b, atol=1e-4 if method == "yeo-johnson" else 1e-8)


def test_unknown_methods_and_negative_limits_are_refused():
    with pytest.raises(ParamsError, match="minmax"):
        scaler("minmax")
    with pytest.raises(ParamsError, match="minmax"):
        Scale("minmax").fit(skewed())
    with pytest.raises(ParamsError, match="below 0"):
        scaler("z", -1).fit(skewed())


def test_settings_of_a_plan_are_the_steps_own_defaults():
    assert scaler(**ScaleParams().model_dump()).get_params() == Scale().get_params()
