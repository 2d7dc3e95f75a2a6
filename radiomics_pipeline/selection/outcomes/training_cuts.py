"""Cuts between risk groups for a single split: from its training rows, predicted by fits that had not seen them."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.selection.outcomes.out_of_fold import out_of_fold
from radiomics_pipeline.selection.outcomes.risk_groups import Cutpoints, Method, training_cutpoints
from radiomics_pipeline.selection.plans import build, plans_of
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.selection.validation.centres import lenient
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import Fold, draw_folds, inner_count

METHODS: dict[str, Method] = {"quantiles": "quantiles", "maxstat": "maximally selected"}
"""What `group_cut` calls the ways to find a cut."""


def training_cuts(study: Study, plan_name: str) -> Cutpoints:
    """Cuts for the rows that the study's one split tests.

    The whole plan is refitted to parts of the training rows, patients kept together, and predicts the others of them:
    scores have the spread of scores of new rows, which a fit's scores of its own rows exceed, and no tested row plays
    a part. Where the training rows allow no inner folds there are no cuts, and `reason` says why.
    """
    params = study.params
    rows, method = study.folds[0].train, METHODS[params.group_cut]
    plan = next(p for p in plans_of(params, study.outcome.kind, study.layout) if p.name == plan_name)
    try:
        crossed = evaluate(
            lenient(build(plan, study.layout, study.outcome.kind, params, study.side)),
            study.table,
            study.outcome,
            inner_folds(study, rows),
            clinical=study.clinical,
            side=study.side if study.side.names else None,
            plan=plan_name,
            params=params.validation,
            seed=params.seed,
            n_jobs=study.n_jobs,
        )
    except (OutcomeError, ParamsError, TableError) as e:
        return Cutpoints(np.full(params.groups - 1, np.nan), method, reason=str(e))
    scores = out_of_fold(crossed, study.table, study.outcome).prediction[0, rows]
    return training_cutpoints(scores, study.outcome.rows(rows), params.groups, method)


def inner_folds(study: Study, rows: np.ndarray) -> tuple[Fold, ...]:
    """Parts of these rows, in positions of the whole table; OutcomeError where the classes are too few for two."""
    table, outcome = study.table.rows(rows), study.outcome.rows(rows)
    both = outcome.kind == "binary"
    count = inner_count(outcome.event, study.patients[rows], study.params.validation.inner_folds, both=both)
    drawn = draw_folds(table, outcome, folds=count, repeats=1, seed=study.params.seed)
    return tuple(Fold(f.repeat, f.number, rows[f.train], rows[f.test], f.name) for f in drawn)
