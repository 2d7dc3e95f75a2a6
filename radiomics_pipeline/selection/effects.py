"""The regression of every feature by itself, or beside adjusting columns: an effect with its interval and test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri, stdtrit

from radiomics_pipeline.kernels.added import UNENDED
from radiomics_pipeline.kernels.ranks import centred_ranks
from radiomics_pipeline.stats.correlation import spearman_columns
from radiomics_pipeline.stats.cox import cox_lrt, cox_robust_p
from radiomics_pipeline.stats.firth_columns import firth_columns
from radiomics_pipeline.stats.linear import linear_test
from radiomics_pipeline.stats.logistic import logistic_lrt
from radiomics_pipeline.stats.partial import SEPARATED, WHY, Added
from radiomics_pipeline.types.outcome import Outcome

ITSELF = "adjusting column itself"
ONE_OF = "one of the adjusting columns, given the others"
FEW = 10
"""Rows of the smaller class below which a logistic coefficient is too far from 0 on average, and Firth's is given."""
FIRTH = "Firth penalised likelihood ratio"


@dataclass(frozen=True)
class Effect:
    """The regression of every column: arrays and tests [columns]."""

    measure: str
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coefficient: np.ndarray
    error: np.ndarray
    p: np.ndarray
    tests: tuple[str, ...]
    n: np.ndarray
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """What every model has beside the column. groups : of each row the patient; None where each has one row."""

    groups: np.ndarray | None = None
    adjust: np.ndarray | None = None
    used: np.ndarray | None = None


def effect_of(values: np.ndarray, outcome: Outcome, given: Given) -> Effect:
    """The regression that belongs to the outcome's kind, with the adjusting columns where there are some."""
    beside = {"adjust": given.adjust, "used": given.used, "groups": given.groups}
    way = "likelihood ratio" if given.groups is None else "robust score"
    if outcome.kind == "binary":
        found = _ratio("odds ratio per SD", logistic_lrt(values, outcome.event, **beside), f"logistic {way}")
        return _penalised(found, values, outcome.event, given) if given.groups is None else found
    if outcome.time is not None:
        fit = cox_lrt(values, outcome.time, outcome.event, **beside)
        found = _ratio("hazard ratio per SD", fit, _cox_test(given, outcome))
        if given.groups is None or given.adjust is not None:
            return found
        return replace(found, p=cox_robust_p(values, outcome.time, outcome.event, given.groups))
    if outcome.kind == "continuous":
        fit = linear_test(values, outcome.value, **beside)
        reach = stdtrit(np.maximum(fit.freedom, 1), 0.975) if given.groups is None else float(ndtri(0.975))
        return _slope(fit, reach * fit.standard_error, "F" if given.groups is None else "robust score")
    if outcome.kind == "ordinal":
        return _rank_effect(values, outcome, given)
    fit = logistic_lrt(values, outcome.strata, **beside)
    blank = np.full(len(fit.n), np.nan)
    share = -np.expm1(-2 * fit.gain / np.maximum(fit.n, 1))
    tests = (f"multinomial {way}",) * len(fit.n)
    return Effect("likelihood R2", share, blank, blank, blank, blank, fit.p, tests, fit.n, fit.reasons)


