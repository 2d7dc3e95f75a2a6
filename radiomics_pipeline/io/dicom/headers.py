"""Values of DICOM headers as numbers and texts, without pydicom's warnings, which quote what they are about."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import DamagedFile, MissingMetadata, NotDicom
from radiomics_pipeline.io.volumes import VolumeFile


@contextmanager
def quiet() -> Iterator[None]:
    """Lenient about values that do not follow the standard, and silent."""
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def parse(file: VolumeFile, *, pixels: bool = False) -> Dataset:
    """The data set of a file, without its pixels unless wanted; NotDicom or DamagedFile where it cannot be had."""
    try:
        with quiet():
            found = pydicom.dcmread(BytesIO(file.data), stop_before_pixels=not pixels, force=True)
            known = "SOPClassUID" in found or "SeriesInstanceUID" in found
    except Exception:  # noqa: BLE001 - pydicom raises many kinds, whose messages may quote the header
        raise DamagedFile(f"{file.name}: cannot be read as DICOM; copy or export it again") from None
    if not known:
        raise NotDicom(f"{file.name}: not a DICOM object")
    return found


def text(header: Dataset, keyword: str) -> str:
    """A value as text, several joined by backslashes; empty where there is none."""
    with quiet():
        value = header.get(keyword)
    if value is None:
        return ""
    return "\\".join(str(v) for v in value) if isinstance(value, pydicom.multival.MultiValue) else str(value).strip()


def numbers(header: Dataset, keyword: str, name: str, count: int) -> tuple[float, ...] | None:
    """A value as numbers; None where there is none, MissingMetadata where it is no list of `count` finite numbers."""
    try:
        with quiet():
            value = header.get(keyword)
            if value is None or value == "":
                return None
            many = value if isinstance(value, list | tuple | pydicom.multival.MultiValue) else [value]
            found = tuple(float(v) for v in many)
    except (TypeError, ValueError, OverflowError):
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        what = "a number" if count == 1 else f"{count} numbers"
        raise MissingMetadata(f"{name}: {keyword} {header_tag(keyword)} is not {what}; export the series again")
    return found


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
