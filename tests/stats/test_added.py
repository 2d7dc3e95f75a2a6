import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2
from statsmodels.duration.hazard_regression import PHReg

from radiomics_pipeline.stats.cox import cox_lrt, empty_residuals
from radiomics_pipeline.stats.linear import linear_test
from radiomics_pipeline.stats.logistic import logistic_lrt
from radiomics_pipeline.stats.partial import adjusters
from tests import naive_alone as naive

UNITS = np.array([1.0, 100.0, 1e-3])
GROUPS = np.repeat(np.arange(30), 4)


def sample(seed, n=120, columns=6):
    """Columns with ties and gaps, adjusting columns in three units with a gap, and a risk that hangs on both."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(n, columns)), 1)
    adjust = rng.normal(size=(n, 3)) * UNITS + 3 * UNITS
    values[:, 1] += np.round(adjust[:, 0], 1)
    risk = values[:, 0] + adjust[:, 0] - 3
    values[rng.random(n) < 0.2, 2] = np.nan
    values[:9, 3] = np.nan
    adjust[4, 1] = np.nan
    return values, adjust, risk, rng


def design(x, adjust, kept, *, constant=True):
    """The reference's columns: the feature per standard deviation first, adjusting ones in their units."""
    parts = [x[kept] / x[kept].std(ddof=1)] if x is not None else []
    parts += list((adjust[kept] / UNITS).T) if adjust is not None else []
    parts += [np.ones(kept.sum())] if constant else []
    return np.column_stack(parts) if parts else np.zeros((kept.sum(), 0))


def kept_rows(x, adjust):
    return ~np.isnan(x) & (True if adjust is None else ~np.isnan(adjust).any(axis=1))


