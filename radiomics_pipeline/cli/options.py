"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StudyFolder = Annotated[
    Path,
    typer.Argument(
        metavar="STUDY",
        help="Folder with cases.csv, or one folder a case with <SERIES>_image and <SERIES>_mask files; or a "
        "table: a cases.csv, or a batch CSV of PyRadiomics.",
    ),
]
ParamsName = Annotated[
    str, typer.Option("--params", metavar="NAME_OR_FILE", help="A tracer's name (see 'params list') or a YAML file.")
]
OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the tables; made if missing.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, metavar="N", help="Processes at a time.", show_default="all cores")
]
CaseNames = Annotated[
    list[str] | None,
    typer.Option(
        "--case", metavar="NAME", help="Only this case; may be given again. The tables then hold these alone."
    ),
]
SeriesName = Annotated[
    str, typer.Option("--series", metavar="NAME", help="Section of the parameters for images without a series name.")
]
Timeout = Annotated[float, typer.Option("--timeout", min=1, metavar="SECONDS", help="Give a case up after this time.")]
Target = Annotated[str, typer.Option("--target", metavar="COLUMN", help="Column of a binary outcome, 0 and 1.")]
Time = Annotated[str, typer.Option("--time", metavar="COLUMN", help="Column of a time to an event; with --event.")]
Event = Annotated[
    str, typer.Option("--event", metavar="COLUMN", help="Column that says whether the event was seen, 0 and 1.")
]
IdColumn = Annotated[
    str,
    typer.Option("--id", metavar="COLUMN", help="Key column, where it is not called case, patient or patient_id."),
]
Clinical = Annotated[
    str,
    typer.Option("--clinical", metavar="A,B,C", help="Clinical columns; no other column of the outcomes enters."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of the folds.", show_default="that of the parameters")
]
