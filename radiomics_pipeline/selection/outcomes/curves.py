"""Calibration and net benefit of the probabilities of rows left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.outcomes.fates import event_free_at
from radiomics_pipeline.selection.outcomes.out_of_fold import OutOfFold, Z, patient_draws
from radiomics_pipeline.stats.calibration import FEWEST, Estimate, calibration_curve, in_the_large, recalibration
from radiomics_pipeline.stats.decision_curve import THRESHOLDS
from radiomics_pipeline.stats.lowess import lowess
from radiomics_pipeline.stats.survival_metrics import FollowUp
from radiomics_pipeline.types.outcome import TIMED, Outcome
from radiomics_pipeline.types.report import NAN, CalibrationRow, DecisionRow

DECILES, TIMED_GROUPS = 10, 5
GRID = np.linspace(0, 1, 51)
"""Probabilities at which the smooth curve is drawn, as far as predictions reach."""
PLACES = np.linspace(0, 1, 41)
"""Quantiles between which a bootstrap sample's curve is taken as straight, to have its distance from the diagonal."""


def calibration_rows(
    predictions: OutOfFold, horizon: float = NAN, *, draws: int = 200, seed: int = 0
) -> tuple[CalibrationRow, ...]:
    """How a plan's probabilities agree with what happened.

    predictions : of a binary or timed outcome whose plan gives probabilities; else there is no row
    horizon : time of the survival probabilities
    draws, seed : bootstrap samples of patients

    Everything is computed on the rows of one repeat together (single folds are too small), then averaged over repeats.
    Binary: slope and intercept with Wald intervals (from patients' sums where a patient has several rows); expected
    over observed events, the integrated calibration index (Austin and Steyerberg, Stat Med 2019;38:4051,
    doi 10.1002/sim.8281) and the smooth curve, with percentiles over bootstrap samples, each of which is the same in
    all repeats; tenths of the predictions with Wilson's interval. Timed: expected over observed and fifths of the
    predictions, the observed share being 1 less Kaplan-Meier's or Aalen-Johansen's at the horizon.
    """
    kind = predictions.outcome.kind
    if kind == "binary":
        if not _probabilities(predictions.prediction):
            return ()
        return (*_measures(predictions, draws, seed), *_smooth_rows(predictions, draws, seed), *_groups(predictions))
    if kind in TIMED and not np.isnan(predictions.survival).all():
        return (_timed_ratio(predictions, horizon, draws, seed), *_groups(predictions, horizon))
    return ()


def decision_rows(
    plans: Sequence[OutOfFold], thresholds: Sequence[float] | np.ndarray = THRESHOLDS, horizon: float = NAN
) -> tuple[DecisionRow, ...]:
    """Net benefit of every plan, of treating all and of treating none, over the thresholds.

    plans : of the same rows and outcome (binary or timed); those without probabilities have no row
    thresholds : probabilities between 0 and 1 from which a row is treated

    A row's share is 1 if treated and an event, -t / (1 - t) if treated and none, else 0; the net benefit is the mean
    (Vickers and Elkin, Med Decis Making 2006;26:565, doi 10.1177/0272989X06295361), so that its standard error is
    that of a mean over patients. Timed: rows known at the horizon stand for those lost before, by the inverse of the
    probability to be followed (Graf et al., Stat Med 1999;18:2529; competing events count as none).
    Repeats: the mean of the shares of a row, whose spread over patients gives the interval.
    """
    if not plans:
        return ()
    cuts = np.asarray(thresholds, np.float64)
    if not len(cuts) or not ((cuts > 0) & (cuts < 1)).all():
        raise ParamsError(f"thresholds {list(thresholds)}: each must lie between 0 and 1")
    first = plans[0].outcome
    if first.kind != "binary" and first.kind not in TIMED:
        return ()
    for plan in plans[1:]:
        if len(plan.outcome) != len(first) or not np.array_equal(plan.outcome.value, first.value):
            raise ParamsError(f"{plan.plan} and {plans[0].plan} do not predict the same rows")
    usable = [tested_rows(p) for p in plans if _probabilities(p.probability)]
    rows: list[DecisionRow] = []
    if usable and (reason := unknown_at(usable[0].outcome, horizon)):
        n, repeats = len(first), len(usable[0].prediction)
        return tuple(DecisionRow(p.plan, *(NAN,) * 8, n, repeats, horizon, reason) for p in usable)
    for k, plan in enumerate(usable):
        found = _net_benefits(plan, cuts, horizon)
        names = (plan.plan,) if k else (plan.plan, "all", "none")
        rows.extend(row for name in names for row in found[name])
    return tuple(rows)


