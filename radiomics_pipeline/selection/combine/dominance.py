"""Dominance analysis: the average contribution of a feature, or a block of them, over all combinations.

Budescu, Psychol Bull 1993;114:542, doi 10.1037/0033-2909.114.3.542; for logistic regression Azen and Traxel, J Educ
Behav Stat 2009;34:319, doi 10.3102/1076998609332754. The general contribution is the Shapley value of the measure of
fit. A product of two features enters with both of them, so that what only the two together explain is shared by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.selection.combine.families import family_of, measure_of, share_explained
from radiomics_pipeline.selection.combine.worths import Study, Worths, worths_of
from radiomics_pipeline.selection.validation.folds import Fold, deal
from radiomics_pipeline.stats.delong import patient_codes
from radiomics_pipeline.types.combination import NAN, ConditionalRow, DominancePairRow, DominanceRow
from radiomics_pipeline.types.outcome import Outcome

MOST_BLOCKS = 10
MOST_FOLDS = 10
"""Folds drawn for each resample of patients: as many as in the first repeat, but no more than these."""


@dataclass(frozen=True)
class Contributions:
    """Of one table of worths over all combinations of k players.

    general : float64 [k], average over the averages of each size; sums to the worth of all players
    conditional : float64 [k sizes, k], average contribution to the combinations of 0, 1, ... others
    complete : bool [k, k], whether the first adds at least as much as the second to every combination without the two,
        and more to one
    """

    general: np.ndarray
    conditional: np.ndarray
    complete: np.ndarray


@dataclass(frozen=True)
class Dominance:
    """A whole dominance analysis.

    parts : of each fold what its combinations explain; None where the fold allows no fit
    """

    rows: tuple[DominanceRow, ...]
    by_size: tuple[ConditionalRow, ...]
    pairs: tuple[DominancePairRow, ...]
    parts: tuple[Worths | None, ...]
    notes: tuple[str, ...]


def contributions_of(worth: np.ndarray) -> Contributions:
    """General, conditional and complete dominance from the worths of all combinations.

    worth : float64 [2^k]; entry r is of the combination that holds player i where bit i of r is 1
    """
    k = len(worth).bit_length() - 1
    if len(worth) != 2**k:
        raise ParamsError(f"{len(worth)} worths are not those of all combinations of some players (2^k)")
    rows = np.arange(2**k)
    size = sum(((rows >> i) & 1 for i in range(k)), np.zeros(2**k, np.int64))
    conditional = np.zeros((k, k))
    complete = np.zeros((k, k), np.bool_)
    for i in range(k):
        without = rows[(rows >> i) & 1 == 0]
        added = worth[without | (1 << i)] - worth[without]
        conditional[:, i] = np.bincount(size[without], added, k) / np.bincount(size[without], minlength=k)
        for j in range(k):
            neither = without[(without >> j) & 1 == 0]
            ahead = worth[neither | (1 << i)] - worth[neither | (1 << j)]
            complete[i, j] = i != j and bool((ahead >= 0).all() and (ahead > 0).any())
    return Contributions(conditional.mean(axis=0) if k else np.zeros(0), conditional, complete)


def dominance(
    X: np.ndarray,
    outcome: Outcome,
    folds: Sequence[Fold],
    names: Sequence[str],
    *,
    prepare: Any = None,
    params: CombinationParams | None = None,
    patient: Sequence[str] | np.ndarray | None = None,
    representative: np.ndarray | None = None,
    blocks: Mapping[str, Sequence[int]] | None = None,
    seed: int = 0,
    n_jobs: int = 1,
) -> Dominance:
    """Dominance analysis of the candidates that each fold chooses on its training rows.

    X : float64 [rows, columns], raw; names : of its columns
    prepare : unfitted transformer up to scaling, refitted in every fold (of blocks: block by block)
    patient : of each row; resamples draw whole patients. None: every row another
    representative : int64 [columns], the column under which each one's contribution is booked, such as the medoid
        of its cluster over the whole table; None: its own
    blocks : of each block (volume, clinical, shape, ...) its columns: the analysis is of blocks, each of them by the
        `per_block` columns that claim most in the fold
    seed : of the resamples; the result does not depend on n_jobs

    Contributions are averaged over the folds. Their intervals are percentiles over resamples of patients, in each of
    which folds are drawn, everything is prepared and candidates are chosen anew; copies of a patient share a fold.
    Raises ParamsError for an outcome kind or measure that is not served, TableError where arguments do not match.
    """
    params = params or CombinationParams()
    family = family_of(outcome.kind)
    measure = measure_of(family, params.measure)
    blocks = dict(blocks or {})
    _check(X, outcome, names, blocks)
    codes, _ = patient_codes(None if patient is None else np.asarray(patient), len(X))
    own = np.arange(X.shape[1]) if representative is None else np.asarray(representative, np.int64)
    study = Study(np.asarray(X, np.float64), outcome.y, codes, prepare, family, params, own, blocks)
    labels = list(blocks) if blocks else [str(n) for n in names]
    splits = [(f.train, f.test) for f in folds]
    parts = tuple(Parallel(n_jobs=n_jobs)(delayed(_part)(study, *split) for split in splits))
    sound = [part for part in parts if part is not None]
    if not sound:
        raise OutcomeError(f"none of {len(parts)} folds has training rows that a model can be fitted to")
    count = min(MOST_FOLDS, max(2, sum(f.repeat == folds[0].repeat for f in folds)))
    draws = Parallel(n_jobs=n_jobs)(
        delayed(_resample)(study, count, len(labels), seed, draw) for draw in range(params.bootstrap)
    )
    kept = [draw for draw in draws if draw is not None]
    intervals = _intervals(kept, len(labels))
    rows = _rows(sound, labels, measure, intervals, names if blocks else None)
    notes = _notes(parts, params.bootstrap, len(kept))
    return Dominance(rows, _by_size(sound, labels, measure), _pairs(sound, labels), parts, notes)


def _check(X: np.ndarray, outcome: Outcome, names: Sequence[str], blocks: Mapping[str, Sequence[int]]) -> None:
    if len(X) != len(outcome) or X.shape[1] != len(names):
        raise TableError(f"X of shape {X.shape} for {len(outcome)} outcomes and {len(names)} names")
    if len(blocks) == 1 or len(blocks) > MOST_BLOCKS:
        raise ParamsError(f"{len(blocks)} blocks; all combinations are made of 2 to {MOST_BLOCKS}")
    empty = [name for name, places in blocks.items() if not len(places)]
    if empty:
        raise ParamsError(f"block {empty[0]!r} has no columns; leave it out")


def _part(study: Study, train: np.ndarray, test: np.ndarray) -> Worths | None:
    with threadpool_limits(1):
        return worths_of(study, train, test, scored=True)


def _resample(study: Study, folds: int, n_players: int, seed: int, draw: int) -> np.ndarray | None:
    """General and held-out contributions [2, players] in one resample of patients; None where a fold allows no fit."""
    rng = np.random.default_rng([seed, draw])
    measure = measure_of(study.family, study.params.measure)
    n_patients = int(study.patient.max()) + 1
    by_patient = np.argsort(study.patient, kind="stable")
    starts = np.searchsorted(study.patient[by_patient], np.arange(n_patients + 1))
    drawn = rng.integers(0, n_patients, n_patients)
    rows = np.concatenate([by_patient[starts[p] : starts[p + 1]] for p in drawn])
    if len(set(drawn.tolist())) < folds:
        return None
    place = deal(study.family.strata(study.y[rows]), study.patient[rows], folds, rng)
    parts = []
    with threadpool_limits(1):
        for number in range(folds):
            part = worths_of(study, rows[place != number], rows[place == number])
            if part is None:
                return None
            parts.append(part)
    return np.stack(_averages(parts, n_players, measure))


def _averages(parts: Sequence[Worths], n_players: int, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean general contributions to the fit on training rows, and to that of the rows left out."""
    general, gained = np.zeros(n_players), np.zeros(n_players)
    for part in parts:
        weights = _shapley_weights(len(part.players))
        np.add.at(general, part.players, weights @ part.fit)
        np.add.at(gained, part.players, weights @ -part.loss)
    return general / len(parts), gained * unit_of(parts, measure)


