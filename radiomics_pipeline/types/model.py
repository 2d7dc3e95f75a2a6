"""A model that was fitted to a whole table: what it is, what it needs, what it may be used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Formula:
    """A linear model on the columns as they stand in a table: the score is intercept + sum of coefficient * value.

    intercept : 0 for a Cox model, whose score is a log relative hazard
    coefficients : by column, per unit of the column; columns that do not count are left out
    medians : by the same columns, what stands for a missing cell; empty where no single number does, and the formula
        then holds for complete rows only
    link : logistic: the probability is 1 / (1 + exp(-score)); identity; log-hazard
    """

    intercept: float
    coefficients: Mapping[str, float]
    medians: Mapping[str, float]
    link: str


@dataclass(frozen=True)
class ModelCard:
    """What a reader and `predict` must know of a model: model.yaml.

    plan : its name; kind : of the outcome; outcome : names of its columns
    categories : of the outcome's classes, or causes
    features, clinical : names of the columns that it takes, in their order; clinical_texts : of a clinical column of
        texts these, in the order of their codes
    side : side columns that it takes, and `centres`, the names behind the codes of a centre
    features_digest : of the parameters by which the features were made; empty where they are not known
    table_digest : SHA-256 of the training table and the outcomes, by file
    rows, patients, events : that it was fitted to
    performance : of the plan, out of fold: metric, mean, lower, upper
    horizon : time to which predicted survival refers; None where there is no time
    cutpoints : of the predicted score between risk groups, from training rows
    formula : of linear models
    ranges : of each column of numbers its smallest and largest training value
    versions : of the programs; params : of the selection; notes : what a user should know
    """

    plan: str
    kind: str
    outcome: tuple[str, ...]
    categories: tuple[str, ...]
    features: tuple[str, ...]
    clinical: tuple[str, ...]
    clinical_texts: Mapping[str, tuple[str, ...]]
    side: tuple[str, ...]
    centres: tuple[str, ...]
    features_digest: str
    table_digest: Mapping[str, str]
    rows: int
    patients: int
    events: int | None
    performance: Mapping[str, Any]
    horizon: float | None
    cutpoints: tuple[float, ...]
    formula: Formula | None
    versions: Mapping[str, str]
    params: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
