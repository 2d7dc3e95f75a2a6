"""What a pile of files holds: DICOM found by content, and grouped into series and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydicom.dataset import Dataset

from radiomics_pipeline.errors import CaseError
from radiomics_pipeline.io.dicom.headers import parse, text
from radiomics_pipeline.io.volumes import VolumeFile

Kind = Literal["image", "rtstruct", "seg", "sr", "rwvm", "other"]

_RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
_SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_RWVM = "1.2.840.10008.5.1.4.1.1.67"
_SR = "1.2.840.10008.5.1.4.1.1.88."
_VRS = frozenset(
    (a + b).encode()
    for a, b in ("UI", "CS", "SH", "UL", "OB", "LO", "DA", "TM", "US", "PN", "DT", "UN", "ST", "LT", "IS", "DS")
)


@dataclass(frozen=True)
class Found:
    """Files of one series of images, or one mask or other object.

    patient_key : equal for files of one patient; to compare, never to be written
    referenced_series_uids, referenced_sop_uids : of a mask, the images that it names
    """

    kind: Kind
    modality: str
    series_uid: str
    study_uid: str
    patient_key: str
    frame_of_reference_uid: str
    files: tuple[VolumeFile, ...]
    referenced_series_uids: frozenset[str] = frozenset()
    referenced_sop_uids: frozenset[str] = frozenset()


def is_dicom(data: bytes) -> bool:
    """Whether bytes begin like a DICOM file, with preamble and prefix or as files were before there were any."""
    if data[128:132] == b"DICM":
        return True
    if len(data) < 16 or int.from_bytes(data[:2], "little") not in (0x0002, 0x0008) or data[3] > 1:
        return False
    if data[4:6] in _VRS:
        return True
    length = int.from_bytes(data[4:8], "little")
    return 0 < length <= 1024 and length % 2 == 0


def header(file: VolumeFile) -> Dataset:
    """The data set of a file without its pixels; NotDicom or DamagedFile where it cannot be had."""
    return parse(file)


def kind_of(found: Dataset) -> Kind:
    """What a data set holds, by its SOP class; an image has rows."""
    sop_class = text(found, "SOPClassUID")
    if sop_class == _RTSTRUCT:
        return "rtstruct"
    if sop_class in _SEG:
        return "seg"
    if sop_class == _RWVM:
        return "rwvm"
    if sop_class.startswith(_SR):
        return "sr"
    return "image" if "Rows" in found else "other"


def describe(files: Sequence[VolumeFile]) -> list[Found]:
    """The series of images and the other objects among files, in the order in which they first appear.

    Images of one series come together; every other object stands for itself. What is no DICOM, or cannot be read, is
    of kind "other".
    """
    groups: dict[tuple[str, ...], list[VolumeFile]] = {}
    first: dict[tuple[str, ...], Dataset] = {}
    for file in files:
        try:
            found = parse(file) if is_dicom(file.data) else Dataset()
        except CaseError:
            found = Dataset()
        kind = kind_of(found)
        alone = "" if kind == "image" else text(found, "SOPInstanceUID") or str(len(groups))
        key = (kind, text(found, "SeriesInstanceUID"), patient_key(found), alone)
        groups.setdefault(key, []).append(file)
        first.setdefault(key, found)
    return [_found(key, tuple(group), first[key]) for key, group in groups.items()]


def patient_key(found: Dataset) -> str:
    """What tells patients apart: number and name together."""
    return f"{text(found, 'PatientID')}\n{text(found, 'PatientName')}"


def _found(key: tuple[str, ...], files: tuple[VolumeFile, ...], found: Dataset) -> Found:
    kind: Kind = key[0]  # type: ignore[assignment]
    series, instances = _referenced(kind, files[0])
    return Found(
        kind,
        text(found, "Modality"),
        key[1],
        text(found, "StudyInstanceUID"),
        key[2],
        text(found, "FrameOfReferenceUID"),
        files,
        series,
        instances,
    )


def _referenced(kind: Kind, file: VolumeFile) -> tuple[frozenset[str], frozenset[str]]:
    from radiomics_pipeline.io.dicom import rtstruct, seg

    try:
        found = {"rtstruct": rtstruct.referenced, "seg": seg.referenced}[kind](file)
    except (KeyError, CaseError):
        return frozenset(), frozenset()
    return found.series_uids, found.sop_uids
