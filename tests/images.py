"""Small images and masks on disk, right and wrong in known ways."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import SimpleITK as sitk

SHAPE = (10, 12, 14)
SPACING_XYZ = (2.0, 2.0, 3.0)


def lesion(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> tuple[np.ndarray, np.ndarray]:
    """A noisy ball in a background: float32 image and uint8 mask, [z, y, x]."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(shape)
    centre = (np.array(shape) - 1) / 2
    mask = ((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= (min(shape) / 2 - 1.5) ** 2).astype(
        np.uint8
    )
    image = (1 + 4 * mask + rng.gamma(2, 0.5, shape)).astype(np.float32)
    return image, mask


def write(path: Path, array: np.ndarray, spacing=SPACING_XYZ, origin=(0.0, 0.0, 0.0)) -> Path:
    """A volume [z, y, x] as a file of any format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([float(s) for s in spacing])
    image.SetOrigin([float(o) for o in origin])
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


def write_case(folder: Path, series: str = "PET", seed: int = 0, suffix: str = ".nii.gz") -> Path:
    """One case with one series, image and mask."""
    image, mask = lesion(seed)
    stem = f"{series}_" if series else ""
    write(folder / f"{stem}image{suffix}", image)
    write(folder / f"{stem}mask{suffix}", mask)
    return folder


def edit_nifti(path: Path, offset: int, data: bytes) -> None:
    """Overwrite bytes of a compressed NIfTI file at an offset of its content."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[offset : offset + len(data)] = data
    path.write_bytes(gzip.compress(bytes(content), mtime=0))
