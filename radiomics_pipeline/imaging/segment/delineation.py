"""From an image and where to search to lesions: search volumes, a method in each, and the rules of what counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects, label

from radiomics_pipeline.errors import EmptyRegion, GeometryMismatch, SegmentationError
from radiomics_pipeline.imaging.segment.lesions import Part, in_order, parts_of, structure, wanted
from radiomics_pipeline.imaging.segment.seeded import grow, search_around
from radiomics_pipeline.imaging.segment.site import Site, box_around
from radiomics_pipeline.imaging.segment.thresholds import threshold_of
from radiomics_pipeline.params.segmentation import AnyMethod, Common, Grown, Preselect
from radiomics_pipeline.types import Volume
from radiomics_pipeline.types.context import ReferenceValues

MOST_LESIONS = 1024
"""More regions than these are noise, not lesions."""


@dataclass(frozen=True)
class Lesion:
    """A lesion, by its number in the labels of the delineation.

    threshold : least intensity that was asked for; NaN where the method has none, or its parts have several
    maximum : highest intensity
    flags : what speaks against its outline, in words
    """

    labels: np.ndarray
    number: int
    threshold: float
    volume_ml: float
    maximum: float
    flags: tuple[str, ...] = ()

    @property
    def mask(self) -> np.ndarray:
        """Its voxels, bool [z, y, x]."""
        return np.asarray(self.labels == self.number)


@dataclass(frozen=True)
class Delineation:
    """What was found.

    labels : int32 [z, y, x], 0 outside, then the lesions' numbers, read-only
    lesions : by descending volume, then by first voxel; of a mask with labels of its own, by label
    notes : what holds for all of them, and each lesion's flags
    """

    labels: np.ndarray
    lesions: tuple[Lesion, ...]
    notes: tuple[str, ...]


def segment(
    volume: Volume,
    search: np.ndarray | None,
    params: AnyMethod,
    *,
    seeds: np.ndarray | None = None,
    references: Mapping[str, ReferenceValues] | None = None,
) -> Delineation:
    """Delineate the lesions of an image.

    search : bool [z, y, x], the search volume; None: the whole image
    params : of any method but `command`, whose mask goes to `select`
    seeds : bool [z, y, x], clicks: lesions that touch one are kept, and `growcut` and `watershed` begin there
    references : reference regions by name, for the methods that need one
    Raises SegmentationError where nothing is found, or, with `touching: refuse`, where a lesion has no border of its
    own; MissingRoi without a reference region that is needed.
    """
    _require_grid(volume, search=search, seeds=seeds)
    whole = Site.of(volume, _search(volume, search, params, seeds))
    found: list[Part] = []
    notes: list[str] = []
    refused: SegmentationError | None = None
    sites, asked = 0, math.nan
    for site in _sites(whole, params, seeds):
        sites += 1
        try:
            mask, asked = _find(site, params, seeds, references or {})
        except SegmentationError as error:
            if params.preselect is None:
                raise
            notes.append(f"candidate {sites}: {error}")
            refused = refused or error
            continue
        found += parts_of(site, mask, asked, seeds, params)
    if not found and refused:
        raise refused
    return _chosen(whole, in_order(found), params, tuple(notes), asked)


def select(
    volume: Volume,
    labels: np.ndarray,
    search: np.ndarray | None,
    params: Common,
    *,
    seeds: np.ndarray | None = None,
) -> Delineation:
    """The lesions of a mask that a method of others made, by the same rules.

    labels : whole numbers [z, y, x]. Several labels are its regions, which `lesions: split` keeps under their numbers;
        one label is split into connected parts
    search : bool [z, y, x]; what lies outside is left out. None: everywhere
    """
    _require_grid(volume, labels=labels, search=search, seeds=seeds)
    kept = labels if search is None else np.where(search, labels, 0)
    left_out = int(np.count_nonzero(labels)) - int(np.count_nonzero(kept))
    voxel_ml = volume.grid.voxel_volume_mm3 / 1000
    notes = (f"{left_out * voxel_ml:.4g} ml of its mask lie outside the search volume and are left out",)
    numbers = [int(n) for n in np.unique(kept) if n]
    whole = Site.of(volume, search)
    if params.lesions == "one" or len(numbers) <= 1:
        found = in_order(parts_of(whole, kept[whole.box] != 0, math.nan, seeds, params)) if numbers else []
        return _chosen(whole, found, params, notes if left_out else (), math.nan)
    chosen, labelled = [], np.zeros(volume.grid.shape, np.int32)
    for number in numbers:
        parts = parts_of(whole, kept[whole.box] == number, math.nan, seeds, params)
        part = _together([part for part in parts if wanted(part, params)])
        if part:
            labelled.flat[part.places] = number
            chosen.append((number, part))
    if not chosen:
        raise SegmentationError(f"none of the {len(numbers)} regions of the mask meets the rules: {_rules(params)}")
    return _delineation(volume, labelled, chosen, params, notes if left_out else ())


def _require_grid(volume: Volume, **masks: np.ndarray | None) -> None:
    for name, mask in masks.items():
        if mask is not None and mask.shape != volume.grid.shape:
            raise GeometryMismatch(f"{name}: {mask.shape} voxels (z, y, x), the image has {volume.grid.shape}")
    search = masks.get("search")
    if search is not None and not search.any():
        raise EmptyRegion("the search volume has no voxel")


def _search(
    volume: Volume, search: np.ndarray | None, params: AnyMethod, seeds: np.ndarray | None
) -> np.ndarray | None:
    """Where to search: of methods that grow from clicks, no further from them than the margin."""
    if isinstance(params, Grown) and search is None and params.preselect is None:
        if seeds is None or not seeds.any():
            raise SegmentationError(
                f"{params.method} in the whole image needs clicks, small areas of a mask on each lesion; or preselect, "
                "or a mask as search volume"
            )
        return search_around(volume, seeds, params.margin_mm)
    return search


def _sites(whole: Site, params: Common, seeds: np.ndarray | None) -> Iterator[Site]:
    """The search volumes one by one: the whole, or each candidate, larger ones first; none overlaps another."""
    if params.preselect is None:
        yield whole
        return
    taken = np.zeros(whole.inside.shape, bool)
    for candidate, box in _candidates(whole, params, params.preselect, seeds):
        inside = _grown(candidate, whole.volume.spacing_mm, params.preselect.margin_mm)
        inside &= whole.inside[box] & ~taken[box]
        if inside.any():
            taken[box] |= inside
            shifted = [slice(b.start + w.start, b.stop + w.start) for b, w in zip(box, whole.box, strict=True)]
            yield Site(whole.volume, (shifted[0], shifted[1], shifted[2]), inside)


def _candidates(
    whole: Site, params: Common, rule: Preselect, seeds: np.ndarray | None
) -> list[tuple[np.ndarray, tuple[slice, slice, slice]]]:
    """Connected parts above the threshold, each in a box of the search volume's box, larger ones first."""
    labels, n = label(whole.lit(rule.threshold), structure(params.connectivity))
    if not n:
        raise SegmentationError(
            f"no voxel at or above {whole.shown(rule.threshold)} (preselect); the highest in the search volume is "
            f"{whole.shown(whole.maximum)}"
        )
    sizes = np.bincount(labels.ravel())
    least = rule.min_volume_ml * 1000 / whole.volume.grid.voxel_volume_mm3 * (1 - 1e-9)
    clicked = set() if seeds is None else set(np.unique(labels[seeds[whole.box]]).tolist())
    boxes = find_objects(labels)
    order = sorted(range(1, n + 1), key=lambda i: (-sizes[i], i))
    kept = [i for i in order if sizes[i] >= least or (params.keep_seeded and i in clicked)]
    if not kept:
        voxel_ml = whole.volume.grid.voxel_volume_mm3 / 1000
        raise SegmentationError(
            f"none of {n} candidates at or above {whole.shown(rule.threshold)} has {rule.min_volume_ml:g} ml "
            f"(preselect); the largest has {sizes[1:].max() * voxel_ml:.4g} ml"
        )
    found = []
    for i in kept:
        low, high = zip(*((part.start, part.stop) for part in boxes[i - 1]), strict=True)
        shape = whole.inside.shape
        box = box_around(low, high, shape, whole.volume.spacing_mm, rule.margin_mm)
        found.append((labels[box] == i, box))
    return found


