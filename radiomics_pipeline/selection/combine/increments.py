"""What radiomics adds to the baselines of one study: paired differences, and p from plans with permuted features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from radiomics_pipeline.selection.columns import regressors
from radiomics_pipeline.selection.combine.declared import external_delong
from radiomics_pipeline.selection.combine.incremental import PlanScores, incremental, permuted_differences
from radiomics_pipeline.selection.plan_tests import exchanged_within
from radiomics_pipeline.selection.plans import BASELINES, DEFAULT, RADIOMICS, Plan, build
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.selection.validation.evaluate import Setting, prepare, run_fold
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.metrics import metrics_of, score
from radiomics_pipeline.selection.validation.permutation import arrangement, exchangeable
from radiomics_pipeline.types.combination import IncrementRow
from radiomics_pipeline.types.performance import Evaluation

WITH_CLINICAL = f"clinical+{DEFAULT}"
NO_P = "no permutation p of increments where features were measured again: rows moved would no longer match these"


def increment_rows(
    study: Study, plans: Sequence[Plan], evaluations: Sequence[Evaluation]
) -> tuple[tuple[IncrementRow, ...], tuple[str, ...]]:
    """Paired differences of the plans that have a baseline's columns and radiomics, and of clinical columns over
    radiomics; with p where permutations are asked for (radiomics over a baseline).

    Each p costs as much as the permutation test of the larger plan.
    """
    by_plan = {e.plan: e for e in evaluations}
    built = {plan.name: plan for plan in plans}
    wanted = study.params.validation.permutations
    again = study.side.repeats is not None
    rows: list[IncrementRow] = []
    for base, added in _pairs(by_plan):
        null = {}
        if wanted and not again and base.plan != DEFAULT:
            null = permuted_increments(study, built[base.plan], built[added.plan], scores_of(base), wanted)
        found = incremental(scores_of(base), scores_of(added), null)
        rows += _with_delong(study, base, added, found)
    return tuple(rows), (NO_P,) if wanted and again and rows else ()


def _pairs(by_plan: Mapping[str, Evaluation]) -> list[tuple[Evaluation, Evaluation]]:
    """Plans of which the second has all columns of the first, and more."""
    pairs = [(by_plan[b], by_plan[DEFAULT]) for b in BASELINES if b in by_plan and DEFAULT in by_plan]
    if WITH_CLINICAL in by_plan:
        pairs += [(by_plan[b], by_plan[WITH_CLINICAL]) for b in ("clinical", DEFAULT) if b in by_plan]
    return pairs


def scores_of(evaluation: Evaluation) -> PlanScores:
    """The metrics that have a value in every fold."""
    whole = len(evaluation.scores)
    scores = {name: s for name, s in evaluation.fold_scores.items() if len(s) == whole}
    return PlanScores(evaluation.plan, scores, evaluation.test_share)


def permuted_increments(
    study: Study, base: Plan, added: Plan, scores: PlanScores, permutations: int
) -> dict[str, np.ndarray]:
    """Mean differences from the base plan, of each metric, with the features permuted; float64 [permutations].

    The features of whole patients are exchanged, among those with as many rows (and inside centres where these are
    harmonised or left out in turn, inside one side of a single split), by what the base plan's columns do not give
    linearly: the hypothesis is that radiomics tells nothing of the outcome that these do not tell. Side columns (the
    centre) go with the features; outcome and base columns stay. The larger plan is refitted in every fold.
    """
    layout = study.layout
    kept = [c for name in base.inputs for c in layout.inputs[name]]
    moved = [c for c in layout.inputs[RADIOMICS] if c not in kept]
    beside = [c for c in layout.side.values() if c not in kept and c not in moved]
    pipeline = build(added, layout, study.outcome.kind, study.params, study.side)
    setting = prepare(
        pipeline,
        study.table,
        study.outcome,
        study.folds,
        study.clinical,
        study.side if study.side.names else None,
        study.params.validation,
        seed=study.params.seed,
    )
    blocks = exchangeable(study.table, _within(study))
    sources = [arrangement(blocks, len(study.table), (study.params.seed, k)) for k in range(permutations)]
    return permuted_differences(
        setting.X,
        moved,
        sources,
        _Rescore(pipeline, setting, study.folds),
        scores,
        base_columns=kept,
        known=regressors(setting.X, kept, layout.text),
        beside=beside,
        n_jobs=study.n_jobs,
    )


def _within(study: Study) -> tuple[str, ...] | None:
    """As of the permutation test; inside centres, too, where they are harmonised, so that none is new to a fold."""
    parts = [exchanged_within(study)]
    if study.params.harmonise.method == "combat" and study.side.centre:
        parts.append(study.side.centre)
    there = [part for part in parts if part is not None]
    return tuple(map(repr, zip(*there, strict=True))) if there else None


@dataclass(frozen=True)
class _Rescore:
    """Scores of a plan, refitted in every fold, with another X."""

    pipeline: Any
    setting: Setting
    folds: Sequence[Fold]

    def __call__(self, X: np.ndarray) -> Mapping[str, Sequence[float]]:
        setting = replace(self.setting, X=X)
        held = [run_fold(self.pipeline, setting, fold).held for fold in self.folds]
        metrics = metrics_of(setting.outcome.kind, setting.params.thresholds)
        return {m.name: [score(m, part)[0] for part in held] for m in metrics if not m.pooled or len(held) == 1}


def _with_delong(study: Study, base: Evaluation, added: Evaluation, rows: Sequence[IncrementRow]) -> list[IncrementRow]:
    """DeLong's interval for the AUC of a single test part, whose patients trained nothing, and his p for none."""
    if len(study.folds) > 1 or study.outcome.kind != "binary":
        return list(rows)
    fold = study.folds[0]
    found = external_delong(
        study.outcome.event[fold.test],
        np.array([row.prediction for row in base.predictions]),
        np.array([row.prediction for row in added.predictions]),
        trained_on=study.patients[fold.train].tolist(),
        tested_on=study.patients[fold.test].tolist(),
        plans=(base.plan, added.plan),
    )

    def own(row: IncrementRow) -> IncrementRow:
        if row.permutations:
            return replace(row, lower=found.lower, upper=found.upper, note="DeLong's interval on rows of the test part")
        return found

    return [own(row) if row.metric == "auc" else row for row in rows]