def _net_benefits(plan: OutOfFold, cuts: np.ndarray, horizon: float) -> dict[str, list[DecisionRow]]:
    """Rows of the plan, of all and of none."""
    event, free = known_at(plan.outcome, horizon)
    there = ~np.isnan(plan.probability)
    with np.errstate(invalid="ignore"):
        treated = (plan.probability[:, :, None] >= cuts - 1e-12) & there[:, :, None]
    share = treated.sum(axis=0) / there.sum(axis=0)[:, None]
    worth = event[:, None] - free[:, None] * cuts / (1 - cuts)
    own, everyone = share * worth, worth
    better = np.where(everyone.mean(axis=0) > 0, everyone, 0.0)
    shares = {plan.plan: (own, share), "all": (everyone, np.ones_like(share)), "none": (0 * own, 0 * share)}
    codes = np.unique(plan.patient.astype(str), return_inverse=True)[1]
    n, repeats = len(plan.outcome), len(plan.prediction)
    at = horizon if plan.outcome.time is not None else NAN
    found: dict[str, list[DecisionRow]] = {}
    for name, (values, treats) in shares.items():
        bounds, gains = _mean_bounds(values, codes), _mean_bounds(values - better, codes)
        mean = treats.mean(axis=0)
        found[name] = [
            DecisionRow(name, float(t), *bounds[j], *gains[j], float(mean[j]), n, repeats, at)
            for j, t in enumerate(cuts)
        ]
    return found


def known_at(outcome: Outcome, horizon: float = NAN) -> tuple[np.ndarray, np.ndarray]:
    """Of every row how much it counts as an event, and as free of one, at the horizon; float64 [rows] each.

    Binary: 0 or 1. Timed: the inverse probability of being followed until then, 0 of rows lost before. Raises
    ParamsError where nobody is followed to the horizon.
    """
    reason = unknown_at(outcome, horizon)
    if reason:
        raise ParamsError(f"{reason}; name an earlier horizon")
    if outcome.time is None:
        return outcome.event.astype(np.float64), (~outcome.event).astype(np.float64)
    time = np.asarray(outcome.time)
    known = (time > horizon) | (outcome.value > 0)
    part = FollowUp(time, outcome.value, time, outcome.value)
    then = float(part.uncensored(np.array(horizon)))
    weight = np.where(time > horizon, 1 / then if then > 0 else 0.0, np.where(known, part.row_weights(), 0.0))
    event = outcome.event & (time <= horizon)
    return np.where(event, weight, 0.0), np.where(known & ~event, weight, 0.0)


def unknown_at(outcome: Outcome, horizon: float) -> str:
    """Why nothing is known of the rows at the horizon; empty where it is."""
    if outcome.time is None:
        return ""
    time = np.asarray(outcome.time)
    part = FollowUp(time, outcome.value, time, outcome.value)
    beyond = (time > horizon).any()
    if time.max() >= horizon and (not beyond or part.uncensored(np.array(horizon)) > 0):
        return ""
    return f"nobody is followed to the horizon {horizon:g}"


def tested_rows(plan: OutOfFold) -> OutOfFold:
    """The rows that were left out in some repeat."""
    return plan.rows(np.flatnonzero((plan.fold > 0).any(axis=0)))


