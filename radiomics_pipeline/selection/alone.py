"""Every feature alone against the outcome, and what it adds to volume and clinical columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.effects import Effect, Given, effect_of, not_given_itself, ranks_of
from radiomics_pipeline.stats.concordance import compared_times, harrell_c
from radiomics_pipeline.stats.correlation import spearman_columns
from radiomics_pipeline.stats.cox import empty_residuals
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.hand_till import mean_pair_auc
from radiomics_pipeline.stats.information import mutual_information
from radiomics_pipeline.stats.jonckheere import somers_d
from radiomics_pipeline.stats.kruskal import kruskal_p
from radiomics_pipeline.stats.mannwhitney import clustered_p, mannwhitney_p
from radiomics_pipeline.stats.maxt import max_t
from radiomics_pipeline.stats.multiplicity import benjamini_hochberg
from radiomics_pipeline.stats.partial import adjusters
from radiomics_pipeline.types.outcome import CLASSES, TIMED, Outcome
from radiomics_pipeline.types.ranking import UnivariateRow
from radiomics_pipeline.types.table import FeatureTable


@dataclass(frozen=True)
class _Index:
    """The rank statistic of every column: arrays [columns]; chance : its value where nothing goes with the outcome."""

    metric: str
    chance: float
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n: np.ndarray
    events: np.ndarray
    p: np.ndarray
    test: str


def rank_alone(
    table: FeatureTable,
    outcome: Outcome,
    adjust: np.ndarray | None = None,
    *,
    permutations: int = 0,
    seed: int = 0,
) -> tuple[UnivariateRow, ...]:
    """One row a feature, in the order of the table's columns; a missing cell leaves its row out of that feature.

    adjust : float64 [rows, k], volume and clinical columns, NaN where missing; each feature is tested once more given
        these, but not given itself
    permutations : of the outcome between patients, for p_max_t; 0 for none

    | outcome | index | p | effect per standard deviation |
    |---|---|---|---|
    | binary | AUC, DeLong's interval | Mann-Whitney | odds ratio, logistic likelihood ratio (or Firth's) |
    | time to event | Harrell's C | Cox likelihood ratio (Efron) | hazard ratio, the same test |
    | continuous | Spearman's rho | of rho | slope, F |
    | ordinal | Somers' D | Jonckheere-Terpstra | Spearman's rho; adjusted: of ranks (Quade 1967) |
    | several classes | mean AUC of pairs (Hand-Till) | Kruskal-Wallis | share of likelihood, multinomial ratio |

    Where a column separates the classes, or fewer than 10 rows of one class have a value, the odds ratio is Firth's,
    with the profile interval and p of the penalised likelihood; `effect_test` and `note` say so. Given adjusting
    columns the same holds of the rows that have them too, and `note` says so after "adjusted:". Not where patients have
    several rows: there the coefficient of a separation has no end.

    Competing events: C counts a row after a competing event as never having the one of interest (`compared_times`);
    the hazard is that of the cause of interest, the others being censored, and may point the other way. Where patients
    have several rows, these tests would take dependent rows for independent ones: then intervals sum influences by
    patient, and p is that of a score test whose variance comes from the patients' sums; `test` and `effect_test` say
    so. An infinite cell is a missing one. Quade, JASA 1967;62:1187, doi 10.1080/01621459.1967.10500925.

    Raises ParamsError where `adjust` does not fit, OutcomeError where patients can hardly be exchanged.
    """
    infinite = np.isinf(table.values)
    values = np.where(infinite, np.nan, table.values)
    names = np.array(table.patient, dtype=object).astype(str)
    alone = Given(names if len(set(names)) < len(names) else None)
    effect = effect_of(values, outcome, alone)
    index = _index(values, outcome, alone, effect)
    partial = None
    others = None if adjust is None else _checked(adjust, len(table))
    if others is not None:
        used = adjusters(values, others)
        partial = not_given_itself(effect_of(values, outcome, Given(alone.groups, others, used)), used)
    held = np.full(len(table.columns), np.nan)
    if permutations:
        scores = values if outcome.kind in TIMED else ranks_of(values)
        held = max_t(scores, _scores(outcome), permutations=permutations, seed=seed, groups=alone.groups)
    bits = np.full(len(table.columns), np.nan)
    if outcome.kind in CLASSES:
        bits = mutual_information(values, outcome.strata)
    return _rows(
        table.columns,
        index=index,
        effect=effect,
        partial=partial,
        held=held,
        bits=bits,
        infinite=infinite.sum(axis=0),
    )


def _checked(adjust: np.ndarray, n_rows: int) -> np.ndarray:
    """Float64 [rows, k]."""
    others = np.asarray(adjust, np.float64)
    if others.ndim != 2 or len(others) != n_rows or not others.shape[1]:
        raise ParamsError(
            f"adjusting columns of shape {others.shape} for {n_rows} rows; give rows by columns, at least one"
        )
    if np.isinf(others).any():
        raise ParamsError(
            f"{int(np.isinf(others).sum())} cells of the adjusting columns are infinite; leave them empty"
        )
    return others


def _index(values: np.ndarray, outcome: Outcome, given: Given, effect: Effect) -> _Index:
    """The rank statistic that belongs to the outcome's kind; that of a time has the p of its effect."""
    groups, n = given.groups, (~np.isnan(values)).sum(axis=0)
    codes = outcome.strata
    if outcome.kind == "binary":
        areas = auc_delong(values, outcome.event, groups)
        p = mannwhitney_p(areas) if groups is None else clustered_p(values, outcome.event, groups)
        test = "Mann-Whitney" if groups is None else "rank sum by patient"
        return _Index("auc", 0.5, areas.area, areas.lower, areas.upper, n, areas.n_positive, p, test)
    if outcome.time is not None:
        found = harrell_c(values, compared_times(outcome.time, outcome.value), outcome.event, groups)
        return _Index(
            "c_index", 0.5, found.index, found.lower, found.upper, n, found.n_events, effect.p, effect.tests[0]
        )
    if outcome.kind == "continuous":
        rho = spearman_columns(values, outcome.value, groups)
        test = "Spearman" if groups is None else "rank correlation by patient"
        return _Index("spearman", 0.0, rho.rho, rho.lower, rho.upper, n, n, rho.p, test)
    if outcome.kind == "ordinal":
        d = somers_d(values, codes, groups)
        p = d.p if groups is None else spearman_columns(values, outcome.value, groups).p
        test = "Jonckheere-Terpstra" if groups is None else "rank correlation by patient"
        return _Index("somers_d", 0.0, d.d, d.lower, d.upper, n, n, p, test)
    blank = np.full(len(n), np.nan)
    test = "Kruskal-Wallis" if groups is None else "rank sums by patient"
    value = mean_pair_auc(values, codes)
    return _Index("auc_pairs", np.nan, value, blank, blank, n, n, kruskal_p(values, codes, groups), test)


