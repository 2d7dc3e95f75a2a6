import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.learners.inner import class_folds
from radiomics_pipeline.selection.learners.neighbours import NearestClasses, NearestNumbers
from radiomics_pipeline.selection.learners.search import Span
from radiomics_pipeline.selection.learners.table import LEARNERS
from radiomics_pipeline.selection.learners.tuned import Tuned, held_out_loss, tuned
from radiomics_pipeline.selection.registry import method_named
from radiomics_pipeline.types.outcome import Outcome


@parametrize_with_checks([Tuned(), Tuned(NearestNumbers(), {"neighbours": (9, 3)})])
def test_tuned_learners_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def sample(n=90, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8))
    return x, (x[:, 0] + rng.logistic(size=n) > 0).astype(int)


class Constant(ClassifierMixin, BaseEstimator):
    """Predicts shares, whatever the settings; notes which patients it was fitted to."""

    seen: list = []

    def __init__(self, size=1, other="a"):
        self.size = size
        self.other = other

    def fit(self, X, y, groups=None):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        Constant.seen.append(groups)
        return self

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_settings_of_the_smallest_loss_left_out_are_taken_and_refitted_to_all_rows():
    x, y = sample()
    values = (1e-4, 1e-2, 1.0, 100.0)
    found = Tuned(LogisticRegression(), {"C": values}).fit(x, y)
    place = class_folds(y, np.arange(90), 5, 0)
    loss = []
    for c in values:
        parts = [
            log_loss(
                y[place == f],
                LogisticRegression(C=c).fit(x[place != f], y[place != f]).predict_proba(x[place == f]),
                normalize=False,
            )
            for f in range(5)
        ]
        loss.append(sum(parts))
    assert [t.loss for t in found.tried_] == pytest.approx(loss)
    assert found.settings_ == {"C": values[int(np.argmin(loss))]}
    np.testing.assert_array_equal(found.coef_, LogisticRegression(**found.settings_).fit(x, y).coef_)


def test_of_equal_losses_the_first_of_the_grid_wins():
    x, y = sample()
    for method in ("grid", "optuna"):
        found = Tuned(Constant(), {"size": (3, 2, 1), "other": ("b", "a")}, method=method).fit(x, y)
        assert found.settings_ == {"size": 3, "other": "b"}


def test_patients_stay_together_and_are_handed_on():
    x, y = np.repeat(sample(30)[0], 3, axis=0), np.repeat(np.arange(30) % 2, 3)
    groups = np.repeat([f"p{i}" for i in range(30)], 3)
    Constant.seen = []
    Tuned(Constant(), {"size": (1, 2)}).fit(x, y, groups)
    assert len(Constant.seen) == 11
    for patients in Constant.seen[:-1]:
        assert (np.unique(patients, return_counts=True)[1] == 3).all()
    repeated = Tuned(NearestClasses(), {"neighbours": (60, 1)})
    noise, y = np.random.default_rng(0).normal(size=(80, 4)).repeat(3, axis=0), np.repeat(np.arange(80) % 2, 3)
    assert repeated.fit(noise, y, np.repeat(np.arange(80), 3)).settings_ == {"neighbours": 60}
    assert repeated.fit(noise, y).settings_ == {"neighbours": 1}
    with pytest.raises(OutcomeError, match="one patient"):
        Tuned(NearestNumbers(), {"neighbours": (1, 2)}).fit(noise, y, np.zeros(240))


def test_optuna_is_deterministic_searches_ranges_and_leaves_its_log_as_it_was():
    optuna = pytest.importorskip("optuna")
    x, y = sample()
    grid = {"C": Span(1e-4, 1e3, log=True), "max_iter": Span(100, 200), "fit_intercept": (True, False)}
    level = optuna.logging.get_verbosity()
    first, second = (Tuned(LogisticRegression(), grid, method="optuna", trials=12, seed=4).fit(x, y) for _ in range(2))
    assert first.settings_ == second.settings_
    assert [t.loss for t in first.tried_] == [t.loss for t in second.tried_]
    assert isinstance(first.settings_["max_iter"], int)
    assert len(first.tried_) <= 12
    assert optuna.logging.get_verbosity() == level
    other = Tuned(LogisticRegression(), grid, method="optuna", trials=12, seed=5).fit(x, y)
    assert [t.settings for t in other.tried_] != [t.settings for t in first.tried_]


