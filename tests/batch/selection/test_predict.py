"""A saved model applied to new tables: it predicts what the fitted pipeline predicts, or refuses."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from radiomics_pipeline.batch.selection.predict import predict_table
from radiomics_pipeline.batch.selection.study import select_study
from radiomics_pipeline.cli.predict import predict
from radiomics_pipeline.errors import TableError
from radiomics_pipeline.io.delimited import write_rows
from radiomics_pipeline.io.model_file import features_digest, load_model, save_model
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.io.tables import write_features
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.steps import HarmoniseParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.validation.fitting import survival_curves
from radiomics_pipeline.types.outcome import UNKNOWN_TEXT
from tests.io.model_files import CARD, chained, data
from tests.selection.studies import study, table_of

QUICK = SelectionParams(
    validation=ValidationParams(folds=2, repeats=1, inner_folds=2),
    plans=("clinical+lasso", "lasso"),
    combination=None,
)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def numbers(path, column):
    return np.array([float(row[column]) for row in rows(path)])


@pytest.fixture
def folder(tmp_path):
    """A model of four features, and a table for it."""
    model = chained().fit(*data())
    save_model(model, CARD, tmp_path / "model")
    X, _ = data(20, seed=1)
    write_features(tmp_path / "new.csv", table_of(X, CARD.features))
    return tmp_path


def written(folder, name, header, cells):
    write_rows(folder / name, header, cells)
    return folder / name


def test_predictions_are_those_of_the_pipeline_row_by_row(folder):
    X, _ = data(20, seed=1)
    model = chained().fit(*data())
    found = predict_table(folder / "model", folder / "new.csv", folder / "p.csv")
    assert found.header == ("case", "patient", "roi", "label", "score", "probability")
    assert [row["case"] for row in rows(folder / "p.csv")] == [f"case{i:03d}" for i in range(20)]
    np.testing.assert_array_equal(numbers(folder / "p.csv", "score"), model.decision_function(X))
    np.testing.assert_array_equal(numbers(folder / "p.csv", "probability"), model.predict_proba(X)[:, 1])


def test_the_order_of_columns_and_further_columns_do_not_matter(folder):
    X, _ = data(20, seed=1)
    order = ("f3", "f1", "more", "f0", "f2")
    mixed = table_of(np.column_stack([X[:, 3], X[:, 1], np.arange(20.0), X[:, 0], X[:, 2]]), order)
    write_features(folder / "mixed.csv", mixed)
    for name in ("new", "mixed"):
        predict_table(folder / "model", folder / f"{name}.csv", folder / f"{name}_p.csv")
    assert (folder / "new_p.csv").read_bytes() == (folder / "mixed_p.csv").read_bytes()


def test_a_row_is_predicted_alike_alone_and_among_others(folder):
    X, _ = data(20, seed=1)
    write_features(folder / "one.csv", table_of(X[:1], CARD.features))
    for name in ("new", "one"):
        predict_table(folder / "model", folder / f"{name}.csv", folder / f"{name}_p.csv")
    assert rows(folder / "one_p.csv")[0]["probability"] == rows(folder / "new_p.csv")[0]["probability"]


def test_a_key_of_another_name_and_rows_of_one_patient_are_taken(folder):
    path = written(folder, "t.csv", ("ID", *CARD.features), [("x", 1, 2, 3, 4), ("y", 1, 2, 3, 4), ("x", 5, 6, 7, 8)])
    predict_table(folder / "model", path, folder / "p.csv", id_column="ID")
    assert [(r["case"], r["label"]) for r in rows(folder / "p.csv")] == [("x", "1"), ("y", "1"), ("x", "2")]


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        (("case", "f0", "f1", "f3"), ("x", 1, 2, 3), "t.csv: 1 columns of the model are absent: f2"),
        (("case", "F0", "other"), ("x", 1, 2), "4 columns of the model are absent: f0, f1, f2, f3"),
        (
            ("case", "f0", "f1", "f2", "f3"),
            ("x", 1, "failed", 3, 4),
            "t.csv: 'f1' holds 'failed'; the model needs numb",
        ),
        (("f0", "f1", "f2", "f3"), (1, 2, 3, 4), "no column 'case', 'patient' or 'patient_id'"),
    ],
)
def test_tables_that_lack_what_the_model_takes_are_refused(folder, header, cells, message):
    path = written(folder, "t.csv", header, [cells])
    with pytest.raises(TableError, match=message):
        predict_table(folder / "model", path, folder / "p.csv")
    assert not (folder / "p.csv").exists()


def test_features_made_by_other_parameters_are_refused(folder):
    def manifest(bins):
        (folder / "run.json").write_text(json.dumps({"params": {"bins": bins, "selection": {"seed": bins}}}))

    manifest(8)
    card = replace(CARD, features_digest=features_digest(folder / "new.csv"))
    save_model(chained().fit(*data()), card, folder / "model")
    assert predict_table(folder / "model", folder / "new.csv", folder / "p.csv").notes == ()
    manifest(16)
    with pytest.raises(TableError, match=r"new\.csv: its features were made with other parameters"):
        predict_table(folder / "model", folder / "new.csv", folder / "p2.csv")
    assert not (folder / "p2.csv").exists()
    (folder / "run.json").unlink()
    notes = predict_table(folder / "model", folder / "new.csv", folder / "p2.csv").notes
    assert "no run.json beside new.csv says how its features were made" in notes[0]


def clinical_model(folder):
    """A model of one feature, the age and the sex (a text)."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), rng.normal(60, 8, 60), rng.integers(0, 2, 60)])
    X[:5, 2] = np.nan
    model = chained().fit(X, X[:, 0] > 0)
    card = replace(CARD, features=("f0",), clinical=("age", "sex"), clinical_texts={"sex": ("f", "m")})
    save_model(model, card, folder / "model")
    return model


