"""The embedded sample: made by its script, and what is planted in it is found."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.batch.run import run
from radiomics_pipeline.io.params_file import load_params

SAMPLES = Path(__file__).resolve().parents[1] / "data_samples"
FDG = SAMPLES / "fdg_lesions"
HETEROGENEITY = "PET_original_intensity_CoefficientOfVariation"
EVENNESS = "PET_original_ivh_AreaUnderCurve"
UPTAKE = "PET_original_intensity_Mean"
VOLUME = "PET_original_morphology_VolumeMesh"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def script():
    import sys

    spec = importlib.util.spec_from_file_location("make_fdg_lesions", SAMPLES / "make_fdg_lesions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def quick():
    """The parameters of the demo, with four repeats of the folds."""
    params = load_params("fdg")
    selection = params.selection
    validation = selection.validation.model_copy(update={"repeats": 4})
    return params.model_copy(update={"selection": selection.model_copy(update={"validation": validation})})


@pytest.fixture(scope="module")
def ran(tmp_path_factory, quick):
    out = tmp_path_factory.mktemp("fdg")
    return run(FDG, quick, out, outcomes=FDG / "outcomes.csv", target="mace", clinical=("age", "sex", "stage")), out


def first_clusters(out: Path, count: int) -> list[set[str]]:
    return [{row["feature"], *row["members"].split(";")} for row in rows(out / "ranking.csv")[:count]]


@pytest.mark.parametrize("number", [0, 27])
def test_the_script_makes_the_patients_that_are_here(script, number):
    cohort = script.draw_cohort()
    for name, series in script.make_patient(cohort, number).items():
        for suffix, array in {"image": series.image, **series.masks}.items():
            stored = sitk.GetArrayFromImage(sitk.ReadImage(str(FDG / cohort.case[number] / f"{name}_{suffix}.nii.gz")))
            np.testing.assert_allclose(stored, array, atol=1 / 128)


def test_the_outcomes_are_those_of_the_script(script):
    cohort = script.draw_cohort()
    table = rows(FDG / "outcomes.csv")
    assert [row["patient_id"] for row in table] == cohort.case
    for name, values in cohort.outcomes.items():
        assert [row[name] for row in table] == [str(v) for v in values]


def test_planted_properties_are_measured(ran):
    from scipy.stats import spearmanr

    _, out = ran
    features, planted = rows(out / "features.csv"), rows(FDG / "planted.csv")
    for column, name in ((HETEROGENEITY, "heterogeneity"), (UPTAKE, "mean_suv"), (VOLUME, "volume_ml")):
        rho = spearmanr([float(r[column]) for r in features], [float(r[name]) for r in planted]).statistic
        assert rho > 0.95, name
    evenness = spearmanr([float(r[EVENNESS]) for r in features], [float(r["heterogeneity"]) for r in planted])
    assert evenness.statistic < -0.85


def test_all_cases_of_the_sample_are_extracted(ran):
    result, _ = ran
    assert (result.extraction.n_rows, result.extraction.failures) == (40, ())


def test_the_clusters_planted_for_mace_rank_before_all_others(ran):
    _, out = ran
    found = first_clusters(out, 2)
    assert any(cluster & {HETEROGENEITY, EVENNESS} for cluster in found)
    assert any(UPTAKE in cluster for cluster in found)


def test_the_clusters_planted_for_the_time_rank_before_all_others(quick, tmp_path):
    run(FDG, quick, tmp_path, outcomes=FDG / "outcomes.csv", time="time_days", event="event")
    found = first_clusters(tmp_path, 2)
    assert any(cluster & {HETEROGENEITY, EVENNESS} for cluster in found)
    assert any(VOLUME in cluster for cluster in found)


def test_baselines_say_what_was_planted_in_them(ran):
    _, out = ran
    score = {row["plan"]: float(row["mean"]) for row in rows(out / "performance.csv")}
    assert score["lasso"] > 0.85
    assert score["volume"] < 0.65
    assert score["clinical"] < 0.75
