"""All filters of `standard: ibsi`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.imaging.filters.gabor import GABOR
from radiomics_pipeline.imaging.filters.laws import LAWS
from radiomics_pipeline.imaging.filters.log import LOG
from radiomics_pipeline.imaging.filters.mean import MEAN
from radiomics_pipeline.imaging.filters.riesz import RIESZ
from radiomics_pipeline.imaging.filters.simoncelli import SIMONCELLI
from radiomics_pipeline.imaging.filters.spec import Filter, FilterParams
from radiomics_pipeline.imaging.filters.wavelet import WAVELET

FILTERS = (MEAN, LOG, LAWS, GABOR, WAVELET, SIMONCELLI, RIESZ)


def filter_named(name: str) -> Filter:
    """The filter of that name; ParamsError with the nearest one where there is none."""
    for row in FILTERS:
        if row.name == name:
            return row
    names = [row.name for row in FILTERS]
    raise ParamsError(f"no filter {name!r}{did_you_mean(name, names)}; there are {', '.join(names)}")


def settings_of(row: Filter, settings: Mapping[str, Any]) -> FilterParams:
    """Checked settings of a filter; ParamsError that names the one that is wrong."""
    try:
        return row.params(**settings)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        hint = did_you_mean(where, row.params.model_fields) if first["type"] == "extra_forbidden" else ""
        message = first["msg"].removeprefix("Value error, ")
        message += f", found {first['input']!r}" if message.startswith("Input should") else ""
        known = ", ".join(row.params.model_fields)
        raise ParamsError(f"filter {row.name}: {where}{': ' if where else ''}{message}{hint}; it has {known}") from None
