"""What redundancy and selection find: rows of tables, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from radiomics_pipeline.types.combination import Combination
from radiomics_pipeline.types.performance import (
    ComparisonRow,
    MetricRow,
    PerformanceRow,
    PermutationRow,
    PredictionRow,
    ResamplingRow,
)
from radiomics_pipeline.types.report import HazardRow, Reports

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

    n, events : rows with a value, and the positives or events among them; for outcomes without an event, events = n
    metric, value, lower, upper : auc, c_index, spearman, somers_d or auc_pairs with its 95 % interval, of the raw
        feature: auc and c_index lie below 0.5, the correlations below 0 where low values go with the event or the
        higher outcome; auc_pairs (several classes) has neither a direction nor an interval
    direction : higher or lower, the values that go with the event or the higher outcome; empty where there is none
    p, q : of `test`; q after Benjamini and Hochberg over all features
    effect_measure : what `effect` is: odds ratio, hazard ratio or slope per SD (standard deviation of the feature),
        spearman, or likelihood R2
    effect, effect_lower, effect_upper : with its 95 % interval; infinite or 0 where the coefficient has no end
    coefficient, standard_error : of the regression behind it, per SD (log odds, log hazard, slope)
    effect_p : of `effect_test`
    p_max_t : p held against the largest statistic of all features under permutation; NaN where none was asked for
    partial_effect, partial_lower, partial_upper, partial_p : the same effect given the adjusting columns, its interval
        and p, from `partial_n` rows that have all of them
    information : bits that the feature tells of the class; NaN for other outcomes
    note : why a number is missing or infinite; empty where nothing is to be said
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
    effect_measure: str = ""
    effect: float = NAN
    effect_lower: float = NAN
    effect_upper: float = NAN
    coefficient: float = NAN
    standard_error: float = NAN
    effect_p: float = NAN
    effect_test: str = ""
    p_max_t: float = NAN
    partial_effect: float = NAN
    partial_lower: float = NAN
    partial_upper: float = NAN
    partial_p: float = NAN
    partial_n: int = 0
    information: float = NAN
    note: str = ""


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
    """A whole selection: features alone, plans out of fold, features in combination, and what was left out (`notes`).

    outcome_names : the outcome's columns; default : the plan that a reader should look at first
    fold_scores : of each plan, one score a fold
    """

    outcome_names: tuple[str, ...]
    default: str
    univariate: tuple[UnivariateRow, ...]
    redundancy: Redundancy
    ranking: tuple[RankingRow, ...]
    performance: tuple[PerformanceRow, ...]
    metrics: tuple[MetricRow, ...]
    comparisons: tuple[ComparisonRow, ...]
    predictions: tuple[PredictionRow, ...]
    fold_scores: Mapping[str, tuple[float, ...]]
    permutation: tuple[PermutationRow, ...]
    bootstrap: tuple[ResamplingRow, ...]
    combination: Combination
    reports: Reports
    notes: tuple[str, ...]
    hazards: tuple[HazardRow, ...] = ()
