"""The plans that are compared: what goes in, what selects, what learns.

A plan is a whole pipeline over the columns of a `Layout`, from raw cells with gaps to a prediction. Its name says what
it is: inputs joined by '+', then '[selector>]learner', as in 'lasso', 'clinical+average', 'mrmr>ridge'. Radiomics goes
into every plan that names a learner; inputs alone ('volume', 'clinical+volume') are fitted by a regression under a
ridge: they are the baselines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.params.selection import PlanParams, SelectionParams
from radiomics_pipeline.params.steps import HarmoniseParams, ResidualiseParams, RobustParams
from radiomics_pipeline.selection.combine.best_subset import BEST_SUBSET
from radiomics_pipeline.selection.layout import Layout
from radiomics_pipeline.selection.learners.average import AVERAGE
from radiomics_pipeline.selection.learners.gaussian_process import GAUSSIAN_PROCESS
from radiomics_pipeline.selection.learners.recalibrated import Recalibrated
from radiomics_pipeline.selection.learners.table import LEARNERS as OTHERS
from radiomics_pipeline.selection.learners.tuned import tuned
from radiomics_pipeline.selection.registry import Method, method_named
from radiomics_pipeline.selection.steps.blocks import blocks_of
from radiomics_pipeline.selection.steps.chain import Chain
from radiomics_pipeline.selection.steps.harmonise import ComBat
from radiomics_pipeline.selection.steps.impute import Impute
from radiomics_pipeline.selection.steps.redundancy import DropCorrelated
from radiomics_pipeline.selection.steps.residualise import Residualise
from radiomics_pipeline.selection.steps.robust import KeepRobust, Repeats
from radiomics_pipeline.selection.steps.scale import Scale
from radiomics_pipeline.selection.steps.table import SELECTORS
from radiomics_pipeline.selection.steps.usable import DropUnusable
from radiomics_pipeline.types.outcome import CLASSES, Kind
from radiomics_pipeline.types.side import Side

RADIOMICS = "radiomics"
Tuning = Literal["none", "grid", "optuna"]
LEARNERS: tuple[Method, ...] = (*OTHERS, GAUSSIAN_PROCESS, BEST_SUBSET, AVERAGE)
PLAIN, ORDERED = "ridge", "ordinal"
"""The learner of baselines, and the one that stands for it where classes are ordered."""
DEFAULT = "average"
SIGNATURE = "signature"
RANKING = ("lasso", SIGNATURE)
"""The plans whose selections order ranking.csv: the first that is there."""
BASELINES = ("volume", "conventional")
STANDARD = ("volume", "conventional", "clinical", *RANKING, DEFAULT, f"clinical+{DEFAULT}")


@dataclass(frozen=True)
class Plan:
    """A named pipeline.

    inputs : names of `Layout.inputs`; the plan is left out where one of them has no column
    redundant : correlated features stay
    """

    name: str
    inputs: tuple[str, ...]
    learner: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    select: str = ""
    select_settings: Mapping[str, Any] = field(default_factory=dict)
    redundant: bool = False
    tune: Tuning = "none"


def plans_of(params: SelectionParams, kind: Kind, layout: Layout) -> tuple[Plan, ...]:
    """The plans asked for, or the standard ones whose inputs are there.

    Raises ParamsError for a plan that is unknown, does not serve the outcome, cannot be tuned as it asks, has a setting
    that nothing would use, or whose inputs are absent, and for a step without the column it needs.
    """
    _check_steps(params, layout)
    if not params.plans:
        standard = [plan for plan in map(named_plan, STANDARD) if layout.has(plan.inputs)]
        return tuple(plan for plan in standard if serves(plan, kind) or plan.learner == PLAIN)
    plans = tuple(_own(p) if isinstance(p, PlanParams) else named_plan(p, layout) for p in params.plans)
    names = [plan.name for plan in plans]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParamsError(f"plan named twice: {', '.join(twice)}")
    for plan in plans:
        _check_plan(plan, kind, layout, params.seed)
    return plans


def unused_notes(params: SelectionParams, layout: Layout) -> tuple[str, ...]:
    """Settings of steps that do not take place: what was asked for and is not done."""
    notes = []
    if params.robust != RobustParams() and "row" not in layout.side:
        notes.append("robust: no measurements again are given (--repeated), so no feature is left out for its ICC")
    if params.harmonise.method == "none" and params.harmonise != HarmoniseParams():
        notes.append("harmonise: its settings do nothing, as method is none")
    if params.residualise.method == "none" and params.residualise != ResidualiseParams():
        notes.append("residualise: its settings do nothing, as method is none")
    return tuple(notes)


def named_plan(text: str, layout: Layout | None = None) -> Plan:
    """The plan of a name; ParamsError where it cannot be read."""
    *inputs, last = text.split("+")
    known = ("volume", "conventional", "clinical", RADIOMICS, *(layout.inputs if layout else ()))
    if last in known:
        _check_inputs(text, (*inputs, last), known)
        return Plan(text, (*inputs, last), PLAIN)
    select, _, learner = last.rpartition(">")
    if not select and learner == SIGNATURE:
        select, learner = "mrmr", "ridge"
    rest = tuple(i for i in inputs if i != RADIOMICS)
    _check_inputs(text, rest, known)
    names = sorted({row.name for row in LEARNERS})
    if learner not in names:
        hint = did_you_mean(learner, names)
        raise ParamsError(f"plan {text!r}: no learner {learner!r}{hint}; there are {', '.join(names)}")
    if select:
        method_named(select, SELECTORS)
    return Plan(text, (*rest, RADIOMICS), learner, select=select, redundant=learner == DEFAULT)


def build(plan: Plan, layout: Layout, kind: Kind, params: SelectionParams, side: Side | None = None) -> Pipeline:
    """The unfitted pipeline of a plan."""
    before: list[tuple[str, Any]] = [("prepare", prepare(plan, layout, kind, params, side))]
    method, inner = learner_of(plan, kind), params.validation.inner_folds
    if plan.tune == "none":
        learner = method.make(plan.settings, kind, params.seed)
    else:
        learner = tuned(method, plan.settings, kind, params.seed, method=plan.tune, inner_folds=inner)
    if "prepare" in learner.get_params(deep=False):  # such a learner refits what comes before in its inner folds
        return Pipeline([("model", learner.set_params(prepare=Pipeline(before)))])
    whole = Pipeline([*before, ("model", learner)])
    if not plan.select or kind not in CLASSES:
        return whole
    # what the learner chooses by inner folds of its own has seen features that were chosen on all these rows
    return Pipeline([("model", Recalibrated(whole, inner, params.seed))])


def prepare(
    plan: Plan, layout: Layout, kind: Kind, params: SelectionParams, side: Side | None = None
) -> ColumnTransformer:
    """The plan's inputs, each in its own way; a text not seen in training has 0 in all its columns.

    A selector chooses among the radiomic features alone.
    """
    parts: list[tuple[str, Any, Any]] = []
    text = set(layout.text)
    for name in plan.inputs:
        columns = layout.inputs[name]
        if name == RADIOMICS:
            chain = radiomics_chain(layout, params, side, redundant=plan.redundant)
            if plan.select:
                chain.set_params(steps=[*chain.steps, ("select", _selector(plan, layout, kind, params))])
            parts.append((name, chain, [*columns, *layout.side.values()]))
            continue
        numeric = [c for c in columns if c not in text]
        if numeric:
            parts.append((name, plain_chain(), numeric))
        if len(numeric) < len(columns):
            encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            parts.append((f"{name}-text", encoder, [c for c in columns if c in text]))
    return ColumnTransformer(parts, verbose_feature_names_out=False, sparse_threshold=0)


def radiomics_chain(
    layout: Layout,
    params: SelectionParams,
    rows: Side | None,
    *,
    redundant: bool,
    side: tuple[str, ...] | None = None,
) -> Chain:
    """Robust and usable columns, gaps filled, centres harmonised, one column of each cluster, scaled.

    rows : measurements again and names of centres; side : side columns that X will have, those of the layout where None
    """
    there = tuple(layout.side) if side is None else side
    steps: list[tuple[str, Any]] = []
    if rows is not None and rows.repeats is not None and "row" in there:
        again = Repeats(rows.repeats[:, :, list(layout.inputs[RADIOMICS])])
        steps.append(("robust", KeepRobust(again, **params.robust.model_dump())))
    steps += [
        ("usable", DropUnusable(params.redundancy.min_filled, params.redundancy.max_same)),
        ("impute", Impute(**params.impute.model_dump())),
    ]
    if params.harmonise.method == "combat" and "centre" in there:
        centres = () if rows is None else rows.centres
        steps.append(("harmonise", ComBat(**params.harmonise.model_dump(exclude={"method"}), centres=centres)))
    if params.residualise.method == "volume" and "volume" in there:
        steps.append(("residualise", Residualise(**params.residualise.model_dump(exclude={"method"}))))
    if not redundant:
        steps.append(("redundancy", DropCorrelated(params.redundancy.threshold)))
    steps.append(("scale", Scale(params.scale.method, params.scale.clip)))
    return Chain(steps, there)


def _selector(plan: Plan, layout: Layout, kind: Kind, params: SelectionParams) -> Any:
    """The plan's selector, told which feature belongs to which block where it asks for that."""
    found = method_named(plan.select, SELECTORS).make(plan.select_settings, kind, params.seed)
    if "blocks" in found.get_params(deep=False):
        found.set_params(blocks=blocks_of([layout.names[c] for c in layout.inputs[RADIOMICS]]))
    return found