def test_optuna_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    x, y = sample()
    with pytest.raises(ParamsError, match="not installed"):
        Tuned(NearestClasses(), {"neighbours": (3, 5)}, method="optuna").fit(x, y)


@pytest.mark.parametrize(
    ("grid", "how", "message"),
    [
        ({"neighbors": (3,)}, {}, "did you mean 'neighbours'"),
        ({"neighbours": ()}, {}, "no values"),
        ({"neighbours": Span(1, 9)}, {}, "only optuna"),
        ({"neighbours": Span(9, 1)}, {"method": "optuna"}, "no range"),
        ({"neighbours": (3,)}, {"method": "random"}, "not one of"),
        ({"neighbours": (3,)}, {"method": "optuna", "trials": 0}, "trials"),
    ],
)
def test_what_cannot_be_tried_is_refused(grid, how, message):
    x, y = sample()
    with pytest.raises(ParamsError, match=message):
        Tuned(NearestClasses(), grid, **how).fit(x, y)


def test_losses_that_are_no_numbers_are_refused():
    class Broken(Constant):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    x, y = sample()
    with pytest.raises(OutcomeError, match="no settings"):
        Tuned(Broken(), {"size": (1, 2)}).fit(x, y)


def test_it_is_of_the_kind_of_its_estimator_and_offers_what_that_offers():
    x, y = sample()
    assert is_classifier(Tuned())
    assert is_regressor(Tuned(Ridge()))
    assert not hasattr(Tuned(), "decision_function")
    model = Tuned(LogisticRegression(), {"C": (0.1, 1.0)}).fit(x, y)
    assert hasattr(model, "decision_function")
    assert not hasattr(Tuned().fit(x, y), "coef_")
    assert model.classes_.tolist() == [0, 1]


class Risk(BaseEstimator):
    """Risk of a column; `turned` ranks it the wrong way."""

    def __init__(self, turned=False):
        self.turned = turned

    def fit(self, X, y):
        return self

    def predict(self, X):
        return -X[:, 0] if self.turned else X[:, 0]


def test_times_are_judged_by_pairs_in_wrong_order_or_by_the_estimators_own_loss():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 2))
    y = Outcome.survival(rng.exponential(size=60) * np.exp(-2 * x[:, 0]), (np.arange(60) % 3 > 0).astype(float)).y
    found = Tuned(Risk(), {"turned": (True, False)}).fit(x, y)
    assert found.settings_ == {"turned": False}
    rows = np.arange(60)
    right, wrong = (held_out_loss(Risk(t), x, y, rows[:0], rows) for t in (False, True))
    pairs = sum(y["event"][i] and y["time"][i] < y["time"][j] for i in range(60) for j in range(60))
    assert right + wrong == pytest.approx(pairs)
    assert right < wrong

    class Own(Risk):
        def held_out_loss(self, X, y, train, test):
            return 0.0 if self.turned else 1.0

    assert Tuned(Own(), {"turned": (False, True)}).fit(x, y).settings_ == {"turned": True}


def test_a_learner_of_the_table_is_tuned_over_what_its_settings_leave_open():
    row = method_named("xgboost", LEARNERS)
    model = tuned(row, {"depth": 1}, "binary", 3, inner_folds=3)
    assert set(model.grid) == {"rounds", "columns"}
    assert (model.estimator.depth, model.inner_folds, model.seed) == (1, 3, 3)
    assert not isinstance(tuned(method_named("ridge", LEARNERS), {}, "binary", 0), Tuned)
