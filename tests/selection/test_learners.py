import subprocess
import sys

import numpy as np
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.covariance import ledoit_wolf
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.selection.combine.contributions import explain
from radiomics_pipeline.selection.learners import inner
from radiomics_pipeline.selection.learners.boosting import BoostedClassifier, BoostedRegressor
from radiomics_pipeline.selection.learners.discriminant import ShrunkDiscriminant, discriminant
from radiomics_pipeline.selection.learners.firth import FirthLogistic
from radiomics_pipeline.selection.learners.forest import ForestClassifier, ForestRegressor
from radiomics_pipeline.selection.learners.inner import class_folds, number_folds
from radiomics_pipeline.selection.learners.linear import PenalisedLinear, RidgeLinear
from radiomics_pipeline.selection.learners.logistic import RidgeLogistic
from radiomics_pipeline.selection.learners.neighbours import NearestClasses, NearestNumbers
from radiomics_pipeline.selection.learners.platt import calibrate
from radiomics_pipeline.selection.learners.rotation import rotate
from radiomics_pipeline.selection.learners.table import CLASS_LEARNERS, LEARNERS, learners_for
from radiomics_pipeline.selection.learners.vector_machine import Kernel, VectorMachine, VectorRegression
from radiomics_pipeline.selection.registry import method_named

CLASS_KINDS = ("binary", "multiclass", "ordinal")
ROWS = [(row, kind) for row in CLASS_LEARNERS for kind in row.kinds]
BINARY = [row for row in CLASS_LEARNERS if "binary" in row.kinds]
SEVERAL = [(row, kind) for row, kind in ROWS if kind != "binary"]


def names(rows):
    return [f"{row.name}-{kind}" for row, kind in rows]


def sample(n=150, p=12, kind="binary", seed=0, effect=2.0):
    """Scaled columns, of which the first two go with the outcome."""
    rng = np.random.default_rng(seed)
    x = StandardScaler().fit_transform(rng.normal(size=(n, p)))
    line = effect * x[:, :2].sum(axis=1) if p > 1 else effect * x[:, 0]
    if kind == "continuous":
        return x, line + rng.normal(size=n)
    if kind == "binary":
        return x, (line + rng.logistic(size=n) > 0).astype(np.int64)
    return x, np.digitize(line + rng.logistic(size=n), [-1.5, 1.5]).astype(np.int64)


def quick(row, kind, seed=0):
    """The learner with fewer trees, where it has trees."""
    settings = {"trees": 60} if "trees" in row.params.model_fields else {}
    return row.make(settings, kind, seed)


@parametrize_with_checks(
    [
        RidgeLinear(),
        PenalisedLinear(),
        ShrunkDiscriminant(),
        VectorMachine(),
        VectorRegression(),
        BoostedClassifier(),
        BoostedRegressor(),
        NearestClasses(),
        NearestNumbers(),
        FirthLogistic(),
        ForestClassifier(trees=40),
        ForestRegressor(trees=20),
    ]
)
def test_learners_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@parametrize_with_checks([RidgeLogistic(), ForestClassifier(), ForestRegressor()])
def test_slow_learners_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_every_row_of_the_table_has_its_own_name_and_a_grid_of_settings_that_the_estimator_has():
    named = [(row.name, kind) for row in LEARNERS for kind in row.kinds]
    assert len(set(named)) == len(named)
    for row in CLASS_LEARNERS:
        assert method_named(row.name, CLASS_LEARNERS) is row
        for kind in row.kinds:
            settings = row.make({}, kind, 0).get_params()
            for name, values in row.grid.items():
                assert name in settings, (row.name, name)
                for value in values:
                    assert row.make({name: value}, kind, 0).get_params()[name] == value
    assert {row.name for row in learners_for("ordinal")} >= {"ordinal", "lda", "forest"}
    with pytest.raises(ParamsError, match="serves"):
        method_named("firth", LEARNERS).make({}, "continuous", 0)


