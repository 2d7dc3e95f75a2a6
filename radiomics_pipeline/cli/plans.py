"""radiomics-pipeline plans: what a selection can be made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from radiomics_pipeline.selection.plans import Plan
    from radiomics_pipeline.selection.registry import Method

_OfKind = Annotated[
    str, typer.Option("--kind", metavar="KIND", help="Only those that serve this kind of outcome.", show_default="all")
]

app = typer.Typer(help="Plans of a selection: list, learners, selectors, show.", no_args_is_help=True)


@app.command("list")
def standard() -> None:
    """The plans that are compared where none is named."""
    from radiomics_pipeline.selection.plans import DEFAULT, STANDARD, named_plan

    for name in STANDARD:
        print(f"{name:<18} {_steps(named_plan(name))}{'  (default)' if name == DEFAULT else ''}")


@app.command("learners")
def learners(kind: _OfKind = "") -> None:
    """What learns: the last word of a plan."""
    from radiomics_pipeline.selection.plans import LEARNERS

    _list(LEARNERS, kind)


@app.command("selectors")
def selectors(kind: _OfKind = "") -> None:
    """What chooses features before: 'selector>learner'."""
    from radiomics_pipeline.selection.steps.table import SELECTORS

    _list(SELECTORS, kind)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A learner, a selector, or a plan such as 'mrmr>ridge'.")],
) -> None:
    """The settings of a learner, a selector, or all of a plan, with their defaults, and what `tune` tries."""
    from radiomics_pipeline.errors import ParamsError, did_you_mean
    from radiomics_pipeline.selection.plans import LEARNERS, STANDARD, named_plan
    from radiomics_pipeline.selection.steps.table import SELECTORS

    wanted = [("learner", LEARNERS, name), ("selector", SELECTORS, name)]
    if (name in STANDARD and not _rows(wanted)) or "+" in name or ">" in name:
        plan = named_plan(name)
        print(f"{name}: {_steps(plan)}")
        wanted = [("selector", SELECTORS, plan.select), ("learner", LEARNERS, plan.learner)]
    rows = _rows(wanted)
    if not rows:
        names = [row.name for row in (*LEARNERS, *SELECTORS)]
        raise ParamsError(f"no learner or selector {name!r}{did_you_mean(name, names)} ('plans learners' lists them)")
    for role, row in rows:
        print(f"{row.name}, {role} for {', '.join(row.kinds)} outcomes: {row.doc}")
        for setting, default, description in _settings(row):
            print(f"  {setting:<18} {default!s:<12} {description}")
        for setting, values in row.grid.items():
            print(f"  tune: grid tries {setting} = {', '.join(map(str, values))}")


def _rows(wanted: list[tuple[str, tuple[Method, ...], str]]) -> list[tuple[str, Method]]:
    return [(role, row) for role, table, name in wanted for row in table if row.name == name]


def _steps(plan: Plan) -> str:
    return " > ".join(part for part in (" + ".join(plan.inputs), plan.select, plan.learner) if part)


def _list(table: tuple[Method, ...], kind: str) -> None:
    from radiomics_pipeline.errors import ParamsError, did_you_mean
    from radiomics_pipeline.types.outcome import KINDS

    if kind and kind not in KINDS:
        raise ParamsError(f"--kind {kind!r}{did_you_mean(kind, KINDS)}; there are {', '.join(KINDS)}")
    served: dict[str, tuple[list[str], str]] = {}
    for row in table:
        if not kind or kind in row.kinds:
            kinds, _ = served.setdefault(row.name, ([], row.doc))
            kinds += row.kinds
    for name, (kinds, doc) in served.items():
        print(f"{name:<18} {doc} [{', '.join(k for k in KINDS if k in kinds)}]")


def _settings(row: Method) -> list[tuple[str, Any, str]]:
    return [
        (name, field.get_default(call_default_factory=True), field.description or "")
        for name, field in row.params.model_fields.items()
    ]
