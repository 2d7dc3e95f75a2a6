"""Permutation test of a whole plan: every step of it refitted to outcomes that belong to other patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.validation.centres import centre_codes, suits
from radiomics_pipeline.selection.validation.evaluate import Setting, prepare, run_fold, run_folds
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.selection.validation.metrics import primary, score
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.performance import PermutationRow
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable

FEWEST = 1000
"""Arrangements without which a p value would be a matter of chance."""
REDRAWS = 1000
"""Arrangements drawn in vain before a test is given up."""


def permutation_test(
    pipeline: Any,
    table: FeatureTable,
    outcome: Outcome,
    folds: Sequence[Fold],
    *,
    permutations: int,
    seed: int = 0,
    clinical: Clinical | None = None,
    side: Side | None = None,
    within: Sequence[str] | None = None,
    plan: str = "pipeline",
    params: ValidationParams | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
) -> PermutationRow:
    """p of the primary metric under the hypothesis that the outcome has nothing to do with any input of the plan.

    Outcomes and folds stay where they are; the inputs (features, clinical and side columns) of whole patients are
    exchanged among patients with as many rows. So folds stay stratified, a time keeps its event, and rows of a patient
    stay together. Every permutation repeats every step of the plan in every fold.

    within : of each row a name, such as the centre: patients are exchanged only inside it (leave-one-centre-out,
        temporal and external splits, where inputs may differ between the parts without any outcome). Where a plan
        cannot harmonise a centre that it was not fitted to, arrangements that ask it to are drawn anew
    permutations : p can be no smaller than 1 / (permutations + 1)

    The p value counts the observed arrangement: (1 + permuted means that reach the observed one) / (1 + permutations);
    Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39, doi 10.2202/1544-6115.1585. A permuted plan without a score
    counts as reaching it. Raises OutcomeError where patients can hardly be exchanged, ParamsError as `evaluate`.
    """
    if permutations < 1:
        raise OutcomeError("a permutation test needs at least one permutation")
    setting = prepare(pipeline, table, outcome, folds, clinical, side, params, seed=seed)
    blocks = exchangeable(table, within)
    observed = _mean(pipeline, setting, folds, n_jobs)
    tasks = (
        delayed(_permuted)(pipeline, setting, folds, _suitable(pipeline, setting, folds, blocks, (seed, k)))
        for k in range(permutations)
    )
    null = []
    for value in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        null.append(value)
        if progress is not None:
            progress(len(null), permutations, plan)
    return summary(plan, primary(outcome.kind).name, observed, np.array(null))


def summary(plan: str, metric: str, observed: float, null: np.ndarray) -> PermutationRow:
    """The row of a test from the observed mean and those of permuted plans, float64 [permutations]."""
    scored = null[~np.isnan(null)]
    lost = len(null) - len(scored)
    note = f"{lost} permuted plans have no score and count against the plan" if lost else ""
    if np.isnan(observed):
        nan = float("nan")
        return PermutationRow(plan, metric, observed, nan, nan, nan, nan, len(null), "the plan itself has no score")
    reached = int((scored >= observed - 1e-12).sum()) + lost
    return PermutationRow(
        plan,
        metric,
        observed,
        float(scored.mean()) if len(scored) else np.nan,
        float(scored.std(ddof=1)) if len(scored) > 1 else np.nan,
        float(np.quantile(scored, 0.95)) if len(scored) else np.nan,
        (1 + reached) / (1 + len(null)),
        len(null),
        note,
    )


def exchangeable(table: FeatureTable, within: Sequence[str] | None = None) -> list[np.ndarray]:
    """Sets of patients that may be exchanged: of each set the rows, int64 [patients, rows of each].

    Raises OutcomeError where fewer than FEWEST arrangements are possible.
    """
    names, patient = np.unique(np.array(table.patient, dtype=object).astype(str), return_inverse=True)
    strata = (
        np.zeros(len(table), np.int64)
        if within is None
        else np.unique(np.asarray(within).astype(str), return_inverse=True)[1]
    )
    kinds: dict[tuple[int, ...], list[np.ndarray]] = {}
    for p in range(len(names)):
        rows = np.flatnonzero(patient == p)
        kinds.setdefault(tuple(sorted(strata[rows].tolist())), []).append(rows)
    blocks = [np.array(rows) for rows in kinds.values()]
    arrangements = sum(float(np.log(np.arange(1, len(b) + 1)).sum()) for b in blocks)
    if arrangements < np.log(FEWEST):
        raise OutcomeError(
            f"{len(names)} patients can be exchanged in about {np.exp(arrangements):.0f} ways only (those with as many "
            f"rows{'' if within is None else ' of one stratum'}); a permutation test needs {FEWEST}"
        )
    return blocks


def arrangement(blocks: Sequence[np.ndarray], n_rows: int, seed: tuple[int, ...]) -> np.ndarray:
    """Of each row the row whose inputs it gets, int64 [rows]."""
    rng = np.random.default_rng(list(seed))
    source = np.arange(n_rows)
    for block in blocks:
        source[block] = block[rng.permutation(len(block))]
    return source


def _suitable(
    pipeline: Any, setting: Setting, folds: Sequence[Fold], blocks: Sequence[np.ndarray], seed: tuple[int, ...]
) -> np.ndarray:
    """An arrangement in which no fold tests a centre that it does not train on, where the plan could not do that."""
    codes = centre_codes(setting.X, setting.side)
    for attempt in range(REDRAWS):
        source = arrangement(blocks, len(setting.X), (*seed, attempt) if attempt else seed)
        moved = None if codes is None else codes[source]
        if all(suits(pipeline, moved, fold.train, fold.test) for fold in folds):
            return source
    raise OutcomeError(
        f"{REDRAWS} arrangements of the patients leave a fold with a centre that it does not train on; set "
        "harmonise.unseen to mean, or test without permutations"
    )


def _permuted(pipeline: Any, setting: Setting, folds: Sequence[Fold], source: np.ndarray) -> float:
    return _mean(pipeline, replace(setting, X=setting.X[source]), folds, 1)


def _mean(pipeline: Any, setting: Setting, folds: Sequence[Fold], n_jobs: int) -> float:
    """Mean of the primary metric over the folds that have one."""
    metric = primary(setting.outcome.kind)
    if n_jobs == 1:
        results = [run_fold(pipeline, setting, fold) for fold in folds]
    else:
        results = run_folds(pipeline, setting, folds, n_jobs=n_jobs)
    scores = np.array([score(metric, r.held)[0] for r in results])
    return float(np.nanmean(scores)) if not np.isnan(scores).all() else float("nan")
