"""The stored values of a DICOM image, frame by frame."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array
from pydicom.uid import UID

from radiomics_pipeline.errors import DamagedFile, UnsupportedImage
from radiomics_pipeline.io.dicom.headers import number, quiet, text

_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def stored_values(dataset: Dataset, name: str) -> np.ndarray:
    """All frames, [frame, y, x], in the type that they are stored in.

    Raises UnsupportedImage for colour and for a compression that nothing here decodes, DamagedFile for what ends early.
    """
    samples = number(dataset, "SamplesPerPixel", name)
    if samples not in (None, 1.0):
        raise UnsupportedImage(f"{name}: {samples:g} values a pixel (colour); a scalar image is needed")
    if not any(keyword in dataset for keyword in _DATA):
        raise DamagedFile(f"{name}: no pixel data; the file ends too early, or holds a header alone")
    rows, columns = (int(number(dataset, keyword, name) or 0) for keyword in ("Rows", "Columns"))
    try:
        with quiet():
            array = _plain(dataset, rows, columns)
            if array is None:
                array = pixel_array(dataset, raw=True)
    except (NotImplementedError, RuntimeError, ImportError):
        syntax = UID(text(dataset.file_meta, "TransferSyntaxUID")).name
        raise UnsupportedImage(
            f"{name}: no decoder for its pixels ({syntax}); pip install 'radiomics_pipeline[jpeg]', or export the "
            "series uncompressed"
        ) from None
    except Exception:  # noqa: BLE001 - pydicom raises many kinds, whose messages may quote the header
        raise DamagedFile(
            f"{name}: its pixels cannot be decoded: the file ends too early, or its header contradicts them; copy or "
            "export it again"
        ) from None
    return array.reshape(-1, rows, columns)


def _plain(dataset: Dataset, rows: int, columns: int) -> np.ndarray | None:
    """Uncompressed whole numbers of one or two bytes that fill their places, without pydicom's detours; else None."""
    meta = getattr(dataset, "file_meta", None)
    syntax = text(meta, "TransferSyntaxUID") if meta else ""
    bits = dataset.get("BitsAllocated")
    whole = bits in (8, 16) and dataset.get("BitsStored") == bits and "PixelData" in dataset
    if syntax not in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1") or not whole:
        return None
    kind = np.dtype(f"<{'i' if dataset.get('PixelRepresentation') == 1 else 'u'}{bits // 8}")
    frames = int(dataset.get("NumberOfFrames") or 1)
    needed = frames * rows * columns
    if len(dataset.PixelData) < needed * kind.itemsize:
        raise ValueError("too short")
    return np.frombuffer(dataset.PixelData, kind, needed)
