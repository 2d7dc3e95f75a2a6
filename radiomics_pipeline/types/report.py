"""What follows from predictions of rows left out: rows of tables, in the order in which they are written."""

from __future__ import annotations

from dataclasses import dataclass

NAN = float("nan")


@dataclass(frozen=True)
class CalibrationRow:
    """How far a plan's probabilities can be believed: a row of calibration.csv.

    part : a measure (slope, intercept, expected_observed, ici) or a point of a picture (curve, group)
    horizon : time of the probabilities; NaN where the outcome has none
    group : from the lowest predictions, from 1; 0 for measures and the curve
    predicted : probability of the event; NaN for measures
    value : the measure, or the event's observed probability where `predicted` was foretold
    lower, upper : 95 % interval
    n : rows behind it, of one repeat
    repeats : over which predicted, value and bounds are averaged
    """

    plan: str
    part: str
    horizon: float
    group: int
    predicted: float
    value: float
    lower: float
    upper: float
    n: int
    repeats: int
    note: str = ""


@dataclass(frozen=True)
class HazardRow:
    """Whether a hazard ratio stays the same over time: a row of hazards.csv.

    feature : a kept feature in a Cox model of its own, or (kind: plan) a plan's risk of rows left out
    chi2, p : test of Grambsch and Therneau, 1 degree of freedom; time is 1 less the Kaplan-Meier curve
    q : after Benjamini and Hochberg over the features; NaN of a plan
    correlation : of scaled Schoenfeld residuals with that time; above 0 the log hazard ratio grows
    n, events : rows with a value, and events (of the cause of interest) among them
    note : what the test says, what it was of, why there is none
    """

    feature: str
    kind: str
    chi2: float
    p: float
    q: float
    correlation: float
    n: int
    events: int
    note: str = ""


@dataclass(frozen=True)
class DecisionRow:
    """Net benefit of treating by a plan, treating all, or treating none: a row of decision_curve.csv.

    plan : a plan, or "all" or "none"
    net_benefit : true positives less weighted false positives, a row tested
    lower, upper : 95 % interval over patients
    gain, gain_lower, gain_upper : net benefit less that of the better of all and none
    treated : share of the rows with a probability at or above the threshold
    note : why there is no net benefit; then all numbers are NaN
    """

    plan: str
    threshold: float
    net_benefit: float
    lower: float
    upper: float
    gain: float
    gain_lower: float
    gain_upper: float
    treated: float
    n: int
    repeats: int
    horizon: float = NAN
    note: str = ""


@dataclass(frozen=True)
class RiskGroupRow:
    """One group of rows left out, by cuts from training rows: a row of risk_groups.csv.

    repeat : 0 for the mean over all repeats
    group : from the lowest risk, from 1, of `groups`
    method : how the cuts were found: quantiles, maximally selected, given
    cut_lower, cut_upper : mean over the folds of the group's bounds; infinite at the ends
    n, events : mean over repeats where repeat is 0
    horizon : time of `event_free`; NaN for a binary outcome, whose `event_free` is the share without the event
    median, median_lower, median_upper : time by which half have had the event; NaN where the curve stays above a half
    ratio, ratio_lower, ratio_upper : of this group over the lowest
    ratio_measure : hazard ratio, cause-specific hazard ratio or odds ratio
    p : of a difference between all groups (log-rank, Gray, chi-square); descriptive, see note
    cut_p : of the maximally selected cut in the training rows, corrected for the search; median over the folds
    """

    plan: str
    repeat: int
    group: int
    groups: int
    method: str
    cut_lower: float
    cut_upper: float
    n: float
    events: float
    horizon: float
    event_free: float
    lower: float
    upper: float
    median: float
    median_lower: float
    median_upper: float
    ratio: float
    ratio_lower: float
    ratio_upper: float
    ratio_measure: str
    test: str
    p: float
    cut_p: float
    note: str = ""


@dataclass(frozen=True)
class ReaderRow:
    """A reader's score or an index against a plan on the same rows: a row of readers.csv.

    metric : auc (binary) or c_index (timed)
    reader_value, plan_value : of rows that have the reader's score; the plan's is the mean over repeats
    difference : plan less reader
    p, p_holm : that there is no difference; Holm's over the readers of one plan
    nri_events, nri_nonevents : net share moved rightly by the plan against the reader at the thresholds given
    idi : gain in the difference of mean probability between classes; NaN unless the reader gives probabilities.
        Neither has an interval or p: both can be above 0 for a useless addition
    """

    reader: str
    plan: str
    metric: str
    n: int
    events: int
    reader_value: float
    reader_lower: float
    reader_upper: float
    plan_value: float
    plan_lower: float
    plan_upper: float
    difference: float
    lower: float
    upper: float
    p: float
    p_holm: float
    test: str
    nri_events: float = NAN
    nri_nonevents: float = NAN
    idi: float = NAN
    note: str = ""


@dataclass(frozen=True)
class SampleSizeRow:
    """One criterion of the sample size for a prediction model: a row of sample_size.csv.

    parameters : candidate predictor parameters
    required_n, required_events : that the criterion asks for; events NaN where the outcome has none
    epp : events (rows of a continuous outcome) a parameter that `required_n` stands for
    n, events : what the study has; of classes the rows of the rarest
    supported : parameters that it bears by all criteria on overfitting
    """

    criterion: str
    parameters: int
    required_n: float
    required_events: float
    epp: float
    n: int
    events: float
    supported: float
    met: bool
    note: str = ""


@dataclass(frozen=True)
class Reports:
    """What follows from predictions of rows left out; the rows of one table each."""

    calibration: tuple[CalibrationRow, ...] = ()
    decision: tuple[DecisionRow, ...] = ()
    groups: tuple[RiskGroupRow, ...] = ()
    readers: tuple[ReaderRow, ...] = ()
    sample_size: tuple[SampleSizeRow, ...] = ()
