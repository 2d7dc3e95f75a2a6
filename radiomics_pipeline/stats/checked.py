"""What functions of held-out predictions and of groups ask of their arrays before they compute."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import ParamsError, TableError

ROUNDING = 1e-9
"""Probabilities this far outside 0 and 1 got there by rounding, such as a mean of ones, and are moved back."""
ONE_CLASS = "all rows are of one class"
SAME = "all predictions are the same"


def event_flags(event: np.ndarray) -> np.ndarray:
    """The outcome as bool [rows]; raises TableError for values other than 0 and 1."""
    given = np.asarray(event)
    if given.ndim != 1 or not len(given):
        raise TableError(f"outcome of shape {given.shape}; give one value a row, and at least one row")
    if given.dtype != np.bool_ and not np.isin(given, (0, 1)).all():
        raise TableError("an outcome holds values other than 0 and 1")
    return given.astype(np.bool_)


def scores_of(values: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores float64 [rows] and outcome bool [rows]; TableError where they do not match or a score is missing."""
    flags = event_flags(event)
    found = np.asarray(values, np.float64)
    if found.shape != flags.shape:
        raise TableError(f"scores of shape {found.shape} for {len(flags)} rows; give one score a row")
    if np.isnan(found).any():
        raise TableError(f"{int(np.isnan(found).sum())} of {len(found)} scores are missing; leave those rows out first")
    return found, flags


def probabilities_of(p: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `scores_of`, for scores that must lie within [0, 1]."""
    found, flags = scores_of(p, event)
    if found.min() < -ROUNDING or found.max() > 1 + ROUNDING:
        raise TableError(f"probabilities between {found.min():g} and {found.max():g}; they must lie within 0 and 1")
    return np.clip(found, 0, 1), flags


def class_probabilities_of(p: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float64 [rows, classes] and classes int64 [rows]; raises TableError where they cannot be such."""
    found, classes = np.asarray(p, np.float64), np.asarray(codes)
    if found.ndim != 2 or classes.shape != found.shape[:1] or not len(classes):
        raise TableError(f"probabilities of shape {found.shape} for classes of shape {classes.shape}")
    outside = np.isnan(found).any() or found.min() < -ROUNDING or found.max() > 1 + ROUNDING
    if outside or np.abs(found.sum(axis=1) - 1).max() > 1e-6:
        raise TableError("probabilities of the classes must lie within 0 and 1 and have the sum 1 in every row")
    whole = classes.astype(np.int64)
    if (whole != classes).any() or whole.min() < 0 or whole.max() >= found.shape[1]:
        raise TableError(f"classes must be 0 to {found.shape[1] - 1}, the columns of the probabilities")
    return np.clip(found, 0, 1), whole


def groups_at(group: np.ndarray, n_rows: int, horizon: float, groups: int | None) -> tuple[np.ndarray, int]:
    """Codes of groups int64 [rows], and how many there are; TableError or ParamsError for others, or no horizon.

    groups : how many; None: as many as the largest code tells
    """
    codes = np.asarray(group, np.int64)
    count = int(codes.max(initial=-1)) + 1 if groups is None else groups
    if codes.shape != (n_rows,) or codes.min(initial=0) < 0 or codes.max(initial=-1) >= count:
        raise TableError(f"groups of shape {codes.shape} from 0 to {count - 1} are needed for {n_rows} rows")
    if not (np.isfinite(horizon) and horizon > 0):
        raise ParamsError(f"horizon {horizon:g}; give a time above 0")
    return codes, count
