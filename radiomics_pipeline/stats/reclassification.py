"""How a second model moves patients against a first: net reclassification and integrated discrimination, descriptive.

None of these comes with a p value or an interval, and they should not be given one. The tests published with them
reject far too often, since a model that is merely miscalibrated, or that has a useless predictor more, moves patients
too (Hilden and Gerds, Stat Med 2014;33:3405, doi 10.1002/sim.5804; Pepe et al., Stat Biosci 2015;7:282,
doi 10.1007/s12561-014-9118-0). The sum over events and others weighs the two as if they were as frequent and as
important; the components say more (Kerr et al., Epidemiology 2014;25:114, doi 10.1097/EDE.0000000000000018). To ask
whether a model is better, compare areas, Brier scores or net benefit of rows left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.checked import ONE_CLASS, event_flags, probabilities_of

NAN = float("nan")


@dataclass(frozen=True)
class Reclassification:
    """Net reclassification improvement and what it is made of.

    events_up, events_down, others_up, others_down : shares of the rows with, and without, the event that move
    events : events_up - events_down; others : others_down - others_up; total : their sum, -2 to 2, no share of anything
    weighted : events and others weighed by how frequent they are: net share of all rows that move the right way
    events_table, others_table : int64 [classes before, classes after], empty for the continuous form
    """

    events_up: float
    events_down: float
    others_up: float
    others_down: float
    events: float
    others: float
    total: float
    weighted: float
    events_table: np.ndarray
    others_table: np.ndarray
    note: str = ""


@dataclass(frozen=True)
class Discrimination:
    """Integrated discrimination improvement: change of the difference of mean probabilities.

    events, others : change of the mean probability of the rows with, and without, the event
    slope_before, slope_after : mean probability of the events less that of the others
    total : events - others = slope_after - slope_before
    """

    events: float
    others: float
    slope_before: float
    slope_after: float
    total: float
    note: str = ""


def nri_categorical(before: np.ndarray, after: np.ndarray, event: np.ndarray, cuts: np.ndarray) -> Reclassification:
    """Net reclassification over risk classes.

    before, after : float64 [rows], probabilities of rows that neither model was fitted to; event : bool [rows]
    cuts : rising, within 0 and 1, declared beforehand; a probability at a cut belongs to the class above

    Pencina et al., Stat Med 2008;27:157, doi 10.1002/sim.2929; weighted as in Pencina, D'Agostino and Steyerberg, Stat
    Med 2011;30:11, doi 10.1002/sim.4085, with equal savings. Descriptive: see this file's head.
    """
    first, second, flags = _both(before, after, event)
    edges = np.atleast_1d(np.asarray(cuts, np.float64))
    if not len(edges) or (np.diff(edges) <= 0).any() or edges[0] <= 0 or edges[-1] >= 1:
        raise ParamsError(f"cuts {edges}; give at least one, rising, over 0 and below 1")
    was, now = np.searchsorted(edges, first, side="right"), np.searchsorted(edges, second, side="right")
    tables = []
    for part in (flags, ~flags):
        table = np.zeros((len(edges) + 1, len(edges) + 1), np.int64)
        np.add.at(table, (was[part], now[part]), 1)
        tables.append(table)
    return _moved(np.sign(now - was), flags, tables[0], tables[1])


def nri_continuous(before: np.ndarray, after: np.ndarray, event: np.ndarray) -> Reclassification:
    """Net reclassification where any rise or fall of the probability is a move: the category-free form, -2 to 2.

    before, after, event : as in `nri_categorical`. Differences within rounding (1e-12) are no move. Pencina, D'Agostino
    and Steyerberg, Stat Med 2011;30:11, doi 10.1002/sim.4085. Descriptive: see this file's head.
    """
    first, second, flags = _both(before, after, event)
    change = second - first
    empty = np.zeros((0, 0), np.int64)
    return _moved(np.where(np.abs(change) <= 1e-12, 0.0, np.sign(change)), flags, empty, empty)


def idi(before: np.ndarray, after: np.ndarray, event: np.ndarray) -> Discrimination:
    """Integrated discrimination improvement.

    before, after, event : as in `nri_categorical`. Pencina et al., Stat Med 2008;27:157, doi 10.1002/sim.2929. It
    rewards probabilities pushed apart even where they become wrong; read it beside the calibration. Descriptive: see
    this file's head.
    """
    first, second, flags = _both(before, after, event)
    if flags.all() or not flags.any():
        return Discrimination(NAN, NAN, NAN, NAN, NAN, ONE_CLASS)
    old, new = (float(v[flags].mean() - v[~flags].mean()) for v in (first, second))
    events, others = float((second - first)[flags].mean()), float((second - first)[~flags].mean())
    return Discrimination(events, others, old, new, new - old)


def _both(before: np.ndarray, after: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    flags = event_flags(event)
    return probabilities_of(before, flags)[0], probabilities_of(after, flags)[0], flags


def _moved(
    moves: np.ndarray, flags: np.ndarray, events_table: np.ndarray, others_table: np.ndarray
) -> Reclassification:
    if flags.all() or not flags.any():
        return Reclassification(NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, events_table, others_table, ONE_CLASS)
    up, down = (float((moves[flags] == sign).mean()) for sign in (1, -1))
    others_up, others_down = (float((moves[~flags] == sign).mean()) for sign in (1, -1))
    events, others, share = up - down, others_down - others_up, float(flags.mean())
    weighted = share * events + (1 - share) * others
    return Reclassification(
        up, down, others_up, others_down, events, others, events + others, weighted, events_table, others_table
    )