def unit_of(parts: Sequence[Worths], measure: str) -> float:
    """What turns deviance gained in the rows left out, summed over the folds, into the measure of fit.

    The measure is of the sums, not a mean of those of single folds, which are wild where a fold has few events; where
    it bends (1 - exp), players share it in proportion to the deviance that they gain.
    """
    gain = sum(float(part.loss[0] - part.loss[-1]) for part in parts)
    empty, size = sum(float(part.loss[0]) for part in parts), sum(part.size for part in parts)
    tiny = 1e-9 * max(empty, 1e-300)
    gain = gain if abs(gain) > tiny else tiny
    return float(share_explained(gain, empty, size, measure)) / gain


@lru_cache(maxsize=32)
def _shapley_weights(k: int) -> np.ndarray:
    """What turns the worths of all combinations into general contributions, float64 [k, 2^k]."""
    rows = np.arange(2**k)
    bits = (rows[None, :] >> np.arange(k)[:, None]) & 1
    others = bits.sum(axis=0) - bits
    chance = 1.0 / (k * np.array([comb(k - 1, s) for s in range(max(k, 1))], np.float64)) if k else np.ones(1)
    return np.asarray(np.where(bits == 1, 1.0, -1.0) * chance[others])


def _intervals(draws: Sequence[np.ndarray], n_players: int) -> np.ndarray:
    """Bounds float64 [2 (lower, upper), 2 (training, held out), players]; NaN with fewer than 20 resamples."""
    if len(draws) < 20:
        return np.full((2, 2, n_players), NAN)
    return np.asarray(np.quantile(np.stack(draws), [0.025, 0.975], axis=0))


