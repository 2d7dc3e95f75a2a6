"""How many patients a prediction model needs, and how many parameters a study can bear: Riley's criteria.

Riley et al., Stat Med 2019;38:1276, doi 10.1002/sim.7992 (binary, time to event) and 2019;38:1262, doi 10.1002/sim.7993
(continuous); for readers BMJ 2020;368:m441, doi 10.1136/bmj.m441. Parameters are counted before any selection: a screen
of 1000 features spends 1000 of them. The criteria hold for regression without penalty; forests and networks need more
(van der Ploeg et al., BMC Med Res Methodol 2014;14:137, doi 10.1186/1471-2288-14-137), penalised ones are not excused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.anticipated_r2 import inside, max_r2_binary, max_r2_survival, modest_r2

Z = 1.96
"""As in the papers."""


@dataclass(frozen=True)
class Criterion:
    """One criterion: the smallest number of patients that meets it, and the shrinkage to be expected with as many."""

    name: str
    n: int
    shrinkage: float = float("nan")


@dataclass(frozen=True)
class SampleSize:
    """What a model with `parameters` candidate parameters needs.

    r2 : anticipated, adjusted (Cox and Snell's for binary and timed outcomes); max_r2 : the largest possible
    n : patients that meet all criteria; events : to be expected among them; per_parameter : events a parameter (rows a
        parameter for continuous outcomes); binding : the criterion that asks for most
    """

    parameters: int
    r2: float
    max_r2: float
    criteria: tuple[Criterion, ...]
    n: int
    events: float
    per_parameter: float
    binding: str


@dataclass(frozen=True)
class Support:
    """What a study of `n` patients bears.

    parameters : the largest number of candidate parameters with which the criteria on overfitting are met; 0 for none
    precise : whether n is enough for the criterion on the overall risk (mean and residual spread), whatever the number
        of parameters
    binding : criterion that sets the limit; note : a sentence for a warning
    """

    n: int
    events: float
    r2: float
    max_r2: float
    parameters: int
    precise: bool
    binding: str
    note: str


SHRINKAGE, DIFFERENCE, RISK = "shrinkage", "apparent less adjusted R2", "overall risk"


def binary_size(
    parameters: int,
    r2: float,
    prevalence: float,
    *,
    shrinkage: float = 0.9,
    difference: float = 0.05,
    margin: float = 0.05,
) -> SampleSize:
    """Patients for a logistic model.

    r2 : Cox and Snell's R2 to be expected of new patients; see `modest_r2` and `r2_from_auc`
    prevalence : of the event; shrinkage : the slope wanted in new patients; difference : largest apparent less adjusted
        R2, as a share of the largest R2; margin : of the 95 % interval of the overall risk

    Raises ParamsError for numbers that cannot be.
    """
    inside("prevalence", prevalence)
    top = max_r2_binary(prevalence)
    check_r2(parameters, r2, top, shrinkage)
    risk = Criterion(RISK, round_up((Z / margin) ** 2 * prevalence * (1 - prevalence)))
    return joined(parameters, r2, top, (*_overfitting(parameters, r2, top, shrinkage, difference), risk), prevalence)


def survival_size(
    parameters: int,
    r2: float,
    rate: float,
    horizon: float,
    mean_follow_up: float,
    *,
    shrinkage: float = 0.9,
    difference: float = 0.05,
    margin: float = 0.05,
) -> SampleSize:
    """Patients for a proportional hazards model.

    r2 : Cox and Snell's; rate : events per person and unit of time; horizon, mean_follow_up : in the same unit; others
    as in `binary_size`. The overall risk is that of a constant rate at the horizon, 1 - exp(-rate * horizon). The R
    package pmsampsize rounds events up to a whole number in 10 000 patients, and so may differ by one patient.
    """
    events = rate * mean_follow_up
    if not (rate > 0 and horizon > 0 and mean_follow_up > 0):
        raise ParamsError(f"rate {rate}, horizon {horizon}, mean follow-up {mean_follow_up}; all must be over 0")
    top = max_r2_survival(events)
    check_r2(parameters, r2, top, shrinkage)
    risk = Criterion(RISK, _risk_size(rate, horizon, mean_follow_up, margin))
    return joined(parameters, r2, top, (*_overfitting(parameters, r2, top, shrinkage, difference), risk), events)


def binary_support(
    n: int, events: int, r2: float | None = None, *, shrinkage: float = 0.9, difference: float = 0.05
) -> Support:
    """Parameters that a study with a binary outcome bears; r2 : as in `binary_size`, None for `modest_r2`."""
    if not 0 < events < n:
        raise ParamsError(f"{events} events among {n} patients; there must be patients with and without")
    top = max_r2_binary(events / n)
    given = modest_r2(top) if r2 is None else r2
    check_r2(1, given, top, shrinkage)
    risk = binary_size(1, given, events / n, shrinkage=shrinkage).criteria[2].n
    return _support((n, events), (given, top), (shrinkage, difference), risk)


def survival_support(
    n: int,
    events: int,
    follow_up: float,
    horizon: float,
    r2: float | None = None,
    *,
    shrinkage: float = 0.9,
    difference: float = 0.05,
) -> Support:
    """Parameters that a study of times to an event bears; follow_up : sum over patients, horizon : in the same unit."""
    if not 0 < events <= n or not follow_up > 0 or not horizon > 0:
        raise ParamsError(f"{events} events among {n} patients in a follow-up of {follow_up}, horizon {horizon}")
    top = max_r2_survival(events / n)
    given = modest_r2(top) if r2 is None else r2
    check_r2(1, given, top, shrinkage)
    risk = _risk_size(events / follow_up, horizon, follow_up / n, 0.05)
    return _support((n, events), (given, top), (shrinkage, difference), risk)


def _per_patient(r2: float, shrinkage: float) -> float:
    """Parameters that one patient pays for, at a shrinkage."""
    return float((shrinkage - 1) * np.log1p(-r2 / shrinkage))


def _difference_shrinkage(r2: float, top: float, difference: float) -> float:
    return r2 / (r2 + difference * top)


def _overfitting(
    parameters: int, r2: float, top: float, shrinkage: float, difference: float
) -> tuple[Criterion, Criterion]:
    other = _difference_shrinkage(r2, top, difference)
    return (
        Criterion(SHRINKAGE, round_up(parameters / _per_patient(r2, shrinkage)), shrinkage),
        Criterion(DIFFERENCE, round_up(parameters / _per_patient(r2, other)), other),
    )


def joined(parameters: int, r2: float, top: float, criteria: tuple[Criterion, ...], events: float) -> SampleSize:
    """The size that meets all criteria; events : per patient."""
    most = max(criteria, key=lambda c: c.n)
    return SampleSize(parameters, r2, top, criteria, most.n, most.n * events, most.n * events / parameters, most.name)


def _support(study: tuple[int, int], r2: tuple[float, float], wanted: tuple[float, float], needed: int) -> Support:
    """study : patients, events; r2 : anticipated, largest; wanted : shrinkage, difference; needed : for the risk."""
    n, events = study
    bounds = {
        SHRINKAGE: n * _per_patient(r2[0], wanted[0]),
        DIFFERENCE: n * _per_patient(r2[0], _difference_shrinkage(*r2, wanted[1])),
    }
    binding = min(bounds, key=lambda name: bounds[name])
    parameters, precise = int(np.floor(bounds[binding] + 1e-9)), n >= needed
    note = sentence(n, events, r2[0], parameters, precise)
    return Support(n, events, *r2, parameters, precise, binding, note)


def sentence(n: int, events: int | None, r2: float, parameters: int, precise: bool) -> str:
    """What a study bears, as a warning says it."""
    rows = f"{n} patients" + (f" with {events} events" if events is not None else "")
    vague = "" if precise else "; they are too few even for the overall level of the outcome"
    return f"{rows} bear {parameters} candidate parameters at an anticipated R2 of {r2:.3g}{vague}"


def _risk_size(rate: float, horizon: float, mean_follow_up: float, margin: float) -> int:
    """Patients so that both ends of the rate's interval, rate -+ 1.96 sqrt(rate / time), keep the risk within it."""
    survival = float(np.exp(-rate * horizon))
    reaches = []
    if 1 - survival > margin:  # else even a rate of 0 is near enough
        reaches.append(float(np.log1p(margin / survival)) / horizon)
    if survival > margin:
        reaches.append(-float(np.log1p(-margin / survival)) / horizon)
    return max((round_up(Z**2 * rate / (reach**2 * mean_follow_up)) for reach in reaches), default=1)


def round_up(x: float) -> int:
    """The next whole number; what exceeds one by rounding only counts as that one."""
    return max(1, int(np.ceil(x - 1e-9 * max(1.0, abs(x)))))


def check_r2(parameters: int, r2: float, top: float, shrinkage: float) -> None:
    """Raise ParamsError for a number of parameters, an R2 or a shrinkage that cannot be."""
    if parameters < 1 or parameters != int(parameters):
        raise ParamsError(f"{parameters} parameters; give a whole number, at least 1")
    inside("shrinkage", shrinkage)
    if not 0 < r2 < top or r2 >= shrinkage:
        raise ParamsError(
            f"R2 {r2:g}; it must lie over 0 and below the largest possible, {top:.4g}, and the shrinkage, {shrinkage:g}"
        )
