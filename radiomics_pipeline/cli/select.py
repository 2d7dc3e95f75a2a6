"""radiomics-pipeline select: rank the features of a table against an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radiomics_pipeline.cli.options import Clinical, Event, IdColumn, Jobs, OutFolder, Seed, Target, Time
from radiomics_pipeline.cli.progress import progress_bar
from radiomics_pipeline.errors import OutcomeError, ParamsError, did_you_mean

if TYPE_CHECKING:
    from radiomics_pipeline.batch.selection.study import SelectionSummary
    from radiomics_pipeline.params.run import Run
    from radiomics_pipeline.params.selection import SelectionParams

INPUTS = ("radiomics", "volume", "conventional", "clinical")
"""Names of inputs that a further block cannot have."""
FeatureFile = Annotated[
    Path,
    typer.Argument(metavar="TABLE", help="features.csv, or any table of numbers with a key column; gzip too."),
]
OptionalParams = Annotated[
    str, typer.Option("--params", metavar="NAME_OR_FILE", help="Parameters whose section `selection` is used.")
]
OutcomeKind = Annotated[
    str,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="Of the outcome: binary, continuous, multiclass or ordinal (of a target), survival or competing (of a "
        "time and an event).",
        show_default="binary, or survival",
    ),
]


def select(
    table: FeatureFile,
    out: OutFolder,
    outcomes: Annotated[
        Path | None,
        typer.Option("--outcomes", metavar="FILE", help="Table with the outcome; without it TABLE holds it."),
    ] = None,
    target: Target = "",
    time: Time = "",
    event: Event = "",
    kind: OutcomeKind = "",
    order: Annotated[
        str, typer.Option("--order", metavar="A,B,C", help="Classes of an ordinal outcome, from low to high.")
    ] = "",
    id_column: IdColumn = "",
    clinical: Clinical = "",
    centre: Annotated[
        str, typer.Option("--centre", metavar="COLUMN", help="Column of the centres: harmonisation, splits.")
    ] = "",
    date: Annotated[str, typer.Option("--date", metavar="COLUMN", help="Column of dates, for a temporal split.")] = "",
    readers: Annotated[
        str, typer.Option("--readers", metavar="A,B", help="Columns of experts' scores or indices to compare with.")
    ] = "",
    repeated: Annotated[
        Path | None,
        typer.Option("--repeated", metavar="FILE", help="Features measured again: reader, retest, perturbations."),
    ] = None,
    block: Annotated[
        list[str] | None,
        typer.Option("--block", metavar="NAME=FILE", help="Further columns, such as other omics; may be given again."),
    ] = None,
    test: Annotated[
        Path | None, typer.Option("--test", metavar="TABLE", help="External table: trained on TABLE, tested on it.")
    ] = None,
    test_outcomes: Annotated[
        Path | None, typer.Option("--test-outcomes", metavar="FILE", help="Outcomes of the external table.")
    ] = None,
    plans: Annotated[
        str, typer.Option("--plans", metavar="A,B", help="Plans to compare, such as 'volume,lasso,mrmr>ridge'.")
    ] = "",
    folds: Annotated[int | None, typer.Option("--folds", min=2, help="Outer folds.", show_default="5")] = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", min=1, help="How often the folds are drawn anew.", show_default="5")
    ] = None,
    permutations: Annotated[
        int | None,
        typer.Option(
            "--permutations",
            min=0,
            help="Of the test of the default plan, and of what radiomics adds to each baseline (each as costly).",
            show_default="0",
        ),
    ] = None,
    params: OptionalParams = "",
    seed: Seed = None,
    jobs: Jobs = None,
    dask: Annotated[
        str,
        typer.Option("--dask", metavar="ADDRESS", help="Of a Dask scheduler, whose workers fit the folds; not --jobs."),
    ] = "",
) -> None:
    """Rank features against an outcome, alone and in combination, every step inside the folds.

    Writes tables of features alone, of plans out of fold, of features in combination, and the final model.
    """
    from radiomics_pipeline.batch.executors import on_dask
    from radiomics_pipeline.batch.selection.study import Beside, select_study
    from radiomics_pipeline.io.outcomes import OutcomeColumns
    from radiomics_pipeline.params.selection import SelectionParams

    settings = SelectionParams()
    if params:
        from radiomics_pipeline.io.params_file import load_params

        settings = load_params(params).selection
    validation = {"folds": folds, "repeats": repeats, "permutations": permutations}
    if test is not None:
        validation["scheme"] = "external"  # type: ignore[assignment]
    settings = changed(settings, seed=seed, plans=names_in(plans) or None, validation=validation)
    columns = OutcomeColumns(
        target,
        time,
        event,
        names_in(clinical),
        id_column,
        known_kind(kind),
        names_in(order),
        centre,
        date,
        names_in(readers),
    )
    if dask and jobs:
        raise ParamsError("--dask takes all workers of the cluster; leave --jobs out")
    with on_dask(dask) if dask else nullcontext(), progress_bar("selecting") as progress:
        summary = select_study(
            table,
            columns=columns,
            out=out,
            outcomes=outcomes,
            params=settings,
            beside=Beside(repeated, blocks_in(block or ()), test, test_outcomes),
            n_jobs=-1 if dask else jobs or 0,
            progress=progress,
        )
    report_selection(summary, out)
    draw_figure(summary, out)


def changed(settings: SelectionParams, *, validation: dict[str, Any], **direct: Any) -> SelectionParams:
    """The parameters with what the command line says otherwise; ParamsError where it cannot be."""
    from pydantic import ValidationError

    told = {name: value for name, value in direct.items() if value is not None}
    inside = {name: value for name, value in validation.items() if value is not None}
    try:
        return type(settings)(**{**dict(settings), **told, "validation": {**dict(settings.validation), **inside}})
    except ValidationError as e:
        raise ParamsError(e.errors()[0]["msg"].removeprefix("Value error, ")) from None


def known_kind(text: str) -> Any:
    """A kind of outcome, or none; OutcomeError for any other word."""
    from radiomics_pipeline.types.outcome import KINDS

    if text and text not in KINDS:
        raise OutcomeError(f"--kind {text!r}{did_you_mean(text, KINDS)}; there are {', '.join(KINDS)}")
    return text


def blocks_in(texts: Sequence[str]) -> dict[str, Path]:
    """Tables by the name of their block, from NAME=FILE."""
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path) or name in found or name in INPUTS:
            raise ParamsError(f"--block {text!r}: write NAME=FILE, each name once, and none of {', '.join(INPUTS)}")
        found[name] = Path(path)
    return found


def names_in(text: str) -> tuple[str, ...]:
    """The names in an option such as "age, sex"."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def with_seed(params: Run, seed: int | None) -> Run:
    """The parameters with the seed of the command line, where one is given."""
    if seed is None:
        return params
    return params.model_copy(update={"selection": params.selection.model_copy(update={"seed": seed})})


