"""Delineate one image: from files to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from radiomics_pipeline.batch.delineate import find
from radiomics_pipeline.batch.inputs import Reader
from radiomics_pipeline.errors import EmptyRegion, MissingLabel, ParamsError, SegmentationError, did_you_mean, some
from radiomics_pipeline.extraction.context import context_of
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.imaging.regions import row_names
from radiomics_pipeline.imaging.segment import Lesion
from radiomics_pipeline.io.delimited import write_rows
from radiomics_pipeline.io.images import Image, open_image
from radiomics_pipeline.io.label_file import require_nifti, write_labels
from radiomics_pipeline.io.mask_files import open_mask
from radiomics_pipeline.params.references import Reference
from radiomics_pipeline.params.segmentation import METHODS, AnyMethod, Segmentation
from radiomics_pipeline.params.series import SeriesSource
from radiomics_pipeline.types.masks import Masks


@dataclass(frozen=True)
class FoundLesion:
    """A line of what was found. number : in the mask that is written; mean : of its intensities; area : searched"""

    number: int
    area: str
    volume_ml: float
    maximum: float
    mean: float
    threshold: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """Lesions of an image. unit : of intensities; notes : what holds for all"""

    unit: str
    lesions: tuple[FoundLesion, ...]
    notes: tuple[str, ...]


def source_of(settings: Mapping[str, Any], unit: str, section: SeriesSource | None = None) -> Source:
    """How to read and delineate an image.

    settings : keys of `segment`; they go before those of the section
    section : of parameters, whose other settings stay; None: defaults, and this unit
    Raises ParamsError where these settings cannot be used.
    """
    base = section or SeriesSource(unit=unit)
    before = base.segment.model_dump() if base.segment else {}
    if settings.get("method", before.get("method")) != before.get("method"):
        before = {}
    try:
        segment = TypeAdapter[AnyMethod](Segmentation).validate_python({**before, **settings})
    except ValidationError as e:
        raise ParamsError("\n".join(_explained(error) for error in e.errors())) from None
    return Source(base.unit, None, section=base.model_copy(update={"segment": segment}))


def _explained(error: Any) -> str:
    """What is wrong with a setting."""
    if error["type"] == "union_tag_not_found":
        return f"segment.method: missing; one of {', '.join(METHODS)}"
    where = ".".join(str(part) for part in ("segment", *error["loc"][1:]))
    if error["type"] == "union_tag_invalid":
        word = str(error["ctx"]["tag"])
        return f"segment.method: {word!r} is none{did_you_mean(word, METHODS)}; there are {', '.join(METHODS)}"
    if error["type"] == "missing":
        return f"{where}: missing; it must be given"
    if error["type"] == "extra_forbidden":
        return f"{where}: this method has no such setting"
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message[0].lower()}{message[1:]}"


def find_lesions(
    image: str | Path,
    mask: str | Path | None,
    source: Source,
    *,
    label: int | None = None,
    references: str | Path | None = None,
    out: str | Path | None = None,
) -> Findings:
    """Delineate an image as `source.section.segment` says, and write what was found as a label image.

    image, mask, references : files, or folders of DICOM; where the parameters declare no references, every area of
        `references` is one, under its name or number
    label : of the mask's area to search in; None: each area for itself
    out : NIfTI file, labels 1, 2, ... in the order of the findings; where areas overlap, the first keeps a voxel
    Raises CaseError where it cannot be done rightly, ParamsError where the parameters delineate nothing. Of several
    areas one in which nothing is found is noted; where that holds for all, the first one's error is raised.
    """
    section = source.section
    params = section.segment
    if params is None:
        raise ParamsError("the parameters have no `segment`; say how to delineate")
    if out is not None:
        require_nifti(Path(out))
    reader = Reader(Path(image).parent)
    given = reader.input("image", Path(image))
    opened = open_image(given.files, given.name, source)
    masks, further = (
        open_mask(reader.input(role, Path(path)).files, opened, source) if path else None
        for role, path in (("mask", mask), ("references", references))
    )
    context = context_of(opened.volume, _with_references(section, further), masks, further)
    areas = [] if masks is None else _areas(masks, label)
    labels = np.zeros(opened.volume.grid.shape, np.int32)
    lesions: list[FoundLesion] = []
    notes = list(opened.notes)
    searched = [("", None)] if masks is None or params.search == "image" else areas
    seeds = np.any([area for _, area in areas], axis=0) if areas else None
    refused: list[SegmentationError] = []
    for name, area in searched:
        try:
            found = find(opened.volume, params, area, context, seeds=seeds)
        except SegmentationError as error:
            refused.append(error)
            notes.append(f"{name}: {error}")
            continue
        lesions += [_enter(lesion, name, labels, opened, len(lesions) + i) for i, lesion in enumerate(found.lesions, 1)]
        notes += [f"{name}: {note}" if name else note for note in found.notes if not note.startswith("lesion ")]
    if not lesions:
        raise refused[0] if refused else EmptyRegion("the mask has no voxel to search in")
    if out is not None:
        write_labels(Path(out), labels, opened.volume.grid)
    return Findings(opened.volume.unit, tuple(lesions), tuple(notes))


def _with_references(section: SeriesSource, further: Masks | None) -> SeriesSource:
    """The section; where it declares no reference regions, with every area of their file as one."""
    if section.references or further is None:
        return section
    names = row_names(further.entries)
    found = {name: Reference(label=e.number) for name, e in zip(names, further.entries, strict=True)}
    return section.model_copy(update={"references": found})


def write_findings(path: str | Path, found: Findings) -> None:
    """The lesions as CSV, one row each; intensities in the image's unit, an empty cell for no threshold."""
    header = ["lesion", "area", "volume_ml", "maximum", "mean", "threshold", "unit", "flags"]
    rows = [
        [n.number, n.area, n.volume_ml, n.maximum, n.mean, n.threshold, found.unit, "; ".join(n.flags)]
        for n in found.lesions
    ]
    write_rows(Path(path), header, rows)


def _areas(masks: Masks, label: int | None) -> list[tuple[str, np.ndarray]]:
    """Areas of a mask that hold a voxel, with their names or numbers."""
    entries = [entry for entry in masks.entries if label in (None, entry.number)]
    if label is not None and not entries:
        raise MissingLabel(f"{masks.file}: no label {label}; there are: {some(e.number for e in masks.entries)}")
    found = [(entry.name or str(entry.number), masks.mask(entry.number)) for entry in entries]
    return [(name, area) for name, area in found if area.any()]


def _enter(lesion: Lesion, area: str, labels: np.ndarray, image: Image, number: int) -> FoundLesion:
    """Write a lesion into the labels, and give its line."""
    mask = lesion.mask
    mean = float(image.volume.array[mask].mean())
    labels[mask & (labels == 0)] = number
    return FoundLesion(number, area, lesion.volume_ml, lesion.maximum, mean, lesion.threshold, lesion.flags)
