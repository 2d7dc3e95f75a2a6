"""Clusters of columns that rank rows alike, and the medoid of each."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform


def correlation_clusters(rho: np.ndarray, threshold: float) -> np.ndarray:
    """Clusters by average linkage on 1 - |rho|, cut where the mean distance exceeds 1 - threshold.

    rho : float64 [columns, columns], symmetric
    returns : int64 [columns], clusters numbered from 0 by their first column

    Two clusters merge below the cut only where some pair between them lies below it, so each connected
    part of the graph of such pairs is clustered on its own, with the same result: quick on thousands of columns.
    """
    distance = 1.0 - np.abs(rho)
    cut = 1.0 - threshold
    n_parts, part = connected_components(csr_array(distance <= cut + 1e-12), directed=False)
    labels = part.astype(np.int64)
    used = n_parts
    for members in _groups(part):
        if len(members) == 2:
            labels[members] = used + 1 + (np.arange(2) if distance[members[0], members[1]] > cut else 0)
            used += 2
            continue
        near = distance[np.ix_(members, members)]
        np.fill_diagonal(near, 0.0)
        inner = fcluster(linkage(squareform(near, checks=False), "average"), cut, "distance")
        labels[members] = used + inner
        used += int(inner.max())
    return _numbered_by_first(labels)


def medoids(rho: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Of every cluster the column with the highest mean |rho| to its fellows, int64 [clusters].

    Ties (to 12 decimals), and so all clusters of two, go to the first column.
    """
    _, out = np.unique(labels, return_index=True)
    for members in _groups(labels):
        if len(members) > 2:
            closeness = np.abs(rho[np.ix_(members, members)]).sum(axis=1) / len(members)
            out[labels[members[0]]] = members[int(np.argmax(np.round(closeness, 12)))]
    return out


def _groups(labels: np.ndarray) -> list[np.ndarray]:
    """Positions of every group of two or more."""
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    stops = np.cumsum(sizes)
    return [order[stops[g] - sizes[g] : stops[g]] for g in np.flatnonzero(sizes > 1)]


def _numbered_by_first(labels: np.ndarray) -> np.ndarray:
    """The same clusters, numbered from 0 in the order of their first column."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    place = np.empty(len(first), np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    return place[inverse]
