"""The features of a region measured again after each perturbation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from radiomics_pipeline.errors import CaseError
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.imaging.perturb import perturbations, perturbed
from radiomics_pipeline.types import Region, Volume
from radiomics_pipeline.types.context import Context


@dataclass(frozen=True)
class Repeats:
    """values : by the perturbation's name, then by column; notes : which could not be measured, and why"""

    values: dict[str, dict[str, float]]
    notes: tuple[str, ...]


def measure_again(plan: SeriesPlan, volume: Volume, region: Region, context: Context) -> Repeats:
    """All perturbations that the plan's parameters ask for; nothing where they ask for none.

    One that leaves no region, or a region that cannot be measured, has NaN in all columns and a note.
    """
    params = plan.source.section.perturb
    values: dict[str, dict[str, float]] = {}
    notes = []
    for change in perturbations(params) if params else ():
        try:
            values[change.name] = plan.extract(*perturbed(volume, region, change, params), context).values  # type: ignore[arg-type]
        except CaseError as e:
            values[change.name] = {spec.column: math.nan for spec in plan.columns}
            notes.append(f"not measured again after {change.name}: {e}")
    return Repeats(values, tuple(notes))
