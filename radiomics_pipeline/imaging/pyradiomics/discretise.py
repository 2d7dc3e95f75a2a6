"""Grey levels as PyRadiomics makes them."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import DiscretisationError
from radiomics_pipeline.kernels.intensities import level_between
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Levels

MAX_LEVELS = 2**16
"""More grey levels than this are an error in the unit or the bin width, not a texture."""


def discretise(inside: np.ndarray, mask: np.ndarray, settings: Settings, unit: str = "") -> Levels:
    """Grey levels 1..count of the voxels in a mask, bool [z, y, x], from their intensities [voxels].

    binWidth w: floor(x / w) - floor(min / w) + 1, so that edges are multiples of w and a maximum on an edge begins
    a level of its own. binCount n: n levels of equal width from minimum to maximum, which lies in the last.
    Raises DiscretisationError for more than 65536 levels, and for levels finer than the digits of the intensities.
    """
    edges = _edges(inside, settings, unit)
    if (edges[1:] < edges[:-1]).any():
        raise _too_fine(inside, settings)
    array, counts = level_between(inside.astype(np.float64), np.flatnonzero(mask), edges.astype(np.float64), mask.size)
    count = int(np.flatnonzero(counts)[-1])
    return Levels(array.reshape(mask.shape), count, counts[: count + 1])


def _edges(inside: np.ndarray, settings: Settings, unit: str) -> np.ndarray:
    """Lower edges of the levels and the upper one of the last, ascending.

    Made in the image's own type, where an edge such as 0.3 in float32 has its digits; whole numbers are widened
    first, since the edge behind a maximum of 250 does not fit 8 bits.
    """
    if settings.binCount is not None:
        try:
            edges = np.histogram(inside, settings.binCount)[1]
        except ValueError:
            raise _too_fine(inside, settings) from None
        edges[-1] += 1  # the maximum belongs to the last level
        return edges
    low, high = inside.min(), inside.max()
    if inside.dtype.kind in "iu":
        low, high = np.int64(low), np.int64(high)
    width = settings.binWidth
    if (float(high) - float(low)) / width > MAX_LEVELS:
        raise DiscretisationError(
            f"more than {MAX_LEVELS} grey levels: intensities run from {low:g} to {high:g}; is the image in "
            f"{unit or 'the unit meant'}? If so, use a larger binWidth than {width:g}"
        )
    return np.arange(low - low % width, high + 2 * width, width)


def _too_fine(inside: np.ndarray, settings: Settings) -> DiscretisationError:
    name = "binWidth" if settings.binCount is None else "binCount"
    return DiscretisationError(
        f"{name} {getattr(settings, name):g}: intensities of type {inside.dtype} from {inside.min():g} to "
        f"{inside.max():g} have too few digits for levels as fine; use fewer levels, or store it with more digits"
    )


def overflows(inside: np.ndarray, settings: Settings) -> bool:
    """Whether PyRadiomics gives whole-number intensities other levels, as its edges do not fit their type.

    Its edges begin at min - min % width and end before max + 2 width; NumPy 2 keeps them in the voxels' type where the
    width is whole, and wraps what does not fit. Of unsigned types that may come right again.
    """
    width = settings.binWidth
    if settings.binCount is not None or inside.dtype.kind not in "iu" or not isinstance(width, int):
        return False
    low, high, held = inside.min(), inside.max(), np.iinfo(inside.dtype)
    first, last = int(low) - int(low) % width, int(high) + 2 * width
    if first >= held.min and last <= held.max and last - first <= held.max:
        return False
    try:
        with np.errstate(over="ignore"):
            wrapped = np.digitize(inside, np.arange(low - low % width, high + 2 * width, width))
    except (OverflowError, ValueError):
        return True
    return not np.array_equal(wrapped, np.digitize(inside, np.arange(first, last, width)))
