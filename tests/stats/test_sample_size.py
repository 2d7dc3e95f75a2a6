import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2
from scipy.stats import t as student

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.anticipated_r2 import max_r2_binary, max_r2_survival, modest_r2, r2_from_auc
from radiomics_pipeline.stats.linear_size import continuous_size, continuous_support, linear_shrinkage
from radiomics_pipeline.stats.sample_size import (
    binary_size,
    binary_support,
    survival_size,
    survival_support,
)


def numbers(size):
    return [c.n for c in size.criteria]


def test_the_pre_eclampsia_example_of_the_bmj_is_reproduced():
    found = binary_size(30, 0.05, 0.05)
    assert (found.n, int(found.events), found.binding) == (5249, 262, "shrinkage")
    assert found.max_r2 == pytest.approx(0.33, abs=5e-3)


def test_the_published_binary_example_of_pmsampsize_is_reproduced():
    found = binary_size(24, 0.288, 0.174)
    assert (found.n, np.ceil(found.events)) == (662, 116)
    assert found.per_parameter == pytest.approx(4.8, abs=5e-3)
    assert found.binding == "apparent less adjusted R2"


@pytest.mark.parametrize(
    ("parameters", "r2", "rate", "published", "per_parameter"),
    [
        (25, 0.051, 0.065, (4286, 866), 23.07),
        (25, 0.065, 0.065, (3335, 859), 17.95),
        (50, 0.051, 0.065, (8572, 1731), 23.07),
        (25, 0.051, 0.1, (4286, 731), 35.49),
    ],
)
def test_the_published_survival_figures_of_pmsampsize_are_reproduced(parameters, r2, rate, published, per_parameter):
    found = survival_size(parameters, r2, rate, 2, 2.07)
    assert found.criteria[0].n == published[0] == found.n
    assert abs(found.criteria[1].n - published[1]) <= 1  # there events are rounded up in 10 000 patients
    assert found.per_parameter == pytest.approx(per_parameter, abs=5e-3)


def test_the_thrombosis_example_of_the_bmj_is_reproduced():
    found = survival_size(30, 0.051, 0.065, 2, 2.07)
    assert (found.n, round(found.events)) == (5143, 692)


@pytest.mark.parametrize(
    ("parameters", "r2", "published"),
    [(25, 0.2, [918, 401, 259]), (25, 0.3, [574, 351, 259]), (50, 0.2, [1924, 801, 284])],
)
def test_the_published_continuous_figures_of_pmsampsize_are_reproduced(parameters, r2, published):
    found = continuous_size(parameters, r2, mean=1.9, sd=0.6)
    assert numbers(found)[:3] == published
    assert found.n == published[0]
    assert found.per_parameter == pytest.approx(published[0] / parameters)


@pytest.mark.parametrize(("parameters", "r2"), [(3, 0.7), (5, 0.02), (40, 0.5), (2, 0.1), (1, 0.4)])
def test_the_linear_size_is_the_first_from_which_shrinkage_stays_small_enough(parameters, r2):
    rows = np.arange(parameters + 2, 20_000)
    fails = rows[np.asarray(linear_shrinkage(rows, parameters, r2)) < 0.9]
    expected = fails[-1] + 1 if len(fails) else parameters + 2
    assert continuous_size(parameters, r2).criteria[0].n == expected


def test_the_spread_and_the_mean_are_as_precise_as_was_asked():
    found = continuous_size(10, 0.3, mean=2.0, sd=3.0, margin=0.1)
    by_name = {c.name: c.n for c in found.criteria}
    df = by_name["residual standard deviation"] - 11
    for freedom, enough in ((df, True), (df - 1, False)):
        ends = max(chi2.ppf(0.975, freedom) / freedom, freedom / chi2.ppf(0.025, freedom)) ** 0.5
        assert (ends <= 1.1) == enough
    n = by_name["mean outcome"]
    for rows, enough in ((n, True), (n - 1, False)):
        assert (student.ppf(0.975, rows - 11) * 3 * np.sqrt(0.7) / np.sqrt(rows) <= 0.2) == enough


@pytest.mark.parametrize(("rate", "horizon", "follow_up"), [(0.065, 2, 2.07), (0.3, 5, 3), (0.01, 1, 4), (1.5, 2, 1)])
def test_the_overall_risk_at_the_horizon_is_within_its_margin_and_not_with_fewer(rate, horizon, follow_up):
    n = survival_size(1, 0.01, rate, horizon, follow_up).criteria[2].n

    def error(patients):
        reach = 1.96 * np.sqrt(rate / (patients * follow_up))
        risk = [1 - np.exp(-max(r, 0) * horizon) for r in (rate - reach, rate, rate + reach)]
        return max(risk[1] - risk[0], risk[2] - risk[1])

    assert error(n) <= 0.05 + 1e-12
    assert n == 1 or error(n - 1) > 0.05


