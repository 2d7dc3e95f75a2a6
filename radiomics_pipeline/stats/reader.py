"""Expert, quantitative index and model on the same patients: who tells events apart better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.checked import event_flags
from radiomics_pipeline.stats.holm import holm
from radiomics_pipeline.stats.intervals import wald_interval
from radiomics_pipeline.stats.paired_auc import contrast, equal_areas, paired_areas


@dataclass(frozen=True)
class Standing:
    """One score on its own: area with its interval, and how many values the score takes (5 for a five-point scale)."""

    name: str
    area: float
    lower: float
    upper: float
    levels: int
    note: str = ""


@dataclass(frozen=True)
class Duel:
    """Two scores: area of the first less that of the second, DeLong's interval and p, and Holm's p over the duels."""

    first: str
    second: str
    difference: float
    lower: float
    upper: float
    z: float
    p: float
    p_holm: float
    note: str = ""


@dataclass(frozen=True)
class ReaderStudy:
    """Standings of all scores, their duels, and the test that all areas are equal.

    n_rows : rows with all scores; n_left_out : rows without one of them
    chi2, df, p : that all areas are equal
    """

    standings: tuple[Standing, ...]
    duels: tuple[Duel, ...]
    n_rows: int
    n_positive: int
    n_left_out: int
    chi2: float
    df: int
    p: float


def compare_readers(
    names: Sequence[str],
    values: np.ndarray,
    event: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    reference: str | None = None,
    level: float = 0.95,
) -> ReaderStudy:
    """Areas of several scores on the rows that have all of them, and their paired differences.

    names : of the scores; values : float64 [rows, scores], higher speaks for the event (turn an ejection fraction
        round before; a direction found in these rows would flatter the score); NaN where a score is missing
    event : bool [rows]; groups : of each row the patient
    reference : every other score against this one; None for all pairs. The fewer duels are planned, the less Holm's
        adjustment takes

    Areas and tests after DeLong or Obuchowski, see stats/paired_auc.py; ties are half a win, so that a five-point score
    is judged by its five operating points. The p values hold for scores that were fixed before, and for a model's
    predictions of rows left out (one prediction a row), not for a model fitted to these rows; readers are taken as they
    are: the p says nothing of other readers.

    Raises TableError where rows do not match, ParamsError for names that repeat or a reference that is none of them.
    """
    x, flags = np.asarray(values, np.float64), event_flags(event)
    if x.shape != (len(flags), len(names)):
        raise TableError(f"scores of shape {x.shape} for {len(flags)} rows and {len(names)} names")
    if len(set(names)) != len(names) or (reference is not None and reference not in names):
        raise ParamsError(f"scores {', '.join(names)} with reference {reference}; names must differ and hold it")
    whole = ~np.isnan(x).any(axis=1)
    if not whole.any():
        raise TableError("no row has all scores; compare fewer of them")
    areas = paired_areas(x[whole], flags[whole], None if groups is None else np.asarray(groups)[whole])
    lower, upper = wald_interval(areas.area, np.diag(areas.covariance), level)
    standings = []
    for i, name in enumerate(names):
        levels = len(np.unique(x[whole, i]))
        note = areas.note or ("no spread to build an interval on" if np.isnan(lower[i]) else "")
        standings.append(
            Standing(name, float(areas.area[i]), float(lower[i]), float(upper[i]), levels, _one(levels, note))
        )
    duels = []
    for i, j in _pairs(names, reference):
        weights = np.zeros(len(names))
        weights[i], weights[j] = 1, -1
        duels.append((i, j, contrast(areas, weights, level)))
    adjusted = holm(np.array([d.p for _, _, d in duels]))
    chi2, df, p = equal_areas(areas)
    return ReaderStudy(
        tuple(standings),
        tuple(
            Duel(names[i], names[j], d.difference, d.lower, d.upper, d.z, d.p, float(q), d.note)
            for (i, j, d), q in zip(duels, adjusted, strict=True)
        ),
        int(whole.sum()),
        areas.n_positive,
        int((~whole).sum()),
        chi2,
        df,
        p,
    )


def _pairs(names: Sequence[str], reference: str | None) -> list[tuple[int, int]]:
    if reference is None:
        return list(combinations(range(len(names)), 2))
    place = list(names).index(reference)
    return [(i, place) for i in range(len(names)) if i != place]


def _one(levels: int, note: str) -> str:
    return "all scores are the same" if levels == 1 else note
