"""What is refused before, and while, a plan is scored: every known door through which outcomes leak.

Each guard raises ParamsError (the plan or the folds) or TableError (the table) that says what was found, why it would
make scores too good, and what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from radiomics_pipeline.errors import ParamsError, TableError, some
from radiomics_pipeline.selection.validation.folds import Fold
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.table import FeatureTable

HISTORY = {
    "outcome": "columns or rows were chosen by the outcome of all rows, those to be predicted among them. Give the "
    "table as it was extracted, and let the plan select inside the folds",
    "rows": "values were changed by what all rows have in common (harmonisation, scaling, imputation), those to be "
    "predicted among them. Give the table as it was extracted, and make this step a part of the plan",
    "made": "rows were made from other rows (oversampling), which would stand in training and test parts at once. Give "
    "the table as it was extracted, and weight the classes inside the plan (class_weight)",
}
"""Marks of a table's history: an entry "MARK:what was done" is refused; entries without a mark are not."""
NEARLY = 1e-5
"""Difference, in standard deviations, up to which two cells count as copies."""


def refuse_history(history: Sequence[str]) -> None:
    """TableError where a table's history has an entry with one of the marks in HISTORY."""
    for entry in history:
        mark, _, what = entry.partition(":")
        mark = mark.strip().lower()
        if mark in HISTORY:
            raise TableError(f"the table has been through {what.strip() or mark!r}: {HISTORY[mark]}")


def parts_of(pipeline: Any) -> Iterator[Any]:
    """The pipeline and every estimator inside it, those in lists, tuples and dicts too, each once."""
    seen: set[int] = set()
    waiting = [pipeline]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | np.ndarray | type):
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += part
        elif isinstance(part, BaseEstimator) or hasattr(part, "get_params") or hasattr(part, "fit"):
            yield part
            waiting += list(vars(part).values()) if hasattr(part, "__dict__") else []


def refuse_fitted(pipeline: Any) -> None:
    """ParamsError where the pipeline, or anything inside it, has been fitted."""
    for part in parts_of(pipeline):
        learned = [n for n, v in vars(part).items() if n.endswith("_") and not n.startswith("_") and v is not None]
        learned += ["_Booster"] if vars(part).get("_Booster") is not None else []
        if learned:
            raise ParamsError(
                f"{type(part).__name__} has been fitted (it holds {learned[0]}): what it learned may come from the "
                "rows that are to be predicted. Pass an unfitted pipeline, such as sklearn.base.clone(pipeline)"
            )


def refuse_resampling(pipeline: Any) -> None:
    """ParamsError where a step makes or drops rows (SMOTE and its kin)."""
    for part in parts_of(pipeline):
        if hasattr(part, "fit_resample") or hasattr(part, "fit_sample"):
            raise ParamsError(
                f"{type(part).__name__} makes or drops rows: inner folds would test on rows made from their own "
                "training rows, and probabilities would no longer fit the prevalence. Weight the classes instead "
                "(class_weight='balanced')"
            )


def refuse_given_rows(pipeline: Any, outcome: Outcome) -> None:
    """ParamsError where a setting holds one number a row of the table: outcomes, or what was derived from them."""
    n_rows = len(outcome)
    truths = [tuple(outcome.value.tolist())] + ([] if outcome.time is None else [tuple(outcome.time.tolist())])
    for part in parts_of(pipeline):
        for name, value in vars(part).items():
            array = isinstance(value, np.ndarray) and value.ndim == 1 and len(value) == n_rows > 1
            listed = isinstance(value, list | tuple) and len(value) == n_rows and tuple(value) in truths
            if array or listed:
                raise ParamsError(
                    f"{type(part).__name__} was given {name}, an array of one value for each of the {n_rows} rows of "
                    "the table, rows to be predicted among them. Give such values as a side column, from which a fold "
                    "takes its own rows"
                )


