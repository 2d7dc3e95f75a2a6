from dataclasses import replace

import numpy as np
import pytest

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.params.selection import RedundancyParams, SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection import analysis
from radiomics_pipeline.selection.alone import rank_alone
from radiomics_pipeline.selection.layout import find_volume, layout_of
from radiomics_pipeline.selection.plans import build, named_plan
from radiomics_pipeline.selection.ranking import rank_clusters
from radiomics_pipeline.selection.steps.redundancy import find_redundancy
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.performance import Evaluation, PerformanceRow
from tests.selection.studies import study, table_of

QUICK = SelectionParams(
    validation=ValidationParams(folds=4, repeats=2, inner_folds=3),
    plans=("volume", "lasso"),
    combination=None,
    final=False,
)
PLAIN = QUICK.model_copy(update={"plans": ("lasso",)})
VOLUME = "PET_original_morphology_VolumeMesh"


def select_features(*given, **named):
    """What is found, without the study and the models."""
    return analysis.select_features(*given, **named).ranking


def planted(kind="binary", n=100):
    """Two planted clusters of three columns each among noise, and a volume."""
    rng = np.random.default_rng(11)
    values = rng.normal(size=(n, 36))
    for first in (0, 3):
        values[:, first : first + 3] = values[:, [first]] + 0.15 * rng.normal(size=(n, 3))
    risk = 1.8 * values[:, 0] - 1.8 * values[:, 3]
    names = (*(f"f{c:02d}" for c in range(35)), VOLUME)
    table = table_of(values, columns=names)
    if kind == "binary":
        return table, Outcome.binary((risk + rng.logistic(size=n) > 0).astype(float), "target")
    time, censored = rng.exponential(size=n) * np.exp(-risk), 3 * rng.exponential(size=n)
    return table, Outcome.survival(np.minimum(time, censored), (time <= censored).astype(float))


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_clusters_of_planted_features_rank_before_all_others(kind):
    table, outcome = planted(kind)
    found = select_features(table, outcome, None, QUICK)
    tops = [{row.feature, *row.members.split(";")} for row in found.ranking[:2]]
    assert sorted(tops, key=min) == [{"f00", "f01", "f02"}, {"f03", "f04", "f05"}]
    assert [row.rank for row in found.ranking] == list(range(1, len(found.ranking) + 1))
    assert found.ranking[0].selection_frequency == 1.0
    score = {row.plan: row.mean for row in found.performance}
    assert score["lasso"] > score["volume"] + 0.1


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_baselines_stand_beside_the_nets(kind):
    table, outcome, clinical = study(kind=kind, columns=8)
    table = replace(table, columns=(VOLUME, *table.columns[1:]))
    calls = []
    quick = QUICK.model_copy(update={"plans": ()})
    found = select_features(table, outcome, clinical, quick, progress=lambda *call: calls.append(call))
    assert [call[:2] for call in calls] == [(k, 48) for k in range(1, 49)]
    plans = ["volume", "clinical", "lasso", "signature", "average", "clinical+average"]
    assert [row.plan for row in found.performance] == plans
    assert [row.plan for row in found.performance if row.default] == ["average"]
    assert {row.metric for row in found.performance} == {"c_index" if kind == "survival" else "auc"}
    assert all(row.lower <= row.mean <= row.upper and row.n_folds == 8 for row in found.performance)
    assert len(found.predictions) == 6 * 2 * 60
    assert any(VOLUME in note for note in found.notes)
    assert {(row.base, row.added) for row in found.combination.increments} == {
        ("volume", "average"),
        ("clinical", "clinical+average"),
        ("average", "clinical+average"),
    }


def test_missing_baselines_are_said():
    table, outcome, _ = study(columns=5)
    found = select_features(table, outcome, None, PLAIN)
    assert any("no volume baseline" in note for note in found.notes)
    assert any("no clinical baseline" in note for note in found.notes)
    with pytest.raises(ParamsError, match="'size' is not among"):
        select_features(table, outcome, None, PLAIN.model_copy(update={"volume": "size"}))


