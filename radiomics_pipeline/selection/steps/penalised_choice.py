"""Columns that a lasso or an elastic net holds at the penalty that inner folds choose."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNetCV

from radiomics_pipeline.params.base import Section
from radiomics_pipeline.selection.learners.penalised import PenalisedCox, PenalisedLogistic
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.choosing import Choice, Selector, best_first, check_keep, check_share
from radiomics_pipeline.selection.steps.l1_paths import standardised
from radiomics_pipeline.selection.steps.target import KindOrAuto, Target
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.types.outcome import KINDS, Kind


class PenalisedChoice(Selector):
    """Keep the columns whose coefficient is not 0, the largest first.

    Two classes: logistic regression; several: one against the rest, the largest coefficient counts; ordered classes
    (by their codes) and numbers: least squares; times: Cox, of competing events that of interest. Penalty and share of
    L1 are those of the smallest loss in inner folds, which keep the rows of a patient together.

    l1_ratios : shares of L1 to choose among, each in (0, 1]; (1.0,) is the lasso
    keep : at most so many columns; None: no limit
    inner_folds, seed : of the inner folds; fewer are used where classes or events are fewer, OutcomeError below 2
    """

    def __init__(
        self,
        l1_ratios: tuple[float, ...] = (1.0,),
        keep: int | None = 20,
        inner_folds: int = 5,
        seed: int = 0,
        kind: KindOrAuto = "auto",
    ) -> None:
        self.l1_ratios = l1_ratios
        self.keep = keep
        self.inner_folds = inner_folds
        self.seed = seed
        self.kind = kind

    def _choose(self, X: np.ndarray, target: Target, patients: np.ndarray) -> Choice:
        """scores_ are |coefficients| of standardised columns; nothing is found where the empty model is the best."""
        for ratio in self.l1_ratios:
            check_share(ratio, "l1_ratios", 0.0, 1.0)
        if self.keep is not None:
            check_keep(self.keep)
        scores = self._coefficients(standardised(X), target, patients)
        order = best_first(scores)[: int((scores > 0).sum())]
        return Choice(order if self.keep is None else order[: self.keep], scores)

    def _coefficients(self, Z: np.ndarray, target: Target, patients: np.ndarray) -> np.ndarray:
        if target.kind in ("continuous", "ordinal"):
            return self._least_squares(Z, target, patients)
        settings: dict[str, Any] = {
            "l1_ratios": tuple(self.l1_ratios),
            "inner_folds": self.inner_folds,
            "seed": self.seed,
        }
        with warnings.catch_warnings():  # it is asked which coefficients are 0, not what they are
            warnings.simplefilter("ignore", ConvergenceWarning)
            if target.time is not None:
                y = np.empty(len(target), dtype=[("event", "?"), ("time", "<f8")])
                y["event"], y["time"] = target.event, target.timed
                return np.abs(PenalisedCox(**settings).fit(Z, y, patients).coef_)
            found = np.zeros(Z.shape[1])
            labels = np.unique(target.value)
            for label in labels[1:] if len(labels) == 2 else labels:
                model = PenalisedLogistic(**settings).fit(Z, (target.value == label).astype(np.int64), patients)
                found = np.maximum(found, np.abs(model.coef_))
        return found

    def _least_squares(self, Z: np.ndarray, target: Target, patients: np.ndarray) -> np.ndarray:
        """ElasticNetCV over folds of whole patients."""
        count = inner_count(np.ones(len(target), np.int64), patients, self.inner_folds, both=False)
        place = deal(target.strata, patients, count, np.random.default_rng(self.seed))
        splits = [(np.flatnonzero(place != k), np.flatnonzero(place == k)) for k in range(count)]
        model = ElasticNetCV(l1_ratio=list(self.l1_ratios), cv=splits, max_iter=5000, eps=0.01, alphas=50)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(Z, target.numbers()[:, 0])
        return np.abs(model.coef_)


class LassoParams(Section):
    """Features that a lasso holds."""

    keep: int | None = Field(20, ge=1, description="at most so many features; empty: no limit")
    inner_folds: int = Field(5, ge=2, description="folds that choose the penalty, inside the training rows")


class ElasticNetParams(LassoParams):
    """Features that an elastic net holds."""

    l1_ratios: tuple[float, ...] = Field((0.2, 0.5, 0.8), min_length=1, description="shares of L1 to choose among")


def _build_lasso(params: LassoParams, kind: Kind, seed: int) -> Any:
    return PenalisedChoice((1.0,), params.keep, params.inner_folds, seed, kind)


def _build_elastic_net(params: ElasticNetParams, kind: Kind, seed: int) -> Any:
    return PenalisedChoice(params.l1_ratios, params.keep, params.inner_folds, seed, kind)


LASSO = Method(
    "lasso",
    KINDS,
    LassoParams,
    _build_lasso,
    "the features that a lasso holds at the penalty that inner folds choose",
)
ELASTIC_NET = Method(
    "elastic-net",
    KINDS,
    ElasticNetParams,
    _build_elastic_net,
    "the features that an elastic net holds at the penalty that inner folds choose",
)
