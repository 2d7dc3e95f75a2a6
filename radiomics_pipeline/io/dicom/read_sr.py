"""The measurements of a DICOM Structured Report of template TID 1500, ours or another program's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from radiomics_pipeline.errors import DicomError
from radiomics_pipeline.io.dicom.headers import items
from radiomics_pipeline.io.dicom.mask_object import parsed, reader, text
from radiomics_pipeline.io.dicom.seg import Code
from radiomics_pipeline.io.volumes import VolumeFile

SOP_CLASSES = tuple(f"1.2.840.10008.5.1.4.1.1.88.{kind}" for kind in (22, 33, 34))
"""Enhanced, Comprehensive and Comprehensive 3D SR."""

_GROUP, _TRACKING, _TRACKING_UID = "125007", "112039", "112040"
_DERIVATION, _FINDING = "121401", "121071"
_METHODS = ("370129005", "G-C036")
_SEGMENTS = ("121191", "121214")


@dataclass(frozen=True)
class Value:
    """One measurement.

    value : as a double where the report holds one, else as its text says; NaN where it has none
    column : its tracking identifier, which in our reports is the column of features.csv
    qualifier : why it has no value
    modifiers : further coded ones, by the meaning of their name
    """

    name: Code
    value: float
    unit: Code | None
    derivation: Code | None = None
    method: Code | None = None
    column: str = ""
    qualifier: Code | None = None
    modifiers: dict[str, Code] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """The measurements of one region. segment : its number in the segmentation `seg_uid`, None where it names none"""

    tracking: str
    tracking_uid: str
    finding: Code | None
    method: Code | None
    seg_uid: str
    segment: int | None
    values: tuple[Value, ...]

    def value(self, name: str, derivation: str = "") -> float:
        """The one value of a concept, by value or meaning of its code and of its derivation's; KeyError otherwise."""
        found = [v for v in self.values if name in v.name[::2] and (derivation in (v.derivation or ("",))[::2])]
        if len(found) != 1:
            raise KeyError(f"{len(found)} measurements of {name} {derivation}".strip())
        return found[0].value

    def columns(self) -> dict[str, float]:
        """Values by column, of one of our reports."""
        return {v.column: v.value for v in self.values if v.column}


@reader
def read_sr(file: VolumeFile) -> tuple[Group, ...]:
    """The measurement groups of a report, in their order.

    Raises DicomError for another object or a report without such groups, DamagedFile for one that cannot be read.
    """
    root = parsed(file, SOP_CLASSES, "not a DICOM Structured Report that can hold measurements")
    groups = tuple(_group(item) for item in _all(root) if _concept(item) == _GROUP)
    if not groups:
        raise DicomError(f"{file.name}: a report without measurement groups (TID 1500)")
    return groups


def _all(item: Any) -> Iterator[Any]:
    """All content items below one."""
    for inner in items(item, "ContentSequence"):
        yield inner
        yield from _all(inner)


def _concept(item: Any) -> str:
    name = _code(item, "ConceptNameCodeSequence")
    return name.value if name else ""


def _code(item: Any, keyword: str) -> Code | None:
    """The first code of a sequence."""
    for code in items(item, keyword):
        value = next((text(code, k) for k in ("CodeValue", "LongCodeValue", "URNCodeValue") if text(code, k)), "")
        return Code(value, text(code, "CodingSchemeDesignator"), text(code, "CodeMeaning"))
    return None


def _group(item: Any) -> Group:
    inside = {_concept(inner): inner for inner in items(item, "ContentSequence")}
    segment = next((inside[c] for c in _SEGMENTS if c in inside), None)
    references = items(segment, "ReferencedSOPSequence") if segment is not None else []
    number = references[0].get("ReferencedSegmentNumber") if references else None
    method = next((inside[c] for c in _METHODS if c in inside), None)
    return Group(
        text(inside.get(_TRACKING, {}), "TextValue"),
        text(inside.get(_TRACKING_UID, {}), "UID"),
        _code(inside[_FINDING], "ConceptCodeSequence") if _FINDING in inside else None,
        _code(method, "ConceptCodeSequence") if method is not None else None,
        text(references[0], "ReferencedSOPInstanceUID") if references else "",
        int(number) if number is not None else None,
        tuple(_value(inner) for inner in items(item, "ContentSequence") if text(inner, "ValueType") == "NUM"),
    )


def _value(item: Any) -> Value:
    name = _code(item, "ConceptNameCodeSequence")
    if name is None:
        raise ValueError("a measurement without a name")  # which `reader` turns into DamagedFile
    measured = items(item, "MeasuredValueSequence")
    modifiers: dict[str, Code] = {}
    derivation = method = None
    column = ""
    for inner in items(item, "ContentSequence"):
        code = _code(inner, "ConceptCodeSequence")
        if _concept(inner) == _TRACKING:
            column = text(inner, "TextValue")
        elif _concept(inner) == _DERIVATION:
            derivation = code
        elif _concept(inner) in _METHODS:
            method = code
        elif code:
            named = _code(inner, "ConceptNameCodeSequence")
            modifiers[named.meaning if named else ""] = code
    return Value(
        name,
        _number(measured[0]) if measured else math.nan,
        _code(measured[0], "MeasurementUnitsCodeSequence") if measured else None,
        derivation,
        method,
        column,
        _code(item, "NumericValueQualifierCodeSequence"),
        modifiers,
    )


def _number(measured: Any) -> float:
    """The double where there is one, else the decimal string."""
    exact = measured.get("FloatingPointValue")
    return float(measured.NumericValue if exact is None else exact)
