"""The stored values of a DICOM image, frame by frame."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import UID

from radiomics_pipeline.errors import DamagedFile, UnsupportedImage
from radiomics_pipeline.io.dicom.headers import OpenedFile, header_tag, number, parse, quiet, text

DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""Elements that hold pixels."""
_IMPLICIT, _EXPLICIT, _DEFLATED, _BIG_ENDIAN = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
)  # fmt: skip
_UNCOMPRESSED = (_IMPLICIT, _EXPLICIT, _DEFLATED, _BIG_ENDIAN)
_REAL = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}
_TAGS = {(0x7FE0, 0x0010): "PixelData", (0x7FE0, 0x0008): "FloatPixelData", (0x7FE0, 0x0009): "DoubleFloatPixelData"}
_IMPLICIT_HEAD, _EXPLICIT_HEAD = "HHL", "HH2s2xL"
"""How an element of pixels begins: its tag, its VR if that is said, and its length in bytes."""
_UNDEFINED = 0xFFFFFFFF


def stored_values(file: OpenedFile) -> np.ndarray:
    """All frames, [frame, y, x], in the type that they are stored in; MONOCHROME1 is a matter of display only.

    Raises UnsupportedImage for colour and for a compression that nothing here decodes, DamagedFile for what ends early.
    """
    header, name = file.header, file.name
    _require_grey(header, name)
    rows, columns, frames = (_size(header, k, name) for k in ("Rows", "Columns", "NumberOfFrames"))
    syntax = transfer_syntax(header)
    array = _plain(file, frames * rows * columns) if syntax in _UNCOMPRESSED else _decoded(file, syntax)
    if array.size != frames * rows * columns:
        raise DamagedFile(f"{name}: {array.size} pixels for {frames} frames of {columns} x {rows}; copy it again")
    return array.reshape(frames, rows, columns)


def _size(header: Dataset, keyword: str, name: str) -> int:
    found = number(header, keyword, name)
    if found is None and keyword == "NumberOfFrames":
        return 1
    if found is None or found < 1 or found != int(found):
        raise DamagedFile(f"{name}: {keyword} {header_tag(keyword)} is no size of an image; copy or export it again")
    return int(found)


def transfer_syntax(dataset: Dataset) -> str:
    """UID of how a data set is encoded; of one without file meta information what its reader found."""
    told = text(getattr(dataset, "file_meta", None) or Dataset(), "TransferSyntaxUID")
    if told:
        return told
    implicit, little = dataset.original_encoding
    if little is False:
        return _BIG_ENDIAN
    return _IMPLICIT if implicit else _EXPLICIT


def _require_grey(header: Dataset, name: str) -> None:
    samples = number(header, "SamplesPerPixel", name)
    if samples not in (None, 1.0):
        raise UnsupportedImage(f"{name}: {samples:g} values a pixel (colour); a scalar image is needed")
    if text(header, "PhotometricInterpretation") not in ("", "MONOCHROME1", "MONOCHROME2"):
        raise UnsupportedImage(f"{name}: its pixels are colours, not grey values; a scalar image is needed")


