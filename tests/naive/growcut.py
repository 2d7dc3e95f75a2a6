"""GrowCut as a cellular automaton, step by step (Vezhnevets and Konouchine 2005)."""

from __future__ import annotations

from itertools import product

import numpy as np

STEPS = [step for step in product((-1, 0, 1), repeat=3) if any(step)]


def growcut(image, lesion, background, active, scale):
    """Labels after all attacks: 1 lesion, 2 background, 0 never conquered; of equally strong, the background's."""
    labels = np.where(background, 2, np.where(lesion, 1, 0))
    strength = (labels > 0).astype(float)
    changed = True
    while changed:
        changed = False
        before = labels.copy(), strength.copy()
        for at in map(tuple, np.argwhere(active)):
            for step in STEPS:
                other = tuple(i + s for i, s in zip(at, step, strict=True))
                if any(i < 0 or i >= n for i, n in zip(other, image.shape, strict=True)) or not before[0][other]:
                    continue
                force = before[1][other] * (1 - abs(image[other] - image[at]) / scale)
                stronger = force > strength[at]
                draw = force == strength[at] and force > 0 and before[0][other] == 2 and labels[at] == 1
                if stronger or draw:
                    labels[at], strength[at], changed = before[0][other], force, True
    return labels
