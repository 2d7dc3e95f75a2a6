"""Columns of X as a regression takes them, and which of them prepared columns came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from radiomics_pipeline.errors import ParamsError

INDICATOR = "missing_"
"""Before the name of a column: the column that tells where it has no value."""


def regressors(X: np.ndarray, columns: Sequence[int], text: Sequence[int]) -> np.ndarray:
    """These columns of X, of a text all its categories but one; float64 [rows, columns], NaN where missing.

    X : float64 [rows, all columns]; text : positions of the columns that hold codes of texts
    """
    found, codes = [np.empty((len(X), 0))], set(text)
    for c in columns:
        if c not in codes:
            found.append(X[:, [c]])
            continue
        others = np.unique(X[~np.isnan(X[:, c]), c])[1:]
        found.append(np.where(np.isnan(X[:, [c]]), np.nan, X[:, [c]] == others))
    return np.hstack(found)


def place_names(places: Iterable[int]) -> np.ndarray:
    """Positions of columns as names, object [columns], of which `columns_before` reads what a step made of them."""
    return np.array([str(c) for c in places], dtype=object)


def columns_before(names: Iterable[object]) -> np.ndarray | None:
    """Of prepared columns, named after `place_names`, the column that each came from, int64; an indicator's is its own.

    None where a step mixes columns, as a principal component analysis does.
    """
    origin = [str(name).removeprefix(INDICATOR).split("_")[0] for name in names]
    return np.array(origin, np.int64) if all(place.isdigit() for place in origin) else None


def prepared_columns(step: Any, places: Iterable[int]) -> np.ndarray:
    """Of the columns that a fitted step gives, the position of the one that each came from, int64 [columns].

    step : takes the columns at these places of X. Raises ParamsError where it mixes columns.
    """
    found = columns_before(step.get_feature_names_out(place_names(places)))
    if found is None:
        raise ParamsError(f"{type(step).__name__} mixes columns; the columns behind a model are not known then")
    return found
