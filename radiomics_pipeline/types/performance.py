"""How well plans predict rows that they have not seen: rows of tables, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NAN = float("nan")


@dataclass(frozen=True)
class PerformanceRow:
    """One plan's score over the outer folds: a row of performance.csv.

    metric : the primary one of the outcome's kind
    lower, upper : 95 % interval after Nadeau and Bengio; with a single test part, that of its rows
    n_folds : folds with a score
    default : whether this is the plan that a reader should look at first
    """

    plan: str
    metric: str
    mean: float
    lower: float
    upper: float
    n_folds: int
    default: bool = False


@dataclass(frozen=True)
class MetricRow:
    """One plan's value of one metric over the outer folds: a row of metrics.csv.

    mean : over folds with a score; NaN where no fold has one
    lower, upper : as of PerformanceRow
    note : which folds have no score, and why; empty where all have one
    """

    plan: str
    metric: str
    mean: float
    lower: float
    upper: float
    n_folds: int
    note: str = ""


@dataclass(frozen=True)
class PredictionRow:
    """One out-of-fold prediction: a row of predictions.csv.

    outcome : the outcome's cells, in the order of its columns
    prediction : binary: probability of a positive (a score where the plan has no probabilities); continuous: the
        number; multiclass: position of the likeliest class; ordinal: mean position; survival: risk, higher is earlier
    probabilities : of all classes, in their order; empty where the plan has none
    survival : probability of no event (of interest) up to the horizon; NaN where the plan has none
    fold_name : what the test part is called, such as its centre
    """

    case: str
    patient: str
    roi: str
    label: str
    plan: str
    repeat: int
    fold: int
    outcome: tuple[float | int | str, ...]
    prediction: float
    probabilities: tuple[float, ...] = ()
    survival: float = NAN
    fold_name: str = ""


@dataclass(frozen=True)
class Evaluation:
    """What the outer folds say of one pipeline.

    metric, scores : the primary metric, one score a fold, NaN where it is undefined
    selected : of each fold, the columns with a nonzero coefficient; empty where the pipeline names none
    predictions : of each row while it was left out
    metrics : one row a metric, the primary one first
    fold_scores : of every metric, one score a fold
    test_share : rows tested over rows trained on, mean of the folds
    """

    plan: str
    metric: str
    scores: tuple[float, ...]
    selected: tuple[frozenset[str], ...]
    predictions: tuple[PredictionRow, ...]
    performance: PerformanceRow
    notes: tuple[str, ...]
    metrics: tuple[MetricRow, ...] = ()
    fold_scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    test_share: float = NAN


@dataclass(frozen=True)
class ComparisonRow:
    """Two plans on the same folds, by one metric: a row of comparisons.csv.

    difference : first less second, mean over the folds that both have a score in
    lower, upper, p : of `test`
    """

    first: str
    second: str
    metric: str
    first_mean: float
    second_mean: float
    difference: float
    lower: float
    upper: float
    p: float
    n_folds: int
    test: str


@dataclass(frozen=True)
class PermutationRow:
    """A plan against plans fitted to permuted outcomes: a row of permutation.csv.

    observed : mean of the metric over the folds
    null_mean, null_sd, null_95 : of the permuted ones: mean, standard deviation, 95th percentile
    p : share of arrangements, the observed one among them, that reach the observed mean
    """

    plan: str
    metric: str
    observed: float
    null_mean: float
    null_sd: float
    null_95: float
    p: float
    permutations: int
    note: str = ""


@dataclass(frozen=True)
class ResamplingRow:
    """One metric of a plan corrected by the bootstrap: a row of bootstrap.csv.

    apparent : of the plan fitted to all rows, on the same rows
    optimism, corrected : mean excess of the bootstrap fits on their own rows over all rows; apparent less it
    lower, upper : 95 % interval of `corrected`: that of the apparent value in bootstrap samples, moved by the optimism
    out_of_bag, no_information, weight, plus632 : of the .632+ estimate
    draws : bootstrap samples with a score
    """

    plan: str
    metric: str
    apparent: float
    optimism: float
    corrected: float
    lower: float
    upper: float
    out_of_bag: float
    no_information: float
    weight: float
    plus632: float
    draws: int
    note: str = ""
