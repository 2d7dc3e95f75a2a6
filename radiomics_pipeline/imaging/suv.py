"""From stored PET and SPECT intensities to SUV or Bq/ml, with the rule taken at each step.

The rules are those of the IBSI's work on SUV (https://oncoray.github.io/suv_computation, after QIBA's), tested against
its reference objects; where they leave a choice, the docstring of the function that chooses says what is chosen. A
header from which no SUV follows is refused; whatever is assumed is a warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from radiomics_pipeline.errors import MissingMetadata, ParamsError, SuvError, WrongModality
from radiomics_pipeline.imaging import body
from radiomics_pipeline.params.suv import Normalisation, Suv
from radiomics_pipeline.types import Volume
from radiomics_pipeline.types.acquisition import Acquisition

SUV, ACTIVITY, COUNTS = "SUV", "Bq/ml", "counts"
"""Units that a conversion can give."""

HALF_LIVES_S = {
    "F-18": 6586.2, "C-11": 1223.4, "N-13": 597.9, "O-15": 122.24, "Rb-82": 76.38, "Ga-68": 4062.6, "Cu-64": 45720.0,
    "Zr-89": 282276.0, "I-124": 360806.0, "Tc-99m": 21654.0, "I-123": 47772.0, "In-111": 242326.0, "Tl-201": 262483.0,
    "I-131": 692988.0, "Lu-177": 574301.0, "Ge-68": 23410080.0,
}  # fmt: skip
"""Half-lives in s (ICRP publication 107); a header's own goes before them."""

SUV_TYPES: dict[str, Normalisation] = {
    "": "bw", "BW": "bw", "LBM": "lbm", "LBMJAMES128": "lbmjames128", "LBMJANMA": "lbmjanma", "IBW": "ibw",
}  # fmt: skip
"""What SUVType (0054,1006) says of values in GML."""

MEGABECQUEREL_BELOW = 1e5
"""A dose below this is read as MBq: 0.1 MBq is never given, 100 GBq neither."""
BEDS_AGREE_S = 2.0
CLOCK_SLACK_S = 60.0
LONG_BEFORE_S = 7200.0
DAY_S = 86400.0


@dataclass(frozen=True)
class PatientOverrides:
    """What a table of cases says of a patient: fills what a header lacks, and wins, with a warning, where they differ.

    weight_kg, height_m, dose_bq : as in the header; sex : "M", "F" or "O"
    injected : date and time of administration; without a UTC offset, in that of the header
    """

    weight_kg: float | None = None
    height_m: float | None = None
    sex: str = ""
    dose_bq: float | None = None
    injected: datetime | None = None


NO_OVERRIDES = PatientOverrides()


@dataclass(frozen=True)
class Conversion:
    """What rescaled intensities are multiplied with, and why.

    unit : of the result: as asked for, or with `missing` "counts" or "Bq/ml"
    factors : float64 [z], one a slice, read-only
    rule : the steps in their order, each what was done and why, in plain words, by a short name
    warnings : what was assumed, or does not fit together
    figures : the numbers and tokens that went in; NaN and "" for what was not needed
    missing : why the unit asked for cannot be had; empty where it can. Then `unit` says what the factors give instead,
        and whatever is in the unit asked for has no value.
    """

    unit: str
    factors: np.ndarray
    rule: Mapping[str, str]
    warnings: tuple[str, ...]
    figures: Mapping[str, float | str]
    missing: str = ""

    def __post_init__(self) -> None:
        factors = np.array(self.factors, np.float64)
        factors.flags.writeable = False
        object.__setattr__(self, "factors", factors)

    def row(self) -> dict[str, float | str]:
        """The conversion as one row of a table; the same columns whatever the rules taken."""
        rules = {f"rule_{step}": self.rule.get(step, "") for step in STEPS}
        figures = {name: self.figures[name] for name in FIGURES}
        return {"unit": self.unit, **figures, **rules, "missing": self.missing, "warnings": "; ".join(self.warnings)}


STEPS = (
    "rescale", "corrections", "units", "weight", "height", "sex", "dose", "half_life", "reference", "administration",
    "decay", "check", "normalisation", "factor",
)  # fmt: skip
"""Short names of the steps, in the order of the columns."""

FIGURES: dict[str, float | str] = {
    "units": "", "decay_correction": "", "reference_rule": "", "t_ref": "", "administration_rule": "", "t_adm": "",
    "elapsed_s": math.nan, "uptake_s": math.nan, "half_life_s": math.nan, "nuclide": "", "dose_bq": math.nan,
    "decayed_dose_bq": math.nan, "weight_kg": math.nan, "height_m": math.nan, "sex": "", "normalisation": "",
    "norm": math.nan, "norm_unit": "", "decay_factor_deviation": math.nan, "factor_min": math.nan,
    "factor_max": math.nan,
}  # fmt: skip
"""Names of the figures. Times are times of day, without their date; `elapsed_s` is from administration to the reference
time of the decay correction, `uptake_s` to the first acquisition; `decayed_dose_bq` is of the first slice."""


def convert(
    acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES, unit: str = SUV
) -> Conversion:
    """How the rescaled intensities of a series become a unit: "SUV", "Bq/ml" or "counts".

    Raises MissingMetadata or SuvError where a PET header does not say, or contradicts itself. A SPECT series whose unit
    cannot be had keeps its own, with `Conversion.missing` (see there).
    """
    work = _Work(acquisition, params, patient)
    ways = {"suv": _to_suv, "bq/ml": _to_activity, "counts": _to_counts}
    way = ways.get(unit.strip().lower())
    if way is None:
        raise ParamsError(f"unit {unit!r}: PET and SPECT series become {SUV}, {ACTIVITY} or {COUNTS}")
    if acquisition.modality not in ("PT", "NM"):
        found = acquisition.modality or "not given"
        raise WrongModality(f"{work.name}: modality {found}; {unit} is of PT or NM series")
    conversion = way(work)
    return conversion if conversion.missing else replace(conversion, unit=unit.strip())


