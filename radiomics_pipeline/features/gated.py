"""Volumes and ejection fraction of the left ventricle from masks of its cavity, gate by gate.

Volumes are counts of voxels (IBSI YEKZ), not of a mesh, which cuts the corners of a small cavity. Of ellipsoids of 68
to 162 ml whose voxels are those with their centre inside, volumes are right to 1 % on voxels of 2 mm and to 4 % on
voxels of 4 mm, and the ejection fraction to one point on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch
from radiomics_pipeline.features.registry import Family, Undefined


@dataclass(frozen=True)
class GatedVolumes:
    """Volume of the cavity in each gate of one heart beat; float64 [gates], ml."""

    gates_ml: np.ndarray

    @cached_property
    def diastole(self) -> int:
        """Place of the largest volume, from 0; of several the first."""
        return int(np.argmax(self.gates_ml))

    @cached_property
    def systole(self) -> int:
        """Place of the smallest volume, from 0; of several the first."""
        return int(np.argmin(self.gates_ml))

    @property
    def diastolic_ml(self) -> float:
        """Largest volume."""
        return float(self.gates_ml[self.diastole])

    @property
    def systolic_ml(self) -> float:
        """Smallest volume."""
        return float(self.gates_ml[self.systole])


def gated_volumes(masks: np.ndarray | Sequence[np.ndarray], spacing_mm: tuple[float, float, float]) -> GatedVolumes:
    """The cavity's volumes from one mask a gate, in the order of the beat.

    masks : bool [gate, z, y, x], or a sequence of [z, y, x]; two gates at least
    spacing_mm : (z, y, x), the same in all gates
    Raises GeometryMismatch for masks of different sizes or fewer than two, EmptyRegion for a gate without a voxel.
    """
    shapes = {np.shape(mask) for mask in masks}
    if len(masks) < 2 or len(shapes) > 1 or len(next(iter(shapes))) != 3:
        sizes = " and ".join(" x ".join(str(n) for n in shape[::-1]) for shape in sorted(shapes)) or "none"
        raise GeometryMismatch(
            f"{len(masks)} gates with masks of {sizes} voxels; gated volumes need two gates or more, all on one grid"
        )
    voxels = np.array([np.count_nonzero(mask) for mask in masks])
    if not voxels.all():
        empty = int(np.flatnonzero(voxels == 0)[0]) + 1
        raise EmptyRegion(f"gate {empty} of {len(masks)}: the mask of the cavity is empty; every gate needs one")
    return GatedVolumes(voxels * float(np.prod(spacing_mm)) / 1000)


def _prepare(volumes: GatedVolumes) -> list[GatedVolumes]:
    return [volumes]


gated = Family("gated", title="Gated volumes of the left ventricle", ibsi="", prepare=_prepare)
"""Its sample is what `gated_volumes` gives."""


@gated.feature(ibsi="", unit="ml")
def end_diastolic_volume(v: GatedVolumes) -> float:
    """Largest volume of the cavity over all gates, by counting voxels."""
    return v.diastolic_ml


@gated.feature(ibsi="", unit="ml")
def end_systolic_volume(v: GatedVolumes) -> float:
    """Smallest volume of the cavity over all gates, by counting voxels."""
    return v.systolic_ml


@gated.feature(ibsi="", unit="ml")
def stroke_volume(v: GatedVolumes) -> float:
    """End-diastolic minus end-systolic volume."""
    return v.diastolic_ml - v.systolic_ml


@gated.feature(ibsi="", unit="%")
def ejection_fraction(v: GatedVolumes) -> float:
    """Stroke volume over end-diastolic volume, in percent."""
    return 100 * (v.diastolic_ml - v.systolic_ml) / v.diastolic_ml


@gated.feature(ibsi="", unit="1")
def end_diastolic_gate(v: GatedVolumes) -> float:
    """Number of the gate with the largest volume, from 1; the first of several."""
    return float(v.diastole + 1)


@gated.feature(ibsi="", unit="1")
def end_systolic_gate(v: GatedVolumes) -> float:
    """Number of the gate with the smallest volume, from 1; the first of several."""
    return float(v.systole + 1)


@gated.feature(ibsi="", unit="1")
def time_to_end_systole(v: GatedVolumes) -> float:
    """Gates from the largest volume to the smallest one after it, over all gates: a share of the beat."""
    if v.diastolic_ml == v.systolic_ml:
        raise Undefined("all gates have the same volume")
    return ((v.systole - v.diastole) % len(v.gates_ml)) / len(v.gates_ml)
