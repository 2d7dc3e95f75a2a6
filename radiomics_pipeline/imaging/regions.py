"""Regions from the areas of a mask: by label, or by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from radiomics_pipeline.errors import BadMask, CaseError, EmptyRegion, MissingLabel, MissingRoi, did_you_mean, some
from radiomics_pipeline.params.extraction import Label
from radiomics_pipeline.types import Region
from radiomics_pipeline.types.masks import Entry, Masks

MAX_LABELS = 1024
"""More labels than this are an image taken for a mask."""

MOST_NAMES = 40
"""Names that an error lists."""


def wanted_regions(masks: Masks, label: Label | None, roi: str | dict[str, str] | None) -> list[tuple[str, int]]:
    """Name of the row and number of each region asked for, by ascending number.

    label : a number; "all", one region each; names of rows with numbers; None, the only area there is
    roi : goes before `label`: a name or a regular expression that fits one whole name, capitals ignored (a row without
        a name, as with a number); names of rows with such; or "all", each area under its own name, with its number
        where the name is empty or stands there twice

    An exact name goes before one in other capitals, and that before a regular expression; what is no valid expression
    is a name as it stands.

    Raises EmptyRegion for a mask without a voxel, BadMask where there are several areas and nothing is wanted, or too
    many, MissingRoi where no name fits, or several do; and the mask's own error for a name that is no area.
    """
    entries = masks.entries
    refused: Mapping[str, CaseError] = getattr(masks, "refused", {})
    if len(entries) > MAX_LABELS:
        raise BadMask(f"{masks.file}: {len(entries)} different labels; is this an image instead of a mask?")
    if isinstance(roi, str) and roi != "all":
        return [("", _fitting(roi, entries, refused, masks.file))]
    if isinstance(roi, dict):
        named = [(row, _fitting(pattern, entries, refused, masks.file)) for row, pattern in roi.items()]
        return sorted(named, key=lambda item: item[1])
    if not entries:
        raise _empty(masks, refused)
    if roi == "all":
        return list(zip(row_names(entries), (entry.number for entry in entries), strict=True))
    if label is None:
        if len(entries) > 1:
            raise BadMask(f"{masks.file}: {_which(entries)}")
        return [("", entries[0].number)]
    if label == "all":
        return [(str(entry.number), entry.number) for entry in entries]
    numbered = label if isinstance(label, dict) else {"": int(label)}
    return sorted(numbered.items(), key=lambda item: item[1])


def region_of(masks: Masks, name: str, number: int) -> Region:
    """The region of one area of a mask, under the name of its row; MissingLabel where the mask has no such number."""
    try:
        mask = masks.mask(number)
    except KeyError:
        called = f" ({printable(name)})" if name else ""
        there = some((_shown(entry) for entry in masks.entries), 12)
        raise MissingLabel(f"{masks.file}: no voxel has label {number}{called}; there are: {there}") from None
    if not mask.any():
        raise EmptyRegion(f"{masks.file}: label {number} has no voxel")
    return Region(mask, mask, masks.grid, name, number)


def regions_of(masks: Masks, label: Label | None, roi: str | dict[str, str] | None = None) -> list[Region]:
    """All regions asked for; arguments and errors as of `wanted_regions` and `region_of`."""
    return [region_of(masks, name, number) for name, number in wanted_regions(masks, label, roi)]


def printable(text: str) -> str:
    """A name from a file as one line that can be shown: blanks and what cannot be printed become single blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def row_names(entries: Iterable[Entry]) -> list[str]:
    """A name for each area, no two alike: its own, with its number where that is empty or stands there twice."""
    found = list(entries)
    names = [printable(entry.name) for entry in found]
    count = Counter(names)
    rows = [
        name if name and count[name] == 1 else f"{name} ({entry.number})" if name else str(entry.number)
        for name, entry in zip(names, found, strict=True)
    ]
    again = Counter(rows)
    return [row if again[row] == 1 else f"{row} ({entry.number})" for row, entry in zip(rows, found, strict=True)]


def _fitting(pattern: str, entries: Iterable[Entry], refused: Mapping[str, CaseError], file: str) -> int:
    """Number of the one area that a name or regular expression fits."""
    found = list(entries)
    fitting = _fits(pattern, [entry.name for entry in found])
    if len(fitting) == 1:
        return found[fitting[0]].number
    if fitting:
        shown = some((_shown(found[i]) for i in fitting), MOST_NAMES)
        raise MissingRoi(f"{file}: {len(fitting)} areas fit roi {pattern!r}: {shown}; name one of them, or use 'all'")
    names = list(refused)
    no_area = _fits(pattern, names)
    if no_area:
        raise refused[names[no_area[0]]]
    there = some((_shown(entry) for entry in found), MOST_NAMES) or "none"
    hint = did_you_mean(pattern, [printable(entry.name) for entry in found]) or _no_expression(pattern)
    raise MissingRoi(f"{file}: no area fits roi {pattern!r}{hint}; there are: {there}")


def _fits(pattern: str, names: list[str]) -> list[int]:
    """Which names are meant: those that are equal, else those equal but for capitals, else those that match."""
    wanted = printable(pattern)
    shown = [printable(name) for name in names]
    equal = [i for i, name in enumerate(shown) if name and name == wanted]
    equal = equal or [i for i, name in enumerate(shown) if name and name.casefold() == wanted.casefold()]
    if equal:
        return equal
    try:
        expression = re.compile(pattern, re.IGNORECASE)
    except re.error:
        return []
    return [i for i, name in enumerate(shown) if name and expression.fullmatch(name)]


def _no_expression(pattern: str) -> str:
    """Part of a message where a pattern is no regular expression; else nothing."""
    try:
        re.compile(pattern)
    except re.error as e:
        return f" (no regular expression: {e}; taken as it stands)"
    return ""


def _which(entries: tuple[Entry, ...]) -> str:
    """What to do about several areas of which none was named."""
    if any(entry.name for entry in entries):
        shown, first = some(map(_shown, entries), 12), next(printable(entry.name) for entry in entries if entry.name)
        return f"labels {shown}; say which is meant (roi: {first!r} or label: {entries[0].number}), or 'all' for one " \
               "row each"  # fmt: skip
    numbers = some((entry.number for entry in entries), 12)
    return f"labels {numbers}; say which is meant (label: {entries[0].number}), or 'all' for one row each"


def _empty(masks: Masks, refused: Mapping[str, CaseError]) -> CaseError:
    """The error of a mask in which nothing is an area."""
    if refused:
        names = some((repr(printable(name)) for name in refused), MOST_NAMES)
        return EmptyRegion(f"{masks.file}: none of its ROIs is an area: {names}")
    return EmptyRegion(f"{masks.file}: the mask is empty: none of its {np.prod(masks.grid.shape)} voxels has a label")


def _shown(entry: Entry) -> str:
    return f"{entry.number} ({printable(entry.name)})" if entry.name else str(entry.number)
