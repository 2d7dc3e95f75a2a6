"""What identifies a patient in DICOM headers.

Nothing of a header is written as it stands (io/dicom/facts.py writes numbers and words of closed lists). What must
pass as text, such as the name of a ROI, passes through `Identity.scrub`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydicom.dataset import Dataset

REMOVED = "[removed]"
"""What stands for a text that identifies somebody."""

NUMBERS = (
    "PatientID", "OtherPatientIDs", "IssuerOfPatientID", "AccessionNumber", "StudyID", "MedicalRecordLocator",
    "AdmissionID", "ServiceEpisodeID", "RequestedProcedureID", "ScheduledProcedureStepID", "PerformedProcedureStepID",
    "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest", "PatientTelephoneNumbers",
    "InsurancePlanIdentification", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID", "DeviceSerialNumber",
    "StationName", "PerformedStationName", "ScheduledStationName", "PerformedStationAETitle", "ScheduledStationAETitle",
    "PatientComments", "AdditionalPatientHistory", "ImageComments", "StudyComments", "VisitComments",
)  # fmt: skip
"""Elements with numbers, codes and remarks: found where they stand as they are."""
PLACES = (
    "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "PatientAddress", "CountryOfResidence",
    "RegionOfResidence", "CurrentPatientLocation", "PatientInstitutionResidence", "RequestingService",
    "ResponsibleOrganization", "Occupation", "MilitaryRank", "BranchOfService", "PatientReligiousPreference",
    "EthnicGroup", "ClinicalTrialSiteName", "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers",
)  # fmt: skip
"""Elements with texts about patient and house: found by their words, too, but for those that tell of nobody."""
DATES = (
    "PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AdmittingDate",
    "PerformedProcedureStepStartDate", "ScheduledProcedureStepStartDate", "DateOfLastCalibration",
)  # fmt: skip
_DEEP = ("ROIContourSequence", "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "PixelData")
"""Elements without names, and too large to look through."""

_PLACEHOLDERS = """
none unknown anonymous anonymised anonymized anonym anon removed deidentified patient phantom test volunteer name
unnamed undefined blank empty null dummy
"""
_GENERAL = """
hospital hospitals university universitair universitaire universitario clinic clinica clinique klinik klinikum center
centre centro medical medicine medizin medicina medecine nuclear nuklearmedizin nucleaire radiology radiologie
imaging department departement abteilung institute institut instituto institution street road avenue strasse general
national regional central north south east west saint state health healthcare care foundation college school research
cancer oncology onkologie oncologia cardiology scanner workstation station console ward unit praxis group city town
country county region from with head neck chest lung liver bone brain heart kidney tumor tumour body
"""
_NOBODY = frozenset(_PLACEHOLDERS.split())
"""What stands where a name has been removed, or where there is none."""
_COMMON = _NOBODY | frozenset(_GENERAL.split())
"""Words of places that tell of nobody."""

_UID = re.compile(r"(?<![\d.])[0-2](?:\.\d{1,64}){4,}(?!\.?\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ß": "ss"})
_LONG = 4
"""Letters from which on a text is found within a word; shorter ones are found between other characters only."""


@dataclass(frozen=True)
class Identity:
    """Texts that identify a patient, or those who cared for them. texts : folded, see `fold`"""

    texts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, headers: Sequence[Dataset]) -> Identity:
        """What the headers of one series, or of a mask, hold: names, numbers, dates, institutions.

        The first header is looked through to its depths, the others at the elements that are named above.
        """
        found = {text for header in headers[:1] for text in _texts(_walk(header))}
        known = {keyword: (_shown(headers[0], keyword) if headers else "") for keyword in _TOP}
        for header in headers[1:]:
            changed = [(k, _shown(header, k)) for k, text in known.items() if _shown(header, k) != text]
            found.update(_texts((k, "PN" if k in _PEOPLE else "", text) for k, text in changed))
        return cls(frozenset(text for text in map(fold, found) if _tells(text)))

    def without(self, *known: str) -> Identity:
        """The same but for what stands in these texts, such as the name that the user gave to a case."""
        folded = [fold(text) for text in known]
        return Identity(frozenset(text for text in self.texts if not any(text in name for name in folded)))

    def together(self, other: Identity) -> Identity:
        """What identifies by either."""
        return Identity(self.texts | other.texts)

    def scrub(self, text: str) -> str:
        """The text with "[removed]" for what identifies; UIDs always do."""
        folded, at = _folded(text)
        kept, end = "", 0
        for start, stop in _merged(self._spans(folded)):
            kept += text[end : at[start]] + REMOVED
            end = at[stop - 1] + 1
        return kept + text[end:]

    def found_in(self, text: str) -> bool:
        """Whether the text holds something that identifies."""
        return any(True for _ in self._spans(_folded(text)[0]))

    def _spans(self, folded: str) -> Iterator[tuple[int, int]]:
        for pattern in (_UID, self._pattern):
            if pattern is not None:
                yield from (match.span() for match in pattern.finditer(folded))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        """All texts at once, the longest first."""
        texts = sorted(self.texts, key=lambda text: (-len(text), text))
        return re.compile("|".join(map(_findable, texts))) if texts else None


def fold(text: str) -> str:
    """A text as it is compared: lower case, without accents, its words one blank apart."""
    return " ".join(re.split(r"[\s_^=]+", _folded(text)[0])).strip()


def _folded(text: str) -> tuple[str, list[int]]:
    """Lower case without accents; and of each of its characters the position in the text."""
    characters, at = [], []
    for position, character in enumerate(text):
        for plain in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(plain):
                characters.append(plain)
                at.append(position)
    return "".join(characters), at


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in their order, those that touch as one."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _tells(text: str) -> bool:
    """Whether a folded text is enough to find somebody by, and not what stands where nothing is said."""
    if text in _NOBODY or not any(character.isalnum() for character in text):
        return False
    if text.isdigit():
        return len(text) >= _LONG and len(set(text)) > 1
    return len(text) > 1


def _findable(text: str) -> str:
    """A folded text as an expression: a number is not part of a longer one, a short word not of another word."""
    body = r"[\s_^=]+".join(re.escape(word) for word in text.split(" "))
    short = text.isascii() and len(text) < _LONG
    before = r"(?<!\d)" if text[0].isdigit() else r"(?<![^\W\d_])" if short else ""
    after = r"(?!\d)" if text[-1].isdigit() else r"(?![^\W\d_])" if short else ""
    return before + body + after


_PEOPLE = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ResponsiblePerson",
    "ReferringPhysicianName", "ConsultingPhysicianName", "PhysiciansOfRecord", "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy", "RequestingPhysician", "OperatorsName", "ReviewerName", "ContentCreatorName",
    "ScheduledPerformingPhysicianName", "NamesOfIntendedRecipientsOfResults", "PersonName", "VerifyingObserverName",
)  # fmt: skip
_TOP = (*_PEOPLE, *NUMBERS, *PLACES, *DATES)


def _walk(header: Dataset) -> Iterator[tuple[str, str, str]]:
    """Keyword, value representation and text of every element that may identify, in sequences too."""
    for tag in list(header.keys()):
        try:
            element = header[tag]
        except Exception:  # noqa: BLE001 - what cannot be decoded is not written anywhere either
            continue
        if element.keyword in _DEEP:
            continue
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _walk(item)
        elif element.VR == "PN" or element.keyword in _TOP:
            yield element.keyword, element.VR, _joined(element.value)


def _shown(header: Dataset, keyword: str) -> str:
    try:
        return _joined(header[keyword].value) if keyword in header else ""
    except Exception:  # noqa: BLE001 - a value that cannot be decoded is not written anywhere either
        return ""


def _joined(value: Any) -> str:
    """A value as text, several joined by backslashes."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\\".join(map(str, value))
    return str(value)


