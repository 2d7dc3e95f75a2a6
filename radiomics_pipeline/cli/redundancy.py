"""radiomics-pipeline redundancy: which features of a table rank patients alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radiomics_pipeline.cli.options import IdColumn, OutFolder
from radiomics_pipeline.cli.select import FeatureFile, OptionalParams, names_in, shortened
from radiomics_pipeline.errors import ParamsError

if TYPE_CHECKING:
    from radiomics_pipeline.batch.redundancy import RedundancySummary


def redundancy(
    table: FeatureFile,
    out: OutFolder,
    id_column: IdColumn = "",
    ignore: Annotated[
        str, typer.Option("--ignore", metavar="A,B,C", help="Columns that are no features, such as an outcome.")
    ] = "",
    params: OptionalParams = "",
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            help="|rho| above which features are one cluster.",
            show_default="that of the parameters",
        ),
    ] = None,
) -> None:
    """Cluster features by rank correlation and keep the medoid of each cluster: redundancy.csv."""
    from radiomics_pipeline.batch.redundancy import redundancy_study
    from radiomics_pipeline.params.selection import RedundancyParams

    settings = RedundancyParams()
    if params:
        from radiomics_pipeline.io.params_file import load_params

        settings = load_params(params).selection.redundancy
    if threshold is not None:
        if not 0 < threshold < 1:
            raise ParamsError(f"--threshold {threshold:g} does not lie between 0 and 1")
        settings = settings.model_copy(update={"threshold": threshold})
    summary = redundancy_study(table, out=out, id_column=id_column, ignore=names_in(ignore), params=settings)
    report_redundancy(summary, out)


def report_redundancy(summary: RedundancySummary, out: Path) -> None:
    """Say in a few lines which features were kept and what was left out."""
    for note in summary.notes:
        print(f"note: {shortened(note)}")
    rows = summary.found.rows
    kept = sum(row.kept for row in rows)
    print(f"{len(rows)} features, {kept} kept -> {out / 'redundancy.csv'}")
