"""What a whole selection says of features in combination: contributions, declared columns, increments with their p."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import chi2

from radiomics_pipeline.batch.selection.tables import write_selection
from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.params.selection import PlanParams, SelectionParams
from radiomics_pipeline.params.steps import HarmoniseParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection import analysis
from radiomics_pipeline.selection.columns import regressors
from radiomics_pipeline.selection.combine import increments as increments_module
from radiomics_pipeline.selection.combine.contributions import LINEAR, SHAP, explain
from radiomics_pipeline.selection.combine.nested import declared_rows
from radiomics_pipeline.selection.combine.whole import combine
from radiomics_pipeline.selection.plans import build, named_plan, plans_of
from radiomics_pipeline.stats.paired_auc import compare_areas
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.side import Side
from tests.selection.studies import study, table_of

VOLUME = "PET_original_morphology_VolumeMesh"
LIGHT = CombinationParams(candidates=3, largest=2, bootstrap=0, importance_repeats=1)
FEW = ValidationParams(folds=3, repeats=1, inner_folds=3)
LINES = (
    "volume",
    "clinical",
    PlanParams(name="average", learner="lda"),
    PlanParams(name="clinical+average", inputs=("clinical", "radiomics"), learner="lda"),
)
PLANNED = SelectionParams(validation=FEW, plans=LINES, combination=None, final=False)


def cohort(n=90, effect=1.5, seed=3, kind="binary"):
    """A volume that goes with the outcome, features that go with the volume, one that tells more; age, site."""
    rng = np.random.default_rng(seed)
    volume = rng.normal(size=n)
    x = rng.normal(size=(n, 8)) + np.outer(volume, [1.0] * 4 + [0.0] * 4)
    age, site = rng.normal(size=n), rng.integers(0, 3, n).astype(float)
    risk = volume + 0.7 * age + effect * x[:, 7]
    table = table_of(np.column_stack([x, volume]), columns=(*(f"f{c}" for c in range(8)), VOLUME))
    clinical = Clinical(("age", "site"), np.column_stack([age, site]), (None, ("A", "B", "C")))
    outcomes = {
        "binary": lambda: Outcome.binary((risk + rng.logistic(size=n) > 0).astype(float), "target"),
        "continuous": lambda: Outcome.continuous(risk + rng.normal(size=n)),
        "survival": lambda: Outcome.survival(rng.exponential(size=n) * np.exp(-risk), (rng.random(n) < 0.7) * 1.0),
        "multiclass": lambda: Outcome.multiclass([f"c{k}" for k in np.digitize(risk, [-1, 1])]),
    }
    return table, outcomes[kind](), clinical


def found_in(table, outcome, clinical, params, **given):
    return analysis.select_features(table, outcome, clinical, params, **given).ranking


def test_regressors_of_a_text_are_all_its_categories_but_one():
    X = np.array([[1.5, 0.0], [2.5, 2.0], [np.nan, np.nan], [0.5, 1.0]])
    np.testing.assert_array_equal(
        regressors(X, [0, 1], [1]), [[1.5, 0, 0], [2.5, 0, 1], [np.nan, np.nan, np.nan], [0.5, 1, 0]]
    )
    assert regressors(X, [], []).shape == (4, 0)


@pytest.mark.parametrize("kind", ["binary", "continuous", "survival"])
def test_contributions_of_the_ranking_plans_and_of_trees_are_booked_under_representatives(kind):
    table, outcome, clinical = cohort(kind=kind)
    values = np.column_stack([table.values, table.values[:, 7] + 0.01 * table.values[:, 0]])
    table = table_of(values, columns=(*table.columns, "twin"))
    plans = ("volume", "lasso", "signature", "clinical+xgboost")
    params = SelectionParams(validation=FEW, plans=plans, combination=LIGHT, final=False)
    found = found_in(table, outcome, clinical, params)
    rows = found.combination.contributions
    assert {(row.plan, row.method) for row in rows} == {
        ("lasso", LINEAR),
        ("signature", LINEAR),
        ("clinical+xgboost", SHAP),
    }
    heads = {r.representative for r in found.redundancy.rows if r.representative}
    for plan in plans[1:]:
        own = [row for row in rows if row.plan == plan]
        assert own[0].feature in ("f7", "twin")
        assert own[0].agreement > 0.8
        assert {row.n_rows for row in own} == {90}
        assert [row.mean_absolute for row in own] == sorted((r.mean_absolute for r in own), reverse=True)
        assert {row.feature for row in own} <= heads | {"age", "site"}
    assert "age" in {row.feature for row in rows if row.plan == "clinical+xgboost"}
    assert "age" not in {row.feature for row in rows if row.plan == "lasso"}


def test_contributions_of_a_recalibrated_signature_add_up_to_its_log_odds():
    table, outcome, clinical = cohort()
    params = SelectionParams(validation=FEW, plans=("signature",), combination=LIGHT)
    found = analysis.select_features(table, outcome, clinical, params)
    pipeline = build(named_plan("signature"), found.study.layout, "binary", params, found.study.side)
    model = pipeline.fit(found.study.X, outcome.y)
    parts = explain(model, found.study.X)
    np.testing.assert_allclose(parts.values.sum(axis=1) + parts.base, model.decision_function(found.study.X), atol=1e-9)


def test_a_plan_that_cannot_be_taken_apart_is_said():
    table, outcome, clinical = cohort(n=60)
    plans = (PlanParams(name="lasso", learner="knn"),)
    params = SelectionParams(validation=FEW, plans=plans, combination=LIGHT, final=False)
    found = found_in(table, outcome, clinical, params)
    assert found.combination.contributions == ()
    assert any("lasso: no contributions" in n and "permutation importance" in n for n in found.notes)


def loglik(outcome, columns):
    z = sm.add_constant(columns) if columns.shape[1] else np.ones((len(outcome), 1))
    if outcome.kind == "binary":
        return sm.Logit(outcome.y, z).fit(disp=0).llf
    if not columns.shape[1]:
        columns = np.zeros((len(outcome), 1))
    model = sm.PHReg(outcome.time, columns, status=outcome.event.astype(int), ties="efron")
    return model.loglike(model.fit().params if columns.any() else np.zeros(1))


def declaring(kind, declared, *, patient=None, seed=3, gap=False):
    table, outcome, clinical = cohort(kind=kind, seed=seed)
    if patient:
        table = replace(table, patient=patient)
    if gap:
        values = table.values.copy()
        values[:5, 7] = np.nan
        table = replace(table, values=values)
    params = SelectionParams(
        validation=FEW, plans=("volume",), combination=LIGHT.model_copy(update={"declared": declared}), final=False
    )
    return table, outcome, clinical, found_in(table, outcome, clinical, params)


@pytest.mark.parametrize("kind", ["binary", "survival", "continuous"])
def test_declared_columns_are_tested_over_each_baseline(kind):
    table, outcome, clinical, found = declaring(kind, ("f7", "f0"), gap=True)
    rows = found.combination.declared
    assert [row.base for row in rows] == ["", "clinical", "volume"]
    kept = np.arange(5, 90)
    part, added = outcome.rows(kept), table.values[kept][:, [7, 0]]
    age, site = clinical.values[kept].T
    bases = [np.empty((85, 0)), np.column_stack([age, site == 1, site == 2]), table.values[kept, 8:9]]
    for row, base in zip(rows, bases, strict=True):
        both = np.column_stack([base, added])
        assert (row.added, row.freedom, row.n) == ("f7; f0", 2, 85)
        assert "5 rows lack a value" in row.note
        if kind == "continuous":
            full = sm.OLS(outcome.value[kept], sm.add_constant(both)).fit()
            less = sm.OLS(outcome.value[kept], sm.add_constant(base) if base.shape[1] else np.ones(85)).fit()
            statistic, p, _ = full.compare_f_test(less)
            assert (row.statistic, row.p, row.test) == (pytest.approx(statistic), pytest.approx(p), "F")
        else:
            gain = 2 * (loglik(part, both) - loglik(part, base))
            assert row.statistic == pytest.approx(gain, rel=1e-6)
            assert row.p == pytest.approx(chi2.sf(gain, 2), rel=1e-5)
            assert row.events == part.event.sum()


def test_a_declared_volume_is_not_tested_over_itself():
    _, _, _, found = declaring("binary", (VOLUME,))
    assert [row.base for row in found.combination.declared] == ["", "clinical"]
    assert any("over volume" in n and "nothing to test" in n for n in found.notes)


def test_names_that_are_no_features_and_dependent_rows_get_no_test():
    with pytest.raises(ParamsError, match="'f77' is not among the features, did you mean 'f7'"):
        declaring("binary", ("f77",))
    with pytest.raises(ParamsError, match="'age' is not among"):
        declaring("binary", ("age",))
    with pytest.raises(ValueError, match="stands there twice"):
        CombinationParams(declared=("a", "b", "a"))
    *_, found = declaring("binary", ("f7",), patient=tuple(f"p{i // 2}" for i in range(90)))
    assert found.combination.declared == ()
    assert any("one row a patient" in note for note in found.notes)
    *_, found = declaring("multiclass", ("f7",))
    assert found.combination.declared == ()
    assert any("no likelihood ratio test for a multiclass" in note for note in found.notes)


def test_separation_and_few_events_are_said_and_collinear_bases_are_not_taken_for_it():
    y = (np.arange(40) < 6).astype(float)
    rng = np.random.default_rng(0)
    values = np.column_stack([y * 3 + rng.random(40), rng.normal(size=40)])
    age = rng.normal(size=40)
    clinical = Clinical(("age", "years", "months"), np.column_stack([age, age, 12 * age]), (None, None, None))
    params = SelectionParams(
        validation=FEW.model_copy(update={"folds": 2, "inner_folds": 2}),
        plans=("clinical",),
        combination=LIGHT.model_copy(update={"declared": ("f000",)}),
        final=False,
    )
    rows = found_in(table_of(values), Outcome.binary(y), clinical, params).combination.declared
    assert "separation" in rows[0].note
    share = y.mean()
    deviance = -80 * (share * np.log(share) + (1 - share) * np.log(1 - share))
    assert rows[0].statistic == pytest.approx(deviance, rel=1e-4)
    found = analysis.select_features(table_of(values), Outcome.binary(y), clinical, params).study
    other = declared_rows(found, ("f001",))[0]
    assert (other[1].base, other[1].freedom) == ("clinical", 1)
    assert other[1].note == "6 rows of the rarer class for 2 columns, fewer than 10 each: p tends to be too small"


def increments(params, **given):
    table, outcome, clinical = cohort(**given)
    return found_in(table, outcome, clinical, params)


def permuting(number):
    return PLANNED.model_copy(update={"validation": FEW.model_copy(update={"permutations": number})})


def test_increments_of_radiomics_have_a_permutation_p_where_asked_for():
    found = increments(permuting(19))
    rows = {(row.base, row.added): row for row in found.combination.increments if row.metric == "auc"}
    assert set(rows) == {
        ("volume", "average"),
        ("clinical", "clinical+average"),
        ("average", "clinical+average"),
    }
    for pair in (("volume", "average"), ("clinical", "clinical+average")):
        assert rows[pair].p <= 0.05
        assert rows[pair].permutations == 19
    assert np.isnan(rows["average", "clinical+average"].p)
    plain = increments(PLANNED).combination.increments
    assert all(np.isnan(row.p) and not row.permutations for row in plain)
    same = [(r.base, r.added, r.metric, r.difference) for r in plain]
    assert [(r.base, r.added, r.metric, r.difference) for r in found.combination.increments] == same


@pytest.mark.slow
def test_features_that_only_tell_the_volume_add_nothing_to_it():
    p = []
    for seed in range(12):
        found = increments(permuting(19), effect=0.0, seed=seed)
        p += [r.p for r in found.combination.increments if (r.base, r.metric) == ("volume", "auc")]
    assert 0.35 < np.mean(p) < 0.75
    assert sum(value <= 0.1 for value in p) <= 4


@pytest.mark.slow
def test_the_number_of_processes_does_not_change_increments():
    one, two = (found_in(*cohort(n=60), permuting(5), n_jobs=n).combination.increments for n in (1, 2))
    assert repr(one) == repr(two)


def test_features_measured_again_have_no_permutation_p():
    table, outcome, clinical = cohort(n=60)
    rng = np.random.default_rng(1)
    side = Side(repeats=(table.values + 0.01 * rng.normal(size=table.values.shape))[None], row=np.arange(60))
    found = found_in(table, outcome, clinical, permuting(5), side=side)
    assert all(np.isnan(row.p) for row in found.combination.increments)
    assert any("measured again" in note for note in found.notes)


def test_where_centres_are_harmonised_features_are_exchanged_inside_them():
    table, outcome, clinical = cohort(n=60)
    centre = tuple("ab"[i % 2] if i else "alone" for i in range(60))
    params = permuting(5).model_copy(update={"harmonise": HarmoniseParams(method="combat", unseen="mean")})
    found = analysis.select_features(table, outcome, clinical, params, side=Side(centre=centre))
    rows = [row for row in found.ranking.combination.increments if row.base == "volume"]
    assert all(row.permutations == 5 for row in rows)
    assert set(increments_module._within(found.study)) == {"('a',)", "('b',)", "('alone',)"}


@pytest.mark.parametrize("permutations", [0, 19])
def test_plans_are_compared_by_delong_on_rows_of_another_study(permutations):
    validation = FEW.model_copy(update={"scheme": "external", "permutations": permutations})
    params = PLANNED.model_copy(update={"validation": validation})
    table, outcome, clinical = cohort(n=140)
    found = found_in(table, outcome, clinical, params, n_own=90)
    foretold = {
        plan: np.array([p.prediction for p in found.predictions if p.plan == plan])
        for plan in ("volume", "average", "clinical", "clinical+average")
    }
    event = outcome.event[90:]
    for row in found.comparisons:
        if row.metric == "auc":
            expected = compare_areas(foretold[row.first], foretold[row.second], event)
            assert (row.test, row.p, row.difference) == ("DeLong", expected.p, expected.difference)
    rows = [row for row in found.combination.increments if row.metric == "auc"]
    assert len(rows) == 3
    for row in rows:
        expected = compare_areas(foretold[row.added], foretold[row.base], event)
        assert (row.difference, row.lower, row.upper) == pytest.approx(
            (expected.difference, expected.lower, expected.upper)
        )
        assert "DeLong" in row.note
        if permutations and row.base != "average":
            assert row.permutations == 19
            assert row.p >= 0.05 - 1e-12
        else:
            assert row.p == pytest.approx(expected.p)


def test_every_table_is_written_with_its_columns(tmp_path):
    table, outcome, clinical = cohort(kind="survival")
    params = SelectionParams(
        validation=FEW,
        plans=("volume", "lasso"),
        combination=LIGHT.model_copy(update={"declared": ("f7",)}),
        final=False,
    )
    found = analysis.select_features(table, outcome, clinical, params)
    files = {path.name for path in write_selection(tmp_path, outcome, found.ranking)}
    assert {"contributions.csv", "declared.csv", "hazards.csv"} <= files
    hazards = pd.read_csv(tmp_path / "hazards.csv")
    assert list(hazards.columns) == ["feature", "kind", "chi2", "p", "q", "correlation", "n", "events", "note"]
    assert hazards.iloc[-1].kind == "plan"
    assert list(pd.read_csv(tmp_path / "contributions.csv").columns)[:3] == ["plan", "feature", "mean_absolute"]
    assert list(pd.read_csv(tmp_path / "declared.csv").added) == ["f7"] * 3
    plain = replace(found.ranking, hazards=(), combination=replace(found.ranking.combination, declared=()))
    write_selection(tmp_path, outcome, plain)
    assert not (tmp_path / "hazards.csv").exists()
    assert not (tmp_path / "declared.csv").exists()


def test_without_combination_increments_alone_are_given():
    table, outcome, clinical = study(60, 6)
    params = PLANNED.model_copy(update={"plans": ("lasso",)})
    found = analysis.select_features(table, outcome, clinical, params)
    again = combine(found.study, None, plans_of(params, "binary", found.study.layout), [])
    assert (again.contributions, again.declared, again.increments) == ((), (), ())
