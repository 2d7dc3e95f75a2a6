"""Compare two masks, or the masks of two folders, label by label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from radiomics_pipeline.errors import CaseError, MissingFile, MissingLabel, ParamsError, some
from radiomics_pipeline.imaging.compare import Comparison, compare
from radiomics_pipeline.imaging.orientation import turned
from radiomics_pipeline.io.labels import read_label_image
from radiomics_pipeline.io.volumes import has_volume_suffix, read_file, require_same_grid
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.masks import LabelImage, Masks

ALL = "all"
"""The row of all labels of a mask together."""


@dataclass(frozen=True)
class Compared:
    """A row: one label of two masks. file : that both have in their folders, empty of two files; label : or "all" """

    file: str
    label: str
    made: Comparison


def compare_masks(
    a: str | Path, b: str | Path, *, tolerance_mm: float = 2.0, label: int | None = None
) -> list[Compared]:
    """Two label images: a row for each label that either holds, and one for all together where there are several.

    label : only this one. A mask whose axes run otherwise is turned.
    Two masks without a voxel are one row without values. Raises CaseError where a file is no mask, or the two lie on
    different voxels, MissingLabel where neither holds the label.
    """
    first, other = (read_label_image(read_file(Path(path))) for path in (a, b))
    second = _along(other, first.grid)
    require_same_grid(first.grid, second.grid, first.file, second.file)
    numbers = sorted({entry.number for masks in (first, second) for entry in masks.entries})
    if label is not None and label not in numbers:
        raise MissingLabel(f"neither {first.file} nor {second.file} has label {label}; they have: {some(numbers)}")
    rows: list[tuple[str, Callable[[Masks], np.ndarray]]] = [
        (str(n), partial(_area, number=n)) for n in (numbers if label is None else [label])
    ]
    if label is None and len(numbers) != 1:
        rows.append((ALL, _everything))
    spacing_mm = first.grid.spacing_mm
    return [
        Compared("", name, compare(of(first), of(second), spacing_mm, tolerance_mm=tolerance_mm)) for name, of in rows
    ]


def compare_folders(
    a: str | Path, b: str | Path, *, tolerance_mm: float = 2.0, label: int | None = None
) -> tuple[list[Compared], list[str]]:
    """The masks that lie in two folders under the same names, and what could not be compared, in words.

    Raises MissingFile where no name is in both.
    """
    first, second = ({p.name: p for p in Path(folder).iterdir() if has_volume_suffix(p)} for folder in (a, b))
    both = sorted(set(first) & set(second))
    if not both:
        raise MissingFile(
            f"no mask lies in both folders under one name; the first has {some(sorted(first)) or 'none'}, the second "
            f"{some(sorted(second)) or 'none'}"
        )
    found: list[Compared] = []
    problems = [f"{name}: only in the first folder" for name in sorted(set(first) - set(second))]
    problems += [f"{name}: only in the second folder" for name in sorted(set(second) - set(first))]
    for name in both:
        try:
            rows = compare_masks(first[name], second[name], tolerance_mm=tolerance_mm, label=label)
        except CaseError as error:
            text = str(error)
            problems.append(text if text.startswith(name) else f"{name}: {text}")
            continue
        found += [Compared(name, row.label, row.made) for row in rows]
    return found, problems


def compare_any(
    a: str | Path, b: str | Path, *, tolerance_mm: float = 2.0, label: int | None = None
) -> tuple[list[Compared], list[str]]:
    """Two files or two folders; results and errors as of `compare_masks` and `compare_folders`."""
    folders = [Path(path).is_dir() for path in (a, b)]
    if all(folders):
        return compare_folders(a, b, tolerance_mm=tolerance_mm, label=label)
    if any(folders):
        raise ParamsError("one is a folder, the other a file; give two files or two folders")
    return compare_masks(a, b, tolerance_mm=tolerance_mm, label=label), []


def _along(masks: Masks, grid: Grid) -> Masks:
    """A label image with its axes as those of a grid, where they are parallel; else as it is."""
    if not isinstance(masks, LabelImage):
        return masks
    found = turned(masks.labels, masks.grid, grid.direction)
    return masks if found is None else LabelImage(masks.file, found[1], found[0], masks.names)


def _area(masks: Masks, number: int) -> np.ndarray:
    """The voxels of a label, none where the mask has no such label."""
    try:
        return masks.mask(number)
    except KeyError:
        return np.zeros(masks.grid.shape, bool)


def _everything(masks: Masks) -> np.ndarray:
    """The voxels of any label."""
    found = np.zeros(masks.grid.shape, bool)
    for entry in masks.entries:
        found |= masks.mask(entry.number)
    return found
