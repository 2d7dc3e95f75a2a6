"""Radionuclides as headers write them: by a code of SNOMED, or in words."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

from radiomics_pipeline.io.dicom.lenient import items_of, text_of

NUCLIDES = {
    "77004003": "F-18", "40565003": "C-11", "21576001": "N-13", "129504001": "O-15", "79197006": "Rb-82",
    "35337001": "Ga-68", "3932008": "Cu-64", "63360001": "Zr-89", "40937006": "I-124", "72454006": "Tc-99m",
    "21572004": "I-123", "56609000": "In-111", "60057003": "Tl-201", "1368003": "I-131", "447553000": "Lu-177",
    "53315004": "Ge-68",
    "C-111A1": "F-18", "C-105A1": "C-11", "C-107A1": "N-13", "C-B1038": "O-15", "C-159A2": "Rb-82",
    "C-131A3": "Ga-68", "C-127A2": "Cu-64", "C-168A4": "Zr-89", "C-114A5": "I-124", "C-163A8": "Tc-99m",
    "C-114A4": "I-123", "C-145A4": "In-111", "C-138A9": "Tl-201", "C-114B1": "I-131", "C-101ED": "Lu-177",
    "C-128A2": "Ge-68",
}  # fmt: skip
"""SNOMED codes, new and old, of radionuclides (DICOM CID 18 and 4020)."""

_ELEMENTS = {
    "fluorine": "F", "carbon": "C", "nitrogen": "N", "oxygen": "O", "rubidium": "Rb", "gallium": "Ga",
    "copper": "Cu", "zirconium": "Zr", "iodine": "I", "technetium": "Tc", "indium": "In", "thallium": "Tl",
    "lutetium": "Lu", "germanium": "Ge",
}  # fmt: skip
_SYMBOLS = {symbol.lower(): symbol for symbol in _ELEMENTS.values()} | _ELEMENTS
_ELEMENT = "|".join(sorted(_SYMBOLS, key=len, reverse=True))
_NUCLIDE = re.compile(
    rf"(?<![a-z0-9])(?:\^?(\d+m?)\^?[\s-]*({_ELEMENT})|({_ELEMENT})[\s-]*\^?(\d+m?)\^?)(?![a-z0-9])", re.IGNORECASE
)


def nuclide_of(item: Dataset) -> str:
    """The radionuclide by its code, or by a name that says element and mass number; empty where neither is known."""
    for code in items_of(item, "RadionuclideCodeSequence"):
        known = NUCLIDES.get(text_of(code, "CodeValue")) or _named(text_of(code, "CodeMeaning"))
        if known:
            return known
    return _named(text_of(item, "Radiopharmaceutical"))


def _named(text: str) -> str:
    for before, element, other, after in _NUCLIDE.findall(text):
        symbol = _SYMBOLS[(element or other).lower()]
        nuclide = f"{symbol}-{(before or after).lower()}"
        if nuclide in NUCLIDES.values():
            return nuclide
    return ""
