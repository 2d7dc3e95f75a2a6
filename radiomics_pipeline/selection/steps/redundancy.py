"""Features that rank patients alike: one of each cluster is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from radiomics_pipeline.params.selection import RedundancyParams
from radiomics_pipeline.selection.steps.usable import filled_share, same_share
from radiomics_pipeline.stats.clusters import correlation_clusters, medoids
from radiomics_pipeline.stats.correlation import spearman_matrix
from radiomics_pipeline.types.ranking import NAN, Redundancy, RedundancyRow
from radiomics_pipeline.types.table import FeatureTable


class DropCorrelated(SelectorMixin, BaseEstimator):
    """Keep the medoid of every cluster of features whose |rank correlation| exceeds `threshold`.

    Average linkage on 1 - |Spearman's rho|. Missing cells take their column's median before ranks are
    taken, as the imputation step of the pipelines does. Ties between medoids go to the first column.
    """

    def __init__(self, threshold: float = 0.9) -> None:
        self.threshold = threshold

    def fit(self, X: Any, y: Any = None) -> DropCorrelated:
        """Find clusters and medoids.

        labels_ : int64 [columns], the cluster of each; medoids_ : int64 [clusters]; support_ : bool [columns]
        """
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        rho = spearman_matrix(X)
        self.labels_ = correlation_clusters(rho, self.threshold)
        self.medoids_ = medoids(rho, self.labels_)
        self.support_ = np.zeros(X.shape[1], np.bool_)
        self.support_[self.medoids_] = True
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(self.support_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def find_redundancy(table: FeatureTable, params: RedundancyParams) -> Redundancy:
    """Clusters of a whole table's features: a look at it, never an input to a score.

    Rows come in the order of the table's columns. Ties go to the name that comes first in the alphabet, so
    the order of the columns does not matter.
    """
    names = np.array(table.columns, dtype=object)
    by_name = np.argsort(names, kind="stable") if len(names) else np.zeros(0, np.int64)
    values = table.values[:, by_name]
    filled, same = filled_share(values), same_share(values)
    usable = np.flatnonzero((filled >= params.min_filled) & (same <= params.max_same))
    reasons = _reasons(filled, same, params)
    rows = {
        str(names[by_name[c]]): RedundancyRow(str(names[by_name[c]]), None, False, "", NAN, reasons[c])
        for c in range(len(by_name))
        if reasons[c]
    }
    largest: float = NAN
    pair: tuple[str, ...] = ()
    if len(usable):
        with threadpool_limits(1):
            rho = spearman_matrix(values[:, usable])
        labels = correlation_clusters(rho, params.threshold)
        centres = medoids(rho, labels)
        rows |= _cluster_rows([str(names[by_name[c]]) for c in usable], rho, labels, centres)
        largest, pair = _largest_left(rho, centres, [str(names[by_name[c]]) for c in usable])
    ordered = _numbered([rows[name] for name in table.columns])
    return Redundancy(ordered, largest, pair, _notes(ordered, largest, pair))


def _reasons(filled: np.ndarray, same: np.ndarray, params: RedundancyParams) -> list[str]:
    """Why each column is set aside; empty where it is not."""
    reasons = []
    for share, alike in zip(filled, same, strict=True):
        if share < params.min_filled:
            reasons.append(f"mostly missing: {share:.3g} of the rows have a value, {params.min_filled:g} are asked for")
        elif alike > params.max_same:
            reasons.append(f"near-constant: {alike:.3g} of the values are the same, {params.max_same:g} are allowed")
        else:
            reasons.append("")
    return reasons


def _cluster_rows(
    names: list[str], rho: np.ndarray, labels: np.ndarray, centres: np.ndarray
) -> dict[str, RedundancyRow]:
    sizes = np.bincount(labels)
    rows = {}
    for c, name in enumerate(names):
        centre = int(centres[labels[c]])
        reason = "correlated" if centre != c else ("medoid" if sizes[labels[c]] > 1 else "alone")
        rows[name] = RedundancyRow(name, int(labels[c]), centre == c, names[centre], float(rho[c, centre]), reason)
    return rows


def _largest_left(rho: np.ndarray, centres: np.ndarray, names: list[str]) -> tuple[float, tuple[str, ...]]:
    if len(centres) < 2:
        return NAN, ()
    left = np.abs(rho[np.ix_(centres, centres)])
    np.fill_diagonal(left, -1.0)
    at = np.unravel_index(int(np.argmax(left)), left.shape)
    return float(left[at]), tuple(sorted(names[int(centres[int(k)])] for k in at))


def _numbered(rows: list[RedundancyRow]) -> tuple[RedundancyRow, ...]:
    """Clusters numbered from 1 in the order of the table's columns."""
    numbers: dict[int, int] = {}
    ordered = []
    for row in rows:
        cluster = None if row.cluster is None else numbers.setdefault(row.cluster, len(numbers) + 1)
        ordered.append(RedundancyRow(row.feature, cluster, row.kept, row.representative, row.rho, row.reason))
    return tuple(ordered)


def _notes(rows: tuple[RedundancyRow, ...], largest: float, pair: tuple[str, ...]) -> tuple[str, ...]:
    notes = []
    for kind in ("mostly missing", "near-constant"):
        named = [row.feature for row in rows if row.reason.startswith(kind)]
        if named:
            notes.append(f"{len(named)} features are {kind} and were set aside: {', '.join(named)}")
    if pair:
        notes.append(f"largest |rho| left between kept features: {largest:.3f} ({pair[0]} and {pair[1]})")
    return tuple(notes)
