import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from statsmodels.duration.hazard_regression import PHReg

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.combine.declared import declared_lrt, external_delong
from radiomics_pipeline.selection.combine.incremental import (
    PlanScores,
    feature_gains,
    incremental,
    permute_added,
    permuted_differences,
)
from radiomics_pipeline.selection.validation.folds import Fold, deal
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from radiomics_pipeline.types.outcome import Outcome


def splits(outcome, k=5):
    place = deal(outcome.strata, np.arange(len(outcome)), k, np.random.default_rng(0))
    return [Fold(1, i + 1, np.flatnonzero(place != i), np.flatnonzero(place == i)) for i in range(k)]


def scores_of(x, y, folds, columns):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    found = {"auc": [], "brier": []}
    for fold in folds:
        p = model.fit(x[fold.train][:, columns], y[fold.train]).predict_proba(x[fold.test][:, columns])[:, 1]
        found["auc"].append(roc_auc_score(y[fold.test], p))
        found["brier"].append(float(np.mean((p - y[fold.test]) ** 2)))
    return found


def test_differences_intervals_and_directions():
    base = PlanScores("clinical", {"auc": (0.6, 0.7, 0.65, np.nan), "brier": (0.2, 0.22, 0.24, 0.2)}, 0.25)
    added = PlanScores(
        "both", {"auc": (0.7, 0.72, 0.8, 0.9), "brier": (0.19, 0.2, 0.21, 0.2), "log_loss": (1, 1, 1, 1)}, 0.25
    )
    auc, brier = incremental(base, added)
    assert (auc.difference, auc.lower, auc.upper) == corrected_interval(np.array([0.1, 0.02, 0.15]), 0.25)
    assert (auc.better, brier.better) == ("higher", "lower")
    assert brier.difference == pytest.approx(-0.015)
    assert auc.n_folds == 3
    assert "1 of 4 folds" in auc.note
    assert np.isnan(auc.p)


def test_calibration_has_no_increment_and_unknown_metrics_and_other_folds_are_refused():
    base = PlanScores("a", {"calibration_slope": (1.0,), "net_benefit@0.2": (0.1, 0.2)}, 0.25)
    rows = incremental(base, PlanScores("b", {"calibration_slope": (1.2,), "net_benefit@0.2": (0.2, 0.4)}, 0.25))
    assert [(r.metric, r.better) for r in rows] == [("net_benefit@0.2", "higher")]
    assert rows[0].difference == pytest.approx(0.15)
    with pytest.raises(ParamsError, match="not known"):
        incremental(PlanScores("a", {"speed": (1.0,)}, 0.1), PlanScores("b", {"speed": (1.0,)}, 0.1))
    with pytest.raises(ParamsError, match="one set of folds"):
        incremental(base, PlanScores("b", {"net_benefit@0.2": (0.2, 0.4, 0.1)}, 0.25))


def test_p_counts_permuted_plans_in_the_good_direction_and_those_without_a_value_against():
    base = PlanScores("a", {"auc": (0.5, 0.5), "brier": (0.25, 0.25)}, 0.25)
    added = PlanScores("b", {"auc": (0.7, 0.8), "brier": (0.2, 0.21)}, 0.25)
    null = {"auc": np.array([0.0, 0.1, 0.3, np.nan]), "brier": np.array([0.01, -0.1, 0.0, 0.0])}
    auc, brier = incremental(base, added, null)
    assert auc.p == pytest.approx(3 / 5)
    assert brier.p == pytest.approx(2 / 5)
    assert auc.permutations == 4


def test_added_columns_move_together_and_all_else_stays():
    x = np.arange(20.0).reshape(5, 4)
    source = np.array([4, 3, 2, 1, 0])
    moved = permute_added(x, [1, 2], source)
    np.testing.assert_array_equal(moved[:, [0, 3]], x[:, [0, 3]])
    np.testing.assert_array_equal(moved[:, [1, 2]], x[source][:, [1, 2]])


