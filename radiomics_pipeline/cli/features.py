"""radiomics-pipeline features: what can be measured."""

from __future__ import annotations

from typing import Annotated

import typer

_Standard = Annotated[str, typer.Option("--standard", metavar="NAME", help="Whose definitions: ibsi or pyradiomics.")]

app = typer.Typer(help="Features: list, show.", no_args_is_help=True)


@app.command("list")
def list_features(
    family: Annotated[str, typer.Argument(help="Only this family; all where empty.", show_default=False)] = "",
    standard: _Standard = "ibsi",
) -> None:
    """The features of every family, with IBSI code and unit."""
    for token, spec in _specs(family, standard):
        unit = spec.unit.replace("{u}", "unit of the image")
        print(f"{token + '_' + spec.name:<44} {spec.ibsi:<6} {unit}")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="FAMILY_FEATURE", help="Such as glcm_Contrast, or a column's name.")],
    standard: _Standard = "ibsi",
) -> None:
    """What one feature means."""
    from radiomics_pipeline.errors import ParamsError, did_you_mean
    from radiomics_pipeline.types import read_name

    column = read_name(name)
    wanted = f"{column.family}_{column.feature}" if column else name
    found = {f"{token}_{spec.name}": (token, spec) for token, spec in _specs("", standard)}
    if wanted not in found:
        other = "ibsi" if standard == "pyradiomics" else "pyradiomics"
        there = any(f"{token}_{spec.name}" == wanted for token, spec in _specs("", other))
        hint = f"; it is one of --standard {other}" if there else did_you_mean(wanted, found)
        raise ParamsError(f"no feature {name!r}{hint} ('features list' shows all)")
    token, spec = found[wanted]
    print(f"{token}_{spec.name}")
    print(f"  family      {_title(token, standard)}")
    print(f"  IBSI code   {spec.ibsi or 'none'}")
    print(f"  unit        {spec.unit.replace('{u}', 'unit of the image')}")
    print(f"  definition  {spec.definition}")


def _families(standard: str):  # type: ignore[no-untyped-def]
    from radiomics_pipeline.errors import ParamsError, did_you_mean
    from radiomics_pipeline.features import FAMILIES
    from radiomics_pipeline.features.further import further_families
    from radiomics_pipeline.features.pyradiomics import FAMILIES as PYRADIOMICS

    known = {"ibsi": (*FAMILIES, *further_families()), "pyradiomics": PYRADIOMICS}
    if standard not in known:
        raise ParamsError(f"no standard {standard!r}{did_you_mean(standard, known)}; there are: {', '.join(known)}")
    return known[standard]


def _specs(family: str, standard: str):  # type: ignore[no-untyped-def]
    from radiomics_pipeline.errors import ParamsError, did_you_mean

    families = _families(standard)
    known = {f.token: f for f in families}
    if family and family not in known:
        raise ParamsError(f"no feature family {family!r}{did_you_mean(family, known)}; there are: {', '.join(known)}")
    return [(f.token, spec) for f in families if family in ("", f.token) for spec in f.features.values()]


def _title(token: str, standard: str) -> str:
    family = next(f for f in _families(standard) if f.token == token)
    return f"{family.title} ({family.ibsi})" if family.ibsi else family.title
