from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.selection.validation.metrics import metrics_of
from radiomics_pipeline.selection.validation.resampling import no_information, plus_632, resample
from radiomics_pipeline.selection.validation.schemes import bootstrap
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study, table_of

MODEL = make_pipeline(StandardScaler(), LogisticRegression())
METRICS = {m.name: m for m in metrics_of("binary")}


def test_optimism_is_that_of_a_plain_loop_over_the_same_samples():
    table, outcome, _ = study(columns=5)
    rows = {r.metric: r for r in resample(MODEL, table, outcome, draws=12, seed=3)}
    X, y = table.values, outcome.y

    def fitted(train):
        return make_pipeline(StandardScaler(), LogisticRegression()).fit(X[train], y[train])

    def auc(model, part):
        return roc_auc_score(y[part], model.decision_function(X[part]))

    whole = np.arange(60)
    apparent = auc(fitted(whole), whole)
    gains, out = [], []
    for fold in bootstrap(table, outcome, draws=12, seed=3).folds:
        model = fitted(fold.train)
        gains.append(auc(model, fold.train) - auc(model, whole))
        out.append(auc(model, fold.test))
    row = rows["auc"]
    assert row.apparent == pytest.approx(apparent)
    assert row.optimism == pytest.approx(np.mean(gains))
    assert row.corrected == pytest.approx(apparent - np.mean(gains))
    assert row.out_of_bag == pytest.approx(np.mean(out))
    rate = (apparent - max(np.mean(out), 0.5)) / (apparent - 0.5)
    weight = 0.632 / (1 - 0.368 * rate)
    assert row.plus632 == pytest.approx((1 - weight) * apparent + weight * np.mean(out))
    assert row.lower < row.corrected < row.upper
    assert row.draws == 12


def test_the_no_information_brier_score_pairs_every_outcome_with_every_prediction():
    rng = np.random.default_rng(0)
    p, outcome = rng.random(30), Outcome.binary(rng.random(30) < 0.4)
    held = Held(outcome, outcome, p, np.column_stack([1 - p, p]), cut=0.4)
    expected = np.mean((p[:, None] - outcome.value[None, :]) ** 2)
    assert no_information(METRICS["brier"], held) == pytest.approx(expected, abs=1e-12)
    assert no_information(METRICS["auc"], held) == 0.5


@pytest.mark.parametrize(
    ("name", "apparent", "out", "expected"),
    [
        ("auc", 0.9, 0.9, 0.9),  # no overfitting: plain .632, here the same
        ("auc", 1.0, 0.4, 0.5),  # worse than chance counts as chance, with full weight
        ("auc", 0.9, 0.7, 0.9 - 0.2 * 0.632 / (1 - 0.368 * 0.5)),
    ],
)
def test_the_weight_follows_the_relative_overfitting(name, apparent, out, expected):
    held = Held(Outcome.binary([0, 1]), Outcome.binary([0, 1]))
    assert plus_632(METRICS[name], held, apparent, out).estimate == pytest.approx(expected)
    assert np.isnan(plus_632(METRICS["calibration_slope"], held, 1.0, 0.8).estimate)


def test_on_noise_the_apparent_value_is_far_too_good_and_the_corrected_ones_are_not():
    rng = np.random.default_rng(0)
    found = []
    for seed in range(6):
        table, outcome = table_of(rng.normal(size=(50, 15))), Outcome.binary(rng.permutation(np.arange(50) < 25))
        found.append(resample(MODEL, table, outcome, draws=20, seed=seed)[0])
    assert np.mean([r.apparent for r in found]) > 0.8
    assert abs(np.mean([r.plus632 for r in found]) - 0.5) < 0.09
    assert np.mean([r.corrected for r in found]) < np.mean([r.apparent for r in found]) - 0.15


def test_survival_is_corrected_too_and_processes_change_nothing():
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    table, outcome, _ = study(columns=4, kind="survival")
    model = make_pipeline(StandardScaler(), CoxPHSurvivalAnalysis(alpha=1.0))
    one = resample(model, table, outcome, draws=6, seed=1)
    assert repr(one) == repr(resample(model, table, outcome, draws=6, seed=1, n_jobs=2))
    rows = {r.metric: r for r in one}
    assert rows["c_index"].optimism > 0
    assert rows["integrated_brier"].plus632 > rows["integrated_brier"].apparent
    assert np.isfinite(rows["c_ipcw"].corrected)


def test_rows_of_a_patient_are_drawn_together_and_fitted_plans_are_refused():
    table, outcome, _ = study(columns=4)
    lesions = replace(table, patient=tuple(f"p{i // 2:02d}" for i in range(60)))
    calls = []
    resample(MODEL, lesions, outcome, draws=3, plan="x", progress=lambda *a: calls.append(a))
    assert calls == [(1, 3, "x"), (2, 3, "x"), (3, 3, "x")]
    with pytest.raises(ParamsError, match="has been fitted"):
        resample(LogisticRegression().fit(table.values, outcome.y), table, outcome, draws=3)


def test_a_plan_that_predicts_the_prevalence_is_not_optimistic():
    table, outcome, _ = study(columns=4)
    row = resample(DummyClassifier(), table, outcome, draws=10)[0]
    assert (row.apparent, row.corrected, row.plus632) == (0.5, 0.5, 0.5)