def to_suv(acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES) -> Conversion:
    """SUV of the normalisation that the parameters name; errors as of `convert`."""
    return convert(acquisition, params, patient, SUV)


def to_activity(acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES) -> Conversion:
    """Bq/ml: as stored, or what a stored SUV was made of; errors as of `convert`."""
    return convert(acquisition, params, patient, ACTIVITY)


def to_counts(acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES) -> Conversion:
    """Counts as stored; SuvError where the series holds something else."""
    return convert(acquisition, params, patient, COUNTS)


def apply(volume: Volume, conversion: Conversion) -> Volume:
    """A volume of rescaled intensities in the conversion's unit."""
    if volume.array.shape[0] != conversion.factors.size:
        raise ValueError(f"{conversion.factors.size} factors for {volume.array.shape[0]} slices")
    array = volume.array * conversion.factors[:, None, None]
    return Volume(array, volume.grid, conversion.unit, volume.native)


@dataclass
class _Work:
    """A conversion being made: what goes in, and what is noted on the way."""

    acquisition: Acquisition
    params: Suv
    patient: PatientOverrides
    rule: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    figures: dict[str, float | str] = field(default_factory=lambda: dict(FIGURES))

    def __post_init__(self) -> None:
        self.warnings += self.acquisition.notes

    @property
    def name(self) -> str:
        return self.acquisition.name

    def note(self, step: str, words: str, **figures: float | str) -> None:
        self.rule[step] = f"{self.rule[step]}; {words}" if step in self.rule else words
        self.figures.update(figures)

    def warn(self, words: str) -> None:
        if words not in self.warnings:
            self.warnings.append(words)

    def lacks(self, what: str, column: str) -> MissingMetadata:
        return MissingMetadata(f"{self.name}: {what}; nothing is assumed in its place: give {column} in the case table")

    def done(self, unit: str, factors: np.ndarray, missing: str = "") -> Conversion:
        if not np.all(np.isfinite(factors)) or not np.all(factors > 0):
            raise SuvError(f"{self.name}: a factor of {float(factors.min()):g} comes out, which cannot be right")
        low, high = float(factors.min()), float(factors.max())
        spread = f"{low:.9g}" if low == high else f"{low:.9g} to {high:.9g}, by slice"
        self.note("factor", f"rescaled values times {spread} give {unit}", factor_min=low, factor_max=high)
        return Conversion(unit, factors, dict(self.rule), tuple(self.warnings), dict(self.figures), missing)


# What the stored values are -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stored:
    """Meaning of the rescaled values times `factors` [z]: Bq/ml, or SUV of a normalisation where one is named."""

    factors: np.ndarray
    normalisation: Normalisation | None = None


def _to_suv(work: _Work) -> Conversion:
    if work.acquisition.modality == "NM":
        return _spect(work, SUV)
    stored, target = _stored(work), work.params.normalisation
    if stored.normalisation:
        return work.done(SUV, stored.factors * _renormalise(work, stored.normalisation, target))
    return work.done(SUV, stored.factors * _suv_per_activity(work, target))


def _to_activity(work: _Work) -> Conversion:
    if work.acquisition.modality == "NM":
        return _spect(work, ACTIVITY)
    stored = _stored(work)
    if not stored.normalisation:
        return work.done(ACTIVITY, stored.factors)
    return work.done(ACTIVITY, stored.factors / _suv_per_activity(work, stored.normalisation, own=True))


def _to_counts(work: _Work) -> Conversion:
    units = work.acquisition.units
    if work.acquisition.modality == "PT" and units not in ("CNTS", "PROPCNTS"):
        raise SuvError(f"{work.name}: Units (0054,1001) is {units or 'empty'}, not CNTS; counts cannot be had from it")
    work.note("units", "counts, as stored", units=units)
    return work.done(COUNTS, _ones(work))


def _ones(work: _Work) -> np.ndarray:
    return np.ones(len(work.acquisition.slices))


def _stored(work: _Work) -> _Stored:
    """What PET values are, by Units (0054,1001) and the vendor's private elements; SuvError for other units."""
    a = work.acquisition
    _require_no_intercept(work)
    _require_corrections(work)
    work.figures.update(units=a.units, decay_correction=a.decay_correction)
    if a.units == "BQML":
        private = a.philips_suv_factor or a.philips_bqml_factor
        left = "; Philips' private factors are for counts, and not used" if private else ""
        work.note("units", f"BQML: the values are Bq/ml{left}")
        return _Stored(_ones(work))
    if a.units == "CNTS":
        return _counts_of_philips(work)
    if a.units in ("GML", "CM2ML"):
        return _Stored(_ones(work), _stored_suv(work))
    raise SuvError(
        f"{work.name}: Units (0054,1001) is {a.units or 'missing'}; SUV can be derived from BQML, GML, CM2ML, and "
        "Philips' CNTS; reconstruct or export the series in Bq/ml"
    )


def _require_no_intercept(work: _Work) -> None:
    wrong = next((s.rescale_intercept for s in work.acquisition.slices if s.rescale_intercept != 0), None)
    if wrong is not None:
        raise SuvError(f"{work.name}: RescaleIntercept is {wrong:g}; PET values have none (it must be 0), export again")
    slopes = {s.rescale_slope for s in work.acquisition.slices}
    how = "one slope" if len(slopes) == 1 else f"slice by slice, {len(slopes)} slopes"
    work.note("rescale", f"stored values were rescaled by RescaleSlope first ({how}); the intercept is 0")


