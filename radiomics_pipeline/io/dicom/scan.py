"""What a pile of files holds: DICOM found by content, and grouped into series and masks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydicom.dataset import Dataset

from radiomics_pipeline.errors import DamagedFile, NotDicom
from radiomics_pipeline.io.dicom.headers import is_dicom, open_header, parse, text
from radiomics_pipeline.io.volumes import VolumeFile

__all__ = ["Found", "Kind", "describe", "header", "is_dicom", "kind_of", "patient_key"]

Kind = Literal["image", "rtstruct", "seg", "sr", "rwvm", "other"]

_RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
_RTDOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_RWVM = "1.2.840.10008.5.1.4.1.1.67"
_SR = "1.2.840.10008.5.1.4.1.1.88."
_IMAGES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "2.1", "2.2", "20", "128", "128.1", "130")
)  # CT, NM and PET: classic, enhanced, and converted
_SALT = os.urandom(16)


@dataclass(frozen=True)
class Found:
    """Files of one series of images, or one mask or other object.

    patient_key : equal for files of one patient, another in every run of the program; to compare, never to be written
    problem : why a DICOM file among these cannot be read, as an error would say it; whoever wants all images of a
        folder should refuse it, since a slice may be lacking without a trace
    """

    kind: Kind
    modality: str
    series_uid: str = field(repr=False)
    study_uid: str = field(repr=False)
    patient_key: str = field(repr=False)
    frame_of_reference_uid: str = field(repr=False)
    files: tuple[VolumeFile, ...] = field(repr=False)
    problem: str = ""


def header(file: VolumeFile) -> Dataset:
    """The data set of a file without its pixels; NotDicom or DamagedFile where it cannot be had."""
    return parse(file)


def kind_of(found: Dataset) -> Kind:
    """What a data set holds, by its SOP class; an image of a class that is not known here has rows."""
    sop_class = text(found, "SOPClassUID")
    if sop_class == _RTSTRUCT:
        return "rtstruct"
    if sop_class in _SEG:
        return "seg"
    if sop_class == _RWVM:
        return "rwvm"
    if sop_class.startswith(_SR):
        return "sr"
    if sop_class == _RTDOSE:
        return "other"
    return "image" if sop_class in _IMAGES or "Rows" in found else "other"


def describe(files: Sequence[VolumeFile]) -> list[Found]:
    """The series of images and the other objects among files, in the order in which they first appear.

    Images of one series come together, whatever their names; every other object stands for itself. What is no DICOM
    object is of kind "other"; so is what cannot be read, and says its `problem`. The files given back carry their
    headers, so that `read_series` need not parse them a second time.
    """
    groups: dict[tuple[str, ...], list[VolumeFile]] = {}
    first: dict[tuple[str, ...], Dataset] = {}
    problems: dict[tuple[str, ...], str] = {}
    for file in files:
        opened, found, problem = _look(file)
        kind = kind_of(found)
        alone = "" if kind == "image" else text(found, "SOPInstanceUID") or str(len(groups))
        key = (kind, text(found, "SeriesInstanceUID"), patient_key(found), alone)
        groups.setdefault(key, []).append(opened)
        first.setdefault(key, found)
        if problem:
            problems.setdefault(key, problem)
    return [_found(key, tuple(group), first[key], problems.get(key, "")) for key, group in groups.items()]


def patient_key(found: Dataset) -> str:
    """What tells patients apart: number and name together, not to be read back."""
    number = text(found, "PatientID")
    name = text(found, "PatientName").rstrip("^ ").casefold()
    return hashlib.sha256(_SALT + f"{number}\n{name}".encode("utf-8", "surrogateescape")).hexdigest()


def _look(file: VolumeFile) -> tuple[VolumeFile, Dataset, str]:
    """A file, opened where that can be, its header, empty where there is none, and what keeps it from being read."""
    if not file.data:
        return file, Dataset(), f"{file.name}: the file is empty (0 bytes); copy or export it again"
    try:
        opened = open_header(file)
    except NotDicom:
        return file, Dataset(), ""
    except DamagedFile as e:
        return file, Dataset(), str(e)
    whole = opened.goes_on or kind_of(opened.header) != "image"
    return opened, opened.header, "" if whole else f"{file.name}: ends before its pixels; copy or export it again"


def _found(key: tuple[str, ...], files: tuple[VolumeFile, ...], found: Dataset, problem: str) -> Found:
    kind: Kind = key[0]  # type: ignore[assignment]
    return Found(
        kind,
        text(found, "Modality"),
        key[1],
        text(found, "StudyInstanceUID"),
        key[2],
        text(found, "FrameOfReferenceUID"),
        files,
        problem,
    )
