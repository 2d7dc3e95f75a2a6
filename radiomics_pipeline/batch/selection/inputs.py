"""The tables of a selection, read, joined and checked; nothing is fitted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from radiomics_pipeline.batch.selection.plausible import implausible, ranges_of
from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError, some
from radiomics_pipeline.io.delimited import TextTable, read_text_table
from radiomics_pipeline.io.further_tables import join_block, read_repeats, same_columns, stack
from radiomics_pipeline.io.model_file import features_digest
from radiomics_pipeline.io.outcomes import Aligned, OutcomeColumns, align_outcomes, own_outcomes
from radiomics_pipeline.io.tables import read_features
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.types.outcome import TIMED, Clinical, Outcome
from radiomics_pipeline.types.side import Side
from radiomics_pipeline.types.table import FeatureTable

FOLLOW_UP = re.compile(
    r"(time|days|weeks|months|years|follow.?up|fu|os|pfs|dfs|efs|status|event|events|death|died|dead|alive|censor(ed|ing)?|"
    r"relapse|recurrence|progression|response|outcome|target|label|class)([_\W\d].*)?",
    re.IGNORECASE,
)
"""Names of columns that are hardly features."""
UNLIKE = 5.0
"""Ratio of two studies' median times from which their unit is asked for: weeks are 7 days."""
HISTORY = "history"
"""Key of a manifest's options that says what was done to a table by its outcomes; see validation.guards."""


@dataclass(frozen=True)
class Beside:
    """Further tables of a selection.

    repeated : rows measured again; blocks : further columns by the name of their block; external : rows of another
        study, and their outcomes (None: they stand in it)
    """

    repeated: Path | None = None
    blocks: Mapping[str, Path] = field(default_factory=dict)
    external: Path | None = None
    external_outcomes: Path | None = None

    @property
    def paths(self) -> tuple[Path | None, ...]:
        """All files."""
        return (self.repeated, *self.blocks.values(), self.external, self.external_outcomes)


@dataclass(frozen=True)
class Inputs:
    """What a selection is computed from; rows of an external table stand below those of our own (`n_own`)."""

    table: FeatureTable
    outcome: Outcome
    clinical: Clinical | None
    side: Side
    readers: Mapping[str, np.ndarray]
    notes: tuple[str, ...]
    history: tuple[str, ...] = ()
    n_own: int | None = None
    warnings: tuple[str, ...] = field(default=())


def with_columns(columns: OutcomeColumns, params: SelectionParams) -> tuple[OutcomeColumns, SelectionParams]:
    """Columns and parameters that agree: what one of them names, the other has.

    Raises ParamsError where both name another centre or date.
    """
    validation = params.validation
    for name in ("centre", "date"):
        one, other = getattr(columns, name), getattr(validation, name)
        if one and other and one != other:
            raise ParamsError(f"the parameters name {other!r} as {name}, the command line {one!r}; name one")
        columns = replace(columns, **{name: one or other})
        validation = validation.model_copy(update={name: one or other})
    if not columns.clinical and params.clinical:
        columns = replace(columns, clinical=params.clinical)
    return columns, params.model_copy(update={"validation": validation})


def read_inputs(
    table: Path, outcomes: Path | None, columns: OutcomeColumns, params: SelectionParams, beside: Beside
) -> Inputs:
    """Features, outcome, clinical variables and side information of the rows that have an outcome.

    Raises TableError, OutcomeError or ParamsError.
    """
    _check_choices(columns, params, beside)
    aligned = _read(table, outcomes, columns)
    found, notes, side = aligned.table, list(aligned.notes), aligned.side
    blocks = {}
    for name, path in beside.blocks.items():
        found, own, said = join_block(found, read_text_table(path), name, columns.id)
        blocks[name] = own
        notes += [*said, *_telling(own, path.name)]
    if beside.repeated:
        _refuse_other_features(table, beside.repeated)
        again = read_repeats(found, read_text_table(beside.repeated), columns.id)
        side = replace(side, repeats=again.values, row=np.arange(len(found)))
        notes += again.notes
    side = replace(side, blocks=blocks)
    read = (table, *beside.blocks.values(), *([beside.repeated] if beside.repeated else []))
    history = tuple(entry for path in read for entry in _history(path))
    notes += _unused(columns, params)
    inputs = Inputs(found, aligned.outcome, aligned.clinical, side, aligned.readers, tuple(notes), history)
    if beside.external:
        inputs = _with_external(inputs, table, beside, columns)
    parts = np.split(np.arange(len(inputs.outcome)), [] if inputs.n_own is None else [inputs.n_own])
    followed = [n for rows in parts for n in _follow_up(inputs.outcome.rows(rows), params.validation.horizon)]
    return replace(inputs, notes=(*inputs.notes, *followed))


