"""What a feature column is called in DICOM: a coded concept, a unit of UCUM, and modifiers.

A concept is the first of these that fits:

1. of an image in SUV, a statistic of its own intensities: the SUV by its normalisation (SUVbw, ...; PS3.16, CID 7469)
   with a derivation (Mean, Maximum, Peak Value Within ROI, ...; CID 7464), as PET workstations write it; volume and
   uptake of an outline: Metabolic Volume, and of FDG Total Lesion Glycolysis (CID 7466);
2. the code that DICOM lists of the IBSI's manual (CIDs 7467, 7475 to 7479, 7500, 7501);
3. the code of the IBSI's manual, in the same coding scheme, where DICOM does not list it;
4. a code of our own, in the scheme 99RADIOMICS: it is written by this program and means what dictionary.csv says.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from radiomics_pipeline.types.columns import ColumnSpec

OWN = "99RADIOMICS"
"""Coding scheme of what neither DICOM nor the IBSI has a code for."""
IBSI_CIDS = (7467, 7475, 7476, 7477, 7478, 7479, 7500, 7501)
"""Context groups of DICOM that hold codes of the IBSI's manual."""

_MEANING = 64
"""Longest meaning of a code (VR LO)."""
_VALUE = 16
"""Longest value of a code (VR SH)."""


@dataclass(frozen=True)
class Intensities:
    """What the intensities of a series are.

    unit : as the parameters call it, such as "SUV"
    normalisation : of SUV, "bw", "lbm", "lbmjames128", "lbmjanma", "ibw" or "bsa"; empty where not known
    tracer : such as "FDG"; empty where not known
    """

    unit: str
    normalisation: str = ""
    tracer: str = ""

    @property
    def suv(self) -> Suv | None:
        """What SUV of this normalisation is called; None for another unit, or one that is not known."""
        return SUV.get(self.normalisation) if self.unit == "SUV" else None


@dataclass(frozen=True)
class Suv:
    """A kind of SUV: concept, method, and unit; `total` is the unit of SUV times ml."""

    name: Code
    method: Code
    unit: Code
    total: Code


@dataclass(frozen=True)
class Concept:
    """How one column is written.

    name, unit : of the measurement
    derivation, method : of it, None where the name says all
    modifiers : further ones, name and value: filter, aggregation, setting
    """

    name: Code
    unit: Code
    derivation: Code | None = None
    method: Code | None = None
    modifiers: tuple[tuple[Code, Code], ...] = ()


def _ucum(value: str, meaning: str) -> Code:
    return Code(value, "UCUM", meaning)


_GRAM = _ucum("g", "gram")
SUV: dict[str, Suv] = {
    "bw": Suv(codes.DCM.Suvbw, codes.DCM.SUVBodyWeightCalculationMethod,
              codes.UCUM.StandardizedUptakeValueBodyWeight, _GRAM),
    "lbm": Suv(codes.DCM.Suvlbm, codes.DCM.SUVLeanBodyMassCalculationMethod,
               codes.UCUM.StandardizedUptakeValueLeanBodyMassJames, _GRAM),
    "lbmjames128": Suv(codes.DCM.SuvlbmJames128, codes.DCM.SUVLeanBodyMassCalculationMethodUsing128Multiplier,
                       codes.UCUM.StandardizedUptakeValueLeanBodyMassJames128Multiplier, _GRAM),
    "lbmjanma": Suv(codes.DCM.SuvlbmJanma, codes.DCM.SUVLeanBodyMassCalculationJanmahasatianMethod,
                    codes.UCUM.StandardizedUptakeValueLeanBodyMassJanma, _GRAM),
    "ibw": Suv(codes.DCM.Suvibw, codes.DCM.SUVIdealBodyWeightCalculationMethod,
               codes.UCUM.StandardizedUptakeValueIdealBodyWeight, _GRAM),
    "bsa": Suv(codes.DCM.Suvbsa, codes.DCM.SUVBodySurfaceAreaCalculationMethod,
               codes.UCUM.StandardizedUptakeValueBodySurfaceArea, _ucum("cm2", "square centimeter")),
}  # fmt: skip
"""Kinds of SUV (units: CID 85)."""

DERIVATIONS: dict[str, Code] = {
    "Q4LE": codes.SCT.Mean,
    "Y12H": codes.SCT.Median,
    "1GSF": codes.SCT.Minimum,
    "84IY": codes.SCT.Maximum,
    "5ZWQ": codes.UMLS.RootMeanSquare,
    "QG58": codes.SCT.TenthPercentile,
    "8DWT": codes.SCT.NinetiethPercentile,
    "VJGA": codes.DCM.PeakValueWithinROI,
    "0F91": codes.DCM.PeakValueWithinROI,
}
"""Statistics of intensities in the image's own unit, by IBSI code: each is an SUV, derived in this way."""