def _grown(mask: np.ndarray, spacing_mm: tuple[float, float, float], margin_mm: float) -> np.ndarray:
    if not margin_mm:
        return mask.copy()
    return np.asarray(distance_transform_edt(~mask, sampling=spacing_mm) <= margin_mm)


def _find(
    site: Site, params: AnyMethod, seeds: np.ndarray | None, references: Mapping[str, ReferenceValues]
) -> tuple[np.ndarray, float]:
    """What a method finds in a search volume, bool [z, y, x] of its box, and its threshold, NaN where it has none."""
    if isinstance(params, Grown):
        return grow(site, params, seeds), math.nan
    threshold = threshold_of(site, params, references)
    return site.lit(threshold), threshold


def _chosen(whole: Site, found: list[Part], params: Common, notes: tuple[str, ...], threshold: float) -> Delineation:
    """The parts that meet the rules as one lesion, or as several."""
    if not found:
        asked = "" if math.isnan(threshold) else f" at or above {whole.shown(threshold)}"
        raise SegmentationError(
            f"no voxel found{asked}; the highest intensity in the search volume is {whole.shown(whole.maximum)}"
        )
    kept = [part for part in found if wanted(part, params)]
    if not kept:
        highest = max(part.maximum for part in found)
        raise SegmentationError(
            f"none of {len(found)} connected parts meets the rules ({_rules(params)}); the largest has "
            f"{found[0].volume_ml:.4g} ml, the highest intensity is {whole.shown(highest)}"
        )
    if len(kept) < len(found):
        gone_ml = sum(part.volume_ml for part in found) - sum(part.volume_ml for part in kept)
        notes = (*notes, f"{len(found) - len(kept)} of {len(found)} connected parts left out ({gone_ml:.4g} ml)")
    if params.lesions == "split" and len(kept) > MOST_LESIONS:
        raise SegmentationError(
            f"{len(kept)} connected parts, more than {MOST_LESIONS}: noise rather than lesions; ask for a higher "
            "threshold or min_volume_ml"
        )
    merged = _together(kept)
    assert merged is not None
    chosen = list(enumerate(kept if params.lesions == "split" else [merged], 1))
    labels = np.zeros(whole.volume.grid.shape, np.int32)
    for number, part in chosen:
        labels.flat[part.places] = number
    return _delineation(whole.volume, labels, chosen, params, notes)


