"""radiomics-pipeline run: from a study folder to ranked features."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from radiomics_pipeline.cli.extract import report_extraction
from radiomics_pipeline.cli.options import (
    CaseNames,
    Clinical,
    Event,
    IdColumn,
    Jobs,
    OutFolder,
    ParamsName,
    Seed,
    SeriesName,
    StudyFolder,
    Target,
    Time,
    Timeout,
)
from radiomics_pipeline.cli.progress import progress_bar
from radiomics_pipeline.cli.redundancy import report_redundancy
from radiomics_pipeline.cli.select import draw_figure, names_in, report_selection, with_seed


def run(
    study: StudyFolder,
    params: ParamsName,
    out: OutFolder,
    outcomes: Annotated[
        Path | None, typer.Option("--outcomes", metavar="FILE", help="Table with the outcome, one row a patient.")
    ] = None,
    target: Target = "",
    time: Time = "",
    event: Event = "",
    id_column: IdColumn = "",
    clinical: Clinical = "",
    seed: Seed = None,
    case: CaseNames = None,
    jobs: Jobs = None,
    series: SeriesName = "",
    timeout: Timeout = 3600,
) -> None:
    """From a study folder to ranked features: extract, redundancy, alone and in combination.

    Without --outcomes it stops after redundancy. Exit code 0: all cases; 3: some failed and the
    others are ranked, or what was extracted cannot be ranked.
    """
    from radiomics_pipeline.batch import run as whole
    from radiomics_pipeline.io.params_file import load_params

    with progress_bar("running") as progress:
        result = whole.run(
            study,
            with_seed(load_params(params), seed),
            out,
            outcomes=outcomes,
            target=target,
            time=time,
            event=event,
            id_column=id_column,
            clinical=names_in(clinical),
            cases=case or (),
            jobs=jobs,
            timeout_s=timeout,
            series=series,
            progress=progress,
        )
    report_extraction(result.extraction, out)
    if result.redundancy:
        report_redundancy(result.redundancy, out)
    if result.selection:
        report_selection(result.selection, out)
        draw_figure(result.selection, out)
    if result.refusal:
        print(f"not ranked: {result.refusal}", file=sys.stderr)
    raise typer.Exit(3 if result.extraction.failures or result.refusal else 0)
