"""radiomics-pipeline fetch: studies out of an archive (PACS) into a study folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radiomics_pipeline.cli.progress import progress_bar

if TYPE_CHECKING:
    from radiomics_pipeline.batch.fetch import Fetched, Wanted
    from radiomics_pipeline.io.dicomweb import Server

PASSWORD = "RADIOMICS_DICOMWEB_PASSWORD"
TOKEN = "RADIOMICS_DICOMWEB_TOKEN"


def fetch(
    url: Annotated[str, typer.Argument(metavar="URL", help="The archive's DICOMweb root: https://pacs/dicom-web.")],
    out: Annotated[Path, typer.Option("--out", metavar="STUDY", help="Study folder to fill; made if missing.")],
    patient_id: Annotated[
        list[str] | None, typer.Option("--patient-id", metavar="ID", help="All studies of a patient; may be repeated.")
    ] = None,
    study_uid: Annotated[
        list[str] | None, typer.Option("--study-uid", metavar="UID", help="One study; may be repeated.")
    ] = None,
    accession: Annotated[
        list[str] | None, typer.Option("--accession", metavar="NUMBER", help="One study; may be repeated.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="FILE",
            help="A CSV of studies: patient_id, study_uid or accession, and, if wanted, the name of the case.",
        ),
    ] = None,
    modalities: Annotated[
        str, typer.Option("--modalities", metavar="A,B", help="Which series to fetch.")
    ] = "PT,CT,NM,RTSTRUCT,SEG",
    user: Annotated[
        str,
        typer.Option(
            "--user",
            metavar="NAME",
            help=f"Its password is taken from {PASSWORD}, or asked for. {TOKEN} holds a bearer token instead.",
        ),
    ] = "",
    salt: Annotated[
        Path | None,
        typer.Option(
            "--salt",
            metavar="FILE",
            help="Secret of the project, from which cases are named.",
            show_default="STUDY/.radiomics_salt",
        ),
    ] = None,
    certificates: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="Certificates of your house, to trust the server by.")
    ] = None,
) -> None:
    """Fetch studies through DICOMweb: <case>/PET, <case>/CT, <case>/masks.

    What is there already is not fetched again. Exit code 0: all came; 3: some did not, see fetch_failures.csv.
    """
    from radiomics_pipeline.batch.fetch import fetch as fetch_studies
    from radiomics_pipeline.batch.fetch import read_salt
    from radiomics_pipeline.io.dicomweb import Archive

    wanted = _wanted(patient_id or [], study_uid or [], accession or [], table)
    kinds = [kind.strip().upper() for kind in modalities.split(",") if kind.strip()]
    server = _server(url, user, certificates)
    if server.note:
        print(f"note: {server.note}", file=sys.stderr)
    with Archive(server) as archive, progress_bar("fetching") as progress:
        fetched = fetch_studies(archive, wanted, out, salt=read_salt(salt, out), modalities=kinds, progress=progress)
    _report(fetched, out)
    raise typer.Exit(3 if fetched.failures else 0)


def _wanted(patients: list[str], studies: list[str], accessions: list[str], table: Path | None) -> list[Wanted]:
    from radiomics_pipeline.batch.fetch import Wanted, read_list
    from radiomics_pipeline.errors import StudyError

    found = [Wanted(patient_id=one, place=f"--patient-id {i}") for i, one in enumerate(patients, 1)]
    found += [Wanted(study_uid=one, place=f"--study-uid {i}") for i, one in enumerate(studies, 1)]
    found += [Wanted(accession=one, place=f"--accession {i}") for i, one in enumerate(accessions, 1)]
    found += read_list(table) if table else []
    if not found:
        raise StudyError("say what to fetch: --patient-id, --study-uid, --accession or --list")
    return found


def _server(url: str, user: str, certificates: Path | None) -> Server:
    from radiomics_pipeline.errors import StudyError
    from radiomics_pipeline.io.dicomweb import Server

    if certificates and not certificates.is_file():
        raise StudyError(f"--ca {certificates.name}: no such file")
    password = os.environ.get(PASSWORD, "") if user else ""
    if user and not password:
        if not sys.stdin.isatty():
            raise StudyError(f"--user needs a password: set {PASSWORD}, or run the command where it can ask for it")
        password = typer.prompt("Password", hide_input=True)
    return Server(
        url, user, password, os.environ.get(TOKEN, "") if not user else "", str(certificates) if certificates else ""
    )


def _report(fetched: Fetched, out: Path) -> None:
    for note in fetched.notes:
        print(f"note: {note}")
    cases = len({series.case for series in fetched.series})
    came, there = (sum(getattr(s, name) for s in fetched.series) for name in ("fetched", "instances"))
    size = sum(series.size for series in fetched.series) / 1e6
    print(
        f"{cases} cases, {len(fetched.series)} series, {there} objects, {came} of them fetched now ({size:.1f} MB) -> "
        f"{out / 'fetched.csv'}"
    )
    for failure in fetched.failures[:10]:
        print(f"  {failure.case}: {failure.message}")
    if fetched.failures:
        print(f"every failure is in {out / 'fetch_failures.csv'}; the same command goes on where this one stopped")