@pytest.mark.parametrize(("row", "kind"), ROWS, ids=names(ROWS))
def test_planted_effects_are_learned_and_probabilities_are_calibrated_enough(row, kind):
    x, y = sample(300, 12, kind)
    model = quick(row, kind).fit(x[:150], y[:150])
    if kind == "continuous":
        assert ((model.predict(x[150:]) - y[150:]) ** 2).mean() < 0.6 * y[150:].var()
        return
    p = model.predict_proba(x[150:])
    assert p.shape == (150, len(np.unique(y)))
    assert p.sum(axis=1) == pytest.approx(np.ones(150), abs=1e-12)
    assert (p >= 0).all()
    base = np.bincount(y[:150]) / 150
    assert log_loss(y[150:], p) < 0.9 * log_loss(y[150:], np.tile(base, (150, 1)))
    assert (model.predict(x[150:]) == p.argmax(axis=1)).all()


@pytest.mark.slow
@pytest.mark.parametrize(("row", "kind"), ROWS, ids=names(ROWS))
def test_the_same_seed_gives_the_same_predictions_for_any_number_of_threads(row, kind):
    x, y = sample(60, 90 if row.name != "firth" else 8, kind, seed=3)
    predictions = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            model = quick(row, kind, seed=5).fit(x[:50], y[:50])
            predictions.append(model.predict(x) if kind == "continuous" else model.predict_proba(x))
    assert predictions[0] == pytest.approx(predictions[1], abs=1e-7)
    model = clone(model)
    again = model.fit(x[:50], y[:50])
    third = again.predict(x) if kind == "continuous" else again.predict_proba(x)
    np.testing.assert_allclose(third, predictions[1], atol=1e-9)


@pytest.mark.parametrize("row", BINARY, ids=[row.name for row in BINARY])
@pytest.mark.parametrize("columns", [1, 5])
def test_twelve_rows_with_three_events_are_enough(row, columns):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, columns)), np.arange(12) % 4 == 0
    p = quick(row, "binary").fit(x, y).predict_proba(x)
    assert np.isfinite(p).all()
    assert 0.1 < p[:, 1].mean() < 0.5


@pytest.mark.parametrize(("row", "kind"), SEVERAL, ids=names(SEVERAL))
def test_few_rows_of_several_classes_or_of_a_number_are_enough(row, kind):
    x, y = sample(14, 1, kind)
    y = y if kind == "continuous" else np.arange(14) % 3
    model = quick(row, kind).fit(x, y)
    assert np.isfinite(model.predict(x) if kind == "continuous" else model.predict_proba(x)).all()


@pytest.mark.parametrize("row", BINARY, ids=[row.name for row in BINARY])
def test_rare_events_have_low_probabilities_that_still_rank(row):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(800, 6))
    y = (2 * x[:, 0] - 4.2 + rng.logistic(size=800) > 0).astype(int)
    train, test = slice(0, 300), slice(300, 800)
    assert 0.03 < y[train].mean() < 0.12
    p = quick(row, "binary").fit(x[train], y[train]).predict_proba(x[test])[:, 1]
    assert p.mean() == pytest.approx(y[test].mean(), abs=0.04)
    assert roc_auc_score(y[test], p) > 0.7


@pytest.mark.parametrize(("row", "kind"), ROWS, ids=names(ROWS))
def test_columns_that_are_all_constant_give_the_shares_or_the_mean(row, kind):
    _, y = sample(40, 4, kind)
    x = np.full((40, 3), 7.0)
    model = quick(row, kind).fit(x, y)
    if kind == "continuous":
        assert model.predict(x) == pytest.approx(np.full(40, y.mean()), abs=y.std())
    else:
        assert model.predict_proba(x)[0] == pytest.approx(np.bincount(y) / 40, abs=0.2)


