"""Compile every kernel once, so that no later command waits for it.

numba keeps what it compiled beside the kernels (or in its cache folder). Kernels are compiled by computing small
synthetic regions that take every road through the features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from radiomics_pipeline.batch.executors import run_tasks
from radiomics_pipeline.errors import WorkerLost
from radiomics_pipeline.types import Grid, Region, Volume

TIMEOUT_S = 1800.0
SHAPE = ("morphology", "localintensity")


def warm_up(jobs: int) -> list[str]:
    """Compile all kernels in `jobs` processes; the problems, none where all went well."""
    tasks = list(TASKS)
    return [
        f"{tasks[position]}: {result}"
        for position, result in run_tasks(compile_part, tasks, jobs=min(jobs, len(tasks)), timeout_s=TIMEOUT_S)
        if isinstance(result, WorkerLost) or result
    ]


def compile_part(name: str) -> str:
    """Compile one part; what went wrong, or nothing."""
    try:
        TASKS[name]()
    except Exception as e:  # noqa: BLE001 - a kernel that does not compile is reported, the others go on
        return f"{type(e).__name__}: {e}"
    return ""


def _regions() -> list[tuple[Volume, Region]]:
    """A ball, a few voxels, and noise of many intensities; each in an image wider than itself."""
    random = np.random.default_rng(0)
    places = np.indices((24, 24, 24)) - 11.5
    ball = (places**2).sum(axis=0) < 81
    few = np.zeros_like(ball)
    few[10:13, 10:12, 10:12] = True
    few[10, 10, 10] = False
    grid = Grid(ball.shape, (2.0, 1.5, 1.5))
    noise = Volume(random.normal(0, 100, ball.shape).round(), grid, "HU")
    smooth = Volume((places[0] * 10 + random.normal(0, 20, ball.shape)).round(), grid, "HU")
    many = Volume(random.permutation(ball.size).reshape(ball.shape).astype(np.float64), grid, "HU")
    pairs = [(noise, ball), (smooth, ball), (noise, few), (many, ball)]
    return [(volume, Region(mask, mask, grid)) for volume, mask in pairs]


def _ibsi(families: Sequence[str]) -> None:
    """These families in all aggregations, on native and resampled grids."""
    from radiomics_pipeline.extraction.ibsi import plan_ibsi
    from radiomics_pipeline.features import FAMILIES
    from radiomics_pipeline.params.extraction import Resample, Resegment, SeriesParams, Setting
    from radiomics_pipeline.params.levels import FixedBinNumber

    ways = ("3D:avg", "2.5D:mrg", "2.5D:avg", "2D:mrg", "2D:avg")
    gathered = tuple(f.token for f in FAMILIES if f.aggregation != "volume" and f.token in families)
    settings = tuple(Setting(name=w.replace(":", "-"), families=gathered, aggregation=w) for w in ways if gathered)
    for volume, region in _regions():
        for bins in (16, 4096):
            for grid in (None, Resample(voxel_mm=1), Resample(voxel_mm=1, image="cubic")):
                scheme = FixedBinNumber(method="fixed-bin-number", bins=bins)
                params = SeriesParams(
                    unit="HU",
                    resample=grid,
                    resegment=Resegment(range=(-1e9, 1e9), sigma=9),
                    discretise=scheme,
                    families=tuple(families),
                    settings=settings,
                )
                plan_ibsi(params, "CT").extract(volume, region)


def _textures() -> None:
    from radiomics_pipeline.features import FAMILIES

    _ibsi([f.token for f in FAMILIES if f.token not in SHAPE])


def _pyradiomics() -> None:
    """All classes, in three dimensions and in slices."""
    from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
    from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries

    for setting in ({}, {"force2D": True}, {"weightingNorm": "euclidean"}):
        plan = plan_pyradiomics(PyradiomicsSeries.model_validate({"setting": setting}), "CT")
        for volume, region in _regions()[:2]:
            plan.extract(volume, region)


def _filters() -> None:
    """Filtered images, in single and in double precision."""
    from radiomics_pipeline.extraction.filtered import apply_filter
    from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
    from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries

    volume, region = _regions()[0]
    apply_filter(volume, {"filter": "mean", "settings": {"support": 3}})
    types = {"LoG": {"sigma": [1.0]}, "Wavelet": {}}
    plan = plan_pyradiomics(PyradiomicsSeries.model_validate({"imageType": types}), "CT")
    for dtype in (np.float32, np.float64):
        plan.extract(Volume(volume.array.astype(dtype), volume.grid, native=True), region)


def _maps() -> None:
    """First order and co-occurrence around single voxels."""
    from radiomics_pipeline.extraction.maps import plan_maps
    from radiomics_pipeline.params.extraction import SeriesParams
    from radiomics_pipeline.params.levels import FixedBinNumber
    from radiomics_pipeline.params.run import RunParams

    scheme = FixedBinNumber(method="fixed-bin-number", bins=16)
    params = RunParams(series={"CT": SeriesParams(unit="HU", discretise=scheme)})
    work = plan_maps(params).prepare(*_regions()[0])
    work.compute(work.some(2))


def _statistics() -> None:
    """What selection compiles."""
    from radiomics_pipeline.selection.combine.best_subset import BestSubsetCox, BestSubsetLinear, BestSubsetLogistic
    from radiomics_pipeline.selection.learners.penalised import PenalisedLogistic
    from radiomics_pipeline.stats.concordance import harrell_c
    from radiomics_pipeline.stats.correlation import spearman_columns
    from radiomics_pipeline.stats.cox import cox_lrt, cox_robust_p
    from radiomics_pipeline.stats.delong import auc_delong
    from radiomics_pipeline.stats.deviance import cox_loss
    from radiomics_pipeline.stats.firth import firth_logistic
    from radiomics_pipeline.stats.firth_columns import firth_columns
    from radiomics_pipeline.stats.kruskal import kruskal_p
    from radiomics_pipeline.stats.maxt import max_t

    random = np.random.default_rng(0)
    values, groups = random.normal(size=(30, 3)), np.repeat(np.arange(15), 2)
    positive = np.arange(30) % 3 == 0
    time, event = random.exponential(size=30), np.arange(30) % 2 == 0
    auc_delong(values, positive, groups)
    firth_columns(values, positive)
    firth_logistic(values, positive)
    harrell_c(values, time, event, groups)
    cox_lrt(values, time, event)
    cox_robust_p(values, time, event, groups)
    cox_loss(values.T, time, event)
    spearman_columns(values, time, groups)
    kruskal_p(values, groups % 3)
    max_t(values, time, permutations=2, seed=0, groups=groups)
    PenalisedLogistic().fit(values, positive, groups)
    survival = np.array(list(zip(event, time, strict=True)), dtype=[("event", "?"), ("time", "<f8")])
    BestSubsetLogistic(candidates=2, largest=2).fit(values, positive, groups)
    BestSubsetLinear(candidates=2, largest=2).fit(values, time, groups)
    BestSubsetCox(candidates=2, largest=2).fit(values, survival, groups)


def _delineation() -> None:
    """Growing from seeds."""
    from radiomics_pipeline.imaging.segment import segment
    from radiomics_pipeline.params.segmentation import GrowCut

    volume, region = _regions()[3]
    segment(volume, region.morphology, GrowCut(method="growcut"))


TASKS: dict[str, Callable[[], None]] = {
    "shape": lambda: _ibsi(SHAPE),
    "textures": _textures,
    "pyradiomics": _pyradiomics,
    "filters": _filters,
    "maps": _maps,
    "statistics": _statistics,
    "delineation": _delineation,
}
"""The parts by name; those that share a kernel are parts of one, so that it is compiled once."""