def _penalised(effect: Effect, values: np.ndarray, event: np.ndarray, given: Given) -> Effect:
    """Firth's odds ratio where the classes do not overlap, the iteration did not end, or one class has few rows."""
    few = _smaller_class(values, event, given) < FEW
    fitted = np.array([reason == "" for reason in effect.reasons])
    apart = np.isinf(effect.coefficient) | np.array([SEPARATED in reason for reason in effect.reasons])
    unended = np.array([WHY[UNENDED] in reason for reason in effect.reasons])
    at = np.flatnonzero((few & fitted) | apart | unended)
    if not len(at):
        return effect
    used = None if given.used is None else given.used[at]
    fit = firth_columns(values[:, at], event, adjust=given.adjust, used=used)
    with np.errstate(over="ignore"):
        ratio, lower, upper = (np.exp(ends) for ends in (fit.coefficient, fit.lower, fit.upper))
    tests, reasons = list(effect.tests), list(effect.reasons)
    for c, ended in zip(at, fit.converged, strict=True):
        why = "separation" if apart[c] else f"fewer than {FEW} rows of one class" if few[c] else WHY[UNENDED]
        tests[c] = FIRTH
        reasons[c] = f"{why}: Firth's odds ratio" + ("" if ended else ", whose iteration did not end")

    def instead(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        whole = old.copy()
        whole[at] = new
        return whole

    return replace(
        effect,
        value=instead(effect.value, ratio),
        lower=instead(effect.lower, lower),
        upper=instead(effect.upper, upper),
        coefficient=instead(effect.coefficient, fit.coefficient),
        error=instead(effect.error, fit.standard_error),
        p=instead(effect.p, fit.p),
        tests=tuple(tests),
        reasons=tuple(reasons),
    )


def _smaller_class(values: np.ndarray, event: np.ndarray, given: Given) -> np.ndarray:
    """Rows of the smaller class that have the column and its adjusting ones, int64 [columns]."""
    there = ~np.isnan(values)
    if given.adjust is not None and np.isnan(given.adjust).any():
        gaps = np.isnan(given.adjust).astype(np.float64)
        chosen = np.ones((values.shape[1], gaps.shape[1])) if given.used is None else given.used
        there &= gaps @ np.transpose(chosen) == 0
    return np.asarray(np.minimum(there[event].sum(axis=0), there[~event].sum(axis=0)))


def _cox_test(given: Given, outcome: Outcome) -> str:
    which = "cause-specific Cox" if outcome.kind == "competing" else "Cox"
    return f"{which} {'likelihood ratio' if given.groups is None else 'robust score'}"


def _ratio(measure: str, fit: Added, test: str) -> Effect:
    """Odds or hazard ratio with Wald's interval."""
    reach = float(ndtri(0.975)) * fit.standard_error
    with np.errstate(over="ignore"):
        value, lower, upper = (np.exp(fit.coefficient + shift) for shift in (0.0, -reach, reach))
    tests = (test,) * len(fit.n)
    return Effect(measure, value, lower, upper, fit.coefficient, fit.standard_error, fit.p, tests, fit.n, fit.reasons)


def _slope(fit: Added, reach: np.ndarray, test: str) -> Effect:
    b, tests = fit.coefficient, (test,) * len(fit.n)
    return Effect("slope per SD", b, b - reach, b + reach, b, fit.standard_error, fit.p, tests, fit.n, fit.reasons)


def _rank_effect(values: np.ndarray, outcome: Outcome, given: Given) -> Effect:
    """Spearman's correlation with an ordered class; given others, the partial correlation of ranks."""
    blank, width = np.full(values.shape[1], np.nan), values.shape[1]
    if given.adjust is None:
        rho = spearman_columns(values, outcome.value, given.groups)
        test = "Spearman" if given.groups is None else "rank correlation by patient"
        reasons = tuple("constant, or no values" if np.isnan(r) else "" for r in rho.rho)
        return Effect("spearman", rho.rho, rho.lower, rho.upper, blank, blank, rho.p, (test,) * width, rho.n, reasons)
    fit = linear_test(
        ranks_of(values),
        ranks_of(outcome.value[:, None])[:, 0],
        adjust=ranks_of(given.adjust),
        used=given.used,
        groups=given.groups,
    )
    partial = np.sign(fit.coefficient) * np.sqrt(-np.expm1(-2 * fit.gain / np.maximum(fit.n, 1)))
    test = "F of ranks" if given.groups is None else "robust score of ranks"
    tests = (test,) * width
    return Effect("spearman", partial, blank, blank, blank, blank, fit.p, tests, fit.n, fit.reasons)


def not_given_itself(effect: Effect, used: np.ndarray) -> Effect:
    """Blank where a feature is the only adjusting column; said where it is one of several."""
    sole, some = ~np.any(used, axis=1), ~np.all(used, axis=1)
    reasons = tuple(
        ITSELF if sole[c] else "; ".join(filter(None, (ONE_OF if some[c] else "", reason)))
        for c, reason in enumerate(effect.reasons)
    )
    lost = np.where(sole, np.nan, 1.0)
    return replace(
        effect,
        value=effect.value * lost,
        lower=effect.lower * lost,
        upper=effect.upper * lost,
        coefficient=effect.coefficient * lost,
        error=effect.error * lost,
        p=effect.p * lost,
        reasons=reasons,
    )


def ranks_of(values: np.ndarray) -> np.ndarray:
    """Mid-ranks of every column less their mean, float64 [rows, columns], NaN where missing."""
    return np.asarray(centred_ranks(np.array(np.transpose(values), np.float64, order="C"))[0].T)
