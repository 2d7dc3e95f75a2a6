"""What all DICOM objects that are written here have in common: their patient, their UIDs, their dates, their file.

They go to an archive of images, so they carry the patient and study of the image series, as that series has them: of
all that this program writes they alone do, and only where they are asked for.

The same content gives the same bytes: UIDs are made from digests of the content (ITU-T X.667 UUIDs of version 8,
PS3.5, B.2), and the date is that of the computation, which the caller states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset

import radiomics_pipeline
from radiomics_pipeline.errors import MissingMetadata
from radiomics_pipeline.io.atomic import write_bytes

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.series import DicomSeries

MAKER = "radiomics_pipeline"
"""Manufacturer, model and algorithm of what is written."""
STAND_IN = "1.2.840.10008.5.1.4.1.1.128"
"""SOP class of the single slices as which frames of a multi-frame image are shown to highdicom."""
_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_STUDY = ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription")
_KEPT = ("PatientAge", "PatientSize", "PatientWeight", "PositionReferenceIndicator", "PatientIdentityRemoved",
         "DeidentificationMethod")  # fmt: skip


@dataclass(frozen=True)
class Made:
    """Where an object comes from.

    when : the time of the computation; with a UTC offset it becomes that of the image series, where this states one
    digest : of the parameters, or whatever else tells one computation from another
    """

    when: datetime
    digest: str = ""


def uid_of(*parts: str | bytes) -> str:
    """A UID that is the same for the same parts, and for no others."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    digest = bytearray(total.digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest, 'big')}"


def sources(image: DicomSeries) -> list[Dataset]:
    """One data set a slice with all that highdicom asks of a source image: patient, study, plane, no pixels.

    Frames of a multi-frame image become single slices of the class STAND_IN; `mend_references` names the image instead.
    Raises MissingMetadata where a header lacks its study, series or frame of reference.
    """
    first = image.headers[0]
    common = Dataset()
    for keyword in (*_PATIENT, *_STUDY):
        setattr(common, keyword, _sound(first, keyword))
    for keyword in _KEPT:
        if first.get(keyword) not in (None, ""):
            setattr(common, keyword, first.get(keyword))
    common.StudyInstanceUID = _required(first, "StudyInstanceUID", image.name)
    common.SeriesInstanceUID = _required(first, "SeriesInstanceUID", image.name)
    common.FrameOfReferenceUID = _required(first, "FrameOfReferenceUID", image.name)
    common.Modality = image.modality
    grid = image.grid
    _, common.Rows, common.Columns = grid.shape
    axes = np.array(grid.direction).reshape(3, 3)
    common.ImageOrientationPatient = _rounded([*axes[:, 0], *axes[:, 1]])
    common.PixelSpacing = _rounded(grid.spacing_mm[1:])
    common.SliceThickness = _rounded(first.get("SliceThickness") or grid.spacing_mm[0])
    common.SpacingBetweenSlices = _rounded(grid.spacing_mm[0])
    several = len(set(image.sop_uids)) < len(image.headers)
    found = []
    for z, (header, sop_uid) in enumerate(zip(image.headers, image.sop_uids, strict=True)):
        slice_ = Dataset()
        slice_.update(common)
        slice_.SOPClassUID = STAND_IN if several else _required(header, "SOPClassUID", image.name)
        slice_.SOPInstanceUID = sop_uid
        slice_.ImagePositionPatient = _rounded(grid.position_mm((z, 0, 0)))
        found.append(slice_)
    return found


def mend_references(dataset: Dataset, image: DicomSeries) -> None:
    """Where slices stood for the frames of a multi-frame image, name its class and each instance once.

    Which frame is which slice is told by their positions: headers do not number the frames, and a reference without
    numbers would mean all of them.
    """
    if len(set(image.sop_uids)) == len(image.headers):
        return
    for group in dataset.get("PerFrameFunctionalGroupsSequence", ()):
        if "DerivationImageSequence" in group:
            del group.DerivationImageSequence
    _mend(dataset, _required(image.headers[0], "SOPClassUID", image.name))


