import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.params.steps import ResidualiseParams
from radiomics_pipeline.selection.steps.residualise import Residualise


@parametrize_with_checks([Residualise(), Residualise(line="huber")])
def test_residualisation_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


def lesions(n=80, columns=6, seed=0):
    """Columns that follow the log volume, each with heavy-tailed noise; volumes in ml."""
    rng = np.random.default_rng(seed)
    volume = rng.lognormal(2, 1, n)
    return 5 + np.outer(np.log(volume), np.linspace(-1, 1, columns)) + rng.standard_t(3, size=(n, columns)), volume


@pytest.mark.parametrize("transform", ["log", "none"])
def test_residuals_equal_those_of_statsmodels_least_squares(transform):
    x, volume = lesions()
    size = sm.add_constant(np.log(volume) if transform == "log" else volume)
    step = Residualise(transform).fit(x[:50], volume=volume[:50])
    for c in range(x.shape[1]):
        fit = sm.OLS(x[:50, c], size[:50]).fit()
        expected = x[:, c] - fit.predict(size)
        np.testing.assert_allclose(step.transform(x, volume=volume)[:, c], expected, atol=1e-10)


def test_lines_of_huber_equal_statsmodels_robust_regression():
    x, volume = lesions()
    step = Residualise(line="huber").fit(x, volume=volume)
    for c in range(x.shape[1]):
        fit = sm.RLM(x[:, c], sm.add_constant(np.log(volume))).fit(maxiter=500, tol=1e-12)
        assert (step.intercept_[c], step.slope_[c]) == pytest.approx(tuple(fit.params), abs=1e-7)


def test_an_outlier_moves_the_line_of_huber_less():
    x, volume = lesions()
    clean = Residualise(line="huber").fit(x, volume=volume).slope_
    x[np.argmax(volume)] += 1000
    moved = np.abs(Residualise(line="huber").fit(x, volume=volume).slope_ - clean).max()
    assert moved < 0.3
    assert np.abs(Residualise().fit(x, volume=volume).slope_ - clean).max() > 10 * moved


def test_training_residuals_are_uncorrelated_with_volume_and_new_rows_change_nothing():
    x, volume = lesions()
    step = Residualise().fit(x[:50], volume=volume[:50])
    out = step.transform(x[:50], volume=volume[:50])
    assert np.abs(np.corrcoef(np.column_stack([out, np.log(volume[:50])]).T)[-1, :-1]).max() < 1e-12
    whole = step.transform(x, volume=volume)
    np.testing.assert_array_equal(step.transform(x[60:61], volume=volume[60:61]), whole[60:61])


@pytest.mark.parametrize("line", ["least-squares", "huber"])
def test_the_volume_itself_codes_and_constants_are_left(line):
    x, volume = lesions()
    code = np.arange(80) % 2
    full = np.column_stack([x, volume, 1000 * volume, np.log10(volume), code, np.full(80, 0.3)])
    step = Residualise(line=line).fit(full, volume=volume)
    out = step.transform(full, volume=volume)
    np.testing.assert_array_equal(out[:, 6:], full[:, 6:])
    assert step.volume_.tolist() == [False] * 6 + [True] * 3 + [False] * 2
    assert (out[:, :6] != x).all()


def test_without_a_volume_or_with_one_size_nothing_is_taken_off():
    x, volume = lesions()
    np.testing.assert_array_equal(Residualise().fit_transform(x), x)
    same = np.full(80, 3.0)
    np.testing.assert_array_equal(Residualise().fit(x, volume=same).transform(x, volume=volume), x)


def test_volumes_that_cannot_be_used_are_refused():
    x, volume = lesions()
    for bad, transform in ((0.0, "log"), (np.nan, "none"), (-1.0, "log")):
        broken = volume.copy()
        broken[4] = bad
        with pytest.raises(TableError, match="1 of 80 rows have no volume"):
            Residualise(transform).fit(x, volume=broken)
        with pytest.raises(TableError, match="1 of 80 rows have no volume"):
            Residualise(transform).fit(x, volume=volume).transform(x, volume=broken)
    with pytest.raises(TableError, match="with volumes"):
        Residualise().fit(x, volume=volume).transform(x)
    with pytest.raises(TableError, match="without volumes"):
        Residualise().fit(x).transform(x, volume=volume)
    with pytest.raises(TableError, match="one for each row"):
        Residualise().fit(x, volume=volume[1:])
    with pytest.raises(ParamsError, match="theil"):
        Residualise(line="theil").fit(x, volume=volume)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(-4, 4), st.integers(-4, 4), st.sampled_from(["least-squares", "huber"]))
def test_units_and_order_of_rows_change_nothing(seed, unit, volume_unit, line):
    x, volume = lesions(40, 3, seed)
    order = np.random.default_rng(seed).permutation(40)
    a = Residualise(line=line).fit(x, volume=volume).transform(x, volume=volume)
    moved, other = 10.0**unit * x[order], 10.0**volume_unit * volume
    b = Residualise(line=line).fit(moved, volume=other[order]).transform(10.0**unit * x, volume=other)
    np.testing.assert_allclose(a, b / 10.0**unit, atol=1e-6)


def test_settings_of_a_plan_are_the_steps_own_defaults():
    given = ResidualiseParams().model_dump(exclude={"method"})
    assert Residualise(**given).get_params() == Residualise().get_params()