def _check_choices(columns: OutcomeColumns, params: SelectionParams, beside: Beside) -> None:
    """ParamsError where columns, parameters and further tables do not go together, before a table is read."""
    scheme, kind = params.validation.scheme, columns.kind_of_outcome
    if columns.readers and kind not in ("binary", *TIMED):
        raise ParamsError(
            f"readers are compared by AUC or C, with a binary or timed outcome; this one is {kind}, leave "
            f"{', '.join(columns.readers)} out"
        )
    for asks, name in (("leave-one-centre-out", "centre"), ("temporal", "date")):
        if scheme == asks and not getattr(columns, name):
            raise ParamsError(f"validation.scheme {scheme} needs a column; give --{name}, or name it in the parameters")
    if params.harmonise.method == "combat" and not columns.centre:
        raise ParamsError("harmonise: the column of the centres is not named; give --centre")
    if beside.external and scheme != "external":
        raise ParamsError(
            f"{beside.external.name} is a table to test on, but validation.scheme is {scheme}, "
            "which would train on its rows, too; choose external"
        )
    if not beside.external and scheme == "external":
        raise ParamsError("validation.scheme external needs a second table to test on; give --test")
    if beside.external_outcomes and not beside.external:
        raise ParamsError(f"{beside.external_outcomes.name} holds outcomes of an external table; give --test, too")
    if beside.external and (beside.repeated or beside.blocks):
        raise ParamsError("an external table cannot be joined with repeated measurements or further blocks")


def _unused(columns: OutcomeColumns, params: SelectionParams) -> list[str]:
    """Notes on columns that are named and serve nothing here."""
    scheme, found = params.validation.scheme, []
    if columns.date and scheme != "temporal":
        found.append(
            f"the dates ({columns.date}) are not used: they serve validation.scheme temporal, and this one is {scheme}"
        )
    if columns.centre and scheme != "leave-one-centre-out" and params.harmonise.method != "combat":
        found.append(
            f"the centres ({columns.centre}) are not used: they serve harmonise.method combat and validation.scheme "
            f"leave-one-centre-out, and this one is {scheme}"
        )
    return found


def _read(
    table: Path,
    outcomes: Path | None,
    columns: OutcomeColumns,
    training: Clinical | None = None,
    option: str = "--outcomes",
) -> Aligned:
    """Features joined with their outcomes.

    A reader that the outcomes file lacks may be a feature, such as SUVmax: it stays one, and is compared as well.
    training : clinical variables of the training table, in whose texts those of another study are coded
    option : what names the outcomes file
    """
    source = read_text_table(table)
    if outcomes is None:
        _require_outcomes(source, columns, option)
    answers = source if outcomes is None else read_text_table(outcomes)
    if columns.id and columns.id not in {*source.columns, *answers.columns}:
        raise TableError(f"no column {columns.id!r} in {source.name}{f' or {answers.name}' * (answers is not source)}")
    indices = tuple(r for r in columns.readers if r not in answers.columns and r in source.columns)
    columns = replace(columns, readers=tuple(r for r in columns.readers if r not in indices))
    file = read_features(
        source, id_column=columns.id if columns.id in source.columns else "", not_features=columns.named
    )
    if outcomes is None:
        aligned = own_outcomes(file.table, source, columns, training)
    else:
        aligned = align_outcomes(file.table, answers, columns, training)
    absent = [r for r in indices if r not in aligned.table.columns]
    if absent:
        raise TableError(f"{source.name}: {some(absent)} holds no numbers that could be compared with the model")
    place = {c: i for i, c in enumerate(aligned.table.columns)}
    readers = {**aligned.readers, **{r: aligned.table.values[:, place[r]] for r in indices}}
    notes = [*file.notes, *_telling(aligned.table.columns, source.name), *aligned.notes]
    if outcomes is None:
        notes.append(
            f"{source.name}: all its {len(file.table.columns)} other columns of numbers are taken for features"
        )
    return replace(aligned, notes=tuple(notes), readers=readers)


def _require_outcomes(source: TextTable, columns: OutcomeColumns, option: str) -> None:
    """TableError where a table that is to hold its own outcomes does not."""
    try:
        for name in columns.outcome:
            source.column(name)
    except TableError as e:
        raise TableError(f"{e}; where the outcomes stand in a file of their own, give {option}") from None


