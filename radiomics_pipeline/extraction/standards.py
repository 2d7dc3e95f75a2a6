"""Whose definitions a run follows: from its parameters to the plan of each series."""

from __future__ import annotations

from radiomics_pipeline.extraction.ibsi import plan_ibsi
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
from radiomics_pipeline.extraction.pyradiomics_engine import plan_engine
from radiomics_pipeline.params.run import ANY_SERIES, PyradiomicsRun, Run, RunParams


def plan_series(params: Run, series: str, *, named: bool = True) -> SeriesPlan:
    """The plan of one series of the parameters; `named`: its columns begin with the series' name.

    Raises ParamsError for a family or a feature that does not exist, KeyError for a series without a section.
    """
    if isinstance(params, RunParams):
        return plan_ibsi(params.series[series], series, named=named)
    assert isinstance(params, PyradiomicsRun)
    section = params.series[series] if series in params.series else params.series[ANY_SERIES]
    plan = plan_engine if params.engine == "pyradiomics" else plan_pyradiomics
    return plan(section, series, named=named)
