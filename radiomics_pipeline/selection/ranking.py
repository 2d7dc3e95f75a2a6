"""Clusters of features in the order in which the folds chose them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radiomics_pipeline.types.performance import Evaluation
from radiomics_pipeline.types.ranking import NAN, RankingRow, Redundancy, UnivariateRow


def rank_clusters(
    redundancy: Redundancy, univariate: tuple[UnivariateRow, ...], evaluation: Evaluation | None
) -> tuple[RankingRow, ...]:
    """One row a cluster of features, in order of selection frequency, then of how far `alone` lies from chance.

    evaluation : of the plan whose choices count; None: the order is that of `alone`, the frequency unknown
    A fold selects a cluster where it selects any of its features: inside a fold, another feature of the
    cluster may be its medoid. `alone` stays raw: 0.2 orders patients as well as 0.8.
    """
    cluster_of = {row.feature: row.cluster for row in redundancy.rows}
    members: dict[int, list[str]] = {}
    for row in redundancy.rows:
        if row.cluster is not None:
            members.setdefault(row.cluster, []).append(row.feature)
    chosen = () if evaluation is None else evaluation.selected
    hits = dict.fromkeys(members, 0)
    for names in chosen:
        for cluster in {cluster_of[name] for name in names if cluster_of.get(name) is not None}:
            hits[cluster] += 1  # type: ignore[index]
    alone = {row.feature: row for row in univariate}
    rows = []
    for row in redundancy.rows:
        if row.kept and row.cluster is not None:
            one = alone[row.feature]
            others = ";".join(name for name in members[row.cluster] if name != row.feature)
            frequency = hits[row.cluster] / len(chosen) if chosen else NAN
            rows.append(
                RankingRow(
                    0, row.feature, row.cluster, others, frequency, one.value, one.lower, one.upper, one.p, one.q
                )
            )
    distance = {row.feature: _distance(alone[row.feature]) for row in rows}
    rows.sort(key=lambda r: (-np.nan_to_num(r.selection_frequency), -distance[r.feature], r.feature))
    return tuple(replace(row, rank=rank) for rank, row in enumerate(rows, 1))


def _distance(row: UnivariateRow) -> float:
    chance = 0.5 if row.metric in ("auc", "c_index", "auc_pairs") else 0.0
    return -1.0 if np.isnan(row.value) else round(abs(row.value - chance), 12)
