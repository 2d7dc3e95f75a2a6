"""All that follows from the predictions of one study's rows left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radiomics_pipeline.selection.outcomes.curves import calibration_rows, decision_rows
from radiomics_pipeline.selection.outcomes.out_of_fold import out_of_fold
from radiomics_pipeline.selection.outcomes.readers import reader_rows
from radiomics_pipeline.selection.outcomes.risk_groups import Cutpoints, risk_group_rows, training_cutpoints
from radiomics_pipeline.selection.outcomes.sample_size import sample_size_notes, sample_size_rows
from radiomics_pipeline.selection.study import Study
from radiomics_pipeline.selection.validation.metrics import horizon_of
from radiomics_pipeline.types.outcome import TIMED
from radiomics_pipeline.types.performance import Evaluation
from radiomics_pipeline.types.report import Reports

DECIDED = ("binary", *TIMED)
"""Kinds of outcome of which one decides by a probability."""


def report_on(study: Study, evaluations: Sequence[Evaluation], default: str) -> Reports:
    """Calibration, risk groups and readers of the default plan; net benefit of all; the sample size."""
    outcome, params = study.outcome, study.params
    horizon, _ = horizon_of(outcome, params.validation.horizon)
    own = outcome.rows(_one_a_patient(study))
    size = sample_size_rows(own, candidates(study), horizon=horizon if outcome.kind in TIMED else None)
    if outcome.kind not in DECIDED:
        return Reports(sample_size=size)
    predicted = [out_of_fold(e, study.table, outcome) for e in evaluations]
    first = predicted[[e.plan for e in evaluations].index(default)]
    single = len(study.folds) == 1
    return Reports(
        calibration=calibration_rows(first, horizon, seed=params.seed),
        decision=decision_rows(predicted, horizon=horizon),
        groups=risk_group_rows(first, groups=params.groups, horizon=horizon)
        if params.groups > 1 and not single
        else (),
        readers=reader_rows(first, study.readers, seed=params.seed) if study.readers else (),
        sample_size=size,
    )


def size_notes(study: Study) -> tuple[str, ...]:
    """What this study's size allows, to be read before any score."""
    horizon, _ = horizon_of(study.outcome, study.params.validation.horizon)
    own = study.outcome.rows(_one_a_patient(study))
    return sample_size_notes(own, candidates(study), horizon=horizon if study.outcome.kind in TIMED else None)


def candidates(study: Study) -> int:
    """Parameters that are tried, before any selection; a text counts its categories less one."""
    clinical = study.clinical
    texts = [] if clinical is None else [c for c in clinical.categories if c is not None]
    numbers = 0 if clinical is None else len(clinical.columns) - len(texts)
    return len(study.table.columns) + numbers + sum(max(len(c) - 1, 1) for c in texts)


def cutpoints(study: Study, evaluation: Evaluation) -> tuple[float, ...]:
    """Cuts between risk groups for new patients: those of the predictions of rows left out, mean over repeats."""
    if study.params.groups < 2 or study.outcome.kind not in DECIDED:
        return ()
    predicted = out_of_fold(evaluation, study.table, study.outcome)
    with np.errstate(all="ignore"):
        scores = np.array(predicted.prediction, np.float64)
    known = ~np.isnan(scores)
    mean = np.where(known, scores, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    rows = np.flatnonzero(known.any(axis=0))
    found: Cutpoints = training_cutpoints(mean[rows], study.outcome.rows(rows), study.params.groups)
    return tuple(float(c) for c in found.cuts)


def _one_a_patient(study: Study) -> np.ndarray:
    """Positions of the first row of every patient of our own."""
    _, first = np.unique(study.patients[study.own].astype(str), return_index=True)
    return np.asarray(study.own[np.sort(first)])