def check_folds(folds: Sequence[Fold], table: FeatureTable) -> None:
    """ParamsError where a fold has no rows, positions outside of the table, or rows or patients in both parts."""
    if not folds:
        raise ParamsError("no folds: draw some first (selection.validation.schemes)")
    patients = np.unique(np.array(table.patient, dtype=object).astype(str), return_inverse=True)[1]
    for fold in folds:
        where = f"fold {fold.number} of repeat {fold.repeat}"
        for part, name in ((fold.train, "training"), (fold.test, "test")):
            if not len(part) or min(part) < 0 or max(part) >= len(table):
                raise ParamsError(f"{where}: the {name} part has {len(part)} rows, or rows that the table has not")
        if len(set(fold.test.tolist())) < len(fold.test):
            raise ParamsError(f"{where}: a row stands twice in the test part")
        both = set(fold.train.tolist()) & set(fold.test.tolist())
        if both:
            raise ParamsError(
                f"{where}: {len(both)} rows stand in the training and in the test part; rows that were "
                "trained on cannot be predicted"
            )
        shared = np.intersect1d(patients[fold.train], patients[fold.test])
        if len(shared):
            names = sorted({table.patient[i] for i in fold.test if patients[i] in set(shared.tolist())})
            raise ParamsError(
                f"{where}: rows of {len(shared)} patients stand in both parts ({some(names)}); lesions of one patient "
                "are alike, and the plan would know the patient again. Split patients, not rows (draw_folds)"
            )


def refuse_outcome_columns(
    table: FeatureTable, clinical: Clinical | None, outcome: Outcome, side: Sequence[str] = ()
) -> None:
    """TableError where a feature or clinical column has the name of the outcome's, or of a side column."""
    columns = set(table.columns) | set(() if clinical is None else clinical.columns)
    for name in outcome.names:
        if name in columns:
            raise TableError(f"column {name!r} is the outcome and a feature or clinical column at once; leave it out")
    for name in side:
        if name in columns:
            raise TableError(
                f"column {name!r} is a side column, which steers steps and splits, and a feature or clinical column at "
                "once; leave it out of one of the two"
            )


def refuse_side_columns(selected: Sequence[int], n_learned: int, names: Sequence[str]) -> None:
    """ParamsError where a fitted plan gave a coefficient to a side column.

    n_learned : columns of X that may be learned from; names : of all columns
    """
    wrong = [names[c] for c in selected if c >= n_learned]
    if wrong:
        raise ParamsError(
            f"the plan learned from the side column {wrong[0]!r}: it stands for the patient, the row or the centre, "
            "not for the disease. Split side columns off before the model (selection.steps.chain)"
        )


def undeclared(pipeline: Any, side: Sequence[str]) -> tuple[int, ...]:
    """Positions of the side columns that no step of the plan declares (`context`): predictions must not need them."""
    declared = {name for part in parts_of(pipeline) for name in getattr(part, "context", ())}
    return tuple(i for i, name in enumerate(side) if name not in declared)


def refuse_side_dependence(without: np.ndarray, together: np.ndarray, side: Sequence[str]) -> None:
    """ParamsError where predictions change with side columns that no step declares.

    without, together : float64 [rows], predicted with those columns changed, and as they are
    """
    if not np.array_equal(without, together, equal_nan=True):
        raise ParamsError(
            f"the plan takes side columns ({some(side)}) for features: its predictions change with them, but none of "
            "its steps declares them (context). They stand for the patient, the row or the centre, not for the "
            "disease; leave `side` out, or build the plan on the columns of the layout"
        )


def refuse_made_rows(table: FeatureTable, *, share: float = 0.05, least: int = 3) -> tuple[str, ...]:
    """TableError where many rows are copies of, or lie exactly between, rows of other patients: oversampling.

    share, least : of the rows that must be so; fewer give a note only, as real tables hold a patient twice at times.
    Tables of fewer than five columns that differ, or whose rows lie on a line or a plane, are not judged.
    """
    values = _continuous(table.values)
    if values is None:
        return ()
    patients = np.unique(np.array(table.patient, dtype=object).astype(str), return_inverse=True)[1]
    squares = (values**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * values @ values.T, 0))
    apart = patients[:, None] != patients[None, :]
    near = max(float(np.median(distance[apart])) if apart.any() else 0.0, 1e-300) * 1e-6
    equal = ((distance < near) & apart & _equal_rows(values, distance < near)).any(axis=1)
    copies = np.flatnonzero(equal | _nearly_equal(values, patients))
    between = np.setdiff1d(_between(values, distance, apart, near), copies)
    notes = []
    for rows, what in (
        (copies, "equal rows of other patients, in most columns or all"),
        (between, "lie between two others"),
    ):
        cases = [table.case[i] for i in rows]
        if len(rows) >= max(least, share * len(values)):
            raise TableError(
                f"{len(rows)} of {len(values)} rows {what} ({some(cases, 4)}): such a table was oversampled (SMOTE, "
                "copies), and copies of test rows would be trained on. Give the table as it was extracted and weight "
                "the classes (class_weight='balanced'); give rows of one patient the same patient"
            )
        if len(rows):
            notes.append(f"{len(rows)} rows {what}: {some(cases, 4)}; is one patient entered under two names?")
    return tuple(notes)


