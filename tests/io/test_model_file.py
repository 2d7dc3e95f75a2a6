"""Models as files: what comes back is what was saved, and a file of someone else runs nothing."""

import hashlib
import json
import re
import zipfile
from dataclasses import fields, replace
from io import BytesIO

import numpy as np
import pytest
import xgboost
from ruamel.yaml import YAML
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skops.io import dumps, get_untrusted_types, loads

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.io.model_file import (
    _digest,
    check_features_digest,
    features_digest,
    load_model,
    missing_columns,
    save_model,
)
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.selection.final import fit_final, score_of
from radiomics_pipeline.selection.layout import inputs_of, layout_of
from radiomics_pipeline.selection.plans import LEARNERS, Plan, build, named_plan
from radiomics_pipeline.selection.steps.table import SELECTORS
from radiomics_pipeline.types.model import ModelCard
from radiomics_pipeline.types.outcome import KINDS, Outcome
from tests.io.model_files import CARD, FULL, chained, data
from tests.selection.studies import study


def edit(folder, change):
    """Change the card as plain YAML, as someone would who knows of its digest."""
    yaml = YAML(typ="safe")
    tree = yaml.load((folder / "model.yaml").read_text("utf-8"))
    change(tree)
    tree["card_digest"] = _digest({key: value for key, value in tree.items() if key != "card_digest"})
    with (folder / "model.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)


def put(folder, content):
    """Another model.skops, with its digest in the card."""
    (folder / "model.skops").write_bytes(content)
    edit(folder, lambda tree: tree.update(model_digest=hashlib.sha256(content).hexdigest()))


def test_a_chain_with_side_columns_predicts_the_same_to_the_last_bit(tmp_path):
    X, y = data()
    centre = np.arange(len(X)) % 2
    model = chained(("centre",), ("north", "south")).fit(np.column_stack([X, centre]), y)
    save_model(model, CARD, tmp_path)
    back, card = load_model(tmp_path)
    new = np.column_stack([data(200, seed=1)[0], np.arange(200) % 2])
    np.testing.assert_array_equal(back.predict_proba(new), model.predict_proba(new))
    np.testing.assert_array_equal(back.decision_function(new), model.decision_function(new))
    assert card == CARD


def test_a_card_comes_back_whatever_its_texts_look_like(tmp_path):
    save_model(chained().fit(*data()), FULL, tmp_path)
    _, card = load_model(tmp_path)
    assert np.isnan(card.performance["mean"])
    known = {**FULL.performance, "mean": 0.5}
    assert replace(card, performance={**card.performance, "mean": 0.5}) == replace(FULL, performance=known)
    assert all(type(value) is float for value in card.cutpoints)
    assert list(card.formula.coefficients) == list(FULL.formula.coefficients)
    assert "!" not in (tmp_path / "model.yaml").read_text("utf-8")


@pytest.mark.parametrize("plan", ["lasso", "forest", "xgboost", "mrmr>ridge"])
def test_the_same_fit_gives_the_same_bytes(tmp_path, plan):
    for name in ("one", "two"):
        saved_and_loaded(named_plan(plan), "binary", tmp_path / name)
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [path.name for path in one] == [path.name for path in two]
    for path, other in zip(one, two, strict=True):
        assert path.read_bytes() == other.read_bytes(), path.name


@pytest.mark.parametrize("kind", ["binary", "continuous", "survival"])
def test_the_trees_of_xgboost_stand_beside_as_its_own_json(tmp_path, kind):
    save_model(chained().fit(*data()), CARD, tmp_path)
    assert not (tmp_path / "xgboost.json").exists()
    saved_and_loaded(named_plan("xgboost"), kind, tmp_path)
    model = load_model(tmp_path)[0]
    trees = xgboost.Booster(model_file=tmp_path / "xgboost.json")
    table, _, clinical = study(48, 6)
    rows = xgboost.DMatrix(model[:-1].transform(inputs_of(table, clinical)))
    np.testing.assert_array_equal(trees.predict(rows), model.steps[-1][1].booster_.predict(rows))
    save_model(chained().fit(*data()), CARD, tmp_path)
    assert not (tmp_path / "xgboost.json").exists()


def test_a_card_that_was_changed_is_refused(tmp_path):
    save_model(chained().fit(*data()), CARD, tmp_path)
    card = (tmp_path / "model.yaml").read_text("utf-8")
    (tmp_path / "model.yaml").write_text(
        card.replace("- f0", "- f9").replace("- f1", "- f0").replace("- f9", "- f1"), "utf-8"
    )
    with pytest.raises(TableError, match=r"model.yaml: was changed after it was written"):
        load_model(tmp_path)


def test_a_model_that_was_changed_is_refused(tmp_path):
    save_model(chained().fit(*data()), CARD, tmp_path)
    content = bytearray((tmp_path / "model.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(TableError, match=r"model.skops is not the file that model.yaml was written for"):
        load_model(tmp_path)


def test_another_models_file_under_the_card_is_refused(tmp_path):
    for seed, name in enumerate(("one", "two")):
        save_model(chained().fit(*data(seed=seed)), CARD, tmp_path / name)
    (tmp_path / "one" / "model.skops").write_bytes((tmp_path / "two" / "model.skops").read_bytes())
    with pytest.raises(TableError, match="save the model again"):
        load_model(tmp_path / "one")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and no more"])
def test_a_damaged_model_is_refused_by_name(tmp_path, content):
    save_model(chained().fit(*data()), CARD, tmp_path)
    put(tmp_path, content)
    with pytest.raises(TableError, match=rf"{tmp_path.name}/model.skops: cannot be read by these versions"):
        load_model(tmp_path)


def call_of(module, name, *arguments):
    """A skops file that asks for a callable to be called with these arguments while it is loaded."""
    with zipfile.ZipFile(BytesIO(dumps(arguments))) as archive:
        inner = json.loads(archive.read("schema.json"))
    outer = {key: inner.pop(key) for key in ("protocol", "_skops_version")}
    asked = {"__class__": name, "__module__": module, "__loader__": "ConstructorFromReduceNode", "content": inner}
    found = BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("schema.json", json.dumps(asked | outer))
    return found.getvalue()


CALLS = {
    "exec": ("builtins", "exec", "open({path!r}, 'w').close()"),
    "eval": ("builtins", "eval", "open({path!r}, 'w').close()"),
    "open": ("builtins", "open", "{path}", "w"),
    "memmap": ("numpy", "memmap", "{path}", "uint8", "w+", 0, 1),
    "os": ("os", "mkdir", "{path}"),
    "shell": ("os", "system", "touch {path}"),
    "ours": ("radiomics_pipeline.io.delimited", "write_text", "{path}", "x"),
    "imported by ours": ("radiomics_pipeline.selection.validation.fitting", "warnings.warn", "{path}"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_file_that_names_another_type_is_refused_and_nothing_of_it_runs(tmp_path, call):
    save_model(chained().fit(*data()), CARD, tmp_path / "model")
    marker = tmp_path / "ran"
    module, name, *arguments = CALLS[call]
    arguments = [a.format(path=str(marker)) if isinstance(a, str) else a for a in arguments]
    put(tmp_path / "model", call_of(module, name, *arguments))
    with pytest.raises(TableError, match=rf"holds {re.escape(module)}.{name}, which no model of this program has"):
        load_model(tmp_path / "model")
    assert not marker.exists()


def test_the_file_of_that_test_does_run_where_its_types_are_trusted(tmp_path):
    module, name, text = CALLS["exec"]
    content = call_of(module, name, text.format(path=str(tmp_path / "ran")))
    loads(content, trusted=get_untrusted_types(data=content))
    assert (tmp_path / "ran").exists()


def test_functions_and_methods_of_our_own_modules_are_refused(tmp_path):
    save_model(chained().fit(*data()), CARD, tmp_path)
    for module, name in (
        ("radiomics_pipeline.selection.final", "fit_final"),
        ("radiomics_pipeline.selection.final", "np.load"),
        ("radiomics_pipeline.selection.nowhere", "Class"),
        ("radiomics_pipeline.selection.steps.chain", "Any"),
    ):
        put(tmp_path, call_of(module, name, "x"))
        with pytest.raises(TableError, match=f"holds {module}.{name}"):
            load_model(tmp_path)


def test_a_function_inside_a_pipeline_is_refused(tmp_path):
    save_model(make_pipeline(FunctionTransformer(np.load), chained()), CARD, tmp_path)
    with pytest.raises(TableError, match=r"holds numpy.*load, which no model of this program has"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "name", [*(field.name for field in fields(ModelCard) if field.name != "notes"), "model_digest"]
)
def test_a_card_that_lacks_a_key_is_refused(tmp_path, name):
    save_model(chained().fit(*data()), CARD, tmp_path)
    edit(tmp_path, lambda tree: tree.pop(name))
    with pytest.raises(TableError, match=rf"model.yaml: is no card of a model \(.*{name}"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "plan: [", "- a\n- b\n", "plan: ridge\n", "a: !!python/object:os.system {}\n", "\x00"]
)
def test_a_file_that_is_no_card_is_refused(tmp_path, text):
    save_model(chained().fit(*data()), CARD, tmp_path)
    (tmp_path / "model.yaml").write_text(text)
    with pytest.raises(TableError, match="is no card of a model"):
        load_model(tmp_path)


def test_a_card_with_a_key_too_many_is_refused(tmp_path):
    save_model(chained().fit(*data()), CARD, tmp_path)
    edit(tmp_path, lambda tree: tree.update(colour="red"))
    with pytest.raises(TableError, match="colour"):
        load_model(tmp_path)


@pytest.mark.parametrize("name", ["model.yaml", "model.skops"])
def test_a_folder_that_lacks_a_file_is_refused(tmp_path, name):
    save_model(chained().fit(*data()), CARD, tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(TableError, match=rf"{name}: cannot be read \(No such file"):
        load_model(tmp_path)


def manifest(folder, **params):
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"command": "extract", "params": params}))
    return folder / "features.csv"


def test_tables_are_alike_where_all_that_makes_features_is(tmp_path):
    made = features_digest(manifest(tmp_path / "a", series={"PET": {"unit": "SUV"}}, selection={"seed": 1}))
    again = features_digest(manifest(tmp_path / "b", selection={"seed": 2}, series={"PET": {"unit": "SUV"}}))
    other = features_digest(manifest(tmp_path / "c", series={"PET": {"unit": "HU"}}, selection={"seed": 1}))
    assert len(made) == 64
    assert made == again != other
    assert features_digest(tmp_path / "none" / "features.csv") == ""


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"params": 3}', "no json"])
def test_a_manifest_that_cannot_be_read_says_nothing(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    assert features_digest(tmp_path / "features.csv") == ""


def test_features_made_by_other_parameters_are_refused_and_what_is_unknown_is_said(tmp_path):
    training = manifest(tmp_path / "a", series={"PET": {"bins": 8}})
    card = replace(CARD, features_digest=features_digest(training))
    assert check_features_digest(card, training) == ()
    with pytest.raises(TableError, match="made with other parameters than those of the model's training table"):
        check_features_digest(card, manifest(tmp_path / "b", series={"PET": {"bins": 16}}))
    assert "no run.json beside" in check_features_digest(card, tmp_path / "c" / "features.csv")[0]
    assert "is not known" in check_features_digest(CARD, training)[0]


def test_columns_of_the_model_that_are_absent_are_named():
    with pytest.raises(TableError, match=r"new.csv: 2 columns of the model are absent: f1, f3, did you mean 'of1'"):
        missing_columns(CARD, ("f0", "f2", "of1"), "new.csv")
    missing_columns(CARD, ("x", "f3", "f2", "f1", "f0"), "new.csv")


def outcome_of(kind, x):
    rng = np.random.default_rng(5)
    n = len(x)
    third = np.argsort(np.argsort(x + 0.3 * rng.normal(size=n))) * 3 // n
    time = rng.exponential(size=n) * np.exp(-x) + 0.01
    return {
        "binary": lambda: Outcome.binary(x + rng.normal(size=n) > 0),
        "continuous": lambda: Outcome.continuous(x + rng.normal(size=n)),
        "multiclass": lambda: Outcome.multiclass([f"c{i}" for i in third]),
        "ordinal": lambda: Outcome.ordinal([str(i) for i in third]),
        "survival": lambda: Outcome.survival(time, rng.integers(0, 2, n)),
        "competing": lambda: Outcome.competing(time, rng.integers(0, 3, n)),
    }[kind]()


def saved_and_loaded(plan, kind, folder):
    """Scores of the model as fitted, and as it comes back from its file."""
    table, _, clinical = study(48, 6)
    outcome, params = outcome_of(kind, table.values[:, 0]), SelectionParams()
    layout, X = layout_of(table.columns, clinical), inputs_of(table, clinical)
    model = fit_final(build(plan, layout, kind, params), X, outcome, np.array(table.case, dtype=object), 1)
    card = replace(CARD, kind=kind, features=table.columns, clinical=clinical.columns)
    save_model(model, card, folder)
    return score_of(model, X, kind), score_of(load_model(folder)[0], X, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_learner_comes_back_from_its_file_and_scores_the_same(tmp_path, kind):
    for row in LEARNERS:
        if kind in row.kinds:
            fitted, back = saved_and_loaded(Plan(row.name, ("clinical", "radiomics"), row.name), kind, tmp_path)
            np.testing.assert_array_equal(back, fitted, err_msg=row.name)


@pytest.mark.slow
def test_every_selector_comes_back_from_its_file_and_scores_the_same(tmp_path):
    for row in SELECTORS:
        kind = "binary" if "binary" in row.kinds else row.kinds[0]
        plan = Plan(row.name, ("radiomics",), "ridge", select=row.name)
        fitted, back = saved_and_loaded(plan, kind, tmp_path)
        np.testing.assert_array_equal(back, fitted, err_msg=row.name)
