"""radiomics-pipeline check: what a study holds, and what would fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from radiomics_pipeline.cli.extract import print_failures
from radiomics_pipeline.cli.options import Jobs, ParamsName, SeriesName, StudyFolder
from radiomics_pipeline.cli.progress import progress_bar

if TYPE_CHECKING:
    from radiomics_pipeline.batch.record import CaseRecord


def check(study: StudyFolder, params: ParamsName = "fdg", jobs: Jobs = None, series: SeriesName = "") -> None:
    """Read every image and mask as an extraction would, and say what was found and what would fail.

    Nothing is written. Exit code 0: all cases can be extracted; 3: some cannot.
    """
    from radiomics_pipeline.batch.extract import check_study
    from radiomics_pipeline.io.params_file import load_params

    with progress_bar("checking") as progress:
        found = check_study(study, load_params(params), jobs=jobs, series=series, progress=progress)
    print(f"{'case':<16} {'patient':<16} {'series':<8} {'roi':<12} {'voxels':>8} {'ml':>9} {'levels':>6}  voxel mm")
    for record in found.records:
        for line in _lines(record):
            print(line)
    for note in found.notes:
        print(f"note: {note}")
    if found.failures:
        print_failures(found, most=len(found.failures))
    else:
        print(f"all {len(found.records)} cases can be extracted with --params {params}")
    raise typer.Exit(3 if found.failures else 0)


def _lines(record: CaseRecord) -> list[str]:
    lines = []
    for line in record.log:
        roi = line.roi or f"label {line.label}"
        levels = "" if line.levels is None else line.levels
        lines.append(
            f"{record.case:<16} {record.patient:<16} {line.series or '-':<8} {roi:<12} {line.voxels:>8} "
            f"{line.volume_ml:>9.2f} {levels:>6}  {line.native_mm} -> {line.voxel_mm}"
        )
        lines += [f"{'':16} warning: {warning}" for warning in line.warnings]
    return lines or [f"{record.case:<16} {record.patient:<16} nothing that can be extracted"]