def test_clinical_columns_are_coded_as_the_model_was_fitted_to_them(folder):
    model = clinical_model(folder)
    cells = [("a", "m", 60, 0.5), ("b", "f", 70, 0.5), ("c", "", 50, 1), ("d", "M", "NA", 1)]
    found = predict_table(
        folder / "model", written(folder, "t.csv", ("case", "sex", "age", "f0"), cells), folder / "p.csv"
    )
    X = np.array([[0.5, 60, 1], [0.5, 70, 0], [1, 50, np.nan], [1, np.nan, UNKNOWN_TEXT]])
    np.testing.assert_array_equal(numbers(folder / "p.csv", "probability"), model.predict_proba(X)[:, 1])
    assert (
        "clinical column sex: 1 rows hold M, of which the training table has no row; taken as none of f, m"
        in found.notes
    )
    assert not any("''" in note for note in found.notes)


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        (("case", "sex", "f0"), ("a", "m", 1), "no column 'age'"),
        (("case", "sex", "age", "f0"), ("a", "m", "old", 1), "'age' holds texts, such as 'old', and numbers in the"),
        (("case", "sex", "age", "f0"), ("a", "F", 60, 1), "no text of the clinical column 'sex' is known"),
    ],
)
def test_clinical_columns_that_are_absent_or_no_numbers_are_refused(folder, header, cells, message):
    clinical_model(folder)
    with pytest.raises(TableError, match=message):
        predict_table(folder / "model", written(folder, "t.csv", header, [cells]), folder / "p.csv")


CENTRES = ("10", "9", "B")


def centre_model(folder, **harmonise):
    X, y = data(60)
    X[:, 0] += np.arange(60) % 3 * 5
    model = chained(("centre",), CENTRES, **harmonise).fit(np.column_stack([X, np.arange(60) % 3]), y)
    params = {"harmonise": {"method": "combat", "unseen": harmonise.get("unseen", "refuse")}}
    save_model(model, replace(CARD, side=("centre",), centres=CENTRES, params=params), folder / "model")
    return model


