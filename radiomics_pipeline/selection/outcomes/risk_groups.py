"""Risk groups of rows left out: cuts from training rows, fates from test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.outcomes.fates import Fates, fates_of, three
from radiomics_pipeline.selection.outcomes.out_of_fold import OutOfFold
from radiomics_pipeline.selection.outcomes.searched_cut import searched_cut
from radiomics_pipeline.types.outcome import TIMED, Outcome
from radiomics_pipeline.types.report import NAN, RiskGroupRow

Method = Literal["quantiles", "maximally selected"]
GIVEN = "given"
DESCRIPTIVE = (
    "p is descriptive: rows that were left out in different folds are grouped by fits that learnt from each other's "
    "outcomes, so that it is not that of independent rows; see the permutation test of the plan"
)


@dataclass(frozen=True)
class Cutpoints:
    """Bounds between risk groups.

    cuts : float64 [groups - 1], rising; a score above the k-th belongs to group k + 1 or higher
    p : of a maximally selected cut, corrected for the search; NaN for others
    reason : why there are none, cuts being NaN then; empty where there are
    """

    cuts: np.ndarray
    method: str
    p: float = NAN
    reason: str = ""

    def group(self, scores: np.ndarray) -> np.ndarray:
        """Group of every score, from 0; int64 [rows]. Without cuts all rows are of the first."""
        return np.searchsorted(self.cuts, scores, side="left").astype(np.int64)


def training_cutpoints(
    scores: np.ndarray, outcome: Outcome, groups: int = 2, method: Method = "quantiles"
) -> Cutpoints:
    """Cuts between risk groups, from training rows.

    scores : float64 [rows], finite, of rows that the fit which made the score did not see
    outcome : of these rows, binary or timed; quantiles do not look at it
    method : "quantiles" parts the rows evenly; "maximally selected" is the one cut with the largest standardised
        difference between the two groups, with its p corrected for the search (Hothorn and Lausen, Comput Stat
        Data Anal 2003;43:121, doi 10.1016/S0167-9473(02)00225-6)

    Raises ParamsError where fewer than two groups, or other than two with the maximally selected cut, are asked for,
    or where no score is given.
    """
    values = np.asarray(scores, np.float64)
    if groups < 2 or not len(values) or not np.isfinite(values).all():
        raise ParamsError(f"{groups} risk groups of {len(values)} scores; two groups and finite scores are needed")
    if method == "quantiles":
        return Cutpoints(np.quantile(values, np.arange(1, groups) / groups), method)
    if method != "maximally selected":
        raise ParamsError(f"cuts by {method!r}; there are 'quantiles' and 'maximally selected'")
    if groups != 2:
        raise ParamsError(f"a maximally selected cut makes two groups, not {groups}; use quantiles")
    found = searched_cut(values, outcome)
    return Cutpoints(np.array([found.cut]), method, found.p, found.reason)


def risk_group_rows(
    predictions: OutOfFold,
    *,
    groups: int = 2,
    method: Method = "quantiles",
    horizon: float = NAN,
    given: Mapping[tuple[int, int], Cutpoints] | Cutpoints | None = None,
) -> tuple[RiskGroupRow, ...]:
    """How the rows left out fared, by groups of their predicted risk.

    predictions : of a binary or timed outcome; other kinds have no row
    horizon : time at which the groups are compared
    given : cuts fixed beforehand, or of every (repeat from 1, fold) such as from a refit inside its training part

    A fold's cuts come from the other folds of its repeat: their rows are its training rows, and were predicted by fits
    that had not seen them, so that scores have the spread which scores of new rows have (those of the fit's own
    training rows are too wide). No fit is made anew. The fits that predicted them had seen the fold's test rows: no
    test row's own prediction or outcome enters its cut, but the cut is not independent of it, which is one more reason
    why p is descriptive. In a repeat with one test part there are no other folds: cuts must be given.

    One row a group and repeat, and before them (repeat 0) the mean over repeats: of counts, event-free shares and
    medians; of ratios on the log scale; of bounds likewise, since repeats of the same patients narrow nothing; and
    twice the median p (Meinshausen, Meier and Buehlmann, JASA 2009;104:1671, doi 10.1198/jasa.2009.tm08647).
    """
    kind = predictions.outcome.kind
    if kind != "binary" and kind not in TIMED:
        return ()
    found = []
    for repeat in range(len(predictions.prediction)):
        parts = _fold_cuts(predictions, repeat, groups, method, given)
        if parts is None:
            return (_without_cuts(predictions, groups, method, horizon),)
        found.append(_repeat_rows(predictions, repeat, parts, horizon))
    whole = _mean_rows(found)
    return (*whole, *(row for rows in found for row in rows)) if len(found) > 1 else tuple(whole)


def _fold_cuts(
    predictions: OutOfFold,
    repeat: int,
    groups: int,
    method: Method,
    given: Mapping[tuple[int, int], Cutpoints] | Cutpoints | None,
) -> dict[int, Cutpoints] | None:
    """Cuts of every fold of a repeat; None where one has none."""
    fold = predictions.fold[repeat]
    numbers = sorted(set(fold[fold > 0].tolist()))
    if isinstance(given, Cutpoints):
        return dict.fromkeys(numbers, given)
    if given is not None:
        missing = [n for n in numbers if (repeat + 1, n) not in given]
        if missing:
            raise ParamsError(f"repeat {repeat + 1}: no cuts are given for folds {missing}")
        return {n: given[repeat + 1, n] for n in numbers}
    if len(numbers) < 2:
        return None
    cuts = {}
    for number in numbers:
        training = np.flatnonzero((fold > 0) & (fold != number))
        scores = predictions.prediction[repeat, training]
        cuts[number] = training_cutpoints(scores, predictions.outcome.rows(training), groups, method)
    return cuts


def _repeat_rows(
    predictions: OutOfFold, repeat: int, parts: Mapping[int, Cutpoints], horizon: float
) -> list[RiskGroupRow]:
    fold = predictions.fold[repeat]
    tested = np.flatnonzero(fold > 0)
    group = np.full(len(fold), -1, np.int64)
    for number, cuts in parts.items():
        rows = fold == number
        group[rows] = cuts.group(predictions.prediction[repeat, rows])
    sizes = {len(c.cuts) + 1 for c in parts.values()}
    if len(sizes) > 1:
        raise ParamsError(f"repeat {repeat + 1}: cuts make {sorted(sizes)} groups; give every fold as many")
    groups = sizes.pop()
    part = predictions.rows(tested)
    fates = fates_of(part.outcome, group[tested], groups, horizon, part.patient if part.clustered else None)
    bounds = np.array([[-np.inf, *c.cuts, np.inf] for c in parts.values()]).mean(axis=0)
    tests = [c.p for c in parts.values() if not np.isnan(c.p)]
    notes = [DESCRIPTIVE] if len(parts) > 1 else []
    notes += dict.fromkeys(f"no cut in the training rows: {c.reason}" for c in parts.values() if c.reason)
    if part.clustered:
        notes.append(
            "several rows of a patient: shares and medians have no interval; that of ratios, and p of two groups, come "
            "from patients' sums"
        )
    method = next(iter(parts.values())).method
    searched = float(np.median(tests)) if tests else NAN
    return [
        _row(predictions.plan, repeat + 1, k, groups, method, bounds, horizon, fates, searched, notes)
        for k in range(groups)
    ]


def _row(  # noqa: PLR0917
    plan: str,
    repeat: int,
    k: int,
    groups: int,
    method: str,
    bounds: np.ndarray,
    horizon: float,
    fates: Fates,
    searched: float,
    notes: Sequence[str],
) -> RiskGroupRow:
    reasons = [*notes, *(r for r in (fates.reasons[k],) if r)]
    return RiskGroupRow(
        plan,
        repeat,
        k + 1,
        groups,
        method,
        float(bounds[k]),
        float(bounds[k + 1]),
        float(fates.n[k]),
        float(fates.events[k]),
        horizon if fates.timed else NAN,
        *three(fates.event_free[k]),
        *three(fates.median[k]),
        *three(fates.ratio[k]),
        fates.measure,
        fates.test,
        fates.p,
        searched,
        "; ".join(reasons),
    )


MEANS = ("cut_lower", "cut_upper", "n", "events", "event_free", "lower", "upper")
MEDIANS = ("median", "median_lower", "median_upper")
RATIOS = ("ratio", "ratio_lower", "ratio_upper")


def _mean_rows(found: Sequence[Sequence[RiskGroupRow]]) -> list[RiskGroupRow]:
    """The mean over repeats of every group; a number that one repeat lacks has no mean."""
    if len(found) == 1:
        return [replace(row, repeat=0) for row in found[0]]
    rows = []
    for same in zip(*found, strict=True):
        mean = {name: float(np.mean([getattr(row, name) for row in same])) for name in (*MEANS, *MEDIANS)}
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = {name: float(np.exp(np.mean(np.log([getattr(row, name) for row in same])))) for name in RATIOS}
        p, cut_p = (float(np.minimum(1.0, 2 * np.median([getattr(row, k) for row in same]))) for k in ("p", "cut_p"))
        notes = dict.fromkeys(part for row in same for part in row.note.split("; ") if part)
        note = "; ".join([f"mean over {len(same)} repeats, p twice their median", *notes])
        rows.append(replace(same[0], repeat=0, **mean, **ratio, p=p, cut_p=cut_p, note=note))
    return rows


def _without_cuts(predictions: OutOfFold, groups: int, method: str, horizon: float) -> RiskGroupRow:
    return RiskGroupRow(
        predictions.plan,
        0,
        0,
        groups,
        method,
        *(NAN,) * 4,
        horizon,
        *(NAN,) * 9,
        "",
        "",
        NAN,
        NAN,
        "a single test part has no predictions of training rows to take cuts from; give cuts",
    )
