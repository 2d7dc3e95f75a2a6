"""Values of headers that need not follow the standard, as text: what cannot be decoded is told from what is absent.

Private elements are found through their creator, or at their usual place where nobody has reserved the block:
de-identified files often lack the creator.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydicom.dataset import Dataset

from radiomics_pipeline.io.dicom.headers import items

GE, PHILIPS, SIEMENS = (0x0009, "GEMS_PETD_01"), (0x7053, "Philips PET Private Group"), (0x0071, "SIEMENS MED PT")
"""Groups of private elements, and who reserves blocks in them."""


def items_of(item: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none where it is absent or cannot be decoded."""
    try:
        return items(item, keyword)
    except Exception:  # noqa: BLE001 - a sequence that pydicom cannot decode is as good as none
        return []


def text_of(item: Dataset, keyword: str) -> str:
    """A value as text, several joined by backslashes; empty where absent, "?" where it cannot be decoded."""
    try:
        return _shown(item[keyword].value) if keyword in item else ""
    except Exception:  # noqa: BLE001 - pydicom raises many kinds for a value that its VR does not allow
        return "?"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str) and isinstance(value, Iterable):
        return "\\".join(_shown(part) for part in value)
    return str(value).strip(" \0")


def private_text(header: Dataset, where: tuple[int, str], element: int) -> str:
    """A private value by its creator; at block 0x10 where no creator has reserved that block."""
    group, creator = where
    numbers = [tag & 0xFFFF for tag in header.keys() if tag >> 16 == group and 0x10 <= tag & 0xFFFF <= 0xFF]  # noqa: SIM118
    blocks = {number: _private(header, group, number) for number in sorted(numbers)}
    own = [number for number, who in blocks.items() if who.upper() == creator.upper()]
    block = own[0] if own else 0x10 if 0x10 not in blocks else None
    return "" if block is None else _private(header, group, block << 8 | element)


def _private(header: Dataset, group: int, element: int) -> str:
    try:
        return _shown(header[group, element].value) if (group, element) in header else ""
    except Exception:  # noqa: BLE001 - as of `text_of`
        return "?"


def radiopharmaceuticals(header: Dataset) -> list[Dataset]:
    """What was administered, one item each."""
    return items_of(header, "RadiopharmaceuticalInformationSequence")
