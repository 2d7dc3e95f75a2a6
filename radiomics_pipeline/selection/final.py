"""The final model: a plan refitted to all rows. Its score is that of the plan's folds, never one of these rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.selection.validation.fitting import fit_fresh, one_thread
from radiomics_pipeline.types.model import Formula
from radiomics_pipeline.types.outcome import TIMED, Kind, Outcome


@dataclass(frozen=True)
class FinalModel:
    """A plan fitted to all rows.

    horizon : time to which its curves are judged, None without a time
    cutpoints : of the score, between risk groups, as the folds' predictions divide; formula : of linear models
    """

    plan: str
    model: Any
    horizon: float | None
    cutpoints: tuple[float, ...]
    formula: Formula | None


PROBES = 32
"""Random rows on which a formula must give what the pipeline gives, beside the training rows."""
LOST = 0.3
"""Share of the cells that are taken away to see what stands for them."""
AGREE = 1e-8
"""Relative difference up to which it does."""


def fit_final(pipeline: Any, X: np.ndarray, outcome: Outcome, groups: np.ndarray, seed: int) -> Any:
    """A fresh copy of the pipeline, fitted to all rows."""
    with one_thread():
        return fit_fresh(pipeline, X, outcome, groups, np.arange(len(X)), (seed,))[0]


def score_of(model: Any, X: np.ndarray, kind: Kind) -> np.ndarray:
    """The number by which rows are ranked, float64 [rows]: log odds or probability, a value, or a risk.

    Of several classes without an order the position of the likeliest, of ordered ones the mean position.
    """
    if kind == "binary" and hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(X), np.float64)
    if kind in ("binary", "multiclass", "ordinal"):
        shares = np.asarray(model.predict_proba(X), np.float64)
        if kind == "multiclass":
            return shares.argmax(axis=1).astype(np.float64)
        return shares @ np.arange(shares.shape[1], dtype=np.float64)
    return np.asarray(model.predict(X), np.float64)


def formula_of(model: Any, X: np.ndarray, names: tuple[str, ...], kind: Kind, used: tuple[int, ...]) -> Formula | None:
    """The model as a formula of its columns; None where it is none.

    X : float64 [rows, columns], the training rows; used : positions of the columns that may count; others are tried
    only where none is named

    Each column is moved by its spread in a row of medians. The formula stands only if it gives what the pipeline gives
    on the training rows, and on rows drawn at random inside their range: so a model with ranks, trees or texts has
    none, and neither has one whose steps refuse such rows (half a centre). What stands for a missing cell is seen from
    the pipeline, too.
    """
    if kind not in ("binary", "continuous", *TIMED):
        return None
    if kind == "binary" and not hasattr(model, "decision_function"):
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without a value
        medians = np.nan_to_num(np.nanmedian(X, axis=0))
        spread = np.nan_to_num(np.nanstd(X, axis=0))
    columns = np.array([c for c in (used or range(X.shape[1])) if spread[c] > 0], np.int64)
    rows = np.tile(medians, (len(columns) + 1, 1))
    rows[np.arange(1, len(columns) + 1), columns] += spread[columns]
    whole = _probes(X, medians)
    try:
        scores, found = score_of(model, rows, kind), score_of(model, whole, kind)
    except TableError:
        return None
    slopes = (scores[1:] - scores[0]) / spread[columns]
    intercept = float(scores[0] - slopes @ medians[columns])
    if not _agree(found, intercept + whole[:, columns] @ slopes):
        return None
    kept = np.abs(slopes * spread[columns]) > AGREE * max(1.0, float(np.abs(scores[0])))
    fills = _fills(model, whole, kind, columns, kept, slopes, intercept, medians)
    return Formula(
        intercept=0.0 if kind in TIMED else intercept,
        coefficients={names[c]: float(s) for c, s in zip(columns[kept], slopes[kept], strict=True)},
        medians={} if fills is None else {names[c]: float(v) for c, v in zip(columns[kept], fills, strict=True)},
        link={"binary": "logistic", "continuous": "identity"}.get(kind, "log-hazard"),
    )


def _probes(X: np.ndarray, medians: np.ndarray) -> np.ndarray:
    """The training rows, and rows whose every column comes from another one of them; gaps filled, [rows, columns]."""
    rng = np.random.default_rng(0)
    filled = np.where(np.isnan(X), medians, X)
    drawn = filled[rng.integers(0, len(X), (PROBES, X.shape[1])), np.arange(X.shape[1])]
    return np.vstack([filled, drawn])


def _fills(  # noqa: PLR0917
    model: Any,
    whole: np.ndarray,
    kind: Kind,
    columns: np.ndarray,
    kept: np.ndarray,
    slopes: np.ndarray,
    intercept: float,
    medians: np.ndarray,
) -> np.ndarray | None:
    """What the pipeline takes for a missing cell of each column that is kept; None where no single number does.

    The column's median where that gives the same. No cell of a column that is not kept may count by its absence.
    """
    counting = columns[kept]
    rows = np.tile(medians, (len(counting) + 1, 1))
    rows[np.arange(1, len(counting) + 1), counting] = np.nan
    gaps = whole.copy()
    lost = np.random.default_rng(1).random((len(gaps), len(columns))) < LOST
    gaps[:, columns] = np.where(lost, np.nan, gaps[:, columns])
    try:
        scores, found = score_of(model, rows, kind), score_of(model, gaps, kind)
    except (ValueError, TableError):  # cells without a value are refused
        return None
    moved = (scores[1:] - scores[0]) / slopes[kept]
    for fills in (medians[counting], medians[counting] + moved):
        values = np.where(np.isnan(gaps[:, counting]), fills, gaps[:, counting])
        if _agree(found, intercept + values @ slopes[kept]):
            return np.asarray(fills)
    return None


def _agree(found: np.ndarray, given: np.ndarray) -> bool:
    return bool(np.allclose(found, given, rtol=AGREE, atol=AGREE * max(1.0, float(np.abs(found).max()))))