def test_the_volume_is_found_by_our_name_and_by_that_of_pyradiomics():
    assert find_volume(("a", VOLUME), "") == VOLUME
    assert find_volume(("original_shape_MeshVolume",), "") == "original_shape_MeshVolume"
    assert find_volume(("a_morphology_VolumeVoxel",), "") == ""
    assert find_volume(("a", VOLUME), "a") == "a"


def test_the_order_of_columns_and_the_number_of_processes_do_not_matter():
    table, outcome, clinical = study(columns=20)
    quick = PLAIN.model_copy(update={"plans": ("clinical+lasso", "average")})
    one = select_features(table, outcome, clinical, quick)
    assert repr(select_features(table, outcome, clinical, quick, n_jobs=2)) == repr(one)
    columns = np.random.default_rng(0).permutation(20)
    moved = replace(table, columns=tuple(table.columns[c] for c in columns), values=table.values[:, columns])
    other = select_features(moved, outcome, clinical, quick)
    assert (other.performance, other.predictions) == (one.performance, one.predictions)
    assert [r.feature for r in other.ranking] == [r.feature for r in one.ranking]
    assert [r.feature for r in other.univariate] == list(moved.columns)


def test_another_seed_draws_other_folds():
    table, outcome, _ = study(columns=5)
    one = select_features(table, outcome, None, PLAIN)
    other = select_features(table, outcome, None, PLAIN.model_copy(update={"seed": 1}))
    assert one.predictions != other.predictions


def test_a_cluster_counts_as_selected_where_any_member_was():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(40, 2))
    values = np.column_stack([base[:, 0], base[:, 0] ** 3, base[:, 1]])
    table = table_of(values, columns=("a", "b", "c"))
    redundancy = find_redundancy(table, RedundancyParams())
    univariate = rank_alone(table, Outcome.binary(np.arange(40) % 2))
    chosen = (frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"}), frozenset({"c"}))
    evaluation = Evaluation("x", "auc", (), chosen, (), PerformanceRow("x", "auc", 0.5, 0.4, 0.6, 4), ())
    ranking = rank_clusters(redundancy, univariate, evaluation)
    assert [(r.feature, r.members, r.selection_frequency) for r in ranking] == [("a", "b", 0.75), ("c", "", 0.25)]


def test_equal_frequencies_are_ordered_by_distance_of_alone_from_one_half():
    rng = np.random.default_rng(0)
    event = np.arange(80) % 2 == 1
    values = rng.normal(size=(80, 3)) + event[:, None] * np.array([0.3, -2.0, 1.0])
    table = table_of(values, columns=("weak", "strong_low", "middle"))
    evaluation = Evaluation("x", "auc", (), (), (), PerformanceRow("x", "auc", 0.5, 0.4, 0.6, 4), ())
    found = find_redundancy(table, RedundancyParams())
    ranking = rank_clusters(found, rank_alone(table, Outcome.binary(event)), evaluation)
    assert [r.feature for r in ranking] == ["strong_low", "middle", "weak"]
    assert ranking[0].alone < 0.1


def test_several_lesions_of_a_patient_use_tests_that_allow_for_it():
    table, outcome, _ = study(n=60, columns=5)
    grouped = replace(table, patient=tuple(f"p{i // 2:02d}" for i in range(60)))
    assert {row.test for row in rank_alone(table, outcome)} == {"Mann-Whitney"}
    assert {row.test for row in rank_alone(grouped, outcome)} == {"rank sum by patient"}
    found = select_features(grouped, outcome, None, PLAIN)
    assert any("60 rows of 30 patients" in note for note in found.notes)
    survival = study(n=60, columns=5, kind="survival")[1]
    assert {row.test for row in rank_alone(table, survival)} == {"Cox likelihood ratio"}
    assert {row.test for row in rank_alone(grouped, survival)} == {"Cox robust score"}


def test_a_feature_that_is_the_outcome_in_disguise_is_pointed_out():
    table, outcome, _ = study(columns=5)
    values = np.column_stack([table.values, outcome.event * 10.0])
    found = select_features(replace(table, columns=(*table.columns, "copy"), values=values), outcome, None, PLAIN)
    assert any("copy" in note and "another form" in note for note in found.notes)


def test_tables_without_a_usable_feature_and_doubled_rows_are_refused():
    table, outcome, _ = study(columns=2)
    with pytest.raises(TableError, match="none of 2 features is usable"):
        select_features(replace(table, values=np.ones((60, 2))), outcome, None, PLAIN)
    with pytest.raises(TableError, match="two rows of the same region"):
        select_features(replace(table, case=("a",) * 60, patient=("a",) * 60), outcome, None, PLAIN)


def test_too_few_events_are_refused_before_any_fit():
    table, _, _ = study(columns=3)
    with pytest.raises(OutcomeError, match="3 patients with the event are fewer than 4 folds"):
        select_features(table, Outcome.binary(np.arange(60) < 3), None, PLAIN)


def test_missing_cells_are_filled_inside_the_folds():
    table, outcome, _ = study(columns=10)
    values = table.values.copy()
    values[np.random.default_rng(0).random(values.shape) < 0.05] = np.nan
    found = select_features(replace(table, values=values), outcome, None, PLAIN)
    assert np.isfinite([row.prediction for row in found.predictions]).all()
    assert min(row.n for row in found.univariate) < 60


def scores_on_noise(plan_name, draw, seeds, folds=5):
    """Mean score over one repeat of the folds, for every seed."""
    params = SelectionParams(validation=ValidationParams(folds=folds, repeats=1, inner_folds=5))
    means = []
    for seed in seeds:
        table, outcome = draw(np.random.default_rng([2026, seed]))
        pipeline = build(named_plan(plan_name), layout_of(table.columns), outcome.kind, params)
        drawn = draw_folds(table, outcome, folds=folds, repeats=1, seed=seed)
        means.append(np.nanmean(evaluate(pipeline, table, outcome, drawn).scores))
    return np.array(means)


def standard_errors_from_chance(means):
    return (means.mean() - 0.5) / (means.std(ddof=1) / np.sqrt(len(means)))


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["lasso", pytest.param("elastic-net", marks=pytest.mark.exhaustive)])
def test_a_thousand_columns_of_noise_score_one_half(plan):
    def draw(rng):
        return table_of(rng.normal(size=(60, 1000))), Outcome.binary(rng.permutation(np.arange(60) % 2))

    assert abs(standard_errors_from_chance(scores_on_noise(plan, draw, range(100)))) < 3.5


