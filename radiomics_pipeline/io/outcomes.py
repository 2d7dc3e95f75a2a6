"""Outcomes and clinical variables from a table of text, brought into line with the rows of a feature table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.io.clinical_columns import coded, coded_like
from radiomics_pipeline.io.delimited import MISSING, TextTable
from radiomics_pipeline.io.keys import matched_key, named_key, near_keys
from radiomics_pipeline.io.side_columns import centres_of, dates_of, scores_of
from radiomics_pipeline.types.outcome import TIMED, Clinical, Kind, Outcome
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable

TRUTHS = {"true": 1.0, "false": 0.0}
CLASSES_IN_WORDS = "; classes in words are outcomes of --kind multiclass, or ordinal with --order"


@dataclass(frozen=True)
class OutcomeColumns:
    """Which columns of a table are the outcome (target, or time and event), the clinical variables, the key, ...

    id : empty: `case`, else `patient` or `patient_id`
    kind : of the outcome; empty: binary for a target, survival for a time and an event
    order : classes of an ordinal outcome from low to high; empty where they are numbers
    centre, date : where a row comes from and when; they steer harmonisation and splits, and are never learned from
    readers : scores of experts or indices, each compared with the model as it stands
    """

    target: str = ""
    time: str = ""
    event: str = ""
    clinical: tuple[str, ...] = ()
    id: str = ""
    kind: Kind | Literal[""] = ""
    order: tuple[str, ...] = ()
    centre: str = ""
    date: str = ""
    readers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.target) == bool(self.time or self.event) or bool(self.time) != bool(self.event):
            raise OutcomeError("name the outcome: either a target column, or a time and an event column")
        if self.kind and (self.kind in TIMED) != bool(self.time):
            needs = "a time and an event" if self.kind in TIMED else "a target"
            raise OutcomeError(f"a {self.kind} outcome is named by {needs} column")
        if self.order and self.kind != "ordinal":
            raise OutcomeError("an order of classes is for an ordinal outcome; say that the kind is ordinal")
        named = [c for c in (*self.outcome, *self.clinical, self.date) if c]
        twice = sorted({c for c in named if named.count(c) > 1})
        if twice:
            raise OutcomeError(f"each column can be named once, not {', '.join(twice)}")
        leaking = {*self.outcome} & {self.centre, *self.readers}
        if leaking:
            raise OutcomeError(f"{', '.join(sorted(leaking))} is the outcome, and can be nothing else")
        if self.id and self.id in (*self.outcome, *self.clinical):
            raise OutcomeError(f"the key {self.id!r} is also named as outcome or clinical variable")

    @property
    def outcome(self) -> tuple[str, ...]:
        """(target,) or (time, event)."""
        return (self.target,) if self.target else (self.time, self.event)

    @property
    def kind_of_outcome(self) -> Kind:
        """The kind asked for, or that which follows from the columns."""
        return self.kind or ("binary" if self.target else "survival")

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is named but the key."""
        found = (*self.outcome, *self.clinical, self.centre, self.date, *self.readers)
        return tuple(dict.fromkeys(c for c in found if c))


@dataclass(frozen=True)
class Aligned:
    """The rows that have both features and an outcome, and what was left out (`notes`).

    side : centres and dates; readers : the scores to compare the model with, by column, float64 [rows]
    """

    table: FeatureTable
    outcome: Outcome
    clinical: Clinical | None
    notes: tuple[str, ...]
    side: Side = field(default_factory=Side)
    readers: Mapping[str, np.ndarray] = field(default_factory=dict)


def align_outcomes(
    table: FeatureTable, source: TextTable, columns: OutcomeColumns, training: Clinical | None = None
) -> Aligned:
    """Join a feature table with an outcomes file by its key.

    The key is the column `case` (matched with the table's cases), else `patient` or `patient_id` (with its
    patients), else `columns.id` (with whichever of the two it fits). Only the columns named enter; every other
    one is ignored and listed. Raises TableError where the key is absent, unclear, blank or twice, or nothing matches.

    training : of an external table: the clinical variables that it is to be read like; a text unknown to them is
        missing, and noted
    """
    key, ours = matched_key(table, source, columns.id)
    cells = source.column(key)
    for name in columns.named:
        if name == key and name != columns.centre:
            raise OutcomeError(f"{source.name}: the key {key!r} is also named as outcome or clinical variable")
        source.column(name)
    if "" in cells:
        raise TableError(f"{source.name}: row {cells.index('') + 1} has no {key}")
    twice = sorted({c for c in cells if cells.count(c) > 1}) if len(set(cells)) < len(cells) else []
    if twice:
        raise TableError(f"{source.name}: {key} occurs twice: {', '.join(twice[:8])}; one row each is needed")
    place = {cell: i for i, cell in enumerate(cells)}
    matched = [i for i, name in enumerate(ours) if name in place]
    near = near_keys(cells, ours)
    if not matched:
        here, there = ", ".join(cells[:3]), ", ".join(ours[:3])
        raise TableError(
            "; ".join([f"{source.name}: no {key} is in the feature table; here {here}, there {there}", *near])
        )
    notes = [f"{source.name}: rows are matched by {key}", *(f"{source.name}: {note}" for note in near)]
    _note(notes, "rows of the feature table have no outcome row and are left out", [n for n in ours if n not in place])
    _note(notes, f"rows of {source.name} are not in the feature table", [c for c in cells if c not in set(ours)])
    used = {key, *columns.named}
    _note(notes, f"other columns of {source.name} are ignored", [c for c in source.columns if c not in used])
    positions = np.array([place[ours[i]] for i in matched])
    return _aligned(table.rows(np.array(matched)), source, positions, columns, notes, training)


