"""Conventional indices of uptake: what a reader of PET or SPECT reports of a lesion.

Taken from the voxels of the file and the outline as drawn on them: nothing is resampled, re-segmented or binned, as
SUVmax, MTV and TLG are read at a workstation. An IBSI code stands where the definition is the IBSI's; the value differs
from that of the family of the same code where that one sees a resampled or re-segmented region.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from radiomics_pipeline.features.local_intensity import RADIUS_MM, Peaks, peaks_of
from radiomics_pipeline.features.registry import Family, FeatureSpec, Sample, Undefined
from radiomics_pipeline.params.uptake import Threshold, Uptake, camel, number
from radiomics_pipeline.types.context import Context, ReferenceValues

QUARTERS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Lesion:
    """One region as its indices see it.

    values : float64 [n], intensities of the outline's voxels, n >= 1
    voxel_ml : volume of a voxel
    sample : the region with the image around it, for the peaks
    """

    values: np.ndarray
    voxel_ml: float
    context: Context
    sample: Sample = field(compare=False, repr=False)

    @cached_property
    def maximum(self) -> float:
        """Highest intensity."""
        return float(self.values.max())

    @cached_property
    def minimum(self) -> float:
        """Lowest intensity."""
        return float(self.values.min())

    @cached_property
    def mean(self) -> float:
        """Mean intensity; exact where all are the same."""
        return float(self.values.mean()) if self.maximum > self.minimum else self.minimum

    @cached_property
    def volume_ml(self) -> float:
        """Number of voxels times their volume."""
        return len(self.values) * self.voxel_ml

    @cached_property
    def total(self) -> float:
        """Mean times volume, in the image's unit times ml."""
        return self.mean * self.volume_ml

    @cached_property
    def peaks(self) -> Peaks:
        """Both peaks, on the image around the region."""
        (found,) = self.sample.once(peaks_of)
        return found

    @cached_property
    def quarters(self) -> np.ndarray:
        """Quarter 0..3 of the range of intensities in which each voxel lies; int64 [n]. Undefined for a flat region."""
        span = 4 * (self.maximum - self.minimum)
        if not span:
            raise Undefined("all intensities are the same, so that their range has no quarters")
        if not math.isfinite(span):
            raise Undefined("the range of intensities exceeds that of numbers")
        return np.minimum((4 * (self.values - self.minimum) / (self.maximum - self.minimum)).astype(np.int64), 3)

    def reference(self, name: str) -> ReferenceValues:
        """The values of a reference region; Undefined where this case has none of that name."""
        if name not in self.context.references:
            raise Undefined(f"the case has no reference region {name!r}")
        return self.context.references[name]

    def background(self, name: str) -> float:
        """The mean of a reference region as a divisor; Undefined where it does not lie above 0."""
        mean = self.reference(name).mean
        if not mean > 0:
            raise Undefined(f"the mean of the reference region {name!r} is {mean:g}, not above 0")
        return mean

    def above(self, threshold: Threshold) -> np.ndarray:
        """The intensities at or above a threshold; float64 [m], m >= 0."""
        return self.values[self.values >= self.limit(threshold)]

    def limit(self, threshold: Threshold) -> float:
        """A threshold as an intensity; Undefined where there is none."""
        if threshold.value is not None:
            return threshold.value
        if threshold.reference is not None:
            found = self.reference(threshold.reference)
            return threshold.factor * found.mean + threshold.sd * found.sd
        assert threshold.percent is not None
        of = self.peaks.anywhere if threshold.of == "peak" else self.maximum
        if not of > 0:
            raise Undefined(f"the region's {threshold.of} is {of:g}, of which no percentage is a threshold")
        return threshold.percent / 100 * of


def lesion_of(sample: Sample) -> list[Lesion]:
    """The region of a sample on the voxels of the file."""
    values = sample.volume.array[sample.region.morphology]
    return [Lesion(values, sample.volume.grid.voxel_volume_mm3 / 1000, sample.context, sample)]


def _empty() -> Family:
    title = "Conventional indices of uptake"
    return Family("uptake", title=title, ibsi="", prepare=lesion_of, reach_mm=RADIUS_MM, native=True)


uptake = _empty()
"""The indices that every region has; `uptake_family` adds those that parameters ask for."""