def _mend(dataset: Dataset, kind: str) -> None:
    for element in dataset:
        if element.VR != "SQ":
            continue
        if element.keyword in ("ReferencedInstanceSequence", "SourceImageSequence", "ReferencedSOPSequence"):
            once = {item.ReferencedSOPInstanceUID: item for item in reversed(list(element.value))}
            element.value = list(reversed(list(once.values())))
        for item in element.value:
            if item.get("ReferencedSOPClassUID") == STAND_IN:
                item.ReferencedSOPClassUID = kind
            _mend(item, kind)


def finish(dataset: Dataset, image: DicomSeries, made: Made, uid: str) -> None:
    """Replace what highdicom fills in by chance or by the clock, and say what wrote the object."""
    when = local(image, made)
    dataset.InstanceCreationDate = dataset.ContentDate = when.strftime("%Y%m%d")
    dataset.InstanceCreationTime = dataset.ContentTime = when.strftime("%H%M%S")
    dataset.SeriesDate, dataset.SeriesTime = dataset.ContentDate, dataset.ContentTime
    offset = image.headers[0].get("TimezoneOffsetFromUTC")
    if offset:
        dataset.TimezoneOffsetFromUTC = str(offset)
    if "ContributingEquipmentSequence" in dataset:
        del dataset.ContributingEquipmentSequence
    organisation = uid_of(uid, "dimensions")
    for item in (*dataset.get("DimensionOrganizationSequence", ()), *dataset.get("DimensionIndexSequence", ())):
        item.DimensionOrganizationUID = organisation
    mend_references(dataset, image)


def local(image: DicomSeries, made: Made) -> datetime:
    """The time of the computation as the image's times are to be read: by its UTC offset, where it states one."""
    when = made.when
    if when.tzinfo is None:
        return when
    text = str(image.headers[0].get("TimezoneOffsetFromUTC") or "")
    if len(text) == 5 and text[0] in "+-" and text[1:].isdigit():
        minutes = int(text[1:3]) * 60 + int(text[3:])
        return when.astimezone(timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes)))
    return when.astimezone(UTC)


def equipment() -> dict[str, Any]:
    """What wrote an object, as highdicom wants it."""
    return {
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": radiomics_pipeline.__version__,
        "device_serial_number": radiomics_pipeline.__version__,
    }


def character_set(image: DicomSeries, *texts: str) -> str | None:
    """The smallest one that holds patient, study and these texts; None for plain ASCII, the default."""
    first = image.headers[0]
    whole = "".join([*texts, *(str(first.get(keyword) or "") for keyword in (*_PATIENT, *_STUDY, *_KEPT))])
    for name, encoding in ((None, "ascii"), ("ISO_IR 100", "latin-1")):
        try:
            whole.encode(encoding)
        except UnicodeEncodeError:
            continue
        return name
    return "ISO_IR 192"


def save(dataset: Dataset, path: Path) -> None:
    """Write an object in one step, so that nobody sees a part of it."""
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    write_bytes(path, out.getvalue())


def _required(header: Dataset, keyword: str, name: str) -> str:
    value = str(header.get(keyword) or "").strip(" \0")
    if not value:
        raise MissingMetadata(f"{name}: its headers have no {keyword}, without which nothing can refer to it")
    return value


def _sound(header: Dataset, keyword: str) -> Any:
    """An element of patient or study, empty where it is absent or no value that may be written."""
    value = header.get(keyword)
    if value is None:
        return ""
    if keyword == "PatientSex":
        return value if value in ("M", "F", "O") else ""
    if keyword.endswith("Date"):
        return _parsed(str(value), "%Y%m%d", str(value))
    if keyword.endswith("Time"):
        return _parsed(str(value).partition(".")[0], "%H%M%S", str(value))
    return value


def _parsed(text: str, form: str, value: str) -> str:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return ""
    return value


def _rounded(values: Any) -> Any:
    """Numbers as decimal strings of at most 16 characters can hold them (VR DS)."""
    from pydicom.valuerep import format_number_as_ds

    if isinstance(values, Sequence | np.ndarray) and not isinstance(values, str):
        return [_rounded(value) for value in values]
    return format_number_as_ds(float(values))
