"""What redundancy and selection find: rows of tables, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from radiomics_pipeline.types.performance import PerformanceRow, PredictionRow

NAN = float("nan")


@dataclass(frozen=True)
class RedundancyRow:
    """One feature's place among the clusters: a row of redundancy.csv.

    cluster : number from 1 in the order of the table's columns; None where the feature was set aside
    kept : whether it is the medoid of its cluster
    representative : the medoid; empty where the feature was set aside
    rho : Spearman's rank correlation with the medoid, signed
    reason : medoid, alone, correlated, near-constant or mostly missing, with its number
    """

    feature: str
    cluster: int | None
    kept: bool
    representative: str
    rho: float
    reason: str


@dataclass(frozen=True)
class Redundancy:
    """Which features rank patients alike.

    largest_rho_left : largest |rho| between two kept features, NaN where fewer than two are kept
    left_pair : those two features
    """

    rows: tuple[RedundancyRow, ...]
    largest_rho_left: float
    left_pair: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class UnivariateRow:
    """One feature alone against the outcome: a row of univariate.csv.

    n, events : rows with a value, and the positives or events among them
    metric, value, lower, upper : auc or c_index with its 95 % interval, of the raw feature: below 0.5 where
        low values go with the event
    direction : higher or lower, the values that go with the event; empty where there is none
    p, q : of `test`; q after Benjamini and Hochberg over all features
    """

    feature: str
    n: int
    events: int
    metric: str
    value: float
    lower: float
    upper: float
    direction: str
    p: float
    q: float
    test: str


@dataclass(frozen=True)
class RankingRow:
    """One cluster of features in the ranking: a row of ranking.csv.

    feature : the cluster's medoid over all rows
    members : the cluster's other features, joined by semicolons
    selection_frequency : share of the outer fits in which any feature of the cluster was selected
    alone, alone_lower, alone_upper, p, q : of the medoid, as in univariate.csv
    """

    rank: int
    feature: str
    cluster: int
    members: str
    selection_frequency: float
    alone: float
    alone_lower: float
    alone_upper: float
    p: float
    q: float


@dataclass(frozen=True)
class Ranking:
    """A whole selection: features alone, in combination, and what of it was left out (`notes`).

    outcome_names : the outcome's columns
    fold_scores : of each plan, one score a fold
    """

    outcome_names: tuple[str, ...]
    univariate: tuple[UnivariateRow, ...]
    redundancy: Redundancy
    ranking: tuple[RankingRow, ...]
    performance: tuple[PerformanceRow, ...]
    predictions: tuple[PredictionRow, ...]
    fold_scores: Mapping[str, tuple[float, ...]]
    notes: tuple[str, ...]