def _together(parts: list[Part]) -> Part | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    thresholds = {part.threshold for part in parts}
    return Part(
        places=np.sort(np.concatenate([part.places for part in parts])),
        threshold=thresholds.pop() if len(thresholds) == 1 else math.nan,
        volume_ml=sum(part.volume_ml for part in parts),
        maximum=max(part.maximum for part in parts),
        seeded=any(part.seeded for part in parts),
        goes_on=any(part.goes_on for part in parts),
        at_border=any(part.at_border for part in parts),
    )


def _delineation(
    volume: Volume, labels: np.ndarray, chosen: list[tuple[int, Part]], params: Common, notes: tuple[str, ...]
) -> Delineation:
    labels.flags.writeable = False
    lesions = tuple(
        Lesion(labels, number, part.threshold, part.volume_ml, part.maximum, _flags(part)) for number, part in chosen
    )
    told = [f"lesion {lesion.number}: {flag}" for lesion in lesions for flag in lesion.flags]
    if told and params.touching == "refuse":
        raise SegmentationError(f"{'; '.join(told)}; enlarge the search volume, or ask for a higher threshold")
    return Delineation(labels, lesions, (*notes, *told))


def _flags(part: Part) -> tuple[str, ...]:
    flags = []
    if part.goes_on:
        flags.append("goes on beyond its search volume, by its intensity")
    if part.at_border:
        flags.append("ends at the border of the image")
    return tuple(flags)


def _rules(params: Common) -> str:
    rules = [f"min_volume_ml {params.min_volume_ml:g}"] if params.min_volume_ml else []
    if params.minimum_maximum is not None:
        rules.append(f"minimum_maximum {params.minimum_maximum:g}")
    if params.only_seeded:
        rules.append("only_seeded")
    return ", ".join(rules) or "no voxel"