def report_selection(summary: SelectionSummary, out: Path) -> None:
    """Say in a few lines what a selection found and what it left out."""
    for note in summary.notes:
        print(f"note: {shortened(note)}")
    print(
        f"{summary.features} features of {summary.rows} rows, {summary.patients} patients, "
        f"{'' if summary.events is None else f'{summary.events} rows with the event; '}{summary.manifest.seconds:.1f} s"
    )
    print(f"out of fold ({summary.performance[0].metric}, 95 % interval):")
    for row in summary.performance:
        interval = "no interval" if isnan(row.lower) else f"[{row.lower:.3f}, {row.upper:.3f}]"
        mark = "  (default)" if row.default else ""
        print(f"  {row.plan:26s} {row.mean:.3f}  {interval}  {row.n_folds} folds{mark}")
    print("first in the ranking:")
    for ranked in summary.top[:5]:
        print(
            f"  {ranked.rank}. {ranked.feature}: {_chosen(ranked.selection_frequency)}"
            f"alone {ranked.alone:.3f}, q {ranked.q:.2g}"
        )
    print(f"tables: {', '.join(path.relative_to(out).as_posix() for path in summary.files)} in {out}")


def _chosen(share: float) -> str:
    """How often the folds chose a cluster; nothing where no plan chose."""
    return "" if isnan(share) else f"selected in {share:.0%} of fits, "


def draw_figure(summary: SelectionSummary, out: Path) -> None:
    """Draw the first clusters and the plans' scores into selection.png."""
    from radiomics_pipeline.report.figure import draw_selection

    several = summary.rows != summary.patients
    of = f"{summary.rows} rows of {summary.patients} patients" if several else f"{summary.patients} patients"
    events = "" if summary.events is None else f", {summary.events} {'rows ' * several}with the event"
    title = f"{' and '.join(summary.outcome_names)}: {of}{events}"
    draw_selection(summary.top, summary.performance, title, out / "selection.png", summary.alone_metric)
    print(f"figure: {out / 'selection.png'}")


def shortened(note: str, length: int = 240) -> str:
    """A note, cut where it lists too many names for the console; the manifest has all of it."""
    return note if len(note) <= length else f"{note[:length].rsplit(',', 1)[0]}, ..."
