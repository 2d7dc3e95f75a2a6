from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.selection.validation.permutation import (
    arrangement,
    exchangeable,
    permutation_test,
    summary,
)
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study, table_of

MODEL = make_pipeline(StandardScaler(), LogisticRegression())


def cox():
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    return make_pipeline(StandardScaler(), CoxPHSurvivalAnalysis(alpha=1.0))


def folds_of(table, outcome):
    return draw_folds(table, outcome, folds=3, repeats=1, seed=0)


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_a_real_effect_has_the_smallest_p_and_noise_a_large_one(kind):
    table, outcome, _ = study(n=60, columns=4, effect=2.5, kind=kind)
    model = MODEL if kind == "binary" else cox()
    real = permutation_test(model, table, outcome, folds_of(table, outcome), permutations=39, plan="x")
    assert real.p == 1 / 40
    assert real.observed == evaluate(model, table, outcome, folds_of(table, outcome)).performance.mean
    assert abs(real.null_mean - 0.5) < 0.06
    noise = replace(table, values=np.random.default_rng(9).normal(size=(60, 4)))
    assert permutation_test(model, noise, outcome, folds_of(table, outcome), permutations=39).p > 0.05


def test_numbers_and_classes_are_tested_by_their_own_metric():
    table, _, _ = study(n=60, columns=3)
    number = Outcome.continuous(table.values[:, 0] + 0.1)
    found = permutation_test(LinearRegression(), table, number, folds_of(table, number), permutations=19)
    assert (found.metric, found.p) == ("r2", 1 / 20)
    level = np.digitize(table.values[:, 0], [-0.5, 0.5])
    classes = Outcome.multiclass([str(v) for v in level])
    found = permutation_test(MODEL, table, classes, folds_of(table, classes), permutations=19)
    assert (found.metric, found.p) == ("auc", 1 / 20)


def test_the_number_of_processes_changes_nothing_and_the_seed_does():
    table, outcome, _ = study(columns=4, effect=0.5)
    folds = folds_of(table, outcome)
    one = permutation_test(MODEL, table, outcome, folds, permutations=10, seed=3)
    assert repr(one) == repr(permutation_test(MODEL, table, outcome, folds, permutations=10, seed=3, n_jobs=2))
    assert one.null_mean != permutation_test(MODEL, table, outcome, folds, permutations=10, seed=4).null_mean


def test_every_step_of_the_plan_is_repeated_on_permuted_rows():
    seen = []

    class Spy(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(len(X))
            return super().fit(X, y, sample_weight)

    table, outcome, _ = study(columns=4)
    calls = []
    folds = folds_of(table, outcome)
    permutation_test(
        make_pipeline(Spy(), LogisticRegression()),
        table,
        outcome,
        folds,
        permutations=5,
        progress=lambda *a: calls.append(a),
        plan="x",
    )
    assert seen == [40] * 18
    assert calls == [(k, 5, "x") for k in range(1, 6)]


def test_patients_are_exchanged_whole_among_those_with_as_many_rows():
    patient = tuple(f"p{i // 2:02d}" for i in range(40)) + tuple(f"q{i}" for i in range(20))
    table = table_of(np.zeros((60, 1)), patient=patient)
    blocks = exchangeable(table)
    source = arrangement(blocks, 60, (0, 1))
    assert sorted(source) == list(range(60))
    assert not (source == np.arange(60)).all()
    for i in range(0, 40, 2):
        assert source[i] % 2 == 0
        assert source[i + 1] == source[i] + 1
    assert (source[40:] >= 40).all()


def test_patients_are_exchanged_inside_their_centre_only():
    centre = ["a"] * 30 + ["b"] * 30
    source = arrangement(exchangeable(table_of(np.zeros((60, 1))), centre), 60, (0, 1))
    assert (source[:30] < 30).all()
    assert (source[30:] >= 30).all()


def test_patients_that_cannot_be_exchanged_are_refused():
    patient = tuple(f"p{k}" for k in range(1, 11) for _ in range(k))
    table = table_of(np.zeros((55, 1)), patient=patient)
    with pytest.raises(OutcomeError, match="about 1 ways only"):
        exchangeable(table)
    table, outcome, _ = study(columns=3)
    with pytest.raises(OutcomeError, match="at least one permutation"):
        permutation_test(MODEL, table, outcome, folds_of(table, outcome), permutations=0)


def test_p_counts_the_observed_arrangement_and_plans_without_a_score():
    row = summary("x", "auc", 0.7, np.array([0.5, 0.7, 0.8, np.nan]))
    assert row.p == 4 / 5
    assert "1 permuted plans have no score" in row.note
    assert np.isnan(summary("x", "auc", np.nan, np.array([0.5])).p)


def test_a_plan_that_knows_nothing_has_p_one():
    table, _, _ = study(columns=3)
    number = Outcome.continuous(table.values[:, 0])
    found = permutation_test(DummyRegressor(), table, number, folds_of(table, number), permutations=5)
    assert found.p == 1.0


@pytest.mark.slow
def test_p_is_uniform_on_noise():
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        table, outcome = table_of(rng.normal(size=(40, 3))), Outcome.binary(rng.permutation(np.arange(40) < 20))
        folds = folds_of(table, outcome)
        found.append(permutation_test(MODEL, table, outcome, folds, permutations=19, seed=seed).p)
    share = np.mean(np.array(found) <= 0.2)
    assert abs(share - 0.2) < 3.5 * np.sqrt(0.2 * 0.8 / 100)
