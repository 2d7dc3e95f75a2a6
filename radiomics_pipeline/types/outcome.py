"""What features are ranked against: a class, a number or a time to an event, aligned to a table's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from radiomics_pipeline.errors import OutcomeError

Kind = Literal["binary", "continuous", "multiclass", "ordinal", "survival", "competing"]
KINDS: tuple[Kind, ...] = ("binary", "continuous", "multiclass", "ordinal", "survival", "competing")
TIMED = ("survival", "competing")
LARGEST = 1e15
"""Largest outcome or clinical number, and one over it the smallest time: beyond, squares and sums lose their digits."""
UNKNOWN_TEXT = -1.0
"""Code of a clinical text that the training rows do not have."""
CLASSES = ("binary", "multiclass", "ordinal")
QUANTILES = 5
"""Parts into which a continuous outcome is cut where folds are to share it out evenly."""


@dataclass(frozen=True)
class Outcome:
    """An outcome of one of KINDS; made by the class methods of these names, which check.

    names : of its columns: (target,) or (time, event)
    kind : which of KINDS
    value : float64 [rows], read-only. binary: 0, 1; continuous: the number; multiclass, ordinal: the position in
        `categories`; survival: 1 where the event was seen, else 0; competing: 0 censored, 1 the event of interest,
        2 and on the competing ones
    time : float64 [rows], positive, in the user's unit; None unless there is a time
    categories : names of the classes, or of the causes (from 1); empty for the other kinds
    """

    names: tuple[str, ...]
    kind: Kind
    value: np.ndarray
    time: np.ndarray | None = None
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("value", "time"):
            array = getattr(self, name)
            if array is not None:
                array = np.array(array, np.float64)
                array.flags.writeable = False
                object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.value)

    @classmethod
    def binary(cls, values: Sequence[float] | np.ndarray, name: str = "outcome") -> Outcome:
        """A binary outcome of 0s and 1s, both present.

        Raises OutcomeError where another value, a missing value or a single class is found.
        """
        codes = _truths(values, name)
        if codes.all() or not codes.any():
            raise OutcomeError(
                f"outcome {name!r}: all {len(codes)} rows are {int(codes.all())}; two classes are needed"
            )
        return cls((name,), "binary", codes.astype(np.float64))

    @classmethod
    def continuous(cls, values: Sequence[float] | np.ndarray, name: str = "outcome") -> Outcome:
        """A number, finite, with at least two different values."""
        numbers = _numbers(values, name)
        if np.ptp(numbers) == 0:
            raise OutcomeError(f"outcome {name!r}: all {len(numbers)} rows are {numbers[0]:g}; nothing can be ranked")
        return cls((name,), "continuous", numbers)

    @classmethod
    def multiclass(cls, texts: Sequence[str], name: str = "outcome") -> Outcome:
        """A class of at least two, in alphabetical order (numbers in theirs); none may be blank."""
        return cls._classes(texts, sorted(set(texts), key=_as_number_first), name, "multiclass")

    @classmethod
    def ordinal(cls, texts: Sequence[str], order: Sequence[str] = (), name: str = "outcome") -> Outcome:
        """An ordered class. order : the classes from low to high; empty only where all of them are numbers."""
        found = sorted(set(texts), key=_as_number_first)
        if not order and any(_as_number_first(t)[0] for t in found):
            raise OutcomeError(
                f"outcome {name!r}: the order of {', '.join(repr(t) for t in found[:6])} is not known; "
                "name the classes from low to high"
            )
        return cls._classes(texts, list(order) or found, name, "ordinal")

    @classmethod
    def survival(
        cls,
        time: Sequence[float] | np.ndarray,
        event: Sequence[float] | np.ndarray,
        names: tuple[str, str] = ("time", "event"),
    ) -> Outcome:
        """A time to an event: positive finite times, events of 0 (not seen) and 1 (seen), at least one seen.

        Raises OutcomeError otherwise.
        """
        times = _times(time, np.shape(event), names[0])
        codes = _truths(event, names[1])
        if not codes.any():
            raise OutcomeError(f"event {names[1]!r}: none of {len(codes)} rows has the event; nothing can be ranked")
        return cls(names, "survival", codes.astype(np.float64), times)

    @classmethod
    def competing(
        cls,
        time: Sequence[float] | np.ndarray,
        cause: Sequence[float] | np.ndarray,
        names: tuple[str, str] = ("time", "event"),
        categories: tuple[str, ...] = (),
    ) -> Outcome:
        """A time to the first of several events. cause : 0 none seen, 1 the event of interest, 2 and on the others.

        Raises OutcomeError where a cause is no whole number from 0, or where cause 1 or every other one is absent.
        """
        times = _times(time, np.shape(cause), names[0])
        codes = _numbers(cause, names[1])
        bad = (codes < 0) | (codes != np.round(codes))
        if bad.any():
            raise OutcomeError(
                f"event {names[1]!r}: {int(bad.sum())} rows hold {_some(codes[bad])}; causes are coded 0 (none seen), "
                "1 (the event of interest), 2 and on (the competing ones)"
            )
        if not (codes == 1).any() or not (codes > 1).any():
            found = ", ".join(f"{c:g}" for c in np.unique(codes))
            raise OutcomeError(f"event {names[1]!r} holds {found}; cause 1 and a competing cause (2, ...) are needed")
        last = int(codes.max())
        return cls(names, "competing", codes, times, categories or tuple(str(c) for c in range(1, last + 1)))

    @classmethod
    def _classes(cls, texts: Sequence[str], order: list[str], name: str, kind: Kind) -> Outcome:
        blank = sum(not t for t in texts)
        if blank or not len(texts):
            raise OutcomeError(f"outcome {name!r}: {blank} of {len(texts)} rows are blank")
        _refuse_doubles(order, name)
        unknown = sorted(set(texts) - set(order))
        if unknown:
            raise OutcomeError(f"outcome {name!r}: {', '.join(unknown[:5])} stand not among the classes {order}")
        absent = [c for c in order if c not in set(texts)]
        if absent or len(order) < 2:
            raise OutcomeError(
                f"outcome {name!r}: {'no row is ' + ', '.join(absent) if absent else f'all rows are {order[0]}'}; "
                "every class needs rows, and two classes are the least"
            )
        place = {c: i for i, c in enumerate(order)}
        return cls((name,), kind, np.array([place[t] for t in texts], np.float64), categories=tuple(order))

    @property
    def event(self) -> np.ndarray:
        """Bool [rows]: the positives, or the rows whose event (of interest) was seen.

        Raises OutcomeError for kinds that have no single event.
        """
        if self.kind not in ("binary", *TIMED):
            raise OutcomeError(f"a {self.kind} outcome has no event")
        return np.asarray(self.value == 1)

    @property
    def strata(self) -> np.ndarray:
        """Int64 [rows], what folds share out evenly: class, cause, event, or fifth of a continuous outcome."""
        if self.kind != "continuous":
            return self.value.astype(np.int64)
        cuts = np.quantile(self.value, np.arange(1, QUANTILES) / QUANTILES)
        return np.searchsorted(cuts, self.value, side="right").astype(np.int64)

    @property
    def y(self) -> np.ndarray:
        """As estimators take it.

        binary, multiclass, ordinal: int64 codes; continuous: float64; survival: structured (event, time), as of
        scikit-survival; competing: structured (event, time, cause), event being that of interest
        """
        if self.kind in CLASSES:
            return self.value.astype(np.int64)
        if self.time is None:
            return np.array(self.value)
        fields = [("event", "?"), ("time", "<f8")] + ([("cause", "<i8")] if self.kind == "competing" else [])
        y = np.empty(len(self), dtype=fields)
        y["event"], y["time"] = self.event, self.time
        if self.kind == "competing":
            y["cause"] = self.value
        return y

    def rows(self, keep: np.ndarray) -> Outcome:
        """The rows at these positions, in this order; not checked again."""
        time = None if self.time is None else self.time[keep]
        return Outcome(self.names, self.kind, self.value[keep], time, self.categories)

    def cells(self, row: int) -> tuple[float | int | str, ...]:
        """What stood in its columns in one row."""
        value = self.value[row]
        if self.kind == "continuous":
            return (float(value),)
        if self.kind in ("multiclass", "ordinal"):
            return (self.categories[int(value)],)
        return (int(value),) if self.time is None else (float(self.time[row]), int(value))


@dataclass(frozen=True)
class Clinical:
    """Clinical variables, aligned to a table's rows; a text column is held as codes.

    columns : names, unique
    values : float64 [rows, columns], NaN where missing, read-only; of a text column the position in `categories`
    categories : for every column its texts in alphabetical order, None where the column is numeric
    """

    columns: tuple[str, ...]
    values: np.ndarray
    categories: tuple[tuple[str, ...] | None, ...]

    def __post_init__(self) -> None:
        values = np.array(self.values, np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.columns) or len(self.categories) != len(self.columns):
            raise OutcomeError(f"clinical values of shape {values.shape} for {len(self.columns)} columns")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def rows(self, keep: np.ndarray) -> Clinical:
        """The rows at these positions, in this order."""
        return Clinical(self.columns, self.values[keep], self.categories)


def _as_number_first(text: str) -> tuple[bool, float, str]:
    """Sorts numbers by value, before texts."""
    try:
        return False, float(text), text
    except ValueError:
        return True, 0.0, text


def _refuse_doubles(order: Sequence[str], name: str) -> None:
    """OutcomeError where a class is named twice, or two of them are one number written in two ways."""
    seen: dict[float | str, str] = {}
    for text in order:
        is_text, number, _ = _as_number_first(text)
        key = text if is_text else number
        if seen.get(key) == text:
            raise OutcomeError(f"outcome {name!r}: {text!r} is named twice in the order of the classes")
        if key in seen:
            raise OutcomeError(
                f"outcome {name!r}: {seen[key]!r} and {text!r} are the same number, and would be two classes; "
                "write it in one way"
            )
        seen[key] = text


def _numbers(values: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    """Finite float64 [rows]."""
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise OutcomeError(f"outcome {name!r}: no rows")
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise OutcomeError(f"outcome {name!r}: {int(bad.sum())} of {len(numbers)} rows are no finite numbers")
    _refuse_extreme(numbers, np.abs(numbers) > LARGEST, f"outcome {name!r}")
    return numbers


def _refuse_extreme(numbers: np.ndarray, extreme: np.ndarray, what: str) -> None:
    if extreme.any():
        raise OutcomeError(f"{what}: {_some(numbers[extreme])} cannot be computed with; choose another unit")


def _times(time: Sequence[float] | np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Positive finite float64 [rows]."""
    times = np.asarray(time, np.float64)
    if times.shape != shape or times.ndim != 1:
        raise OutcomeError(f"{times.shape} times for {shape} events")
    bad = ~(np.isfinite(times) & (times > 0))
    if bad.any():
        raise OutcomeError(
            f"time {name!r}: {int(bad.sum())} of {len(times)} are not positive numbers "
            f"({_some(times[bad])}); leave such rows out or correct them"
        )
    _refuse_extreme(times, (times > LARGEST) | (times < 1 / LARGEST), f"time {name!r}")
    return times


def _truths(values: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    """Bool [rows] of 0s and 1s."""
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise OutcomeError(f"outcome {name!r}: no rows")
    bad = ~np.isin(numbers, (0.0, 1.0))
    if bad.any():
        raise OutcomeError(
            f"outcome {name!r}: {int(bad.sum())} of {len(numbers)} rows are neither 0 nor 1 ({_some(numbers[bad])}); "
            "code the outcome as 0 and 1"
        )
    return numbers == 1.0


def _some(values: np.ndarray) -> str:
    """The first few different values, for a message."""
    different = sorted({float(v) for v in values if np.isfinite(v)})
    texts = [f"{v:g}" for v in different] + (["missing or not a number"] if not np.isfinite(values).all() else [])
    return ", ".join(texts[:5]) + (f", and {len(texts) - 5} more" if len(texts) > 5 else "")
