"""Readers and indices against a plan: who tells the rows apart better, on the same rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.errors import ParamsError, TableError, did_you_mean
from radiomics_pipeline.selection.outcomes.out_of_fold import OutOfFold, patient_draws
from radiomics_pipeline.stats.concordance import compared_times, harrell_c
from radiomics_pipeline.stats.holm import holm
from radiomics_pipeline.stats.intervals import wald_interval
from radiomics_pipeline.stats.paired_auc import contrast, paired_areas
from radiomics_pipeline.types.outcome import TIMED
from radiomics_pipeline.types.report import NAN, ReaderRow

Cuts = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Of a reader, the thresholds of its score and as many of the plan's probability."""


@dataclass(frozen=True)
class _Comparison:
    """Value, lower and upper bound of reader, plan, and plan less reader; p of the last."""

    reader: tuple[float, float, float]
    plan: tuple[float, float, float]
    difference: tuple[float, float, float]
    p: float


def reader_rows(
    predictions: OutOfFold,
    readers: Mapping[str, np.ndarray],
    *,
    reversed_scores: Collection[str] = (),
    cuts: Cuts | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[ReaderRow, ...]:
    """Every reader's score against the plan's predictions of rows left out.

    predictions : of a binary or timed outcome; for other kinds there is nothing to compare, and no row
    readers : of each a score [rows], aligned to `predictions`; NaN leaves the row out of that comparison
    reversed_scores : readers whose low scores speak for the event (such as an ejection fraction). The direction is
        never taken from the outcome, since that would flatter the reader
    cuts : thresholds at which net reclassification is counted (binary)
    draws, seed : bootstrap samples of patients, for timed outcomes

    Binary: areas under the ROC curve with DeLong's covariance (Biometrics 1988;44:837, doi 10.2307/2531595; with
    several rows of a patient Obuchowski's, doi 10.2307/2533958). Every repeat is one more score of the same rows: the
    plan's area is the mean of the repeats' areas, and its covariance with the reader follows from all of them.
    Predictions are not averaged over repeats before, which would test a committee in place of the plan.
    Timed: Harrell's C, percentile interval and p over bootstrap samples of patients (rows after a competing event
    count as never having the event). p over the readers is adjusted after Holm, Scand J Stat 1979;6:65.

    Raises TableError where a reader's scores do not match the rows, ParamsError for names or cuts that do not fit.
    """
    kind = predictions.outcome.kind
    if kind != "binary" and kind not in TIMED:
        return ()
    _check(predictions, readers, reversed_scores, cuts or {})
    rows = []
    for name, given in readers.items():
        score = np.array(given, np.float64) * (-1.0 if name in reversed_scores else 1.0)
        rows.append(_row(predictions, name, score, (cuts or {}).get(name), draws, seed, name in reversed_scores))
    adjusted = holm(np.array([row.p for row in rows]))
    return tuple(replace(row, p_holm=float(q)) for row, q in zip(rows, adjusted, strict=True))


def _check(
    predictions: OutOfFold, readers: Mapping[str, np.ndarray], reversed_scores: Collection[str], cuts: Cuts
) -> None:
    for name, score in readers.items():
        if np.shape(score) != (len(predictions.outcome),):
            raise TableError(f"reader {name!r}: {len(score)} scores for {len(predictions.outcome)} rows")
    for name in (*reversed_scores, *cuts):
        if name not in readers:
            raise ParamsError(f"reader {name!r} is not among the readers{did_you_mean(name, readers)}")
    for name, (own, other) in cuts.items():
        if len(own) != len(other) or list(own) != sorted(own) or list(other) != sorted(other):
            raise ParamsError(
                f"reader {name!r}: cuts {list(own)} of the score and {list(other)} of the plan; give as many of both, "
                "rising"
            )


def _row(  # noqa: PLR0917
    predictions: OutOfFold,
    name: str,
    score: np.ndarray,
    cuts: tuple[Sequence[float], Sequence[float]] | None,
    draws: int,
    seed: int,
    turned: bool,
) -> ReaderRow:
    keep = np.flatnonzero(np.isfinite(score) & ~np.isnan(predictions.prediction).any(axis=0))
    part, own = predictions.rows(keep), score[keep]
    binary = part.outcome.kind == "binary"
    metric, test = ("auc", "DeLong") if binary else ("c_index", f"bootstrap of patients, {draws}")
    notes = _notes(part, own, len(predictions.outcome) - len(keep), turned)
    event = part.outcome.event
    row = ReaderRow(name, part.plan, metric, len(own), int(event.sum()), *(NAN,) * 9, NAN, NAN, test)
    if not event.any() or (binary and event.all()):
        return replace(row, note="; ".join([*notes, "no pair of rows can be compared"]))
    found = _areas(part, own) if binary else _concordances(part, own, draws, seed)
    if found.reader[0] < 0.5:
        notes.append(
            "low scores go with the event: if that was meant from the start, name the reader among the reversed ones"
        )
    moved = _reclassified(part, own, cuts) if binary and cuts else (NAN, NAN)
    idi = _idi(part, own) if binary and not turned else NAN
    return ReaderRow(
        name,
        part.plan,
        metric,
        len(own),
        int(event.sum()),
        *found.reader,
        *found.plan,
        *found.difference,
        found.p,
        NAN,
        test,
        *moved,
        idi,
        "; ".join(notes),
    )


def _notes(part: OutOfFold, score: np.ndarray, left_out: int, turned: bool) -> list[str]:
    notes = []
    if turned:
        notes.append("score turned round: low values speak for the event")
    if left_out:
        notes.append(f"{left_out} rows without a score, or not left out in every repeat, are not compared")
    if part.clustered:
        notes.append(f"{len(part.patient)} rows of {len(set(part.patient.tolist()))} patients, taken as clustered")
    if len(part.prediction) > 1:
        notes.append(f"plan: mean over {len(part.prediction)} repeats")
    if len(score) and np.ptp(score) == 0:
        notes.append("all scores are the same")
    return notes


def _areas(part: OutOfFold, score: np.ndarray) -> _Comparison:
    """Areas of the reader and of every repeat, and the contrast between the first and the others' mean."""
    areas = paired_areas(
        np.column_stack([score, part.prediction.T]), part.outcome.event, part.patient if part.clustered else None
    )
    repeats = len(part.prediction)
    plan = np.append(0.0, np.full(repeats, 1 / repeats))
    reader = np.append(1.0, np.zeros(repeats))

    def bounded(weights: np.ndarray) -> tuple[float, float, float]:
        area, variance = float(weights @ areas.area), float(weights @ areas.covariance @ weights)
        lower, upper = wald_interval(np.array([area]), np.array([variance]))
        return area, float(lower[0]), float(upper[0])

    gap = contrast(areas, plan - reader)
    return _Comparison(bounded(reader), bounded(plan), (gap.difference, gap.lower, gap.upper), gap.p)


def _concordances(part: OutOfFold, score: np.ndarray, draws: int, seed: int) -> _Comparison:
    """Harrell's C of the reader and, mean over the repeats, of the plan, over bootstrap samples of patients."""
    assert part.outcome.time is not None
    values = np.column_stack([score, part.prediction.T])
    event = part.outcome.event
    time = compared_times(part.outcome.time, part.outcome.value)

    def both(rows: np.ndarray) -> tuple[float, float]:
        index = harrell_c(values[rows], time[rows], event[rows]).index
        return float(index[0]), float(index[1:].mean())

    reader, plan = both(np.arange(len(score)))
    drawn = np.array([both(rows) for rows in patient_draws(part.patient, draws, seed) if event[rows].any()])
    drawn = drawn.reshape(-1, 2)
    drawn = drawn[~np.isnan(drawn).any(axis=1)]
    gaps = drawn[:, 1] - drawn[:, 0]
    if len(gaps) < 2:
        return _Comparison((reader, NAN, NAN), (plan, NAN, NAN), (plan - reader, NAN, NAN), NAN)
    low, high = (1 + (gaps <= 0).sum()) / (1 + len(gaps)), (1 + (gaps >= 0).sum()) / (1 + len(gaps))
    return _Comparison(
        (reader, *_percentiles(drawn[:, 0])),
        (plan, *_percentiles(drawn[:, 1])),
        (plan - reader, *_percentiles(gaps)),
        float(min(1.0, 2 * min(low, high))),
    )


def _percentiles(drawn: np.ndarray) -> tuple[float, float]:
    lower, upper = np.quantile(drawn, (0.025, 0.975))
    return float(lower), float(upper)


def _reclassified(
    part: OutOfFold, score: np.ndarray, cuts: tuple[Sequence[float], Sequence[float]]
) -> tuple[float, float]:
    """Net share of the events moved up, and of the others moved down, from the reader's class to the plan's.

    Pencina et al., Stat Med 2008;27:157, doi 10.1002/sim.2929; descriptive, see Pepe et al., Stat Biosci 2015;7:282,
    doi 10.1007/s12561-014-9118-0. Mean over the repeats.
    """
    before = np.searchsorted(cuts[0], score, side="right")
    after = np.searchsorted(cuts[1], part.prediction, side="right")
    moves = np.sign(after - before[None, :]).mean(axis=0)
    event = part.outcome.event
    return float(moves[event].mean()), float(-moves[~event].mean())


def _idi(part: OutOfFold, score: np.ndarray) -> float:
    """Difference of the discrimination slopes; NaN unless both give probabilities (a call of 0 or 1 is none)."""
    if set(np.unique(score)) <= {0.0, 1.0} or not all(_within(v) for v in (score, part.prediction)):
        return NAN
    event = part.outcome.event
    mean = part.prediction.mean(axis=0)
    gain = mean - score
    return float(gain[event].mean() - gain[~event].mean())


def _within(values: np.ndarray) -> bool:
    return bool(values.min() >= 0 and values.max() <= 1)
