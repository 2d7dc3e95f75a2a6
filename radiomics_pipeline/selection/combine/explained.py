"""The contributions of single features to the predictions of one study's plans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.combine.contributions import held_out_contributions
from radiomics_pipeline.selection.plans import RANKING, Plan, build
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.types.combination import ContributionRow

TREES = "xgboost"


def contribution_rows(
    study: Study, plans: Sequence[Plan], heads: np.ndarray
) -> tuple[tuple[ContributionRow, ...], tuple[str, ...]]:
    """Of the plans that rank features and those of XGBoost, each refitted in every fold; and why a plan has none.

    heads : int64 [features], position of the representative under which each feature's contribution is booked
    """
    others = np.arange(len(heads), study.X.shape[1])
    rows: list[ContributionRow] = []
    notes = []
    for plan in plans:
        if plan.name not in RANKING and plan.learner != TREES:
            continue
        try:
            rows += held_out_contributions(
                build(plan, study.layout, study.outcome.kind, study.params, study.side),
                study.X,
                study.outcome,
                study.folds,
                study.layout.names,
                patient=study.patients,
                representative=np.concatenate([heads, others]),
                plan=plan.name,
                seed=study.params.seed,
                n_jobs=study.n_jobs,
            )
        except ParamsError as why:
            notes.append(f"{plan.name}: no contributions of single features: {why}")
    return tuple(rows), tuple(notes)
