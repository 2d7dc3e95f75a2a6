"""The R2 of Cox and Snell that may be expected of a model before it is made."""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit, ndtri

from radiomics_pipeline.errors import ParamsError

MODEST = 0.15
"""Share of the largest possible R2 to be anticipated where nothing is known (Riley et al., BMJ 2020;368:m441)."""


def max_r2_binary(prevalence: float) -> float:
    """Largest Cox and Snell R2 that a binary outcome allows."""
    inside("prevalence", prevalence)
    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)
    return float(-np.expm1(2 * null))


def max_r2_survival(events: float) -> float:
    """Largest Cox and Snell R2 of an exponential model; events : per patient; time in mean follow-ups."""
    if not events > 0:
        raise ParamsError(f"{events} events per patient; there must be some")
    return float(-np.expm1(2 * events * (np.log(events) - 1)))


def modest_r2(max_r2: float) -> float:
    """R2 to be anticipated where nothing is known: 15 % of the largest possible."""
    return MODEST * max_r2


def r2_from_auc(auc: float, prevalence: float) -> float:
    """Cox and Snell's R2 that goes with an area under the ROC curve.

    auc : over 0.5 and below 1. For linear predictors that are normal with one spread in both classes: the expectation
    that Riley, Van Calster and Collins simulate (Stat Med 2021;40:859, doi 10.1002/sim.8806), here by quadrature
    """
    inside("prevalence", prevalence)
    if not 0.5 < auc < 1:
        raise ParamsError(f"area {auc}; it must lie over 0.5 and below 1")
    apart = float(np.sqrt(2) * ndtri(auc))
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    base = np.log(prevalence / (1 - prevalence)) - apart**2 / 2
    seen = prevalence * (weights @ log_expit(base + apart * (nodes + apart)))
    seen += (1 - prevalence) * (weights @ log_expit(-(base + apart * nodes)))
    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)
    return float(-np.expm1(2 * (null - seen)))


def inside(what: str, share: float) -> None:
    """Raise ParamsError for a share that is not over 0 and below 1."""
    if not 0 < share < 1:
        raise ParamsError(f"{what} {share}; it must lie over 0 and below 1")