def centre_table(folder, centres):
    X, _ = data(len(centres), seed=2)
    cells = [(f"c{i}", f"p{i}", centre, *row) for i, (centre, row) in enumerate(zip(centres, X.tolist(), strict=True))]
    return X, written(folder, "t.csv", ("case", "patient", "site", *CARD.features), cells)


def test_centres_are_found_by_name_whichever_of_them_the_table_holds(folder):
    model = centre_model(folder)
    X, path = centre_table(folder, ("9", "B", "9"))
    predict_table(folder / "model", path, folder / "p.csv", centre="site")
    wanted = model.predict_proba(np.column_stack([X, [1, 2, 1]]))[:, 1]
    np.testing.assert_array_equal(numbers(folder / "p.csv", "probability"), wanted)


@pytest.mark.parametrize(
    ("centres", "column", "message"),
    [
        (("9", "C"), "site", r"no training row of 'C' \(column 'site'; it knows 10, 9, B\), and cannot harmonise"),
        (("9", ""), "site", "no site in row 2; every row needs its centre"),
        (("9", "B"), "clinic", "no column 'clinic'"),
        (("9", "B"), "", "the model harmonises centres; name the column of the centres by --centre"),
    ],
)
def test_centres_that_the_model_cannot_place_are_refused(folder, centres, column, message):
    centre_model(folder)
    _, path = centre_table(folder, centres)
    with pytest.raises(TableError, match=message):
        predict_table(folder / "model", path, folder / "p.csv", centre=column)


def test_a_new_centre_stays_as_it_is_where_the_model_was_fitted_so(folder):
    centre_model(folder, unseen="mean")
    _, path = centre_table(folder, ("9", "C", "new"))
    predict_table(folder / "model", path, folder / "p.csv", centre="site")
    assert len(rows(folder / "p.csv")) == 3


def test_risk_groups_begin_above_their_cut(folder):
    model = chained().fit(*data())
    X, _ = data(20, seed=1)
    probability = np.sort(model.predict_proba(X)[:, 1])
    cuts = (float(probability[6]), float(probability[13]))
    save_model(model, replace(CARD, cutpoints=cuts), folder / "model")
    predict_table(folder / "model", folder / "new.csv", folder / "p.csv")
    p, group = numbers(folder / "p.csv", "probability"), numbers(folder / "p.csv", "group")
    np.testing.assert_array_equal(group, 1 + (p > cuts[0]) + (p > cuts[1]))
    assert sorted(group.tolist()) == [1] * 7 + [2] * 7 + [3] * 6


def test_several_classes_have_a_probability_each_and_the_likeliest_as_score(folder):
    X, _ = data(gaps=0)
    classes = np.digitize(X[:, 0], [4.5, 5.5])
    model = make_pipeline(chained()[0], LogisticRegression()).fit(X, classes)
    card = replace(CARD, kind="multiclass", outcome=("type",), categories=("a", "b", "c"))
    for kind in ("multiclass", "ordinal"):
        save_model(model, replace(card, kind=kind), folder / "model")
        predict_table(folder / "model", folder / "new.csv", folder / f"{kind}.csv")
    found = [numbers(folder / "multiclass.csv", f"probability_{c}") for c in "abc"]
    np.testing.assert_array_equal(np.transpose(found), model.predict_proba(data(20, seed=1)[0]))
    np.testing.assert_array_equal(numbers(folder / "multiclass.csv", "score"), np.argmax(found, axis=0))
    np.testing.assert_allclose(numbers(folder / "ordinal.csv", "score"), found[1] + 2 * found[2])


