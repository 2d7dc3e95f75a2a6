"""What RT Structure Sets and Segmentations have in common: how they are read, and which image they belong to."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from pydicom.dataelem import RawDataElement

from radiomics_pipeline.errors import DamagedFile, DicomError, OtherFrame
from radiomics_pipeline.io.dicom.headers import parse, quiet
from radiomics_pipeline.io.volumes import VolumeFile

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.series import DicomSeries

P = ParamSpec("P")
T = TypeVar("T")
_UNDEFINED = 0xFFFFFFFF
_DAMAGE = (AttributeError, EOFError, LookupError, NotImplementedError, OSError, TypeError, ValueError, struct.error)
"""What pydicom raises where a header is not as it should be, at the first use of an element."""


class Referenced(NamedTuple):
    """What a mask says of its image: UIDs of series and of instances, and of the frame of reference, empty if none."""

    series_uids: frozenset[str]
    sop_uids: frozenset[str]
    frame_uid: str


def reader(read: Callable[Concatenate[VolumeFile, P], T]) -> Callable[Concatenate[VolumeFile, P], T]:
    """A function of a DICOM file that raises DamagedFile, not pydicom's own errors, which may quote the header."""

    @wraps(read)
    def guarded(file: VolumeFile, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with quiet():
                return read(file, *args, **kwargs)
        except _DAMAGE:
            raise DamagedFile(f"{file.name}: cannot be read as DICOM; copy or export the file again") from None

    return guarded


def parsed(file: VolumeFile, classes: tuple[str, ...], wanted: str) -> Any:
    """The data set of a file; DamagedFile where it cannot be read or ends too early, DicomError for another kind.

    classes : SOP classes that may be; wanted : what to give instead, for the message
    """
    header = parse(file, pixels=True)
    kind = text(header, "SOPClassUID")
    ends = all(_is_whole(header.get_item(tag)) for tag in list(header.keys()))
    if kind not in classes:
        raise DicomError(f"{file.name}: {wanted}")
    if not ends:
        raise DamagedFile(f"{file.name}: the file ends too early; copy or export it again")
    return header


def require_image(found: Referenced, image: DicomSeries, name: str) -> tuple[str, ...]:
    """Notes on how a mask refers to an image, none where it names it; OtherFrame where the image is not its own.

    A mask that names other images only, but in the image's frame of reference (PET and CT of one session), is placed
    by its coordinates, with a note. name : what errors call the mask
    """
    if found.sop_uids & set(image.sop_uids) or image.series_uid in found.series_uids:
        return ()
    if not found.frame_uid and not found.series_uids and not found.sop_uids:
        raise OtherFrame(
            f"{name}: it names neither an image nor a frame of reference, so nothing shows that it belongs to "
            f"{image.name}; export it again with its references"
        )
    if found.frame_uid and found.frame_uid == image.frame_of_reference_uid:
        return (
            f"{name}: drawn on another image in the frame of reference of {image.name}, and placed by its coordinates",
        )
    raise OtherFrame(
        f"{name}: it refers to other images than {image.name}, and to another frame of reference; choose the mask of "
        "this image"
    )


def text(item: Any, keyword: str) -> str:
    """An element as text without padding, empty where it is absent."""
    return str(item.get(keyword, "") or "").strip(" \0")


def _is_whole(element: Any) -> bool:
    """Whether as many bytes of an element are there as it announces."""
    if not isinstance(element, RawDataElement) or element.value is None or element.length == _UNDEFINED:
        return True
    return len(element.value) == element.length
