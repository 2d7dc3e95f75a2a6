"""Arrays that nobody writes to, in the one form for which kernels are compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike


def read_only(array: np.ndarray, dtype: DTypeLike | None = None) -> np.ndarray:
    """A view that cannot be written to, in C-order, of a type of number or of the array's own; a copy where need be."""
    found: np.ndarray = np.ascontiguousarray(array, dtype).view()
    found.flags.writeable = False
    return found
