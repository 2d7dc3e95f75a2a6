"""The stored values of a DICOM image, frame by frame."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import UID

from radiomics_pipeline.errors import DamagedFile, UnsupportedImage
from radiomics_pipeline.io.dicom.headers import number, quiet, text

DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""Elements that hold pixels."""
_IMPLICIT, _EXPLICIT, _DEFLATED, _BIG_ENDIAN = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
)  # fmt: skip
_UNCOMPRESSED = (_IMPLICIT, _EXPLICIT, _DEFLATED, _BIG_ENDIAN)
_REAL = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}


def stored_values(dataset: Dataset, name: str) -> np.ndarray:
    """All frames, [frame, y, x], in the type that they are stored in; MONOCHROME1 is a matter of display only.

    Raises UnsupportedImage for colour and for a compression that nothing here decodes, DamagedFile for what ends early.
    """
    _require_grey(dataset, name)
    if not any(keyword in dataset for keyword in DATA):
        raise DamagedFile(f"{name}: no pixel data; the file ends too early, or holds a header alone; copy it again")
    rows, columns, frames = (int(number(dataset, k, name) or 0) for k in ("Rows", "Columns", "NumberOfFrames"))
    frames = frames if "NumberOfFrames" in dataset else 1
    if min(rows, columns, frames) < 1:
        raise DamagedFile(f"{name}: {frames} frames of {columns} x {rows} pixels; export the series again")
    syntax = transfer_syntax(dataset)
    if syntax in _UNCOMPRESSED:
        array = _plain(dataset, frames * rows * columns, syntax == _BIG_ENDIAN, name)
    else:
        array = _decoded(dataset, syntax, name)
    if array.size != frames * rows * columns:
        raise DamagedFile(f"{name}: {array.size} pixels for {frames} frames of {columns} x {rows}; copy it again")
    return array.reshape(frames, rows, columns)


def transfer_syntax(dataset: Dataset) -> str:
    """UID of how a data set is encoded; of one without file meta information what its reader found."""
    told = text(getattr(dataset, "file_meta", None) or Dataset(), "TransferSyntaxUID")
    if told:
        return told
    implicit, little = dataset.original_encoding
    if little is False:
        return _BIG_ENDIAN
    return _IMPLICIT if implicit else _EXPLICIT


def _require_grey(dataset: Dataset, name: str) -> None:
    samples, colours = number(dataset, "SamplesPerPixel", name), text(dataset, "PhotometricInterpretation")
    if samples not in (None, 1.0):
        raise UnsupportedImage(f"{name}: {samples:g} values a pixel (colour); a scalar image is needed")
    if colours and not colours.startswith("MONOCHROME"):
        raise UnsupportedImage(f"{name}: pixels are colours ({colours}); a scalar image is needed")


def _plain(dataset: Dataset, pixels: int, big_endian: bool, name: str) -> np.ndarray:
    """Uncompressed pixels; DamagedFile where there are fewer than the header says."""
    order = ">" if big_endian else "<"
    keyword = next(keyword for keyword in DATA if keyword in dataset)
    with quiet():
        data = dataset.get(keyword)
    if keyword in _REAL:
        kind = np.dtype(order + _REAL[keyword])
    else:
        bits = int(number(dataset, "BitsAllocated", name) or 0)
        if bits not in (8, 16, 32, 64):
            raise UnsupportedImage(f"{name}: {bits} bits allocated for a pixel (0028,0100); 8, 16, 32 or 64 are read")
        kind = np.dtype(f"{order}{'i' if number(dataset, 'PixelRepresentation', name) == 1 else 'u'}{bits // 8}")
    needed, found = pixels * kind.itemsize, len(data or b"")
    if found < needed:
        raise DamagedFile(
            f"{name}: {found} bytes of pixels, {needed} are announced; the file ends too early. Copy or export it again"
        )
    if big_endian and kind.itemsize == 1 and dataset[keyword].VR == "OW":
        return _used_bits(np.frombuffer(data, ">u2").astype("<u2").view(kind)[:pixels], dataset, name)
    array = np.frombuffer(data, kind, pixels)
    return array if keyword in _REAL else _used_bits(array, dataset, name)


def _used_bits(array: np.ndarray, dataset: Dataset, name: str) -> np.ndarray:
    """The bits of a value that are part of it, without what else is kept in its place, such as an overlay."""
    bits = 8 * array.dtype.itemsize
    stored = int(number(dataset, "BitsStored", name) or bits)
    top = number(dataset, "HighBit", name)
    high = stored - 1 if top is None else int(top)
    if not 1 <= stored <= high + 1 <= bits:
        raise DamagedFile(
            f"{name}: its header contradicts itself: {stored} bits stored, the highest of them bit {high}, of {bits} "
            "allocated; export the series again"
        )
    if stored == bits:
        return array
    native = array.astype(array.dtype.newbyteorder("="))
    return (native << (bits - 1 - high)) >> (bits - stored)


def _decoded(dataset: Dataset, syntax: str, name: str) -> np.ndarray:
    """Compressed pixels, by whichever decoder is installed."""
    told = UID(syntax).name
    remedy = "pip install 'radiomics_pipeline[jpeg]', or export the series uncompressed"
    try:
        with quiet():
            known = get_decoder(UID(syntax)).is_available
    except NotImplementedError:
        raise UnsupportedImage(
            f"{name}: its pixels are encoded in a way that is not known (transfer syntax {told}); export the series "
            "uncompressed"
        ) from None
    if not known:
        raise UnsupportedImage(f"{name}: no decoder for its pixels ({told}); {remedy}")
    try:
        with quiet():
            return pixel_array(dataset, raw=True)
    except Exception:  # noqa: BLE001 - decoders raise many kinds, whose messages may quote the header
        raise DamagedFile(
            f"{name}: its pixels cannot be decoded ({told}): the file is damaged, its header contradicts them, or they "
            f"need another decoder; copy or export it again, or {remedy}"
        ) from None