def _texts(elements: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """What is looked for of each element."""
    for keyword, kind, text in elements:
        for value in (part.strip(" \0") for part in text.split("\\")):
            if not value:
                continue
            if kind == "PN":
                yield from _names(value)
            elif keyword in DATES:
                yield from _dates(value)
            elif keyword in NUMBERS:
                yield value
            else:
                yield value
                words = re.findall(r"[^\W_]+", value)
                yield from (word for word in words if len(word) >= _LONG and fold(word) not in _COMMON)


def _names(value: str) -> Iterator[str]:
    """A person's name (PN) as its parts, in each writing."""
    for part in re.split(r"[\^=\s,;.()/]+", value):
        for name in {part, *re.split(r"[-'’]", part)}:
            if len(name) > 1:
                yield from {name, name.lower().translate(_SPELLED)}


def _dates(value: str) -> Iterator[str]:
    """A date (DA, or the start of a DT) as people write it."""
    match = re.match(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})", value)
    if not match:
        return
    year, month, day = match.groups()
    short_day, short_month = day.lstrip("0"), month.lstrip("0")
    for of in (year, year[2:]):
        for mark in ("", "-", ".", "/", " "):
            yield from (mark.join(order) for order in ((of, month, day), (day, month, of), (month, day, of)))
        for mark in ("-", ".", "/", " "):
            yield from (mark.join(order) for order in ((short_day, short_month, of), (short_month, short_day, of)))
    if 1 <= int(month) <= 12:
        name = _MONTHS[int(month) - 1]
        for mark in ("", " ", "-", "."):
            yield from (mark.join(order) for d in (day, short_day) for order in ((d, name, year), (year, name, d)))
