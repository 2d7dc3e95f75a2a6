"""Folds that keep a patient's rows together and share out the classes or events."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import RepeatedStratifiedKFold

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.types.outcome import TIMED, Outcome
from radiomics_pipeline.types.table import FeatureTable


@dataclass(frozen=True)
class Fold:
    """One split of a table's rows.

    repeat, number : from 1
    train, test : int64 positions of rows; a bootstrap sample names a training row as often as it was drawn
    name : what the test part is called, such as its centre; empty where it has no name
    """

    repeat: int
    number: int
    train: np.ndarray
    test: np.ndarray
    name: str = ""


def trained_on(folds: Sequence[Fold]) -> np.ndarray:
    """Int64 positions of the rows that some fold trains on, rising: of an external test those of our own alone."""
    return np.unique(np.concatenate([fold.train for fold in folds]))


def draw_folds(table: FeatureTable, outcome: Outcome, *, folds: int, repeats: int, seed: int) -> tuple[Fold, ...]:
    """Repeated, stratified folds, so that published protocols can be repeated exactly.

    Where every patient has one row these are the splits of scikit-learn's RepeatedStratifiedKFold(n_splits=folds,
    n_repeats=repeats, random_state=seed) over the rows in the order of the table, stratified by `Outcome.strata`;
    another order of rows gives other folds. Where patients have several rows, whole patients are dealt (`deal`),
    and the folds hold the same patients for any order of the rows.

    Raises OutcomeError where the patients of a class (or with the event) are fewer than the folds, or too few for
    inner folds.
    """
    if len(table) != len(outcome):
        raise OutcomeError(f"outcome of {len(outcome)} rows for a table of {len(table)}")
    groups = np.array(table.patient, dtype=object)
    check_enough(outcome, groups, folds)
    if len(set(table.patient)) == len(table):
        return _as_scikit_learn(outcome, folds, repeats, seed)
    order = row_order(table)
    strata = outcome.strata[order]
    drawn = []
    for repeat in range(repeats):
        place = deal(strata, groups[order], folds, np.random.default_rng([seed, repeat]))
        for number in range(folds):
            fold = Fold(repeat + 1, number + 1, order[place != number], order[place == number])
            _check_parts(fold, outcome, folds)
            drawn.append(fold)
    return tuple(drawn)


def _as_scikit_learn(outcome: Outcome, folds: int, repeats: int, seed: int) -> tuple[Fold, ...]:
    splitter = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    with warnings.catch_warnings():  # of censored rows, or of a fifth, there may be fewer than folds
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = list(splitter.split(np.zeros((len(outcome), 1)), outcome.strata))
    return tuple(
        Fold(k // folds + 1, k % folds + 1, np.asarray(train, np.int64), np.asarray(test, np.int64))
        for k, (train, test) in enumerate(splits)
    )


def _check_parts(fold: Fold, outcome: Outcome, folds: int) -> None:
    """OutcomeError where a part lacks a class that `check_enough` asks for, since patients differ much in rows."""
    for part, name in ((fold.train, "training"), (fold.test, "test")):
        for rows, called in _needed(outcome):
            if not rows[part].any():
                raise OutcomeError(
                    f"fold {fold.number}: the {name} part of {len(part)} rows has none {called}, since patients "
                    f"differ much in rows; use fewer folds than {folds}"
                )


def _needed(outcome: Outcome) -> list[tuple[np.ndarray, str]]:
    """What every part needs rows of: bool [rows], and how it is called in messages."""
    if outcome.kind == "continuous":
        return [(np.ones(len(outcome), np.bool_), "in all")]
    if outcome.kind == "binary" or outcome.kind in TIMED:
        needed = [(outcome.event, "with the event")]
        return needed if outcome.kind in TIMED else [*needed, (~outcome.event, "without the event")]
    return [(outcome.value == code, f"of class {name!r}") for code, name in enumerate(outcome.categories)]


def check_enough(outcome: Outcome, groups: np.ndarray, folds: int) -> None:
    """OutcomeError unless every fold can test on a patient of each class and train, with inner folds, on two.

    groups : of each row the patient. Of timed outcomes only the event (of interest) is needed everywhere.
    """
    for rows, name in _needed(outcome):
        patients = len(set(groups[rows]))
        if patients < folds:
            raise OutcomeError(
                f"{patients} patients {name} are fewer than {folds} folds; use {patients} folds or fewer "
                "(selection.validation.folds)"
                if patients > 1
                else f"{patients} patients {name} are too few for cross-validation"
            )
        if patients - -(-patients // folds) < 2:
            raise OutcomeError(
                f"{patients} patients {name} leave fewer than 2 for training with {folds} folds; the inner folds need 2"
            )


def row_order(table: FeatureTable) -> np.ndarray:
    """Positions of the rows in the order of patient, case, roi and label."""
    keys = list(zip(table.patient, table.case, table.roi, table.label, strict=True))
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def deal(strata: np.ndarray, groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold (from 0) of every row, int64 [rows].

    strata : [rows], bool (the event) or whole numbers (classes); groups : of each row the patient

    Patients are shuffled and dealt one by one, those with an event first (of several classes: those with the
    rarest first), large ones before small ones, each to the fold that has the fewest rows of its kind so far,
    then the fewest rows.
    """
    names, patient = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    levels, code = np.unique(np.asarray(strata).astype(np.int64), return_inverse=True)
    n_of = np.zeros((len(names), len(levels)), np.int64)
    np.add.at(n_of, (patient, code), 1)
    n_rows = n_of.sum(axis=1)
    by_event = set(levels.tolist()) <= {0, 1}
    first = np.argsort(-levels) if by_event else np.lexsort((-levels, n_of.sum(axis=0)))
    turn = np.argmax(n_of[:, first] > 0, axis=1)
    shuffled = rng.permutation(len(names))
    by_turn = shuffled[np.lexsort((-n_rows[shuffled], turn[shuffled]))]
    tie = rng.permutation(folds)
    held = np.zeros((folds, len(levels)), np.int64)
    place = np.zeros(len(names), np.int64)
    for p in by_turn:
        fold = int(np.lexsort((tie, held.sum(axis=1), held[:, first[turn[p]]]))[0])
        place[p] = fold
        held[fold] += n_of[p]
    return place[patient]


def inner_count(strata: np.ndarray, groups: np.ndarray, folds: int, *, both: bool) -> int:
    """How many inner folds the rows allow: at most `folds`, and no more than patients of any class.

    strata : [rows], bool (the event) or whole numbers (classes); both : every class must suffice, not the event
    (1) alone. Raises OutcomeError where fewer than 2 are left.
    """
    strata = np.asarray(strata).astype(np.int64)
    kinds = sorted(set(strata.tolist())) if both else [1]
    count = min([folds, *(len(set(groups[strata == code])) for code in kinds)])
    if count < 2 or (both and len(kinds) < 2):
        found = ", ".join(f"{int((strata == code).sum())} of class {code}" for code in kinds)
        raise OutcomeError(f"{found} among {len(strata)} rows: too few for inner folds, which need 2 patients of each")
    return count
