"""Rows of one test part with what a plan predicted for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from radiomics_pipeline.types.outcome import Outcome

NAN = float("nan")


@dataclass(frozen=True)
class Held:
    """What metrics are computed from.

    outcome, training : of the rows tested and of those trained on
    risk : float64 [rows], rises with the outcome (survival: earlier events; continuous: the number itself; ordinal:
        mean position); None where a plan of several classes gives no single score
    probability : float64 [rows, classes] or None
    survival : float64 [rows, times] or None, probability of no event (of interest) up to each of `times`
    times : float64 [times], rising; the horizon is one of them
    horizon, limit : time up to which survival is judged, and up to which curves and concordance are taken
    cut : probability from which a row counts as positive, chosen on training rows
    patient : of each row
    """

    outcome: Outcome
    training: Outcome
    risk: np.ndarray | None = None
    probability: np.ndarray | None = None
    survival: np.ndarray | None = None
    times: np.ndarray | None = None
    horizon: float = NAN
    limit: float = NAN
    cut: float = NAN
    patient: np.ndarray | None = None

    def rows(self, keep: np.ndarray) -> Held:
        """The rows at these positions."""

        def some(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[keep]

        return replace(
            self,
            outcome=self.outcome.rows(keep),
            risk=some(self.risk),
            probability=some(self.probability),
            survival=some(self.survival),
            patient=some(self.patient),
        )


def pool(parts: Sequence[Held]) -> Held:
    """Several test parts as one; `training` and `cut` are those of the first, and mean nothing for the others."""

    def joined(name: str) -> np.ndarray | None:
        arrays = [getattr(p, name) for p in parts]
        return None if any(a is None for a in arrays) else np.concatenate(arrays)

    first = parts[0]
    times = None if first.outcome.time is None else np.concatenate([p.outcome.time for p in parts])
    outcome = Outcome(
        first.outcome.names,
        first.outcome.kind,
        np.concatenate([p.outcome.value for p in parts]),
        times,
        first.outcome.categories,
    )
    return replace(
        first,
        outcome=outcome,
        risk=joined("risk"),
        probability=joined("probability"),
        survival=joined("survival"),
        patient=joined("patient"),
        cut=NAN,
    )
