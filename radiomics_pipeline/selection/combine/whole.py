"""Everything about features in combination of one study: dominance, subsets, importance, contributions, increments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.selection.combine.combinations import Increment, combinations, subset_table
from radiomics_pipeline.selection.combine.dominance import Dominance, dominance
from radiomics_pipeline.selection.combine.explained import contribution_rows
from radiomics_pipeline.selection.combine.importance import permutation_importance
from radiomics_pipeline.selection.combine.incremental import feature_gains
from radiomics_pipeline.selection.combine.increments import increment_rows
from radiomics_pipeline.selection.combine.nested import declared_rows
from radiomics_pipeline.selection.plans import RANKING, Plan, build, radiomics_chain
from radiomics_pipeline.selection.steps.blocks import blocks_of
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated
from radiomics_pipeline.selection.study import Overview, Study
from radiomics_pipeline.types.combination import Combination, ImportanceRow
from radiomics_pipeline.types.performance import Evaluation

SERVED = ("binary", "continuous", "survival")
METRIC = {"binary": "auc", "continuous": "r2", "survival": "c_index"}


def combine(study: Study, overview: Overview, plans: Sequence[Plan], evaluations: Sequence[Evaluation]) -> Combination:
    """What features do together; only increments between plans where the outcome is of a kind without dominance."""
    by_plan = {e.plan: e for e in evaluations}
    increments, said = increment_rows(study, plans, evaluations)
    params = study.params.combination
    if params is None:
        return Combination(increments=increments, notes=said)
    declared, why = declared_rows(study, params.declared)
    said = (*said, *why)
    if study.outcome.kind not in SERVED:
        why = (f"no dominance analysis where the outcome is {study.outcome.kind}",)
        return Combination(increments=increments, declared=declared, notes=(*said, *why))
    heads = _representatives(study, overview)
    features, blocks = _dominance(study, params, heads)
    ranking = next((plan for name in RANKING for plan in plans if plan.name == name), None)
    importance = _importance(study, params, heads, ranking) if ranking else ()
    contributions, why = contribution_rows(study, plans, heads)
    chosen = by_plan[ranking.name].selected if ranking else ()
    names = study.table.columns
    head_of = {r.feature: r.representative for r in overview.redundancy.rows if r.representative}
    rows = combinations(
        overview.redundancy,
        overview.univariate,
        chosen,
        features.rows,
        importance,
        over_volume=_gains(study, overview, study.layout.inputs["volume"]),
        over_clinical=_gains(study, overview, study.layout.inputs["clinical"]),
    )
    subsets = subset_table(
        features.parts,
        names,
        features.rows[0].measure if features.rows else "",
        METRIC[study.outcome.kind],
        study.test_share,
        chosen=by_plan["best-subset"].selected if "best-subset" in by_plan else (),
        representative=head_of,
    )
    return Combination(
        rows,
        (*features.rows, *(blocks.rows if blocks else ())),
        (*features.by_size, *(blocks.by_size if blocks else ())),
        (*features.pairs, *(blocks.pairs if blocks else ())),
        subsets,
        importance,
        increments,
        contributions,
        declared,
        (*said, *why, *features.notes, *(blocks.notes if blocks else ())),
    )


def _representatives(study: Study, overview: Overview) -> np.ndarray:
    """Of each feature the position of its cluster's representative; of one set aside its own."""
    place = {name: c for c, name in enumerate(study.table.columns)}
    heads = {r.feature: place[r.representative or r.feature] for r in overview.redundancy.rows}
    return np.array([heads[name] for name in study.table.columns], np.int64)


def _block_chain(study: Study) -> Pipeline:
    """What prepares the columns of one block: all of them stay in, so that no block is empty."""
    return Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("redundancy", DropCorrelated(study.params.redundancy.threshold)),
            ("scale", StandardScaler()),
        ]
    )


def _dominance(study: Study, params: CombinationParams, heads: np.ndarray) -> tuple[Dominance, Dominance | None]:
    """Of features, and of blocks where there are several."""
    chain = radiomics_chain(study.layout, study.params, None, redundant=False, side=())

    def analysed(X: np.ndarray, names: tuple[str, ...], prepare: Any, **of: Any) -> Dominance:
        return dominance(
            X,
            study.outcome,
            study.folds,
            names,
            prepare=prepare,
            params=params,
            patient=study.patients,
            seed=study.params.seed,
            n_jobs=study.n_jobs,
            **of,
        )

    features = analysed(study.table.values, study.table.columns, chain, representative=heads)
    blocks = _blocks(study)
    if len(blocks) < 2:
        return features, None
    width = len(study.table.columns) + (len(study.clinical.columns) if study.clinical else 0)
    names, X = study.layout.names[:width], study.X[:, :width]
    return features, analysed(X, names, _block_chain(study), blocks=blocks)


def _blocks(study: Study) -> dict[str, list[int]]:
    """Columns by block: volume, clinical numbers, further tables, and the rest by what its features measure."""
    layout = study.layout
    taken = set(layout.inputs["volume"])
    text = set(layout.text)
    blocks: dict[str, list[int]] = {}
    for name, columns in layout.inputs.items():
        if name in ("radiomics", "conventional"):
            continue
        numbers = [c for c in columns if c not in text]
        if numbers:
            blocks[name] = numbers
            taken.update(numbers)
    names = study.table.columns
    for c, block in enumerate(blocks_of(names)):
        if c not in taken:
            blocks.setdefault(block, []).append(c)
    return blocks


def _importance(study: Study, params: CombinationParams, heads: np.ndarray, plan: Plan) -> tuple[ImportanceRow, ...]:
    others = np.full(study.X.shape[1] - len(heads), -1)
    pipeline = build(plan, study.layout, study.outcome.kind, study.params, study.side)
    return permutation_importance(
        pipeline,
        study.X,
        study.outcome,
        study.folds,
        study.layout.names,
        clusters=np.concatenate([heads, others]),
        repeats=params.importance_repeats,
        patient=study.patients,
        seed=study.params.seed,
        n_jobs=study.n_jobs,
    )


def _gains(study: Study, overview: Overview, base: Sequence[int]) -> Increment | None:
    """What each cluster's representative adds to base columns of numbers."""
    numbers = [c for c in base if c not in set(study.layout.text)]
    heads = [r.feature for r in overview.redundancy.rows if r.kept]
    if not numbers or not heads:
        return None
    X, place = study.X, {name: c for c, name in enumerate(study.table.columns)}
    own = X[:, [place[name] for name in heads]]
    return Increment(tuple(heads), feature_gains(own, X[:, numbers], study.outcome, study.folds))
