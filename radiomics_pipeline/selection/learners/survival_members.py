"""The members of the average for times to events: survival forests, boosted trees, Cox under a ridge or L1."""

from __future__ import annotations

from typing import Any

from radiomics_pipeline.selection.learners.cox import CoxRidge
from radiomics_pipeline.selection.learners.member import Member
from radiomics_pipeline.selection.learners.penalised import PenalisedCox
from radiomics_pipeline.selection.learners.survival_boosting import BoostedCox, BoostedTimes
from radiomics_pipeline.selection.learners.survival_forest import SurvivalForest

BOOSTED: dict[str, Any] = {"rounds": 120, "learning_rate": 0.06, "depth": 3, "ridge": 2.0, "least": 1.0}
"""As lively as the members for classes."""


def survival_members(trees: int, seed: int) -> tuple[Member, ...]:
    """Three families; trees : of each forest, of which timed ones need half as many."""
    seeds = (seed, seed + 1)
    forest = SurvivalForest(trees=max(trees // 2, 10), seed=seed)
    return (
        *(Member("forest", view, forest) for view in ("all", "linear-30")),
        *(Member("boosted", view, BoostedCox(**BOOSTED, seed=s)) for view in ("all", "ranks-30") for s in seeds),
        *(Member("boosted", "all", BoostedTimes(**BOOSTED, seed=s)) for s in seeds),
        *(Member("linear", view, CoxRidge(repeats=1, seed=seed)) for view in ("ranks", "all", "linear-30")),
        Member("linear", "ranks-100", PenalisedCox(l1_ratios=(0.7,), seed=seed)),
    )
