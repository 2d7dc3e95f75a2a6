"""Clinical variables of a table of text: numbers, or categories as codes."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.io.delimited import MISSING, TextTable
from radiomics_pipeline.types.outcome import LARGEST, UNKNOWN_TEXT, Clinical

MOST_CODES = 10
"""Different numbers up to which a column that holds texts, too, is a category, such as the stages 1, 2, 3a, 3b."""


def coded(source: TextTable, names: tuple[str, ...], notes: list[str]) -> Clinical:
    """The clinical columns; what a column is, is seen from these rows alone."""
    values: list[np.ndarray] = []
    categories: list[tuple[str, ...] | None] = []
    for name in names:
        numbers, texts = source.numbers(name)
        if not texts:
            _refuse_constant(numbers, name, source.name)
            values.append(_moderate(numbers, name, source.name))
            categories.append(None)
            continue
        cells, known = source.column(name), _category(source, name)
        notes.append(f"clinical column {name}: a category of {len(known)} texts ({', '.join(known)})")
        values.append(np.array([known.index(c) if c in known else np.nan for c in cells], np.float64))
        categories.append(known)
    return Clinical(names, np.column_stack(values), tuple(categories))


def _category(source: TextTable, name: str) -> tuple[str, ...]:
    """The texts of a clinical column in alphabetical order; TableError where it is no category."""
    cells, (numbers, texts) = source.column(name), source.numbers(name)
    known = tuple(sorted({c for c in cells if c.lower() not in MISSING}))
    different = len(np.unique(numbers[~np.isnan(numbers)]))
    what = f"{source.name}: clinical column {name!r}"
    if different > MOST_CODES:
        raise TableError(
            f"{what} holds {different} different numbers, and {some(map(repr, sorted(set(texts))), 3)}; correct these "
            "texts, or leave the cells blank"
        )
    if len(known) < 2:
        raise TableError(f"{what} holds {known[0]!r} alone, which tells no rows apart; leave it out")
    if len(known) > max(2, len(cells) // 3):
        raise TableError(
            f"{what} has {len(known)} different texts in {len(cells)} rows, such as "
            f"{', '.join(repr(k) for k in known[:3])}; it is no category and, as text, no number"
        )
    return known


def _refuse_constant(numbers: np.ndarray, name: str, file: str) -> None:
    different = np.unique(numbers[~np.isnan(numbers)])
    if len(different) < 2:
        found = (
            f"holds {different[0]:g} alone, which tells no rows apart" if len(different) else "has no value in any row"
        )
        raise TableError(f"{file}: clinical column {name!r} {found}; leave it out")


def _moderate(numbers: np.ndarray, name: str, file: str) -> np.ndarray:
    """The numbers of a clinical column; TableError where one is infinite or too large to be computed with."""
    large = np.abs(numbers) > LARGEST
    if large.any():
        raise TableError(f"{file}: clinical column {name!r} holds {some(np.unique(numbers[large]), 3)}; correct it")
    return numbers


def coded_like(source: TextTable, training: Clinical, notes: list[str]) -> Clinical:
    """The clinical columns of another study, coded as in the training table; a text unknown there is none of them."""
    values = []
    for name, known in zip(training.columns, training.categories, strict=True):
        numbers, texts = source.numbers(name)
        if known is None:
            if texts:
                raise TableError(
                    f"{source.name}: clinical column {name!r} holds texts, such as {some(map(repr, texts), 3)}, and "
                    "numbers in the training table; correct them"
                )
            values.append(_moderate(numbers, name, source.name))
            continue
        cells = source.column(name)
        there = [c for c in cells if c.lower() not in MISSING]
        new = [c for c in there if c not in known]
        if there and len(new) == len(there):
            raise TableError(
                f"{source.name}: no text of the clinical column {name!r} is known to the training table; here "
                f"{some(sorted(set(new)), 3)}, there {some(known, 3)}; write them alike, or leave the cells blank"
            )
        if new:
            notes.append(
                f"clinical column {name}: {len(new)} rows hold {some(sorted(set(new)))}, of which the training table "
                f"has no row; taken as none of {', '.join(known)}"
            )
        codes = {c: float(known.index(c)) for c in known} | dict.fromkeys(new, UNKNOWN_TEXT)
        values.append(np.array([codes.get(c, np.nan) for c in cells], np.float64))
    return Clinical(training.columns, np.column_stack(values), training.categories)
