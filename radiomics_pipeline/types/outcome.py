"""What features are ranked against: a binary outcome or a time to an event, aligned to a table's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import OutcomeError


@dataclass(frozen=True)
class Outcome:
    """A binary outcome, or a time to an event; made by `Outcome.binary` and `Outcome.survival`, which check.

    names : of its columns: (target,) or (time, event)
    event : bool [rows], read-only: the positives, or the rows whose event was seen
    time : float64 [rows], positive, in the user's unit; None for a binary outcome
    """

    names: tuple[str, ...]
    event: np.ndarray
    time: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("event", "time"):
            array = getattr(self, name)
            if array is not None:
                array = np.array(array)
                array.flags.writeable = False
                object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.event)

    @classmethod
    def binary(cls, values: Sequence[float] | np.ndarray, name: str = "outcome") -> Outcome:
        """A binary outcome of 0s and 1s, both present.

        Raises OutcomeError where another value, a missing value or a single class is found.
        """
        codes = _codes(values, name)
        if codes.all() or not codes.any():
            raise OutcomeError(
                f"outcome {name!r}: all {len(codes)} rows are {int(codes.all())}; two classes are needed"
            )
        return cls((name,), codes)

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
        times = np.asarray(time, np.float64)
        if times.shape != np.shape(event) or times.ndim != 1:
            raise OutcomeError(f"{times.shape} times for {np.shape(event)} events")
        bad = ~(np.isfinite(times) & (times > 0))
        if bad.any():
            raise OutcomeError(
                f"time {names[0]!r}: {int(bad.sum())} of {len(times)} are not positive numbers "
                f"({_some(times[bad])}); leave such rows out or correct them"
            )
        codes = _codes(event, names[1])
        if not codes.any():
            raise OutcomeError(f"event {names[1]!r}: none of {len(codes)} rows has the event; nothing can be ranked")
        return cls(names, codes, times)

    @property
    def kind(self) -> str:
        """Either "binary" or "survival"."""
        return "binary" if self.time is None else "survival"

    @property
    def y(self) -> np.ndarray:
        """As scikit-learn (int64 0/1) or scikit-survival (structured: event, time) take it."""
        if self.time is None:
            return self.event.astype(np.int64)
        y = np.empty(len(self), dtype=[("event", "?"), ("time", "<f8")])
        y["event"], y["time"] = self.event, self.time
        return y

    def rows(self, keep: np.ndarray) -> Outcome:
        """The rows at these positions, in this order; not checked again."""
        return Outcome(self.names, self.event[keep], None if self.time is None else self.time[keep])

    def cells(self, row: int) -> tuple[float | int, ...]:
        """What stood in its columns in one row."""
        code = int(self.event[row])
        return (code,) if self.time is None else (float(self.time[row]), code)


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


def _codes(values: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
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
