"""The sample of perfusion SPECT: made by its script, and what is planted in it is found."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from radiomics_pipeline.batch.selection.study import select_study
from radiomics_pipeline.extraction.cardiac import stress_rest_plans
from radiomics_pipeline.extraction.standards import plan_series
from radiomics_pipeline.features.polar_map_sample import PolarMapSample
from radiomics_pipeline.imaging.polar_map import polar_map
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.io.params_file import load_params
from radiomics_pipeline.io.volumes import decode, read_file
from radiomics_pipeline.types import Grid, Region, Volume

SAMPLES = Path(__file__).resolve().parents[1] / "data_samples"
MPI = SAMPLES / "mpi_spect"
PLANTED = {"stress_original_polarmap_SssRatio", "stress_original_polarmap_Deficit", "stress_original_polarmap_Extent"}
CLINICAL = ("age", "sex", "diabetes")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(SAMPLES))
    try:
        spec = importlib.util.spec_from_file_location("make_mpi_spect", SAMPLES / "make_mpi_spect.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SAMPLES))
    return module


@pytest.fixture(scope="module")
def table():
    """Features of all patients by column, float64 [60]; stress, rest and their difference."""
    params = load_params("mpi_spect")
    plans = {series: plan_series(params, series) for series in ("stress", "rest")}
    found = []
    for case in sorted(folder for folder in MPI.iterdir() if folder.is_dir()):
        values: dict[str, float] = {}
        for series, plan in plans.items():
            image = decode(read_file(case / f"{series}_image.nii.gz"))
            mask = decode(read_file(case / f"{series}_mask.nii.gz")).array == 1
            volume = Volume(image.array.astype(float), image.grid, "counts")
            values |= plan.extract(volume, Region(mask, mask, image.grid)).values
        for pair in stress_rest_plans(params):
            values |= pair.values(values)[0]
        found.append(values)
    return {column: np.array([values[column] for values in found]) for column in found[0]}


@pytest.fixture(scope="module")
def planted():
    found = rows(MPI / "planted.csv")
    return {name: np.array([row[name] for row in found]) for name in found[0]}


def rank_correlation(table, column: str, planted, name: str) -> float:
    return float(spearmanr(table[column], planted[name].astype(float)).statistic)


@pytest.mark.parametrize("number", [0, 41])
def test_the_script_makes_the_patients_that_are_here(script, number):
    cohort = script.draw_cohort()
    for name, array in script.make_patient(cohort, number).items():
        stored = decode(read_file(MPI / cohort.case[number] / f"{name}.nii.gz"))
        assert np.abs(stored.array.astype(int) - array).max() <= 1
        assert stored.grid.spacing_mm == script.SPACING_MM


def test_the_files_hold_no_time_and_the_tables_are_those_of_the_script(script, tmp_path):
    cohort = script.draw_cohort()
    name = f"{cohort.case[3]}/rest_mask.nii.gz"
    path = tmp_path / "mask.nii.gz"
    script.write_nifti(path, script.make_patient(cohort, 3)["rest_mask"], script.SPACING_MM, script.ORIGIN_MM)
    assert gzip.decompress(path.read_bytes()) == gzip.decompress((MPI / name).read_bytes())
    assert path.read_bytes()[4:8] == b"\0\0\0\0"
    stored = rows(MPI / "outcomes.csv")
    assert [row["patient_id"] for row in stored] == cohort.case
    for column, values in cohort.outcomes.items():
        assert [row[column] for row in stored] == [str(v) for v in values]


def test_the_normal_map_is_that_of_the_normal_patients(script):
    params = load_params("mpi_spect").series["stress"].polar_map
    grid = Grid(script.SHAPE, script.SPACING_MM)
    found = []
    for number in range(script.N_NORMALS):
        made = script.make_normal(number)
        mask = made["stress_mask"] == 1
        volume = Volume(made["stress_image"].astype(float), grid, "counts")
        means = PolarMapSample(polar_map(volume, Region(mask, mask, grid), params), params).means
        found.append(means / means.mean())
    normal = np.mean(found, axis=0)
    np.testing.assert_allclose(params.normal, normal / normal.max(), atol=1e-3)


def test_planted_defects_are_measured(table, planted):
    start = "stress_original_polarmap_"
    assert rank_correlation(table, f"{start}Deficit", planted, "stress_deficit") > 0.97
    assert rank_correlation(table, f"{start}Extent", planted, "stress_extent") > 0.97
    assert rank_correlation(table, f"{start}SssRatio", planted, "stress_deficit") > 0.92
    assert rank_correlation(table, "rest_original_polarmap_Deficit", planted, "rest_deficit") > 0.9
    recovered = planted["stress_deficit"].astype(float) - planted["rest_deficit"].astype(float)
    assert spearmanr(table["stress-rest_original_polarmap_DeficitDifference"], recovered).statistic > 0.9
    assert spearmanr(table["stress-rest_original_polarmap_SdsRatio"], recovered).statistic > 0.8


def test_defects_lie_in_the_territory_that_was_planted(table, planted):
    names = np.array(["LAD", "RCA", "LCX"])
    found = names[np.argmin([table[f"stress_original_polarmap_{name.capitalize()}Ratio"] for name in names], axis=0)]
    clear = planted["stress_deficit"].astype(float) > 0.05
    assert clear.sum() == 46
    assert np.all((found == planted["artery"])[clear])


def test_fixed_defects_stay_and_reversible_ones_go(table, planted):
    change = table["stress-rest_original_polarmap_SdsRatio"]
    reversible = planted["reversible"].astype(float)
    large = planted["stress_deficit"].astype(float) > 0.1
    assert change[large & (reversible == 1)].min() > 2
    assert np.median(change[large & (reversible == 1)]) > np.median(change[large & (reversible == 0)]) + 6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "least"),
    [
        (OutcomeColumns(target="mace", clinical=CLINICAL), 0.85),
        (OutcomeColumns(time="time_days", event="event", clinical=CLINICAL), 0.7),
    ],
    ids=["mace", "time"],
)
def test_the_planted_deficit_ranks_among_the_first_two(table, tmp_path, columns, least):
    cases = sorted(folder.name for folder in MPI.iterdir() if folder.is_dir())
    with (tmp_path / "features.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", *table])
        for at, case in enumerate(cases):
            writer.writerow([case, *("" if np.isnan(v[at]) else repr(float(v[at])) for v in table.values())])
    params = load_params("mpi_spect").selection
    quick = params.model_copy(
        update={
            "validation": params.validation.model_copy(update={"repeats": 4}),
            "plans": ("volume", "clinical", "lasso"),
            "combination": None,
        }
    )
    summary = select_study(
        tmp_path / "features.csv", columns=columns, out=tmp_path, outcomes=MPI / "outcomes.csv", params=quick
    )
    found = [name for row in summary.top[:2] for name in (row.feature, *row.members.split(";"))]
    assert set(found) >= PLANTED  # beside it only the skewness of the counts, which such a defect makes
    score = {row.plan: row.mean for row in summary.performance}
    assert score["lasso"] > least
    assert score["lasso"] > score["clinical"] + 0.05
    assert score["volume"] < 0.68
