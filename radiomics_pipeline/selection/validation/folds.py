"""Folds that keep a patient's rows together and share out the events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.table import FeatureTable


@dataclass(frozen=True)
class Fold:
    """One split of a table's rows.

    repeat, number : from 1
    train, test : int64 positions of rows, in the order of patient, case, roi and label
    """

    repeat: int
    number: int
    train: np.ndarray
    test: np.ndarray


def draw_folds(table: FeatureTable, outcome: Outcome, *, folds: int, repeats: int, seed: int) -> tuple[Fold, ...]:
    """Repeated, stratified folds of patients; the same for any order of the rows.

    Raises OutcomeError where the patients with (or, for a binary outcome, without) the event are fewer than
    the folds, or too few for inner folds.
    """
    if len(table) != len(outcome):
        raise OutcomeError(f"outcome of {len(outcome)} rows for a table of {len(table)}")
    order = row_order(table)
    event = outcome.event[order]
    groups = np.array(table.patient, dtype=object)[order]
    check_enough(event, groups, folds=folds, both=outcome.kind == "binary")
    drawn = []
    for repeat in range(repeats):
        place = deal(event, groups, folds, np.random.default_rng([seed, repeat]))
        for number in range(folds):
            train, test = order[place != number], order[place == number]
            for part, name in ((train, "training"), (test, "test")):
                if not outcome.event[part].any() or (outcome.kind == "binary" and outcome.event[part].all()):
                    raise OutcomeError(
                        f"fold {number + 1}: the {name} part has {int(outcome.event[part].sum())} events in "
                        f"{len(part)} rows, since patients differ much in rows; use fewer folds than {folds}"
                    )
            drawn.append(Fold(repeat + 1, number + 1, train, test))
    return tuple(drawn)


def check_enough(event: np.ndarray, groups: np.ndarray, *, folds: int, both: bool) -> None:
    """OutcomeError unless every fold can test on an event and train, with inner folds, on two.

    event : bool [rows]; groups : [rows]; both : the rows without the event must suffice, too
    """
    for code, name in ((True, "with"), (False, "without")) if both else ((True, "with"),):
        patients = len(set(groups[event == code]))
        if patients < folds:
            raise OutcomeError(
                f"{patients} patients {name} the event are fewer than {folds} folds; use {patients} folds or fewer "
                "(selection.validation.folds)"
                if patients > 1
                else f"{patients} patients {name} the event are too few for cross-validation"
            )
        if patients - -(-patients // folds) < 2:
            raise OutcomeError(
                f"{patients} patients {name} the event leave fewer than 2 for training with {folds} folds; "
                "the inner folds need 2"
            )


def row_order(table: FeatureTable) -> np.ndarray:
    """Positions of the rows in the order of patient, case, roi and label."""
    keys = list(zip(table.patient, table.case, table.roi, table.label, strict=True))
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def deal(event: np.ndarray, groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold (from 0) of every row, int64 [rows].

    event : bool [rows]; groups : of each row the patient

    Patients are shuffled and dealt one by one, those with an event first, large ones before small ones, each
    to the fold that has the fewest rows of its kind so far, then the fewest rows.
    """
    names, patient = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    n_rows = np.bincount(patient, minlength=len(names))
    n_events = np.bincount(patient, weights=event, minlength=len(names)).astype(np.int64)
    shuffled = rng.permutation(len(names))
    by_turn = shuffled[np.lexsort((-n_rows[shuffled], n_events[shuffled] == 0))]
    tie = rng.permutation(folds)
    events_in, others_in, rows_in = (np.zeros(folds, np.int64) for _ in range(3))
    place = np.zeros(len(names), np.int64)
    for p in by_turn:
        fullness = events_in if n_events[p] else others_in
        fold = int(np.lexsort((tie, rows_in, fullness))[0])
        place[p] = fold
        events_in[fold] += n_events[p]
        others_in[fold] += n_rows[p] - n_events[p]
        rows_in[fold] += n_rows[p]
    return place[patient]


def inner_count(event: np.ndarray, groups: np.ndarray, folds: int, *, both: bool) -> int:
    """How many inner folds the rows allow: at most `folds`, and no more than patients of either kind.

    Raises OutcomeError where fewer than 2 are left.
    """
    kinds = (True, False) if both else (True,)
    count = min([folds, *(len(set(groups[event == code])) for code in kinds)])
    if count < 2:
        raise OutcomeError(f"{int(event.sum())} events in {len(event)} rows are too few to choose a penalty by folds")
    return count