@pytest.mark.parametrize("estimator", [RidgeLogistic(0.0), RidgeLinear(-1.0)])
def test_a_penalty_that_is_none_is_refused(estimator):
    x, y = sample(30, 3)
    with pytest.raises(ParamsError, match="above 0"):
        estimator.fit(x, y)


def test_contributions_of_boosted_trees_and_linear_models_add_up_to_what_they_predict():
    for name, kind in (("xgboost", "binary"), ("xgboost", "continuous"), ("ridge", "binary"), ("svm-linear", "binary")):
        x, y = sample(60, 5, kind)
        model = method_named(name, LEARNERS).make({}, kind, 0).fit(x, y)
        found = explain(model, x)
        total = found.values.sum(axis=1) + found.base
        predicted = model.predict(x) if kind == "continuous" else logit(model.predict_proba(x)[:, 1])
        np.testing.assert_allclose(total, predicted, atol=1e-4)


@pytest.mark.parametrize("row", BINARY, ids=[row.name for row in BINARY])
def test_constant_and_repeated_columns_do_no_harm(row):
    x, y = sample(60, 4)
    x = np.hstack([x, np.ones((60, 1)), x[:, :1]])
    assert np.isfinite(quick(row, "binary").fit(x, y).predict_proba(x)).all()


@pytest.mark.parametrize(
    "estimator",
    [RidgeLogistic(repeats=1), ShrunkDiscriminant(), VectorMachine(), *(r.make({}, "binary", 0) for r in BINARY[1:3])],
    ids=lambda e: type(e).__name__,
)
def test_one_patient_with_an_event_is_refused(estimator):
    x, _ = sample(30, 4)
    with pytest.raises(OutcomeError, match="inner folds"):
        estimator.fit(x, (np.arange(30) < 3).astype(int), groups=np.repeat(np.arange(10), 3))


def test_inner_folds_keep_patients_together_and_share_out_classes():
    groups = np.repeat([f"p{i}" for i in range(25)], 3)
    codes = np.repeat(np.arange(25) % 5 == 0, 3).astype(np.int64)
    patients = inner.patients_or_rows(groups, 75)
    for place in (class_folds(codes, patients, 5, 0), number_folds(np.arange(75.0), patients, 5, 0)):
        assert all(len(set(place[groups == g])) == 1 for g in set(groups))
        assert set(place) == set(range(5))
    assert all(codes[class_folds(codes, patients, 5, 0) == f].sum() == 3 for f in range(5))
    with pytest.raises(OutcomeError, match="holds every row"):
        class_folds(np.array([2, 1, 2, 1, 0, 2, 0, 1]), np.array([3, 3, 0, 2, 0, 4, 2, 2]), 2, 0)


@pytest.mark.parametrize("name", ["ridge", "lda", "svm", "logitboost", "network", "ordinal"])
def test_a_row_given_thrice_to_one_patient_does_not_flatter_the_choice_by_inner_folds(name, monkeypatch):
    seen = []
    original = inner.deal

    def spy(strata, groups, folds, rng):
        place = original(strata, groups, folds, rng)
        seen.append((np.asarray(groups), place))
        return place

    monkeypatch.setattr(inner, "deal", spy)
    row = method_named(name, LEARNERS)
    x, y = sample(20, 4, row.kinds[0])
    row.make({}, row.kinds[0], 0).fit(np.repeat(x, 3, axis=0), np.repeat(y, 3), groups=np.repeat(np.arange(20), 3))
    assert seen
    assert all(len(set(place[groups == g])) == 1 for groups, place in seen for g in set(groups))