def _require_corrections(work: _Work) -> None:
    a = work.acquisition
    if "ATTN" not in a.corrections:
        raise SuvError(f"{work.name}: CorrectedImage (0028,0051) has no ATTN: not corrected for attenuation, so no SUV")
    if a.decay_correction != "NONE" and "DECY" not in a.corrections:
        raise SuvError(
            f"{work.name}: CorrectedImage (0028,0051) has no DECY, but DecayCorrection (0054,1102) is "
            f"{a.decay_correction or 'empty'}; only with NONE could the decay be made up for"
        )
    if a.decay_correction == "NONE" and "DECY" in a.corrections:
        raise SuvError(
            f"{work.name}: CorrectedImage (0028,0051) lists DECY, but DecayCorrection (0054,1102) is NONE; which holds "
            "is not clear"
        )
    decay = "decay (DECY)" if "DECY" in a.corrections else "not decay (NONE)"
    work.note("corrections", f"corrected for attenuation (ATTN) and {decay}".replace("and not", "but not"))


def _counts_of_philips(work: _Work) -> _Stored:
    a = work.acquisition
    for factor, normalisation, tag, what in (
        (a.philips_suv_factor, "bw", "7053,1000", "SUV by body weight"),
        (a.philips_bqml_factor, None, "7053,1009", "Bq/ml"),
    ):
        if factor is None or factor == 0:
            continue
        if factor < 0:
            raise SuvError(f"{work.name}: Philips' private factor ({tag}) is {factor:g}, below 0")
        work.note("units", f"CNTS: counts times Philips' private factor {factor:g} ({tag}) are {what}")
        return _Stored(_ones(work) * factor, normalisation)  # type: ignore[arg-type]
    raise SuvError(
        f"{work.name}: Units (0054,1001) is CNTS, without Philips' private factors (7053,1000) or (7053,1009); if "
        "de-identification removed them, keep them there; else reconstruct in Bq/ml"
    )


def _stored_suv(work: _Work) -> Normalisation:
    """The normalisation of values that the scanner stored as SUV."""
    a = work.acquisition
    if a.units == "CM2ML":
        if a.suv_type not in ("", "BSA"):
            raise SuvError(f"{work.name}: Units CM2ML is SUV by body surface, but SUVType (0054,1006) is {a.suv_type}")
        work.note("units", "CM2ML: the values are SUV by body surface (bsa)")
        return "bsa"
    if a.suv_type not in SUV_TYPES:
        known = ", ".join(filter(None, SUV_TYPES))
        raise SuvError(f"{work.name}: Units GML with SUVType (0054,1006) {a.suv_type}; known are {known}")
    said = f"SUVType {a.suv_type}" if a.suv_type else "no SUVType, which means BW"
    work.note("units", f"GML: the values are SUV already, with {said}")
    return SUV_TYPES[a.suv_type]


# The patient ----------------------------------------------------------------------------------------------------------


def _renormalise(work: _Work, stored: Normalisation, target: Normalisation) -> float:
    """Factor from a stored SUV to another normalisation; also to the weight or dose of the case table, if it differs.

    The scanner's SUV is undone with what the header says, as the scanner used that, and made again with what holds.
    """
    before = len(work.warnings)
    factor = 1.0
    if stored != target or _table_differs(work):
        factor = _norm(work, target) / _norm(work, stored, own=True)
    own_dose = _dose(work, own=True) if work.patient.dose_bq is not None and work.acquisition.dose_bq else None
    if own_dose is not None:
        factor *= own_dose / _dose(work)
    if work.patient.injected is not None:
        work.warn("the case table's time of administration is not used: the scanner stored SUV")
    if stored == target and len(work.warnings) == before:
        work.note("normalisation", f"{target}, as stored", normalisation=target)
    return factor


def _table_differs(work: _Work) -> bool:
    """Whether the case table has a weight, height or sex that the scanner cannot have used."""
    a, p = work.acquisition, work.patient
    pairs = ((a.weight_kg, p.weight_kg, _kilograms), (a.height_m, p.height_m, _metres))
    return any(h and t and not _close(read(h)[0], read(t)[0]) for h, t, read in pairs) or bool(
        p.sex and a.sex and p.sex.upper() != a.sex
    )


def _kilograms(value: float) -> tuple[float, str]:
    return (value / 1000, f"{value:g} read as grams") if value > 1000 else (value, "")


def _metres(value: float) -> tuple[float, str]:
    return (value / 100, f"{value:g} read as centimetres") if value > 3 else (value, "")


def _close(first: float, second: float, share: float = 0.01) -> bool:
    return abs(first - second) <= share * abs(second)


@dataclass(frozen=True)
class _Measure:
    """A size of the body: where it stands, how a value is read, and in which unit. step, column : of `Conversion`"""

    step: str
    tag: str
    column: str
    unit: str
    read: Callable[[float], tuple[float, str]]


_WEIGHT = _Measure("weight", "PatientWeight (0010,1030)", "weight_kg", "kg", _kilograms)
_HEIGHT = _Measure("height", "PatientSize (0010,1020)", "height_m", "m", _metres)


