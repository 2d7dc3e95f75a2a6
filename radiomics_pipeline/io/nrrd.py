"""NRRD files (.nrrd, .nhdr): the checks that SimpleITK does not make.

It does not look at the checksum of compressed voxels (seen with 2.5.7: one changed byte, 7543 other voxels).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from radiomics_pipeline.errors import BadGeometry, DamagedFile, UnsupportedImage
from radiomics_pipeline.io.compressed import gunzip, require_length
from radiomics_pipeline.io.raw import numbers, whole_numbers

_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t"), 4),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), 8),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), 8),
    "float": 4,
    "double": 8,
}


def check(data: bytes, name: str, read_sibling: Callable[[str], bytes]) -> None:
    """Raise the error of an NRRD file that must not be used.

    data : of the header file; read_sibling(file name) gives the bytes of the voxels' own file
    """
    fields, payload = _header(data, name)
    sizes = _checked_sizes(fields, name)
    _check_spacing(fields, name)
    element = _BYTES.get(fields["type"])
    if element is None:
        raise UnsupportedImage(f"{name}: voxels of type {fields['type']!r}; a scalar number type is needed")
    sibling = _voxel_file(fields, name)
    if sibling:
        payload = read_sibling(sibling)
    encoding = fields["encoding"].lower()
    if encoding in ("gzip", "gz"):
        payload = gunzip(payload, name)
    elif encoding != "raw":
        raise UnsupportedImage(f"{name}: encoding {encoding!r}; store it as raw or gzip")
    require_length(payload, sizes, element, name)


def voxel_file(data: bytes, name: str) -> str:
    """Name of the file beside it that holds the voxels; empty where they follow the header."""
    return _voxel_file(_header(data, name)[0], name)


def _voxel_file(fields: dict[str, str], name: str) -> str:
    where = fields.get("data file", fields.get("datafile", ""))
    if where.startswith("LIST") or "%" in where or "/" in where or "\\" in where:
        raise UnsupportedImage(f"{name}: voxels in {where!r}; store the volume as one file")
    return where


def _header(data: bytes, name: str) -> tuple[dict[str, str], bytes]:
    blank = re.search(rb"\r?\n\r?\n", data)
    text, payload = (data[: blank.start()], data[blank.end() :]) if blank else (data, b"")
    if not text.startswith(b"NRRD"):
        raise DamagedFile(f"{name}: does not begin with NRRD; not an NRRD file, or damaged")
    fields: dict[str, str] = {}
    for line in text.decode("latin-1").splitlines()[1:]:
        key, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            fields[key.strip().lower()] = value.strip()
    for key in ("sizes", "type", "encoding", "dimension"):
        if key not in fields:
            raise DamagedFile(f"{name}: no {key!r} in the header; damaged")
    return fields, payload


def _checked_sizes(fields: dict[str, str], name: str) -> list[int]:
    sizes = whole_numbers(fields["sizes"], name)
    if len(sizes) > 3 and any(n > 1 for n in (sizes[0], *sizes[4:])):
        raise UnsupportedImage(
            f"{name}: {len(sizes)} axes of sizes {' x '.join(map(str, sizes))}; one scalar 3D volume is needed "
            "(a segmentation with layers: export it as a label map)"
        )
    return sizes


def _check_spacing(fields: dict[str, str], name: str) -> None:
    units = re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", "")))
    if any(unit.strip() not in ("mm", "") for unit in units):
        raise BadGeometry(f"{name}: units {', '.join(units)}; export the file again in mm")
    if "space directions" in fields:
        vectors = re.findall(r"\(([^)]*)\)", fields["space directions"])
        lengths = [float(np.linalg.norm(numbers(v.replace(",", " "), name))) for v in vectors]
    else:
        if "spacings" not in fields:
            raise BadGeometry(f"{name}: neither space directions nor spacings; the size of a voxel is not known")
        lengths = numbers(fields["spacings"], name)[-3:]
    for length in lengths:
        if not (np.isfinite(length) and length > 0):
            shown = fields.get("space directions", fields.get("spacings"))
            raise BadGeometry(f"{name}: spacing {length:g} mm ({shown}); it must be above 0")