@pytest.mark.parametrize("prevalence", [0.05, 0.3, 0.77])
@pytest.mark.parametrize("auc", [0.6, 0.81, 0.95])
def test_r2_from_an_area_is_that_of_a_large_simulated_study(auc, prevalence):
    n = 200_000
    rng = np.random.default_rng(1)
    event = np.arange(n) < n * prevalence
    x = rng.normal(size=n) + event * np.sqrt(2) * 1.0 * _quantile(auc)
    fit = sm.Logit(event.astype(float), sm.add_constant(x)).fit(disp=0)
    expected = 1 - np.exp(2 * (fit.llnull - fit.llf) / n)
    assert r2_from_auc(auc, prevalence) == pytest.approx(expected, abs=0.004)


def _quantile(share):
    from scipy.stats import norm

    return norm.ppf(share)


def test_the_largest_r2_is_that_of_a_model_which_is_always_right():
    y = np.arange(200) < 40
    assert max_r2_binary(0.2) == pytest.approx(1 - np.exp(2 * (40 * np.log(0.2) + 160 * np.log(0.8)) / 200))
    assert max_r2_binary(0.5) == pytest.approx(0.75)
    assert r2_from_auc(1 - 1e-12, y.mean()) == pytest.approx(max_r2_binary(0.2), abs=1e-3)
    assert max_r2_survival(0.13455) == pytest.approx(1 - np.exp(2 * (0.13455 * np.log(0.13455) - 0.13455)))
    assert modest_r2(0.4) == pytest.approx(0.06)


@pytest.mark.parametrize(("n", "events", "r2"), [(500, 100, 0.2), (5249, 262, 0.05), (1000, 480, 0.6), (90, 45, 0.3)])
def test_what_a_study_bears_is_the_inverse_of_what_a_model_needs(n, events, r2):
    found = binary_support(n, events, r2)
    if found.parameters:
        assert max(numbers(binary_size(found.parameters, r2, events / n))[:2]) <= n
    assert max(numbers(binary_size(found.parameters + 1, r2, events / n))[:2]) > n
    assert found.precise == (binary_size(1, r2, events / n).criteria[2].n <= n)


def test_supported_parameters_of_the_published_examples_are_those_they_started_from():
    assert binary_support(5249, 262, 0.05).parameters == 30
    assert survival_support(5143, 692, 5143 * 2.07, 2, 0.051).parameters == 30
    assert continuous_support(918, 0.2).parameters == 25
    assert continuous_support(917, 0.2).parameters == 24


def test_a_radiomics_study_of_sixty_patients_bears_no_parameter_and_is_told_so():
    found = binary_support(60, 20)
    assert found.r2 == pytest.approx(0.15 * max_r2_binary(1 / 3))
    assert (found.parameters, found.precise) == (0, False)
    assert "60 patients with 20 events bear 0 candidate parameters" in found.note
    assert "too few even for the overall level" in found.note
    assert continuous_support(2, 0.1).parameters == 0
    assert survival_support(60, 20, 120.0, 2.0).parameters == 0


@pytest.mark.parametrize("change", [{"parameters": 50}, {"r2": 0.1}, {"shrinkage": 0.95}])
def test_more_parameters_less_r2_and_less_shrinkage_ask_for_more(change):
    plain = {"parameters": 25, "r2": 0.2, "shrinkage": 0.9}
    for more in (lambda a: binary_size(**a, prevalence=0.3), lambda a: continuous_size(**a)):
        assert more({**plain, **change}).n > more(plain).n


def test_numbers_that_cannot_be_are_refused():
    for call in (
        lambda: binary_size(10, 0.5, 0.05),  # above the largest possible
        lambda: binary_size(10, 0.0, 0.3),
        lambda: binary_size(10, 0.7, 0.5, shrinkage=0.6),
        lambda: continuous_size(10, 0.95),
        lambda: continuous_size(10, 1.0),
    ):
        with pytest.raises(ParamsError, match="R2"):
            call()
    with pytest.raises(ParamsError, match="whole number"):
        binary_size(0, 0.1, 0.3)
    with pytest.raises(ParamsError, match="prevalence"):
        binary_size(5, 0.1, 1.0)
    with pytest.raises(ParamsError, match="over 0"):
        survival_size(5, 0.1, 0.0, 2, 2)
    with pytest.raises(ParamsError, match="relative margin"):
        continuous_size(5, 0.1, mean=0.0, sd=1.0)
    with pytest.raises(ParamsError, match="with and without"):
        binary_support(10, 10)
    with pytest.raises(ParamsError, match="events among"):
        survival_support(10, 0, 20.0, 1.0)
    with pytest.raises(ParamsError, match="area"):
        r2_from_auc(0.5, 0.3)
    with pytest.raises(ParamsError, match="events per patient"):
        max_r2_survival(0.0)
