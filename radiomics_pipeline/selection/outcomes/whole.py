"""All that follows from the predictions of one study's rows left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radiomics_pipeline.selection.outcomes.curves import calibration_rows, decision_rows
from radiomics_pipeline.selection.outcomes.out_of_fold import OutOfFold, out_of_fold
from radiomics_pipeline.selection.outcomes.readers import reader_rows
from radiomics_pipeline.selection.outcomes.risk_groups import risk_group_rows, training_cutpoints
from radiomics_pipeline.selection.outcomes.sample_size import sample_size_notes, sample_size_rows
from radiomics_pipeline.selection.outcomes.training_cuts import METHODS, training_cuts
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.types.outcome import TIMED
from radiomics_pipeline.types.performance import Evaluation
from radiomics_pipeline.types.report import Reports, RiskGroupRow

DECIDED = ("binary", *TIMED)
"""Kinds of outcome of which one decides by a probability."""


def report_on(study: Study, evaluations: Sequence[Evaluation], default: str) -> Reports:
    """Calibration, risk groups and readers of the default plan; net benefit of all; the sample size."""
    outcome, params, horizon = study.outcome, study.params, study.horizon
    own = outcome.rows(_one_a_patient(study))
    size = sample_size_rows(own, candidates(study), horizon=horizon if outcome.kind in TIMED else None)
    if outcome.kind not in DECIDED:
        return Reports(sample_size=size)
    predicted = [out_of_fold(e, study.table, outcome) for e in evaluations]
    first = predicted[[e.plan for e in evaluations].index(default)]
    return Reports(
        calibration=calibration_rows(first, horizon, seed=params.seed),
        decision=decision_rows(predicted, horizon=horizon),
        groups=_groups(study, first, horizon) if params.groups > 1 else (),
        readers=reader_rows(first, study.readers, seed=params.seed) if study.readers else (),
        sample_size=size,
    )


def _groups(study: Study, predicted: OutOfFold, horizon: float) -> tuple[RiskGroupRow, ...]:
    """Risk groups of the default plan. In a single split no other fold predicts the training rows: inner fits do."""
    given = training_cuts(study, predicted.plan) if len(study.folds) == 1 else None
    method = METHODS[study.params.group_cut]
    return risk_group_rows(predicted, groups=study.params.groups, method=method, horizon=horizon, given=given)


def size_notes(study: Study) -> tuple[str, ...]:
    """What this study's size allows, to be read before any score."""
    own = study.outcome.rows(_one_a_patient(study))
    return sample_size_notes(own, candidates(study), horizon=study.horizon if study.outcome.kind in TIMED else None)


def candidates(study: Study) -> int:
    """Parameters that are tried, before any selection; a text counts its categories less one."""
    clinical = study.clinical
    texts = [] if clinical is None else [c for c in clinical.categories if c is not None]
    numbers = 0 if clinical is None else len(clinical.columns) - len(texts)
    return len(study.table.columns) + numbers + sum(max(len(c) - 1, 1) for c in texts)


def cutpoints(study: Study, evaluation: Evaluation, known: Sequence[RiskGroupRow] = ()) -> tuple[float, ...]:
    """Cuts between risk groups for new patients; none where nothing can be cut.

    Those of the predictions of rows left out, mean over repeats; of a single split, those that its tested rows were
    grouped by, from training rows alone. known : rows of risk_groups.csv, which hold the latter of their plan
    """
    params = study.params
    if params.groups < 2 or study.outcome.kind not in DECIDED:
        return ()
    if len(study.folds) == 1:
        own = sorted((r.group, r.cut_upper) for r in known if (r.plan, r.repeat) == (evaluation.plan, 0))
        cuts = np.array([c for _, c in own[:-1]]) if own else training_cuts(study, evaluation.plan).cuts
        return tuple(float(c) for c in cuts if np.isfinite(c))
    predicted = out_of_fold(evaluation, study.table, study.outcome)
    with np.errstate(all="ignore"):
        scores = np.array(predicted.prediction, np.float64)
    known_rows = ~np.isnan(scores)
    mean = np.where(known_rows, scores, 0.0).sum(axis=0) / np.maximum(known_rows.sum(axis=0), 1)
    rows = np.flatnonzero(known_rows.any(axis=0))
    found = training_cutpoints(mean[rows], study.outcome.rows(rows), params.groups, METHODS[params.group_cut])
    return tuple(float(c) for c in found.cuts if np.isfinite(c))


def _one_a_patient(study: Study) -> np.ndarray:
    """Positions of the first row of every patient of our own."""
    _, first = np.unique(study.patients[study.own].astype(str), return_index=True)
    return np.asarray(study.own[np.sort(first)])