def _continuous(values: np.ndarray) -> np.ndarray | None:
    """Columns scaled to a spread of 1, gaps filled; None where the table is too plain to be judged."""
    filled = np.where(np.isfinite(values), values, np.nan)
    kept = [c for c in range(filled.shape[1]) if len(set(filled[:, c][~np.isnan(filled[:, c])].tolist())) > 2]
    if len(kept) < 5 or len(values) < 6:
        return None
    filled = filled[:, kept]
    middle = np.nanmedian(filled, axis=0)
    filled = np.where(np.isnan(filled), middle, filled)
    spread = filled.std(axis=0)
    scaled = (filled[:, spread > 0] - filled[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    return scaled if np.linalg.matrix_rank(scaled @ scaled.T, hermitian=True, tol=1e-6 * len(kept)) > 3 else None


def _nearly_equal(values: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Rows that agree with a row of another patient in half of the columns to a hundred thousandth, bool [rows].

    So copies are seen beside columns that number the rows, or are not copied, and under a jitter. Only columns without
    many ties are asked.
    """
    n = len(values)
    pairs: Counter[tuple[int, int]] = Counter()
    asked = 0
    for column in values.T:
        order = np.argsort(column, kind="stable")
        close = np.diff(column[order]) < NEARLY
        if len(np.unique(column)) < 0.5 * n or close.sum() > 0.5 * n:
            continue
        asked += 1
        pairs.update((int(min(p)), int(max(p))) for p in zip(order[:-1][close], order[1:][close], strict=True))
    found = np.zeros(n, np.bool_)
    for (i, j), count in pairs.items():
        if count >= max(3, 0.5 * asked) and patients[i] != patients[j]:
            found[[i, j]] = True
    return found


def _equal_rows(values: np.ndarray, close: np.ndarray) -> np.ndarray:
    """Of pairs that are close, whether they equal each other, bool [rows, rows]."""
    found = np.zeros(close.shape, np.bool_)
    for i, j in zip(*np.nonzero(np.triu(close, 1)), strict=True):
        found[i, j] = found[j, i] = bool((values[i] == values[j]).all())
    return found


def _between(values: np.ndarray, distance: np.ndarray, apart: np.ndarray, near: float) -> np.ndarray:
    """Rows that lie on the line between two rows of other patients, one of them among their ten nearest."""
    found = []
    for r in range(len(distance)):
        others = np.flatnonzero(apart[r] & (distance[r] > near))
        nearest = others[np.argsort(distance[r, others], kind="stable")[:10]]
        detour = distance[r, nearest][:, None] + distance[r, others][None, :] - distance[np.ix_(nearest, others)]
        for a, b in zip(*np.nonzero(detour < 1e3 * near), strict=True):
            one, other = values[nearest[a]], values[others[b]]
            along = other - one
            place = float((values[r] - one) @ along / max(float(along @ along), 1e-300))
            if 1e-6 < place < 1 - 1e-6 and np.abs(one + place * along - values[r]).max() < 1e-8:
                found.append(r)
                break
    return np.array(found, np.int64)


def refuse_batch_dependence(alone: np.ndarray, together: np.ndarray, case: str) -> None:
    """ParamsError where a row's prediction changes with the other rows that are predicted.

    alone, together : float64 [values] of one row, predicted by itself and among the test part
    """
    scale = max(float(np.abs(together).max()), 1.0)
    if not np.allclose(alone, together, rtol=1e-5, atol=1e-6 * scale, equal_nan=True):
        raise ParamsError(
            f"row {case} is predicted as {np.ravel(together)[0]:g} among the test rows and as {np.ravel(alone)[0]:g} "
            "by itself: a step learns from the rows that it is to predict (scaling, ranking or harmonising the test "
            "part by itself). Let it learn in fit, from training rows"
        )
