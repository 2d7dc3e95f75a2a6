"""Views of a table that members of an average see: all columns, their ranks, or those that a quick choice left."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy.special import ndtri
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiomics_pipeline.selection.steps.mrmr import greedy, rank_redundancy
from radiomics_pipeline.selection.steps.relevance import relevance
from radiomics_pipeline.selection.steps.target import read_target
from radiomics_pipeline.types.outcome import TIMED, Kind


class View(TransformerMixin, BaseEstimator):
    """Columns chosen for relevance and little redundancy, or all, as they are or as normal scores of their ranks.

    keep : how many columns; 0: all
    choice : "ranks": |rank correlation| over its mean with those chosen; "linear": the F of a line or of classes over
        the mean |correlation| (FCQ; Zhao, Anand and Wang 2019, doi 10.1109/DSAA.2019.00059)
    ranks : whether columns become normal scores of their ranks among the training rows
    """

    def __init__(
        self, keep: int = 0, choice: Literal["ranks", "linear"] = "ranks", ranks: bool = False, kind: Kind = "binary"
    ) -> None:
        self.keep = keep
        self.choice = choice
        self.ranks = ranks
        self.kind = kind

    def fit(self, X: Any, y: Any = None) -> View:
        """Choose columns, and learn their ranks."""
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self.order_ = np.arange(X.shape[1])
        if self.keep and self.keep < X.shape[1]:
            self.order_ = _ordered(X, y, self.keep, self.choice, self.kind)
        self.sorted_ = np.sort(X[:, self.order_], axis=0) if self.ranks else None
        return self

    def transform(self, X: Any) -> np.ndarray:
        """float64 [rows, chosen]"""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)[:, self.order_]
        return X if self.sorted_ is None else normal_scores(self.sorted_, X)


def normal_scores(ordered: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Normal quantiles of the ranks that values have among training values (sorted, [rows, columns]); ties in the
    middle."""
    scores = np.empty_like(X)
    for c in range(X.shape[1]):
        below = np.searchsorted(ordered[:, c], X[:, c], "left")
        upto = np.searchsorted(ordered[:, c], X[:, c], "right")
        scores[:, c] = (below + upto + 1) / 2 / (len(ordered) + 1)
    return np.asarray(ndtri(scores))


def _ordered(X: np.ndarray, y: Any, keep: int, choice: str, kind: Kind) -> np.ndarray:
    target = read_target(y, kind, len(X))
    if choice == "ranks":
        return greedy(relevance(X, target, "spearman"), rank_redundancy(X), keep, "quotient")[0]
    centred = X - X.mean(axis=0)
    unit = centred / np.maximum(np.sqrt((centred**2).sum(axis=0)), 1e-12)
    scores = relevance(X, target, "cox" if kind in TIMED else "f")
    return greedy(scores, lambda c: np.abs(unit[:, c] @ unit), keep, "quotient")[0]