@uptake.feature(ibsi="84IY", unit="{u}")
def maximum(r: Lesion) -> float:
    """Highest intensity of the outline, such as SUVmax."""
    return r.maximum


@uptake.feature(ibsi="Q4LE", unit="{u}")
def mean(r: Lesion) -> float:
    """Mean intensity of the outline's voxels, such as SUVmean."""
    return r.mean


@uptake.feature(ibsi="1GSF", unit="{u}")
def minimum(r: Lesion) -> float:
    """Lowest intensity of the outline."""
    return r.minimum


@uptake.feature(ibsi="", unit="{u}")
def standard_deviation(r: Lesion) -> float:
    """Standard deviation of the outline's intensities (divisor n), the root of the IBSI's variance (ECT3)."""
    return float(r.values.std()) if r.maximum > r.minimum else 0.0


@uptake.feature(ibsi="VJGA", unit="{u}")
def peak_at_maximum(r: Lesion) -> float:
    """Mean intensity of the voxels, of the outline or not, whose centres lie in a sphere of 1 ml around the outline's
    voxel of highest intensity; of several such voxels, the highest mean. SUVpeak by the first convention."""
    return r.peaks.around_maximum


@uptake.feature(ibsi="0F91", unit="{u}")
def peak_anywhere(r: Lesion) -> float:
    """Highest mean intensity of a sphere of 1 ml, taken as in PeakAtMaximum, around any voxel of the outline. SUVpeak
    by the second convention."""
    return r.peaks.anywhere


@uptake.feature(ibsi="YEKZ", unit="ml")
def volume(r: Lesion) -> float:
    """Number of the outline's voxels times their volume: the metabolic tumour volume (MTV) of the outline."""
    return r.volume_ml


@uptake.feature(ibsi="", unit="{u}*ml")
def tlg(r: Lesion) -> float:
    """Mean times Volume: total lesion glycolysis, where the image is SUV of FDG. Volume by voxels of the file; the
    IBSI's integrated intensity (99N0) takes that of the mesh of the resampled region."""
    return r.total


@uptake.feature(ibsi="", unit="1")
def counts_share(r: Lesion) -> float:
    """Sum of the outline's intensities over that of the whole image."""
    total = r.context.total
    if math.isnan(total):
        raise Undefined("the sum of the whole image is not known")
    if not total > 0:
        raise Undefined(f"the whole image sums to {total:g}, not above 0")
    return r.total / total


def uptake_family(params: Uptake, references: Sequence[str] = ()) -> Family:
    """The indices that these parameters ask for.

    references : names of the series' reference regions, of which `params.references` may choose some
    Raises ValueError for a reference that the series has not, and for one that cannot stand in a column's name.
    """
    _require_references(params, references)
    family = _empty()
    for spec in uptake.features.values():
        family.add(spec)
    for spec in _quarters() if params.quarters else []:
        family.add(spec)
    for threshold in params.volumes:
        for spec in _volumes(threshold):
            family.add(spec)
    for name in references if params.references is None else dict.fromkeys(params.references):
        for ratio in dict.fromkeys(params.ratios):
            for spec in RATIOS[ratio](name):
                family.add(spec)
    return family


def _require_references(params: Uptake, references: Sequence[str]) -> None:
    wanted = [*(params.references or ()), *(t.reference for t in params.volumes if t.reference is not None)]
    unknown = list(dict.fromkeys(name for name in wanted if name not in references))
    if unknown:
        there = f"it has {', '.join(references)}" if references else "it has none; write a section `references:`"
        raise ValueError(f"uptake: no reference region {', '.join(map(repr, unknown))} in this series; {there}")
    short = [camel(name) for name in references]
    for name, called in zip(references, short, strict=True):
        if not called:
            raise ValueError(f"reference {name!r}: no letter or digit of it can stand in a column's name; rename it")
        if short.count(called) > 1:
            raise ValueError(f"reference {name!r}: columns would call it {called!r} as another one; rename it")


def _share(r: Lesion, position: int) -> float:
    return float(np.mean(r.quarters == position))


def _quarter_tlg(r: Lesion, position: int) -> float:
    return float(r.values[r.quarters == position].sum() * r.voxel_ml)


