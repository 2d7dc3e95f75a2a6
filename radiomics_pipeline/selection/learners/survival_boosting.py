"""Boosted trees for times to an event, by XGBoost: Cox's partial likelihood, and accelerated failure times."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from scipy.optimize import minimize
from scipy.special import log_ndtr
from scipy.stats import norm

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.baseline_hazard import TIMED_KINDS, HazardLearner, SurvivalLearner
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.stats.hazard import breslow
from radiomics_pipeline.stats.kaplan_meier import kaplan_meier
from radiomics_pipeline.types.outcome import Kind


class _Boosted:
    """Settings of both boosters; see BoostedCox."""

    allows_nan = True
    booster_: Any

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        rounds: int = 150,
        learning_rate: float = 0.03,
        depth: int = 2,
        rows: float = 0.7,
        columns: float = 0.5,
        ridge: float = 5.0,
        least: float = 2.0,
        seed: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.depth = depth
        self.rows = rows
        self.columns = columns
        self.ridge = ridge
        self.least = least
        self.seed = seed

    def _train(self, data: Any, objective: dict[str, Any]) -> None:
        import xgboost

        settings = {
            "tree_method": "hist",
            "nthread": 1,
            "verbosity": 0,
            "seed": self.seed,
            "learning_rate": self.learning_rate,
            "max_depth": self.depth,
            "subsample": self.rows,
            "colsample_bynode": self.columns,
            "lambda": self.ridge,
            "min_child_weight": self.least,
            **objective,
        }
        self.booster_ = xgboost.train(settings, data, self.rounds)
        used = self.booster_.get_score(importance_type="weight")
        self.selected_ = np.array(sorted(int(name[1:]) for name in used), np.int64)

    def _margin(self, X: np.ndarray) -> np.ndarray:
        """Sum of the trees, starting from 0; float64 [rows]."""
        import xgboost

        data = xgboost.DMatrix(X, base_margin=np.zeros(len(X)), nthread=1)
        return np.asarray(self.booster_.predict(data, output_margin=True), np.float64)


class BoostedCox(_Boosted, HazardLearner):
    """XGBoost on Cox's partial likelihood (Chen and Guestrin 2016, doi 10.1145/2939672.2939785); the risk is a log
    hazard.

    rounds, learning_rate : trees, and the share of each that is added
    depth : of the trees; rows, columns : shares of them that a tree and a split see
    ridge : L2 penalty of leaves; least : sum of curvatures in a leaf, at least
    seed : of the draws. Missing cells are allowed. One thread: the same trees everywhere.

    booster_ : XGBoost's; selected_ : int64, columns that trees split at; baseline_ : cumulative hazard (Breslow)
    """

    def _fit(self, X: np.ndarray, time: np.ndarray, event: np.ndarray, groups: np.ndarray) -> None:
        import xgboost

        data = xgboost.DMatrix(X, np.where(event, time, -time), base_margin=np.zeros(len(X)), nthread=1)
        self._train(data, {"objective": "survival:cox"})
        self.baseline_ = breslow(self._margin(X), time, event)

    def _risk(self, X: np.ndarray) -> np.ndarray:
        return self._margin(X)


class BoostedTimes(_Boosted, SurvivalLearner):
    """XGBoost on accelerated failure times, log-normal: log time = place + trees + spread * normal deviate.

    Settings as of BoostedCox. Place and spread are those of the times without columns (maximum likelihood), so that
    the unit of time does not matter; the risk is less the expected log time, in units of the spread. Curves do not take
    the deviates for normal: they follow the Kaplan-Meier curve of the training rows' own.

    place_, spread_ : of log times; booster_, selected_ : as of BoostedCox
    deviates_, shares_ : float64 [steps], where the curve of the deviates falls, and to what
    Barnwal, Cho and Hocking, J Comput Graph Stat 2022;31:1292, doi 10.1080/10618600.2022.2067548.
    """

    def _fit(self, X: np.ndarray, time: np.ndarray, event: np.ndarray, groups: np.ndarray) -> None:
        import xgboost

        self.place_, self.spread_ = log_normal(time, event)
        unit = np.exp((np.log(time) - self.place_) / self.spread_)
        data = xgboost.DMatrix(X, base_margin=np.zeros(len(X)), nthread=1)
        data.set_float_info("label_lower_bound", unit)
        data.set_float_info("label_upper_bound", np.where(event, unit, np.inf))
        loss = {"aft_loss_distribution": "normal", "aft_loss_distribution_scale": 1.0}
        self._train(data, {"objective": "survival:aft", **loss})
        curve = kaplan_meier(np.log(unit) - self._margin(X), event)
        self.deviates_, self.shares_ = curve.times, curve.survival

    def _risk(self, X: np.ndarray) -> np.ndarray:
        return -self._margin(X)

    def _survival(self, X: np.ndarray, times: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(times, 0.0))
        deviate = (logs - self.place_)[None, :] / self.spread_ - self._margin(X)[:, None]
        shares = np.concatenate([[1.0], self.shares_])
        return np.asarray(shares[np.searchsorted(self.deviates_, deviate, side="right")])


def log_normal(time: np.ndarray, event: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of log times by maximum likelihood; time, event : float64, bool [rows].

    Where all events have one time and no censoring is later, the standard deviation is held at a hundredth.
    """
    logs = np.log(time)
    start = np.array([logs.mean(), np.log(max(float(logs.std()), 1e-2))])

    def loss(at: np.ndarray) -> float:
        spread = np.exp(at[1])
        deviate = (logs - at[0]) / spread
        return float(-(norm.logpdf(deviate[event]) - at[1]).sum() - log_ndtr(-deviate[~event]).sum())

    bounds = [(float(logs.min()) - 10, float(logs.max()) + 20), (np.log(1e-2), np.log(20.0))]
    found = minimize(loss, np.array([np.clip(start[0], *bounds[0]), np.clip(start[1], *bounds[1])]), bounds=bounds)
    return float(found.x[0]), float(np.exp(found.x[1]))


class BoostedSurvivalParams(Section):
    """XGBoost for times to an event."""

    rounds: int = Field(150, ge=1, description="how many trees")
    learning_rate: float = Field(0.03, gt=0, le=1, description="share of each tree that is added")
    depth: int = Field(2, ge=1, description="depth of the trees")
    rows: float = Field(0.7, gt=0, le=1, description="share of the rows that a tree sees")
    columns: float = Field(0.5, gt=0, le=1, description="share of the columns that a split sees")
    ridge: float = Field(5.0, ge=0, description="L2 penalty of leaves")
    least: float = Field(2.0, ge=0, description="sum of curvatures in a leaf, at least")


def _cox(params: BoostedSurvivalParams, kind: Kind, seed: int) -> Any:
    return BoostedCox(**params.model_dump(), seed=seed)


def _times(params: BoostedSurvivalParams, kind: Kind, seed: int) -> Any:
    return BoostedTimes(**params.model_dump(), seed=seed)


_GRID = {"depth": (1, 2, 3), "rounds": (50, 150, 400), "columns": (0.2, 0.5)}
XGBOOST_COX = Method(
    "xgboost", TIMED_KINDS, BoostedSurvivalParams, _cox, "gradient-boosted trees on Cox's partial likelihood", _GRID
)
XGBOOST_AFT = Method(
    "xgboost-aft", TIMED_KINDS, BoostedSurvivalParams, _times, "gradient-boosted trees on log times (log-normal)", _GRID
)
