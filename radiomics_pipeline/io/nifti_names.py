"""Names of labels in the header of a NIfTI file, as TotalSegmentator and Connectome Workbench write them.

An extension of the header holds XML with a LabelTable; each Label has its number as Key and its name as text. The
extension's code is 0 (TotalSegmentator) or 30 (Caret); what counts here is the table in it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

from radiomics_pipeline.errors import DamagedFile

_LARGEST = 2**24
"""Bytes of a header with its extensions; more is no table of names."""


def label_table(data: bytes, name: str) -> dict[int, str]:
    """Names by label, empty without a table; DamagedFile where the table cannot be read."""
    for content in _extensions(data):
        if b"<LabelTable" in content:
            return _names(content.strip(b"\0 \t\r\n"), name)
    return {}


def _extensions(data: bytes) -> Iterator[bytes]:
    """The content of each extension between header and voxels; a damaged header is `nifti.decode`'s to refuse."""
    head = _start(data, 544)
    second = head[:4] in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")
    size, order = (540, ">" if head[:4] == b"\x00\x00\x02\x1c" else "<") if second else (348, _order(head))
    if len(head) < size + 4:
        return
    offset = struct.unpack_from(order + "q", head, 168)[0] if second else struct.unpack_from(order + "f", head, 108)[0]
    if not size + 4 <= offset <= _LARGEST:
        return
    content = _start(data, int(offset))
    at = size + 4
    if not content[size : size + 1].strip(b"\0"):
        return
    while at + 8 <= len(content):
        length, _ = struct.unpack_from(order + "ii", content, at)
        if length < 8 or at + length > len(content):
            return
        yield content[at + 8 : at + length]
        at += length


def _start(data: bytes, length: int) -> bytes:
    """The first bytes of a file, decompressed where it is compressed."""
    if data[:2] != b"\x1f\x8b":
        return data[:length]
    try:
        return zlib.decompressobj(wbits=31).decompress(data, length)
    except zlib.error:
        return b""


def _order(head: bytes) -> str:
    return ">" if head[:4] == b"\x00\x00\x01\x5c" else "<"


def _names(xml: bytes, name: str) -> dict[int, str]:
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise DamagedFile(f"{name}: the label table in its header defines entities; write the file again without it")
    try:
        root = ElementTree.fromstring(xml)
        return {int(label.attrib["Key"]): (label.text or "").strip() for label in root.iter("Label")}
    except (ElementTree.ParseError, KeyError, ValueError):
        raise DamagedFile(f"{name}: the label table in its header cannot be read; write the file again") from None
