"""radiomics-pipeline sr: results as DICOM, a Segmentation and a report of each case and series."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from radiomics_pipeline.cli.options import CaseNames, StudyFolder
from radiomics_pipeline.cli.progress import progress_bar

if TYPE_CHECKING:
    from radiomics_pipeline.batch.dicom_out import Drawn


class Outlines(StrEnum):
    """How outlines came about, as DICOM knows it."""

    MANUAL = "manual"
    SEMIAUTOMATIC = "semiautomatic"
    AUTOMATIC = "automatic"


def sr(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder that 'extract' or 'run' has written.")],
    study: StudyFolder,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the objects; made if missing.")],
    case: CaseNames = None,
    drawn: Annotated[
        Outlines, typer.Option("--drawn", help="How the outlines in the study's masks came about.")
    ] = Outlines.MANUAL,
) -> None:
    """Write the features of DICOM series back as DICOM: <case>/<series>_seg.dcm and <case>/<series>_sr.dcm.

    These files carry the patient of the images, as an archive needs it. Exit code 0: all cases; 3: some or all failed,
    see failures.csv.
    """
    from radiomics_pipeline.batch.dicom_out import write_reports

    with progress_bar("reporting") as progress:
        found = write_reports(results, study, out, cases=case or (), drawn=cast("Drawn", drawn.name), progress=progress)
    for note in found.notes:
        print(f"note: {note}")
    values = sum(written.values for written in found.written)
    regions = sum(written.regions for written in found.written)
    print(f"{len(found.written)} segmentations and reports, {regions} regions, {values} values -> {out}")
    print("They hold the patient's identity, as their images do: they are for the archive, not for passing on.")
    for failure in found.failures[:10]:
        print(f"  {failure.case} {failure.series}: {failure.error}: {failure.message}")
    if found.failures:
        print(f"every failure is in {out / 'failures.csv'}")
    raise typer.Exit(3 if found.failures else 0)