def _scores(outcome: Outcome) -> np.ndarray:
    """What is permuted: residuals of the empty model of a time, ranks, or one column a class."""
    if outcome.time is not None:
        return empty_residuals(outcome.time, outcome.event)
    if outcome.kind == "multiclass":
        return (outcome.strata[:, None] == np.unique(outcome.strata)).astype(np.float64)
    return ranks_of(outcome.value[:, None])[:, 0]


def _direction(index: _Index) -> list[str]:
    """Which values go with the event or the higher outcome."""
    above, below = index.value > index.chance, index.value < index.chance
    return ["higher" if a else ("lower" if b else "") for a, b in zip(above, below, strict=True)]


def _rows(
    names: Sequence[str],
    *,
    index: _Index,
    effect: Effect,
    partial: Effect | None,
    held: np.ndarray,
    bits: np.ndarray,
    infinite: np.ndarray,
) -> tuple[UnivariateRow, ...]:
    direction, q = _direction(index), benjamini_hochberg(index.p)
    rows = []
    for c, name in enumerate(names):
        notes = [f"{infinite[c]} infinite cells left out" if infinite[c] else "", effect.reasons[c]]
        adjusted: dict[str, float | int] = {}
        if partial is not None:
            notes.append(f"adjusted: {partial.reasons[c]}" if partial.reasons[c] else "")
            adjusted = {
                "partial_effect": float(partial.value[c]),
                "partial_lower": float(partial.lower[c]),
                "partial_upper": float(partial.upper[c]),
                "partial_p": float(partial.p[c]),
                "partial_n": int(partial.n[c]),
            }
        rows.append(
            UnivariateRow(
                feature=name,
                n=int(index.n[c]),
                events=int(index.events[c]),
                metric=index.metric,
                value=float(index.value[c]),
                lower=float(index.lower[c]),
                upper=float(index.upper[c]),
                direction=direction[c],
                p=float(index.p[c]),
                q=float(q[c]),
                test=index.test,
                effect_measure=effect.measure,
                effect=float(effect.value[c]),
                effect_lower=float(effect.lower[c]),
                effect_upper=float(effect.upper[c]),
                coefficient=float(effect.coefficient[c]),
                standard_error=float(effect.error[c]),
                effect_p=float(effect.p[c]),
                effect_test=effect.tests[c],
                p_max_t=float(held[c]),
                information=float(bits[c]),
                note="; ".join(filter(None, notes)),
                **adjusted,  # type: ignore[arg-type]
            )
        )
    return tuple(rows)
