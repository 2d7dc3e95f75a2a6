"""How many candidate parameters a study can carry: said before any fit, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.special import ndtri

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.validation.metrics import default_horizon
from radiomics_pipeline.stats.anticipated_r2 import MODEST, max_r2_binary, max_r2_survival
from radiomics_pipeline.stats.linear_size import continuous_size, continuous_support
from radiomics_pipeline.stats.sample_size import (
    RISK,
    SHRINKAGE,
    Criterion,
    binary_size,
    binary_support,
    survival_size,
    survival_support,
)
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.report import NAN, SampleSizeRow

WANTED = 0.9
"""Shrinkage of the coefficients that is still accepted."""
MARGIN = 0.05
"""Half width of the 95 % interval of a class's share."""
Sizes = tuple[tuple[tuple[str, int], ...], int]
"""Of every criterion the name and the rows needed; and the parameters that the study supports."""


def sample_size_rows(
    outcome: Outcome, n_candidate_parameters: int, *, explained: float = MODEST, horizon: float | None = None
) -> tuple[SampleSizeRow, ...]:
    """Every criterion of Riley and others for this outcome, with what the study has.

    outcome : of the rows to be trained on; of patients with several rows give one, rows of one patient count as one
    n_candidate_parameters : coefficients that are open before any selection: every column that selection may choose,
        a category one less than its texts
    explained : anticipated R2 over its largest value, between 0 and 1; of a number, the anticipated R2 itself
    horizon : time of the overall risk of a timed outcome; None for the median time of the events

    Competing events count as lost. The criteria know no penalties: a penalised or selected model may carry more
    candidates than they say, at a shrinkage that is then itself estimated from too few rows (Riley et al., J Clin
    Epidemiol 2021;132:88, doi 10.1016/j.jclinepi.2020.12.005).
    Raises ParamsError for counts below 1 or shares beyond 0 to 1.
    """
    if n_candidate_parameters < 1 or not 0 < explained < 1:
        raise ParamsError(
            f"{n_candidate_parameters} candidate parameters and an anticipated share of {explained:g}; give at least "
            "one and a share between 0 and 1"
        )
    n, p = len(outcome), int(n_candidate_parameters)
    events = _events(outcome)
    sizes, supported = _sizes(outcome, p, explained, horizon)
    found = []
    for name, required in sizes:
        needed = required * events / n
        epp = (required if np.isnan(events) else needed) / p
        found.append(SampleSizeRow(name, p, float(required), needed, epp, n, events, float(supported), n >= required))
    return tuple(found)


def sample_size_notes(
    outcome: Outcome, n_candidate_parameters: int, *, explained: float = MODEST, horizon: float | None = None
) -> tuple[str, ...]:
    """One or two sentences: how many parameters this study supports, and the rows that its candidates would need.

    Arguments as of `sample_size_rows`. Never refuses for want of rows.
    """
    rows = sample_size_rows(outcome, n_candidate_parameters, explained=explained, horizon=horizon)
    n, events, p = rows[0].n, rows[0].events, rows[0].parameters
    supported = int(rows[0].supported)
    most = max(rows, key=lambda row: row.required_n)
    has = f"{n} rows" if np.isnan(events) else f"{n} rows with {events:g} {_called(outcome)}"
    allowed = "no candidate parameter" if not supported else f"{supported} candidate parameter{'s' * (supported > 1)}"
    first = (
        f"sample size: {has} support {allowed} without a penalty (Riley's criteria, anticipating "
        f"{explained:.0%} of the {'variance' if outcome.kind == 'continuous' else 'largest R2'})"
    )
    overall = [row for row in rows if row.criterion == RISK and not row.met]
    if most.met:
        return (f"{first}; the candidates here ({p}) need {most.required_n:.0f} rows",)
    wanted = f"{most.required_n:.0f} rows"
    if not np.isnan(events):
        wanted += f" with about {math.ceil(most.required_events):d} {_called(outcome)}"
    second = (
        f"sample size: the candidate parameters here ({p}) would need {wanted} ({most.criterion}); a "
        "penalty does not make up for them: trust results of rows left out, best of an external table"
    )
    if overall and overall[0] is not most:
        second += f"; even the overall risk needs {overall[0].required_n:.0f} rows"
    return first, second


def _sizes(outcome: Outcome, p: int, explained: float, horizon: float | None) -> Sizes:
    n = len(outcome)
    if outcome.kind == "continuous":
        return _pairs(continuous_size(p, explained).criteria), continuous_support(n, explained).parameters
    if outcome.time is not None:
        events, followed = int(outcome.event.sum()), float(outcome.time.sum())
        at = default_horizon(outcome) if horizon is None else horizon
        r2 = explained * max_r2_survival(events / n)
        found = survival_size(p, r2, events / followed, at, followed / n)
        return _pairs(found.criteria), survival_support(n, events, followed, at, r2).parameters
    if outcome.kind == "binary":
        share = float(outcome.event.mean())
        r2 = explained * max_r2_binary(share)
        found = binary_size(p, r2, share)
        return _pairs(found.criteria), binary_support(n, int(outcome.event.sum()), r2).parameters
    return class_sizes(n, p, np.bincount(outcome.value.astype(np.int64)) / n, explained)


def _pairs(criteria: Sequence[Criterion]) -> tuple[tuple[str, int], ...]:
    return tuple((c.name, c.n) for c in criteria)


def class_sizes(n: int, parameters: int, shares: np.ndarray, explained: float) -> Sizes:
    """Several classes of these shares; explained : of the largest R2 of every pair of classes, anticipated.

    Every pair of classes needs the rows of a binary model of the two, and there are as many rows of the two as their
    share says. Pate et al., Stat Methods Med Res 2023;32:555, doi 10.1177/09622802231151220.
    """
    each = []
    for i, j in combinations(range(len(shares)), 2):
        both = float(shares[i] + shares[j])
        r2 = explained * max_r2_binary(float(shares[i]) / both)
        each.append(1 / ((WANTED - 1) * np.log1p(-r2 / WANTED)) / both)
    z = float(ndtri(1 - 0.025 / len(shares)))
    overall = max((z / MARGIN) ** 2 * s * (1 - s) for s in shares)
    sizes = ((SHRINKAGE, math.ceil(parameters * max(each) - 1e-9)), (RISK, math.ceil(overall - 1e-9)))
    return sizes, math.floor(n / max(each) + 1e-9)


def _events(outcome: Outcome) -> float:
    """Events; of classes the rows of the rarest, since they bound what can be learnt; NaN of a number."""
    if outcome.kind == "continuous":
        return NAN
    if outcome.time is not None:
        return float(outcome.event.sum())
    return float(np.bincount(outcome.value.astype(np.int64)).min())


def _called(outcome: Outcome) -> str:
    return (
        "events"
        if outcome.time is not None
        else "in the rarest class"
        if outcome.kind != "binary"
        else "in the rarer class"
    )
