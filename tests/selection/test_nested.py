import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.selection.validation.nested import BestOf
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study

GOOD = make_pipeline(StandardScaler(), LogisticRegression())


@parametrize_with_checks([BestOf()])
def test_estimators_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_the_better_plan_is_chosen_and_predicts_as_if_fitted_alone():
    table, outcome, _ = study(columns=5, effect=2.0)
    found = BestOf([DummyClassifier(), GOOD]).fit(table.values, outcome.y)
    alone = make_pipeline(StandardScaler(), LogisticRegression()).fit(table.values, outcome.y)
    assert found.best_ == 1
    np.testing.assert_allclose(found.predict_proba(table.values), alone.predict_proba(table.values))
    assert found.scores_.shape == (2, 5)
    assert (found.scores_[0] == 0.5).all()


def test_plans_stay_unfitted_and_the_choice_is_scored_in_every_fold():
    table, outcome, _ = study(columns=5, effect=2.0)
    nested = BestOf([DummyClassifier(), GOOD])
    folds = draw_folds(table, outcome, folds=4, repeats=1, seed=0)
    found = evaluate(nested, table, outcome, folds)
    assert found.scores == pytest.approx(evaluate(GOOD, table, outcome, folds).scores)


def test_patients_stay_together_in_inner_folds():
    seen = []

    class Spy(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(set(X[:, 0].astype(int)))
            return super().fit(X, y)

    patient = np.repeat(np.arange(20), 3)
    x = np.column_stack([patient, np.random.default_rng(0).normal(size=60)]).astype(float)
    BestOf([Spy()]).fit(x, patient % 2, patient)
    assert [len(s) for s in seen] == [16] * 5 + [20]


def test_times_and_numbers_are_chosen_for_by_their_own_metric():
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    table, outcome, _ = study(columns=4, effect=2.0, kind="survival")
    plans = [CoxPHSurvivalAnalysis(alpha=1e8), make_pipeline(StandardScaler(), CoxPHSurvivalAnalysis(alpha=1.0))]
    found = evaluate(BestOf(plans, "survival"), table, outcome, draw_folds(table, outcome, folds=3, repeats=1, seed=0))
    assert found.performance.mean > 0.7
    assert {m.n_folds for m in found.metrics} == {3}
    number = Outcome.continuous(table.values[:, 0])
    assert BestOf([Ridge(1e9), Ridge(0.1)], "continuous").fit(table.values, number.y).best_ == 1


def test_no_plans_for_another_kind_are_refused():
    with pytest.raises(ParamsError, match="needs plans"):
        BestOf(kind="continuous").fit(np.eye(6), np.arange(6.0))
