"""Columns that a forest finds more important than the best of their shuffled copies."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from scipy.stats import binom
from sklearn.ensemble import ExtraTreesRegressor

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.artificial import permuted_columns
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, best_first, check_keep, check_share
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target
from radiomics_pipeline.types.outcome import KINDS, Kind


class Shadow(Selector):
    """Boruta's choice: all columns that are more important than chance, also those that repeat each other.

    In every round a forest sees the columns still in question and a permuted copy (shadow) of every column; a column
    has a hit where its importance exceeds that of the best shadow. After the last round the hits are tested against a
    fair coin, p times the number of columns (Bonferroni). A column leaves once it can no longer have the hits it
    needs. The shadows stay as many as the columns were: against fewer of them, the luckiest of many irrelevant columns
    would win in the end. There is one test at the end, not one a round.

    The forest is of extremely randomised trees, a tenth of the columns tried at a split, its importance the mean
    decrease in impurity. It regresses on Target.numbers: the code of two (which is Gini's impurity) or of ordered
    classes, one column a class of several, the number, or martingale residuals of the Cox model without covariates,
    of competing events those of the event of interest.

    rounds : so many; log2(columns / alpha) are needed to confirm anything, fewer are refused
    trees, depth : of the forest
    alpha : chance of keeping any irrelevant column, if one beat the best shadow in half of the rounds
    keep : at most so many columns; None: no limit
    seed : of forests and shadows

    Kursa and Rudnicki, J Stat Softw 2010;36(11), doi 10.18637/jss.v036.i11; Geurts et al., Mach Learn 2006;63:3,
    doi 10.1007/s10994-006-6226-1.
    """

    def __init__(  # noqa: PLR0917 -- scikit-learn's way
        self,
        rounds: int = 25,
        trees: int = 100,
        depth: int = 5,
        alpha: float = 0.05,
        keep: int | None = None,
        seed: int = 0,
        kind: KindOrAuto = "auto",
    ) -> None:
        self.rounds = rounds
        self.trees = trees
        self.depth = depth
        self.alpha = alpha
        self.keep = keep
        self.seed = seed
        self.kind = kind

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """scores_ are about the shares of hits, importance deciding between equals; also hits_, rounds_, needed_."""
        for name in ("rounds", "trees", "depth"):
            check_keep(getattr(self, name), name)
        check_share(self.alpha, "alpha", 0.0, 1.0)
        if self.keep is not None:
            check_keep(self.keep)
        self.needed_ = hits_needed(self.rounds, X.shape[1], self.alpha)
        left = np.arange(X.shape[1])
        hits, importance = np.zeros(X.shape[1], np.int64), np.zeros(X.shape[1])
        self.rounds_ = 0
        while self.rounds_ < self.rounds and len(left):
            found, best_shadow = self._round(X, left, target, patients)
            hits[left] += found > best_shadow
            importance[left] += found
            self.rounds_ += 1
            left = left[hits[left] + self.rounds - self.rounds_ >= self.needed_]
        self.hits_ = hits
        scores = (hits + 0.5 * importance / max(float(importance.max()), 1e-300)) / (self.rounds + 0.5)
        order = best_first(scores)
        order = order[np.isin(order, left)]
        return Choice(order if self.keep is None else order[: self.keep], scores)

    def _round(self, X: np.ndarray, left: np.ndarray, target: Target, patients: np.ndarray) -> tuple[np.ndarray, float]:
        """Importance of the columns left, float64 [left], and of the best shadow."""
        rng = np.random.default_rng([self.seed, self.rounds_])
        seen = np.hstack([X[:, left], permuted_columns(X, patients, rng)])
        forest = ExtraTreesRegressor(
            n_estimators=self.trees,
            max_depth=self.depth,
            max_features=max(int(np.sqrt(seen.shape[1])), seen.shape[1] // 10),
            random_state=int(rng.integers(2**31)),
            n_jobs=1,
        )
        numbers = target.numbers()
        forest.fit(seen, numbers if numbers.shape[1] > 1 else numbers[:, 0])
        importance = forest.feature_importances_
        return importance[: len(left)], float(importance[len(left) :].max())


def hits_needed(rounds: int, n_columns: int, alpha: float) -> int:
    """Fewest hits whose binomial p, times the columns, is at most alpha; ParamsError where no number of them is."""
    p = n_columns * binom.sf(np.arange(rounds + 1) - 1, rounds, 0.5)
    if p[-1] > alpha:
        raise ParamsError(
            f"shadow: {rounds} rounds cannot confirm one of {n_columns} columns at alpha {alpha:g}; "
            f"use {int(np.ceil(np.log2(n_columns / alpha)))} rounds or more"
        )
    return int(np.argmax(p <= alpha))


class ShadowParams(Section):
    """Features more important to a forest than their shuffled copies."""

    rounds: int = Field(25, ge=1, description="so many forests")
    trees: int = Field(100, ge=1, description="trees of a forest")
    depth: int = Field(5, ge=1, description="largest depth of a tree")
    alpha: float = Field(0.05, gt=0, lt=1, description="level of the test of a feature's hits, over all features")
    keep: int | None = Field(None, ge=1, description="at most so many features; empty: no limit")


def _build(params: ShadowParams, kind: Kind, seed: int) -> Any:
    return Shadow(params.rounds, params.trees, params.depth, params.alpha, params.keep, seed, kind)


SHADOW = Method(
    "shadow",
    KINDS,
    ShadowParams,
    _build,
    "all features more important to a forest than the best of their shuffled copies (Boruta)",
)