def _size(work: _Work, of: _Measure, *, own: bool = False) -> float:
    """Weight in kg or height in m: of the header, unless the table differs by more than 1 %; `own`: of the header."""
    header, table = getattr(work.acquisition, of.column), getattr(work.patient, of.column)
    if table is not None and table <= 0:
        raise SuvError(f"{work.name}: the case table says {of.column} {table:g}; leave a cell empty where not known")
    known = header is not None and header > 0
    if not known and table is None:
        raise work.lacks(f"{of.tag} is {'missing' if header is None else f'{header:g}'}", of.column)
    value, how = of.read(header if known else table)
    words = of.tag if known else "of the case table, as the header has none"
    if known and table is not None and not own and not _close(value, of.read(table)[0]):
        said = f"{value:g} {of.unit}"
        value, how = of.read(table)
        work.warn(f"{of.step}: the header says {said}, the case table {value:g} {of.unit}, which is used")
        words = "of the case table against the header"
    if how and not own:
        work.warn(f"{of.step} {how}")
    if not own or of.step not in work.rule:
        work.rule[of.step] = f"{value:g} {of.unit}, {words}"
        work.figures[of.column] = value
    return value


def _sex(work: _Work, *, own: bool = False) -> str:
    """M, F or O; of the header, unless the case table says otherwise."""
    header, table = work.acquisition.sex, work.patient.sex.strip().upper()
    if table and table not in "MFO":
        raise SuvError(f"{work.name}: sex {table} in the case table; it is M, F or O")
    if header not in ("M", "F", "O"):
        if not table:
            found = "missing" if not header else "neither M, F nor O"
            raise work.lacks(f"PatientSex (0010,0040) is {found}, and this normalisation needs it", "sex")
        sex, words = table, f"{table}, of the case table, as the header has none"
    elif table and table != header and not own:
        work.warn(f"sex: the header says {header}, the case table {table}, which is used")
        sex, words = table, f"{table}, of the case table against the header"
    else:
        sex, words = header, f"{header}, PatientSex (0010,0040)"
    if sex == "O":
        if work.params.strict:
            raise SuvError(f"{work.name}: sex O, and this normalisation differs by sex; give sex in the case table")
        work.warn("sex O: the mean of both sexes' values is taken")
    if not own or not work.figures["sex"]:
        work.rule["sex"] = words
        work.figures["sex"] = sex
    return sex


def _norm(work: _Work, normalisation: Normalisation, *, own: bool = False) -> float:
    """What an SUV is normalised to, in g, or cm2 for bsa."""
    if normalisation == "bw":
        size, words = _size(work, _WEIGHT, own=own), "body weight"
    elif normalisation == "ibw":
        size, words = body.ideal_weight_kg(_size(work, _HEIGHT, own=own), _sex(work, own=own)), "ideal body weight"
    elif normalisation == "bsa":
        size, words = (
            body.body_surface_m2(_size(work, _WEIGHT, own=own), _size(work, _HEIGHT, own=own)),
            "body surface after Du Bois",
        )
    else:
        weight, height, sex = _size(work, _WEIGHT, own=own), _size(work, _HEIGHT, own=own), _sex(work, own=own)
        size, words = _lean_mass(work, normalisation, weight, height, sex)
    if size <= 0:
        raise SuvError(f"{work.name}: {words} comes out as {size:.3g} kg, which cannot be; check weight and height")
    norm, unit = (size * 1e4, "cm2") if normalisation == "bsa" else (size * 1e3, "g")
    if not own:
        step = f"{normalisation}: {words}, {norm:.6g} {unit}"
        work.note("normalisation", step, normalisation=normalisation, norm=norm, norm_unit=unit)
    return norm


def _lean_mass(work: _Work, kind: Normalisation, weight: float, height: float, sex: str) -> tuple[float, str]:
    if kind == "lbmjanma":
        return body.lean_mass_janmahasatian_kg(weight, height, sex), "lean body mass after Janmahasatian"
    vertex = min(body.JAMES_VERTEX_BMI[s] for s in ("MF" if sex == "O" else sex))
    if weight / height**2 > vertex:
        work.warn(
            f"body mass index {weight / height**2:.1f} lies above {vertex:.1f} kg/m2, from where James's lean mass "
            "falls with rising weight; lbmjanma does not"
        )
    male = 128.0 if kind == "lbmjames128" else 120.0
    return body.lean_mass_james_kg(weight, height, sex, male=male), f"lean body mass after James, {male:g} in men"


def _dose(work: _Work, *, own: bool = False) -> float:
    """Administered activity in Bq; below 1e5 it is in MBq, as NM objects write it (PS3.3 C.8.4.10.1.7)."""
    header, table = work.acquisition.dose_bq, work.patient.dose_bq
    if table is not None and table <= 0:
        raise SuvError(f"{work.name}: the case table says dose_bq {table:g}; leave the cell empty where not known")
    known = header is not None and header > 0
    if not known and (table is None or own):
        found = "missing" if header is None else f"{header:g}"
        raise work.lacks(f"RadionuclideTotalDose (0018,1074) is {found}", "dose_bq")
    dose = _becquerel(work, header, "RadionuclideTotalDose", work.acquisition.modality == "NM") if known else None
    words = "RadionuclideTotalDose (0018,1074)"
    if table is not None and not own:
        given = _becquerel(work, table, "the case table's dose", False)
        if dose is None:
            dose, words = given, "of the case table, as the header has none"
        elif not _close(dose, given):
            work.warn(f"dose: the header says {dose / 1e6:g} MBq, the case table {given / 1e6:g} MBq, which is used")
            dose, words = given, "of the case table against the header"
    assert dose is not None
    work.rule["dose"] = f"{dose / 1e6:.9g} MBq, {words}"
    work.figures["dose_bq"] = dose
    return dose