def _plain(file: OpenedFile, pixels: int) -> np.ndarray:
    """Uncompressed pixels; DamagedFile where there are fewer than the header says, or more."""
    header, name = file.header, file.name
    found = _element(file)
    order = "<" if found.little_endian else ">"
    if found.keyword in _REAL:
        kind = np.dtype(order + _REAL[found.keyword])
    else:
        bits = number(header, "BitsAllocated", name) or 0
        if bits not in (8, 16, 32):
            raise UnsupportedImage(f"{name}: {bits:g} bits allocated for a pixel (0028,0100); 8, 16 or 32 are read")
        kind = np.dtype(f"{order}{'i' if number(header, 'PixelRepresentation', name) == 1 else 'u'}{int(bits) // 8}")
    needed = pixels * kind.itemsize
    if found.size < needed:
        raise DamagedFile(
            f"{name}: {found.size} bytes of pixels, {needed} are announced; the file ends too early. Copy or export it "
            "again"
        )
    if found.size >= 2 * needed:
        raise DamagedFile(
            f"{name}: {found.size} bytes of pixels, {needed} are announced; its header contradicts them. Export the "
            "series again"
        )
    if not found.little_endian and kind.itemsize == 1 and found.words:
        words = np.frombuffer(found.data, ">u2", (needed + 1) // 2, found.start)
        return _used_bits(words.astype("<u2").view(kind)[:pixels], header, name)
    array = np.frombuffer(found.data, kind, pixels, found.start)
    return array if found.keyword in _REAL else _used_bits(array, header, name)


class _Element(NamedTuple):
    """Pixels as bytes: `size` of them in `data` from `start`; words : two bytes belong together (VR OW)."""

    keyword: str
    data: bytes
    start: int
    size: int
    words: bool
    little_endian: bool


def _element(file: OpenedFile) -> _Element:
    """The uncompressed pixels of a file; DamagedFile where there are none."""
    if file.end is None:
        dataset = parse(file, pixels=True)
        keyword = next((keyword for keyword in DATA if keyword in dataset), "")
        if not keyword:
            raise _no_pixels(file.name)
        element = dataset[keyword]
        return _Element(keyword, element.value, 0, len(element.value), element.VR == "OW", True)
    implicit, little = file.header.original_encoding
    head = _IMPLICIT_HEAD if implicit else _EXPLICIT_HEAD
    order = "<" if little else ">"
    size = struct.calcsize(order + head)
    if len(file.data) < file.end + size:
        raise _no_pixels(file.name)
    group, number_, *kind, length = struct.unpack_from(order + head, file.data, file.end)
    found = _TAGS.get((group, number_), "")
    start = file.end + size
    if not found or length == _UNDEFINED:
        raise _no_pixels(file.name)
    there = min(length, len(file.data) - start)
    return _Element(found, file.data, start, there, not kind or kind[0] == b"OW", bool(little))


def _no_pixels(name: str) -> DamagedFile:
    return DamagedFile(f"{name}: no pixel data; the file ends too early, or holds a header alone; copy it again")


def _used_bits(array: np.ndarray, header: Dataset, name: str) -> np.ndarray:
    """The bits of a value that are part of it, without what else is kept in its place, such as an overlay."""
    bits = 8 * array.dtype.itemsize
    stored = int(number(header, "BitsStored", name) or bits)
    top = number(header, "HighBit", name)
    high = stored - 1 if top is None else int(top)
    if not 1 <= stored <= high + 1 <= bits:
        raise DamagedFile(
            f"{name}: its header contradicts itself: {stored} bits stored, the highest of them bit {high}, of {bits} "
            "allocated; export the series again"
        )
    if stored == bits or (array.dtype.kind == "u" and high == stored - 1 and int(array.max()) < 1 << stored):
        return array
    native = array.astype(array.dtype.newbyteorder("="))
    found = (native << (bits - 1 - high)) >> (bits - stored)
    filled = native.view(f"u{native.dtype.itemsize}") >> stored
    plain = (found == native) | ((filled == 0) & (native.dtype.kind == "i"))
    if high == stored - 1 and not plain.all() and not _has_overlay(header):
        raise DamagedFile(
            f"{name}: some pixels need more than the {stored} bits that its header announces (0028,0101); export the "
            "series again"
        )
    return found


def _has_overlay(header: Dataset) -> bool:
    """Whether an overlay is kept in bits that the pixels leave free, as it once could be."""
    return any(tag >> 24 == 0x60 and tag & 0xFFFF == 0x0102 for tag in header.keys())  # noqa: SIM118


def _decoded(file: OpenedFile, syntax: str) -> np.ndarray:
    """Compressed pixels, by whichever decoder is installed."""
    name = file.name
    remedy = "pip install 'radiomics_pipeline[jpeg]', or export the series uncompressed"
    try:
        with quiet():
            known = get_decoder(UID(syntax)).is_available
    except (NotImplementedError, ValueError):
        raise UnsupportedImage(
            f"{name}: its pixels are encoded in a way that is not known (TransferSyntaxUID (0002,0010)); export the "
            "series uncompressed"
        ) from None
    told = UID(syntax).name
    if not known:
        raise UnsupportedImage(f"{name}: no decoder for its pixels ({told}); {remedy}")
    dataset = parse(file, pixels=True)
    if not any(keyword in dataset for keyword in DATA):
        raise _no_pixels(name)
    try:
        with quiet():
            return pixel_array(dataset, raw=True)
    except Exception:  # noqa: BLE001 - decoders raise many kinds, whose messages may quote the header
        raise DamagedFile(
            f"{name}: its pixels cannot be decoded ({told}): the file is damaged, its header contradicts them, or they "
            f"need another decoder; copy or export it again, or {remedy}"
        ) from None
