"""radiomics-pipeline extract: a study to its feature table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from radiomics_pipeline.cli.options import CaseNames, Jobs, OutFolder, ParamsName, SeriesName, StudyFolder, Timeout
from radiomics_pipeline.cli.progress import progress_bar

if TYPE_CHECKING:
    from radiomics_pipeline.batch.extract import Extraction


def extract(
    study: StudyFolder,
    params: ParamsName,
    out: OutFolder,
    case: CaseNames = None,
    jobs: Jobs = None,
    series: SeriesName = "",
    timeout: Timeout = 3600,
) -> None:
    """Measure the features of every case: features.csv and what belongs to it.

    Exit code 0: all cases; 3: some or all failed, see failures.csv.
    """
    from radiomics_pipeline.batch.extract import extract_study
    from radiomics_pipeline.io.params_file import load_params

    with progress_bar("extracting") as progress:
        extraction = extract_study(
            study,
            load_params(params),
            out,
            cases=case or (),
            jobs=jobs,
            timeout_s=timeout,
            series=series,
            progress=progress,
        )
    report_extraction(extraction, out)
    raise typer.Exit(3 if extraction.failures else 0)


def report_extraction(extraction: Extraction, out: Path) -> None:
    """Say in a few lines what an extraction gave."""
    for note in extraction.notes:
        print(f"note: {note}")
    print(
        f"{extraction.n_rows} rows of {extraction.n_columns} features from {len(extraction.records)} cases -> "
        f"{out / 'features.csv'}"
    )
    if extraction.patients:
        found = extraction.patients
        print(f"{len(found.rows)} rows of {len(found.specs)} features of patients -> {out / 'patients.csv'}")
    if extraction.failures:
        print_failures(extraction)
        others = "the other rows are complete; " if extraction.n_rows else ""
        print(f"{others}every failure is in {out / 'failures.csv'}")


def print_failures(extraction: Extraction, most: int = 10) -> None:
    """The first failures, one line each."""
    failed = {failure.case for failure in extraction.failures}
    print(f"{len(failed)} of {len(extraction.records)} cases failed, wholly or in part:")
    for failure in extraction.failures[:most]:
        print(f"  {failure.case}: {failure.error} ({failure.stage}): {failure.message}")
    if len(extraction.failures) > most:
        print(f"  ... and {len(extraction.failures) - most} more")
