"""Dates as people write them, as numbers that sort as they do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

from radiomics_pipeline.errors import OutcomeError, ParamsError, some

CALENDAR = re.compile(r"(\d{4})(?:-?(\d{2}))?(?:-?(\d{2}))?(?:[T ].*)?")
PRECISION = ("number", "year", "month", "day")
FIRST_DAY, LAST_DAY = date(1000, 1, 1).toordinal(), date.max.toordinal()
"""Numbers outside of these are not shown as days."""


def read_dates(texts: Sequence[str] | np.ndarray) -> np.ndarray:
    """Dates as numbers, float64 [rows].

    All of one precision: YYYY, YYYY-MM or YYYY-MM-DD (hyphens may lack; a time of day is left out), or all
    plain numbers, such as days of a study. Raises OutcomeError for anything else: 03/04/2020 may be March or April,
    and whether 2020 is before 2020-06-01 cannot be known.
    """
    return _read([str(t).strip() for t in texts])[0]


def same_scale(cut: str, texts: Sequence[str] | np.ndarray) -> float:
    """A cut on the scale of the dates; it may be coarser than they are, never finer (ParamsError).

    A cut YYYY-MM-DD or YYYY-MM against plain numbers is the (first) day's proleptic ordinal, the scale of Side.date;
    numbers of another scale, such as years, all lie on one side of it, and the split is refused for want of rows. A
    year is a plain number as well: it is taken as one unless all rows would lie on one side of it, and its first of
    January would part them.
    """
    cut = cut.strip()
    known, precision = _read([str(t).strip() for t in texts])
    scale = PRECISION.index(precision)
    if not scale:
        return _among_numbers(cut, known)
    values, own = _read([cut])
    if own == "number" or PRECISION.index(own) > scale:
        raise ParamsError(
            f"temporal cut {cut!r} cannot be compared with dates that are known to the {PRECISION[scale]}"
        )
    return float(values[0])


def shown_date(value: float, like: str) -> str:
    """A number of `read_dates`, as the text `like` writes dates: a plain number, or a day."""
    if "-" in like[1:] and FIRST_DAY <= value <= LAST_DAY:
        return date.fromordinal(int(value)).isoformat()
    return f"{value:.8g}"


def _among_numbers(cut: str, known: np.ndarray) -> float:
    """The cut on the scale of plain numbers (of Side.date)."""
    day = _first_day(cut)
    if "-" in cut[1:] and day is not None:
        return day
    number = as_number(cut)
    if not np.isfinite(number):
        raise ParamsError(f"temporal cut {cut!r} is neither a number nor a date YYYY-MM-DD")
    parts_nothing = not known.min() < number <= known.max()
    return day if parts_nothing and day is not None and known.min() < day <= known.max() else number


def _first_day(cut: str) -> float | None:
    """Proleptic ordinal of the first day that the text names; None where it names none."""
    parts = _calendar(cut)
    if parts is None:
        return None
    try:
        return float(date(*(int(part or 1) for part in parts)).toordinal())
    except ValueError:
        return None


def as_number(text: str) -> float:
    """The number that a text holds, NaN where it holds none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _read(texts: list[str]) -> tuple[np.ndarray, str]:
    """Numbers and their precision, one of PRECISION."""
    parts = [_calendar(t) for t in texts]
    if all(p is not None for p in parts):
        precision = {sum(g is not None for g in p) for p in parts if p is not None}
        if len(precision) == 1:
            values = [
                sum(int(g or 0) * f for g, f in zip(p, (10_000, 100, 1), strict=True)) for p in parts if p is not None
            ]
            return np.array(values, np.float64), PRECISION[precision.pop()]
    numbers = np.array([as_number(t) for t in texts])
    if np.isfinite(numbers).all():
        return numbers, "number"
    bad = [t for t, p, v in zip(texts, parts, numbers, strict=True) if p is None and not np.isfinite(v)]
    if bad:
        raise OutcomeError(f"{len(bad)} dates cannot be read ({some(bad)}); write them as YYYY-MM-DD")
    raise OutcomeError("some dates have a day and others only a month or year; write all of them as YYYY-MM-DD")


def _calendar(text: str) -> tuple[str | None, str | None, str | None] | None:
    """Year, month and day; None where the text is no date of the calendar."""
    match = CALENDAR.fullmatch(text)
    if match is None:
        return None
    year, month, day = match.groups()
    if (month and not 1 <= int(month) <= 12) or (day and not 1 <= int(day) <= 31):
        return None
    return year, month, day