def test_what_the_base_columns_give_stays_with_its_row():
    rng = np.random.default_rng(0)
    volume = rng.normal(size=400)
    x = np.column_stack([volume, 2 * volume + rng.normal(size=400)])
    x[:7, 1] = np.nan
    moved = permute_added(x, [1], rng.permutation(400), known=x[:, :1])
    there = ~np.isnan(moved[:, 1])
    assert there.sum() == 393
    assert np.polyfit(x[there, 0], moved[there, 1], 1)[0] == pytest.approx(2, abs=0.2)
    assert abs(np.corrcoef(x[there & ~np.isnan(x[:, 1]), 1], moved[there & ~np.isnan(x[:, 1]), 1])[0, 1]) < 0.9


@pytest.mark.parametrize(("effect", "significant"), [(1.2, True), (0.0, False)])
def test_a_real_increment_is_significant_and_noise_is_not(effect, significant):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(120, 6))
    outcome = Outcome.binary((x[:, 0] + effect * x[:, 3] + rng.logistic(size=120) > 0).astype(float))
    folds = splits(outcome)
    y = outcome.y
    base = PlanScores("clinical", scores_of(x, y, folds, [0, 1]), 0.25)
    added = PlanScores("clinical+radiomics", scores_of(x, y, folds, list(range(6))), 0.25)
    sources = [np.random.default_rng([1, k]).permutation(120) for k in range(39)]
    null = permuted_differences(
        x, [2, 3, 4, 5], sources, lambda z: scores_of(z, y, folds, list(range(6))), base, base_columns=[0, 1]
    )
    for row in incremental(base, added, null):
        assert (row.p <= 0.05) == significant
        assert (row.difference > 0.02 if row.better == "higher" else row.difference < -0.01) == significant
        assert row.lower < row.difference < row.upper
    assert np.median(null["auc"]) < 0.01  # noise columns add nothing
    with pytest.raises(ParamsError, match="base plan"):
        permuted_differences(x, [1, 2], sources, lambda z: {}, base, base_columns=[0, 1])


def test_gains_of_single_features_equal_a_loop_over_scikit_learn():
    rng = np.random.default_rng(1)
    base, features = rng.normal(size=(80, 2)), rng.normal(size=(80, 3))
    outcome = Outcome.binary((base[:, 0] + 2 * features[:, 1] + rng.logistic(size=80) > 0).astype(float))
    folds = splits(outcome, 4)
    found = feature_gains(features, base, outcome, folds)
    y = outcome.y
    reference = scores_of(base, y, folds, [0, 1])["auc"]
    for j in range(3):
        own = scores_of(np.column_stack([base, features[:, j]]), y, folds, [0, 1, 2])["auc"]
        expected = corrected_interval(np.array(own) - np.array(reference), 1 / 3)
        assert (found.gain[j], found.lower[j], found.upper[j]) == pytest.approx(expected, abs=1e-9)
    assert found.metric == "auc"
    assert found.gain[1] > 0.1 > found.gain[0]


def test_gains_of_survival_equal_scikit_survival_and_gaps_take_training_medians():
    rng = np.random.default_rng(2)
    base, features = rng.normal(size=(90, 1)), rng.normal(size=(90, 2))
    features[3, 0] = np.nan
    time = rng.exponential(size=90) * np.exp(-base[:, 0] - features[:, 1])
    outcome = Outcome.survival(time, rng.random(90) < 0.7)
    folds = splits(outcome, 3)
    found = feature_gains(features, base, outcome, folds)
    y, gains = outcome.y, []
    for fold in folds:
        c = []
        for x in (base, np.column_stack([base, features[:, 1]])):
            model = make_pipeline(StandardScaler(), CoxPHSurvivalAnalysis(alpha=1.0, ties="efron"))
            risk = model.fit(x[fold.train], y[fold.train]).predict(x[fold.test])
            c.append(concordance_index_censored(y["event"][fold.test], y["time"][fold.test], risk)[0])
        gains.append(c[1] - c[0])
    assert found.gain[1] == pytest.approx(np.mean(gains), abs=1e-9)
    assert np.isfinite(found.gain[0])
    with pytest.raises(TableError, match="base"):
        feature_gains(features, np.zeros((90, 0)), outcome, folds)


