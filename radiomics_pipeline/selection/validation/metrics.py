"""The metrics of every kind of outcome: one row of METRICS each, the first of a kind its primary one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from radiomics_pipeline.selection.validation import class_scores, number_scores, timed_scores
from radiomics_pipeline.selection.validation.held import Held
from radiomics_pipeline.types.outcome import Kind, Outcome

CLASSES: tuple[Kind, ...] = ("binary", "multiclass", "ordinal")
TIMED: tuple[Kind, ...] = ("survival", "competing")
Need = Literal["risk", "probability", "survival"]
Score = float | str
"""A number, or why there is none."""


@dataclass(frozen=True)
class Metric:
    """A metric of the rows of one test part.

    kinds : of outcomes
    better : whether higher or lower is better, or nearer to 0 or to 1
    needs : what the plan must give: a risk (any score), probabilities of the classes, or survival curves
    function : of the held-out rows, a number or the reason why there is none
    low, high : smallest and largest value that it can take; intervals are cut there
    chance : its value for predictions that know nothing, in expectation; NaN where that depends on the table
    pooled : over all test parts of a repeat at once, since single parts are too small for it
    spread : of pooled metrics: the number and its standard error, from which the interval is made
    """

    name: str
    kinds: tuple[Kind, ...]
    better: Literal["higher", "lower", "zero", "one"]
    needs: Need
    function: Callable[[Held], Score]
    low: float = -np.inf
    high: float = np.inf
    chance: float = np.nan
    pooled: bool = False
    spread: Callable[[Held], tuple[float, float] | str] | None = None


METRICS = (
    Metric("auc", ("binary",), "higher", "risk", class_scores.auc, 0, 1, 0.5),
    Metric("auc", ("multiclass",), "higher", "probability", class_scores.hand_till, 0, 1, 0.5),
    Metric("somers_d", ("ordinal",), "higher", "risk", class_scores.somers_d, -1, 1, 0.0),
    Metric("auc", ("ordinal",), "higher", "probability", class_scores.hand_till, 0, 1, 0.5),
    Metric("quadratic_kappa", ("ordinal",), "higher", "probability", class_scores.quadratic_kappa, -1, 1, 0.0),
    Metric("brier", CLASSES, "lower", "probability", class_scores.brier, 0, 2),
    Metric("brier_skill", CLASSES, "higher", "probability", class_scores.brier_skill, high=1),
    Metric("log_loss", CLASSES, "lower", "probability", class_scores.log_loss, low=0),
    Metric("balanced_accuracy", CLASSES, "higher", "probability", class_scores.balanced_accuracy, 0, 1),
    Metric(
        "calibration_intercept",
        ("binary",),
        "zero",
        "probability",
        class_scores.calibration_intercept,
        pooled=True,
        spread=class_scores.in_the_large,
    ),
    Metric(
        "calibration_slope",
        ("binary",),
        "one",
        "probability",
        class_scores.calibration_slope,
        pooled=True,
        spread=class_scores.recalibrated,
    ),
    Metric("r2", ("continuous",), "higher", "risk", number_scores.r2, high=1),
    Metric("spearman", ("continuous",), "higher", "risk", number_scores.spearman, -1, 1, 0.0),
    Metric("rmse", ("continuous",), "lower", "risk", number_scores.rmse, low=0),
    Metric("mae", ("continuous",), "lower", "risk", number_scores.mae, low=0),
    Metric("c_index", TIMED, "higher", "risk", timed_scores.c_index, 0, 1, 0.5),
    Metric("c_ipcw", TIMED, "higher", "risk", timed_scores.c_ipcw, 0, 1, 0.5),
    Metric("auc_horizon", TIMED, "higher", "risk", timed_scores.auc_horizon, 0, 1, 0.5),
    Metric("brier_horizon", TIMED, "lower", "survival", timed_scores.brier_horizon, 0, 1),
    Metric("integrated_brier", TIMED, "lower", "survival", timed_scores.integrated_brier, 0, 1),
    Metric("integrated_brier_skill", TIMED, "higher", "survival", timed_scores.integrated_brier_skill, high=1),
)

LACKING: dict[str, str] = {
    "probability": "the plan gives no probabilities (predict_proba)",
    "survival": "the plan gives no survival curves (predict_survival)",
    "risk": "the plan gives no single score",
}


def metrics_of(kind: Kind, thresholds: Sequence[float] = ()) -> tuple[Metric, ...]:
    """The metrics of a kind of outcome, the primary one first; with the net benefit at each threshold."""
    found = tuple(m for m in METRICS if kind in m.kinds)
    if kind != "binary":
        return found
    return found + tuple(
        Metric(
            f"net_benefit@{threshold:g}",
            ("binary",),
            "higher",
            "probability",
            lambda held, t=threshold: class_scores.net_benefit(held, t),  # type: ignore[misc]
            high=1,
        )
        for threshold in thresholds
    )


def primary(kind: Kind) -> Metric:
    """The metric by which plans of this kind of outcome are compared."""
    return metrics_of(kind)[0]


def score(metric: Metric, held: Held) -> tuple[float, str]:
    """The metric of held-out rows, and why it is NaN where it is."""
    if metric.needs == "probability" and held.probability is None:
        return np.nan, LACKING["probability"]
    if metric.needs == "survival" and held.survival is None:
        return np.nan, LACKING["survival"]
    if metric.needs == "risk" and held.risk is None:
        return np.nan, LACKING["risk"]
    found = metric.function(held)
    return (np.nan, found) if isinstance(found, str) else (float(found), "")


def horizon_of(outcome: Outcome, wanted: float | None, trained: np.ndarray) -> tuple[float, float]:
    """Time at which curves are judged, and time at which they end; NaN without a time.

    wanted : None: the defaults; trained : positions of the rows that a fold may train on, whose events set the first
    """
    if outcome.time is None:
        return float("nan"), float("nan")
    if wanted is not None:
        return wanted, wanted
    limit = default_limit(outcome)
    return min(default_horizon(outcome.rows(trained)), limit), limit


def default_horizon(outcome: Outcome) -> float:
    """Median time of the events (of interest) of a timed outcome."""
    if outcome.time is None:
        return float("nan")
    return float(np.median(outcome.time[outcome.event]))


def default_limit(outcome: Outcome) -> float:
    """Latest time at which a fifth of the rows is still followed and free of any event: curves end there."""
    if outcome.time is None:
        return float("nan")
    return float(np.quantile(outcome.time, 0.8, method="lower"))