def _becquerel(work: _Work, value: float | None, what: str, in_megabecquerel: bool) -> float:
    assert value is not None
    if value < MEGABECQUEREL_BELOW:
        if not in_megabecquerel:
            work.warn(f"{what} is {value:g}, far too little in Bq: read as MBq")
        return value * 1e6
    if in_megabecquerel:
        work.warn(f"{what} is {value:g}, far too much in MBq, the unit of NM objects: read as Bq")
    return value


# Times ----------------------------------------------------------------------------------------------------------------


def _half_life(work: _Work) -> float:
    """Half-life in s: the header's, else that of its radionuclide."""
    a = work.acquisition
    table = HALF_LIVES_S.get(a.nuclide)
    work.figures["nuclide"] = a.nuclide
    if a.half_life_s is None or a.half_life_s <= 0:
        if table is None:
            raise MissingMetadata(
                f"{work.name}: RadionuclideHalfLife (0018,1075) is missing, and RadionuclideCodeSequence names no "
                "radionuclide of the table; write one of them into the headers"
            )
        work.note("half_life", f"{table:g} s, of {a.nuclide}, as the header has none", half_life_s=table)
        work.warn(f"no half-life in the header: {table:g} s is taken for {a.nuclide}")
        return table
    work.note("half_life", f"{a.half_life_s:g} s, RadionuclideHalfLife (0018,1075)", half_life_s=a.half_life_s)
    if table is not None and not _close(a.half_life_s, table):
        work.warn(f"the header's half-life {a.half_life_s:g} s is not that of {a.nuclide}, {table:g} s; it is used")
    elif table is None and not any(_close(a.half_life_s, known) for known in HALF_LIVES_S.values()):
        work.warn(f"the header's half-life {a.half_life_s:g} s is that of no radionuclide of the table; it is used")
    return a.half_life_s


def _administered(work: _Work, reference: datetime) -> tuple[datetime, str, str] | None:
    """Time of administration, token and words of the rule; None where header and table say nothing.

    A time of day alone is on the day of `reference`, or the day before where that lies after it.
    """
    a, table = work.acquisition, work.patient.injected
    found: tuple[datetime, str, str] | None = None
    if a.administered is not None:
        found = a.administered, "datetime", "RadiopharmaceuticalStartDateTime (0018,1078)"
    elif a.administered_time is not None:
        zone = a.administered_time.tzinfo
        day = (reference.astimezone(zone) if zone and reference.tzinfo else reference).date()
        moment = datetime.combine(day, a.administered_time)
        tag = "RadiopharmaceuticalStartTime (0018,1072)"
        found = moment, "time", f"{tag}, on the day of the reference time"
        if moment > reference:
            found = moment - timedelta(days=1), "time-before-midnight", f"{tag}, on the day before: over midnight"
    if table is None:
        return found
    table = table.replace(tzinfo=reference.tzinfo) if table.tzinfo is None else table
    if reference.tzinfo is None and table.tzinfo is not None:
        raise SuvError(
            f"{work.name}: the case table's injected has a UTC offset, the header's times have none; write both alike"
        )
    if found is None:
        return table, "case-table", "of the case table, as the header has none"
    if abs((found[0] - table).total_seconds()) <= CLOCK_SLACK_S:
        return found
    both = [time_of_day(moment, reference) for moment in (found[0], table)]
    work.warn(f"administration: the header says {both[0]}, the case table {both[1]}, which is used")
    return table, "case-table", "of the case table against the header"


def _administration(work: _Work, reference: datetime) -> datetime:
    """Time of administration; MissingMetadata where nothing says it."""
    a = work.acquisition
    found = _administered(work, reference)
    if found is None:
        both = "RadiopharmaceuticalStartDateTime (0018,1078) and RadiopharmaceuticalStartTime (0018,1072)"
        raise work.lacks(f"{both} are missing", "injected")
    moment, token, words = found
    if a.administered is not None and a.administered_time is not None and token == "datetime":
        apart = (datetime.combine(a.administered.date(), a.administered_time) - a.administered).total_seconds() % DAY_S
        if min(apart, DAY_S - apart) > CLOCK_SLACK_S:
            work.warn("RadiopharmaceuticalStartTime (0018,1072) says another time than (0018,1078), which is used")
    shown = time_of_day(moment, reference)
    work.note("administration", f"{shown}, {words}", administration_rule=token, t_adm=shown)
    return moment


def time_of_day(moment: datetime, reference: datetime) -> str:
    """A time of day, and how many days before or after the reference; dates are nobody's business."""
    if moment.tzinfo and reference.tzinfo:
        moment = moment.astimezone(reference.tzinfo)
    text = moment.strftime("%H:%M:%S") + (f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else "")
    days = (moment.date() - reference.date()).days
    if not days:
        return text
    return f"{text} ({abs(days)} {'day' if abs(days) == 1 else 'days'} {'after' if days > 0 else 'before'})"


def _acquired(work: _Work) -> list[datetime]:
    """Start of the acquisition of every slice."""
    found = [s.acquired for s in work.acquisition.slices]
    times = [moment for moment in found if moment is not None]
    if len(times) < len(found):
        raise MissingMetadata(
            f"{work.name}: {len(found) - len(times)} of {len(found)} slices have no AcquisitionDate (0008,0022) and "
            "AcquisitionTime (0008,0032), so the decay correction cannot be dated"
        )
    return times


def _mean_count_time_s(decay: float, duration_s: np.ndarray) -> np.ndarray:
    """Time after its start at which a frame has its mean activity: ln(λT / (1 - e^-λT)) / λ."""
    x = decay * duration_s
    return np.log(x / -np.expm1(-x)) / decay


