"""Weight, height and sex: of the header, or of the case table where that has none or says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from radiomics_pipeline.errors import SuvError
from radiomics_pipeline.imaging.suv.work import Work, close
from radiomics_pipeline.params.suv import Normalisation


def _kilograms(value: float) -> tuple[float, str]:
    return (value / 1000, f"{value:g} read as grams") if value > 1000 else (value, "")


def _metres(value: float) -> tuple[float, str]:
    return (value / 100, f"{value:g} read as centimetres") if value > 3 else (value, "")


@dataclass(frozen=True)
class _Measure:
    """A size of the body: where it stands, how a value is read, and in which unit.

    step, column : of `Conversion`; usual : beyond it a warning
    """

    step: str
    tag: str
    column: str
    unit: str
    read: Callable[[float], tuple[float, str]]
    usual: tuple[float, float]


_WEIGHT = _Measure("weight", "PatientWeight (0010,1030)", "weight_kg", "kg", _kilograms, (2.0, 350.0))
_HEIGHT = _Measure("height", "PatientSize (0010,1020)", "height_m", "m", _metres, (0.3, 2.5))


def weight_kg(work: Work, *, own: bool = False) -> float:
    """Weight in kg; above 1000 read as grams. own : what the header says, as the scanner used it"""
    return _size(work, _WEIGHT, own=own)


def height_m(work: Work, *, own: bool = False) -> float:
    """Height in m; above 3 read as centimetres. own : what the header says, as the scanner used it"""
    return _size(work, _HEIGHT, own=own)


def _size(work: Work, of: _Measure, *, own: bool = False) -> float:
    """Weight in kg or height in m: of the header, unless the table differs by more than 1 %; `own`: of the header."""
    header, table = getattr(work.acquisition, of.column), getattr(work.patient, of.column)
    if table is not None and table <= 0:
        raise SuvError(f"{work.name}: the case table says {of.column} {table:g}; leave a cell empty where not known")
    known = header is not None and header > 0
    if not known and table is None:
        raise work.lacks(f"{of.tag} is {'missing' if header is None else f'{header:g}'}", of.column)
    value, how = of.read(header if known else table)
    words = of.tag if known else "of the case table, as the header has none"
    if known and table is not None and not own and not close(value, of.read(table)[0]):
        said = f"{value:g} {of.unit}"
        value, how = of.read(table)
        work.warn(f"{of.step}: the header says {said}, the case table {value:g} {of.unit}, which is used")
        words = "of the case table against the header"
    if how and not own:
        work.warn(f"{of.step} {how}")
    if not own and not of.usual[0] <= value <= of.usual[1]:
        work.warn(f"{of.step} of {value:g} {of.unit}: is that right?")
    if not own or of.step not in work.rule:
        work.rule[of.step] = f"{value:g} {of.unit}, {words}"
        work.figures[of.column] = value
    return value


def sex_of(work: Work, *, own: bool = False) -> str:
    """M, F or O; of the header, unless the case table says otherwise."""
    header, table = work.acquisition.sex, work.patient.sex.strip().upper()
    if table and table not in ("M", "F", "O"):
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


def table_differs(work: Work, kinds: Iterable[Normalisation]) -> bool:
    """Whether the case table has a weight, height or sex that the scanner cannot have used.

    kinds : normalisations that are to be computed; height and sex count only where one of them needs them
    """
    a, p = work.acquisition, work.patient
    needed = set(kinds)
    pairs = [(a.weight_kg, p.weight_kg, _kilograms)]
    if needed - {"bw"}:
        pairs.append((a.height_m, p.height_m, _metres))
    sexed = bool(needed - {"bw", "bsa"} and p.sex and a.sex and p.sex.strip().upper() != a.sex)
    return sexed or any(h and t and not close(read(h)[0], read(t)[0]) for h, t, read in pairs)