def fitted(model, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels warns of iterations that go on to the last digit
        return model.fit(disp=0, tol=1e-15, maxiter=60, **options)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("adjusted", [False, True])
def test_logistic_coefficient_error_and_p_equal_statsmodels_with_ties_and_gaps(seed, adjusted):
    values, adjust, risk, rng = sample(seed)
    adjust = adjust if adjusted else None
    y = (risk + rng.logistic(size=len(risk)) > 0).astype(int)
    found = logistic_lrt(values, y, adjust=adjust)
    for c, x in enumerate(values.T):
        kept = kept_rows(x, adjust)
        full = fitted(sm.Logit(y[kept], design(x, adjust, kept)))
        gain = full.llf - fitted(sm.Logit(y[kept], design(None, adjust, kept))).llf
        assert found.n[c] == kept.sum()
        assert found.coefficient[c] == pytest.approx(full.params[0], abs=1e-8)
        assert found.standard_error[c] == pytest.approx(full.bse[0], abs=1e-8)
        assert found.p[c] == pytest.approx(chi2.sf(2 * gain, 1), abs=1e-10)
    assert set(found.reasons) == {""}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("adjusted", [False, True])
def test_cox_coefficient_error_and_p_equal_statsmodels_with_tied_times_and_gaps(seed, adjusted):
    values, adjust, risk, rng = sample(seed)
    adjust = adjust if adjusted else None
    time = np.ceil(20 * rng.exponential(size=len(risk)) * np.exp(-risk))
    event = rng.random(len(risk)) < 0.6
    found = cox_lrt(values, time, event, adjust=adjust)
    for c, x in enumerate(values.T):
        kept = kept_rows(x, adjust)
        columns = design(x, adjust, kept, constant=False)
        model = PHReg(time[kept], columns, status=event[kept].astype(int), ties="efron")
        full = fitted(model)
        empty = model.loglike(np.zeros(columns.shape[1]))
        if adjusted:
            rest = design(None, adjust, kept, constant=False)
            empty = fitted(PHReg(time[kept], rest, status=event[kept].astype(int), ties="efron")).llf
        assert found.coefficient[c] == pytest.approx(full.params[0], abs=1e-8)
        assert found.standard_error[c] == pytest.approx(full.bse[0], abs=1e-8)
        assert found.p[c] == pytest.approx(chi2.sf(2 * (full.llf - empty), 1), abs=1e-10)


@pytest.mark.parametrize("adjusted", [False, True])
def test_line_equals_statsmodels_and_p_is_that_of_f(adjusted):
    values, adjust, risk, rng = sample(3)
    adjust = adjust if adjusted else None
    y = 50 + 7 * (risk + rng.normal(size=len(risk)))
    found = linear_test(values, y, adjust=adjust)
    for c, x in enumerate(values.T):
        kept = kept_rows(x, adjust)
        full = sm.OLS(y[kept], design(x, adjust, kept)).fit()
        assert found.coefficient[c] == pytest.approx(full.params[0], abs=1e-8)
        assert found.standard_error[c] == pytest.approx(full.bse[0], abs=1e-8)
        assert found.p[c] == pytest.approx(full.pvalues[0], abs=1e-10)
        assert found.freedom[c] == full.df_resid
        empty = sm.OLS(y[kept], design(None, adjust, kept)).fit()
        assert found.gain[c] == pytest.approx(full.llf - empty.llf, abs=1e-8)


@pytest.mark.parametrize("adjusted", [False, True])
def test_several_classes_equal_the_multinomial_model_of_statsmodels(adjusted):
    values, adjust, risk, rng = sample(4)
    adjust = adjust if adjusted else None
    codes = np.digitize(risk + rng.logistic(size=len(risk)), [-1, 1])
    codes = np.array([1, 2, 0])[codes]
    found = logistic_lrt(values, codes, adjust=adjust)
    for c, x in enumerate(values.T):
        kept = kept_rows(x, adjust)
        gain = (
            fitted(sm.MNLogit(codes[kept], design(x, adjust, kept))).llf
            - fitted(sm.MNLogit(codes[kept], design(None, adjust, kept))).llf
        )
        assert found.p[c] == pytest.approx(chi2.sf(2 * gain, 2), abs=1e-10)
        assert np.isnan(found.coefficient[c])


@pytest.mark.parametrize("kind", ["logistic", "linear"])
def test_errors_of_clustered_rows_equal_the_sandwich_of_statsmodels(kind):
    values, adjust, risk, rng = sample(5)
    y = risk + rng.logistic(size=len(risk))
    y = (y > 0).astype(int) if kind == "logistic" else y
    model, ours = (sm.Logit, logistic_lrt) if kind == "logistic" else (sm.OLS, linear_test)
    found = ours(values, y, adjust=adjust, groups=GROUPS)
    for c, x in enumerate(values.T):
        kept = kept_rows(x, adjust)
        options = {"cov_type": "cluster", "cov_kwds": {"groups": GROUPS[kept], "use_correction": False}}
        reference = model(y[kept], design(x, adjust, kept))
        full = fitted(reference, **options) if kind == "logistic" else reference.fit(**options)
        assert found.coefficient[c] == pytest.approx(full.params[0], abs=1e-8)
        assert found.standard_error[c] == pytest.approx(full.bse[0], abs=1e-8)


def test_hazard_errors_of_clustered_rows_are_the_sandwich_of_the_definition():
    values, adjust, risk, rng = sample(6)
    time = np.ceil(20 * rng.exponential(size=len(risk)) * np.exp(-risk))
    event = rng.random(len(risk)) < 0.6
    found = cox_lrt(values, time, event, adjust=adjust, groups=GROUPS)
    kept = kept_rows(values[:, 0], adjust)
    columns = design(values[:, 0], adjust, kept, constant=False)
    full = fitted(PHReg(time[kept], columns, status=event[kept].astype(int), ties="efron"))
    scores = naive.hazard_scores(full.params, columns, time[kept], event[kept])
    sums = np.array([scores[GROUPS[kept] == g].sum(axis=0) for g in np.unique(GROUPS[kept])])
    inverse = full.cov_params()
    assert np.abs(scores.sum(axis=0)).max() < 1e-6
    assert found.standard_error[0] == pytest.approx(np.sqrt((inverse @ sums.T @ sums @ inverse)[0, 0]), abs=1e-8)
    # the score test: at the model without the column
    rest = fitted(PHReg(time[kept], columns[:, 1:], status=event[kept].astype(int), ties="efron")).params
    at = np.concatenate([[0.0], rest])
    scores = naive.hazard_scores(at, columns, time[kept], event[kept])
    sums = np.array([scores[GROUPS[kept] == g].sum(axis=0) for g in np.unique(GROUPS[kept])])
    information = -PHReg(time[kept], columns, status=event[kept].astype(int), ties="efron").hessian(at)
    own = sums[:, 0] - sums[:, 1:] @ np.linalg.solve(information[1:, 1:], information[1:, 0])
    assert found.p[0] == pytest.approx(chi2.sf(own.sum() ** 2 / (own**2).sum(), 1), rel=1e-6)


@pytest.mark.parametrize("kind", ["classes", "hazard", "number"])
def test_robust_p_of_an_added_column_holds_its_level_where_rows_depend_on_each_other(kind):
    rng = np.random.default_rng(20260105)
    patients, rows, columns = 50, 3, 2000
    groups = np.repeat(np.arange(patients), rows)
    values = rng.normal(size=(patients, columns))[groups] + 0.5 * rng.normal(size=(patients * rows, columns))
    adjust = rng.normal(size=(patients, 2))[groups]
    noise = rng.logistic(size=patients)[groups]
    if kind == "classes":
        y = (adjust[:, 0] + noise > 0).astype(int)
        found, naive_p = (logistic_lrt(values, y, adjust=adjust, groups=g).p for g in (groups, None))
    elif kind == "hazard":
        time = np.exp(adjust[:, 0] + noise)
        event = np.repeat(rng.random(patients) < 0.7, rows)
        found, naive_p = (cox_lrt(values, time, event, adjust=adjust, groups=g).p for g in (groups, None))
    else:
        found, naive_p = (linear_test(values, adjust[:, 0] + noise, adjust=adjust, groups=g).p for g in (groups, None))
    assert 0.03 < np.mean(found < 0.05) < 0.075
    assert np.mean(naive_p < 0.05) > 0.12


def test_classes_that_do_not_overlap_have_an_infinite_coefficient_and_the_likelihood_of_the_limit():
    t = np.arange(20.0)
    y = t > 9
    entropy = 20 * np.log(2)
    found = logistic_lrt(np.column_stack([t, -(t**3), t > 10, t > 9]), y)
    np.testing.assert_array_equal(found.coefficient, [np.inf, -np.inf, np.inf, np.inf])
    # of the third column eleven rows share a value, one of them of the other class
    mixed = 10 * np.log(10 / 11) + np.log(1 / 11)
    np.testing.assert_allclose(found.gain, [entropy, entropy, entropy + mixed, entropy], atol=1e-10)
    np.testing.assert_allclose(found.p, chi2.sf(2 * found.gain, 1))
    assert np.isnan(found.standard_error).all()
    assert all("no end" in reason for reason in found.reasons)


def test_events_in_perfect_order_have_an_infinite_coefficient_and_the_likelihood_of_the_limit():
    t = np.arange(1.0, 21.0)
    values = np.column_stack([-t, t**3, np.where(t == 20, 1.0, 0.0)])
    found = cox_lrt(values, t, np.ones(20, bool))
    full = np.log(np.arange(1, 21)).sum()
    np.testing.assert_array_equal(found.coefficient, [np.inf, -np.inf, -np.inf])
    np.testing.assert_allclose(found.gain, [full, full, np.log(20)], atol=1e-10)


def test_nearly_separated_classes_still_have_an_end():
    x = np.arange(40.0)
    y = x > 19
    y[[19, 20]] = True, False
    found = logistic_lrt(x[:, None], y)
    full = fitted(sm.Logit(y.astype(int), sm.add_constant(x / x.std(ddof=1))))
    assert found.coefficient[0] == pytest.approx(full.params[1], abs=1e-8)
    assert found.reasons == ("",)


def test_one_event_can_be_fitted_and_the_last_to_be_followed_tells_nothing():
    rng = np.random.default_rng(7)
    x, time = rng.normal(size=(30, 2)), np.arange(1.0, 31.0)
    first = cox_lrt(x, time, time == 1)
    model = PHReg(time, x[:, 0] / x[:, 0].std(ddof=1), status=(time == 1).astype(int), ties="efron")
    assert first.p[0] == pytest.approx(chi2.sf(2 * (fitted(model).llf - model.loglike(np.zeros(1))), 1), abs=1e-10)
    last = cox_lrt(x, time, time == 30)
    assert np.isnan(last.p).all()
    assert np.isnan(last.coefficient).all()
    assert "no event" in last.reasons[0]
    assert np.isnan(cox_lrt(x, time, time == 99).p).all()


def test_p_near_one_keeps_its_digits():
    rng = np.random.default_rng(8)
    x = rng.normal(size=300)
    time = np.ceil(50 * rng.exponential(size=300))
    event = np.ones(300, bool)
    residual = empty_residuals(time, event)
    # all but orthogonal to the residuals, so that the column gains next to nothing
    x -= residual * (x @ residual) / (residual @ residual) * (1 - 1e-7)
    found = cox_lrt(x[:, None], time, event)
    information = -PHReg(time, x, status=np.ones(300), ties="efron").hessian(np.zeros(1))[0, 0]
    assert found.gain[0] == pytest.approx((residual @ x) ** 2 / information / 2, rel=1e-6)
    assert found.gain[0] < 1e-10


def test_residuals_of_the_empty_model_sum_to_zero_and_give_the_slope_at_zero():
    values, _, _, rng = sample(9)
    time, event = np.ceil(5 * rng.exponential(size=len(values))), rng.random(len(values)) < 0.6
    residual = empty_residuals(time, event)
    assert residual.sum() == pytest.approx(0, abs=1e-10)
    model = PHReg(time, values[:, 0], status=event.astype(int), ties="efron")
    assert residual @ values[:, 0] == pytest.approx(model.score(np.zeros(1))[0], abs=1e-9)


def test_a_constant_or_determined_column_has_no_p_and_says_why():
    values, adjust, risk, rng = sample(10)
    adjust[4, 1] = 0.0
    columns = np.column_stack(
        [np.full(len(risk), 3.3), adjust @ [1, 0.01, 1], np.full(len(risk), np.nan), values[:, 0]]
    )
    y = (risk + rng.logistic(size=len(risk)) > 0).astype(int)
    for found in (
        logistic_lrt(columns, y, adjust=adjust),
        linear_test(columns, risk, adjust=adjust),
        cox_lrt(columns, np.exp(risk), y == 1, adjust=adjust),
    ):
        np.testing.assert_array_equal(np.isnan(found.p), [True, True, True, False])
        assert "sum of the adjusting" in found.reasons[0]
        assert "sum of the adjusting" in found.reasons[1]
        assert found.n.tolist() == [120, 120, 0, 120]


def test_doubled_and_constant_adjusting_columns_change_nothing():
    values, adjust, risk, rng = sample(11)
    y = (risk + rng.logistic(size=len(risk)) > 0).astype(int)
    more = np.column_stack([adjust, 2 * adjust[:, 0] - 1, np.ones(len(risk))])
    once, twice = logistic_lrt(values, y, adjust=adjust), logistic_lrt(values, y, adjust=more)
    np.testing.assert_allclose(twice.p, once.p, atol=1e-12)
    np.testing.assert_allclose(twice.coefficient, once.coefficient, atol=1e-10)


def test_shift_and_unit_of_a_column_change_neither_p_nor_its_coefficient_per_deviation():
    values, adjust, risk, rng = sample(12)
    y = (risk + rng.logistic(size=len(risk)) > 0).astype(int)
    once, moved = (logistic_lrt(v, y, adjust=adjust) for v in (values, values * 1e-9 + 1e-6))
    np.testing.assert_allclose(moved.p, once.p, atol=1e-9)
    np.testing.assert_allclose(moved.coefficient, once.coefficient, atol=1e-9)


def test_adjusting_columns_that_separate_the_outcome_are_named():
    values, _, risk, _ = sample(13)
    y = (risk > 0).astype(int)
    found = logistic_lrt(values[:, 4:5], y, adjust=risk[:, None])
    assert "adjusting columns separate" in found.reasons[0]
    assert found.gain[0] == pytest.approx(0, abs=1e-9)


def test_as_many_columns_as_rows_leave_a_line_without_p():
    found = linear_test(
        np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 0.0, 2.0]), adjust=np.array([[1.0], [0.0], [0.0]])
    )
    assert np.isnan(found.p[0])
    assert found.reasons[0]


def test_a_column_is_not_adjusted_for_itself_in_another_unit():
    values, adjust, _, _ = sample(14)
    columns = np.column_stack([adjust[:, 0] * 1000 + 5, -adjust[:, 1], values[:, 0]])
    expected = [[False, True, True], [True, False, True], [True, True, True]]
    np.testing.assert_array_equal(adjusters(columns, adjust), expected)
