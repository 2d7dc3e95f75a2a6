"""Random forests and extremely randomised trees, with predictions of training rows by trees that did not see them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.inner import ClassLearner, NumberLearner
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.types.outcome import Kind

SplitsAt = Literal["best", "random"]
Columns = Literal["sqrt"] | float | None


def _settings(model: Any, n_columns: int) -> dict[str, Any]:
    few = max(1, min(n_columns // 3, round(3 * np.sqrt(n_columns))))
    return {
        "n_estimators": model.trees,
        "min_samples_leaf": model.least,
        "max_features": few if model.columns is None else model.columns,
        "bootstrap": model.out_of_bag or model.splits == "best",
        "n_jobs": 1,
        "random_state": model.seed,
    }


def out_of_bag(forest: Any, X: np.ndarray, groups: np.ndarray, predict: Any) -> np.ndarray:
    """Mean of trees in whose sample no row of the patient is; NaN where there is no such tree.

    predict : of a tree and rows, float64 [rows, outputs]; returns : float64 [rows, outputs]
    """
    total, n_trees = None, np.zeros(len(X))
    for tree, sample in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        outside = ~np.isin(groups, groups[sample])
        if not outside.any():
            continue
        found = predict(tree, X[outside])
        if total is None:
            total = np.zeros((len(X), found.shape[1]))
        total[outside] += found
        n_trees[outside] += 1
    if total is None:
        return np.full((len(X), 1), np.nan)
    return np.where(n_trees[:, None] > 0, total / np.maximum(n_trees, 1)[:, None], np.nan)


class ForestClassifier(ClassLearner):
    """Trees on bootstrap samples of the rows; probabilities are means of the shares in their leaves.

    splits : "best" threshold of each column tried (a random forest; Breiman, Mach Learn 2001;45:5,
        doi 10.1023/A:1010933404324), or "random" ones (extra trees; Geurts, Ernst and Wehenkel, Mach Learn 2006;63:3,
        doi 10.1007/s10994-006-6226-1), here on bootstrap samples too where out_of_bag
    out_of_bag : draw bootstrap samples and predict rows out of them; without, extra trees see all rows
    trees : how many; least : rows in a leaf; columns : tried at each split, "sqrt", a share, or None: a
        third, at most three times the root; seed : of all draws

    forest_ : scikit-learn's; oob_probability_ : float64 [rows, classes], of training rows, by trees that saw no row
        of their patient; NaN where there is none
    """

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        splits: SplitsAt = "best",
        trees: int = 300,
        least: int = 3,
        columns: Columns = "sqrt",
        out_of_bag: bool = True,
        seed: int = 0,
    ) -> None:
        self.out_of_bag = out_of_bag
        self.splits = splits
        self.trees = trees
        self.least = least
        self.columns = columns
        self.seed = seed

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> None:
        estimator = RandomForestClassifier if self.splits == "best" else ExtraTreesClassifier
        self.forest_ = estimator(**_settings(self, X.shape[1])).fit(X, codes)
        if not self.out_of_bag:
            return
        found = out_of_bag(self.forest_, X, groups, lambda tree, rows: tree.predict_proba(rows))
        self.oob_probability_ = np.broadcast_to(found, (len(X), len(self.classes_))).copy()

    def _probability(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.forest_.predict_proba(X))


class ForestRegressor(NumberLearner):
    """As ForestClassifier, for a number. oob_prediction_ : float64 [rows]"""

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        splits: SplitsAt = "best",
        trees: int = 300,
        least: int = 3,
        columns: Columns = None,
        out_of_bag: bool = True,
        seed: int = 0,
    ) -> None:
        self.out_of_bag = out_of_bag
        self.splits = splits
        self.trees = trees
        self.least = least
        self.columns = columns
        self.seed = seed

    def _fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
        estimator = RandomForestRegressor if self.splits == "best" else ExtraTreesRegressor
        self.forest_ = estimator(**_settings(self, X.shape[1])).fit(X, y)
        if not self.out_of_bag:
            return
        found = out_of_bag(self.forest_, X, groups, lambda tree, rows: tree.predict(rows)[:, None])
        self.oob_prediction_ = found[:, 0]

    def _number(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.forest_.predict(X))


class ForestParams(Section):
    """A forest."""

    trees: int = Field(300, ge=1, description="how many trees")
    least: int = Field(3, ge=1, description="rows in a leaf, at least")
    columns: Literal["auto", "sqrt"] | float = Field(
        "auto", description="tried at each split: sqrt, a share, or auto: sqrt for classes, up to a third for a number"
    )


def _make(splits: SplitsAt, params: ForestParams, kind: Kind, seed: int) -> Any:
    if kind == "continuous":
        return ForestRegressor(splits, params.trees, params.least, _columns(params, None), seed=seed)
    return ForestClassifier(splits, params.trees, params.least, _columns(params, "sqrt"), seed=seed)


def _columns(params: ForestParams, usual: Columns) -> Columns:
    return usual if params.columns == "auto" else params.columns


def _forest(params: ForestParams, kind: Kind, seed: int) -> Any:
    return _make("best", params, kind, seed)


def _extra(params: ForestParams, kind: Kind, seed: int) -> Any:
    return _make("random", params, kind, seed)


_KINDS: tuple[Kind, ...] = ("binary", "multiclass", "ordinal", "continuous")
FOREST = Method("forest", _KINDS, ForestParams, _forest, "random forest", {"least": (10, 5, 3, 1)})
EXTRA_TREES = Method(
    "extra-trees", _KINDS, ForestParams, _extra, "trees that split at random", {"least": (10, 5, 3, 1)}
)