@pytest.mark.slow
def test_noise_scores_one_half_for_times_to_an_event():
    def draw(rng):
        time, event = rng.exponential(size=60), rng.random(60) < 0.5
        return table_of(rng.normal(size=(60, 100))), Outcome.survival(time, event)

    assert abs(standard_errors_from_chance(scores_on_noise("elastic-net", draw, range(100)))) < 3.5


@pytest.mark.parametrize("plan", ["lasso", pytest.param("elastic-net", marks=pytest.mark.slow)])
def test_shuffled_outcomes_score_one_half(plan):
    table, outcome = planted()

    def draw(rng):
        return table, outcome.rows(rng.permutation(100))

    assert abs(standard_errors_from_chance(scores_on_noise(plan, draw, range(60)))) < 3.5
    unshuffled = scores_on_noise(plan, lambda _: (table, outcome), range(2))
    assert unshuffled.min() > 0.75


def test_choosing_features_before_the_folds_would_not_score_one_half():
    """The test above can fail: the ten best of 1000 columns of noise, chosen on all rows, score far above chance."""

    def draw(rng):
        values, event = rng.normal(size=(60, 1000)), rng.permutation(np.arange(60) % 2) == 1
        difference = np.abs(values[event].mean(axis=0) - values[~event].mean(axis=0))
        return table_of(values[:, np.argsort(difference)[-10:]]), Outcome.binary(event)

    assert standard_errors_from_chance(scores_on_noise("lasso", draw, range(10))) > 10
