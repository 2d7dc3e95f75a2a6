"""The predictions of rows left out, one line a repeat, beside what is true of the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.performance import Evaluation
from radiomics_pipeline.types.table import FeatureTable

Z = 1.959963984540054
"""Of a 95 % interval."""


@dataclass(frozen=True)
class OutOfFold:
    """One plan's predictions, aligned to rows; every row is predicted at most once a repeat.

    outcome, patient : of the rows; patient object [rows]
    prediction : float64 [repeats, rows], as of PredictionRow, NaN where the row was not left out
    survival : float64 [repeats, rows], probability of no event (of interest) up to the horizon, NaN where there is none
    fold : int64 [repeats, rows], number of the fold that tested the row, 0 where none did
    """

    plan: str
    outcome: Outcome
    patient: np.ndarray
    prediction: np.ndarray
    survival: np.ndarray
    fold: np.ndarray

    @property
    def clustered(self) -> bool:
        """Whether a patient has several rows."""
        return len(set(self.patient.tolist())) < len(self.patient)

    @property
    def probability(self) -> np.ndarray:
        """Of the event (up to the horizon), float64 [repeats, rows]."""
        return self.prediction if self.outcome.kind == "binary" else 1 - self.survival

    def rows(self, keep: np.ndarray) -> OutOfFold:
        """The rows at these positions."""
        return replace(
            self,
            outcome=self.outcome.rows(keep),
            patient=self.patient[keep],
            prediction=self.prediction[:, keep],
            survival=self.survival[:, keep],
            fold=self.fold[:, keep],
        )


def out_of_fold(evaluation: Evaluation, table: FeatureTable, outcome: Outcome) -> OutOfFold:
    """The predictions of an evaluation, aligned to the rows of its table.

    Raises TableError where the table's rows have no keys of their own, where it lacks a predicted row, or where the
    outcome is not the one that was predicted.
    """
    if len(table) != len(outcome):
        raise TableError(f"outcome of {len(outcome)} rows for a table of {len(table)}")
    keys = list(zip(table.case, table.patient, table.roi, table.label, strict=True))
    place = {key: i for i, key in enumerate(keys)}
    if len(place) < len(keys):
        raise TableError(f"{len(keys) - len(place)} rows share case, patient, roi and label with another one")
    rows = evaluation.predictions
    missing = [r.case for r in rows if (r.case, r.patient, r.roi, r.label) not in place]
    if missing:
        raise TableError(f"{evaluation.plan}: predicted rows stand not in the table: {some(dict.fromkeys(missing))}")
    repeats = {r: k for k, r in enumerate(sorted({row.repeat for row in rows}))}
    prediction = np.full((len(repeats), len(table)), np.nan)
    survival, fold = prediction.copy(), np.zeros(prediction.shape, np.int64)
    for row in rows:
        at = repeats[row.repeat], place[row.case, row.patient, row.roi, row.label]
        if fold[at]:
            raise TableError(f"{evaluation.plan}: row {row.case} is tested twice in repeat {row.repeat}")
        if row.outcome != outcome.cells(at[1]):
            raise TableError(f"{evaluation.plan}: row {row.case} was {row.outcome}, not {outcome.cells(at[1])}")
        prediction[at], survival[at], fold[at] = row.prediction, row.survival, row.fold
    return OutOfFold(evaluation.plan, outcome, np.array(table.patient, dtype=object), prediction, survival, fold)


def patient_draws(patient: np.ndarray, draws: int, seed: int) -> list[np.ndarray]:
    """Bootstrap samples of whole patients: positions of rows, int64 [rows of the patients drawn] each.

    patient : [rows]. Patients are taken in the order of their names, so that the order of the rows does not matter.
    """
    names, code = np.unique(np.asarray(patient).astype(str), return_inverse=True)
    order = np.argsort(code, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(code))[:-1])
    rng = np.random.default_rng(seed)
    return [np.concatenate([parts[k] for k in rng.integers(0, len(names), len(names))]) for _ in range(draws)]
