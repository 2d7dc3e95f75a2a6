"""The administered activity, in Bq whatever unit was meant."""

from __future__ import annotations

from radiomics_pipeline.errors import SuvError
from radiomics_pipeline.imaging.suv.work import Work, close

MEGABECQUEREL_BELOW = 1e5
"""A dose below this is read as MBq: 0.1 MBq is never given, 100 GBq neither."""


USUAL_BQ = (1e6, 5e10)
"""Activities that are given to people; beyond them a warning."""


def dose_bq(work: Work, *, own: bool = False) -> float:
    """Administered activity in Bq; below 1e5 it is in MBq, as NM objects write it (PS3.3 C.8.4.10.1.7)."""
    header, table = work.acquisition.dose_bq, work.patient.dose_bq
    if table is not None and table <= 0:
        raise SuvError(f"{work.name}: the case table says dose_bq {table:g}; leave the cell empty where not known")
    known = header is not None and header > 0
    if not known and (table is None or own):
        found = "missing" if header is None else f"{header:g}"
        raise work.lacks(f"RadionuclideTotalDose (0018,1074) is {found}", "<SERIES>_dose_mbq")
    dose = _becquerel(work, header, "RadionuclideTotalDose", work.acquisition.modality == "NM") if known else None
    words = "RadionuclideTotalDose (0018,1074)"
    if table is not None and not own:
        given = _becquerel(work, table, "the case table's dose", False)
        if dose is None:
            dose, words = given, "of the case table, as the header has none"
        elif not close(dose, given):
            work.warn(f"dose: the header says {dose / 1e6:g} MBq, the case table {given / 1e6:g} MBq, which is used")
            dose, words = given, "of the case table against the header"
    assert dose is not None
    if not own and not USUAL_BQ[0] <= dose <= USUAL_BQ[1]:
        work.warn(f"dose of {dose / 1e6:g} MBq: is that right?")
    work.rule["dose"] = f"{dose / 1e6:.9g} MBq, {words}"
    work.figures["dose_bq"] = dose
    return dose


def _becquerel(work: Work, value: float | None, what: str, in_megabecquerel: bool) -> float:
    assert value is not None
    if value < MEGABECQUEREL_BELOW:
        if not in_megabecquerel:
            work.warn(f"{what} is {value:g}, far too little in Bq: read as MBq")
        return value * 1e6
    if in_megabecquerel:
        work.warn(f"{what} is {value:g}, far too much in MBq, the unit of NM objects: read as Bq")
    return value
