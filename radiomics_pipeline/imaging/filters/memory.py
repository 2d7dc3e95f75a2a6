"""What filters share: the steps on the way to a response that the next response needs, too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

import numpy as np

T = TypeVar("T")

STEPS = 3
"""Steps that are kept, each as large as the image or less."""


class Memory:
    """The last steps made of an image; those of another image make it forget them."""

    def __init__(self) -> None:
        self._image: np.ndarray | None = None
        self._steps: OrderedDict[Hashable, object] = OrderedDict()

    def once(self, image: np.ndarray, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` makes of an image, made anew only where it was forgotten; not to be written to."""
        if image is not self._image:
            self._image = image
            self._steps.clear()
        if key in self._steps:
            self._steps.move_to_end(key)
            return self._steps[key]  # type: ignore[return-value]
        found = compute()
        self._steps[key] = found
        while len(self._steps) > STEPS:
            self._steps.popitem(last=False)
        return found
