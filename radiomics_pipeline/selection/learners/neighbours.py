"""The k nearest rows: a floor that other models should beat."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from sklearn.neighbors import NearestNeighbors

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, NumberLearner
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind


def _how_many(neighbours: int | None, n_rows: int) -> int:
    wanted = round(np.sqrt(n_rows)) if neighbours is None else neighbours
    return int(min(max(wanted, 1), n_rows))


class NearestClasses(ClassLearner):
    """Shares of the classes among the nearest rows, one pseudo-row of the classes' overall shares added to each class.

    neighbours : how many; None: the root of the number of rows
    """

    def __init__(self, neighbours: int | None = None) -> None:
        self.neighbours = neighbours

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        self.search_ = NearestNeighbors(algorithm="brute", n_jobs=1).fit(X)
        self.codes_ = codes
        self.shares_ = np.bincount(codes) / len(codes)
        self.neighbours_ = _how_many(self.neighbours, len(X))

    def _probability(self, X: np.ndarray) -> np.ndarray:
        near = self.codes_[self.search_.kneighbors(X, self.neighbours_, return_distance=False)]
        k = len(self.shares_)
        counts = (near[:, :, None] == np.arange(k)).sum(axis=1)
        return np.asarray((counts + k * self.shares_) / (self.neighbours_ + k))


class NearestNumbers(NumberLearner):
    """Mean of the nearest rows. neighbours : how many; None: the root of the number of rows"""

    def __init__(self, neighbours: int | None = None) -> None:
        self.neighbours = neighbours

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        self.search_ = NearestNeighbors(algorithm="brute", n_jobs=1).fit(X)
        self.y_ = y
        self.neighbours_ = _how_many(self.neighbours, len(X))

    def _number(self, X: np.ndarray) -> np.ndarray:
        near = self.search_.kneighbors(X, self.neighbours_, return_distance=False)
        return np.asarray(self.y_[near].mean(axis=1))


class NeighboursParams(Section):
    """The nearest rows."""

    neighbours: int | None = Field(None, ge=1, description="how many; none: the root of the number of rows")


def _build(params: NeighboursParams, kind: Kind, seed: int) -> Any:
    return (NearestNumbers if kind == "continuous" else NearestClasses)(params.neighbours)


KNN = Method(
    "knn",
    ("binary", "multiclass", "ordinal", "continuous"),
    NeighboursParams,
    _build,
    "shares or mean of the nearest patients: a floor for other models",
    {"neighbours": (None, 25, 15, 9, 5)},
)
