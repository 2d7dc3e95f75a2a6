"""A cut of a score chosen on training rows, and what it does on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.checked import ONE_CLASS, SAME, scores_of
from radiomics_pipeline.stats.wilson import wilson

NAN = float("nan")
Rule = Literal["youden", "closest", "sensitivity", "specificity"]
TINY = 1e-12


@dataclass(frozen=True)
class Cut:
    """A row is positive where its score reaches `value`.

    sensitivity, specificity : on the rows that it was chosen on, and so flattered: report those of other rows
    """

    value: float
    rule: str
    sensitivity: float
    specificity: float
    note: str = ""


@dataclass(frozen=True)
class Share:
    """A share of counted rows with Wilson's interval; NaN where there is no row to count."""

    value: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True)
class Diagnosis:
    """A cut on rows that it was not chosen on.

    ppv, npv : of these rows' prevalence, and of no other
    balanced_accuracy : mean of sensitivity and specificity, interval from theirs
    note : which shares have no row
    """

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    sensitivity: Share
    specificity: Share
    ppv: Share
    npv: Share
    accuracy: Share
    balanced_accuracy: Share
    note: str = ""


def choose_cut(score: np.ndarray, event: np.ndarray, rule: Rule = "youden", target: float = 0.9) -> Cut:
    """The cut of training rows by a rule.

    score : float64 [rows], higher speaks for the event; event : bool [rows]
    rule : "youden", largest sensitivity + specificity (Youden, Cancer 1950;3:32); "closest" to the corner of no error;
        "sensitivity", the most specific cut whose sensitivity reaches `target`; "specificity", the other way round

    Cuts lie half way between neighbouring scores; the rules with a target may also call every training row positive. Of
    cuts equally good by a rule the one whose sensitivity and specificity are nearest to each other (with a target: the
    better one), then the lower. NaN for a single class, and where all scores are the same and the rule has no target.
    """
    if rule not in get_args(Rule):
        raise ParamsError(f"rule {rule!r} is not one of {', '.join(get_args(Rule))}")
    if not 0 <= target <= 1:
        raise ParamsError(f"target {target}; it must lie within 0 and 1")
    found, flags = scores_of(score, event)
    if flags.all() or not flags.any():
        return Cut(NAN, rule, NAN, NAN, ONE_CLASS)
    levels = np.unique(found)
    cuts = _between(levels)
    if rule in ("sensitivity", "specificity"):
        cuts = np.concatenate([levels[:1], cuts])
    if not len(cuts):
        return Cut(NAN, rule, NAN, NAN, SAME)
    sensitivity = 1 - np.searchsorted(np.sort(found[flags]), cuts) / flags.sum()
    specificity = np.searchsorted(np.sort(found[~flags]), cuts) / (~flags).sum()
    worth, tie = {
        "youden": (sensitivity + specificity, -np.abs(sensitivity - specificity)),
        "closest": (-np.hypot(1 - sensitivity, 1 - specificity), -np.abs(sensitivity - specificity)),
        "sensitivity": (np.where(sensitivity >= target - TINY, specificity, -1.0), sensitivity),
        "specificity": (np.where(specificity >= target - TINY, sensitivity, -1.0), specificity),
    }[rule]
    if worth.max() < 0 and rule == "specificity":
        return Cut(NAN, rule, NAN, NAN, f"no cut between the scores has a specificity of {target:g}")
    best = np.flatnonzero(worth >= worth.max() - TINY)
    best = best[np.argmax(tie[best].round(12))]
    return Cut(float(cuts[best]), rule, float(sensitivity[best]), float(specificity[best]))


def diagnose(score: np.ndarray, event: np.ndarray, cut: float, level: float = 0.95) -> Diagnosis:
    """Shares of rows that a cut calls rightly, with Wilson's intervals.

    score : float64 [rows], not those that the cut was chosen on; event : bool [rows]; cut : positive from here on

    The interval of the balanced accuracy joins those of its two parts (Zou and Donner, Stat Med 2008;27:1693,
    doi 10.1002/sim.3095). Rows are taken as independent. A NaN cut gives NaN throughout.
    """
    found, flags = scores_of(score, event)
    if np.isnan(cut):
        nothing = Share(NAN, NAN, NAN, 0)
        return Diagnosis(0, 0, 0, 0, nothing, nothing, nothing, nothing, nothing, nothing, "no cut was chosen")
    called = found >= cut
    tp, fp = int((called & flags).sum()), int((called & ~flags).sum())
    fn, tn = int((~called & flags).sum()), int((~called & ~flags).sum())
    hits = np.array([tp, tn, tp, tn, tp + tn])
    trials = np.array([tp + fn, tn + fp, tp + fp, tn + fn, len(flags)])
    lower, upper = wilson(hits, trials, level)
    value = np.where(trials > 0, hits / np.maximum(trials, 1), NAN)
    cells = zip(value, lower, upper, trials, strict=True)
    right, rejected, ppv, npv, accuracy = (Share(float(v), float(a), float(b), int(n)) for v, a, b, n in cells)
    down, up = (float(np.hypot(*part)) / 2 for part in ((value - lower)[:2], (upper - value)[:2]))
    middle = float(value[:2].mean())
    balanced = Share(middle, middle - down, middle + up, len(flags))
    names = ("sensitivity", "specificity", "positive predictive value", "negative predictive value")
    empty = [name for name, n in zip(names, trials, strict=False) if n == 0]
    note = f"no row to count for {', '.join(empty)}" if empty else ""
    return Diagnosis(tp, fp, tn, fn, right, rejected, ppv, npv, accuracy, balanced, note)


def _between(levels: np.ndarray) -> np.ndarray:
    """Cuts half way between rising values; the upper value where the two are neighbours in floating point."""
    low, high = levels[:-1], levels[1:]
    middle = low + (high - low) / 2
    return np.where(middle > low, middle, high)
