"""What features do in combination: rows of tables, in the order in which they are written."""

from __future__ import annotations

from dataclasses import dataclass

NAN = float("nan")


@dataclass(frozen=True)
class DominanceRow:
    """What one feature or block adds to the fit, over all combinations: a row of dominance.csv.

    kind : feature or block
    candidate : share of the outer folds in which it was among the candidates
    measure : of the fit on training rows, such as mcfadden
    general, lower, upper : its average contribution over all combinations, mean over the folds (0 in folds where it was
        no candidate), and the 95 % interval over resamples of patients. On training rows a contribution is hardly ever
        negative: an interval above 0 is no evidence of one
    share : `general` as a share of what all candidates explain together
    alone, last : mean contribution with no other candidate, and after all the others
    held_out, held_out_lower, held_out_upper : the same average of the measure on the rows left
        out; negative where the feature harms
    """

    name: str
    kind: str
    candidate: float
    measure: str
    general: float
    lower: float
    upper: float
    share: float
    alone: float
    last: float
    held_out: float
    held_out_lower: float
    held_out_upper: float
    members: str = ""


@dataclass(frozen=True)
class ConditionalRow:
    """Average contribution to models of one size: a row of dominance_by_size.csv.

    others : how many other candidates the models hold
    contribution : on training rows, held_out: of the rows left out; means over the folds where it was a candidate
    """

    name: str
    others: int
    contribution: float
    held_out: float
    n_folds: int


@dataclass(frozen=True)
class DominancePairRow:
    """How often one feature or block dominates another: a row of dominance_pairs.csv.

    complete : share of the folds in which the first adds more to every combination without the two
    conditional : in which it adds more on average at every size; general : more on average over all
    n_folds : folds in which both are candidates
    """

    first: str
    second: str
    complete: float
    conditional: float
    general: float
    n_folds: int


@dataclass(frozen=True)
class SubsetRow:
    """One combination of features over the outer folds: a row of subsets.csv.

    features : joined by semicolons
    chosen : share of the outer folds in which the best-subset plan chose it; NaN where that plan was not run
    metric, mean, lower, upper : of rows left out, over the folds in which all its features were candidates
    explained : measure of the fit on the rows left out
    fit : measure of the fit on training rows
    note : that the best of many is flattered
    """

    features: str
    size: int
    chosen: float
    metric: str
    mean: float
    lower: float
    upper: float
    explained: float
    fit: float
    n_folds: int
    note: str = ""


@dataclass(frozen=True)
class IncrementRow:
    """What columns add to a plan, out of fold: a row of increments.csv.

    better : higher or lower, the values of the metric that are good
    difference : added less base, mean over folds that both have a value in; lower, upper : corrected 95 % interval
    p : one-sided, of the permuted added columns, for `difference` in the good direction; where none were permuted, of
        DeLong's test (two-sided, `note` says so) for an AUC of a single test part, else NaN
    """

    base: str
    added: str
    metric: str
    better: str
    base_mean: float
    added_mean: float
    difference: float
    lower: float
    upper: float
    n_folds: int
    p: float = NAN
    permutations: int = 0
    note: str = ""


@dataclass(frozen=True)
class ImportanceRow:
    """Loss of a score on rows left out when a cluster of features is permuted: a row of importance.csv.

    members : the features permuted together, joined by semicolons
    drop : mean over the folds of the mean over the permutations; higher means that more is lost, for every metric
    """

    feature: str
    members: str
    metric: str
    drop: float
    lower: float
    upper: float
    n_folds: int


@dataclass(frozen=True)
class ContributionRow:
    """A feature's part in predictions of rows left out: a row of contributions.csv.

    plan : whose predictions; feature : a cluster's representative, for all its members
    mean_absolute : mean over rows of the absolute contribution, on the model's scale (log odds, log hazard, ...)
    mean : with its sign; agreement : rank correlation of contribution and value, the direction in which it works
    n_rows : predictions
    """

    plan: str
    feature: str
    mean_absolute: float
    mean: float
    agreement: float
    method: str
    n_rows: int


@dataclass(frozen=True)
class NestedTestRow:
    """Test of columns declared beforehand over other columns: a row of declared.csv.

    base : what the smaller model has, empty where it has a constant alone; added : the declared columns, joined by
        semicolons
    statistic, freedom, p : of `test`: twice the gain in log likelihood, or F (its first degrees of freedom)
    n, events : complete rows, and events among them; 0 where the outcome has none
    """

    base: str
    added: str
    statistic: float
    freedom: int
    p: float
    n: int
    events: int
    test: str
    note: str = ""


@dataclass(frozen=True)
class CombinationRow:
    """What a feature does alone, what it adds, and how often it was chosen: a row of combinations.csv.

    feature : a cluster's representative; members : the cluster's other features, joined by semicolons
    metric, alone, alone_lower, alone_upper : as in univariate.csv, raw: 0.2 orders patients as well as 0.8
    chosen : share of the outer fits of the ranking plan in which any feature of the cluster was selected
    candidate, contribution, contribution_lower, contribution_upper, held_out, held_out_lower, held_out_upper : as in
        dominance.csv; NaN where it was a candidate in no fold
    importance, importance_lower, importance_upper : as in importance.csv
    over_volume, over_clinical (with intervals) : out-of-fold gain of the metric when the feature alone joins these
    verdict : in words: alone, together, both, or neither
    """

    feature: str
    members: str
    metric: str
    alone: float
    alone_lower: float
    alone_upper: float
    chosen: float
    candidate: float
    contribution: float
    contribution_lower: float
    contribution_upper: float
    held_out: float
    held_out_lower: float
    held_out_upper: float
    importance: float
    importance_lower: float
    importance_upper: float
    over_volume: float
    over_volume_lower: float
    over_volume_upper: float
    over_clinical: float
    over_clinical_lower: float
    over_clinical_upper: float
    verdict: str


@dataclass(frozen=True)
class Combination:
    """Everything about features in combination; the rows of one table each, dominance of features, then of blocks."""

    rows: tuple[CombinationRow, ...] = ()
    dominance: tuple[DominanceRow, ...] = ()
    by_size: tuple[ConditionalRow, ...] = ()
    pairs: tuple[DominancePairRow, ...] = ()
    subsets: tuple[SubsetRow, ...] = ()
    importance: tuple[ImportanceRow, ...] = ()
    increments: tuple[IncrementRow, ...] = ()
    contributions: tuple[ContributionRow, ...] = ()
    declared: tuple[NestedTestRow, ...] = ()
    notes: tuple[str, ...] = ()