def test_the_likelihood_ratio_of_declared_columns_equals_statsmodels():
    rng = np.random.default_rng(5)
    base, added = rng.normal(size=(100, 2)), rng.normal(size=(100, 2))
    both = np.column_stack([base, added])
    y = (base[:, 0] + added[:, 0] + rng.logistic(size=100) > 0).astype(float)
    found = declared_lrt(base, added, Outcome.binary(y), ["suv", "mtv"])
    small, large = (sm.Logit(y, sm.add_constant(x)).fit(disp=0, tol=1e-12) for x in (base, both))
    assert found.statistic == pytest.approx(2 * (large.llf - small.llf), abs=1e-8)
    assert (found.freedom, found.test, found.events) == (2, "likelihood ratio", int(y.sum()))
    time, event = np.ceil(9 * rng.exponential(size=100)), rng.random(100) < 0.6
    found = declared_lrt(base, added, Outcome.survival(time, event), ["suv", "mtv"])
    fits = [PHReg(time, x, status=event.astype(int), ties="efron").fit(disp=0, tol=1e-12) for x in (base, both)]
    assert found.statistic == pytest.approx(2 * (fits[1].llf - fits[0].llf), abs=1e-8)
    number = base[:, 0] + rng.normal(size=100)
    found = declared_lrt(base, added, Outcome.continuous(number), ["suv", "mtv"])
    ols = [sm.OLS(number, sm.add_constant(x)).fit() for x in (base, both)]
    f, p, freedom = ols[1].compare_f_test(ols[0])
    assert (found.statistic, found.p, found.freedom) == pytest.approx((f, p, freedom), abs=1e-9)
    assert found.test == "F"


def test_selected_undeclared_and_dependent_rows_get_no_p():
    x, outcome = np.random.default_rng(0).normal(size=(30, 2)), Outcome.binary(np.arange(30) % 2)
    with pytest.raises(ParamsError, match=r"glcm_x was selected by the data: .*Demler"):
        declared_lrt(x[:, :1], x[:, 1:], outcome, ["glcm_x"], ["glcm_x"])
    with pytest.raises(ParamsError, match="age was selected"):
        declared_lrt(x[:, :1], x[:, 1:], outcome, ["suv"], ["age"], base_names=["age"])
    with pytest.raises(ParamsError, match="only declared columns"):
        declared_lrt(x[:, :1], x[:, 1:], outcome, [])
    with pytest.raises(ParamsError, match="15 patients"):
        declared_lrt(x[:, :1], x[:, 1:], outcome, ["suv"], patient=[str(i // 2) for i in range(30)])
    with pytest.raises(ParamsError, match="nothing to test"):
        declared_lrt(x[:, :1], 3 * x[:, :1], outcome, ["suv"])
    with pytest.raises(TableError, match="missing"):
        declared_lrt(x[:, :1], np.full((30, 1), np.nan), outcome, ["suv"])


def test_delong_on_external_rows_has_the_single_area_variance_against_a_constant_and_refuses_shared_patients():
    rng = np.random.default_rng(4)
    event = np.arange(60) % 2 == 1
    score = event + rng.normal(size=60)
    patient = [f"b{i}" for i in range(60)]
    row = external_delong(event, np.zeros(60), score, trained_on=["a1"], tested_on=patient)
    single = auc_delong(score[:, None], event)
    assert row.difference == pytest.approx(single.area[0] - 0.5)
    assert row.upper - row.lower == pytest.approx(2 * 1.959964 * single.variance[0] ** 0.5, rel=1e-6)
    assert row.p < 0.01
    same = external_delong(event, score, 3 * score, trained_on=["a1"], tested_on=patient)
    assert same.difference == 0
    assert same.p == 1.0
    with pytest.raises(ParamsError, match="1 patients trained"):
        external_delong(event, score, score, trained_on=["b7"], tested_on=patient)
    with pytest.raises(ParamsError, match="one class"):
        external_delong(event | True, score, score, trained_on=[], tested_on=patient)
