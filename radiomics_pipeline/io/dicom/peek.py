"""What kind of DICOM object a file holds, from a few of its elements."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pydicom

from radiomics_pipeline.io.dicom.headers import quiet
from radiomics_pipeline.io.dicom.scan import Kind, is_dicom, kind_of
from radiomics_pipeline.io.volumes import VolumeFile

_FIRST = 132
"""Bytes that hold preamble and prefix."""


def peek(path: Path) -> Kind | None:
    """The kind of a file on disk; None for one that is no DICOM file, or cannot be read."""
    try:
        with path.open("rb") as file:
            return _kind(file) if is_dicom(file.read(_FIRST)) else None
    except OSError:
        return None


def kind(file: VolumeFile) -> Kind | None:
    """The kind of a file in memory; None for one that is no DICOM file, or cannot be read."""
    return _kind(BytesIO(file.data)) if is_dicom(file.data) else None


def _kind(file: BinaryIO) -> Kind | None:
    file.seek(0)
    try:
        with quiet():
            return kind_of(
                pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID", "Rows"], force=True)
            )
    except Exception:  # noqa: BLE001 - what cannot be parsed here is judged where it is wanted
        return None