def select(folder, kind="binary", params=QUICK, **columns):
    """A selection from files to files, its model, and the table with its clinical columns."""
    table, outcome, clinical = study(60, 5, kind=kind)
    write_features(folder / "features.csv", table)
    known = ["age", "sex"]
    cells = [
        (case, *outcome.cells(i), clinical.values[i, 0], "fm"[int(clinical.values[i, 1])], "AB"[i % 2])
        for i, case in enumerate(table.case)
    ]
    names = ("died",) if kind == "binary" else ("time", "event")
    write_rows(folder / "outcomes.csv", ("case", *names, *known, "site"), cells)
    told = OutcomeColumns(*(names if kind == "binary" else ("", *names)), clinical=tuple(known), **columns)
    select_study(
        folder / "features.csv", columns=told, out=folder / "out", outcomes=folder / "outcomes.csv", params=params
    )
    both = [(*key[:1], *key[-3:], *row) for key, row in zip(cells, table.values.tolist(), strict=True)]
    return written(folder, "both.csv", ("case", "age", "sex", "site", *table.columns), both), table, clinical


def test_what_a_selection_saves_predicts_its_own_rows_as_its_pipeline_does(tmp_path):
    path, table, clinical = select(tmp_path)
    found = predict_table(tmp_path / "out" / "model", path, tmp_path / "p.csv")
    model, card = load_model(tmp_path / "out" / "model")
    X = np.column_stack([table.values, clinical.values[:, :2]])
    np.testing.assert_array_equal(numbers(tmp_path / "p.csv", "probability"), model.predict_proba(X)[:, 1])
    assert (card.clinical, card.clinical_texts) == (("age", "sex"), {"sex": ("f", "m")})
    assert card.features == table.columns
    assert set(numbers(tmp_path / "p.csv", "group")) == {1, 2}
    assert found.card.performance["metric"] == "auc"


def test_a_harmonised_selection_is_saved_and_predicts(tmp_path):
    params = QUICK.model_copy(update={"harmonise": HarmoniseParams(method="combat")})
    path, table, clinical = select(tmp_path, params=params, centre="site")
    predict_table(tmp_path / "out" / "model", path, tmp_path / "p.csv", centre="site")
    model, card = load_model(tmp_path / "out" / "model")
    X = np.column_stack([table.values, clinical.values[:, :2], np.arange(60) % 2])
    np.testing.assert_array_equal(numbers(tmp_path / "p.csv", "probability"), model.predict_proba(X)[:, 1])
    assert card.centres == ("A", "B")
    assert card.formula is None


def test_a_model_of_times_gives_risk_group_and_survival_at_its_horizon(tmp_path):
    params = QUICK.model_copy(
        update={"validation": QUICK.validation.model_copy(update={"horizon": 0.5}), "plans": ("lasso",)}
    )
    path, table, clinical = select(tmp_path, "survival", params)
    predict_table(tmp_path / "out" / "model", path, tmp_path / "p.csv")
    model, card = load_model(tmp_path / "out" / "model")
    X = np.column_stack([table.values, clinical.values[:, :2]])
    score, survival = numbers(tmp_path / "p.csv", "score"), numbers(tmp_path / "p.csv", "survival_at_0.5")
    np.testing.assert_array_equal(score, model.predict(X))
    np.testing.assert_array_equal(survival, survival_curves(model, X, np.array([0.5]))[:, 0])
    assert ((survival > 0) & (survival < 1)).all()
    assert (np.diff(survival[np.argsort(score)]) <= 0).all()
    np.testing.assert_array_equal(numbers(tmp_path / "p.csv", "group"), 1 + (score > card.cutpoints[0]))


def test_the_command_writes_predictions_and_says_what_they_are_worth(folder):
    app = typer.Typer()
    app.command()(predict)
    result = CliRunner().invoke(app, [str(folder / "model"), str(folder / "new.csv"), "--out", str(folder / "p.csv")])
    assert result.exit_code == 0, result.output
    assert (
        "20 rows by the plan ridge, fitted to 58 patients; out of fold its auc was 0.750 [0.500, 0.900]"
        in result.output
    )
    assert "note: how the features of the training table were made is not known" in result.output
    assert len(rows(folder / "p.csv")) == 20
