"""Performance corrected for having been measured on the rows of the fit, from bootstrap samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.checked import class_probabilities_of, probabilities_of

NAN = float("nan")
OUT = 0.632
"""Chance of a row to be in a bootstrap sample, 1 - 1 / e."""
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Plus632:
    """The .632+ estimate.

    estimate : (1 - weight) apparent + weight out_of_bag; plain : the .632 estimate, with weight 0.632
    overfitting : 0 (none) to 1 (the rows left out are predicted no better than by chance)
    out_of_bag : mean over draws, not worse than no_information
    """

    estimate: float
    plain: float
    weight: float
    overfitting: float
    out_of_bag: float
    no_information: float
    n_draws: int
    note: str = ""


@dataclass(frozen=True)
class Optimism:
    """Harrell's optimism: mean excess of a bootstrap fit on its own rows over all rows; corrected : apparent less it.

    lower, upper : percentiles of the own-rows values, moved by the optimism
    """

    optimism: float
    corrected: float
    lower: float
    upper: float
    n_draws: int
    note: str = ""


def plus_632(apparent: float, out_of_bag: np.ndarray, no_information: float, better: Better) -> Plus632:
    """The .632+ estimate of a performance measure.

    apparent : of the model fitted to all rows, on the same rows
    out_of_bag : float64 [draws], of each bootstrap fit on the rows (patients) not drawn; NaN draws are left out
    no_information : the measure where predictions and outcomes are independent: 0.5 for areas and C,
        `no_information_brier` for the Brier score
    better : whether higher or lower is better; measures that are best in between have no such estimate

    Efron and Tibshirani, J Am Stat Assoc 1997;92:548, doi 10.1080/01621459.1997.10474007, with the mean over draws in
    place of their mean over rows. Areas and C, which are better when higher, enter with their sign turned.
    """
    sign = {"higher": -1.0, "lower": 1.0}.get(better)
    if sign is None:
        raise ParamsError(f"better: {better!r} is neither higher nor lower")
    drawn = np.asarray(out_of_bag, np.float64)
    kept = drawn[~np.isnan(drawn)]
    lost = f"{len(drawn) - len(kept)} of {len(drawn)} draws have no score" if len(kept) < len(drawn) else ""
    if not len(kept) or np.isnan(apparent) or np.isnan(no_information):
        return Plus632(NAN, NAN, NAN, NAN, NAN, no_information, len(kept), lost or "a part of it has no score")
    error, chance, out = sign * apparent, sign * no_information, sign * float(kept.mean())
    plain = sign * ((1 - OUT) * error + OUT * out)
    held = min(out, chance)
    overfitting = (held - error) / (chance - error) if out > error and chance > error else 0.0
    weight = OUT / (1 - (1 - OUT) * overfitting)
    estimate = sign * ((1 - weight) * error + weight * held)
    return Plus632(estimate, plain, weight, overfitting, sign * held, no_information, len(kept), lost)


def optimism(apparent: float, own: np.ndarray, everyone: np.ndarray, level: float = 0.95) -> Optimism:
    """Performance less its optimism.

    apparent : of the model fitted to all rows, on the same rows
    own, everyone : float64 [draws], of each bootstrap fit on the rows drawn, and on all rows; a draw in which either is
        NaN is left out of both

    Harrell, Lee and Mark, Stat Med 1996;15:361, doi 10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.
    The interval is that of the apparent value, moved (Noma et al., Stat Med 2021;40:5691, doi 10.1002/sim.9148): it
    leaves out how much the optimism itself varies, and is somewhat short. Not cut at 0 or 1.
    """
    first, second = np.asarray(own, np.float64), np.asarray(everyone, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ParamsError(f"values of shape {first.shape} on own rows and {second.shape} on all; give both a draw")
    both = ~(np.isnan(first) | np.isnan(second))
    lost = f"{int((~both).sum())} of {len(both)} draws have no score" if not both.all() else ""
    if not both.any() or np.isnan(apparent):
        return Optimism(NAN, NAN, NAN, NAN, int(both.sum()), lost or "a part of it has no score")
    excess = float((first - second)[both].mean())
    lower, upper = NAN, NAN
    if both.sum() > 1:
        low, high = np.quantile(first[both], (0.5 - level / 2, 0.5 + level / 2))
        lower, upper = float(low) - excess, float(high) - excess
    return Optimism(excess, apparent - excess, lower, upper, int(both.sum()), lost)


def no_information_brier(p: np.ndarray, event: np.ndarray) -> float:
    """Brier score where every prediction meets every outcome: its value if the two had nothing to do with each other.

    p : float64 [rows], of the model fitted to all rows, or float64 [rows, classes]; event : bool [rows], or the classes
    """
    if np.ndim(p) == 2:
        table, codes = class_probabilities_of(p, event)
        shares = np.bincount(codes, minlength=table.shape[1]) / len(codes)
        return float(((table**2).mean(axis=0) - 2 * table.mean(axis=0) * shares + shares).sum())
    found, flags = probabilities_of(p, event)
    share = float(flags.mean())
    return float((found**2).mean() - 2 * found.mean() * share + share)
