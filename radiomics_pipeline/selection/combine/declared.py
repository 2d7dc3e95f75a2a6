"""Tests of added columns that are valid only where no data chose them, or on rows that trained nothing.

Fitted to the same rows, the larger of two nested models is never worse, and after a selection the selected columns
fit the noise that selected them: likelihood ratio p values are then far too small. DeLong's test on the fitted rows of
nested models is invalid even for declared columns: under the null hypothesis its statistic is not normal. Demler,
Pencina and D'Agostino, Stat Med 2012;31:2577, doi 10.1002/sim.5328; Pepe et al., Stat Med 2013;32:1467.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc, fdtrc

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.combine.families import Family, family_of
from radiomics_pipeline.stats.paired_auc import contrast, paired_areas
from radiomics_pipeline.types.combination import IncrementRow, NestedTestRow
from radiomics_pipeline.types.outcome import Outcome

RULE = (
    "nested models fitted to the rows that selected a column, or tested on the rows that they were fitted to, give p "
    "values that are not valid (Demler 2012, doi 10.1002/sim.5328); declare the column before looking at the outcome, "
    "or use rows of another study, or the permutation test of the increment"
)


FAR = 10.0
"""Coefficient of a column of mean square 1 beyond which the classes, or the order of the events, are separated."""
PER_COLUMN = 10
"""Events a column below which the chi-square of a likelihood ratio is a poor guide."""


def declared_lrt(
    X_base: np.ndarray,
    X_added: np.ndarray,
    outcome: Outcome,
    declared: Sequence[str],
    selected: Sequence[str] = (),
    *,
    base_names: Sequence[str] = (),
    patient: Sequence[str] | None = None,
    note: str = "",
) -> NestedTestRow:
    """Likelihood ratio test (a number: F test) of added columns that were declared beforehand.

    X_base, X_added : float64 [rows, columns], finite; X_base may have no columns
    declared : names of the columns of X_added, every one fixed before the outcome was looked at
    selected : all names that any step has chosen by this outcome
    base_names : names of the columns of X_base, which must not have been selected either
    patient : of each row; refused where one has several rows, which the test would take for independent
    note : said before the note of the test itself, which names separation and too few events for the columns

    Maximum likelihood: logistic, Cox (Efron), least squares. Raises ParamsError where the p value would be invalid.
    """
    _refuse(X_added, declared, selected, base_names, patient)
    if len(X_base) != len(outcome) or len(X_added) != len(outcome):
        raise TableError(f"{len(X_base)} and {len(X_added)} rows for {len(outcome)} outcomes")
    whole = np.hstack([X_base, X_added]).astype(np.float64)
    if not np.isfinite(whole).all():
        raise TableError("cells are missing; a nested test needs the same complete rows for both models")
    centred = whole - whole.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / np.where(spread > 0, spread, 1.0)
    b = X_base.shape[1]
    base = _independent(scaled[:, :b])
    further = _independent(scaled[:, b:] - base @ (base.T @ scaled[:, b:]) / len(scaled))
    small, large = base.shape[1], base.shape[1] + further.shape[1]
    if large == small:
        raise ParamsError(f"{', '.join(declared)}: the base columns give these already; there is nothing to test")
    statistic, p, test, ended = _test(family_of(outcome.kind), np.hstack([base, further]), outcome, small, large)
    events = int(outcome.event.sum()) if outcome.kind != "continuous" else 0
    fewer = min(events, len(outcome) - events) if outcome.kind == "binary" else events
    notes = [note, "" if ended else "a coefficient has no end (separation): p is that of the limit"]
    if outcome.kind != "continuous" and fewer < PER_COLUMN * large:
        what = "rows of the rarer class" if outcome.kind == "binary" else "events"
        notes.append(f"{fewer} {what} for {large} columns, fewer than {PER_COLUMN} each: p tends to be too small")
    return NestedTestRow(
        "; ".join(base_names) or (f"{b} columns" if b else ""),
        "; ".join(declared),
        statistic,
        large - small,
        p,
        len(outcome),
        events,
        test,
        "; ".join(filter(None, notes)),
    )


def _refuse(
    X_added: np.ndarray,
    declared: Sequence[str],
    selected: Sequence[str],
    base_names: Sequence[str],
    patient: Sequence[str] | None,
) -> None:
    if len(declared) != X_added.shape[1] or not len(declared):
        raise ParamsError(
            f"{X_added.shape[1]} added columns, {len(declared)} declared; only declared columns get a p value: {RULE}"
        )
    chosen = [name for name in (*declared, *base_names) if name in set(selected)]
    if chosen:
        raise ParamsError(f"{chosen[0]} was selected by the data: {RULE}")
    if patient is not None and len(set(patient)) < len(patient):
        raise ParamsError(
            f"{len(patient)} rows of {len(set(patient))} patients: the test takes rows as independent; use one row a "
            "patient, or the permutation test of the increment"
        )


def _independent(columns: np.ndarray) -> np.ndarray:
    """Columns of mean square 1, independent of each other, that give the same fits; float64 [rows, rank]."""
    if not columns.shape[1]:
        return columns
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, size > 1e-9 * np.sqrt(len(columns))] * np.sqrt(len(columns)))


def _test(
    family: Family, scaled: np.ndarray, outcome: Outcome, small: int, large: int
) -> tuple[float, float, str, bool]:
    """Statistic, p and name of the test of the columns from `small` on, and whether both fits ended."""
    masks = np.ones((2, scaled.shape[1]), np.bool_)
    masks[0, small:] = False
    fits = family.fit(scaled, outcome.y, masks, 0.0)
    gain = max(2.0 * float(fits.loglik[1] - fits.loglik[0]), 0.0)
    freedom = large - small
    far = outcome.kind != "continuous" and np.abs(fits.coefficients).max(initial=0.0) > FAR
    ended = bool(fits.converged.all()) and not far
    if outcome.kind != "continuous":
        return gain, float(chdtrc(freedom, gain)), "likelihood ratio", ended
    rest = len(outcome) - 1 - large
    if rest < 1:
        raise ParamsError(f"{len(outcome)} rows are too few for {large} columns")
    statistic = float(np.expm1(gain / len(outcome))) * rest / freedom
    return statistic, float(fdtrc(freedom, rest, statistic)), "F", ended


def external_delong(
    event: np.ndarray,
    base: np.ndarray,
    added: np.ndarray,
    *,
    trained_on: Sequence[str],
    tested_on: Sequence[str],
    plans: tuple[str, str] = ("base", "added"),
) -> IncrementRow:
    """DeLong's test of the gain in AUC, on rows of patients that trained neither model.

    event : bool [rows]; base, added : float64 [rows], predictions; tested_on : of each row the patient
    trained_on : patients whose rows trained either model or chose its columns

    Raises ParamsError where a patient is in both. Rows of one patient count as dependent (Obuchowski 1997).
    """
    shared = sorted(set(trained_on) & set(tested_on))
    if shared:
        raise ParamsError(f"{len(shared)} patients trained the models and test them (first: {shared[0]}): {RULE}")
    if not len(event) == len(base) == len(added) == len(tested_on):
        raise TableError(f"{len(base)} and {len(added)} predictions for {len(event)} outcomes")
    truth = np.asarray(event, np.bool_)
    if truth.all() or not truth.any():
        raise ParamsError("the external rows are all of one class; an AUC needs both")
    areas = paired_areas(np.column_stack([added, base]), truth, np.asarray(tested_on, dtype=object))
    found = contrast(areas, np.array([1.0, -1.0]))
    return IncrementRow(
        *plans,
        "auc",
        "higher",
        float(areas.area[1]),
        float(areas.area[0]),
        found.difference,
        found.lower,
        found.upper,
        1,
        found.p,
        0,
        "DeLong on external rows; p is two-sided",
    )
