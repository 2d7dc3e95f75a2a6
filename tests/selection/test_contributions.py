import itertools
import math

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.combine.best_subset import BestSubsetCox, BestSubsetLogistic
from radiomics_pipeline.selection.combine.contributions import LINEAR, SHAP, explain, held_out_contributions
from radiomics_pipeline.selection.combine.importance import permutation_importance
from radiomics_pipeline.selection.learners.penalised import PenalisedLogistic
from radiomics_pipeline.selection.validation.folds import Fold, deal
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study


def splits(outcome, k=4):
    place = deal(outcome.strata, np.arange(len(outcome)), k, np.random.default_rng(0))
    return [Fold(1, i + 1, np.flatnonzero(place != i), np.flatnonzero(place == i)) for i in range(k)]


def trees(**settings):
    return XGBClassifier(n_estimators=6, max_depth=2, n_jobs=1, random_state=0, **settings)


def expectation(table, row, known, node):
    """Prediction of one tree where only some columns are known: other splits go both ways by their training cover."""
    here = table.loc[node]
    if here["Feature"] == "Leaf":
        return here["Gain"]
    if int(here["Feature"][1:]) in known:
        return expectation(
            table, row, known, here["Yes"] if row[int(here["Feature"][1:])] < here["Split"] else here["No"]
        )
    yes, no = table.loc[here["Yes"]]["Cover"], table.loc[here["No"]]["Cover"]
    sides = [expectation(table, row, known, here[side]) for side in ("Yes", "No")]
    return (yes * sides[0] + no * sides[1]) / (yes + no)


def test_shap_values_equal_shapleys_definition_on_the_trees():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3)).astype(np.float32).astype(float)
    y = (x[:, 0] + x[:, 1] * x[:, 2] + rng.logistic(size=80) > 0).astype(int)
    model = trees().fit(x, y)
    frame = model.get_booster().trees_to_dataframe()
    found = explain(model, x[:4])
    assert found.method == SHAP
    for r, row in enumerate(x[:4]):
        worth = {
            s: sum(expectation(t.set_index("ID"), row, set(s), t["ID"].iloc[0]) for _, t in frame.groupby("Tree"))
            for k in range(4)
            for s in itertools.combinations(range(3), k)
        }
        for i in range(3):
            value = 0.0
            for k in range(3):
                for s in itertools.combinations([j for j in range(3) if j != i], k):
                    share = math.factorial(k) * math.factorial(2 - k) / 6
                    value += share * (worth[tuple(sorted((*s, i)))] - worth[s])
            assert found.values[r, i] == pytest.approx(value, abs=1e-5)


def test_contributions_add_up_to_the_prediction_and_follow_columns_through_steps():
    table, outcome, _ = study(n=100, columns=12, effect=2.0)
    x = np.column_stack([np.ones(100), table.values])
    for last in (trees(), LogisticRegression(), PenalisedLogistic(), BestSubsetLogistic(interactions=True)):
        model = make_pipeline(StandardScaler(), SelectKBest(k=5), last)
        with np.errstate(invalid="ignore"), pytest.warns(UserWarning, match="constant"):
            model.fit(x, outcome.y)
        found = explain(model, x)
        margin = (
            last.predict(model[:-1].transform(x), output_margin=True)
            if isinstance(last, XGBClassifier)
            else model.decision_function(x)
        )
        np.testing.assert_allclose(found.values.sum(axis=1) + found.base, margin, atol=2e-5)
        kept = np.flatnonzero(model[1].get_support())
        assert not found.values[:, np.setdiff1d(np.arange(13), kept)].any()
        assert np.abs(found.values).mean(axis=0).argmax() == 1


def test_trees_after_the_best_round_do_not_count():
    table, outcome, _ = study(n=100, columns=4, effect=1.0)
    model = trees(early_stopping_rounds=1)
    model.fit(table.values[:60], outcome.y[:60], eval_set=[(table.values[60:], outcome.y[60:])], verbose=False)
    found = explain(model, table.values)
    margin = model.predict(table.values, output_margin=True)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, margin, atol=1e-5)


def test_models_without_contributions_of_columns_are_refused():
    table, outcome, _ = study(n=60, columns=4)
    x, y = table.values, outcome.y
    with pytest.raises(ParamsError, match="permutation importance"):
        explain(KNeighborsClassifier().fit(x, y), x)
    with pytest.raises(ParamsError, match="mixes columns"):
        explain(make_pipeline(PCA(2), LogisticRegression()).fit(x, y), x)
    with pytest.raises(ParamsError, match="classes"):
        explain(trees().fit(x, np.arange(60) % 3), x)


