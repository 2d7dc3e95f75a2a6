"""XGBoost's JSON and what the card says of it give the model's own predictions, without this program."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost
from ruamel.yaml import YAML
from scipy.special import softmax
from scipy.stats import spearmanr

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.io.model_file import load_model, save_model
from radiomics_pipeline.io.trees_file import trees_of
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.selection.final import fit_final
from radiomics_pipeline.selection.layout import inputs_of, layout_of
from radiomics_pipeline.selection.plans import Plan, build
from tests.io.model_files import CARD, chained, data
from tests.io.test_model_file import outcome_of
from tests.selection.studies import study

PLAIN = Plan("xgboost", ("radiomics",), "xgboost")
CHOSEN = replace(PLAIN, inputs=("clinical", "radiomics"), select="mrmr", select_settings={"keep": 3})
TUNED = replace(PLAIN, settings={"depth": 2, "columns": 0.3}, tune="grid")


def saved(plan, kind, folder):
    """A fitted plan in a folder: the model, X, names of X's columns, what the card says of the trees."""
    table, _, clinical = study(60, 6)
    outcome, params = outcome_of(kind, table.values[:, 0]), SelectionParams(validation={"inner_folds": 3})
    X = inputs_of(table, clinical)
    pipeline = build(plan, layout_of(table.columns, clinical), kind, params)
    model = fit_final(pipeline, X, outcome, np.array(table.case, dtype=object), 1)
    save_model(model, replace(CARD, kind=kind, features=table.columns, clinical=clinical.columns), folder)
    names = (*table.columns, *clinical.columns)
    return model, X, names, YAML(typ="safe").load((folder / "model.yaml").read_text("utf-8"))["trees"]


def prepared(model, X):
    """What the trees see."""
    last = model.steps[-1][1]
    inner = getattr(last, "estimator_", None)
    return model[:-1].transform(X) if len(model.steps) > 1 else inner[:-1].transform(X)


def margins(folder, about, rows):
    assert rows.shape[1] == len(about["columns"])
    trees = xgboost.Booster(model_file=folder / about["file"])
    return trees.predict(xgboost.DMatrix(rows), output_margin=True).astype(np.float64)


@pytest.mark.parametrize("plan", [PLAIN, CHOSEN, TUNED], ids=["plain", "chosen", "tuned"])
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_probabilities_follow_from_the_trees_slope_and_offsets(tmp_path, plan, kind):
    model, X, _, about = saved(plan, kind, tmp_path)
    margin = margins(tmp_path, about, prepared(model, X))
    margin = np.column_stack([np.zeros(len(X)), margin]) if margin.ndim == 1 else margin
    offsets = about["offsets"] or np.zeros(margin.shape[1])
    assert bool(about["offsets"]) == bool(plan.select)
    assert (about["slope"] != 1) == bool(plan.select)
    odds = about["slope"] * margin + offsets
    np.testing.assert_allclose(softmax(odds, axis=1), model.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize("plan", [PLAIN, CHOSEN, TUNED], ids=["plain", "chosen", "tuned"])
@pytest.mark.parametrize("kind", ["continuous", "survival"])
def test_numbers_are_those_of_the_trees_and_risks_but_for_a_constant(tmp_path, plan, kind):
    model, X, _, about = saved(plan, kind, tmp_path)
    margin = margins(tmp_path, about, prepared(model, X))
    more = model.predict(X) - margin
    np.testing.assert_allclose(more, more[0] if kind == "survival" else 0, atol=1e-5)
    assert np.ptp(margin) > 0.1
    assert (about["slope"], about["offsets"]) == (1, [])


def test_columns_of_the_trees_are_named_in_their_order(tmp_path):
    model, X, names, about = saved(CHOSEN, "survival", tmp_path)
    rows = prepared(model, X)
    assert about["columns"][:6] == ["age", "sex_0.0", "sex_1.0", "site_0.0", "site_1.0", "site_2.0"]
    assert len(set(about["columns"])) == 6 + 3 == rows.shape[1]
    for name, column in zip(about["columns"], rows.T, strict=True):
        source, _, code = name.partition("_")
        given = X[:, names.index(source)]
        known = ~np.isnan(given)
        wanted = (given == float(code)).astype(np.float64) if code else given
        assert spearmanr(wanted[known], column[known]).statistic == pytest.approx(1, abs=1e-9)


def test_trees_that_are_not_those_of_the_card_are_refused_and_none_are_needed(tmp_path):
    model, X, _, _ = saved(PLAIN, "binary", tmp_path)
    path = tmp_path / "xgboost.json"
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(TableError, match=r"xgboost.json is not the file that the card was written for"):
        load_model(tmp_path)
    path.unlink()
    np.testing.assert_array_equal(load_model(tmp_path)[0].predict_proba(X), model.predict_proba(X))


def test_trees_beside_a_model_without_any_are_refused(tmp_path):
    save_model(chained().fit(*data()), CARD, tmp_path)
    (tmp_path / "xgboost.json").write_text("{}")
    with pytest.raises(TableError, match=r"xgboost.json is not the file"):
        load_model(tmp_path)


def test_a_mean_of_learners_has_no_trees_of_its_own(tmp_path):
    assert saved(Plan("average", ("radiomics",), "average", settings={"trees": 20}), "binary", tmp_path)[3] is None
    assert not (tmp_path / "xgboost.json").exists()


def test_names_that_do_not_fit_the_model_are_refused(tmp_path):
    model = saved(PLAIN, "continuous", tmp_path)[0]
    with pytest.raises(ValueError, match="number of features"):
        trees_of(model, ("a", "b"))
