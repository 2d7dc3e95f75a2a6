"""The final model as a formula: it says what the pipeline says, or it is not there."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.steps import HarmoniseParams, ImputeParams, ScaleParams
from radiomics_pipeline.selection.final import fit_final, formula_of, score_of
from radiomics_pipeline.selection.layout import inputs_of, layout_of
from radiomics_pipeline.selection.plans import build, named_plan
from radiomics_pipeline.selection.validation.fitting import selected_columns
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.side import Side
from tests.selection.studies import study

NAMES = ("a", "b", "c", "d", "e")
NO_CLIP = SelectionParams(scale=ScaleParams(clip=None))


def data(n=80, seed=0, gaps=0.0):
    """X of five columns on very different scales, and a number that follows from three of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)) * [1, 100, 1e-2, 1, 5] + [0, 1000, 1, -3, 0]
    y = X[:, 0] + X[:, 1] / 100 + 1e2 * X[:, 2] + 0.5 * rng.normal(size=n)
    X[rng.random(X.shape) < gaps] = np.nan
    return X, y


def said(formula, X, names=NAMES):
    """The formula as a reader would apply it with a pocket calculator, row by row."""
    scores = []
    for row in X:
        score = formula.intercept
        for name, coefficient in formula.coefficients.items():
            value = row[names.index(name)]
            score += coefficient * (formula.medians[name] if np.isnan(value) else value)
        scores.append(score)
    return np.array(scores)


def gapped(X, seed=3):
    found = X.copy()
    found[np.random.default_rng(seed).random(X.shape) < 0.4] = np.nan
    return found


def test_coefficients_of_plain_regression_are_its_own():
    X, y = data()
    model = LinearRegression().fit(X, y)
    formula = formula_of(model, X, NAMES, "continuous", ())
    np.testing.assert_allclose([formula.coefficients[n] for n in NAMES], model.coef_, rtol=1e-7)
    assert formula.intercept == pytest.approx(model.intercept_, rel=1e-7)
    assert formula.link == "identity"


@pytest.mark.parametrize("strategy", ["median", "mean", "constant"])
def test_a_linear_pipeline_and_its_formula_agree_on_new_rows_and_on_missing_cells(strategy):
    X, y = data(gaps=0.15)
    model = make_pipeline(SimpleImputer(strategy=strategy), StandardScaler(), Ridge()).fit(X, y)
    formula = formula_of(model, X, NAMES, "continuous", ())
    new = gapped(data(seed=9)[0])
    np.testing.assert_allclose(said(formula, new), model.predict(new), rtol=1e-7)
    filled = model[0].statistics_.astype(float)
    np.testing.assert_allclose([formula.medians[n] for n in NAMES], filled, rtol=1e-6, atol=1e-6)


def test_logistic_regression_gives_the_probability_by_its_formula():
    X, y = data(gaps=0.1)
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
    model.fit(X, y > np.median(y))
    formula = formula_of(model, X, NAMES, "binary", ())
    new = gapped(data(seed=9)[0])
    probability = 1 / (1 + np.exp(-said(formula, new)))
    np.testing.assert_allclose(probability, model.predict_proba(new)[:, 1], rtol=1e-7)
    assert formula.link == "logistic"


def test_columns_that_do_not_count_are_left_out():
    X, y = data()
    model = make_pipeline(SimpleImputer(), Ridge())
    model.fit(np.where(np.arange(5) == 3, 0.0, X), y)
    model[-1].coef_[4] = 0.0
    formula = formula_of(model, X, NAMES, "continuous", (0, 1, 2, 4))
    assert set(formula.coefficients) == {"a", "b", "c"} == set(formula.medians)


def test_a_column_that_is_missing_among_those_named_gives_no_formula():
    X, y = data()
    assert formula_of(LinearRegression().fit(X, y), X, NAMES, "continuous", (0, 1)) is None


