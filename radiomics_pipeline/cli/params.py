"""radiomics-pipeline params: parameter files, listed, shown and checked."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Parameter files: list, show, check.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="A tracer's name or a YAML file.")]


@app.command("list")
def list_params() -> None:
    """The parameter files that come with the package."""
    from radiomics_pipeline.io.params_file import load_params, tracers

    for name, path in tracers().items():
        params = load_params(path)
        print(f"{name:<16} {', '.join(params.series):<12} {params.description}")


@app.command("show")
def show(
    name: _Name,
    effective: Annotated[
        bool, typer.Option("--effective", help="With every default spelled out, as a run writes them.")
    ] = False,
) -> None:
    """A parameter file as it is written, with its sources; a start for one of your own."""
    from radiomics_pipeline.io.params_file import find_params, load_params, write_params

    text = write_params(load_params(name)) if effective else find_params(name).read_text("utf-8")
    print(text, end="")


@app.command("check")
def check(name: _Name) -> None:
    """Read a parameter file, and say what is wrong with it or what it asks for."""
    from radiomics_pipeline.extraction.standards import plan_series
    from radiomics_pipeline.io.params_file import load_params

    params = load_params(name)
    for series in params.series:
        plan = plan_series(params, series)
        families = ", ".join(dict.fromkeys(spec.name.family for spec in plan.columns))
        print(f"{series or 'every series'}: {len(plan.columns)} features ({families})")
    print(f"{name}: in order")
