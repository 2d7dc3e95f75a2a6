"""Canaries: words that stand nowhere else, put into every text of a DICOM header, and looked for in what comes out."""

from __future__ import annotations

import gzip
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

PERSON = {
    "PatientName": "PN", "OtherPatientNames": "PN", "PatientBirthName": "PN", "PatientMotherBirthName": "PN",
    "ReferringPhysicianName": "PN", "PerformingPhysicianName": "PN", "NameOfPhysiciansReadingStudy": "PN",
    "OperatorsName": "PN", "PhysiciansOfRecord": "PN", "RequestingPhysician": "PN", "ResponsiblePerson": "PN",
    "PatientID": "LO", "OtherPatientIDs": "LO", "IssuerOfPatientID": "LO", "AccessionNumber": "SH", "StudyID": "SH",
    "AdmissionID": "LO", "MedicalRecordLocator": "LO", "PatientAddress": "LO", "PatientTelephoneNumbers": "SH",
    "CountryOfResidence": "LO", "RegionOfResidence": "LO", "Occupation": "SH", "MilitaryRank": "LO",
    "PatientReligiousPreference": "LO", "EthnicGroup": "SH", "PatientComments": "LT", "AdditionalPatientHistory": "LT",
    "InstitutionName": "LO", "InstitutionAddress": "ST", "InstitutionalDepartmentName": "LO", "StationName": "SH",
    "DeviceSerialNumber": "LO", "CurrentPatientLocation": "LO", "RequestingService": "LO", "ImageComments": "LT",
    "StudyDescription": "LO", "SeriesDescription": "LO", "ProtocolName": "LO", "RequestedProcedureDescription": "LO",
    "RequestedProcedureID": "SH", "ScheduledProcedureStepID": "SH", "PerformedProcedureStepID": "SH",
    "PerformedProcedureStepDescription": "LO", "DerivationDescription": "ST", "AcquisitionComments": "LT",
    "PerformedStationName": "SH", "SoftwareVersions": "LO", "ContrastBolusAgent": "LO", "BodyPartExamined": "CS",
}  # fmt: skip
"""Elements that are put in where a header lacks them."""
MEANT = ("CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "PrivateCreator", "SpecificCharacterSet")
"""Texts that are codes: other ones would change what the file says."""
BIRTH, STUDY = "19420517", "20140923"

_TEXT = ("PN", "LO", "SH", "ST", "LT", "UT", "UC")
_numbers = itertools.count()


def word() -> str:
    """A word that was never given before."""
    number, letters = next(_numbers), ""
    for _ in range(4):
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
    return f"Qzxw{letters}"


def poison(dataset: Dataset, *, known: dict[str, str] | None = None, dates: bool = False) -> set[str]:
    """Put a word of its own into every text of a header, nested ones too, keeping what stood there.

    known : the words by element, to be handed to each file of a series, whose slices must agree; it is filled
    dates : other dates, too; the times of a series then no longer agree with them
    returns : what must not be found anywhere in the output: the words, birth date, and UIDs of the patient's objects
    """
    words: set[str] = set()
    known = {} if known is None else known
    for keyword, vr in PERSON.items():
        if keyword not in dataset:
            fresh = known.get(keyword) or word()
            known[keyword] = fresh
            words.add(fresh)
            dataset.add_new(
                keyword, vr, f"{fresh}^{fresh[::-1]}" if vr == "PN" else fresh.upper() if vr == "CS" else fresh
            )
    words |= set(_poisoned(dataset, known))
    dataset.PatientBirthDate = BIRTH
    words |= {BIRTH, "1942-05-17", "17.05.1942"}
    if dates:
        dataset.StudyDate = STUDY
        words |= {STUDY, "2014-09-23", "23.09.2014"}
    return words | set(uids(dataset))


def uids(dataset: Dataset) -> Iterator[str]:
    """UIDs of a header that are not the standard's own."""
    for element in dataset.iterall():
        if element.VR == "UI":
            values = element.value if isinstance(element.value, MultiValue) else [element.value]
            yield from (str(v) for v in values if v and not str(v).startswith("1.2.840.10008."))


def _poisoned(dataset: Dataset, known: dict[str, str], path: str = "") -> Iterator[str]:
    for element in dataset:
        here = f"{path}/{element.tag}"
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _poisoned(item, known, f"{here}[{number}]")
        elif element.VR in _TEXT and element.keyword not in MEANT and not element.tag.is_private_creator:
            if "qzxw" in str(element.value).lower():
                continue
            fresh = known.get(here) or word()
            known[here] = fresh
            yield fresh
            old = str(element.value or "").split("\\")[0]
            room = {"SH": 16, "LO": 64}.get(element.VR, 200) - len(fresh) - 1
            element.value = f"{fresh}^{fresh[::-1]}" if element.VR == "PN" else f"{old[: max(room, 0)]} {fresh}".strip()
        elif element.VR == "UN" and isinstance(element.value, bytes):
            fresh = known.get(here) or word()
            known[here] = fresh
            yield fresh
            element.value = fresh.encode()


def found(folder: Path, words: Iterable[str], *, passing: tuple[str, ...] = (".dcm",)) -> list[str]:
    """Where one of the words stands in a file, or in the name of a file or folder: "features.csv: Qzxwaaab".

    Looked into are the bytes, in UTF-8 and UTF-16, what gzip hides, and the texts of PNG files.
    passing : suffixes of files that may identify, such as DICOM objects, which belong into the patient's study
    """
    wanted = sorted({w.lower() for w in words if len(w) >= 6}, key=len, reverse=True)
    if not wanted:
        raise ValueError("no canaries to look for")
    either = re.compile("|".join(map(re.escape, wanted)))
    hits = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hits += [f"name {name}: {hit}" for hit in either.findall(name.lower())]
        if path.is_file() and not path.name.lower().endswith(passing):
            data = path.read_bytes()
            texts = [t for layer in (data, *_unpacked(data)) for t in (layer.decode("latin-1"), _utf16(layer))]
            hits += [f"{name}: {hit}" for hit in sorted({h for text in texts for h in either.findall(text.lower())})]
    return hits


def assert_absent(folder: Path, words: Iterable[str], *, passing: tuple[str, ...] = (".dcm",)) -> None:
    """Fail where `found` finds something; and where the folder is empty, as then nothing has been looked at."""
    assert any(path.is_file() for path in folder.rglob("*")), "no files to look into"
    assert found(folder, words, passing=passing) == []


def _utf16(data: bytes) -> str:
    return data.replace(b"\0", b"").decode("latin-1")


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        at = 8
        while at < len(data):
            length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
            chunk = data[at + 8 : at + 8 + length]
            if kind in (b"zTXt", b"iTXt", b"iCCP"):
                for start in (m.start() for m in re.finditer(rb"x[\x01\x5e\x9c\xda]", chunk)):
                    try:
                        yield zlib.decompress(chunk[start:])
                    except zlib.error:
                        continue
            at += 12 + length