@pytest.mark.parametrize(("n", "p"), [(200, 1000), (200, 20), (40, 3)])
def test_ridge_is_scikit_learns_at_the_same_penalty(n, p):
    x, y = sample(n, p, effect=1.0)
    found = RidgeLogistic().fit(x, y)
    solver = "newton-cholesky" if p < 100 else "lbfgs"
    twin = LogisticRegression(C=1 / found.penalty_, solver=solver, tol=1e-12, max_iter=100_000).fit(x, y)
    assert np.abs(found.coef_ - twin.coef_[0]).max() < 1e-6
    assert found.intercept_ == pytest.approx(twin.intercept_[0], abs=1e-6)
    np.testing.assert_allclose(found.predict_proba(x), twin.predict_proba(x), atol=1e-6)


def test_the_ridge_of_the_smallest_deviance_left_out_is_taken():
    x, y = sample(60, 30, effect=1.0)
    found = RidgeLogistic(steps=6, repeats=2).fit(x, y)
    spread = (x**2).sum() / 60
    loss = np.zeros(6)
    for repeat in range(2):
        place = class_folds(y, np.arange(60), 5, repeat)
        for k, variance in enumerate(np.geomspace(1e-3, 1e3, 6)):
            for f in range(5):
                model = LogisticRegression(C=variance / spread, solver="newton-cholesky", tol=1e-10)
                p = model.fit(x[place != f], y[place != f]).predict_proba(x[place == f])
                loss[k] += log_loss(y[place == f], p, normalize=False)
    np.testing.assert_allclose(found.loss_, loss, rtol=1e-2)
    assert found.penalty_ == pytest.approx(spread / np.geomspace(1e-3, 1e3, 6)[loss.argmin()])


def test_ridge_of_several_classes_is_the_multinomial_one():
    x, y = sample(120, 200, "multiclass")
    found = RidgeLogistic(penalty=50.0).fit(x, y)
    twin = LogisticRegression(C=1 / 50.0, tol=1e-9, max_iter=10_000).fit(x, y)
    np.testing.assert_allclose(found.predict_proba(x), twin.predict_proba(x), atol=1e-4)


def test_ridge_of_a_number_is_scikit_learns_and_leaves_out_one_patient_after_the_other():
    x, y = sample(40, 60, "continuous")
    groups = np.repeat(np.arange(20), 2)
    for given in (None, groups):
        found = RidgeLinear(steps=5).fit(x, y, given)
        parts = np.arange(40) if given is None else groups
        loss = []
        for penalty in (x**2).sum() / 40 / np.geomspace(1e-3, 1e3, 5):
            errors = [
                y[parts == g] - Ridge(penalty).fit(x[parts != g], y[parts != g]).predict(x[parts == g])
                for g in range(parts.max() + 1)
            ]
            loss.append((np.concatenate(errors) ** 2).sum())
        np.testing.assert_allclose(found.loss_, loss, rtol=1e-8)
        np.testing.assert_allclose(found.coef_, Ridge(found.penalty_).fit(x, y).coef_, atol=1e-9)


def test_the_elastic_net_of_a_number_is_scikit_learns_and_finds_the_planted_columns():
    x, y = sample(80, 40, "continuous")
    found = PenalisedLinear(l1_ratios=(0.5, 1.0)).fit(x, y)
    twin = ElasticNet(alpha=found.penalty_, l1_ratio=found.l1_ratio_, tol=1e-10, max_iter=10**5).fit(x, y)
    np.testing.assert_allclose(found.coef_, twin.coef_, atol=1e-3)
    assert set(found.selected_) >= {0, 1}
    assert len(found.selected_) < 30
    np.testing.assert_allclose(found.predict(x), twin.predict(x), atol=0.01)


