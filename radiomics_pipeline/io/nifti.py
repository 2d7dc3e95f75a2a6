"""NIfTI files (.nii, .nii.gz), read from bytes so that damage is seen.

SimpleITK reads a truncated .nii.gz without an error and turns NaN into 0; here the checksum and the
length are checked, and voxels come as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import numpy as np

from radiomics_pipeline.errors import BadGeometry, DamagedFile, UnsupportedImage
from radiomics_pipeline.io.compressed import gunzip
from radiomics_pipeline.io.raw import RawImage, checked_grid
from radiomics_pipeline.types import Grid

_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""By the header's code: not stated, metre, millimetre, micrometre."""
_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])
"""Its own inverse."""


def affine_of(grid: Grid) -> np.ndarray:
    """NIfTI's affine of a grid, from indices (x, y, z) to mm (right, anterior, superior); float64 [4, 4]."""
    affine = np.eye(4)
    affine[:3, :3] = _LPS_FROM_RAS @ np.array(grid.direction).reshape(3, 3) * np.array(grid.spacing_mm[::-1])
    affine[:3, 3] = _LPS_FROM_RAS @ np.array(grid.origin_mm)
    return affine


def decode(data: bytes, name: str) -> RawImage:
    """Voxels and grid of a NIfTI file's bytes; `name` is what errors call it."""
    import nibabel as nib

    if data[:2] == b"\x1f\x8b":
        data = gunzip(data, name)
    header_class = nib.Nifti2Header if data[:4] in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c") else nib.Nifti1Header
    size = 540 if header_class is nib.Nifti2Header else 348
    if len(data) < size:
        raise DamagedFile(f"{name}: {len(data)} bytes, but a NIfTI header alone takes {size}; copy the file again")
    try:
        header = header_class.from_fileobj(BytesIO(data[:size]), check=False)
    except (nib.wrapstruct.WrapStructError, nib.spatialimages.HeaderDataError) as e:
        raise DamagedFile(f"{name}: not a NIfTI header ({e})") from None
    if bytes(header["magic"].tobytes())[:3] not in (b"n+1", b"n+2", b"ni1", b"ni2"):
        raise DamagedFile(f"{name}: not a NIfTI file (no NIfTI magic in its header)")
    if bytes(header["magic"].tobytes())[:3] in (b"ni1", b"ni2"):
        raise UnsupportedImage(f"{name}: a NIfTI header whose voxels lie in another file; store it as one .nii file")
    return RawImage(_voxels(data, header, name), _grid(header, name))


def _voxels(data: bytes, header: Any, name: str) -> np.ndarray:
    import nibabel as nib

    shape = _shape(header, name)
    try:
        dtype = header.get_data_dtype()
    except (nib.spatialimages.HeaderDataError, KeyError) as e:
        raise UnsupportedImage(f"{name}: voxel type code {int(header['datatype'])} is not known ({e})") from None
    if dtype.kind not in "iufb":
        kind = "colour" if dtype.kind == "V" else "complex"
        raise UnsupportedImage(f"{name}: {kind} voxels; a scalar image is needed")
    if int(header["bitpix"]) != 8 * dtype.itemsize:
        raise DamagedFile(
            f"{name}: the header contradicts itself: {int(header['bitpix'])} bits a voxel, but its type {dtype.name} "
            f"has {8 * dtype.itemsize}; export the file again"
        )
    offset = _offset(header, name)
    needed = offset + int(np.prod(shape)) * dtype.itemsize
    if len(data) < needed:
        raise DamagedFile(
            f"{name}: {len(data)} bytes of data, but {shape[0]} x {shape[1]} x {shape[2]} voxels of "
            f"{dtype.itemsize} bytes need {needed}; copy or export the file again"
        )
    stored = np.frombuffer(data, dtype, int(np.prod(shape)), offset)
    array = stored.reshape(shape[::-1])
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if np.isinf(slope) or (np.isfinite(slope) and slope != 0 and not np.isfinite(intercept)):
        raise DamagedFile(
            f"{name}: the header scales intensities by {slope:g} and {intercept:g}; export the file again"
        )
    if np.isfinite(slope) and slope != 0 and (slope, intercept) != (1.0, 0.0):
        return array.astype(np.float64) * slope + intercept
    return array


def _offset(header: Any, name: str) -> int:
    """Where the voxels begin; a header is followed by at least 4 bytes that announce extensions."""
    stored, first = float(header["vox_offset"]), int(header.sizeof_hdr) + 4
    if not np.isfinite(stored) or stored < first:
        raise DamagedFile(
            f"{name}: the header says that voxels begin at byte {stored:g}; in a NIfTI file that is {first} or later. "
            "Export the file again"
        )
    return int(stored)


def _shape(header: Any, name: str) -> tuple[int, int, int]:
    rank = int(header["dim"][0])
    sizes = [int(n) for n in header["dim"][1 : 1 + max(0, min(rank, 7))]]
    if not 1 <= rank <= 7 or any(n < 1 for n in sizes):
        raise DamagedFile(f"{name}: the header gives the sizes {[int(n) for n in header['dim']]}")
    if any(n > 1 for n in sizes[3:]):
        raise UnsupportedImage(f"{name}: {rank}D with sizes {' x '.join(map(str, sizes))}; one 3D volume is needed")
    x, y, z = [*sizes, 1, 1][:3]
    return x, y, z


def _grid(header: Any, name: str) -> Grid:
    """Grid of the header: the sform where it is set, else the qform, else spacings alone.

    Without either the axes point as ITK has them, to the patient's left, back and head, from an origin of 0.
    """
    unit = int(header["xyzt_units"]) & 7
    if unit not in _MM_PER_UNIT:
        raise BadGeometry(f"{name}: unit of length with code {unit} is not known; export the file again in mm")
    scale = _MM_PER_UNIT[unit]
    stored = [float(s) * scale for s in header["pixdim"][1:4]]
    shape = _shape(header, name)
    for axis, value in zip("xyz", stored, strict=True):
        if not np.isfinite(value) or value <= 0:
            raise BadGeometry(f"{name}: spacing along {axis} is {value:g} mm; it must be above 0")
    if not int(header["qform_code"]) and not int(header["sform_code"]):
        return checked_grid(name, shape=shape[::-1], spacing_mm=stored[::-1], origin_mm=(0.0, 0.0, 0.0), axes=np.eye(3))
    try:
        affine = np.asarray(header.get_best_affine(), float)
    except ValueError as e:
        raise BadGeometry(
            f"{name}: the orientation in the header is no rotation ({e}); export the file again"
        ) from None
    axes = _LPS_FROM_RAS @ affine[:3, :3] * scale
    origin = _LPS_FROM_RAS @ affine[:3, 3] * scale
    spacing = np.sqrt((axes**2).sum(axis=0))
    worst = float(np.max(np.abs(spacing / stored - 1)))
    if not worst <= 1e-3:
        raise BadGeometry(
            f"{name}: the header contradicts itself: voxel sizes {_text(stored)} mm, but its orientation matrix has "
            f"{_text(spacing)} mm; export the file again"
        )
    return checked_grid(name, shape=shape[::-1], spacing_mm=stored[::-1], origin_mm=origin, axes=axes / spacing)


def _text(values: Iterable[float]) -> str:
    return " x ".join(f"{v:g}" for v in values)