def _is_ge(manufacturer: str) -> bool:
    name = manufacturer.upper()
    return name == "GE" or name.startswith("GE ") or "GENERAL ELECTRIC" in name or "GEMS" in name


def _reference(work: _Work, decay: float) -> datetime:
    """The time that START corrects to. In this order:

    DecayCorrectionDateTime of enhanced PET; GE's private scan time, if it lies after the administration, not after the
    end of the acquisition and within a day of its start; the series' time, if not later than the first acquisition;
    worked back from FrameReferenceTime, if all beds agree within 2 s, never for GE and Philips, which mean another time
    by it; else the first acquisition, with a warning.
    """
    a, acquired = work.acquisition, _acquired(work)
    first = min(acquired)
    if a.decay_corrected_to is not None:
        moment, token, words = a.decay_corrected_to, "decay-correction-datetime", "DecayCorrectionDateTime (0018,9701)"
    elif a.ge_reference is not None and _ge_plausible(work, acquired):
        moment, token, words = a.ge_reference, "ge-private", "GE's private scan time (0009,100D)"
        if a.series_time is not None and a.series_time <= first:
            _compare(work, decay, moment, a.series_time, "the series' time")
    elif a.series_time is not None and a.series_time <= first:
        moment, token = a.series_time, "series-time"
        words = "SeriesTime (0008,0031), as it is not later than the first acquisition"
        worked_back = _worked_back(work, decay, acquired, warn=False)
        if worked_back is not None:
            _compare(work, decay, moment, worked_back, "what FrameReferenceTime leads back to")
    else:
        moment, token, words = _without_series_time(work, decay, acquired)
    shown = time_of_day(moment, first)
    work.note("reference", f"{shown}, {words}", reference_rule=token, t_ref=shown)
    _compare_siemens(work, decay, moment)
    before_s = (first - moment).total_seconds()
    if before_s > LONG_BEFORE_S:
        work.warn(f"the reference time lies {before_s / 3600:.1f} h before the first acquisition")
    return moment


def _without_series_time(work: _Work, decay: float, acquired: list[datetime]) -> tuple[datetime, str, str]:
    later = "is missing" if work.acquisition.series_time is None else "is later than the first acquisition"
    moment = _worked_back(work, decay, acquired, warn=True)
    if moment is not None:
        return moment, "frame-reference-time", f"worked back from FrameReferenceTime, as SeriesTime {later}"
    work.warn(
        f"the series' time {later}, and nothing else tells what START was corrected to: the first acquisition is taken"
    )
    return min(acquired), "first-acquisition", f"the first AcquisitionTime (0008,0032), as SeriesTime {later}"


def _ge_plausible(work: _Work, acquired: list[datetime]) -> bool:
    """Whether GE's private time can be the reference; de-identification may have shifted all dates but this one."""
    moment = work.acquisition.ge_reference
    assert moment is not None
    given = _administered(work, moment)
    ends = [t + timedelta(seconds=s.duration_s or 0) for t, s in zip(acquired, work.acquisition.slices, strict=True)]
    late = (moment - max(ends)).total_seconds() > CLOCK_SLACK_S
    far = abs((moment - min(acquired)).total_seconds()) > DAY_S
    if not (late or far or (given is not None and moment < given[0])):
        return True
    work.warn(
        "GE's private scan time (0009,100D) does not fit administration and acquisition, perhaps as dates were "
        "shifted; it is not used"
    )
    return False


def _worked_back(work: _Work, decay: float, acquired: list[datetime], *, warn: bool) -> datetime | None:
    """Acquisition + mean count time - FrameReferenceTime, where vendors mean that; the median of slices that agree."""
    a = work.acquisition
    philips = "PHILIPS" in a.manufacturer.upper() or a.philips_suv_factor or a.philips_bqml_factor
    if philips or _is_ge(a.manufacturer) or a.ge_reference is not None:
        return None
    if not all((s.frame_reference_s or 0) > 0 and (s.duration_s or 0) > 0 for s in a.slices):
        return None
    duration = np.array([s.duration_s for s in a.slices], float)
    frame_reference = np.array([s.frame_reference_s for s in a.slices], float)
    after = np.array([(moment - acquired[0]).total_seconds() for moment in acquired])
    seconds = after + _mean_count_time_s(decay, duration) - frame_reference
    spread = float(np.ptp(seconds))
    if spread > BEDS_AGREE_S:
        if warn:
            work.warn(f"FrameReferenceTime leads the beds back to times {spread:.0f} s apart; it is not used")
        return None
    return acquired[0] + timedelta(seconds=float(np.median(seconds)))


def _compare(work: _Work, decay: float, used: datetime, other: datetime, what: str) -> None:
    """A warning where another time than the one used would change an SUV by more than 1 %."""
    apart = (other - used).total_seconds()
    if abs(math.expm1(decay * apart)) > 0.01:
        work.warn(
            f"{what} lies {abs(apart):.0f} s {'after' if apart > 0 else 'before'} the reference time used: SUV would "
            f"differ by {100 * abs(math.expm1(decay * apart)):.1f} %"
        )


def _compare_siemens(work: _Work, decay: float, used: datetime) -> None:
    """Siemens' private decay time has always been the series' time; whole days apart it was merely not shifted."""
    other = work.acquisition.siemens_reference
    if other is None:
        return
    days = round((other - used).total_seconds() / DAY_S)
    _compare(work, decay, used, other - timedelta(days=days), "Siemens' private decay time (0071,1022)")


# The factor -----------------------------------------------------------------------------------------------------------


