"""Whether hazard ratios hold over the whole follow-up: of the features kept, and of the default plan's risk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from joblib import Parallel, delayed

from radiomics_pipeline.selection.outcomes.out_of_fold import out_of_fold
from radiomics_pipeline.selection.study import Overview, Study
from radiomics_pipeline.selection.validation.fitting import one_thread
from radiomics_pipeline.stats.multiplicity import benjamini_hochberg
from radiomics_pipeline.stats.proportional_hazards import proportional_hazards
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.performance import Evaluation
from radiomics_pipeline.types.report import HazardRow

LEVEL = 0.05
FIRST_ROWS = "first row of each patient"
ABSOLUTE, RISK = "log(-log) of the survival foretold, mean of repeats", "risk foretold, mean of repeats"


def hazard_rows(study: Study, overview: Overview, evaluation: Evaluation) -> tuple[HazardRow, ...]:
    """The test of proportional hazards (Grambsch and Therneau) of every kept feature alone, then of a plan's risk.

    Each in a Cox model of its own, over rows that have a value; of several causes, the hazard of the one of interest.
    q is over the features. Rows of one patient depend on each other, which the test does not allow for: of patients
    with several rows the first is taken. The risk is that of rows left out: folds share outcomes, so its p is
    descriptive. Empty where the outcome is no time.
    """
    if study.outcome.time is None:
        return ()
    own = study.own[_first_rows(study.patients[study.own])]
    several = FIRST_ROWS if len(own) < len(study.own) else ""
    outcome, place = study.outcome.rows(own), {name: c for c, name in enumerate(study.table.columns)}
    heads = [row.feature for row in overview.redundancy.rows if row.kept]
    tasks = (delayed(_tested)(name, study.table.values[own, place[name]], outcome, several) for name in heads)
    found = list(Parallel(n_jobs=study.n_jobs)(tasks))
    q = benjamini_hochberg(np.array([row.p for row in found]))
    rows = [_judged(row, float(value)) for row, value in zip(found, q, strict=True)]
    return (*rows, _judged(_of_plan(study, evaluation), None))


def hazard_notes(rows: Sequence[HazardRow]) -> tuple[str, ...]:
    """How many hazard ratios change with time; empty where none does."""
    changing = [row.feature for row in rows if row.kind == "feature" and row.q < LEVEL]
    tested = sum(not np.isnan(row.p) for row in rows if row.kind == "feature")
    notes = []
    if changing:
        notes.append(
            f"hazards of {len(changing)} of {tested} features are not proportional (hazards.csv, q < {LEVEL}): their "
            "hazard ratios are averages over the follow-up"
        )
    notes += [f"{row.feature}: {row.note}" for row in rows if row.kind == "plan" and row.p < LEVEL]
    return tuple(notes)


def _tested(name: str, values: np.ndarray, outcome: Outcome, note: str, kind: str = "feature") -> HazardRow:
    """One row; its q is filled in later."""
    there = np.isfinite(values)
    part = outcome.rows(np.flatnonzero(there))
    assert part.time is not None
    events = int(part.event.sum())
    if not there.any() or not events:
        return _row(name, kind, (np.nan, np.nan, np.nan), part, _joined(note, "no event among the rows with a value"))
    with one_thread():
        found = proportional_hazards(values[there][:, None], part.time, part.event)
    numbers = (float(found.statistic[0]), float(found.p[0]), float(found.correlation[0]))
    return _row(name, kind, numbers, part, _joined(note, found.reason))


def _row(name: str, kind: str, numbers: tuple[float, float, float], part: Outcome, note: str) -> HazardRow:
    chi2, p, correlation = numbers
    return HazardRow(name, kind, chi2, p, np.nan, correlation, len(part), int(part.event.sum()), note)


def _judged(row: HazardRow, q: float | None) -> HazardRow:
    """With q, and with words where the ratio changes."""
    level = row.p if q is None else q
    way = "grows" if row.correlation > 0 else "falls"
    words = f"not proportional: the log hazard ratio {way} with time" if level < LEVEL else ""
    return HazardRow(
        row.feature,
        row.kind,
        row.chi2,
        row.p,
        np.nan if q is None else q,
        row.correlation,
        row.n,
        row.events,
        _joined(words, row.note),
    )


def _of_plan(study: Study, evaluation: Evaluation) -> HazardRow:
    """Of the risk that rows had while they were left out, on a scale that folds share where the plan foretells one."""
    predicted = out_of_fold(evaluation, study.table, study.outcome)
    tested = np.flatnonzero((predicted.fold > 0).any(axis=0))
    several = len(set(predicted.patient[tested].tolist())) < len(tested)
    tested = tested[_first_rows(predicted.patient[tested])]
    part = predicted.rows(tested)
    there = part.fold > 0
    inside = (part.survival > 0) & (part.survival < 1)
    if bool(inside[there].all()):
        with np.errstate(all="ignore"):
            scores, scale = np.log(-np.log(part.survival)), ABSOLUTE
    else:
        scores, scale = part.prediction, RISK
    mean = np.where(there, scores, 0.0).sum(axis=0) / there.sum(axis=0)
    note = _joined(f"{scale}; p is descriptive: folds share outcomes", FIRST_ROWS if several else "")
    return _tested(evaluation.plan, mean, part.outcome, note, "plan")


def _first_rows(patient: np.ndarray) -> np.ndarray:
    """Positions of the first row of every patient, rising."""
    return np.sort(np.unique(patient.astype(str), return_index=True)[1])


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