def _mean_bounds(values: np.ndarray, codes: np.ndarray) -> list[tuple[float, float, float]]:
    """Mean of every column [rows, columns] and its 95 % interval, patients' rows taken as dependent."""
    mean = values.mean(axis=0)
    sums = np.zeros((codes.max() + 1, values.shape[1]))
    np.add.at(sums, codes, values - mean)
    groups = len(sums)
    error = np.sqrt((sums**2).sum(axis=0) * groups / max(groups - 1, 1)) / len(values)
    return [(float(m), float(m - Z * e), float(m + Z * e)) for m, e in zip(mean, error, strict=True)]


def _probabilities(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known) and known.min() >= 0 and known.max() <= 1)


def _parts(predictions: OutOfFold, rows: np.ndarray | None = None) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of every repeat the probabilities, the events and the positions of the rows tested, all or a bootstrap sample."""
    drawn = np.arange(len(predictions.outcome)) if rows is None else rows
    event, parts = predictions.outcome.event, []
    for values in predictions.probability:
        own = drawn[~np.isnan(values[drawn])]
        parts.append((values[own], event[own], own))
    return parts


def _measures(predictions: OutOfFold, draws: int, seed: int) -> list[CalibrationRow]:
    """Slope, intercept, expected over observed."""
    parts = _parts(predictions)
    n, repeats = int(np.mean([len(p) for p, _, _ in parts])), len(parts)
    rows = []
    groups = predictions.patient if predictions.clustered else None
    slopes = [recalibration(p, e, groups=_of(groups, own))[1] for p, e, own in parts]
    large = [in_the_large(p, e, groups=_of(groups, own)) for p, e, own in parts]
    for name, found in (("slope", slopes), ("intercept", large)):
        bounds, note = _averaged(found)
        rows.append(CalibrationRow(predictions.plan, name, NAN, 0, NAN, *bounds, n, repeats, note))

    def ratio(sample: np.ndarray | None) -> float:
        found = [p.sum() / e.sum() for p, e, _ in _parts(predictions, sample) if e.any()]
        return float(np.mean(found)) if found else NAN

    bounds = _bootstrapped(ratio, predictions, draws, seed)
    rows.append(CalibrationRow(predictions.plan, "expected_observed", NAN, 0, NAN, *bounds, n, repeats))
    return rows


def _bootstrapped(
    statistic: Callable[[np.ndarray | None], float], predictions: OutOfFold, draws: int, seed: int
) -> tuple[float, float, float]:
    """A statistic of rows, with the percentiles over bootstrap samples of patients."""
    drawn = np.array([statistic(rows) for rows in patient_draws(predictions.patient, draws, seed)])
    drawn = drawn[~np.isnan(drawn)]
    lower, upper = np.quantile(drawn, (0.025, 0.975)) if len(drawn) > 1 else (NAN, NAN)
    return float(statistic(None)), float(lower), float(upper)


def _of(groups: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if groups is None else groups[rows]


def _three(numbers: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    value, lower, upper = numbers
    return float(value), float(lower), float(upper)


def _averaged(found: Sequence[Estimate]) -> tuple[tuple[float, float, float], str]:
    """Mean value and bounds of the repeats that have a value, and why others have none."""
    there = [f for f in found if not np.isnan(f.value)]
    reasons = "; ".join(dict.fromkeys(f.note for f in found if f.note))
    missing = len(found) - len(there)
    note = f"{missing} of {len(found)} repeats have no value: {reasons}" if missing else reasons
    if not there:
        return (NAN, NAN, NAN), note
    value, lower, upper = np.mean([(f.value, f.lower, f.upper) for f in there], axis=0)
    return (float(value), float(lower), float(upper)), note


def _groups(predictions: OutOfFold, horizon: float = NAN) -> list[CalibrationRow]:
    """Observed against predicted in groups of rising prediction, averaged over repeats.

    The groups part the rows of a repeat evenly by rank, equal predictions staying together in the order of the rows'
    patients; they only serve to draw.
    """
    timed = predictions.outcome.time is not None
    wanted = TIMED_GROUPS if timed else DECILES
    found: list[list[tuple[float, float, float, float, int]]] = [[] for _ in range(wanted)]
    for p, _, own in _parts(predictions):
        cuts = np.quantile(p, np.arange(1, wanted) / wanted)
        group = np.searchsorted(cuts, p, side="left")
        for k in range(wanted):
            rows = own[group == k]
            if len(rows):
                free, _ = event_free_at(predictions.outcome.rows(rows), horizon)
                found[k].append((float(p[group == k].mean()), 1 - free[0], 1 - free[2], 1 - free[1], len(rows)))
    rows_out = []
    for k, several in enumerate(found):
        if several:
            mean = np.mean(several, axis=0)
            n = round(mean[4])
            bounds = _three(mean[1:4] if not predictions.clustered else (mean[1], NAN, NAN))
            note = "observed share unknown: not followed to the horizon in every repeat" if np.isnan(mean[1]) else ""
            rows_out.append(
                CalibrationRow(
                    predictions.plan,
                    "group",
                    horizon if timed else NAN,
                    k + 1,
                    float(mean[0]),
                    *bounds,
                    n,
                    len(several),
                    note,
                )
            )
    return rows_out


def _timed_ratio(predictions: OutOfFold, horizon: float, draws: int, seed: int) -> CalibrationRow:
    """Mean predicted over observed probability of the event up to the horizon."""

    def ratio(sample: np.ndarray | None) -> float:
        found = []
        for p, _, own in _parts(predictions, sample):
            free, _ = event_free_at(predictions.outcome.rows(own), horizon)
            found.append(float(p.mean()) / (1 - free[0]) if free[0] < 1 else NAN)
        return float(np.mean(found))

    bounds = _bootstrapped(ratio, predictions, draws, seed)
    parts = _parts(predictions)
    n = int(np.mean([len(p) for p, _, _ in parts]))
    note = f"no event, or not followed to the horizon, in a repeat of {len(parts)}" if np.isnan(bounds[0]) else ""
    return CalibrationRow(predictions.plan, "expected_observed", horizon, 0, NAN, *bounds, n, len(parts), note)


def _smooth_rows(predictions: OutOfFold, draws: int, seed: int) -> list[CalibrationRow]:
    """Integrated calibration index, and the smooth curve on GRID as far as the predictions of all repeats reach."""
    parts = _parts(predictions)
    n, repeats = int(np.mean([len(p) for p, _, _ in parts])), len(parts)
    low, high = max(p.min() for p, _, _ in parts), min(p.max() for p, _, _ in parts)
    grid = GRID[(low - 1e-12 <= GRID) & (high + 1e-12 >= GRID)]

    if n < FEWEST or predictions.outcome.event.all() or not predictions.outcome.event.any():
        why = f"fewer than {FEWEST} rows, or a single class: no smooth curve"
        return [CalibrationRow(predictions.plan, "ici", NAN, 0, NAN, NAN, NAN, NAN, n, repeats, why)]
    curves = [calibration_curve(p, e, at=grid) for p, e, _ in parts]
    value = np.mean([[c.ici, *c.observed] for c in curves], axis=0)
    drawn = np.array([_drawn_curve(predictions, k, grid) for k in patient_draws(predictions.patient, draws, seed)])
    lower, upper = np.nanquantile(drawn, (0.025, 0.975), axis=0) if draws > 1 else (value * NAN, value * NAN)
    numbers = [_three(line) for line in zip(value, lower, upper, strict=True)]
    rows = [CalibrationRow(predictions.plan, "ici", NAN, 0, NAN, *numbers[0], n, repeats)]
    for x, line in zip(grid, numbers[1:], strict=True):
        rows.append(CalibrationRow(predictions.plan, "curve", NAN, 0, float(x), *line, n, repeats))
    return rows


def _drawn_curve(predictions: OutOfFold, sample: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Calibration index and curve of a bootstrap sample, mean over repeats."""
    found = []
    for p, e, _ in _parts(predictions, sample):
        places = np.unique(np.quantile(p, PLACES))
        line = np.clip(lowess(p, e.astype(np.float64), np.append(places, grid)), 0, 1)
        own = np.interp(p, places, line[: len(places)])
        found.append([np.abs(own - p).mean(), *line[len(places) :]])
    return np.mean(found, axis=0)
