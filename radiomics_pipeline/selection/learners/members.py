"""The members of the average and the views they see: four families on all columns and on two quick choices of few."""

from __future__ import annotations

from typing import Any

from radiomics_pipeline.selection.learners.boosting import BoostedClassifier, BoostedRegressor
from radiomics_pipeline.selection.learners.forest import ForestClassifier, ForestRegressor
from radiomics_pipeline.selection.learners.gaussian_process import GaussianClassifier, GaussianRegressor
from radiomics_pipeline.selection.learners.linear import RidgeLinear
from radiomics_pipeline.selection.learners.logistic import RidgeLogistic
from radiomics_pipeline.selection.learners.member import Member
from radiomics_pipeline.selection.learners.survival_members import survival_members
from radiomics_pipeline.selection.learners.views import View
from radiomics_pipeline.types.outcome import TIMED, Kind

BOOSTED: dict[str, Any] = {"rounds": 120, "learning_rate": 0.06, "columns": 0.15, "ridge": 2.0, "least": 1.0}
"""Livelier than the learner's defaults: the other members steady them."""


def views_of(kind: Kind) -> dict[str, View]:
    """The views, by name.

    all, ranks : every column, as it is or as normal scores; ranks-100, ranks-30 : chosen by ranks; linear-30,
    linear-15 : by F (of times, by Cox's score)
    """
    return {
        "all": View(kind=kind),
        "ranks": View(ranks=True, kind=kind),
        "ranks-100": View(100, kind=kind),
        "ranks-30": View(30, kind=kind),
        "linear-30": View(30, "linear", kind=kind),
        "linear-15": View(15, "linear", kind=kind),
    }


def members_of(kind: Kind, trees: int, seed: int) -> tuple[Member, ...]:
    """The members for a kind of outcome."""
    if kind in TIMED:
        return survival_members(trees, seed)
    forest, boosted, ridge, process = _classes(trees, seed) if kind != "continuous" else _numbers(trees, seed)
    few = ("ranks-100", "ranks-30", "linear-30")
    return (
        *(Member("forest", view, forest) for view in ("all", *few)),
        *(Member("boosted", view, trees) for view in ("all", *few) for trees in boosted),
        *(Member("ridge", view, ridge) for view in ("ranks", "all", "linear-30", "linear-15")),
        *(Member("process", view, process) for view in ("all", "ranks-30", "linear-30")),
    )


def _classes(trees: int, seed: int) -> tuple[Any, Any, Any, Any]:
    return (
        ForestClassifier("random", trees, least=2, out_of_bag=False, seed=seed),
        tuple(BoostedClassifier(**BOOSTED, seed=s) for s in (seed, seed + 1)),
        RidgeLogistic(repeats=1, seed=seed),
        GaussianClassifier(),
    )


def _numbers(trees: int, seed: int) -> tuple[Any, Any, Any, Any]:
    return (
        ForestRegressor("random", trees, least=2, out_of_bag=False, seed=seed),
        tuple(BoostedRegressor(**BOOSTED, seed=s) for s in (seed, seed + 1)),
        RidgeLinear(),
        GaussianRegressor(),
    )
