"""What a pile of DICOM files holds, from their headers alone: series of images, and the masks that refer to them.

Files are found by content, one header at a time, so that an export of any size can be looked through; pixels are not
read. What is kept here identifies patients, in memory: `batch/index.py` writes labels in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import CaseError
from radiomics_pipeline.io.dicom import rtstruct, seg
from radiomics_pipeline.io.dicom.headers import quiet, text
from radiomics_pipeline.io.dicom.privacy import fold
from radiomics_pipeline.io.dicom.scan import Kind, is_dicom, kind_of
from radiomics_pipeline.io.volumes import read_file

_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "Modality", "Rows", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
    "PatientID", "IssuerOfPatientID", "PatientName", "StudyDate", "SeriesNumber", "SeriesDescription", "ImageType",
    "CorrectedImage", "AttenuationCorrected", "SeriesType", "NumberOfFrames", "NumberOfRRIntervals",
    "NumberOfTimeSlices", "BurnedInAnnotation",
)  # fmt: skip
_SLICES = (
    "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.128.1", "1.2.840.10008.5.1.4.1.1.130",
    "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2",
    "1.2.840.10008.5.1.4.1.1.20",
)  # fmt: skip
"""SOP classes of PET, CT and NM images, classic, enhanced, and converted."""
_PICTURES = ("LOCALIZER", "MIP", "PROJECTION IMAGE", "SCREEN SAVE", "REPORT")
_DIRECTORY = "1.2.840.10008.1.3.10"
_FIRST = 132


@dataclass(frozen=True)
class Patient:
    """What tells patients apart; never to be written. number : with its issuer; name : folded"""

    number: str
    name: str


@dataclass
class Entry:
    """A series of images, or one mask. Identifies; never to be written but for `paths`, in the user's own table.

    paths : its files, one of each instance
    sop_uids : of its instances; copies : files with an instance that another one has
    description : Series Description, for choosing a series by it
    tomographic : whether these are slices of a volume, by SOP class and Image Type
    attenuation_corrected : by Corrected Image; None where nothing is said
    moving : whether it has gates or time frames
    slices : number of files, or of frames
    referenced_series, referenced_sops : of a mask, the images that it names
    """

    kind: Kind
    modality: str
    patient: Patient
    study_uid: str
    series_uid: str
    study_date: str
    number: int
    description: str
    frame_uid: str
    tomographic: bool
    attenuation_corrected: bool | None
    moving: bool
    burned_in: bool
    paths: list[Path] = field(default_factory=list)
    sop_uids: set[str] = field(default_factory=set)
    slices: int = 0
    copies: list[Path] = field(default_factory=list)
    referenced_series: frozenset[str] = frozenset()
    referenced_sops: frozenset[str] = frozenset()


@dataclass
class Catalogue:
    """The entries in the order of their files' paths; and how many files are none.

    others : DICOM objects that are neither images nor masks; foreign : files that are no DICOM
    damaged : files that begin like DICOM and cannot be read
    """

    entries: list[Entry] = field(default_factory=list)
    others: int = 0
    foreign: int = 0
    damaged: int = 0


def catalogue(paths: Iterable[Path], progress: Callable[[int], None] | None = None) -> Catalogue:
    """Look through files; of each the header is read up to its pixels.

    progress : called with the number of files read so far
    """
    found = Catalogue()
    groups: dict[tuple[object, ...], Entry] = {}
    for count, path in enumerate(paths, 1):
        header = _header(path, found)
        if header is not None:
            _file(path, header, found, groups)
        if progress:
            progress(count)
    found.entries = list(groups.values())
    return found


def _header(path: Path, found: Catalogue) -> Dataset | None:
    try:
        with path.open("rb") as file:
            if not is_dicom(file.read(_FIRST)):
                found.foreign += 1
                return None
            file.seek(0)
            with quiet():
                header = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
                kind_of(header)
                return header
    except Exception:  # noqa: BLE001 - pydicom raises many kinds, whose messages may quote the header
        found.damaged += 1
        return None


def _file(path: Path, header: Dataset, found: Catalogue, groups: dict[tuple[object, ...], Entry]) -> None:
    """Put a file to its series, or begin one."""
    kind = kind_of(header)
    if kind not in ("image", "rtstruct", "seg"):
        media = getattr(header, "file_meta", Dataset())
        found.others += text(media, "MediaStorageSOPClassUID") != _DIRECTORY
        return
    instance = text(header, "SOPInstanceUID")
    entry = _entry(kind, header)
    key = (kind, entry.patient, entry.study_uid, entry.series_uid, "" if kind == "image" else instance or str(path))
    entry = groups.setdefault(key, entry)
    if instance and instance in entry.sop_uids:
        entry.copies.append(path)
        return
    entry.sop_uids.add(instance)
    entry.paths.append(path)
    frames = text(header, "NumberOfFrames")
    entry.slices += int(frames) if frames.isdigit() else 1
    if kind != "image":
        _refer(entry, path)


def _entry(kind: Kind, header: Dataset) -> Entry:
    words = text(header, "ImageType").upper().split("\\")
    number, corrected = text(header, "SeriesNumber"), text(header, "CorrectedImage").upper().split("\\")
    flag = text(header, "AttenuationCorrected").upper()
    said = flag == "YES" or "ATTN" in corrected if flag or any(corrected) else None
    issuer = text(header, "IssuerOfPatientID").strip()
    numbers = (text(header, "PatientID").strip(), issuer)
    return Entry(
        kind,
        text(header, "Modality").upper(),
        Patient("\n".join(filter(None, numbers)), fold(text(header, "PatientName"))),
        text(header, "StudyInstanceUID"),
        text(header, "SeriesInstanceUID"),
        text(header, "StudyDate"),
        int(number) if number.isdigit() else 10**6,
        text(header, "SeriesDescription"),
        text(header, "FrameOfReferenceUID"),
        _tomographic(header, words),
        said,
        _moving(header, words),
        text(header, "BurnedInAnnotation").upper() == "YES",
    )


def _tomographic(header: Dataset, words: list[str]) -> bool:
    third = words[2] if len(words) > 2 else ""
    if text(header, "SOPClassUID") not in _SLICES or any(word in _PICTURES for word in words[2:]):
        return False
    return text(header, "Modality") != "NM" or third.startswith("RECON")


def _moving(header: Dataset, words: list[str]) -> bool:
    kind = text(header, "SeriesType").upper()
    still = kind.startswith(("STATIC", "WHOLE BODY"))  # of which GE counts the beds as time slices
    many = [text(header, "NumberOfRRIntervals"), "" if still else text(header, "NumberOfTimeSlices")]
    several = any(count.isdigit() and int(count) > 1 for count in many)
    return several or kind.startswith(("GATED", "DYNAMIC")) or any("GATED" in word for word in words)


def _refer(mask: Entry, path: Path) -> None:
    """What a mask names; a mask that cannot be read names nothing."""
    try:
        found = (rtstruct if mask.kind == "rtstruct" else seg).referenced(read_file(path, mask.kind))
    except CaseError:
        return
    mask.referenced_series, mask.referenced_sops = found.series_uids, found.sop_uids
    mask.frame_uid = mask.frame_uid or found.frame_uid


def images(found: Catalogue) -> Iterator[Entry]:
    """The series of images."""
    return (entry for entry in found.entries if entry.kind == "image")


def masks(found: Catalogue) -> Iterator[Entry]:
    """The RTSTRUCT and SEG objects."""
    return (entry for entry in found.entries if entry.kind != "image")
