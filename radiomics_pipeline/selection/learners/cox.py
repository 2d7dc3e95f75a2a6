"""Cox regression under a ridge, its penalty chosen by inner folds; and the elastic nets as rows of the table."""

from __future__ import annotations

from typing import Any

import numpy as np

from radiomics_pipeline.selection.learners.baseline_hazard import TIMED_KINDS, HazardLearner
from radiomics_pipeline.selection.learners.cox_path import RiskSets, cox_paths
from radiomics_pipeline.selection.learners.inner import positive
from radiomics_pipeline.selection.learners.logistic import LassoParams, NetParams, RidgeParams
from radiomics_pipeline.selection.learners.penalised import PenalisedCox
from radiomics_pipeline.selection.learners.rotation import rotate
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.validation.folds import deal, inner_count
from radiomics_pipeline.stats.hazard import breslow
from radiomics_pipeline.types.outcome import Kind

WEAKEST, STRONGEST = 1e2, 1e-3
"""Variances of the log hazard, under the prior that a ridge is, between which penalties lie."""
ROUGH, EXACT = 1e-3, 1e-14
"""Drop of the deviance below which Newton's steps end: while penalties are compared, and for the one chosen."""


class CoxRidge(HazardLearner):
    """Cox regression with negative log partial likelihood (ties after Efron) + penalty |coefficients|^2 / 2.

    The penalty is that of the smallest deviance of the patients left out by inner folds, the largest of equal ones:
    the deviance of all rows less that of the training rows (Verweij and van Houwelingen, Stat Med 1993;12:2305,
    doi 10.1002/sim.4780122407). Columns are taken as they are: scale them before. Equals scikit-survival's
    CoxPHSurvivalAnalysis(alpha=penalty, ties="efron"), in as many dimensions as there are rows at most.

    penalty : None: chosen
    steps : how many penalties are tried
    inner_folds, seed : of the inner folds; fewer where fewer patients have the event, of whom two are needed
    repeats : how often inner folds are dealt

    coef_ : float64 [columns]; mean_ : float64 [columns], of the training rows, where the risk is 0
    penalty_ : the one used; loss_ : float64 [steps], deviances / 2 of the rows left out, from strong to weak
    baseline_ : cumulative hazard of a row at the mean (Breslow)
    """

    def __init__(
        self, penalty: float | None = None, steps: int = 20, inner_folds: int = 5, repeats: int = 3, seed: int = 0
    ) -> None:
        self.penalty = penalty
        self.steps = steps
        self.inner_folds = inner_folds
        self.repeats = repeats
        self.seed = seed

    def _fit(self, X: np.ndarray, time: np.ndarray, event: np.ndarray, groups: np.ndarray) -> None:
        rotation = rotate(X)
        whole = RiskSets(time, event, np.ones((len(X), 1), np.bool_))
        z = rotation.scores[whole.order]
        if self.penalty is None:
            penalties = penalty_row(z, self.steps)
            self.loss_ = self._held_out(z, whole, time, event, groups, penalties)
            self.penalty_ = float(penalties[int(np.argmin(self.loss_))])
        else:
            self.penalty_ = positive(self.penalty, "penalty")
        weights = cox_paths(z, whole, np.array([self.penalty_]), EXACT)[-1, :, 0]
        self.coef_, self.mean_ = rotation.axes @ weights, rotation.mean
        self.baseline_ = breslow(self._risk(X), time, event)

    def _held_out(  # noqa: PLR0917 -- the rows and what is tried on them
        self,
        z: np.ndarray,
        whole: RiskSets,
        time: np.ndarray,
        event: np.ndarray,
        groups: np.ndarray,
        penalties: np.ndarray,
    ) -> np.ndarray:
        count = inner_count(event, groups, self.inner_folds, both=False)
        deals = [deal(event, groups, count, np.random.default_rng([self.seed, r])) for r in range(self.repeats)]
        members = np.column_stack([place != f for place in deals for f in range(count)])
        sets = RiskSets(time, event, members)
        all_rows = RiskSets(time, event, np.ones_like(members))
        loss = np.zeros(len(penalties))
        for k, weights in enumerate(cox_paths(z, sets, penalties, ROUGH)):
            eta = z @ weights
            loss[k] = (all_rows.loss(eta) - sets.loss(eta)).sum()
        return loss / self.repeats

    def _risk(self, X: np.ndarray) -> np.ndarray:
        return np.asarray((X - self.mean_) @ self.coef_)


def penalty_row(scores: np.ndarray, steps: int) -> np.ndarray:
    """Falling penalties, float64 [steps], under whose priors an average row's log hazard has variances from STRONGEST
    to WEAKEST.

    A ridge of penalty L is a normal prior of variance 1 / L for coefficients. scores : float64 [rows, axes], centred
    """
    spread = max(float((scores**2).sum()) / len(scores), 1e-12)
    return np.asarray(spread / np.geomspace(STRONGEST, WEAKEST, steps))


def _ridge(params: RidgeParams, kind: Kind, seed: int) -> Any:
    return CoxRidge(None, params.steps, params.inner_folds, params.repeats, seed)


def _net(params: NetParams, kind: Kind, seed: int) -> Any:
    return PenalisedCox(
        l1_ratios=params.l1_ratios,
        steps=params.steps,
        smallest=params.smallest,
        inner_folds=params.inner_folds,
        seed=seed,
    )


def _lasso(params: LassoParams, kind: Kind, seed: int) -> Any:
    return _net(NetParams(l1_ratios=(1.0,), **params.model_dump()), kind, seed)


COX_RIDGE = Method(
    "ridge",
    TIMED_KINDS,
    RidgeParams,
    _ridge,
    "Cox regression that shrinks all coefficients, keeps every feature",
)
COX_ELASTIC_NET = Method(
    "elastic-net", TIMED_KINDS, NetParams, _net, "Cox regression that keeps few features, like ones together"
)
COX_LASSO = Method("lasso", TIMED_KINDS, LassoParams, _lasso, "Cox regression that keeps few features (L1)")
