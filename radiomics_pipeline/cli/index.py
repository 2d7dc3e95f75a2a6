"""radiomics-pipeline index: a table of cases from any pile of DICOM files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from radiomics_pipeline.batch.index import Wanted

_Export = Annotated[
    Path,
    typer.Argument(metavar="EXPORT", help="Folder with DICOM files in any order, below it too; names do not matter."),
]
_Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="FILE", help="The table to write, such as STUDY/cases.csv; its paths are from there."
    ),
]
_Salt = Annotated[
    Path | None,
    typer.Option(
        "--salt",
        metavar="FILE",
        help="Secret that labels are made with; keep it, and keep it to yourself.",
        show_default=".radiomics_salt beside the table, made if missing",
    ),
]
_Series = Annotated[
    list[str] | None,
    typer.Option(
        "--series",
        metavar="NAME=MODALITY[:TEXT]",
        help="A series of each case: its name in the parameters, its modality (PT, NM, CT), and an expression that "
        "fits its description, such as stress=NM:stress. May be given again.",
        show_default="PET=PT SPECT=NM CT=CT",
    ),
]


def index(
    export: _Export,
    out: _Out,
    salt: _Salt = None,
    series: _Series = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the table, write nothing.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a table that is there.")] = False,
) -> None:
    """Find the series and masks of every patient in an export, and write cases.csv.

    Files are told apart by their headers. Patients and studies are called by labels; no identity is shown or written,
    but for the paths of the files, which stand in the table: it is yours, and no result repeats them.
    """
    import secrets

    from radiomics_pipeline.batch.index import USUAL, index_export
    from radiomics_pipeline.batch.index_table import rows_of, write_index
    from radiomics_pipeline.cli.progress import progress_bar
    from radiomics_pipeline.errors import StudyError
    from radiomics_pipeline.io.pseudonyms import SALT_FILE, load_salt, new_salt

    wanted = tuple(map(wanted_series, series)) if series else USUAL
    if out.exists() and not (overwrite or dry_run):
        raise StudyError(f"{out.name}: there is such a table already, perhaps with your changes; say --overwrite")
    secret = salt or out.parent / SALT_FILE
    if dry_run:
        key = load_salt(secret) if secret.exists() else secrets.token_bytes(32)
    else:
        key = load_salt(secret) if salt or secret.exists() else new_salt(secret)
    with progress_bar("reading files") as progress:
        found = index_export(export, out, key, wanted, progress)
    if dry_run:
        header, rows = rows_of(found, out)
        print(",".join(header))
        for row in rows:
            print(",".join("" if cell is None else str(cell) for cell in row))
    else:
        write_index(found, out, overwrite=overwrite)
    for case in found.cases:
        for note in case.notes:
            print(f"{case.case}: {note}")
    for note in found.notes:
        print(f"note: {note}")
    patients = len({case.patient for case in found.cases})
    masked = sum(any(s.mask for s in case.series.values()) for case in found.cases)
    print(f"{len(found.cases)} cases of {patients} patients, {masked} of them with a mask")
    if dry_run and not secret.exists():
        print("labels are of this dry run only: there is no salt yet")


def wanted_series(text: str) -> Wanted:
    """A series as --series gives it; StudyError where it cannot be read."""
    import re

    from radiomics_pipeline.batch.index import Wanted
    from radiomics_pipeline.errors import StudyError
    from radiomics_pipeline.types.columns import FAMILIES, PART

    match = re.fullmatch(r"([^=]*)=([A-Za-z]+)(?::(.*))?", text)
    if not match:
        raise StudyError(f"--series {text!r}: write NAME=MODALITY or NAME=MODALITY:TEXT, such as stress=NM:stress")
    name, modality, described = match[1], match[2].upper(), match[3] or ""
    if not PART.fullmatch(name) or name in FAMILIES:
        raise StudyError(
            f"--series {text!r}: {name!r} cannot stand in column names; letters, digits, '.', '+' and '-' only"
        )
    if modality not in ("PT", "NM", "CT"):
        raise StudyError(f"--series {text!r}: modality {modality} is not one of PT, NM, CT")
    try:
        re.compile(described)
    except re.error as e:
        raise StudyError(f"--series {text!r}: no regular expression ({e})") from None
    return Wanted(name, modality, described)