def _suv_per_activity(work: _Work, target: Normalisation, *, own: bool = False) -> np.ndarray:
    """SUV of a concentration of 1 Bq/ml, float64 [z]: the normalisation's g or cm2 over the dose that is left."""
    norm = _norm(work, target, own=own)
    left = _dose(work, own=own) / _undecayed(work)
    work.figures["decayed_dose_bq"] = float(left[0])
    if own:
        work.note("normalisation", f"{target} undone: {norm:.6g}", normalisation=target, norm=norm)
    return norm / left


def _undecayed(work: _Work) -> np.ndarray:
    """Administered dose over the dose that the values refer to, float64 [z], by DecayCorrection (0054,1102)."""
    a = work.acquisition
    kind = a.decay_correction
    if kind == "ADMIN":
        return _corrected_to_administration(work)
    half_life = _half_life(work)
    decay = math.log(2) / half_life
    if kind == "NONE":
        return _not_corrected(work, decay)
    if kind != "START" and not (kind == "" and a.decay_corrected_to is not None):
        found = kind or "missing"
        kind_of = MissingMetadata if not kind else SuvError
        raise kind_of(f"{work.name}: DecayCorrection (0054,1102) is {found}; it must be START, ADMIN or NONE")
    moment = _reference(work, decay)
    administered = _administration(work, moment)
    elapsed = _elapsed(work, administered, moment, half_life, "the reference time")
    work.note("decay", f"{kind or 'corrected'}: the dose decays for {elapsed:.6g} s, from administration to reference")
    _check_decay_factor(work, decay, moment)
    return _ones(work) * math.exp(decay * elapsed)


def _corrected_to_administration(work: _Work) -> np.ndarray:
    """ADMIN: the dose as administered; times only serve the checks, where the header has them."""
    work.note("decay", "ADMIN: values are corrected to the administration, so the dose is taken as it was then")
    a = work.acquisition
    times = [s.acquired for s in a.slices if s.acquired is not None]
    known = (a.half_life_s or 0) > 0 or a.nuclide in HALF_LIVES_S
    if len(times) < len(a.slices) or _administered(work, min(times)) is None or not known:
        return _ones(work)
    half_life = _half_life(work)
    administered = _administration(work, min(times))
    _elapsed(work, administered, min(times), half_life, "the first acquisition")
    work.figures.update(reference_rule="administration", t_ref=work.figures["t_adm"], elapsed_s=0.0)
    _check_decay_factor(work, math.log(2) / half_life, administered)
    return _ones(work)


def _not_corrected(work: _Work, decay: float) -> np.ndarray:
    """NONE: by slice, the decay up to its acquisition, and the mean decay during it."""
    a, acquired = work.acquisition, _acquired(work)
    duration = np.array([s.duration_s or a.collected_s or 0 for s in a.slices], float)
    if not np.all(duration > 0):
        what = "ActualFrameDuration (0018,1242) is missing, which DecayCorrection NONE needs"
        raise MissingMetadata(f"{work.name}: {what}; export the series with it")
    starts, beds = set(acquired), {s.frame_reference_s for s in a.slices}
    if len(starts) == 1 and len(beds) > 1:
        raise SuvError(
            f"{work.name}: DecayCorrection is NONE, and beds with different FrameReferenceTime share one acquisition "
            "time; when each was acquired is not clear"
        )
    administered = _administration(work, min(acquired))
    _elapsed(work, administered, min(acquired), math.log(2) / decay, "the first acquisition")
    after = np.array([(moment - administered).total_seconds() for moment in acquired])
    first = time_of_day(min(acquired), min(acquired))
    work.note("reference", "each slice's own acquisition", reference_rule="each-slice", t_ref=first)
    span = f"{after.min():.6g} to {after.max():.6g} s"
    work.note("decay", f"NONE: the dose decays by slice until its acquisition, {span}, and during it")
    factors = [s.decay_factor for s in a.slices if s.decay_factor]
    if any(abs(f - 1) > 0.01 for f in factors):
        work.warn("DecayFactor (0054,1321) is not 1, though DecayCorrection is NONE")
    x = decay * duration
    return np.exp(decay * after) * x / -np.expm1(-x)


def _elapsed(work: _Work, administered: datetime, until: datetime, half_life: float, what: str) -> float:
    """Seconds from administration; SuvError where negative, a warning where improbably long."""
    elapsed = (until - administered).total_seconds()
    if elapsed < 0:
        raise SuvError(
            f"{work.name}: the administration lies {-elapsed:g} s after {what}; dates or times of the header do not "
            "fit (shifted in de-identification, or a clock that was off): give injected in the case table"
        )
    f18 = work.acquisition.nuclide == "F-18" or _close(half_life, HALF_LIVES_S["F-18"])
    if elapsed > 10 * half_life or (f18 and elapsed > DAY_S):
        span = f"{elapsed / 3600:.1f} h, {elapsed / half_life:.1f} half-lives,"
        work.warn(f"{span} lie between administration and {what}")
    times = [s.acquired for s in work.acquisition.slices if s.acquired is not None]
    uptake = (min(times) - administered).total_seconds() if times else math.nan
    work.figures.update(elapsed_s=elapsed, uptake_s=uptake)
    return elapsed


