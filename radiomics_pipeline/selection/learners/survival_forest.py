"""Random survival forests and extremely randomised survival trees, by scikit-survival."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.baseline_hazard import TIMED_KINDS, SurvivalLearner, as_y
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.stats.hazard import read_steps
from radiomics_pipeline.types.outcome import Kind

SplitsAt = Literal["best", "random"]


class SurvivalForest(SurvivalLearner):
    """Trees split by the log-rank statistic on bootstrap samples of the rows; curves are means of those of the leaves.

    splits : "best" threshold of each column tried (Ishwaran et al., Ann Appl Stat 2008;2:841,
        doi 10.1214/08-AOAS169), or "random" ones (extra survival trees), on bootstrap samples too
    trees : how many; least : rows in a leaf; columns : tried at each split, "sqrt" or a share
    times : event times told apart, quantiles of them; the time a split takes grows with their number, the rank order
        of risks hardly changes. 0: all
    seed : of all draws

    Risk is the expected number of events (ensemble mortality). forest_ : scikit-survival's
    """

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        splits: SplitsAt = "best",
        trees: int = 100,
        least: int = 10,
        columns: Literal["sqrt"] | float = "sqrt",
        times: int = 50,
        seed: int = 0,
    ) -> None:
        self.splits = splits
        self.trees = trees
        self.least = least
        self.columns = columns
        self.times = times
        self.seed = seed

    def _fit(self, X: np.ndarray, time: np.ndarray, event: np.ndarray, groups: np.ndarray) -> None:
        from sksurv.ensemble import ExtraSurvivalTrees, RandomSurvivalForest

        estimator = RandomSurvivalForest if self.splits == "best" else ExtraSurvivalTrees
        self.forest_ = estimator(
            n_estimators=self.trees,
            min_samples_leaf=self.least,
            min_samples_split=2 * self.least,
            max_features=self.columns,
            bootstrap=True,
            n_jobs=1,
            random_state=self.seed,
        ).fit(X, as_y(told_apart(coarse_times(time, event, self.times), event), event))

    def _risk(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.forest_.predict(X), np.float64)

    def _survival(self, X: np.ndarray, times: np.ndarray) -> np.ndarray:
        curves = np.asarray(self.forest_.predict_survival_function(X, return_array=True), np.float64)
        return np.clip(read_steps(np.asarray(self.forest_.unique_times_), curves, times, before=1.0), 0.0, 1.0)


def coarse_times(time: np.ndarray, event: np.ndarray, count: int) -> np.ndarray:
    """Times of which at most `count` are event times: events move up to the next of their quantiles, rows censored
    between two of them down to the lower one, at which they are still at risk.

    time, event : float64, bool [rows]; count : 0 for no change; returns : float64 [rows]
    """
    own = np.unique(time[event])
    if not count or len(own) <= count:
        return time
    cuts = np.unique(np.quantile(time[event], np.arange(1, count + 1) / count, method="inverted_cdf"))
    up = cuts[np.minimum(np.searchsorted(cuts, time, side="left"), len(cuts) - 1)]
    below = np.searchsorted(cuts, time, side="right")
    down = np.concatenate([[0.5 * time.min()], cuts])[below]
    return np.asarray(np.where(event, up, down))


def told_apart(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Times float64 [rows], at least two of them, as scikit-survival's curves need.

    Where all rows have one time, those censored move beyond it: they are at risk at it as before. Raises OutcomeError
    where none is censored.
    """
    if np.ptp(time) > 0:
        return time
    if event.all():
        raise OutcomeError(f"all {len(time)} rows have the event at the same time; no tree can tell them apart")
    return np.asarray(np.where(event, time, 2 * time))


class SurvivalForestParams(Section):
    """A forest of survival trees."""

    trees: int = Field(100, ge=1, description="how many trees")
    least: int = Field(10, ge=1, description="rows in a leaf, at least")
    columns: Literal["sqrt"] | float = Field("sqrt", description="tried at each split: sqrt or a share")
    times: int = Field(50, ge=0, description="event times told apart, quantiles of them; 0: all")


def _forest(params: SurvivalForestParams, kind: Kind, seed: int) -> Any:
    return SurvivalForest("best", params.trees, params.least, params.columns, params.times, seed)


def _extra(params: SurvivalForestParams, kind: Kind, seed: int) -> Any:
    return SurvivalForest("random", params.trees, params.least, params.columns, params.times, seed)


SURVIVAL_FOREST = Method(
    "forest", TIMED_KINDS, SurvivalForestParams, _forest, "random survival forest", {"least": (20, 10, 5)}
)
EXTRA_SURVIVAL_TREES = Method(
    "extra-trees",
    TIMED_KINDS,
    SurvivalForestParams,
    _extra,
    "survival trees that split at random",
    {"least": (20, 10, 5)},
)
