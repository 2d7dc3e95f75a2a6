"""The plans that are compared: one row each. A new model is a builder and a row of PLANS.

A plan is a whole pipeline over the columns of a `Layout`, from raw cells with gaps to a prediction.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.selection.learners.penalised import PenalisedCox, PenalisedLogistic
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated
from radiomics_pipeline.selection.steps.usable import DropUnusable
from radiomics_pipeline.types.outcome import Clinical

MESH_VOLUME = re.compile(r"(.+_)?(morphology_VolumeMesh|shape_MeshVolume)(_.+)?")


@dataclass(frozen=True)
class Layout:
    """Where the inputs stand in the columns given to a pipeline.

    radiomics, volume, numeric, text : positions; radiomics comes first, volume holds one or none, numeric and text
        are clinical
    """

    radiomics: tuple[int, ...]
    volume: tuple[int, ...]
    numeric: tuple[int, ...]
    text: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A named pipeline.

    outcome : "binary" or "survival"
    inputs : of "radiomics", "volume", "clinical"; the plan is left out where one of them is absent
    build : makes the unfitted pipeline
    ranks : its selection frequencies order ranking.csv; one plan of each outcome
    """

    name: str
    outcome: str
    inputs: tuple[str, ...]
    build: Callable[[Plan, Layout, SelectionParams], Any]
    ranks: bool = False


def layout_of(columns: tuple[str, ...], clinical: Clinical | None, volume: str) -> Layout:
    """Positions of the inputs among the features and then the clinical columns.

    volume : its column's name; empty where there is none
    """
    first = len(columns)
    categories = () if clinical is None else clinical.categories
    return Layout(
        radiomics=tuple(range(first)),
        volume=(columns.index(volume),) if volume else (),
        numeric=tuple(first + i for i, c in enumerate(categories) if c is None),
        text=tuple(first + i for i, c in enumerate(categories) if c is not None),
    )


def find_volume(columns: tuple[str, ...], wanted: str) -> str:
    """The volume baseline's column: the one wanted, else the first mesh volume, else none (empty)."""
    if wanted:
        return wanted if wanted in columns else ""
    return next((c for c in columns if MESH_VOLUME.fullmatch(c)), "")


def prepare_radiomics(params: SelectionParams) -> Pipeline:
    """Usable columns, gaps filled with medians, one column of each cluster, scaled."""
    redundancy = params.redundancy
    return Pipeline(
        [
            ("usable", DropUnusable(redundancy.min_filled, redundancy.max_same)),
            ("impute", SimpleImputer(strategy="median")),
            ("redundancy", DropCorrelated(redundancy.threshold)),
            ("scale", StandardScaler()),
        ]
    )


def prepare_plain() -> Pipeline:
    """Gaps filled with medians (0 in a column that is empty), scaled."""
    return Pipeline(
        [("impute", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
    )


def prepare(plan: Plan, layout: Layout, params: SelectionParams) -> ColumnTransformer:
    """The plan's inputs, each in its own way; a text not seen in training has 0 in all its columns."""
    parts: list[tuple[str, Any, Any]] = []
    if "radiomics" in plan.inputs:
        parts.append(("radiomics", prepare_radiomics(params), slice(0, len(layout.radiomics))))
    if "volume" in plan.inputs:
        parts.append(("volume", prepare_plain(), list(layout.volume)))
    if "clinical" in plan.inputs and layout.numeric:
        parts.append(("numeric", prepare_plain(), list(layout.numeric)))
    if "clinical" in plan.inputs and layout.text:
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float64)
        parts.append(("text", encoder, list(layout.text)))
    return ColumnTransformer(parts, verbose_feature_names_out=False, sparse_threshold=0)


def _plain_logistic(plan: Plan, layout: Layout, params: SelectionParams) -> Pipeline:
    """Logistic regression under a light ridge (C = 1 on scaled columns)."""
    return Pipeline([("prepare", prepare(plan, layout, params)), ("model", LogisticRegression(C=1.0, max_iter=1000))])


def _plain_cox(plan: Plan, layout: Layout, params: SelectionParams) -> Pipeline:
    """Cox regression under a light ridge (alpha = 1 on scaled columns)."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    return Pipeline([("prepare", prepare(plan, layout, params)), ("model", CoxPHSurvivalAnalysis(alpha=1.0))])


def _net(estimator: Any, plan: Plan, layout: Layout, params: SelectionParams, l1_ratios: tuple[float, ...]) -> Pipeline:
    model = estimator(
        prepare=prepare(plan, layout, params),
        l1_ratios=l1_ratios,
        steps=params.penalty.steps,
        smallest=params.penalty.smallest,
        inner_folds=params.validation.inner_folds,
        seed=params.seed,
    )
    return Pipeline([("model", model)])


def _lasso_logistic(plan: Plan, layout: Layout, params: SelectionParams) -> Pipeline:
    return _net(PenalisedLogistic, plan, layout, params, (1.0,))


def _elastic_logistic(plan: Plan, layout: Layout, params: SelectionParams) -> Pipeline:
    return _net(PenalisedLogistic, plan, layout, params, params.penalty.l1_ratios)


def _lasso_cox(plan: Plan, layout: Layout, params: SelectionParams) -> Pipeline:
    return _net(PenalisedCox, plan, layout, params, (1.0,))


def _elastic_cox(plan: Plan, layout: Layout, params: SelectionParams) -> Pipeline:
    return _net(PenalisedCox, plan, layout, params, params.penalty.l1_ratios)


PLANS = (
    Plan("volume", "binary", ("volume",), _plain_logistic),
    Plan("clinical", "binary", ("clinical",), _plain_logistic),
    Plan("lasso", "binary", ("radiomics",), _lasso_logistic, ranks=True),
    Plan("elastic-net", "binary", ("radiomics",), _elastic_logistic),
    Plan("clinical+elastic-net", "binary", ("clinical", "radiomics"), _elastic_logistic),
    Plan("volume", "survival", ("volume",), _plain_cox),
    Plan("clinical", "survival", ("clinical",), _plain_cox),
    Plan("cox-lasso", "survival", ("radiomics",), _lasso_cox, ranks=True),
    Plan("cox-elastic-net", "survival", ("radiomics",), _elastic_cox),
    Plan("clinical+cox-elastic-net", "survival", ("clinical", "radiomics"), _elastic_cox),
)


def plans_for(outcome: str, layout: Layout) -> tuple[Plan, ...]:
    """The plans of an outcome whose inputs are all there."""
    there = {"radiomics": layout.radiomics, "volume": layout.volume, "clinical": layout.numeric + layout.text}
    return tuple(p for p in PLANS if p.outcome == outcome and all(there[i] for i in p.inputs))
