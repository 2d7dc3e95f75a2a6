"""Values of DICOM headers as numbers and texts, without pydicom's warnings, which quote what they are about."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import DamagedFile, MissingMetadata, NotDicom
from radiomics_pipeline.io.volumes import VolumeFile

_VRS = frozenset(
    (a + b).encode()
    for a, b in ("UI", "CS", "SH", "UL", "OB", "LO", "DA", "TM", "US", "PN", "DT", "UN", "ST", "LT", "IS", "DS")
)
"""What an element of the first groups may say of its type."""
_PLAIN_TEXTS, _NUMBER_TEXTS = frozenset({"UI", "CS", "DA", "TM", "DT"}), frozenset({"DS", "IS", "US"})
"""Kinds of values that need no character set."""
_DIRECTORY, _DEFLATED = "1.2.840.10008.1.3.10", "1.2.840.10008.1.2.1.99"
_PIXELS, _UNDEFINED = 0x7FE0, 0xFFFFFFFF
"""Group of the pixels; length of what says itself where it ends."""


@contextmanager
def quiet() -> Iterator[None]:
    """Lenient about values that do not follow the standard, and silent."""
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def is_dicom(data: bytes) -> bool:
    """Whether bytes begin like a DICOM file, with preamble and prefix or as files were before there were any."""
    if data[128:132] == b"DICM":
        return True
    if len(data) < 16:
        return False
    group, element = data[:2], data[2:4]
    if group == b"\0\x08" and element[0] <= 1:
        return data[4:6] in _VRS
    if int.from_bytes(group, "little") not in (0x0002, 0x0008) or element[1] > 1:
        return False
    if data[4:6] in _VRS:
        return True
    length = int.from_bytes(data[4:8], "little")
    return 0 < length <= 1024 and length % 2 == 0


@dataclass(frozen=True)
class OpenedFile(VolumeFile):
    """A file whose header has been read, for whoever comes next.

    header : its data set up to the pixels; several may hold it, so it is not to be changed
    end : where in `data` the header ends and the pixels begin; None where the file is not stored as it is read
    """

    header: Dataset = field(repr=False, compare=False)
    end: int | None = field(default=None, compare=False)

    @property
    def goes_on(self) -> bool:
        """Whether something follows the header, as pixels do in an image."""
        return self.end is None or self.end < len(self.data)


def open_header(file: VolumeFile) -> OpenedFile:
    """A file with its header; NotDicom or DamagedFile where that cannot be had."""
    if isinstance(file, OpenedFile):
        return file
    found, end = _read(file, pixels=False)
    return OpenedFile(file.path, file.name, file.data, found, end)


def parse(file: VolumeFile, *, pixels: bool = False) -> Dataset:
    """The data set of a file, without its pixels unless wanted; NotDicom or DamagedFile where it cannot be had."""
    return _read(file, pixels=True)[0] if pixels else open_header(file).header


def _read(file: VolumeFile, *, pixels: bool) -> tuple[Dataset, int | None]:
    if not is_dicom(file.data):
        raise NotDicom(f"{file.name}: not a DICOM file")
    buffer = BytesIO(file.data)
    try:
        with quiet():
            found = pydicom.dcmread(buffer, stop_before_pixels=not pixels, force=True)
            known = "SOPClassUID" in found or "SeriesInstanceUID" in found
            meta = getattr(found, "file_meta", None) or Dataset()
            media, syntax = (str(meta.get(k) or "") for k in ("MediaStorageSOPClassUID", "TransferSyntaxUID"))
    except Exception:  # noqa: BLE001 - pydicom raises many kinds, whose messages may quote the header
        raise DamagedFile(f"{file.name}: cannot be read as DICOM; copy or export it again") from None
    if media == _DIRECTORY:
        raise NotDicom(f"{file.name}: a DICOMDIR, the directory of a medium, instead of a DICOM object")
    if not known and file.data[128:132] != b"DICM":
        raise NotDicom(f"{file.name}: not a DICOM file")
    if not known or _cut(found):
        raise DamagedFile(f"{file.name}: ends too early, within its header; copy or export it again")
    return found, None if syntax == _DEFLATED else buffer.tell()


def _cut(found: Dataset) -> bool:
    """Whether the last element before the pixels has less of a value than it announces, which pydicom lets pass."""
    last = next(reversed(list(found.keys())), None)  # in the order of the file
    element: Any = None if last is None or last.group >= _PIXELS else found.get_item(last)
    if not isinstance(element, RawDataElement) or element.value is None or element.length == _UNDEFINED:
        return False
    return len(element.value) < element.length


def text(header: Dataset, keyword: str) -> str:
    """A value as text, several joined by backslashes; empty where there is none."""
    raw = _raw(header, keyword, _PLAIN_TEXTS)
    if raw is not None:
        return raw
    try:
        with quiet():
            value = header.get(keyword)
    except NotImplementedError:  # an element of no known kind; whoever needs its value finds none
        value = None
    if value is None:
        return ""
    several = isinstance(value, list | tuple | pydicom.multival.MultiValue)
    return "\\".join(str(v) for v in value) if several else str(value).strip()


def plain_number(value: Any) -> float:
    """A value as a number, ValueError where it is none; Python alone would read "1_0" as 10."""
    if isinstance(value, str) and "_" in value:
        raise ValueError
    return float(value)


def numbers(header: Dataset, keyword: str, name: str, count: int) -> tuple[float, ...] | None:
    """A value as numbers; None where there is none, MissingMetadata where it is no list of `count` finite numbers."""
    try:
        many = _values(header, keyword)
        if many is None:
            return None
        found = tuple(plain_number(v) for v in many)
    except Exception:  # noqa: BLE001 - pydicom raises many kinds, whose messages may quote the header
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        what = "a number" if count == 1 else f"{count} numbers"
        raise MissingMetadata(f"{name}: {keyword} {header_tag(keyword)} is not {what}; export the series again")
    return found


def _values(header: Dataset, keyword: str) -> Sequence[Any] | None:
    raw = _raw(header, keyword, _NUMBER_TEXTS)
    if raw is not None:
        return raw.split("\\") if raw else None
    with quiet():
        value = header.get(keyword)
    if value is None or value == "":
        return None
    return value if isinstance(value, list | tuple | pydicom.multival.MultiValue) else [value]


def _raw(header: Dataset, keyword: str, kinds: frozenset[str]) -> str | None:
    """A value of these kinds as the file spells it, empty where there is none; None where pydicom has to read it.

    Much faster than pydicom, whose own numbers and texts know more than is asked for here.
    """
    tag = tag_for_keyword(keyword)
    element: Any = None if tag is None else header.get_item(tag)
    if element is None:
        return ""
    if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
        return None
    kind = element.VR or dictionary_VR(element.tag)
    if kind == "US" and kind in kinds and len(element.value) == 2:
        return str(int.from_bytes(element.value, "little" if element.is_little_endian else "big"))
    if kind not in kinds or not element.value.isascii():
        return None
    return "\\".join(part.strip(" \0") for part in element.value.decode("ascii").split("\\"))


def number(header: Dataset, keyword: str, name: str) -> float | None:
    """A value as one number; None and errors as of `numbers`."""
    found = numbers(header, keyword, name, 1)
    return None if found is None else found[0]


def header_tag(keyword: str) -> str:
    """The tag of a keyword as messages show it, such as "(0028,1053)"."""
    tag = pydicom.tag.Tag(keyword)
    return f"({tag.group:04X},{tag.element:04X})"


def items(header: Dataset, keyword: str) -> list[Any]:
    """The items of a sequence; none where there is no such sequence."""
    with quiet():
        return list(header.get(keyword) or ())
