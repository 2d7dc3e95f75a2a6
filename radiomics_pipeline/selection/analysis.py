"""The whole selection: redundancy, features alone, plans on rows left out, features in combination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.selection.alone import rank_alone
from radiomics_pipeline.selection.columns import regressors
from radiomics_pipeline.selection.combine.nested import check_declared
from radiomics_pipeline.selection.combine.whole import combine
from radiomics_pipeline.selection.final import FinalModel, fit_final, formula_of
from radiomics_pipeline.selection.hazards import hazard_notes, hazard_rows
from radiomics_pipeline.selection.layout import find_volume, layout_of
from radiomics_pipeline.selection.notes import (
    baseline_notes,
    centre_notes,
    clinical_notes,
    cluster_notes,
    twin_notes,
)
from radiomics_pipeline.selection.outcomes.whole import cutpoints, report_on, size_notes
from radiomics_pipeline.selection.plan_tests import permuted, resampled
from radiomics_pipeline.selection.plans import DEFAULT, RANKING, SIGNATURE, Plan, build, plans_of, unused_notes
from radiomics_pipeline.selection.ranking import rank_clusters
from radiomics_pipeline.selection.steps.redundancy import find_redundancy
from radiomics_pipeline.selection.study import Overview, Progress, Study
from radiomics_pipeline.selection.validation.centres import refuse_unseen_centres
from radiomics_pipeline.selection.validation.compare import compare
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.fitting import selected_columns
from radiomics_pipeline.selection.validation.schemes import Splits, draw
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.performance import ComparisonRow, Evaluation
from radiomics_pipeline.types.ranking import Ranking
from radiomics_pipeline.types.report import RiskGroupRow
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable


@dataclass(frozen=True)
class Analysis:
    """A selection: what it was made of, what it found, and its final models (the default plan's, the signature's)."""

    study: Study
    ranking: Ranking
    final: tuple[FinalModel, ...] = ()


def select_features(
    table: FeatureTable,
    outcome: Outcome,
    clinical: Clinical | None = None,
    params: SelectionParams | None = None,
    *,
    side: Side | None = None,
    readers: Mapping[str, np.ndarray] | None = None,
    history: Sequence[str] = (),
    n_own: int | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Analysis:
    """Rank a table's features against an outcome, alone and in combination.

    outcome, clinical, side, readers : aligned to the table's rows; clinical variables enter only the plans that say so,
        side columns only steer steps and splits, readers' scores are only compared
    history : what was done to the table before (validation.guards)
    n_own : of an external test, how many rows are our own; they stand first
    n_jobs : processes; the result does not depend on it, nor on the order of the columns (of several mesh volumes,
        the table's first is the volume baseline)

    Raises OutcomeError where classes or events are too few for the folds, TableError where no feature is usable,
    ParamsError for a plan that cannot be built.
    """
    params = params or SelectionParams()
    original = table.columns
    study, splits = _study(table, outcome, clinical, side, readers or {}, params, n_own, n_jobs)
    notes = [
        *baseline_notes(study, find_volume(original, params.volume)),
        *splits.notes,
        *unused_notes(params, study.layout),
    ]
    plans = plans_of(params, outcome.kind, study.layout)
    for plan in plans:  # before the first of them is fitted
        pipeline = build(plan, study.layout, outcome.kind, params, study.side)
        refuse_unseen_centres(pipeline, study.X, study.side.names, study.folds)
    overview = _overview(study, original)
    evaluations = _evaluate_plans(study, plans, history, progress)
    default = _default(plans)
    combination = combine(study, overview, plans, evaluations)
    hazards = hazard_rows(study, overview, next(e for e in evaluations if e.plan == default.name))
    ranking = next((e for name in RANKING for e in evaluations if e.plan == name), None)
    performance = tuple(replace(e.performance, default=e.plan == default.name) for e in evaluations)
    found = Ranking(
        outcome_names=outcome.names,
        univariate=overview.univariate,
        redundancy=overview.redundancy,
        ranking=rank_clusters(overview.redundancy, overview.univariate, ranking),
        performance=performance,
        metrics=tuple(row for e in evaluations for row in e.metrics),
        comparisons=_compared(evaluations, default.name),
        predictions=tuple(row for e in evaluations for row in e.predictions),
        fold_scores={e.plan: e.scores for e in evaluations},
        permutation=permuted(study, default),
        bootstrap=resampled(study, default, history),
        combination=combination,
        reports=report_on(study, evaluations, default.name),
        hazards=hazards,
        default=default.name,
        notes=(
            *notes,
            *size_notes(study),
            *overview.redundancy.notes,
            *twin_notes(overview.univariate),
            *clinical_notes(study),
            *centre_notes(study),
            *cluster_notes(table, overview.univariate),
            *dict.fromkeys(note for e in evaluations for note in e.notes),
            *combination.notes,
            *hazard_notes(hazards),
        ),
    )
    return Analysis(
        study, found, _final(study, plans, default, evaluations, found.reports.groups) if params.final else ()
    )


def _final(
    study: Study,
    plans: Sequence[Plan],
    default: Plan,
    evaluations: Sequence[Evaluation],
    groups: Sequence[RiskGroupRow],
) -> tuple[FinalModel, ...]:
    """The default plan, and the signature, fitted to all rows of our own."""
    wanted = [default, *(plan for plan in plans if plan.name == SIGNATURE and plan != default)]
    by_plan = {e.plan: e for e in evaluations}
    return tuple(_fitted(study, plan, by_plan[plan.name], groups) for plan in wanted)


def _fitted(study: Study, plan: Plan, evaluation: Evaluation, groups: Sequence[RiskGroupRow]) -> FinalModel:
    pipeline = build(plan, study.layout, study.outcome.kind, study.params, study.side)
    X, outcome = study.X[study.own], study.outcome.rows(study.own)
    model = fit_final(pipeline, X, outcome, study.patients[study.own], study.params.seed)
    used = selected_columns(model, X.shape[1])
    horizon = None if outcome.time is None else study.horizon
    formula = formula_of(model, X, study.layout.names, outcome.kind, used)
    return FinalModel(plan.name, model, horizon, cutpoints(study, evaluation, groups), formula)


def _study(  # noqa: PLR0917
    table: FeatureTable,
    outcome: Outcome,
    clinical: Clinical | None,
    side: Side | None,
    readers: Mapping[str, np.ndarray],
    params: SelectionParams,
    n_own: int | None,
    n_jobs: int,
) -> tuple[Study, Splits]:
    """Columns in the order of their names, folds drawn, inputs found."""
    if params.volume and params.volume not in table.columns:
        raise ParamsError(f"volume column {params.volume!r} is not among the features")
    check_declared(params.combination.declared if params.combination else (), table.columns)
    _refuse_doubled(table)
    volume = find_volume(table.columns, params.volume)
    side = side or Side()
    order = np.argsort(np.array(table.columns, dtype=object), kind="stable")
    if side.repeats is not None:
        side = replace(side, repeats=side.repeats[:, :, order])
    table = columns_of(table, tuple(table.columns[int(c)] for c in order))
    if len(set(table.patient)) < len(table) and not side.patient:
        side = replace(side, patient=table.patient)
    told = {params.validation.centre: side.centre, params.validation.date: side.date}
    there = {name: [str(v) for v in values] for name, values in told.items() if name and values is not None}
    splits = draw(params.validation, table, outcome, seed=params.seed, columns=there, n_own=n_own)
    layout = layout_of(table.columns, clinical, volume, side)
    own = np.arange(n_own or len(table))
    return Study(table, outcome, clinical, side, params, layout, splits.folds, own, readers, n_jobs), splits


def _overview(study: Study, original: tuple[str, ...]) -> Overview:
    """Clusters and every feature alone, over the rows that may be trained on."""
    params = study.params
    table = columns_of(study.table.rows(study.own), original)
    redundancy = find_redundancy(table, params.redundancy)
    if not any(row.kept for row in redundancy.rows):
        raise TableError(f"none of {len(original)} features is usable: {redundancy.rows[0].reason}")
    adjust = _adjusting(study) if params.alone.adjust else None
    univariate = rank_alone(
        table, study.outcome.rows(study.own), adjust, permutations=params.alone.permutations, seed=params.seed
    )
    return Overview(redundancy, univariate)


def _adjusting(study: Study) -> np.ndarray | None:
    """Volume and clinical columns of our own rows, float64 [rows, columns]; of a text all its categories but one."""
    columns = (*study.layout.inputs["volume"], *study.layout.inputs["clinical"])
    return regressors(study.X[study.own], columns, study.layout.text) if columns else None


def _evaluate_plans(
    study: Study, plans: Sequence[Plan], history: Sequence[str], progress: Progress | None
) -> list[Evaluation]:
    """Every plan on the same folds; what a plan refuses names it."""
    found = []
    for number, plan in enumerate(plans):
        try:
            found.append(_evaluated(study, plan, history, _overall(progress, number, len(plans))))
        except (OutcomeError, TableError, ParamsError) as e:
            raise type(e)(f"plan {plan.name!r}: {e}") from e
    return found


def _evaluated(study: Study, plan: Plan, history: Sequence[str], progress: Progress | None) -> Evaluation:
    return evaluate(
        build(plan, study.layout, study.outcome.kind, study.params, study.side),
        study.table,
        study.outcome,
        study.folds,
        clinical=study.clinical,
        side=study.side if study.side.names else None,
        plan=plan.name,
        params=study.params.validation,
        history=history,
        seed=study.params.seed,
        n_jobs=study.n_jobs,
        progress=progress,
    )


def _default(plans: Sequence[Plan]) -> Plan:
    """The plan that a reader should look at first: the standard default, or the first one asked for."""
    return next((plan for plan in plans if plan.name == DEFAULT), plans[0])


def _compared(evaluations: Sequence[Evaluation], default: str) -> tuple[ComparisonRow, ...]:
    """Every other plan against the default one."""
    first = next(e for e in evaluations if e.plan == default)
    return tuple(row for e in evaluations if e is not first for row in compare(e, first))


def _overall(progress: Progress | None, number: int, plans: int) -> Progress | None:
    """Progress of one plan as that of all, which have equally many folds."""
    if progress is None:
        return None
    return lambda done, total, name: progress(number * total + done, plans * total, name)


def _refuse_doubled(table: FeatureTable) -> None:
    keys = Counter(zip(table.patient, table.case, table.roi, table.label, strict=True))
    twice = next((key for key, count in keys.items() if count > 1), None)
    if twice:
        raise TableError(f"two rows of the same region: patient, case, roi, label = {', '.join(twice)}")


def columns_of(table: FeatureTable, names: tuple[str, ...]) -> FeatureTable:
    """The table with these of its columns, in this order."""
    place = {name: c for c, name in enumerate(table.columns)}
    return replace(table, columns=names, values=table.values[:, [place[name] for name in names]])
