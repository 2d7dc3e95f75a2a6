"""Segmentations of 3D Slicer (.seg.nrrd): segments with names, in several layers where they overlap.

The fields are those of Slicer's developer guide, "Segmentation labelmap file format": SegmentN_Name, SegmentN_Layer
and SegmentN_LabelValue; a file with a first axis of kind `list` holds one volume a layer. Files of older versions have
neither layer nor value: each segment is its own layer of ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import BadMask, DamagedFile, UnsupportedImage, some
from radiomics_pipeline.io import nrrd
from radiomics_pipeline.io.compressed import gunzip, require_length
from radiomics_pipeline.io.raw import checked_grid, numbers, whole_numbers
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.masks import MaskStack

_TYPES = {
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
}
_TO_LPS = {"left": 1, "l": 1, "right": -1, "r": -1, "posterior": 1, "p": 1, "anterior": -1, "a": -1}
_TO_LPS |= {"superior": 1, "s": 1, "inferior": -1, "i": -1}


@dataclass(frozen=True)
class Segment:
    """One segment. layer : the volume it lies in, from 0; value : of its voxels there"""

    name: str
    layer: int
    value: int


def segments(data: bytes, name: str) -> list[Segment]:
    """The segments that an NRRD header describes, in its order; none in other NRRD files."""
    header, _ = _split(data)
    pairs = dict(re.findall(r"^(Segment\d+_\w+):=(.*?)\r?$", header, re.MULTILINE))
    layered = _layers(_fields(header)) > 1
    found = []
    for i in sorted({int(re.match(r"Segment(\d+)", key)[1]) for key in pairs}):  # type: ignore[index]
        try:
            layer = int(pairs.get(f"Segment{i}_Layer", i if layered else 0))
            value = int(pairs.get(f"Segment{i}_LabelValue", 1))
        except ValueError:
            raise DamagedFile(
                f"{name}: layer or label value of segment {i} is no whole number; export it again"
            ) from None
        found.append(Segment(pairs.get(f"Segment{i}_Name", "").strip(), layer, value))
    return found


def is_layered(data: bytes) -> bool:
    """Whether the file is a segmentation of several layers."""
    header, _ = _split(data)
    return _layers(_fields(header)) > 1 and "Segment0_" in header


def read_layers(data: bytes, name: str) -> MaskStack:
    """The segments of a file of several layers, numbered from 1 in the file's order.

    Raises DamagedFile where voxels are lacking, BadMask for a segment in a layer that is not there,
    UnsupportedImage for what 3D Slicer does not write.
    """
    header, payload = _split(data)
    fields = _fields(header)
    for key in ("type", "encoding", "space", "space directions", "space origin"):
        if key not in fields:
            raise DamagedFile(f"{name}: no {key!r} in the header; export it again")
    sizes = whole_numbers(fields["sizes"], name)
    kind = _TYPES.get(fields["type"])
    if kind is None or len(sizes) != 4:
        raise UnsupportedImage(f"{name}: layers of type {fields['type']!r} with {len(sizes)} axes; export the "
                               "segments as a label map")  # fmt: skip
    if nrrd.voxel_file(data, name):
        raise UnsupportedImage(f"{name}: layers whose voxels lie in another file; save it as one .seg.nrrd")
    if fields["encoding"].lower() in ("gzip", "gz"):
        payload = gunzip(payload, name)
    elif fields["encoding"].lower() != "raw":
        raise UnsupportedImage(f"{name}: encoding {fields['encoding']!r}; store it as raw or gzip")
    dtype = np.dtype((">" if fields.get("endian", "little") == "big" else "<") + kind)
    require_length(payload, sizes, dtype.itemsize, name)
    voxels = np.frombuffer(payload, dtype).reshape(sizes[::-1])
    grid = _grid(fields, sizes, name)
    areas = {}
    for number, segment in enumerate(segments(data, name), 1):
        if not 0 <= segment.layer < sizes[0]:
            raise BadMask(f"{name}: segment {segment.name!r} lies in layer {segment.layer} of {sizes[0]}; export it "
                          "again")  # fmt: skip
        areas[number] = (segment.name, np.ascontiguousarray(voxels[..., segment.layer] == segment.value))
    return MaskStack(name, grid, areas)


def _split(data: bytes) -> tuple[str, bytes]:
    blank = re.search(rb"\r?\n\r?\n", data)
    text, payload = (data[: blank.start()], data[blank.end() :]) if blank else (data[:65536], b"")
    return text.decode("utf-8", "replace"), payload


def _fields(header: str) -> dict[str, str]:
    return {
        key.strip().lower(): value.strip()
        for key, value in re.findall(r"^([^:#\n]+):(?!=)(.*?)\r?$", header, re.MULTILINE)
    }


def _layers(fields: dict[str, str]) -> int:
    """How many volumes the first axis lists; 1 where the file is one volume."""
    sizes = fields.get("sizes", "").split()
    return int(sizes[0]) if len(sizes) == 4 and sizes[0].isdecimal() else 1


def _grid(fields: dict[str, str], sizes: list[int], name: str) -> Grid:
    words = fields["space"].lower()
    parts = words.split("-") if "-" in words else list(words)
    if len(parts) != 3 or any(part not in _TO_LPS for part in parts):
        raise UnsupportedImage(f"{name}: space {fields['space']!r}; left-posterior-superior is needed")
    flip = np.array([_TO_LPS[part] for part in parts], float)
    vectors = re.findall(r"\(([^)]*)\)", fields["space directions"])
    origin = numbers(fields["space origin"].strip("() ").replace(",", " "), name)
    if len(vectors) != 3 or len(origin) != 3:
        raise DamagedFile(f"{name}: {some(vectors)} are no three directions in space; export it again")
    steps = np.array([numbers(vector.replace(",", " "), name) for vector in vectors]).T * flip[:, None]
    lengths = np.linalg.norm(steps, axis=0)
    axes = steps / np.where(lengths > 0, lengths, 1)
    return checked_grid(
        name, shape=sizes[:0:-1], spacing_mm=lengths[::-1].tolist(), origin_mm=(flip * origin).tolist(), axes=axes
    )