def _rows(
    parts: Sequence[Worths],
    labels: Sequence[str],
    measure: str,
    intervals: np.ndarray,
    names: Sequence[str] | None,
) -> tuple[DominanceRow, ...]:
    """Players that were ever candidates, those that contribute most first; names : of the columns in blocks."""
    n = len(labels)
    general, held_out = _averages(parts, n, measure)
    seen, alone, last = np.zeros(n), np.zeros(n), np.zeros(n)
    members: list[dict[str, int]] = [{} for _ in range(n)]
    for part in parts:
        seen[np.unique(part.players)] += 1
        conditional = contributions_of(part.fit).conditional
        if len(part.players):
            np.add.at(alone, part.players, conditional[0])
            np.add.at(last, part.players, conditional[-1])
        for player, columns in zip(part.players, part.columns, strict=True):
            for c in columns:
                members[player][str(names[c]) if names else ""] = 1
    total = float(general.sum())
    return tuple(
        DominanceRow(
            name=labels[i],
            kind="block" if names else "feature",
            candidate=float(seen[i] / len(parts)),
            measure=measure,
            general=float(general[i]),
            lower=float(intervals[0, 0, i]),
            upper=float(intervals[1, 0, i]),
            share=float(general[i] / total) if total > 0 else NAN,
            alone=float(alone[i] / len(parts)),
            last=float(last[i] / len(parts)),
            held_out=float(held_out[i]),
            held_out_lower=float(intervals[0, 1, i]),
            held_out_upper=float(intervals[1, 1, i]),
            members="; ".join(members[i]) if names else "",
        )
        for i in np.argsort(-general, kind="stable")
        if seen[i]
    )


def _by_size(parts: Sequence[Worths], labels: Sequence[str], measure: str) -> tuple[ConditionalRow, ...]:
    n, most = len(labels), max(len(part.players) for part in parts)
    fit, gained, count = np.zeros((most, n)), np.zeros((most, n)), np.zeros((most, n))
    for part in parts:
        inside, outside = contributions_of(part.fit).conditional, contributions_of(-part.loss).conditional
        there = np.unique(part.players)
        for others in range(len(part.players)):
            np.add.at(fit[others], part.players, inside[others])
            np.add.at(gained[others], part.players, outside[others])
            count[others, there] += 1
    unit = unit_of(parts, measure) * len(parts)
    return tuple(
        ConditionalRow(
            labels[i],
            s,
            float(fit[s, i] / count[s, i]),
            float(gained[s, i] / count[s, i] * unit),
            int(count[s, i]),
        )
        for i in range(n)
        for s in range(most)
        if count[s, i]
    )


def _pairs(parts: Sequence[Worths], labels: Sequence[str]) -> tuple[DominancePairRow, ...]:
    """Of every ordered pair that met in a fold, how often the first dominates."""
    held: dict[tuple[int, int], list[tuple[bool, bool, bool]]] = {}
    for part in parts:
        found = contributions_of(part.fit)
        for a, i in enumerate(part.players):
            for b, j in enumerate(part.players):
                if i == j:
                    continue
                ahead = found.conditional[:, a] - found.conditional[:, b]
                conditional = bool((ahead >= 0).all() and (ahead > 0).any())
                wins = (bool(found.complete[a, b]), conditional, bool(found.general[a] > found.general[b]))
                held.setdefault((int(i), int(j)), []).append(wins)
    return tuple(
        DominancePairRow(labels[i], labels[j], float(w[0]), float(w[1]), float(w[2]), len(wins))
        for (i, j), wins in sorted(held.items())
        for w in [np.mean(wins, axis=0)]
    )


def _notes(parts: Sequence[Worths | None], asked: int, kept: int) -> tuple[str, ...]:
    notes = []
    missing = sum(part is None for part in parts)
    if missing:
        notes.append(f"dominance: {missing} of {len(parts)} folds have training rows that no model can be fitted to")
    if kept < asked:
        notes.append(f"dominance: {asked - kept} of {asked} resamples of patients allow no folds and were left out")
    if asked and kept < 20:
        notes.append("dominance: no intervals, since fewer than 20 resamples are left")
    return tuple(notes)