def test_a_constant_column_and_an_empty_one_do_no_harm():
    X, y = data()
    X[:, 3], X[:, 4] = 7.0, np.nan
    model = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), Ridge()).fit(X, y)
    formula = formula_of(model, X, NAMES, "continuous", ())
    assert set(formula.coefficients) == {"a", "b", "c"}
    np.testing.assert_allclose(said(formula, X), model.predict(X), rtol=1e-7)


def test_an_indicator_of_missing_cells_is_a_number_that_stands_for_them():
    X, y = data(gaps=0.2)
    y[np.isnan(X[:, 0])] += 4  # that the cell is missing says more than its median would
    model = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), Ridge()).fit(X, y)
    formula = formula_of(model, X, NAMES, "continuous", ())
    assert formula.medians["a"] > np.nanmedian(X[:, 0]) + 1
    new = gapped(data(seed=9)[0])
    np.testing.assert_allclose(said(formula, new), model.predict(new), rtol=1e-7)


def test_where_no_number_stands_for_a_missing_cell_the_formula_says_so():
    X, y = data(gaps=0.1)
    neighbours = make_pipeline(KNNImputer(), StandardScaler(), Ridge()).fit(X, y)
    absent = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), Ridge()).fit(X, y)
    absent[-1].coef_[0] = 0.0  # the column does not count, but its absence does
    full = np.nan_to_num(X)
    for model, rows in ((neighbours, X), (absent, X), (make_pipeline(StandardScaler(), Ridge()).fit(full, y), full)):
        formula = formula_of(model, rows, NAMES, "continuous", ())
        assert formula.medians == {}
        new = data(seed=9)[0]
        np.testing.assert_allclose(said(formula, new), model.predict(new), rtol=1e-7)


def outlying(X, y):
    """A target that only three rows far out tell of."""
    X[:3, 0], y[:] = 50.0, 0.0
    y[:3] = 1.0
    return X, y


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=1),
        DecisionTreeRegressor(),
        GradientBoostingRegressor(n_estimators=20),
        make_pipeline(FunctionTransformer(np.tanh), LinearRegression()),
    ],
    ids=["stump", "tree", "boosting", "curve"],
)
@pytest.mark.parametrize("rare", [False, True])
def test_trees_and_curves_have_no_formula(model, rare):
    X, y = outlying(*data()) if rare else data()
    assert formula_of(model.fit(X, y), X, NAMES, "continuous", ()) is None


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(20, random_state=0), SVC(kernel="rbf")], ids=["forest", "svm"]
)
def test_classifiers_that_are_not_linear_have_no_formula(model):
    X, y = data()
    assert formula_of(model.fit(X, y > np.median(y)), X, NAMES, "binary", ()) is None


@pytest.mark.parametrize("kind", ["multiclass", "ordinal"])
def test_several_classes_have_no_formula(kind):
    X, y = data()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.digitize(y, np.quantile(y, [0.3, 0.6])))
    assert formula_of(model, X, NAMES, kind, ()) is None


def final(plan, kind="binary", params=NO_CLIP, side=None, gaps=0.0, clinical=None):
    table, outcome, _ = study(80, 5, kind="survival" if kind == "survival" else "binary")
    if kind == "continuous":
        outcome = Outcome.continuous(table.values[:, 0] + 0.3 * table.values[:, 1])
    layout = layout_of(table.columns, clinical, "", side)
    X = inputs_of(table, clinical, side)
    X[:, :5][np.random.default_rng(1).random((80, 5)) < gaps] = np.nan
    pipeline = build(named_plan(plan), layout, kind, params, side)
    model = fit_final(pipeline, X, outcome, np.array(table.case, dtype=object), 1)
    formula = formula_of(model, X, layout.names, kind, selected_columns(model, X.shape[1]))
    return model, formula, X, layout.names