def test_the_penalty_of_a_number_is_chosen_with_every_step_refitted_on_inner_training_rows():
    seen = []

    class Spy(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(len(X))
            return super().fit(X, y, sample_weight)

    x, y = sample(40, 10, "continuous")
    found = PenalisedLinear(prepare=Spy(), inner_folds=4).fit(x + 100, y, np.repeat(np.arange(20), 2))
    assert (seen[0], sorted(seen[1:])) == (40, [30, 30, 30, 30])
    assert set(found.selected_) >= {0, 1}


@pytest.mark.parametrize("p", [5, 150])
def test_the_discriminant_is_that_of_ledoit_and_wolfs_covariance(p):
    x, y = sample(60, p, "multiclass")
    means = np.array([x[y == c].mean(axis=0) for c in range(3)])
    covariance, shrinkage = ledoit_wolf(x - means[y], assume_centered=True)
    weights = np.linalg.solve(covariance, means.T).T
    scores = x @ weights.T - 0.5 * (weights * means).sum(axis=1)
    rotation = rotate(x)
    found, offsets, amount = discriminant(rotation.scores, y, 3, p)
    got = rotation.scores @ found.T + offsets
    assert amount == pytest.approx(shrinkage, rel=1e-9)
    np.testing.assert_allclose(got[:, 1:] - got[:, :1], scores[:, 1:] - scores[:, :1], atol=1e-6)


def test_the_vector_machine_decides_as_scikit_learns_and_its_line_is_the_decision():
    x, y = sample(80, 6)
    found = VectorMachine("linear", costs=(1.0,)).fit(x, y)
    scale = ((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()
    twin = SVC(kernel="linear", C=1 / scale, class_weight="balanced", tol=1e-6).fit(x - x.mean(axis=0), y)
    decisions = found.machine_.decision_function(found.kernel_(x))
    np.testing.assert_allclose(decisions, twin.decision_function(x - x.mean(axis=0)), atol=5e-3)
    p = found.predict_proba(x)[:, 1]
    np.testing.assert_allclose(np.log(p / (1 - p)), x @ found.coef_ + found.intercept_, atol=1e-8)
    assert Kernel("rbf", x)(x)[np.diag_indices(80)] == pytest.approx(np.ones(80))


def test_platts_slope_is_that_of_the_decisions_and_never_turns_their_order():
    rng = np.random.default_rng(0)
    d = rng.normal(size=4000)
    y = (3 * d - 1 + rng.logistic(size=4000) > 0).astype(int)
    found = calibrate(d, y)
    assert found.slope == pytest.approx(3, abs=0.2)
    assert found.offsets == pytest.approx([0, -1], abs=0.15)
    assert calibrate(100 * d, y).slope == pytest.approx(found.slope / 100, rel=1e-4)
    turned = calibrate(-d, y)
    assert turned.slope == pytest.approx(1e-3, rel=0.1)
    assert turned.probability(d)[:, 1] == pytest.approx(np.full(4000, y.mean()), abs=2e-3)
    separated = calibrate(np.arange(-10.0, 10.0) + 0.5, np.arange(20) // 10)
    assert 0 < separated.slope < 10


def test_platts_calibration_is_scikit_learns_for_two_classes():
    from sklearn.calibration import _sigmoid_calibration

    rng = np.random.default_rng(1)
    d = rng.normal(size=60)
    y = (d + rng.logistic(size=60) > 0.3).astype(int)
    slope, offset = _sigmoid_calibration(d, y)
    found = calibrate(d, y)
    assert found.slope == pytest.approx(-slope, rel=1e-3)
    assert found.offsets[1] == pytest.approx(-offset, abs=1e-3)


def test_rows_out_of_the_bag_are_those_of_scikit_learn_and_of_whole_patients():
    x, y = sample(50, 5)
    found = ForestClassifier(trees=80, least=1).fit(x, y)
    twin = RandomForestClassifier(80, oob_score=True, random_state=0).fit(x, y)
    np.testing.assert_allclose(found.oob_probability_, twin.oob_decision_function_, atol=1e-12)
    assert ForestClassifier("random", trees=40).fit(x, y).oob_probability_.shape == (50, 2)


@pytest.mark.parametrize("estimator", [ForestClassifier(trees=200), ForestRegressor(trees=200, least=1)])
def test_repeated_rows_of_a_patient_do_not_make_out_of_bag_predictions_better_than_chance(estimator):
    rng = np.random.default_rng(4)
    x, y = np.repeat(rng.normal(size=(60, 10)), 3, axis=0), np.repeat(np.arange(60) % 2, 3)
    groups = np.repeat(np.arange(60), 3)

    def auc(given):
        model = clone(estimator).fit(x, y, given)
        oob = getattr(model, "oob_prediction_", None)
        oob = model.oob_probability_[:, 1] if oob is None else oob
        return roc_auc_score(y, oob)

    assert auc(None) > 0.95
    assert 0.3 < auc(groups) < 0.7


def test_neighbours_are_counted_with_a_pseudo_row_of_each_class():
    x, y = np.arange(10.0)[:, None], np.array([0] * 5 + [1] * 5)
    found = NearestClasses(3).fit(x, y).predict_proba([[0.0], [9.0]])
    np.testing.assert_allclose(found, [[4 / 5, 1 / 5], [1 / 5, 4 / 5]])
    assert NearestClasses(500).fit(x, y).neighbours_ == 10
    assert NearestNumbers(2).fit(x, x[:, 0]).predict([[0.0]]) == pytest.approx([0.5])


def test_missing_cells_are_taken_where_trees_allow_them_and_refused_elsewhere():
    x, y = sample(60, 4)
    x[::3, 0] = np.nan
    for name in ("xgboost", "logitboost"):
        assert np.isfinite(method_named(name, LEARNERS).make({}, "binary", 0).fit(x, y).predict_proba(x)).all()
    with pytest.raises(ValueError, match="NaN"):
        RidgeLogistic().fit(x, y)


def test_columns_that_trees_split_at_are_named():
    x, y = sample(100, 30)
    found = BoostedClassifier(rounds=5, depth=1, columns=1.0).fit(x, y)
    assert set(found.selected_) <= {0, 1}


def test_firths_probabilities_have_the_share_of_events_as_their_mean():
    x, _ = sample(80, 3)
    y = (np.arange(80) < 6).astype(int)
    assert FirthLogistic().fit(x, y).predict_proba(x)[:, 1].mean() == pytest.approx(6 / 80, abs=1e-9)
    assert FirthLogistic(centred=False).fit(x, y).predict_proba(x)[:, 1].mean() > 6 / 80 + 0.003
    with pytest.raises(TableError, match="select fewer"):
        FirthLogistic().fit(x[:4], [0, 1, 0, 1])


def test_a_rotation_keeps_products_and_brings_weights_back():
    x = np.random.default_rng(0).normal(size=(20, 50)) + 3
    rotation = rotate(x)
    centred = x - x.mean(axis=0)
    np.testing.assert_allclose(rotation.scores @ rotation.scores.T, centred @ centred.T, atol=1e-8)
    weights = np.random.default_rng(1).normal(size=rotation.scores.shape[1])
    coefficients, intercept = rotation.back(weights, np.asarray(2.0))
    np.testing.assert_allclose(x @ coefficients + intercept, rotation.scores @ weights + 2, atol=1e-9)


def test_xgboost_and_optuna_are_imported_where_they_are_used():
    code = (
        "import sys; import radiomics_pipeline.selection.learners.table, radiomics_pipeline.selection.learners.tuned; "
        "print(sorted({'xgboost', 'optuna', 'sksurv'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("row", BINARY, ids=[row.name for row in BINARY])
def test_noise_is_ranked_by_chance(row):
    areas = []
    for seed in range(20):
        rng = np.random.default_rng([9, seed])
        x, y = rng.normal(size=(540, 8 if row.name == "firth" else 60)), rng.permutation(np.arange(540) % 2)
        p = quick(row, "binary", seed).fit(x[:40], y[:40]).predict_proba(x[40:])[:, 1]
        areas.append(roc_auc_score(y[40:], p))
    assert np.mean(areas) == pytest.approx(0.5, abs=3.5 * 0.026 / np.sqrt(20) + 0.005)
