"""Regions of an image that are delineated by the parameters, as the pipeline takes them."""

from __future__ import annotations

import math

import numpy as np

from radiomics_pipeline.batch.external import run_command
from radiomics_pipeline.errors import MissingFile
from radiomics_pipeline.extraction.result import stage
from radiomics_pipeline.imaging.segment import Delineation, Lesion, segment, select
from radiomics_pipeline.io.images import Image
from radiomics_pipeline.params.segmentation import AnyMethod, Command
from radiomics_pipeline.types import Region, Volume
from radiomics_pipeline.types.context import Context


def delineate(
    image: Image,
    params: AnyMethod,
    search: Region | None,
    context: Context,
    *,
    seeds: np.ndarray | None = None,
    case: str = "",
) -> list[tuple[Region, tuple[str, ...]]]:
    """The regions that are found in an image, each with notes: threshold, volume, and what speaks against it.

    search : where to search; None: the whole image
    seeds : bool [z, y, x], all areas of the mask together, where `search: image` makes them clicks; else None
    case : replaces {case} in a command
    One region has the search region's name and label (without one: none, and 1); `lesions: split` gives
    "<name or 'lesion'>-1", "-2", ... by descending volume, with labels 1, 2, ...
    Raises SegmentationError where nothing is found, MissingRoi without a reference region that is needed,
    ExternalError where a command fails, MissingFile where the mask to search in is missing.
    """
    with stage("segment"):
        found = find(
            image.volume, params, None if search is None else search.morphology, context, seeds=seeds, case=case
        )
        return [
            (_region(lesion, params, search, image.volume), (_told(lesion, params, image.volume), *_general(found)))
            for lesion in found.lesions
        ]


def find(
    volume: Volume,
    params: AnyMethod,
    search: np.ndarray | None,
    context: Context,
    *,
    seeds: np.ndarray | None = None,
    case: str = "",
) -> Delineation:
    """The lesions of an image by any method; arguments and errors as of `delineate`, search bool [z, y, x]."""
    if search is None and params.search == "mask":
        raise MissingFile(
            "no mask to search in, as `search: mask` asks; add one, or write `search: image` to search everywhere"
        )
    clicks = seeds if params.search == "image" else None
    if isinstance(params, Command):
        return select(volume, run_command(volume, params, case), search, params, seeds=clicks)
    return segment(volume, search, params, seeds=clicks, references=context.references)


def _region(lesion: Lesion, params: AnyMethod, search: Region | None, volume: Volume) -> Region:
    name, label = ("", 1) if search is None else (search.name, search.label)
    if params.lesions == "split":
        name, label = f"{name or 'lesion'}-{lesion.number}", lesion.number
    mask = lesion.mask
    return Region(mask, mask, volume.grid, name, label)


def _told(lesion: Lesion, params: AnyMethod, volume: Volume) -> str:
    """A lesion in words."""
    unit = f" {volume.unit}" if volume.unit else ""
    at = "" if math.isnan(lesion.threshold) else f", at or above {lesion.threshold:.5g}{unit}"
    flags = "".join(f"; {flag}" for flag in lesion.flags)
    return f"delineated ({params.method}{at}): {lesion.volume_ml:.4g} ml, maximum {lesion.maximum:.5g}{unit}{flags}"


def _general(found: Delineation) -> tuple[str, ...]:
    """Notes that are of no single lesion."""
    return tuple(note for note in found.notes if not note.startswith("lesion "))
