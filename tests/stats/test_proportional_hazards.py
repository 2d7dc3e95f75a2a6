import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.datasets import load_lung
from lifelines.statistics import proportional_hazard_test
from scipy.stats import kstest
from sksurv.datasets import load_veterans_lung_cancer

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.proportional_hazards import proportional_hazards


def lung():
    table = load_lung()[["time", "status", "age", "sex", "wt.loss"]].dropna()
    return table[["age", "sex", "wt.loss"]].to_numpy(float), table["time"].to_numpy(float), table["status"] == 1


def veterans():
    table, y = load_veterans_lung_cancer()
    numeric = table[["Age_in_years", "Karnofsky_score", "Months_from_Diagnosis"]]
    return numeric.to_numpy(float), y["Survival_in_days"].astype(float), y["Status"]


def test_the_score_test_equals_rs_cox_zph_on_the_lung_data():
    """cox.zph(coxph(Surv(time, status) ~ age + sex + wt.loss, lung)) of R's survival 3."""
    found = proportional_hazards(*lung())
    np.testing.assert_allclose(found.statistic, [0.5077, 2.5489, 0.0144], atol=5e-5)
    np.testing.assert_allclose(found.p, [0.48, 0.11, 0.90], atol=5e-3)
    assert found.global_statistic == pytest.approx(3.0051, abs=5e-5)
    assert found.global_p == pytest.approx(0.39, abs=5e-3)


def test_the_test_of_residuals_equals_rs_cox_zph_before_survival_3():
    found = proportional_hazards(*lung(), method="residuals")
    np.testing.assert_allclose(found.correlation, [-0.0483, 0.1265, 0.0126], atol=5e-5)
    np.testing.assert_allclose(found.statistic, [0.378, 2.349, 0.024], atol=5e-4)
    assert (found.global_statistic, found.global_p) == (pytest.approx(2.846, abs=5e-4), pytest.approx(0.416, abs=5e-4))


@pytest.mark.parametrize(
    ("data", "transform"),
    [(lung, "rank"), (lung, "identity"), (lung, "log"), (veterans, "identity"), (veterans, "log")],
)
def test_the_test_of_residuals_equals_lifelines(data, transform):
    values, time, event = data()
    frame = pd.DataFrame(values, columns=["a", "b", "c"]).assign(time=time, event=np.asarray(event))
    fitter = CoxPHFitter().fit(frame, "time", "event", fit_options={"precision": 1e-10})
    found = proportional_hazards(values, time, event, transform=transform, method="residuals")
    twin = proportional_hazard_test(fitter, frame, time_transform=transform)
    # tied deaths: lifelines takes other means for them, and ranks them by their row
    np.testing.assert_allclose(found.statistic, twin.test_statistic, rtol=0.03, atol=1e-3)
    np.testing.assert_allclose(found.coefficient, fitter.params_, rtol=1e-5, atol=1e-6)


def test_without_ties_residuals_equal_those_of_lifelines():
    rng = np.random.default_rng(0)
    values, time, event = rng.normal(size=(80, 2)), rng.exponential(size=80), rng.random(80) < 0.7
    frame = pd.DataFrame(values, columns=["a", "b"]).assign(time=time, event=event)
    fitter = CoxPHFitter().fit(frame, "time", "event", fit_options={"precision": 1e-10})
    twin = fitter.compute_residuals(frame, "scaled_schoenfeld").sort_index()
    scaled = frame[event].loc[twin.index]
    found = proportional_hazards(values, time, event)
    order = np.argsort(scaled["time"].to_numpy())
    np.testing.assert_allclose(
        found.residuals, twin.to_numpy()[order] + fitter.params_.to_numpy(), rtol=1e-4, atol=1e-5
    )


def test_a_karnofsky_index_of_fading_weight_is_found_and_its_direction():
    values, time, event = veterans()
    found = proportional_hazards(values, time, event)
    assert found.p[1] < 1e-3
    assert found.global_p < 1e-2
    assert found.coefficient[1] < 0 < found.correlation[1]


def test_units_of_columns_and_the_order_of_rows_do_not_matter():
    values, time, event = lung()
    order = np.random.default_rng(1).permutation(len(time))
    one = proportional_hazards(values, time, event)
    two = proportional_hazards((values * [1000, 0.01, 3] + 7)[order], time[order], np.asarray(event)[order])
    np.testing.assert_allclose(one.statistic, two.statistic, rtol=1e-7)
    np.testing.assert_allclose(one.coefficient, two.coefficient * [1000, 0.01, 3], rtol=1e-7)


def test_the_order_of_tied_deaths_does_not_matter():
    values, time, event = veterans()
    order = np.random.default_rng(1).permutation(len(time))
    for transform in ("km", "rank"):
        one, two = (
            proportional_hazards(values[k], time[k], event[k], transform=transform) for k in (slice(None), order)
        )
        np.testing.assert_allclose(one.statistic, two.statistic, rtol=1e-7)


def test_p_is_uniform_where_hazards_are_proportional():
    p = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(100, 2))
        time, last = rng.exponential(size=100) * np.exp(-0.7 * x[:, 0]), 2 * rng.exponential(size=100)
        found = proportional_hazards(x, np.minimum(time, last), time <= last)
        p.append([*found.p, found.global_p])
    for column in np.transpose(p):
        assert kstest(column, "uniform").pvalue > 0.005


def test_where_there_is_no_test_there_is_a_reason():
    values, time, event = lung()
    assert "one value" in proportional_hazards(values * [1, 0, 1], time, event).reason
    assert "too few" in proportional_hazards(values, time, np.arange(len(time)) < 3).reason
    separated = (np.arange(20.0))[:, None]
    alone = proportional_hazards(separated, np.arange(20.0) + 1, np.ones(20, bool))
    assert alone.reason
    assert np.isnan(alone.p).all()
    twins = np.repeat(values[:, :1], 2, axis=1)
    assert "no finite solution" in proportional_hazards(twins, time, event).reason


def test_missing_values_and_unknown_transforms_are_refused():
    values, time, event = lung()
    with pytest.raises(TableError, match="finite"):
        proportional_hazards(np.where(values > 70, np.nan, values), time, event)
    with pytest.raises(ParamsError, match="'cube'"):
        proportional_hazards(values, time, event, transform="cube")
