import numpy as np
import pytest

from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.params.selection import RedundancyParams
from radiomics_pipeline.selection.combine.best_subset import BestSubsetLogistic
from radiomics_pipeline.selection.combine.combinations import Increment, combinations, subset_table
from radiomics_pipeline.selection.combine.dominance import dominance
from radiomics_pipeline.selection.combine.importance import permutation_importance
from radiomics_pipeline.selection.combine.incremental import feature_gains
from radiomics_pipeline.selection.steps.redundancy import find_redundancy
from radiomics_pipeline.selection.validation.folds import Fold, deal
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.ranking import UnivariateRow
from tests.selection.studies import table_of


@pytest.fixture(scope="module")
def parts():
    """A study whose f0 goes with the outcome, f2 and f3 only together, f1 copies f0, f4 and on are noise."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(240, 8))
    x[:, 1] = x[:, 0] + 0.05 * x[:, 1]
    truth = 1.5 * x[:, 0] + 2.2 * x[:, 2] * x[:, 3] + rng.logistic(size=240) > 0
    outcome = Outcome.binary(truth.astype(float))
    names = tuple(f"f{i}" for i in range(8))
    place = deal(outcome.strata, np.arange(240), 5, np.random.default_rng(0))
    folds = [Fold(1, i + 1, np.flatnonzero(place != i), np.flatnonzero(place == i)) for i in range(5)]
    redundancy = find_redundancy(table_of(x, names), RedundancyParams())
    heads = {r.feature: r.representative for r in redundancy.rows}
    own = np.array([names.index(heads[n]) for n in names])
    areas = auc_delong(x, outcome.event)
    alone = [
        UnivariateRow(
            n, 240, 120, "auc", *(float(v[i]) for v in (areas.area, areas.lower, areas.upper)), "", 0.5, 0.5, ""
        )
        for i, n in enumerate(names)
    ]
    params = CombinationParams(candidates=5, interactions=True, bootstrap=24)
    found = dominance(x, outcome, folds, names, params=params, representative=own)
    plan = BestSubsetLogistic(interactions=True)
    chosen = [
        frozenset(names[c] for c in BestSubsetLogistic(interactions=True).fit(x[f.train], outcome.y[f.train]).selected_)
        for f in folds
    ]
    importance = permutation_importance(plan, x, outcome, folds, names, clusters=own, repeats=4)
    heads_only = tuple(dict.fromkeys(heads.values()))
    gains = feature_gains(x[:, [names.index(n) for n in heads_only]], x[:, [7]], outcome, folds)
    return redundancy, alone, chosen, found, importance, Increment(heads_only, gains), names, heads


def test_the_table_says_what_each_does_alone_and_together(parts):
    redundancy, alone, chosen, found, importance, increment, _, heads = parts
    table = combinations(redundancy, alone, chosen, found.rows, importance, over_volume=increment)
    rows = {r.feature: r for r in table}
    assert len(rows) == 7
    first = rows[heads["f0"]]
    assert first.members in ("f0", "f1")
    assert first.chosen == 1
    assert first.verdict == "both"
    assert first.over_volume_lower > 0
    for name in ("f2", "f3"):
        row = rows[name]
        assert row.verdict == "together"
        assert row.alone_lower < 0.5 < row.alone_upper
        assert row.held_out_lower > 0
        assert row.importance_lower > 0
        assert row.chosen >= 0.8
    assert {r.feature for r in table[:3]} == {heads["f0"], "f2", "f3"}
    assert all(np.isnan(r.over_clinical) for r in table)
    assert {rows[n].verdict for n in ("f4", "f5", "f6")} <= {"neither", "alone"}


def test_what_was_not_computed_is_nan_and_has_no_verdict_of_being_together(parts):
    redundancy, alone, *_ = parts
    table = combinations(redundancy, alone, [], [], [])
    assert all(np.isnan([r.chosen, r.candidate, r.contribution, r.importance, r.over_volume]).all() for r in table)
    assert {r.verdict for r in table} <= {"alone", "neither"}


def test_the_best_subset_is_on_top_with_how_often_it_was_chosen(parts):
    _, _, chosen, found, _, _, names, heads = parts
    table = subset_table(found.parts, names, "mcfadden", "auc", 0.25, chosen=chosen, representative=heads)
    truth = {heads["f0"], "f2", "f3"}
    top = max(table, key=lambda r: r.explained if r.n_folds == 5 else -1)
    assert truth <= set(top.features.split("; "))
    assert sum(r.chosen for r in table) == pytest.approx(1)
    floor = next(r for r in table if not r.features)
    assert floor.explained == pytest.approx(0, abs=1e-12)
    assert floor.mean == 0.5
    assert all("too good" in r.note for r in table if r.features)


def test_scores_of_a_subset_are_those_of_the_folds_where_it_could_be_made(parts):
    _, _, _, found, _, _, names, _ = parts
    table = subset_table(found.parts, names, "mcfadden", "auc", 0.25)
    row = next(r for r in table if r.features == "f2")
    scores, lost, empty = [], 0.0, 0.0
    for part in found.parts:
        players = [names[p] for p in part.players]
        if "f2" in players:
            at = 1 << players.index("f2")
            scores.append(part.score[at])
            lost += part.loss[0] - part.loss[at]
            empty += part.loss[0]
    assert row.n_folds == len(scores)
    assert row.mean == pytest.approx(np.mean(scores))
    assert row.explained == pytest.approx(lost / empty)
    assert np.isnan(row.chosen)
    assert len(subset_table(found.parts, names, "mcfadden", "auc", 0.25, most=3)) == 3
