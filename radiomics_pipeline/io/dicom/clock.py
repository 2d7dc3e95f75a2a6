"""Dates and times of headers, and the UTC offset that those without one are of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone

from pydicom.dataset import Dataset

from radiomics_pipeline.errors import SuvError
from radiomics_pipeline.io.dicom.lenient import GE, SIEMENS, private_text, radiopharmaceuticals, text_of

_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d*))?")
STAMP = re.compile(r"(\d{8})(\d{2,6}(?:\.\d*)?)\s*([+-]\d{4})?")
"""A date and time (DT): date, time, UTC offset."""


class Clock:
    """How times without a UTC offset are to be understood, the same for all headers of a series."""

    STAMPS = ("AcquisitionDateTime", "FrameAcquisitionDateTime", "DecayCorrectionDateTime")

    def __init__(self, headers: Sequence[Dataset], name: str) -> None:
        self.name = name
        self.assumed = False
        said = {text_of(header, "TimezoneOffsetFromUTC") for header in headers} - {""}
        if len(said) > 1:
            raise SuvError(f"{name}: TimezoneOffsetFromUTC differs between slices; export the series again")
        self.zone = zone_of(said.pop()) if said else None
        self.given = self.zone is not None
        stamps = [text_of(h, keyword) for h in headers for keyword in self.STAMPS]
        items = [item for header in headers for item in radiopharmaceuticals(header)]
        stamps += [text_of(item, "RadiopharmaceuticalStartDateTime") for item in items]
        stamps += [private_text(headers[0], GE, 0x0D), private_text(headers[0], SIEMENS, 0x22)]
        found = {match.group(3) for match in map(STAMP.fullmatch, stamps) if match and match.group(3)}
        self.offsets = sorted(found)
        if self.zone is None and len(found) == 1:
            self.zone = zone_of(self.offsets[0])

    def local(self, moment: datetime) -> datetime:
        """A time without offset, in the offset of the series."""
        if not self.given and self.offsets:
            if len(self.offsets) > 1:
                raise SuvError(
                    f"{self.name}: times with the UTC offsets {' and '.join(self.offsets)} stand beside times without "
                    "any; write TimezoneOffsetFromUTC (0008,0201) into the headers"
                )
            self.assumed = True
        return moment.replace(tzinfo=self.zone)

    def notes(self) -> list[str]:
        """What had to be assumed."""
        if not self.assumed:
            return []
        return [f"some times carry the UTC offset {self.offsets[0]}, others none: all are taken as of that offset"]


def date_of(text: str) -> date:
    """A DICOM date (DA), with or without separators; ValueError where it is none."""
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError
    return date(*(int(part) for part in match.groups()))


def time_of(text: str) -> time:
    """A DICOM time (TM), with or without separators; ValueError where it is none."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    return time(hour, minute, second, int((match.group(4) or "").ljust(6, "0")[:6]))


def zone_of(text: str) -> timezone:
    """A UTC offset as DICOM writes it; SuvError where it is none."""
    match = re.fullmatch(r"([+-])(\d{2})(\d{2})", text)
    if not match or int(match.group(2)) > 14 or int(match.group(3)) > 59:
        raise SuvError("TimezoneOffsetFromUTC (0008,0201) is no UTC offset; write it as +HHMM or -HHMM")
    offset = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
    return timezone(-offset if match.group(1) == "-" else offset)