def _telling(columns: tuple[str, ...], name: str) -> list[str]:
    """A note on features that, by their names, hold follow-up or an outcome."""
    told = [c for c in columns if FOLLOW_UP.fullmatch(c)]
    return [f"{name}: {some(told)} may tell the outcome: leave them out of the table, if so"] if told else []


def _with_external(inputs: Inputs, table: Path, beside: Beside, columns: OutcomeColumns) -> Inputs:
    """The rows of another study below our own."""
    assert beside.external is not None
    name = beside.external.name
    _refuse_other_features(table, beside.external)
    try:
        other = _read(beside.external, beside.external_outcomes, columns, inputs.clinical, "--test-outcomes")
    except OutcomeError as e:
        raise OutcomeError(f"{name}: {e}") from None
    theirs = same_columns(other.table, inputs.table.columns, name)
    shared = sorted(set(inputs.table.patient) & set(theirs.patient))
    if shared:
        raise TableError(f"{name}: {some(shared)} stand in the training table, too; leave them out")
    known = ranges_of(inputs.table.columns, inputs.table.values)
    strange = implausible(known, theirs.columns, theirs.case, theirs.values)
    strange += _other_times(inputs.outcome, other.outcome)
    own, foreign = inputs.outcome, other.outcome
    causes = own.kind == "competing"  # of which any but the first may be absent on one side
    if own.categories != foreign.categories and not causes:
        raise OutcomeError(
            f"{name}: its classes are {some(foreign.categories)}, those of the training table {some(own.categories)}"
        )
    categories = max(own.categories, foreign.categories, key=len)
    time = None if own.time is None or foreign.time is None else np.concatenate([own.time, foreign.time])
    outcome = Outcome(own.names, own.kind, np.concatenate([own.value, foreign.value]), time, categories)
    return Inputs(
        stack(inputs.table, theirs),
        outcome,
        _stacked_clinical(inputs.clinical, other.clinical),
        Side(centre=(*inputs.side.centre, *other.side.centre)),
        {name: np.concatenate([scores, other.readers[name]]) for name, scores in inputs.readers.items()},
        (*inputs.notes, *(note if note.startswith(name) else f"{name}: {note}" for note in (*other.notes, *strange))),
        (*inputs.history, *_history(beside.external)),
        len(inputs.table),
    )


def _other_times(own: Outcome, foreign: Outcome) -> list[str]:
    """A note on follow-up of another order than our own, as of months for days."""
    if own.time is None or foreign.time is None:
        return []
    ours, theirs = float(np.median(own.time)), float(np.median(foreign.time))
    if max(ours, theirs) < UNLIKE * min(ours, theirs):
        return []
    return [f"its times have the median {theirs:g}, those of the training table {ours:g}; is it the same unit?"]


def _refuse_other_features(table: Path, other: Path) -> None:
    """TableError where the manifests beside two tables say that their features were made by other parameters."""
    ours, theirs = features_digest(table), features_digest(other)
    if ours and theirs and ours != theirs:
        raise TableError(
            f"{other.name}: its features were made with other parameters than those of {table.name} (run.json beside "
            "each); extract them again with params.yaml of the training run"
        )


def _stacked_clinical(own: Clinical | None, other: Clinical | None) -> Clinical | None:
    """Clinical variables of both tables, the texts of which are coded alike."""
    if own is None or other is None:
        return None
    return Clinical(own.columns, np.vstack([own.values, other.values]), own.categories)


def _history(table: Path) -> tuple[str, ...]:
    """What the manifest beside a table says was done to it by its outcomes."""
    found: list[str] = []
    for name in ("run.json", "select.json"):
        try:
            entries = json.loads((table.parent / name).read_text("utf-8"))["options"].get(HISTORY, ())
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            continue
        found += [entries] if isinstance(entries, str) else [str(entry) for entry in entries or ()]
    return tuple(found)


def _follow_up(outcome: Outcome, horizon: float | None) -> tuple[str, ...]:
    """Notes on a horizon that the follow-up hardly reaches; OutcomeError where it does not reach it at all."""
    if outcome.kind not in TIMED or outcome.time is None or horizon is None:
        return ()
    if outcome.time.max() < horizon:
        raise OutcomeError(
            f"the horizon {horizon:g} lies beyond the longest follow-up ({outcome.time.max():g}); name an earlier one"
        )
    lost = int(((outcome.time < horizon) & (outcome.value == 0)).sum())
    return (f"{lost} of {len(outcome)} rows are censored before the horizon {horizon:g}",) if lost else ()
