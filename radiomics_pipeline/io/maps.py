"""Feature maps to NIfTI files (.nii.gz), written voxel by voxel in the order of the file, all maps at once.

A map is complete or absent: it is written under another name, and renamed at the end. Long stretches without a value
are compressed once and repeated, so that a small region in a large image costs what the region costs.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

import numpy as np

from radiomics_pipeline.errors import TooLarge
from radiomics_pipeline.io.nifti import affine_of
from radiomics_pipeline.types import Grid

SUFFIX = ".nii.gz"
GAP = 2048
"""Voxels without a value after which the rest of the gap is filled by repetition."""
FILLED = 2**15
"""Voxels in a repeated block."""
MOST = 2**17
"""Voxels of one map that are written at a time."""
LEVEL = 1
"""Of compression; higher ones gain little on noisy numbers and take much longer."""
_POLYNOMIAL = 0xEDB88320
"""Of the checksum in gzip files, bits reversed (RFC 1952)."""


class MapFiles:
    """The files of several maps on one grid, open at once.

    with MapFiles(folder, names, grid, outside=math.nan, dtype="float64") as files:
        files.write(indices, values)

    They appear under their names when the block ends without an error; after one nothing is left.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        grid: Grid,
        *,
        outside: float,
        dtype: Literal["float32", "float64"] = "float64",
    ) -> None:
        self.paths = [folder / f"{name}{SUFFIX}" for name in names]
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._outside = np.array(outside, self._dtype)
        self._size = int(np.prod(grid.shape))
        self._at = 0
        headers = [_header(grid, self._dtype, name) for name in names]
        folder.mkdir(parents=True, exist_ok=True)
        self._streams: list[_Stream] = []
        try:
            for path, header in zip(self.paths, headers, strict=True):
                self._streams.append(_Stream(path, header, self._outside))
        except BaseException:
            self._discard()
            raise

    def write(self, indices: np.ndarray, values: np.ndarray) -> None:
        """Add values, float64 [maps, n], at flat indices of the grid, int64 [n], ascending from call to call."""
        bounds = np.flatnonzero((np.diff(indices) > GAP) | (np.diff(indices // MOST) > 0)) + 1
        for part in np.split(np.arange(len(indices)), bounds):
            places = indices[part]
            self._fill(int(places[0]))
            block = np.full((len(self._streams), int(places[-1]) + 1 - self._at), self._outside)
            with np.errstate(over="ignore"):
                stored = values[:, part].astype(self._dtype)
            block[:, places - self._at] = np.where(np.isinf(stored), np.nan, stored)  # as too large in any table
            for stream, row in zip(self._streams, block, strict=True):
                stream.write(row.tobytes())
            self._at = int(places[-1]) + 1

    def __enter__(self) -> MapFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._fill(self._size)
                for stream in self._streams:
                    stream.finish()
                for stream in self._streams:
                    os.replace(stream.draft, stream.path)
        finally:
            self._discard()

    def _fill(self, end: int) -> None:
        for stream in self._streams:
            stream.fill(end - self._at)
        self._at = end

    def _discard(self) -> None:
        for stream in self._streams:
            stream.file.close()
            stream.draft.unlink(missing_ok=True)


class _Stream:
    """One gzip file (RFC 1952) of a header and of voxels.

    path : where it will lie; draft : where it lies until then
    """

    def __init__(self, path: Path, header: bytes, outside: np.ndarray) -> None:
        self.path, self.draft = path, path.with_name(f".{path.name}.part")
        self.file: BinaryIO = self.draft.open("wb")
        self.file.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")  # without a time: the same map is the same bytes
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc, self._length = 0, 0
        self._voxel = outside.tobytes()
        self.write(header)

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self.file.write(self._deflate.compress(data))

    def fill(self, n: int) -> None:
        """Add so many voxels without a value."""
        blocks, rest = divmod(n, FILLED)
        if blocks:
            self.file.write(self._deflate.flush(zlib.Z_FULL_FLUSH))  # what follows begins at a byte, and looks not back
            self.file.write(_filled(self._voxel) * blocks)
            length, crc = _filled_crc(self._voxel, blocks)
            self._crc = _shifted(self._crc, length) ^ crc
            self._length += length
        if rest:
            self.write(self._voxel * rest)

    def finish(self) -> None:
        """Add the end, and see the file on the disk."""
        self.file.write(self._deflate.flush(zlib.Z_FINISH))
        self.file.write(struct.pack("<II", self._crc, self._length & 0xFFFFFFFF))
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()


def _header(grid: Grid, dtype: np.dtype, name: str) -> bytes:
    """A NIfTI-1 header and the four bytes behind it; the grid stands in it twice, as sform and as qform."""
    import nibabel as nib

    if max(grid.shape) > np.iinfo(np.int16).max:
        raise TooLarge(
            f"{name}: {' x '.join(map(str, grid.shape[::-1]))} voxels; a NIfTI-1 file has 32767 along an axis"
        )
    affine = affine_of(grid)
    header = nib.Nifti1Header(endianness="<")
    header.set_data_dtype(dtype)
    header.set_data_shape(grid.shape[::-1])
    header.set_qform(affine, code="scanner")
    header.set_sform(affine, code="scanner")
    header.set_xyzt_units("mm")
    header["pixdim"][1:4] = grid.spacing_mm[::-1]
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    header["descrip"] = name[:79].encode()
    header["magic"], header["vox_offset"] = b"n+1", 352
    return bytes(header.binaryblock) + bytes(4)


@lru_cache(maxsize=4)
def _filled(voxel: bytes) -> bytes:
    """A block without a value, compressed so that it may stand anywhere and be repeated."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(voxel * FILLED) + deflate.flush(zlib.Z_FULL_FLUSH)


@lru_cache(maxsize=1024)
def _filled_crc(voxel: bytes, blocks: int) -> tuple[int, int]:
    """Length and checksum of so many blocks, 1 at least."""
    if blocks == 1:
        data = voxel * FILLED
        return len(data), zlib.crc32(data)
    (first, a), (second, b) = (_filled_crc(voxel, n) for n in (blocks // 2, blocks - blocks // 2))
    return first + second, _shifted(a, second) ^ b


def _shifted(crc: int, length: int) -> int:
    """The part of a checksum that remains of it when so many bytes follow."""
    found, rows = 0, _shift(length)
    while crc:
        lowest = crc & -crc
        found ^= rows[lowest.bit_length() - 1]
        crc ^= lowest
    return found


@lru_cache(maxsize=1024)
def _shift(length: int) -> tuple[int, ...]:
    """What becomes of each of the 32 bits of a checksum when so many bytes of 0 follow."""
    if length == 0:
        return tuple(1 << bit for bit in range(32))
    if length == 1:
        found = []
        for bit in range(32):
            crc = 1 << bit
            for _ in range(8):
                crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
            found.append(crc)
        return tuple(found)
    half = _shift(length // 2)
    twice = tuple(_times(half, row) for row in half)
    return tuple(_times(_shift(1), row) for row in twice) if length % 2 else twice


def _times(rows: tuple[int, ...], crc: int) -> int:
    found = 0
    for bit in range(32):
        if crc >> bit & 1:
            found ^= rows[bit]
    return found
