"""The weakest columns of a ridge model leave, until few are left."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, check_keep
from radiomics_pipeline.selection.steps.l1_paths import standardised
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target
from radiomics_pipeline.types.outcome import KINDS, Kind


class Elimination(Selector):
    """Recursive elimination by the weights of a ridge regression, refitted after every round.

    The regression is least squares on Target.numbers: the code of two or of ordered classes, one column a class of
    several, the number, or martingale residuals of the Cox model without covariates (one step of Cox's ridge).

    keep : so many columns are left
    step : below 1 the share of the columns left that leaves in a round, otherwise their number
    penalty : of the ridge on standardised columns; None: as many as columns are left, which takes half of the
        outcome's variance to come from all of them together, and needs no folds inside

    Guyon et al., Mach Learn 2002;46:389, doi 10.1023/A:1012487302797.
    """

    def __init__(
        self, keep: int = 20, step: float = 0.2, penalty: float | None = None, kind: KindOrAuto = "auto"
    ) -> None:
        self.keep = keep
        self.step = step
        self.penalty = penalty
        self.kind = kind

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """scores_ are shares of the columns that left before, and ranking_ counts from 1 for those kept."""
        check_keep(self.keep)
        if not self.step > 0 or (self.step >= 1 and self.step != int(self.step)):
            raise ParamsError(f"step is {self.step:g}; give a share between 0 and 1, or a whole number of columns")
        if self.penalty is not None and not self.penalty > 0:
            raise ParamsError(f"penalty is {self.penalty:g}; give a number above 0")
        Z, numbers = standardised(X), target.numbers()
        left, gone = np.arange(X.shape[1]), []
        while True:
            weights = ridge_weights(Z[:, left], numbers, float(self.penalty or len(left)))
            weakest = np.lexsort((-left, weights))
            if len(left) <= self.keep:
                break
            count = int(self.step) if self.step >= 1 else max(1, int(self.step * len(left)))
            leaving = weakest[: min(count, len(left) - self.keep)]
            gone.append(left[leaving])
            left = np.delete(left, leaving)
        self.ranking_ = np.ones(X.shape[1], np.int64)
        for turn, columns in enumerate(reversed(gone)):
            self.ranking_[columns] = turn + 2
        scores = np.empty(X.shape[1])
        scores[np.concatenate([*gone, left[weakest]])] = np.arange(X.shape[1]) / X.shape[1]
        order = left[weakest][::-1]
        return Choice(order if weights.any() else order[:0], scores)


def ridge_weights(Z: np.ndarray, numbers: np.ndarray, penalty: float) -> np.ndarray:
    """Sum over the outcome's columns of the squared ridge coefficients, float64 [columns].

    Z : float64 [rows, columns], columns of mean 0; numbers : float64 [rows, k], column means 0
    """
    if Z.shape[1] <= len(Z):
        coefficients = np.linalg.solve(Z.T @ Z + penalty * np.eye(Z.shape[1]), Z.T @ numbers)
    else:  # the same solution through the rows, which are fewer
        coefficients = Z.T @ np.linalg.solve(Z @ Z.T + penalty * np.eye(len(Z)), numbers)
    return np.asarray((coefficients**2).sum(axis=1))


class EliminationParams(Section):
    """The weakest features of a ridge model leave, round by round."""

    keep: int = Field(20, ge=1, description="so many features are left")
    step: float = Field(0.2, gt=0, description="share (below 1) or number of the features left that leaves in a round")
    penalty: float | None = Field(None, gt=0, description="of the ridge; empty: the number of features left")


def _build(params: EliminationParams, kind: Kind, seed: int) -> Any:
    return Elimination(params.keep, params.step, params.penalty, kind)


ELIMINATION = Method(
    "elimination",
    KINDS,
    EliminationParams,
    _build,
    "the features left when the weakest of a ridge model leave round by round (recursive feature elimination)",
)
