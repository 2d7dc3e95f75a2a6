"""Names of feature columns: one function writes them, one reads them.

    [<series>_]<image>_<family>_<Feature>[_<setting>]
    PET_original_glcm_Contrast, PET_original_glcm_Contrast_fbn32, original_morphology_Sphericity

No part holds an underscore. The family is one of a closed list, by which a name is read back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

FAMILIES = (
    "morphology",
    "localintensity",
    "intensity",
    "histogram",
    "ivh",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
    "uptake",
    "polarmap",
    "gated",
    "patient",
    "firstorder",
    "shape",
    "shape2D",
    "gldm",
)
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
"""What a series, image, feature or setting may be called inside a column name."""


@dataclass(frozen=True)
class ColumnName:
    """A column's name in its parts; `series` and `setting` may be empty."""

    series: str
    image: str
    family: str
    feature: str
    setting: str = ""

    def __str__(self) -> str:
        return write_name(self)


def write_name(name: ColumnName) -> str:
    """The column name of these parts; ValueError where a part cannot stand in one."""
    if name.family not in FAMILIES:
        raise ValueError(f"family {name.family!r} is not one of {', '.join(FAMILIES)}")
    parts = [p for p in (name.series, name.image, name.family, name.feature, name.setting) if p]
    for part in parts:
        if not PART.fullmatch(part):
            raise ValueError(f"{part!r} cannot stand in a column name: letters, digits, '.', '+' and '-' only")
    for part in (name.series, name.image):
        if part in FAMILIES:
            raise ValueError(f"{part!r} is the name of a feature family; choose another")
    return "_".join(parts)


def read_name(text: str) -> ColumnName | None:
    """The parts of a column name, or None where it is not one of ours."""
    parts = text.split("_")
    if not 3 <= len(parts) <= 5 or not all(PART.fullmatch(p) for p in parts):
        return None
    for at in (1, 2):
        if len(parts) > at + 1 and parts[at] in FAMILIES and len(parts) - at <= 3:
            series = parts[0] if at == 2 else ""
            setting = parts[at + 2] if len(parts) > at + 2 else ""
            return ColumnName(series, parts[at - 1], parts[at], parts[at + 1], setting)
    return None


@dataclass(frozen=True)
class ColumnSpec:
    """What one feature column means: a row of dictionary.csv.

    filter : how the image was made of the original one, its grey levels included; empty for the original
    """

    name: ColumnName
    standard: str
    aggregation: str
    ibsi_code: str
    unit: str
    definition: str
    filter: str = ""

    @cached_property
    def column(self) -> str:
        """The column's name."""
        return str(self.name)