def _check_decay_factor(work: _Work, decay: float, reference: datetime) -> None:
    """Compare DecayFactor (0054,1321) with what the time chosen asks for; a warning where no reading of it fits.

    A slice's factor is e^(λ·start) · λT/(1 - e^-λT), or without the decay during the frame, with `start` its
    acquisition after the reference. Vendors that give one acquisition time for all beds say the start by
    FrameReferenceTime: GE as the start itself, the standard as the time of the mean activity. That counts only where
    the bed would not begin before the acquisition did.
    """
    a, acquired = work.acquisition, _acquired(work)
    factors = np.array([s.decay_factor or math.nan for s in a.slices])
    if np.isnan(factors).any():
        work.note("check", "no DecayFactor (0054,1321) to check the reference time with")
        return
    duration = np.array([s.duration_s or 0 for s in a.slices], float)
    mean_s = np.where(duration > 0, _mean_count_time_s(decay, np.where(duration > 0, duration, 1.0)), 0.0)
    start = np.array([(moment - reference).total_seconds() for moment in acquired])
    readings = {"acquisition times": start + mean_s, "acquisition times, without decay in the frame": start}
    frame = np.array([math.nan if s.frame_reference_s is None else s.frame_reference_s for s in a.slices])
    begin = frame if _is_ge(a.manufacturer) else frame - mean_s
    if a.decay_correction != "ADMIN" and np.all(begin >= start - CLOCK_SLACK_S):
        readings["FrameReferenceTime"] = begin + mean_s
    off = {what: float(np.abs(factors / np.exp(decay * after) - 1).max()) for what, after in readings.items()}
    best = min(off, key=lambda what: off[what])
    work.figures["decay_factor_deviation"] = off[best]
    if off[best] <= 0.01:
        work.note("check", f"DecayFactor (0054,1321) agrees within {off[best]:.1g} with {best}")
        return
    work.note("check", f"DecayFactor (0054,1321) contradicts the reference time by {100 * off[best]:.1f} %")
    work.warn(
        f"DecayFactor (0054,1321) contradicts the time of decay correction ({a.decay_correction or 'enhanced'}) by "
        f"{100 * off[best]:.1f} %; the SUV follows DecayCorrection and the times"
    )


# SPECT ----------------------------------------------------------------------------------------------------------------


def _spect(work: _Work, unit: str) -> Conversion:
    """SPECT: Bq/ml by the header's unit code or the camera's factor, SUV where dose and times are known; else as is."""
    a = work.acquisition
    work.figures.update(units=a.units or a.mapping_unit, decay_correction=a.decay_correction)
    activity, why_not = _spect_activity(work)
    if activity is None:
        work.note("units", f"counts, as stored: {why_not}")
        return work.done(COUNTS, _ones(work), missing=f"the image is in counts: {why_not}")
    if unit == ACTIVITY:
        return work.done(ACTIVITY, activity)
    try:
        factors = activity * _suv_per_activity(_dated(work), work.params.normalisation)
    except MissingMetadata as e:
        lacking = str(e).removeprefix(f"{work.name}: ")
        return work.done(ACTIVITY, activity, missing=f"the image is in Bq/ml, not in SUV: {lacking}")
    return work.done(SUV, factors)


def _spect_activity(work: _Work) -> tuple[np.ndarray | None, str]:
    """Bq/ml per rescaled value, float64 [z], or why there is none."""
    a, camera = work.acquisition, work.params.camera_factor
    if a.corrections and "ATTN" not in a.corrections:
        return None, "CorrectedImage (0028,0051) has no ATTN: not corrected for attenuation"
    scale = {"bq/ml": 1.0, "kbq/ml": 1e3, "mbq/ml": 1e6}.get(a.mapping_unit.lower())
    if scale is not None:
        if any(s.mapping is None or s.mapping[1] != 0 or s.rescale_intercept != 0 for s in a.slices):
            what = f"RealWorldValueMapping to {a.mapping_unit} has an intercept, or is not in all slices"
            raise SuvError(f"{work.name}: {what}; export the series again")
        if camera is not None:
            work.warn("the camera factor of the parameters is not used: the header maps to Bq/ml itself")
        work.note("units", f"RealWorldValueMapping to {a.mapping_unit}")
        _warn_of_attenuation(work)
        return np.array([scale * s.mapping[0] / s.rescale_slope for s in a.slices if s.mapping]), ""
    if camera is None:
        code = f"RealWorldValueMapping is to {a.mapping_unit!r}" if a.mapping_unit else "the header names no unit"
        return None, f"{code}, and the parameters have no camera_factor"
    if (camera.model and camera.model != a.model) or (camera.nuclide and camera.nuclide != a.nuclide):
        return None, "camera_factor is of another camera or radionuclide"
    if camera.per == "count/s" and not a.collected_s:
        return None, "camera_factor is per count per second, and the header does not say the time of collection"
    if not camera.model or not camera.nuclide:
        work.warn("camera_factor does not name its camera and radionuclide, so it is not checked whether it fits")
    _warn_of_attenuation(work)
    seconds = a.collected_s if camera.per == "count/s" and a.collected_s else 1.0
    during = f", collected in {seconds:g} s" if camera.per == "count/s" else ""
    work.note("units", f"counts times the camera's factor, {camera.value:g} Bq/ml per {camera.per}{during}")
    return _ones(work) * (camera.value / seconds), ""


def _warn_of_attenuation(work: _Work) -> None:
    if not work.acquisition.corrections:
        work.warn("CorrectedImage (0028,0051) is missing: whether attenuation was corrected for is not said")


def _dated(work: _Work) -> _Work:
    """The same, with NONE for a missing DecayCorrection where nothing says that decay was corrected for."""
    a = work.acquisition
    if a.decay_correction or a.decay_corrected_to is not None:
        return work
    if "DECY" in a.corrections:
        raise MissingMetadata(f"{work.name}: corrected for decay (DECY), but to which time is not said")
    work.warn("the header does not say how decay was corrected for: values are taken as means over the acquisition")
    work.acquisition = replace(a, decay_correction="NONE")
    work.figures["decay_correction"] = "NONE"
    return work
