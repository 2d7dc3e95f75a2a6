"""Ways to split a table: cross-validation, by centre, by time, another table, bootstrap samples.

Each gives `Splits`: folds whose parts share no patient, and what was noticed on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError, some
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.validation.dates import as_number, read_dates, same_scale, shown_date
from radiomics_pipeline.selection.validation.folds import Fold, draw_folds
from radiomics_pipeline.types.outcome import CLASSES, TIMED, Outcome
from radiomics_pipeline.types.table import FeatureTable

REDRAWS = 1000
"""Bootstrap samples drawn in vain before a table is given up."""


@dataclass(frozen=True)
class Splits:
    """Folds of one scheme.

    notes : what a reader should know: rows left out, test parts without a score
    """

    scheme: str
    folds: tuple[Fold, ...]
    notes: tuple[str, ...] = ()


def cross_validation(table: FeatureTable, outcome: Outcome, *, folds: int, repeats: int, seed: int) -> Splits:
    """Repeated, stratified folds of patients (`draw_folds`)."""
    return Splits("cross-validation", draw_folds(table, outcome, folds=folds, repeats=repeats, seed=seed))


def leave_one_centre_out(table: FeatureTable, outcome: Outcome, centre: Sequence[str]) -> Splits:
    """One fold a centre, tested on its rows and trained on those of all others.

    centre : of each row, a name or code. Centres of a single class, or without an event, are tested all the same:
    their rows are predicted, but have no score; a note names them.
    Raises OutcomeError where a centre is blank, where there is one alone, where a patient stands in two, or where
    the other centres have fewer than two patients of a class.
    """
    names = np.array([str(c).strip() for c in centre], dtype=object)
    _check_length(names, table, "centres")
    blank = [table.case[i] for i, name in enumerate(names) if name in ("", "nan")]
    if blank:
        raise OutcomeError(f"{len(blank)} rows have no centre ({some(blank)}); name it or leave these rows out")
    centres = sorted(set(names), key=_numbers_first)
    if len(centres) < 2:
        raise OutcomeError(f"all rows are of centre {centres[0]!r}; leave-one-centre-out needs two")
    home: dict[str, str] = {}
    for patient, name in zip(table.patient, names, strict=True):
        if home.setdefault(patient, name) != name:
            raise OutcomeError(
                f"patient {patient} stands in centre {home[patient]!r} and in {name!r}; give the rows one centre"
            )
    drawn, notes = [], []
    for number, name in enumerate(centres, 1):
        fold = Fold(1, number, np.flatnonzero(names != name), np.flatnonzero(names == name), name)
        check_training(fold, table, outcome, f"the centres other than {name!r}")
        lacking = not_scored(outcome.rows(fold.test))
        if lacking:
            notes.append(f"centre {name!r} ({len(fold.test)} rows) is predicted, but has no score: {lacking}")
        drawn.append(fold)
    return Splits("leave-one-centre-out", tuple(drawn), tuple(notes))


def temporal(
    table: FeatureTable,
    outcome: Outcome,
    date: Sequence[str] | np.ndarray,
    *,
    cut: str | float = "",
    share: float | None = None,
) -> Splits:
    """Train on the earlier patients, test on the later ones.

    date : of each row, as YYYY, YYYY-MM, YYYY-MM-DD, YYYYMMDD or a number (all rows alike)
    cut : first date of the tested part; or share : of the patients, the earliest, to train on; patients of one
        date stay together, on the side of training

    A patient belongs to the side of the earliest row; rows of training patients from the cut on are left out
    of both parts, and noted. Raises ParamsError for a cut outside of the dates, OutcomeError for dates that are
    missing or cannot be read, and where a part lacks a class.
    """
    dates = read_dates(date)
    _check_length(dates, table, "dates")
    if (cut != "") == (share is not None):
        raise ParamsError("a temporal split needs either the first date of the later part or a share of the patients")
    first: dict[str, float] = {}
    for patient, when in zip(table.patient, dates, strict=True):
        first[patient] = min(when, first.get(patient, np.inf))
    begins = np.array([first[p] for p in table.patient])
    if share is not None:
        start = _date_of_share(np.array(list(first.values())), share)
    else:
        start = same_scale(cut, date) if isinstance(cut, str) else float(cut)
    early = begins < start
    ends = f" ({shown_date(dates.min(), str(cut))} to {shown_date(dates.max(), str(cut))})"
    fold = Fold(1, 1, np.flatnonzero(early & (dates < start)), np.flatnonzero(~early), "later")
    if not len(fold.train) or not len(fold.test):
        raise ParamsError(
            f"temporal cut {cut if share is None else share}: {len(fold.train)} rows are earlier and "
            f"{len(fold.test)} later; choose a date between the first and the last{ends}"
        )
    notes = [f"temporal split: {len(fold.train)} earlier rows trained on, {len(fold.test)} later ones tested"]
    lost = int((early & (dates >= start)).sum())
    if lost:
        notes.append(f"{lost} later rows of patients that are trained on are left out of both parts")
    check_training(fold, table, outcome, "the earlier part")
    _check_single_test(fold, outcome, "the later part")
    return Splits("temporal", (fold,), tuple(notes))


def external(table: FeatureTable, outcome: Outcome, n_own: int) -> Splits:
    """Train on the first `n_own` rows, test on those of another table that stand below them (`stack`).

    Raises TableError where a patient stands in both, OutcomeError where a part lacks a class.
    """
    rows = np.arange(len(table))
    fold = Fold(1, 1, rows[:n_own], rows[n_own:], "external")
    shared = sorted({table.patient[i] for i in fold.train} & {table.patient[i] for i in fold.test})
    if shared:
        raise TableError(
            f"{len(shared)} patients stand in both tables ({some(shared)}): an external test needs other patients; "
            "leave them out, or rename them where only the names are alike"
        )
    check_training(fold, table, outcome, "the training table")
    _check_single_test(fold, outcome, "the external table")
    return Splits("external", (fold,), ())


def stack(own: FeatureTable, other: FeatureTable) -> FeatureTable:
    """The rows of `other` below those of `own`, in the order of its columns.

    Raises TableError where `other` lacks columns of `own`; further columns of `other` are not needed.
    """
    lacking = [c for c in own.columns if c not in set(other.columns)]
    if lacking:
        raise TableError(f"the external table lacks {len(lacking)} columns of the training table: {some(lacking)}")
    place = {name: c for c, name in enumerate(other.columns)}
    values = np.vstack([own.values, other.values[:, [place[c] for c in own.columns]]])
    keys = (own.case + other.case, own.patient + other.patient, own.roi + other.roi, own.label + other.label)
    return FeatureTable(*keys, columns=own.columns, values=values)


def stack_outcomes(own: Outcome, other: Outcome) -> Outcome:
    """The outcomes of `other` below those of `own`; OutcomeError where they are not of one kind and one set of
    classes."""
    if (own.kind, own.categories) != (other.kind, other.categories):
        raise OutcomeError(
            f"the training outcome is {own.kind} {list(own.categories)}, the external one {other.kind} "
            f"{list(other.categories)}; read both in the same way"
        )
    time = None if own.time is None or other.time is None else np.concatenate([own.time, other.time])
    return Outcome(own.names, own.kind, np.concatenate([own.value, other.value]), time, own.categories)


def bootstrap(
    table: FeatureTable,
    outcome: Outcome,
    *,
    draws: int,
    seed: int,
    serves: Callable[[np.ndarray, np.ndarray], bool] = lambda train, test: True,
) -> Splits:
    """Samples of as many patients as there are, drawn with replacement; tested on the patients not drawn.

    A patient drawn twice brings all rows twice. Samples that lack a class (or two patients with the event), or
    leave none for the test, are drawn anew, and counted; so are those of which `serves(rows drawn, rows not drawn)`
    says that a plan cannot be fitted to them. Raises OutcomeError where hardly any sample serves.
    """
    names, patient = np.unique(np.array(table.patient, dtype=object).astype(str), return_inverse=True)
    rows_of = [np.flatnonzero(patient == p) for p in range(len(names))]
    drawn, vain = [], 0
    for number in range(draws):
        rng = np.random.default_rng([seed, number])
        while True:
            sample = np.sort(rng.integers(0, len(names), len(names)))
            out = np.setdiff1d(np.arange(len(names)), sample)
            train = np.concatenate([rows_of[p] for p in sample])
            test = np.concatenate([rows_of[p] for p in out]) if len(out) else np.empty(0, np.int64)
            whole = len(test) and not too_few_to_train(table, outcome, train) and not not_scored(outcome.rows(test))
            if whole and serves(train, test):
                break
            vain += 1
            if vain > REDRAWS:
                raise OutcomeError(f"{vain} bootstrap samples lack a class, event or centre; the table is too small")
        drawn.append(Fold(number + 1, 1, train, test, "out of bag"))
    notes = (f"{vain} bootstrap samples without all classes or centres were drawn anew",) if vain else ()
    return Splits("bootstrap", tuple(drawn), notes)


def draw(
    params: ValidationParams,
    table: FeatureTable,
    outcome: Outcome,
    *,
    seed: int,
    columns: Mapping[str, Sequence[str]] | None = None,
    n_own: int | None = None,
) -> Splits:
    """The splits that the parameters ask for.

    columns : texts of the columns `centre` and `date` may name, aligned to the table's rows
    n_own : of an external test: rows of the training table, which stand first
    """

    def column(name: str) -> Sequence[str]:
        if name not in (columns or {}):
            raise ParamsError(f"selection.validation names the column {name!r}, which no table has")
        return (columns or {})[name]

    def by_table() -> Splits:
        if n_own is None or not 0 < n_own < len(table):
            raise ParamsError("an external test needs a second table to test on")
        return external(table, outcome, n_own)

    schemes: dict[str, Callable[[], Splits]] = {
        "cross-validation": lambda: cross_validation(
            table, outcome, folds=params.folds, repeats=params.repeats, seed=seed
        ),
        "leave-one-centre-out": lambda: leave_one_centre_out(table, outcome, column(params.centre)),
        "temporal": lambda: temporal(table, outcome, column(params.date), cut=params.date_cut, share=params.date_share),
        "external": by_table,
    }
    return schemes[params.scheme]()


def _date_of_share(dates: np.ndarray, share: float) -> float:
    """First date of the tested part where the earliest `share` of the patients is trained on."""
    ordered = np.sort(dates)
    last = ordered[max(int(np.ceil(share * len(ordered))) - 1, 0)]
    later = ordered[ordered > last]
    if not len(later):
        raise ParamsError(f"no patient is later than the earliest {share:g} of them; use a smaller share")
    return float(later[0])


def not_scored(outcome: Outcome) -> str:
    """Why rows of these outcomes can have no score; empty where they can."""
    if outcome.kind in CLASSES and len(set(outcome.value.tolist())) < 2:
        return "all rows are of one class"
    if outcome.kind in TIMED and not outcome.event.any():
        return "no row has the event"
    return ""


def too_few_to_train(table: FeatureTable, outcome: Outcome, train: np.ndarray) -> str:
    """Which class has fewer than two patients among the training rows; empty where none has."""
    groups = np.array(table.patient, dtype=object)[train]
    part = outcome.rows(train)
    if outcome.kind == "continuous":
        return "" if len(set(groups)) > 2 and np.ptp(part.value) else "values that differ"
    codes = [1] if outcome.kind in TIMED else range(2 if outcome.kind == "binary" else len(outcome.categories))
    few = [code for code in codes if len(set(groups[part.value == code])) < 2]
    return "events" if few and outcome.kind in TIMED else ", ".join(f"class {code}" for code in few)


def check_training(fold: Fold, table: FeatureTable, outcome: Outcome, name: str) -> None:
    """OutcomeError where the training part has fewer than two patients of a class, or with the event."""
    few = too_few_to_train(table, outcome, fold.train)
    if few:
        raise OutcomeError(f"{name} ({len(fold.train)} rows) holds too few {few}: two patients are the least")


def _check_single_test(fold: Fold, outcome: Outcome, name: str) -> None:
    lacking = not_scored(outcome.rows(fold.test))
    if lacking:
        raise OutcomeError(f"{name} ({len(fold.test)} rows) cannot be scored: {lacking}")


def _check_length(values: np.ndarray, table: FeatureTable, what: str) -> None:
    if len(values) != len(table):
        raise OutcomeError(f"{len(values)} {what} for {len(table)} rows")


def _numbers_first(text: str) -> tuple[bool, float, str]:
    value = as_number(text)
    return (True, 0.0, text) if np.isnan(value) else (False, value, text)