def _quarters() -> list[FeatureSpec]:
    """Voxels and uptake in each quarter of the range of intensities."""
    found = []
    for position, which in enumerate(QUARTERS):
        ends = f"the {which} quarter of the range from lowest to highest intensity"
        edge = "with both its ends" if position == 3 else "with its lower end"
        share = f"Share of the outline's voxels in {ends} ({edge})."
        tlg = f"Sum of the intensities in {ends} ({edge}), times the volume of a voxel; the four add up to Tlg."
        name = f"Quarter{position + 1}"
        found.append(FeatureSpec(f"{name}Share", "", "1", share, partial(_share, position=position)))
        found.append(FeatureSpec(f"{name}Tlg", "", "{u}*ml", tlg, partial(_quarter_tlg, position=position)))
    return found


def _mtv(r: Lesion, threshold: Threshold) -> float:
    return len(r.above(threshold)) * r.voxel_ml


def _tlg(r: Lesion, threshold: Threshold) -> float:
    return float(r.above(threshold).sum() * r.voxel_ml)


def _volumes(threshold: Threshold) -> list[FeatureSpec]:
    """Volume and uptake at or above a threshold."""
    inside = f"the outline's voxels of at least {describe(threshold)}; 0 where there is none"
    mtv, tlg = (partial(compute, threshold=threshold) for compute in (_mtv, _tlg))
    absolute = threshold.value is not None
    return [
        FeatureSpec(f"Mtv{threshold.token}", "", "ml", f"Volume of {inside}.", mtv, absolute=absolute),
        FeatureSpec(f"Tlg{threshold.token}", "", "{u}*ml", f"Sum of intensities times volume of {inside}.", tlg),
    ]


def describe(threshold: Threshold) -> str:
    """A threshold in words."""
    if threshold.percent is not None:
        of = "PeakAnywhere" if threshold.of == "peak" else "the outline's highest intensity"
        return f"{number(threshold.percent)} % of {of}"
    if threshold.value is not None:
        return f"{number(threshold.value)} in the image's unit"
    spread = f" plus {number(threshold.sd)} times its standard deviation" if threshold.sd else ""
    return f"{number(threshold.factor)} times the mean of the reference region {threshold.reference}{spread}"


def _maximum_ratio(r: Lesion, name: str) -> float:
    return r.maximum / r.background(name)


def _mean_ratio(r: Lesion, name: str) -> float:
    return r.mean / r.background(name)


def _peak_ratio(r: Lesion, name: str) -> float:
    return r.peaks.anywhere / r.background(name)


def _binding(r: Lesion, name: str) -> float:
    return (r.mean - r.background(name)) / r.background(name)


def _added(r: Lesion, name: str) -> float:
    return (r.mean - r.reference(name).mean) * r.volume_ml


def _tbr(name: str) -> list[FeatureSpec]:
    """Tumour to background."""
    parts = {"Max": ("Maximum", _maximum_ratio), "Mean": ("Mean", _mean_ratio), "Peak": ("PeakAnywhere", _peak_ratio)}
    told = f"over the mean of the reference region {name}: tumour-to-background ratio."
    return [
        FeatureSpec(f"Tbr{camel(name)}{short}", "", "1", f"{of} {told}", partial(compute, name=name))
        for short, (of, compute) in parts.items()
    ]


def _suvr(name: str) -> list[FeatureSpec]:
    told = f"Mean over the mean of the reference region {name}: standardised uptake value ratio; Tbr{camel(name)}Mean."
    return [FeatureSpec(f"Suvr{camel(name)}", "", "1", told, partial(_mean_ratio, name=name))]


def _sbr(name: str) -> list[FeatureSpec]:
    told = f"Mean minus the mean of the reference region {name}, over the latter: specific binding ratio."
    return [FeatureSpec(f"Sbr{camel(name)}", "", "1", told, partial(_binding, name=name))]


def _sam(name: str) -> list[FeatureSpec]:
    told = (
        f"Mean minus the mean of the reference region {name}, times Volume: standardised added metabolic activity, "
        "where the reference is a shell around the lesion (Mertens 2012, Eur J Nucl Med Mol Imaging 39:1441)."
    )
    return [FeatureSpec(f"Sam{camel(name)}", "", "{u}*ml", told, partial(_added, name=name))]


RATIOS: dict[str, Callable[[str], list[FeatureSpec]]] = {"tbr": _tbr, "suvr": _suvr, "sbr": _sbr, "sam": _sam}
"""The indices to one reference region, by what parameters call them."""
