"""Boosted trees by XGBoost, shallow and much shrunken, as some hundred rows need them."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import expit, softmax

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, NumberLearner
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind


def _train(model: Any, X: np.ndarray, y: np.ndarray, objective: dict[str, Any]) -> Any:
    import xgboost

    settings = {
        "tree_method": "hist",
        "max_bin": model.bins,
        "nthread": 1,
        "verbosity": 0,
        "seed": model.seed,
        "learning_rate": model.learning_rate,
        "max_depth": model.depth,
        "subsample": model.rows,
        "colsample_bynode": model.columns,
        "lambda": model.ridge,
        "min_child_weight": model.least,
        **objective,
    }
    return xgboost.train(settings, xgboost.DMatrix(X, y, nthread=1), model.rounds)


def _margin(booster: Any, X: np.ndarray) -> np.ndarray:
    import xgboost

    return np.asarray(booster.predict(xgboost.DMatrix(X, nthread=1), output_margin=True), np.float64)


def _columns_used(booster: Any) -> np.ndarray:
    """Positions of the columns that trees split at, int64."""
    return np.array(sorted(int(name[1:]) for name in booster.get_score(importance_type="weight")), np.int64)


class _Boosted:
    """What both boosters have; see BoostedClassifier."""

    allows_nan = True

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        rounds: int = 150,
        learning_rate: float = 0.02,
        depth: int = 3,
        rows: float = 0.7,
        columns: float = 0.3,
        ridge: float = 5.0,
        least: float = 2.0,
        bins: int = 32,
        seed: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.depth = depth
        self.rows = rows
        self.columns = columns
        self.ridge = ridge
        self.least = least
        self.bins = bins
        self.seed = seed


class BoostedClassifier(_Boosted, ClassLearner):
    """XGBoost for classes (Chen and Guestrin 2016, doi 10.1145/2939672.2939785), one thread, histograms.

    rounds, learning_rate : trees, and the share of each that is added
    depth : of the trees; rows, columns : shares of them that a tree and a split see
    ridge : L2 penalty of leaves; least : sum of curvatures in a leaf, about a quarter of its rows for even classes
    bins : into which each column's values are sorted before; seed : of the draws. Missing cells are allowed.

    booster_ : XGBoost's; selected_ : int64, columns that trees split at
    """

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        k = len(self.classes_)
        objective = {"objective": "binary:logistic"} if k == 2 else {"objective": "multi:softprob", "num_class": k}
        self.booster_ = _train(self, X, codes, objective)
        self.selected_ = _columns_used(self.booster_)

    def _probability(self, X: np.ndarray) -> np.ndarray:
        margin = _margin(self.booster_, X)
        if margin.ndim == 1:
            return np.column_stack([expit(-margin), expit(margin)])
        return np.asarray(softmax(margin, axis=1))


class BoostedRegressor(_Boosted, NumberLearner):
    """XGBoost for a number, by squared error; otherwise as BoostedClassifier."""

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        self.booster_ = _train(self, X, y, {"objective": "reg:squarederror"})
        self.selected_ = _columns_used(self.booster_)

    def _number(self, X: np.ndarray) -> np.ndarray:
        return _margin(self.booster_, X)


class BoostingParams(Section):
    """XGBoost."""

    rounds: int = Field(150, ge=1, description="how many trees")
    learning_rate: float = Field(0.02, gt=0, le=1, description="share of each tree that is added")
    depth: int = Field(3, ge=1, description="depth of the trees")
    rows: float = Field(0.7, gt=0, le=1, description="share of the rows that a tree sees")
    columns: float = Field(0.3, gt=0, le=1, description="share of the columns that a split sees")
    ridge: float = Field(5.0, ge=0, description="L2 penalty of leaves")
    least: float = Field(2.0, ge=0, description="sum of curvatures in a leaf, at least")
    bins: int = Field(32, ge=2, description="bins of each column's values, between which trees split")


def _build(params: BoostingParams, kind: Kind, seed: int) -> Any:
    estimator = BoostedRegressor if kind == "continuous" else BoostedClassifier
    return estimator(**params.model_dump(), seed=seed)


XGBOOST = Method(
    "xgboost",
    ("binary", "multiclass", "ordinal", "continuous"),
    BoostingParams,
    _build,
    "gradient-boosted trees (XGBoost), shallow and much shrunken",
    {"depth": (1, 2, 3), "rounds": (50, 150, 400), "columns": (0.1, 0.3)},
)
