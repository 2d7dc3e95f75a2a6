"""Studies out of an archive into a study folder: one folder a case, in it one a series, and the masks.

    <case>/PET/0001.dcm ...  <case>/CT/0001.dcm ...  <case>/PET-2/ (a second one)  <case>/masks/RTSTRUCT-0001.dcm

A case is called as a list says, or by a salted hash. What has come whole stays, and is not fetched again:
.fetch/<case>.json knows it by salted hashes of the UIDs, and its digest. The files themselves are those of the archive,
with all that they say of the patient.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radiomics_pipeline.batch.record import Failure
from radiomics_pipeline.errors import StudyError, some
from radiomics_pipeline.io.atomic import write_bytes
from radiomics_pipeline.io.delimited import read_text_table, write_rows, write_text
from radiomics_pipeline.io.dicomweb import Archive, ArchiveError, FoundInstance, FoundSeries, FoundStudy
from radiomics_pipeline.io.pseudonyms import LENGTH, SALT_FILE, case_label, load_salt, new_salt, patient_label

Progress = Callable[[int, int, str], None]

MODALITIES = ("PT", "CT", "NM", "RTSTRUCT", "SEG")
FOLDERS = {"PT": "PET"}
"""How the folder of a series is called, where not as its modality."""
MASKS = ("RTSTRUCT", "SEG")
PART = 4
"""Objects that are fetched at a time."""
KEYS = ("patient_id", "study_uid", "accession")
TABLE = ("case", "patient", "series", "modality", "instances", "fetched", "bytes")
FAILURES = ("case", "stage", "error", "message")
_HIDDEN = ".fetch"
_CASE = re.compile(r"[^\W_][\w.+-]*")


@dataclass(frozen=True)
class Wanted:
    """What to fetch. case : its name, empty for a hash; place : what messages call it"""

    patient_id: str = ""
    study_uid: str = ""
    accession: str = ""
    case: str = ""
    place: str = "the study asked for"


@dataclass(frozen=True)
class FetchedSeries:
    """One folder. instances : objects in it; fetched : those of them that came now; size : bytes of these"""

    case: str
    patient: str
    series: str
    modality: str
    instances: int
    fetched: int
    size: int


@dataclass(frozen=True)
class Fetched:
    """What came, what did not, and what was passed over."""

    series: tuple[FetchedSeries, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]


def read_list(path: Path) -> list[Wanted]:
    """The studies of a list: columns patient_id, study_uid or accession, and, optional, case.

    Raises TableError or StudyError for a list that cannot be used; messages name rows, not IDs.
    """
    table = read_text_table(path)
    there = [key for key in KEYS if key in table.columns]
    if not there:
        raise StudyError(f"{path.name}: no column {', '.join(KEYS)}, of which one must say what to fetch")
    found = []
    names = table.column("case") if "case" in table.columns else ("",) * len(table)
    for i, name in enumerate(names):
        place = f"{path.name}, row {i + 1}"
        if name and not _CASE.fullmatch(name):
            raise StudyError(f"{place}: {name!r} cannot name a case: letters, digits, '.', '+', '-' and '_' only")
        asked = {key: table.column(key)[i] for key in there}
        if not any(asked.values()):
            raise StudyError(f"{place}: no {' or '.join(there)}")
        found.append(Wanted(**asked, case=name, place=place))
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise StudyError(f"{path.name}: several rows are called {some(twice)}; give each case its own name")
    return found


def read_salt(path: Path | None, out: Path) -> bytes:
    """The project's salt; without a file the study folder's own, which is made the first time."""
    own = out / SALT_FILE
    if path is None and not own.exists():
        return new_salt(own)
    return load_salt(path or own)


def fetch(
    archive: Archive,
    wanted: Sequence[Wanted],
    out: Path,
    *,
    salt: bytes,
    modalities: Sequence[str] = MODALITIES,
    progress: Progress | None = None,
) -> Fetched:
    """Fetch studies into a folder; what cannot be had is in `failures`, and costs no other.

    Writes fetched.csv and fetch_failures.csv. Raises ArchiveError where the server cannot be used at all, StudyError
    for what is no question, OSError where a file cannot be written.
    """
    with ThreadPoolExecutor(PART) as pool:
        work = _Fetching(archive, pool, out, salt, tuple(modalities))
        for done, asked in enumerate(wanted, 1):
            work.fetch(asked)
            if progress:
                progress(done, len(wanted), asked.case or asked.place)
    cells = ([s.case, s.patient, s.series, s.modality, s.instances, s.fetched, s.size] for s in work.series)
    write_rows(out / "fetched.csv", TABLE, cells)
    lines = ([f.case, f.stage, f.error, f.message] for f in work.failures)
    write_rows(out / "fetch_failures.csv", FAILURES, lines)
    return Fetched(tuple(work.series), tuple(work.failures), (*work.notes, *work.several()))


@dataclass
class _Record:
    """What of a case lies in its folder: folders by hashed series UID, files by hashed object UID.

    study : its hashed UID, empty where nothing has been fetched yet
    """

    path: Path
    study: str = ""
    folders: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> _Record:
        try:
            tree = json.loads(path.read_text("utf-8"))
            return cls(
                path,
                str(tree["study"]),
                dict(tree["folders"]),
                {key: dict(value) for key, value in tree["files"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path)

    def save(self) -> None:
        tree = {"study": self.study, "folders": self.folders, "files": self.files}
        write_text(self.path, json.dumps(tree, indent=0, sort_keys=True))


class _Fetching:
    """The state of one run."""

    def __init__(
        self, archive: Archive, pool: ThreadPoolExecutor, out: Path, salt: bytes, modalities: tuple[str, ...]
    ) -> None:
        self.archive, self.pool = archive, pool
        self.out, self.salt, self.modalities = out, salt, modalities
        self.series: list[FetchedSeries] = []
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self.patients: dict[str, set[str]] = {}
        self.stopped: ArchiveError | None = None

    def fetch(self, wanted: Wanted) -> None:
        """All studies that one line asks for."""
        name = wanted.case or wanted.place
        if self.stopped:
            self._fail(name, f"not tried: {self.stopped}")
            return
        try:
            found = self.archive.studies(
                patient_id=wanted.patient_id, study_uid=wanted.study_uid, accession=wanted.accession
            )
        except ArchiveError as error:
            if error.trouble != "other" and not self.series and not self.failures:
                raise
            self._fail(name, str(error), error)
            return
        if not found:
            self._fail(name, f"{wanted.place}: the archive has no such study, or does not let this user see it")
        if wanted.case and len(found) > 1:
            self.notes.append(f"case {name}: {len(found)} studies, by date {name}, {name}-2, ...")
        for number, study in enumerate(found, 1):
            self._study(self._case(wanted.case, number, study), study)

    def _case(self, name: str, number: int, study: FoundStudy) -> _Record:
        """The record of a study's case, which says what it is called."""
        key = self._key(study.uid)
        if name:
            record = _Record.load(self.out / _HIDDEN / f"{name if number == 1 else f'{name}-{number}'}.json")
        else:
            length = LENGTH
            while True:
                label = case_label(study.patient_id, study.uid, self.salt, length=length)
                record = _Record.load(self.out / _HIDDEN / f"{label}.json")
                if record.study in ("", key):
                    break
                length += 4  # so rare that the two labels of one length may be told apart by a longer one
        return record

    def several(self) -> list[str]:
        """A note for each patient with several cases."""
        return [
            f"cases {', '.join(sorted(cases))} are of one patient ({patient}), as fetched.csv says; their rows stay "
            "together"
            for patient, cases in sorted(self.patients.items())
            if len(cases) > 1
        ]

    def _study(self, record: _Record, study: FoundStudy) -> None:
        case, key = record.path.stem, self._key(study.uid)
        if record.study not in ("", key):
            self._fail(case, "this folder holds another study under that name; give the case another one")
            return
        record.study = key
        self.patients.setdefault(patient_label(study.patient_id, self.salt), set()).add(case)
        try:
            series = [s for s in self.archive.series(study.uid) if s.modality in self.modalities]
            if not series:
                self._fail(case, f"the study has no series of {', '.join(self.modalities)}")
            for one in series:
                if self.stopped:
                    self._fail(case, f"not tried: {self.stopped}")
                    return
                self._one_series(case, study, one, record)
        except ArchiveError as error:
            self._fail(case, str(error), error)

    def _one_series(self, case: str, study: FoundStudy, series: FoundSeries, record: _Record) -> None:
        """What of a series is not there yet."""
        folder = self._folder(case, series, record)
        listed = self.archive.instances(study.uid, series.uid)
        names = self._names(series, listed, folder, record)
        absent = [i for i in listed if not self._is_there(case, i, record)]
        came, size = 0, 0
        error: ArchiveError | None = None
        ask = self.archive.instance
        asked = {self.pool.submit(ask, study.uid, series.uid, i.uid): self._key(i.uid) for i in absent}
        try:
            for future in as_completed(asked):
                if future.cancelled():
                    continue
                try:
                    data, key = future.result(), asked[future]
                except ArchiveError as found:
                    error = error or found
                    _cancel(asked)
                    continue
                write_bytes(self.out / case / names[key], data)
                record.files[key] = {"file": names[key], "bytes": len(data), "sha256": _digest(data)}
                came, size = came + 1, size + len(data)
        finally:  # what could not be written ends the run, and what has come stays
            _cancel(asked)
            record.save()
        there = len(listed) - len(absent) + came
        patient = patient_label(study.patient_id, self.salt)
        self.series.append(FetchedSeries(case, patient, folder, series.modality, there, came, size))
        if error:
            self._fail(case, f"{folder}: {there} of {len(listed)} objects have come; {error}", error)

    def _folder(self, case: str, series: FoundSeries, record: _Record) -> str:
        """The folder of a series: the one it had, or the first that is free."""
        key = self._key(series.uid)
        if series.modality in MASKS:
            record.folders[key] = "masks"
        elif key not in record.folders:
            stem = FOLDERS.get(series.modality, series.modality)
            number = 1
            while (stem if number == 1 else f"{stem}-{number}") in record.folders.values():
                number += 1
            record.folders[key] = stem if number == 1 else f"{stem}-{number}"
        return record.folders[key]

    def _names(
        self, series: FoundSeries, listed: Sequence[FoundInstance], folder: str, record: _Record
    ) -> dict[str, str]:
        """The file of each object: the one it had, or the next number."""
        stem = f"{series.modality}-" if series.modality in MASKS else ""
        taken = {str(entry["file"]) for entry in record.files.values()}
        names: dict[str, str] = {}
        number = 0
        for instance in listed:
            key = self._key(instance.uid)
            if key in record.files:
                names[key] = str(record.files[key]["file"])
                continue
            number += 1
            while f"{folder}/{stem}{number:04d}.dcm" in taken:
                number += 1
            names[key] = f"{folder}/{stem}{number:04d}.dcm"
        return names

    def _is_there(self, case: str, instance: FoundInstance, record: _Record) -> bool:
        """Whether an object lies in its folder, whole."""
        entry = record.files.get(self._key(instance.uid))
        if not entry:
            return False
        try:
            data = (self.out / case / str(entry["file"])).read_bytes()
        except OSError:
            return False
        return _digest(data) == entry["sha256"]

    def _key(self, uid: str) -> str:
        """What stands for a UID in a record."""
        return hmac.new(self.salt, f"object {uid}".encode(), hashlib.sha256).hexdigest()[:32]

    def _fail(self, case: str, message: str, error: ArchiveError | None = None) -> None:
        self.failures.append(Failure(case, "fetch", "ArchiveError", message))
        if error and error.trouble != "other":
            self.stopped = self.stopped or error


def _cancel(asked: Iterable[Future[bytes]]) -> None:
    """Ask for nothing more; what is under way still ends."""
    for future in asked:
        future.cancel()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
