"""radiomics-pipeline select: rank the features of a table against an outcome."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radiomics_pipeline.cli.options import Clinical, Event, IdColumn, Jobs, OutFolder, Seed, Target, Time
from radiomics_pipeline.cli.progress import progress_bar

if TYPE_CHECKING:
    from radiomics_pipeline.batch.select import SelectionSummary
    from radiomics_pipeline.io.outcomes import OutcomeColumns
    from radiomics_pipeline.params.run import Run

FeatureFile = Annotated[
    Path,
    typer.Argument(metavar="TABLE", help="features.csv, or any table of numbers with a key column; gzip too."),
]
OptionalParams = Annotated[
    str, typer.Option("--params", metavar="NAME_OR_FILE", help="Parameters whose section `selection` is used.")
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
    id_column: IdColumn = "",
    clinical: Clinical = "",
    params: OptionalParams = "",
    seed: Seed = None,
    jobs: Jobs = None,
) -> None:
    """Rank features against an outcome, alone and in combination, every step inside the folds.

    Writes univariate.csv, ranking.csv, performance.csv, predictions.csv and redundancy.csv.
    """
    from radiomics_pipeline.batch.select import select_study
    from radiomics_pipeline.params.selection import SelectionParams

    settings = SelectionParams()
    if params:
        from radiomics_pipeline.io.params_file import load_params

        settings = load_params(params).selection
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    with progress_bar("selecting") as progress:
        summary = select_study(
            table,
            columns=outcome_columns(target, time, event, clinical, id_column),
            out=out,
            outcomes=outcomes,
            params=settings,
            n_jobs=jobs or 0,
            progress=progress,
        )
    report_selection(summary, out)
    draw_figure(summary, out)


def outcome_columns(target: str, time: str, event: str, clinical: str, id_column: str) -> OutcomeColumns:
    """The options that name columns; OutcomeError where they do not make an outcome."""
    from radiomics_pipeline.io.outcomes import OutcomeColumns

    return OutcomeColumns(target, time, event, names_in(clinical), id_column)


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
        f"{summary.events} rows with the event; {summary.manifest.seconds:.1f} s"
    )
    print(f"out of fold ({summary.performance[0].metric}, 95 % interval):")
    for row in summary.performance:
        interval = "no interval" if isnan(row.lower) else f"[{row.lower:.3f}, {row.upper:.3f}]"
        print(f"  {row.plan:26s} {row.mean:.3f}  {interval}  {row.n_folds} folds")
    print("first in the ranking:")
    for ranked in summary.top[:5]:
        print(
            f"  {ranked.rank}. {ranked.feature}: selected in {ranked.selection_frequency:.0%} of fits, "
            f"alone {ranked.alone:.3f}, q {ranked.q:.2g}"
        )
    print(f"tables: {', '.join(path.name for path in summary.files)} in {out}")


def draw_figure(summary: SelectionSummary, out: Path) -> None:
    """Draw the first clusters and the plans' scores into selection.png."""
    from radiomics_pipeline.report.figure import draw_selection

    several = summary.rows != summary.patients
    of = f"{summary.rows} rows of {summary.patients} patients" if several else f"{summary.patients} patients"
    title = f"{' and '.join(summary.outcome_names)}: {of}, {summary.events} {'rows ' * several}with the event"
    draw_selection(summary.top, summary.performance, title, out / "selection.png")
    print(f"figure: {out / 'selection.png'}")


def shortened(note: str, length: int = 240) -> str:
    """A note, cut where it lists too many names for the console; the manifest has all of it."""
    return note if len(note) <= length else f"{note[:length].rsplit(',', 1)[0]}, ..."
