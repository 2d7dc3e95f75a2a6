"""The whole selection: redundancy, features alone, features in combination, baselines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.selection.alone import rank_alone
from radiomics_pipeline.selection.models import PLANS, Layout, find_volume, layout_of, plans_for
from radiomics_pipeline.selection.steps.redundancy import find_redundancy
from radiomics_pipeline.selection.validation.evaluate import Progress, evaluate
from radiomics_pipeline.selection.validation.folds import Fold, draw_folds, row_order
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.performance import Evaluation
from radiomics_pipeline.types.ranking import Ranking, RankingRow, Redundancy, UnivariateRow
from radiomics_pipeline.types.table import FeatureTable


def select_features(
    table: FeatureTable,
    outcome: Outcome,
    clinical: Clinical | None = None,
    params: SelectionParams | None = None,
    *,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Ranking:
    """Rank a table's features against an outcome, alone and in combination.

    outcome, clinical : aligned to the table's rows; clinical variables enter only the plans that say so
    n_jobs : processes; the result depends neither on it nor on the order of rows and columns (of several mesh
        volumes, the table's first is the volume baseline)

    Raises OutcomeError where classes or events are too few for the folds, TableError where no feature is usable.
    """
    params = params or SelectionParams()
    original = table.columns
    table, outcome, clinical = _in_order(table, outcome, clinical)
    folds = draw_folds(
        table, outcome, folds=params.validation.folds, repeats=params.validation.repeats, seed=params.seed
    )
    redundancy = find_redundancy(_columns(table, original), params.redundancy)
    if not any(row.kept for row in redundancy.rows):
        raise TableError(f"none of {len(original)} features is usable: {redundancy.rows[0].reason}")
    univariate = rank_alone(_columns(table, original), outcome)
    volume = find_volume(original, params.volume)
    layout = layout_of(table.columns, clinical, volume)
    notes = _baseline_notes(volume, clinical, params)
    evaluations = _evaluate_plans(table, outcome, clinical, folds, layout, params, n_jobs, progress)
    ranking_plan = next(p.name for p in PLANS if p.ranks and p.outcome == outcome.kind)
    ranked_by = next(e for e in evaluations if e.plan == ranking_plan)
    return Ranking(
        outcome_names=outcome.names,
        univariate=univariate,
        redundancy=redundancy,
        ranking=rank_clusters(redundancy, univariate, ranked_by),
        performance=tuple(e.performance for e in evaluations),
        predictions=tuple(row for e in evaluations for row in e.predictions),
        fold_scores={e.plan: e.scores for e in evaluations},
        notes=(
            *notes,
            *redundancy.notes,
            *_warn_of_twins(univariate),
            *_warn_of_clusters(table, univariate),
            *(note for e in evaluations for note in e.notes),
        ),
    )


def rank_clusters(
    redundancy: Redundancy, univariate: tuple[UnivariateRow, ...], evaluation: Evaluation
) -> tuple[RankingRow, ...]:
    """One row a cluster of features, in order of selection frequency, then of how far `alone` lies from 0.5.

    A fold selects a cluster where it selects any of its features: inside a fold, another feature of the
    cluster may be its medoid. `alone` stays raw: 0.2 orders patients as well as 0.8.
    """
    cluster_of = {row.feature: row.cluster for row in redundancy.rows}
    members: dict[int, list[str]] = {}
    for row in redundancy.rows:
        if row.cluster is not None:
            members.setdefault(row.cluster, []).append(row.feature)
    hits = dict.fromkeys(members, 0)
    for chosen in evaluation.selected:
        for cluster in {cluster_of[name] for name in chosen if cluster_of.get(name) is not None}:
            hits[cluster] += 1  # type: ignore[index]
    alone = {row.feature: row for row in univariate}
    rows = []
    for row in redundancy.rows:
        if row.kept and row.cluster is not None:
            one = alone[row.feature]
            others = ";".join(name for name in members[row.cluster] if name != row.feature)
            frequency = hits[row.cluster] / max(len(evaluation.selected), 1)
            rows.append(
                RankingRow(
                    0, row.feature, row.cluster, others, frequency, one.value, one.lower, one.upper, one.p, one.q
                )
            )
    rows.sort(key=lambda r: (-r.selection_frequency, -_distance(r.alone), r.feature))
    return tuple(replace(row, rank=rank) for rank, row in enumerate(rows, 1))


def _evaluate_plans(  # noqa: PLR0917
    table: FeatureTable,
    outcome: Outcome,
    clinical: Clinical | None,
    folds: tuple[Fold, ...],
    layout: Layout,
    params: SelectionParams,
    n_jobs: int,
    progress: Progress | None,
) -> list[Evaluation]:
    """Every plan whose inputs are there, on the same folds."""
    plans = plans_for(outcome.kind, layout)
    return [
        evaluate(
            plan.build(plan, layout, params),
            table,
            outcome,
            folds,
            clinical=clinical,
            plan=plan.name,
            n_jobs=n_jobs,
            progress=_overall(progress, number, len(plans)),
        )
        for number, plan in enumerate(plans)
    ]


def _overall(progress: Progress | None, number: int, plans: int) -> Progress | None:
    """Progress of one plan as that of all, which have equally many folds."""
    if progress is None:
        return None
    return lambda done, total, name: progress(number * total + done, plans * total, name)


def _distance(alone: float) -> float:
    return -1.0 if np.isnan(alone) else round(abs(alone - 0.5), 12)


def _in_order(
    table: FeatureTable, outcome: Outcome, clinical: Clinical | None
) -> tuple[FeatureTable, Outcome, Clinical | None]:
    """Rows by patient, case, roi and label, columns by name, so that neither order matters."""
    order = row_order(table)
    keys = list(zip(table.patient, table.case, table.roi, table.label, strict=True))
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise TableError(f"two rows of the same region: patient, case, roi, label = {', '.join(twice)}")
    moved = None if clinical is None else clinical.rows(order)
    return _columns(table.rows(order), tuple(sorted(table.columns))), outcome.rows(order), moved


def _columns(table: FeatureTable, names: tuple[str, ...]) -> FeatureTable:
    place = {name: c for c, name in enumerate(table.columns)}
    return replace(table, columns=names, values=table.values[:, [place[name] for name in names]])


def _baseline_notes(volume: str, clinical: Clinical | None, params: SelectionParams) -> tuple[str, ...]:
    """Which baselines are taken and which are left out; ParamsError where the volume column asked for is absent."""
    notes = []
    if params.volume and not volume:
        raise ParamsError(f"volume column {params.volume!r} is not among the features")
    if volume:
        notes.append(f"volume baseline: {volume}")
    else:
        notes.append("no volume baseline: no mesh volume among the features; name a column by the parameter `volume`")
    if clinical is None or not clinical.columns:
        notes.append("no clinical baseline: no clinical column was named")
    return tuple(notes)


def _warn_of_twins(univariate: tuple[UnivariateRow, ...]) -> tuple[str, ...]:
    """Features that separate the outcome without error: perhaps the outcome in another form."""
    perfect = [f"{row.feature} ({row.n} rows)" for row in univariate if row.value in (0.0, 1.0)]
    if not perfect:
        return ()
    return (
        f"{len(perfect)} features separate the outcome without error; is one of them the outcome in another form? "
        f"{', '.join(perfect)}",
    )


def _warn_of_clusters(table: FeatureTable, univariate: tuple[UnivariateRow, ...]) -> tuple[str, ...]:
    patients = len(set(table.patient))
    if patients == len(table):
        return ()
    return (
        f"{len(table)} rows of {patients} patients: rows of one patient stay in one fold, and intervals and p of "
        f"single features allow for their dependence ({univariate[0].test})",
    )