@pytest.mark.parametrize(
    ("plan", "kind"), [("lasso", "binary"), ("ridge", "continuous"), ("ridge", "binary"), ("lasso", "continuous")]
)
def test_the_plans_of_linear_models_have_a_formula(plan, kind):
    model, formula, X, names = final(plan, kind, gaps=0.1)
    new = gapped(X)
    np.testing.assert_allclose(said(formula, new, names), score_of(model, new, kind), rtol=1e-7, atol=1e-9)
    assert formula.coefficients


def test_a_cox_model_has_its_risk_up_to_a_constant():
    model, formula, X, names = final("lasso", "survival", gaps=0.1)
    new = gapped(X)
    apart = said(formula, new, names) - score_of(model, new, "survival")
    np.testing.assert_allclose(apart, apart[0], atol=1e-8)
    assert (formula.intercept, formula.link) == (0.0, "log-hazard")


def test_a_formula_holds_between_limits_that_scaling_sets_only():
    _, formula, X, names = final("lasso", params=SelectionParams())
    model, _, _, _ = final("lasso", params=SelectionParams())
    np.testing.assert_allclose(said(formula, X, names), score_of(model, X, "binary"), rtol=1e-7, atol=1e-9)
    far = X.copy()
    far[:, names.index(next(iter(formula.coefficients)))] = 1e3
    assert not np.allclose(said(formula, far, names), score_of(model, far, "binary"))


def test_forests_and_averages_of_learners_have_no_formula():
    assert final("forest")[1] is None


def test_harmonised_models_have_no_formula_and_half_a_centre_stops_nothing():
    side = Side(centre=("A", "B") * 40)
    params = NO_CLIP.model_copy(update={"harmonise": HarmoniseParams(method="combat")})
    assert final("lasso", params=params, side=side)[1] is None


def test_a_centre_that_no_step_uses_leaves_the_formula():
    model, formula, X, names = final("lasso", side=Side(centre=("A", "B") * 40))
    np.testing.assert_allclose(said(formula, X, names), score_of(model, X, "binary"), rtol=1e-7, atol=1e-9)
    assert "centre" not in formula.coefficients


def test_a_model_that_refuses_missing_cells_has_a_formula_of_complete_rows():
    params = NO_CLIP.model_copy(update={"impute": ImputeParams(strategy="refuse")})
    model, formula, X, names = final("lasso", params=params)
    assert formula.medians == {}
    np.testing.assert_allclose(said(formula, X, names), score_of(model, X, "binary"), rtol=1e-7, atol=1e-9)


def test_a_score_is_log_odds_or_a_position_among_classes():
    X, y = data()
    two = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y > np.median(y))
    np.testing.assert_array_equal(score_of(two, X, "binary"), two.decision_function(X))
    three = RandomForestClassifier(20, random_state=0).fit(X, np.digitize(y, np.quantile(y, [0.3, 0.6])))
    shares = three.predict_proba(X)
    np.testing.assert_allclose(score_of(three, X, "ordinal"), shares[:, 1] + 2 * shares[:, 2])
    np.testing.assert_array_equal(score_of(three, X, "multiclass"), shares.argmax(axis=1))
    binary = RandomForestClassifier(20, random_state=0).fit(X, y > np.median(y))
    np.testing.assert_array_equal(score_of(binary, X, "binary"), binary.predict_proba(X)[:, 1])
    np.testing.assert_array_equal(score_of(Ridge().fit(X, y), X, "continuous"), Ridge().fit(X, y).predict(X))


def test_the_final_model_sees_all_rows_and_leaves_the_pipeline_unfitted():
    X, y = data()
    pipeline = make_pipeline(StandardScaler(), Ridge())
    model = fit_final(pipeline, X, Outcome.continuous(y), np.arange(len(X)), 1)
    np.testing.assert_allclose(model.predict(X), make_pipeline(StandardScaler(), Ridge()).fit(X, y).predict(X))
    assert model[0].n_samples_seen_ == len(X)
    assert not hasattr(pipeline[-1], "coef_")
