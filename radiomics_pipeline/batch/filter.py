"""The response of one image to a filter, from file to file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from radiomics_pipeline.batch.inputs import Reader
from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.extraction.filtered import apply_filter, responses
from radiomics_pipeline.extraction.pyradiomics_response import filtered_images, response_of
from radiomics_pipeline.extraction.source import Source, ibsi_source, pyradiomics_source
from radiomics_pipeline.imaging.resample import resample
from radiomics_pipeline.io.images import open_image
from radiomics_pipeline.io.label_file import require_nifti, write_image
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.params.run import ANY_SERIES, Run
from radiomics_pipeline.types import Region, Volume


def filter_file(image: Path, out: Path, name: str, settings: Mapping[str, Any]) -> Volume:
    """The response of an image as it is in its file (or of a folder of DICOM), written as NIfTI; and given back."""
    require_nifti(out)
    found = apply_filter(_read(image, Source("", None)), {"filter": name, "settings": dict(settings)})
    write_image(out, found)
    return found


def filter_by_params(image: Path, out: Path, params: Run, series: str = "", token: str = "") -> Volume:
    """The response that a section of the parameters asks for, on its grid; written as NIfTI, and given back.

    series : section; needed where there are several. token : what columns call the image; needed likewise
    Raises ParamsError where the parameters have no such section or filter.
    """
    require_nifti(out)
    section = _section(params, series)
    if isinstance(section, PyradiomicsSeries):
        name = _named(list(filtered_images(section)), token)
        found = response_of(section, _read(image, pyradiomics_source(section)), name)
    else:
        found = _ibsi(section, image, series or next(iter(params.series)), token)
    write_image(out, found)
    return found


def _ibsi(section: SeriesParams, image: Path, series: str, token: str) -> Volume:
    wanted = {one.token: one for one in responses(section.filters, section.aggregation, series)}
    name = _named(list(wanted), token)
    volume = _read(image, ibsi_source(section))
    if section.resample:
        everything = np.ones(volume.array.shape, np.bool_)
        volume = resample(volume, Region(everything, everything, volume.grid), section.resample).volume
    return wanted[name].of(volume)


def _read(image: Path, source: Source) -> Volume:
    found = Reader(image.parent).input("image", image)
    return open_image(found.files, found.name, source).volume


def _section(params: Run, series: str) -> SeriesParams | PyradiomicsSeries:
    if ANY_SERIES in params.series:
        return params.series[ANY_SERIES]
    if series in params.series:
        return params.series[series]
    if series or len(params.series) > 1:
        raise ParamsError(f"the parameters have sections for {', '.join(params.series)}; name one by --series")
    return next(iter(params.series.values()))


def _named(tokens: list[str], token: str) -> str:
    """The filtered image that is meant: the one named, or the only one."""
    if token in tokens:
        return token
    if token or len(tokens) != 1:
        hint = did_you_mean(token, tokens) if token else ""
        raise ParamsError(f"the parameters have the filtered images {', '.join(tokens) or 'none'}; name one{hint}")
    return tokens[0]