def test_held_out_contributions_name_the_feature_its_direction_and_book_clusters():
    table, outcome, _ = study(n=100, columns=8, effect=2.0)
    x = table.values.copy()
    x[:, 1] = -x[:, 0] + 0.01 * x[:, 1]
    names = [f"f{i}" for i in range(8)]
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    rows = held_out_contributions(pipeline, x, outcome, splits(outcome), names)
    first = {r.feature: r for r in rows}
    assert first["f0"].agreement > 0.99
    assert first["f1"].agreement < -0.99
    assert first["f0"].n_rows == 100
    assert first["f0"].method == LINEAR
    own = np.array([0, 0, 2, 3, 4, 5, 6, 7])
    booked = {
        r.feature: r for r in held_out_contributions(pipeline, x, outcome, splits(outcome), names, representative=own)
    }
    assert "f1" not in booked
    assert booked["f0"].mean_absolute == pytest.approx(first["f0"].mean_absolute + first["f1"].mean_absolute, rel=0.02)
    two = held_out_contributions(pipeline, x, outcome, splits(outcome), names, n_jobs=2)
    assert two == rows
    with pytest.raises(TableError, match="names"):
        held_out_contributions(pipeline, x, outcome, splits(outcome), names[:3])


def test_contributions_of_the_best_cox_subset_add_up():
    table, outcome, _ = study(n=100, columns=10, kind="survival")
    model = BestSubsetCox().fit(table.values, outcome.y)
    found = explain(model, table.values)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, model.predict(table.values), atol=1e-10)


def test_permutation_importance_is_the_loss_of_the_score_on_rows_left_out():
    table, outcome, _ = study(n=90, columns=5, effect=2.0)
    names = [f"f{i}" for i in range(5)]
    fold = splits(outcome)[0]
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    rows = permutation_importance(pipeline, table.values, outcome, [fold], names, repeats=3, seed=5, metrics=["auc"])
    model = pipeline.fit(table.values[fold.train], outcome.y[fold.train])
    whole = roc_auc_score(outcome.y[fold.test], model.decision_function(table.values[fold.test]))
    rng, lost = np.random.default_rng([5, 1, 1, 0]), []
    for _ in range(3):
        shuffled = table.values[fold.test].copy()
        shuffled[:, 0] = shuffled[rng.permutation(len(fold.test)), 0]
        lost.append(whole - roc_auc_score(outcome.y[fold.test], model.decision_function(shuffled)))
    assert rows[0].feature == "f0"
    assert rows[0].drop == pytest.approx(np.mean(lost), abs=1e-12)
    assert rows[0].drop > 0.1


def test_correlated_features_hide_behind_each_other_unless_shuffled_together():
    table, outcome, _ = study(n=120, columns=6, effect=2.5)
    x = table.values.copy()
    x[:, 1] = x[:, 0] + 0.02 * x[:, 1]
    names = [f"f{i}" for i in range(6)]
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    folds = splits(outcome)
    alone = {
        r.feature: r for r in permutation_importance(pipeline, x, outcome, folds, names, repeats=5) if r.metric == "auc"
    }
    clusters = np.array([0, 0, 2, 3, 4, -1])
    rows = permutation_importance(pipeline, x, outcome, folds, names, repeats=5, clusters=clusters)
    together = {r.feature: r for r in rows if r.metric == "auc"}
    assert together["f0"].members == "f0; f1"
    assert together["f0"].drop > 1.5 * max(alone["f0"].drop, alone["f1"].drop)
    assert together["f0"].lower > 0
    assert set(together) == {"f0", "f2", "f3", "f4"}
    assert {r.metric for r in rows} == {"auc", "log_loss"}
    assert next(r for r in rows if r.metric == "log_loss").feature == "f0"
    two = permutation_importance(pipeline, x, outcome, folds, names, repeats=5, clusters=clusters, n_jobs=2)
    assert two == rows


def test_a_feature_outside_the_model_loses_exactly_nothing():
    table, outcome, _ = study(n=90, columns=6, effect=2.5)
    names = [f"f{i}" for i in range(6)]
    rows = permutation_importance(BestSubsetLogistic(largest=1), table.values, outcome, splits(outcome), names)
    drops = {r.feature: r.drop for r in rows if r.metric == "auc"}
    assert drops["f0"] > 0.1
    assert sum(d == 0 for d in drops.values()) >= 4
    survival = study(n=90, columns=3, effect=1.5, kind="survival")
    rows = permutation_importance(BestSubsetCox(), survival[0].values, survival[1], splits(survival[1]), names[:3])
    assert (rows[0].feature, rows[0].metric) == ("f0", "c_index")
    with pytest.raises(ParamsError, match="calibration_slope"):
        permutation_importance(
            BestSubsetLogistic(), table.values, outcome, splits(outcome), names, metrics=["calibration_slope"]
        )


def test_importance_without_an_interval_of_several_classes_uses_the_primary_metric():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3))
    codes = np.digitize(x[:, 0], [-0.5, 0.5])
    outcome = Outcome.multiclass([("low", "mid", "top")[c] for c in codes])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    rows = permutation_importance(pipeline, x, outcome, splits(outcome), ["a", "b", "c"])
    assert rows[0].feature == "a"
    assert rows[0].drop > 0.2
