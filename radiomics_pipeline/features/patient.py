"""Indices of a patient from those of the lesions: burden, hottest and largest lesion, spread in the body.

A lesion is a row of the table of regions. Volumes and positions are those of the outlines on the voxels of the file.
Where lesions overlap, what they share counts in each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from radiomics_pipeline.features.registry import Family, FeatureSpec, Undefined


@dataclass(frozen=True)
class LesionFacts:
    """What a patient's indices need to know of a lesion.

    name : what reasons call it
    volume_ml : of its outline; NaN where not known
    position_mm : centroid of its outline, patient coordinates (x, y, z); None where not known
    frame : key of the space that positions belong to; those of different keys are not compared
    uptake : its conventional indices by the feature's name; NaN where undefined
    """

    name: str
    volume_ml: float
    position_mm: tuple[float, float, float] | None
    frame: str
    uptake: Mapping[str, float]


@dataclass(frozen=True)
class Burden:
    """All lesions of a patient.

    bsa_m2 : body surface area; NaN where not known
    single_mm : largest distance of lesions where there is one only; NaN where that is undefined
    """

    lesions: tuple[LesionFacts, ...]
    bsa_m2: float = math.nan
    single_mm: float = math.nan

    def all_of(self, index: str) -> list[float]:
        """An index of every lesion, or their volumes; Undefined where one has no value."""
        found = []
        for lesion in self.lesions:
            value = lesion.volume_ml if index == VOLUME else lesion.uptake.get(index, math.nan)
            if math.isnan(value):
                raise Undefined(f"lesion {lesion.name} has no {index}")
            found.append(value)
        return found

    def total(self, index: str) -> float:
        """Sum of an index over the lesions, whatever their order; 0 where there is none."""
        return math.fsum(self.all_of(index))

    def leading(self, index: str) -> LesionFacts:
        """The lesion of highest index; of several the first. Undefined without a lesion."""
        if not self.lesions:
            raise Undefined("there is no lesion")
        values = self.all_of(index)
        return self.lesions[values.index(max(values))]

    @cached_property
    def positions(self) -> list[tuple[float, float, float]]:
        """Positions of all lesions, where they can be compared; Undefined otherwise."""
        if not self.lesions:
            raise Undefined("there is no lesion")
        frames = {lesion.frame for lesion in self.lesions}
        if len(frames) > 1:
            raise Undefined(
                f"the lesions lie in {len(frames)} images whose positions cannot be compared; aggregate by: case"
            )
        unknown = [lesion.name for lesion in self.lesions if lesion.position_mm is None]
        if unknown:
            raise Undefined(f"the position of lesion {unknown[0]} is not known")
        return [lesion.position_mm for lesion in self.lesions if lesion.position_mm is not None]

    def farthest(self, start: Sequence[tuple[float, float, float]]) -> float:
        """Largest distance in mm from any of these positions to any lesion."""
        positions = self.positions
        if len(positions) == 1:
            if math.isnan(self.single_mm):
                raise Undefined("there is one lesion only, and no distance")
            return self.single_mm
        return max(math.dist(one, other) for one in start for other in positions)


VOLUME = "outline volume"
"""What stands for the volume of a lesion's outline among its indices."""


def burden_of(found: Burden) -> list[Burden]:
    """What the features are computed from."""
    return [found]


def _empty() -> Family:
    return Family("patient", title="Indices of a patient", ibsi="", prepare=burden_of)


patient = _empty()
"""The indices that need nothing but the outlines."""


@patient.feature(ibsi="")
def lesion_count(b: Burden) -> float:
    """Number of lesions: of rows whose region counts as one."""
    return len(b.lesions)


@patient.feature(ibsi="", unit="ml")
def tmtv(b: Burden) -> float:
    """Total metabolic tumour volume: sum of the volumes of the lesions' outlines, by voxels of the file."""
    return b.total(VOLUME)


@patient.feature(ibsi="", unit="ml")
def largest_volume(b: Burden) -> float:
    """Volume of the outline of the largest lesion."""
    return b.leading(VOLUME).volume_ml


@patient.feature(ibsi="", unit="mm")
def dmax(b: Burden) -> float:
    """Largest distance between the centroids of two lesions, as measured for the REMARC trial (NCT01122472)."""
    return b.farthest(b.positions)


@patient.feature(ibsi="", unit="mm")
def dmax_bulk(b: Burden) -> float:
    """Largest distance between the centroid of the largest lesion and that of another one (Eertink 2023,
    doi:10.1182/blood.2022018558)."""
    positions = b.positions
    return b.farthest([positions[b.lesions.index(b.leading(VOLUME))]])


@patient.feature(ibsi="", unit="1/m", name="SDmax")
def standardised_dmax(b: Burden) -> float:
    """Dmax in metres over the body surface area in square metres, as for the REMARC trial (cut there: 0.32 per m)."""
    largest_mm = b.farthest(b.positions)
    if not b.bsa_m2 > 0:
        raise Undefined("the body surface area is not known, for which weight and height are needed")
    return largest_mm / 1000 / b.bsa_m2


def _total(b: Burden, index: str) -> float:
    return b.total(index)


def _leading(b: Burden, by: str, index: str) -> float:
    value = b.leading(by).volume_ml if index == VOLUME else b.leading(by).uptake.get(index, math.nan)
    if math.isnan(value):
        raise Undefined(f"lesion {b.leading(by).name} has no {index}")
    return value


def _highest(b: Burden, index: str) -> float:
    return b.leading(index).uptake[index]


def patient_family(indices: Iterable[str] = ()) -> Family:
    """The indices of a patient, given which indices of uptake the lesions have."""
    there = list(indices)
    family = _empty()
    for spec in patient.features.values():
        family.add(spec)

    def add(name: str, unit: str, definition: str, compute: partial[float]) -> None:
        family.add(FeatureSpec(name, "", unit, definition, compute))

    if "Tlg" in there:
        add("TotalTlg", "{u}*ml", "Sum of the lesions' Tlg.", partial(_total, index="Tlg"))
    if "Maximum" in there:
        told = "Highest intensity of the hottest lesion, the one of highest Maximum."
        add("HottestMaximum", "{u}", told, partial(_highest, index="Maximum"))
        told = "Volume of the outline of the hottest lesion, the one of highest Maximum."
        add("HottestVolume", "ml", told, partial(_leading, by="Maximum", index=VOLUME))
        told = "Highest intensity of the largest lesion."
        add("LargestMaximum", "{u}", told, partial(_leading, by=VOLUME, index="Maximum"))
    if "PeakAnywhere" in there:
        told = "Highest PeakAnywhere of a lesion."
        add("HottestPeak", "{u}", told, partial(_highest, index="PeakAnywhere"))
    for index in there:
        if index.startswith("Mtv"):
            add(f"T{index[0].lower()}{index[1:]}", "ml", f"Sum of the lesions' {index}.", partial(_total, index=index))
        elif index.startswith("Tlg") and index != "Tlg":
            add(f"Total{index}", "{u}*ml", f"Sum of the lesions' {index}.", partial(_total, index=index))
    return family
