"""Stress against rest."""

from __future__ import annotations

import math

import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.extraction.cardiac import stress_rest_plans
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.types import read_name


def row(stress: dict[int, tuple[float, int]], rest: dict[int, tuple[float, int]]) -> dict[str, float]:
    """A row with these ratios and scores by segment, all others normal."""
    values = {}
    for series, summed, found in (("stress", "SssRatio", stress), ("rest", "SrsRatio", rest)):
        start = f"{series}_original_polarmap_"
        for n in range(1, 18):
            values[f"{start}Segment{n:02d}Ratio"], values[f"{start}Segment{n:02d}Score"] = found.get(n, (1.0, 0))
        values[start + summed] = sum(score for _, score in found.values())
        for name in ("LadScore", "RcaScore", "LcxScore", "Extent", "Deficit"):
            values[start + name] = 0.25 if series == "stress" else 0.125
    return values


def test_differences_are_those_of_the_scores():
    (plan,) = stress_rest_plans(load_params("mpi_spect"))
    values, reasons = plan.values(row({7: (0.6, 2), 8: (0.45, 3), 3: (0.8, 1)}, {8: (0.8, 1), 3: (0.8, 1)}))
    assert not reasons
    start = "stress-rest_original_polarmap_"
    assert values[f"{start}SdsRatio"] == 4
    assert values[f"{start}IschaemicSegments"] == 2
    assert values[f"{start}Segment08ScoreDifference"] == 2
    assert values[f"{start}Segment08RatioDifference"] == pytest.approx(0.35)
    assert values[f"{start}ExtentDifference"] == values[f"{start}LadScoreDifference"] == 0.125
    assert set(values) == {spec.column for spec in plan.columns}
    assert all(str(read_name(column)) == column for column in values)


def test_stress_against_itself_is_no_difference():
    (plan,) = stress_rest_plans(load_params("mpi_spect"))
    values, _ = plan.values({**row({4: (0.3, 3)}, {4: (0.3, 3)}), "rest_original_polarmap_Extent": 0.25})
    assert values["stress-rest_original_polarmap_SdsRatio"] == 0
    assert values["stress-rest_original_polarmap_ExtentDifference"] == 0
    assert values["stress-rest_original_polarmap_IschaemicSegments"] == 0


def test_what_lacks_a_value_at_rest_lacks_a_difference():
    (plan,) = stress_rest_plans(load_params("mpi_spect"))
    known = row({}, {})
    known["rest_original_polarmap_SrsRatio"] = math.nan
    del known["rest_original_polarmap_Extent"]
    values, reasons = plan.values(known)
    assert math.isnan(values["stress-rest_original_polarmap_SdsRatio"])
    assert reasons["stress-rest_original_polarmap_SdsRatio"] == "rest_original_polarmap_SrsRatio has no value"
    assert "ExtentDifference" in "".join(reasons)
    assert values["stress-rest_original_polarmap_DeficitDifference"] == 0.125


def changed(**rest: object):
    params = load_params("mpi_spect")
    section = params.series["rest"]
    polar_map = None if "none" in rest else section.polar_map.model_copy(update=rest)
    series = {**params.series, "rest": section.model_copy(update={"polar_map": polar_map})}
    return params.model_copy(update={"series": series})


def test_maps_that_cannot_be_compared_are_refused():
    with pytest.raises(ParamsError, match="cut_points differs"):
        stress_rest_plans(changed(cut_points=(0.8,)))
    with pytest.raises(ParamsError, match="the other none"):
        stress_rest_plans(changed(normal=None))
    with pytest.raises(ParamsError, match="has no polar_map"):
        stress_rest_plans(changed(none=True))
    params = load_params("mpi_spect")
    alone = params.model_copy(update={"series": {"stress": params.series["stress"]}})
    with pytest.raises(ParamsError, match="no other series"):
        stress_rest_plans(alone)
    assert stress_rest_plans(load_params("fdg")) == ()
