import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.selection.learners.logistic import RidgeLogistic
from radiomics_pipeline.selection.learners.recalibrated import Recalibrated
from radiomics_pipeline.selection.steps.screen import Screen


@parametrize_with_checks([Recalibrated()])
def test_recalibrated_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


def noise(seed, n=60, p=400):
    rng = np.random.default_rng([5, seed])
    return rng.normal(size=(n + 400, p)), rng.permutation(np.arange(n + 400) % 2)


def test_a_penalty_chosen_after_selection_is_too_sure_and_recalibration_mends_it():
    before, after = [], []
    for seed in range(5):
        x, y = noise(seed)
        plan = make_pipeline(Screen(keep=10), RidgeLogistic())
        before.append(log_loss(y[60:], plan.fit(x[:60], y[:60]).predict_proba(x[60:])))
        after.append(log_loss(y[60:], Recalibrated(plan).fit(x[:60], y[:60]).predict_proba(x[60:])))
    assert np.mean(before) > 0.85
    assert np.mean(after) < 0.75


def test_the_order_of_predictions_stays():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6))
    y = (2 * x[:, 0] + rng.logistic(size=120) > 0).astype(int)
    plain = LogisticRegression().fit(x, y).predict_proba(x)[:, 1]
    model = Recalibrated(LogisticRegression()).fit(x, y)
    assert roc_auc_score(y, model.predict_proba(x)[:, 1]) == pytest.approx(roc_auc_score(y, plain))
    assert (np.argsort(plain) == np.argsort(model.decision_function(x))).all()


def test_patients_are_kept_together_and_handed_to_the_last_step():
    seen = []

    class Spy(RidgeLogistic):
        def fit(self, X, y, groups=None):
            seen.append(groups)
            return super().fit(X, y, groups)

    x, _ = noise(1, 60, 5)
    groups = np.repeat(np.arange(20), 3)
    Recalibrated(make_pipeline(Screen(keep=2), Spy(repeats=1))).fit(x[:60], np.repeat(np.arange(20) % 2, 3), groups)
    assert len(seen) == 6
    assert all((np.unique(part, return_counts=True)[1] == 3).all() for part in seen)


def test_several_classes_keep_their_labels():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(150, 4))
    y = np.array(["a", "b", "c"])[np.argmax(2 * x[:, :3] + rng.gumbel(size=(150, 3)), axis=1)]
    model = Recalibrated(LogisticRegression(C=1000.0)).fit(x, y)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert (model.predict(x) == y).mean() > 0.6
    assert model.predict_proba(x).sum(axis=1) == pytest.approx(np.ones(150))
