"""What refits a whole plan many times: its permutation test, its bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

from radiomics_pipeline.selection.plans import Plan, build
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.selection.validation.permutation import permutation_test
from radiomics_pipeline.selection.validation.resampling import resample
from radiomics_pipeline.types.performance import PermutationRow, ResamplingRow


def permuted(study: Study, plan: Plan) -> tuple[PermutationRow, ...]:
    """The permutation test of a plan, where one is asked for."""
    wanted = study.params.validation.permutations
    if not wanted:
        return ()
    return (
        permutation_test(
            build(plan, study.layout, study.outcome.kind, study.params, study.side),
            study.table,
            study.outcome,
            study.folds,
            permutations=wanted,
            seed=study.params.seed,
            clinical=study.clinical,
            side=study.side if study.side.names else None,
            within=exchanged_within(study),
            plan=plan.name,
            params=study.params.validation,
            n_jobs=study.n_jobs,
        ),
    )


def exchanged_within(study: Study) -> tuple[str, ...] | None:
    """Inside which parts rows may be exchanged: a centre, or one side of a single split."""
    if study.params.validation.scheme == "leave-one-centre-out":
        return study.side.centre
    if len(study.folds) > 1:
        return None
    tested = set(study.folds[0].test.tolist())
    return tuple("test" if i in tested else "train" for i in range(len(study.table)))


def resampled(study: Study, plan: Plan, history: Sequence[str]) -> tuple[ResamplingRow, ...]:
    """Optimism and .632+ of a plan by the bootstrap, where it is asked for."""
    wanted = study.params.validation.bootstrap
    if not wanted:
        return ()
    return resample(
        build(plan, study.layout, study.outcome.kind, study.params, study.side),
        study.table,
        study.outcome,
        draws=wanted,
        rows=study.own,
        seed=study.params.seed,
        clinical=study.clinical,
        side=study.side if study.side.names else None,
        plan=plan.name,
        params=study.params.validation,
        history=history,
        n_jobs=study.n_jobs,
    )
