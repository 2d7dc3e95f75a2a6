"""Compressed bytes, with their checksum and length proved."""

from __future__ import annotations

import zlib

from radiomics_pipeline.errors import DamagedFile

_AGAIN = "copy or export the file again"


def gunzip(data: bytes, name: str) -> bytes:
    """All members of a gzip stream; DamagedFile where a checksum, a length or the end is missing."""
    parts, rest = [], data
    while rest.strip(b"\0"):
        stream = zlib.decompressobj(wbits=31)
        try:
            parts.append(stream.decompress(rest))
        except zlib.error as e:
            raise DamagedFile(f"{name}: the compressed data are damaged ({e}); {_AGAIN}") from None
        if not stream.eof:
            raise DamagedFile(f"{name}: the compressed data end too early, after {len(data)} bytes; {_AGAIN}")
        rest = stream.unused_data
    return b"".join(parts)


def inflate(data: bytes, name: str) -> bytes:
    """A zlib stream, decompressed; DamagedFile where its checksum or end is wrong."""
    try:
        return zlib.decompress(data)
    except zlib.error as e:
        raise DamagedFile(f"{name}: the compressed data are damaged ({e}); {_AGAIN}") from None


def require_length(voxels: bytes, sizes: list[int], element: int, name: str) -> None:
    """DamagedFile unless there are exactly as many bytes as the sizes promise."""
    needed = element
    for n in sizes:
        needed *= n
    if len(voxels) != needed:
        shape = " x ".join(map(str, sizes))
        raise DamagedFile(
            f"{name}: {len(voxels)} bytes of voxels, but {shape} voxels of {element} bytes need {needed}; {_AGAIN}"
        )
