"""What filters share: the steps on the way to a response that the next response needs, too."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import numpy as np

T = TypeVar("T")

Path = tuple[Hashable, ...]
"""The steps from an image to what they make of it."""
STEPS = 2
"""Results that are kept, each as large as the image or less."""


class Memory:
    """The last results on the way from an image; those on another way, or of another image, are forgotten."""

    def __init__(self) -> None:
        self._image: np.ndarray | None = None
        self._results: dict[Path, object] = {}

    def once(self, image: np.ndarray, path: Path, compute: Callable[[], T]) -> T:
        """What `compute` makes of an image, made anew only where it was forgotten; not to be written to."""
        if image is not self._image:
            self._image, self._results = image, {}
        if path not in self._results:
            self._results = {known: found for known, found in self._results.items() if path[: len(known)] == known}
            self._results[path] = compute()
            for shortest in sorted(self._results, key=len)[:-STEPS]:
                del self._results[shortest]
        return self._results[path]  # type: ignore[return-value]
