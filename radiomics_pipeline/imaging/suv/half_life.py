"""Half-lives: of the header, else of the radionuclide."""

from __future__ import annotations

from radiomics_pipeline.errors import MissingMetadata, SuvError
from radiomics_pipeline.imaging.suv.work import Work, close

HALF_LIVES_S = {
    "F-18": 6586.2, "C-11": 1223.4, "N-13": 597.9, "O-15": 122.24, "Rb-82": 76.38, "Ga-68": 4062.6, "Cu-64": 45720.0,
    "Zr-89": 282276.0, "I-124": 360806.0, "Tc-99m": 21654.0, "I-123": 47772.0, "In-111": 242326.0, "Tl-201": 262483.0,
    "I-131": 692988.0, "Lu-177": 574301.0, "Ge-68": 23410080.0,
}  # fmt: skip
"""Half-lives in s (ICRP publication 107); a header's own goes before them."""

FARTHEST = 0.1
"""Share by which a header's half-life may lie beside that of its radionuclide; what is farther off is a mistake in one
of the two, such as minutes in place of seconds, or the radionuclide of another examination."""


def half_life_s(work: Work, *, decays: bool = True) -> float:
    """Half-life in s: the header's, else that of its radionuclide.

    decays : whether factors hang on it; where it serves checks only, one that cannot be right is told and not refused
    """
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
    if decays and table is not None and not close(a.half_life_s, table, FARTHEST):
        raise SuvError(
            f"{work.name}: RadionuclideHalfLife (0018,1075) is {a.half_life_s:g} s, and that of {a.nuclide}, which "
            f"RadionuclideCodeSequence names, {table:g} s; one of them is wrong: put the headers right"
        )
    if table is not None and not close(a.half_life_s, table):
        work.warn(f"the header's half-life {a.half_life_s:g} s is not that of {a.nuclide}, {table:g} s; it is used")
    elif table is None and not any(close(a.half_life_s, known) for known in HALF_LIVES_S.values()):
        work.warn(f"the header's half-life {a.half_life_s:g} s is that of no radionuclide of the table; it is used")
    return a.half_life_s