AGGREGATIONS: dict[str, Code] = {
    "2D:avg": Code("BTW3", "IBSI", "2D, averaged"),
    "2D:mrg": Code("SUJT", "IBSI", "2D, slice-merged"),
    "2.5D:avg": Code("JJUI", "IBSI", "2.5D, direction-merged"),
    "2.5D:mrg": Code("ZW7Z", "IBSI", "2.5D, merged"),
    "3D:avg": Code("ITBB", "IBSI", "3D, averaged"),
    "3D:mrg": Code("IAZD", "IBSI", "3D, merged"),
    "2D": Code("8QNN", "IBSI", "2D"),
    "2.5D": Code("62GR", "IBSI", "2.5D"),
    "3D": Code("KOBO", "IBSI", "3D"),
}
"""How matrices of texture are gathered, by the codes of the IBSI's manual."""
TEXTURES = frozenset({"glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm", "gldm"})
"""Families whose values hang on the aggregation."""

STANDARDS: dict[str, Code] = {
    "ibsi": Code("ibsi", OWN, "Definitions of the IBSI reference manual"),
    "pyradiomics": Code("pyradiomics", OWN, "Definitions of PyRadiomics"),
}
"""Whose definitions a column follows, as the method of its measurement."""
FILTER = Code("filter", OWN, "Image filter")
AGGREGATION = Code("aggregation", OWN, "Aggregation of texture matrices")
SETTING = Code("setting", OWN, "Setting of the parameters")
THRESHOLD = Code("threshold", OWN, "Lowest intensity that counts")
FAMILY = Code("family", OWN, "Family of the feature")
VOXEL_SUM = Code("126030", "DCM", "Sum of segmented voxel volumes")
PEAK = Code("peak", OWN, "Place of the peak")
PEAKS: dict[str, Code] = {
    "VJGA": Code("VJGA", "IBSI", "Local Intensity Peak"),
    "0F91": Code("0F91", "IBSI", "Global Intensity Peak"),
}
"""Which of the two peaks: around the maximum, or the highest anywhere."""


FAMILIES: dict[str, Code] = {
    "uptake": Code("uptake", OWN, "Voxels of the file, outline as drawn"),
    "intensity": Code("UHIW", "IBSI", "Intensity-based statistics"),
    "localintensity": Code("9ST6", "IBSI", "Local intensity"),
}
"""What tells apart statistics of one name: of the file's voxels, or of the resampled and re-segmented region."""


@cache
def ibsi_codes() -> dict[str, Code]:
    """The codes of the IBSI's manual that DICOM lists, by their value."""
    return {code.value: code for code in (getattr(codes.IBSI, name) for name in codes.IBSI.dir())}


def concept(spec: ColumnSpec, intensities: Intensities) -> Concept:
    """How a column is written; see above."""
    suv = intensities.suv if spec.name.image == "original" else None
    name, derivation, method, peak = _name(spec), None, STANDARDS.get(spec.standard), PEAKS.get(spec.ibsi_code)
    modifiers = []
    statistic = _derivation(spec)
    if suv and spec.unit == "SUV" and statistic:
        name, derivation = suv.name, statistic
        modifiers += [(FAMILY, FAMILIES.get(spec.name.family) or _own(spec.name.family))]
        modifiers += [(PEAK, peak)] if peak else []
    elif suv and spec.name.family == "uptake" and _is_volume(spec):
        name, method = codes.DCM.MetabolicVolume, VOXEL_SUM
    elif suv and intensities.tracer == "FDG" and (spec.name.family, spec.name.feature) == ("uptake", "Tlg"):
        name = codes.DCM.TotalLesionGlycolysis
    modifiers += _modifiers(spec, above=name == codes.DCM.MetabolicVolume)
    return Concept(name, unit(spec.unit, intensities), derivation, method, tuple(modifiers))


def _derivation(spec: ColumnSpec) -> Code | None:
    if (spec.name.family, spec.name.feature) == ("uptake", "StandardDeviation"):
        return codes.SCT.StandardDeviation
    return DERIVATIONS.get(spec.ibsi_code)


def _is_volume(spec: ColumnSpec) -> bool:
    """Whether a conventional index is the volume of the outline, or of its part above a threshold."""
    return spec.unit == "ml" and (spec.name.feature == "Volume" or spec.name.feature.startswith("Mtv"))


