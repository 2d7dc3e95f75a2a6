"""Whose definitions the maps of a series follow."""

from __future__ import annotations

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.extraction.ibsi_maps import plan_ibsi_maps
from radiomics_pipeline.extraction.map_work import Kernel, MapPlan
from radiomics_pipeline.extraction.pyradiomics_maps import plan_pyradiomics_maps
from radiomics_pipeline.params.run import ANY_SERIES, PyradiomicsRun, Run, RunParams


def plan_maps(
    params: Run,
    series: str = "",
    *,
    features: tuple[str, ...] = (),
    radius: int | None = None,
    radius_mm: float | None = None,
    masked: bool | None = None,
) -> MapPlan:
    """The maps of one series of the parameters.

    series : its section; needed where there are several
    features : each "family_Feature", or a family; without one, first order and co-occurrence
    radius, radius_mm : of the kernel, one of both; without one 1 voxel, or `kernelRadius` of PyRadiomics' file
    masked : whether only the region counts; None: yes, or `maskedKernel` of PyRadiomics' file
    Raises ParamsError where something of this does not exist.
    """
    if series in params.series:
        name = series
    elif ANY_SERIES in params.series:
        name = ANY_SERIES
    elif not series and len(params.series) == 1:
        name = next(iter(params.series))
    else:
        known = ", ".join(params.series) or "no series"
        asked = f"not for {series!r}" if series else "and no series was named"
        raise ParamsError(f"the parameters have sections for {known}, {asked}; name one with --series")
    section = params.series[name]
    if isinstance(params, RunParams):
        if radius is None and radius_mm is None:
            radius = 1
        return plan_ibsi_maps(section, name, features, Kernel(radius, radius_mm, masked is not False))
    assert isinstance(params, PyradiomicsRun)
    if params.engine == "pyradiomics":
        raise ParamsError("engine: pyradiomics computes no maps here; leave it out, the definitions are the same")
    if radius is None and radius_mm is None:
        radius = section.voxelSetting.kernelRadius
    inside = section.voxelSetting.maskedKernel if masked is None else masked
    return plan_pyradiomics_maps(section, name, features, Kernel(radius, radius_mm, inside))