def plain_chain() -> Pipeline:
    """Gaps filled with medians (0 in a column that is empty), scaled."""
    return Pipeline(
        [("impute", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
    )


def serves(plan: Plan, kind: Kind) -> bool:
    """Whether there is a learner of the plan's name for this kind of outcome."""
    return any(row.name == plan.learner and kind in row.kinds for row in LEARNERS)


def learner_of(plan: Plan, kind: Kind) -> Method:
    """The plan's learner; ParamsError where none of its name serves this kind of outcome."""
    if plan.learner == PLAIN and kind == "ordinal":
        return method_named(ORDERED, LEARNERS)
    rows = tuple(row for row in LEARNERS if kind in row.kinds)
    if not serves(plan, kind) and plan.learner in {row.name for row in LEARNERS}:
        serving = ", ".join(sorted({row.name for row in rows}))
        raise ParamsError(f"plan {plan.name!r}: {plan.learner} serves no {kind} outcome; there are {serving}")
    return method_named(plan.learner, rows)


def _own(params: PlanParams) -> Plan:
    return Plan(
        params.name,
        params.inputs,
        params.learner,
        params.settings,
        params.select,
        params.select_settings,
        params.redundant,
        params.tune,
    )


def _check_steps(params: SelectionParams, layout: Layout) -> None:
    """ParamsError where a step is asked for whose column is not there."""
    if params.harmonise.method == "combat" and "centre" not in layout.side:
        raise ParamsError("harmonise: combat needs to know each row's centre; name its column by --centre")
    if params.residualise.method == "volume" and "volume" not in layout.side:
        raise ParamsError("residualise: volume needs a mesh volume among the features; name its column by `volume`")


def _check_plan(plan: Plan, kind: Kind, layout: Layout, seed: int) -> None:
    """ParamsError where a plan cannot be built, or names what nothing would use."""
    absent = [name for name in plan.inputs if not layout.inputs.get(name)]
    if absent:
        there = ", ".join(name for name, columns in layout.inputs.items() if columns)
        raise ParamsError(f"plan {plan.name!r} needs {', '.join(absent)}, without a column here; there is {there}")
    twice = sorted({name for name in plan.inputs if plan.inputs.count(name) > 1})
    if twice:
        raise ParamsError(f"plan {plan.name!r}: input {', '.join(twice)} is named twice")
    if plan.select and RADIOMICS not in plan.inputs:
        raise ParamsError(f"plan {plan.name!r}: {plan.select} selects radiomic features, but {RADIOMICS} is no input")
    if plan.select_settings and not plan.select:
        raise ParamsError(f"plan {plan.name!r}: select_settings are given, but no selector; name it by `select`")
    method = learner_of(plan, kind)
    _check_tuning(plan, method)
    try:
        method.make(plan.settings, kind, seed)
        if plan.select:
            method_named(plan.select, SELECTORS).make(plan.select_settings, kind, seed)
    except ParamsError as e:
        raise ParamsError(f"plan {plan.name!r}: {e}") from None


def _check_tuning(plan: Plan, method: Method) -> None:
    if plan.tune == "none":
        return
    if not set(method.grid) - set(plan.settings):
        why = "all that could be tried is set by hand" if method.grid else "it has no settings to try"
        raise ParamsError(f"plan {plan.name!r}: tune: {plan.tune}, but of {method.name} {why}; leave tune out")
    if plan.tune == "optuna" and find_spec("optuna") is None:
        raise ParamsError(
            f"plan {plan.name!r}: Optuna is not installed; pip install 'radiomics_pipeline[tune]', or take tune: grid"
        )


def _check_inputs(text: str, inputs: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in inputs:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ParamsError(f"plan {text!r}: no input {name!r}{hint}; there are {', '.join(dict.fromkeys(known))}")
