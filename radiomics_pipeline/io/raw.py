"""What every image format is decoded to, before anything is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import BadGeometry, DamagedFile, UnsupportedImage
from radiomics_pipeline.types import Grid


@dataclass(frozen=True)
class RawImage:
    """Voxels in the file's own type, [z, y, x], and the grid they lie on."""

    array: np.ndarray
    grid: Grid


def checked_grid(
    name: str,
    *,
    shape: Sequence[int],
    spacing_mm: Sequence[float],
    origin_mm: Sequence[float],
    axes: np.ndarray,
) -> Grid:
    """A grid from header values: shape and spacing (z, y, x), origin (x, y, z) LPS, unit axes in columns.

    Spacings keep 7 significant digits: what a header stores in single precision then means the same as the number
    that was written, so that no voxel falls on another side of a threshold in another format.
    Raises BadGeometry for a spacing that is not above 0, UnsupportedImage for axes that are not at right angles.
    """
    for axis, value in zip("zyx", spacing_mm, strict=True):
        if not np.isfinite(value) or value <= 0:
            raise BadGeometry(f"{name}: spacing along {axis} is {value:g} mm; it must be above 0")
    if not np.all(np.isfinite(origin_mm)) or not np.all(np.isfinite(axes)):
        raise BadGeometry(f"{name}: origin or orientation is not a finite number; export the file again")
    skew = float(np.abs(axes.T @ axes - np.eye(3)).max())
    if skew > 1e-3:
        raise UnsupportedImage(
            f"{name}: the axes are not at right angles (cosine {skew:.3g}); resample the volume to an upright grid"
        )
    z, y, x = (int(n) for n in shape)
    dz, dy, dx = (float(f"{float(s):.7g}") for s in spacing_mm)
    ox, oy, oz = (float(c) for c in origin_mm)
    return Grid((z, y, x), (dz, dy, dx), (ox, oy, oz), tuple(float(v) for v in np.asarray(axes, float).ravel()))


def numbers(text: str, name: str) -> list[float]:
    """The numbers in a line of a header; DamagedFile where a word is none."""
    try:
        return [float(part) for part in text.split()]
    except ValueError:
        raise DamagedFile(f"{name}: {text!r} in the header is no list of numbers") from None


def whole_numbers(text: str, name: str) -> list[int]:
    """The sizes in a line of a header; DamagedFile where a word is no whole number from 1."""
    found = numbers(text, name)
    if (
        not found
        or any(not (n >= 1 and n == int(n)) for n in found if np.isfinite(n))
        or not np.all(np.isfinite(found))
    ):
        raise DamagedFile(f"{name}: {text!r} in the header are no sizes")
    return [int(n) for n in found]
