"""What is known of rows beside features and outcome: it steers steps and splits, and is never learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Side:
    """Aligned to a table's rows.

    centre : of each row its centre; empty where none is known
    date : of each row a number that orders it in time, float64; None where none is known
    row : of each row its position in `repeats`; None without repeats
    repeats : float64 [repeats, rows as first read, features], NaN where a row was not measured again
    patient : of each row its patient; empty where every row is a patient's only one
    blocks : features that came from further tables, by the name of their block
    """

    centre: tuple[str, ...] = ()
    date: np.ndarray | None = None
    row: np.ndarray | None = None
    repeats: np.ndarray | None = None
    patient: tuple[str, ...] = ()
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def centres(self) -> tuple[str, ...]:
        """Names of the centres, in the order of their codes."""
        return tuple(sorted(set(self.centre)))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the side columns of X."""
        found = (("centre", self.centre), ("patient", self.patient), ("row", self.row is not None))
        return tuple(name for name, there in found if there)

    @property
    def values(self) -> np.ndarray:
        """The side columns of X, float64 [rows, names]: codes of centres and patients, positions of rows."""
        coded = {"centre": self.centre, "patient": self.patient}
        columns = [self.row if name == "row" else codes_of(coded[name]) for name in self.names]
        return np.array(columns, np.float64).reshape(len(columns), -1).T

    def rows(self, keep: np.ndarray) -> Side:
        """The rows at these positions, in this order; `repeats` stays whole, `row` points into it."""
        chosen = [int(i) for i in keep]
        return replace(
            self,
            centre=tuple(self.centre[i] for i in chosen) if self.centre else (),
            patient=tuple(self.patient[i] for i in chosen) if self.patient else (),
            date=None if self.date is None else self.date[keep],
            row=None if self.row is None else self.row[keep],
        )


def codes_of(texts: Sequence[str]) -> np.ndarray:
    """Positions of texts among their different ones in alphabetical order, float64 [rows]."""
    return np.unique(np.asarray(texts, dtype=object).astype(str), return_inverse=True)[1].astype(np.float64)