def own_outcomes(
    table: FeatureTable, source: TextTable, columns: OutcomeColumns, training: Clinical | None = None
) -> Aligned:
    """Outcomes that stand in the feature table's own file, row by row. training : as in `align_outcomes`"""
    return _aligned(table, source, np.arange(len(table)), columns, [], training)


def check_source(source: TextTable, columns: OutcomeColumns) -> None:
    """Refuse, before there are features, an outcomes file without a key, a column named, or a usable outcome.

    Raises TableError or OutcomeError.
    """
    key = columns.id or named_key(source)
    cells = source.column(key)
    for name in columns.named:
        source.column(name)
    blank = ("",) * len(cells)
    nothing = FeatureTable(cells, cells, blank, blank, (), np.empty((len(cells), 0)))
    own_outcomes(nothing, source, columns)


def _aligned(  # noqa: PLR0917
    table: FeatureTable,
    source: TextTable,
    positions: np.ndarray,
    columns: OutcomeColumns,
    notes: list[str],
    training: Clinical | None = None,
) -> Aligned:
    """Rows without an outcome left out, the others checked."""
    blank = np.zeros(len(positions), np.bool_)
    for name in columns.outcome:
        cells = source.column(name)
        blank |= np.array([cells[i].lower() in MISSING for i in positions], np.bool_)
    keep = np.flatnonzero(~blank)
    if not len(keep):
        raise OutcomeError(f"{source.name}: no row has a value of {' and '.join(columns.outcome)}")
    _note(
        notes,
        f"rows have no value of {' or '.join(columns.outcome)} and are left out",
        [table.case[i] for i in np.flatnonzero(blank)],
    )
    rows = positions[keep]
    outcome = _outcome(source, columns, rows)
    part = replace(source, rows=tuple(source.rows[i] for i in rows), short=frozenset())
    clinical = None
    if columns.clinical:
        clinical = coded(part, columns.clinical, notes) if training is None else coded_like(part, training, notes)
    side = Side(centre=centres_of(source, columns.centre, rows), date=dates_of(source, columns.date, rows))
    readers = {name: scores_of(part, name) for name in columns.readers}
    return Aligned(table.rows(keep), outcome, clinical, tuple(notes), side, readers)


def _outcome(source: TextTable, columns: OutcomeColumns, rows: np.ndarray) -> Outcome:
    """The outcome of these rows; OutcomeError where it is none of the kind asked for."""
    kind = columns.kind_of_outcome
    if kind in ("multiclass", "ordinal"):
        cells = source.column(columns.target)
        texts = [cells[i] for i in rows]
        if kind == "multiclass":
            return Outcome.multiclass(texts, columns.target)
        return Outcome.ordinal(texts, columns.order, columns.target)
    hint = CLASSES_IN_WORDS if columns.target else ""
    numbers = [_codes(source, name, hint)[rows] for name in columns.outcome]
    if kind == "continuous":
        return Outcome.continuous(numbers[0], columns.target)
    if kind == "competing":
        return Outcome.competing(numbers[0], numbers[1], (columns.time, columns.event))
    try:
        if kind == "binary":
            return Outcome.binary(numbers[0], columns.target)
        return Outcome.survival(numbers[0], numbers[1], (columns.time, columns.event))
    except OutcomeError as e:
        values = np.unique(numbers[-1])
        if len(values) > 2 and "neither 0 nor 1" in str(e):
            meant = "--kind competing" if columns.time else "--kind continuous, ordinal or multiclass"
            raise OutcomeError(f"{e}; for an outcome of another kind say {meant}") from None
        raise


def _codes(source: TextTable, name: str, hint: str = "") -> np.ndarray:
    """A column of the outcome as float64 [rows], true as 1, false as 0; OutcomeError, and a hint, for other texts."""
    numbers, texts = source.numbers(name)
    strange = sorted({t for t in texts if t.lower() not in TRUTHS})
    if strange:
        raise OutcomeError(
            f"{source.name}: outcome {name!r} holds {', '.join(repr(t) for t in strange[:5])}"
            f"{f' and {len(strange) - 5} more' if len(strange) > 5 else ''}; write numbers, and 0 and 1 for no and "
            f"yes{hint}"
        )
    truths = np.array([TRUTHS.get(cell.lower(), np.nan) for cell in source.column(name)])
    return np.where(np.isnan(numbers), truths, numbers)


def _note(notes: list[str], what: str, names: Sequence[str]) -> None:
    if names:
        notes.append(f"{len(names)} {what}: {', '.join(names)}")