def _name(spec: ColumnSpec) -> Code:
    """The concept of a column without regard to the image's unit."""
    if spec.ibsi_code:
        words = _words(spec.name.feature, spec.name.family)
        return ibsi_codes().get(spec.ibsi_code) or Code(spec.ibsi_code, "IBSI", words)
    value = f"{spec.name.family}.{spec.name.feature}"
    if len(value) > _VALUE:
        value = f"{spec.name.feature[:7]}-{hashlib.sha256(value.encode()).hexdigest()[:8]}"
    return Code(value, OWN, _words(spec.name.feature, spec.name.family))


def _words(feature: str, family: str) -> str:
    """A feature in words: "Intensity At Volume Fraction 10 (ivh)"."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]+", feature)
    ending = f" ({family})"
    return " ".join(parts)[: _MEANING - len(ending)] + ending


def _modifiers(spec: ColumnSpec, *, above: bool) -> list[tuple[Code, Code]]:
    """Filter, aggregation, setting and, of a metabolic volume, the threshold."""
    found = []
    if spec.name.image != "original":
        found.append((FILTER, _own(spec.name.image)))
    if spec.name.family in TEXTURES and spec.aggregation in AGGREGATIONS:
        found.append((AGGREGATION, AGGREGATIONS[spec.aggregation]))
    if spec.name.setting:
        found.append((SETTING, _own(spec.name.setting)))
    if above and spec.name.feature != "Volume":
        found.append((THRESHOLD, _own(spec.name.feature.removeprefix("Mtv"))))
    return found


def _own(text: str) -> Code:
    """A word of the parameters as a code of our scheme."""
    short = len(text) <= _VALUE
    value = text if short else f"{text[:7]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return Code(value, OWN, text[:_MEANING])


_PLAIN: dict[str, Code] = {
    "1": codes.UCUM.NoUnits,
    "%": codes.UCUM.Percent,
    "mm": codes.UCUM.Millimeter,
    "mm^2": codes.UCUM.SquareMillimeter,
    "mm^3": codes.UCUM.CubicMillimeter,
    "1/mm": _ucum("/mm", "per millimeter"),
    "1/m": _ucum("/m", "per meter"),
    "ml": _ucum("ml", "milliliter"),
}
"""Units that do not hang on the image's."""
_BASES: dict[str, tuple[str, str, str, str, str]] = {
    "HU": ("[hnsf'U]", "Hounsfield unit", "[hnsf'U]2", "[hnsf'U].ml", "[hnsf'U].mm3"),
    "Bq/ml": ("Bq/ml", "Becquerels/milliliter", "Bq2/ml2", "Bq", "Bq.mm3/ml"),
    "counts": ("{counts}", "Counts", "{counts}.{counts}", "{counts}.ml", "{counts}.mm3"),
}
"""Of other units than SUV: itself, its name, its square, times ml, times mm3."""


def unit(text: str, intensities: Intensities) -> Code:
    """A unit of dictionary.csv in UCUM; what UCUM has no word for stands in braces, as an annotation."""
    if text in _PLAIN:
        return _PLAIN[text]
    base, suv = intensities.unit, intensities.suv
    if base and text.startswith(base):
        rest = text[len(base) :]
        own, name, square, total, cubic = _suv_base(suv) if suv else _BASES.get(base, _annotated(base))
        known = {
            "": (own, name),
            "^2": (square, f"({name}) squared"),
            "*ml": (total, f"{name} times milliliter"),
            "*mm^3": (cubic, f"{name} times cubic millimeter"),
            "^2*mm^3": (f"{square}.mm3", f"({name}) squared times cubic millimeter"),
        }
        if rest in known:
            value, meaning = known[rest]
            return suv.total if suv and rest == "*ml" else _ucum(value, meaning[:_MEANING])
    return _ucum(_braced(text), text[:_MEANING] or "unit not stated")


def _suv_base(suv: Suv) -> tuple[str, str, str, str, str]:
    plain, mark = suv.unit.value.split("{")
    squares = {"g/ml": "g2/ml2", "cm2/ml": "cm4/ml2"}
    cubes = {"g/ml": "g.mm3/ml", "cm2/ml": "cm2.mm3/ml"}
    return suv.unit.value, suv.unit.meaning, f"{squares[plain]}{{{mark}", suv.total.value, f"{cubes[plain]}{{{mark}"


def _annotated(base: str) -> tuple[str, str, str, str, str]:
    one = _braced(base)
    return one, base, f"{one}.{one}", f"{one}.ml", f"{one}.mm3"


def _braced(text: str) -> str:
    """An annotation of UCUM: ASCII without braces, as short as a code may be."""
    kept = re.sub(r"[^!-z|~]", "", text.replace("{", "(").replace("}", ")"))
    return f"{{{kept[: _VALUE - 2]}}}" if kept else "1"
