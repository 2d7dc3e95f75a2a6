"""The command line: exit codes, messages, and files, as a user meets them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from radiomics_pipeline.cli.main import main
from radiomics_pipeline.io import params_file
from tests.images import write_case

COMMANDS = ("run", "extract", "maps", "redundancy", "select", "check", "params", "features", "warmup",
            "polar-map", "index", "fetch", "sr", "suv", "segment")  # fmt: skip


def call(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "radiomics_pipeline.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=300)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Twenty-four patients, one of them without a mask; the outcome follows the seed's parity."""
    root = tmp_path_factory.mktemp("study")
    lines = ["patient_id,sick,days,died,age,sex,secret"]
    for i in range(24):
        write_case(root / f"P{i:02d}", seed=i)
        lines.append(f"P{i:02d},{i % 2},{100 + 7 * i},{int(i % 3 > 0)},{50 + i},{'FM'[i % 2]},{i % 2}")
    (root / "P05" / "PET_mask.nii.gz").unlink()
    (root / "outcomes.csv").write_text("\n".join(lines) + "\n")
    (root / "pet.yaml").write_text(
        "series:\n  PET:\n    unit: SUV\n    families: [morphology, intensity]\n"
        "    discretise: {method: fixed-bin-size, width: 0.5, origin: 0}\n"
        "selection:\n  validation: {folds: 3, repeats: 2, inner_folds: 3}\n  combination: {bootstrap: 20}\n"
    )
    return root


@pytest.fixture(scope="module")
def ran(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("ran")
    result = call(
        "run", study, "--params", study / "pet.yaml", "--out", out, "--outcomes", study / "outcomes.csv",
        "--target", "sick", "--clinical", "age,sex", "--jobs", 2,
    )  # fmt: skip
    return result, out


def test_help_and_version_answer_without_the_heavy_libraries():
    code = (
        "import sys; from radiomics_pipeline.cli.main import app; "
        "print(sorted({'numpy', 'pandas', 'scipy', 'sklearn', 'sksurv', 'statsmodels', 'SimpleITK', 'numba', "
        "'matplotlib', 'skimage', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert call("--version").stdout.startswith("radiomics-pipeline 0.")
    text = call("--help").stdout
    assert all(command in text for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    result = call(command, "--help")
    assert result.returncode == 0
    assert "Usage:" in result.stdout


def test_a_run_ranks_the_cases_that_succeeded_and_exits_with_3(ran):
    result, out = ran
    assert result.returncode == 3, result.stderr
    assert "1 of 24 cases failed" in result.stdout
    assert "P05: MissingFile" in result.stdout
    names = {path.name for path in out.iterdir() if path.is_file()}
    assert names >= {
        "features.csv", "dictionary.csv", "failures.csv", "case_log.csv", "params.yaml", "run.json",
        "univariate.csv", "ranking.csv", "performance.csv", "predictions.csv", "redundancy.csv", "selection.png",
    }  # fmt: skip
    with (out / "performance.csv").open() as file:
        plans = [row["plan"] for row in csv.DictReader(file)]
    assert plans == ["volume", "clinical", "lasso", "signature", "average", "clinical+average"]


def test_columns_that_were_not_named_are_listed_and_do_not_enter(ran):
    result, out = ran
    assert "secret" in result.stdout
    manifest = json.loads((out / "run.json").read_text())
    notes = " ".join(manifest["notes"])
    assert (manifest["options"]["target"], manifest["options"]["clinical"]) == ("sick", ["age", "sex"])
    assert set(manifest["inputs"]["tables"]) == {"features.csv", "outcomes.csv"}
    assert "secret" in notes
    assert "P05" in notes
    assert "secret" not in (out / "univariate.csv").read_text()


def test_heads_of_the_tables_are_as_documented(ran):
    _, out = ran
    heads = {
        "failures.csv": "case,stage,error,message",
        "dictionary.csv": "column,standard,series,image,family,feature,aggregation,ibsi_code,unit,definition,setting,"
        "filter,table",
        "ranking.csv": "rank,feature,cluster,members,selection_frequency,alone,alone_lower,alone_upper,p,q",
        "performance.csv": "plan,metric,mean,lower,upper,n_folds,default",
        "redundancy.csv": "feature,cluster,kept,representative,rho,reason",
    }
    for name, head in heads.items():
        data = (out / name).read_bytes()
        assert data.split(b"\n")[0].decode() == head
        assert b"\r" not in data
    assert (out / "features.csv").read_text().startswith("case,patient,roi,label,PET_original_morphology_VolumeMesh,")


def test_each_stage_starts_from_the_earlier_ones_file(ran, study, tmp_path):
    _, out = ran
    result = call(
        "select", out / "features.csv", "--outcomes", study / "outcomes.csv", "--target", "sick", "--clinical",
        "age,sex", "--params", study / "pet.yaml", "--out", tmp_path, "--jobs", 1,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    for name in ("univariate.csv", "ranking.csv", "performance.csv", "predictions.csv", "redundancy.csv"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name
    result = call("redundancy", out / "features.csv", "--out", tmp_path / "r", "--params", study / "pet.yaml")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "r/redundancy.csv").read_bytes() == (out / "redundancy.csv").read_bytes()


def test_what_cannot_be_ranked_keeps_its_features_and_exits_with_3(study, tmp_path):
    (tmp_path / "ranking.csv").write_text("of an earlier run")
    chosen = [part for name in ("P00", "P01", "P02", "P05") for part in ("--case", name)]
    result = call(
        "run", study, "--params", study / "pet.yaml", "--out", tmp_path, "--outcomes", study / "outcomes.csv",
        "--target", "sick", *chosen,
    )  # fmt: skip
    assert result.returncode == 3
    assert "P05: MissingFile" in result.stdout
    assert "not ranked: 1 patients with the event are too few" in result.stderr
    assert (tmp_path / "features.csv").read_text().count("\n") == 4
    assert not (tmp_path / "ranking.csv").exists()
    assert "not ranked" in json.loads((tmp_path / "run.json").read_text())["notes"][-1]


def test_a_study_of_failures_exits_with_3(study, tmp_path):
    result = call("run", study, "--params", study / "pet.yaml", "--out", tmp_path, "--case", "P05")
    assert (result.returncode, result.stderr) == (3, "not ranked: no case could be extracted\n")


def test_a_time_to_an_event_is_ranked(ran, study, tmp_path):
    _, out = ran
    result = call(
        "select", out / "features.csv", "--outcomes", study / "outcomes.csv", "--time", "days", "--event", "died",
        "--params", study / "pet.yaml", "--out", tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "c_index" in (tmp_path / "performance.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "sicc"), "no column 'sicc', did you mean 'sick'?"),
        (("--target", "age"), "neither 0 nor 1"),
        (("--target", "sick", "--time", "days"), "either a target column, or a time and an event column"),
        (("--target", "sick", "--clinical", "agee"), "no column 'agee'"),
        (("--target", "sick", "--id", "nobody"), "no column 'nobody'"),
        ((), "name the outcome"),
    ],
)
def test_an_outcome_that_cannot_be_used_is_refused_before_anything_is_extracted(study, tmp_path, arguments, message):
    result = call(
        "run", study, "--params", study / "pet.yaml", "--out", tmp_path / "o", "--outcomes", study / "outcomes.csv",
        *arguments,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "o" / "features.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("extract", "nowhere", "--params", "fdg", "--out", "o"), "nowhere: no such folder"),
        (("extract", ".", "--params", "fgd", "--out", "o"), "did you mean 'fdg'"),
        (("check", ".", "--params", "nowhere.yaml"), "nowhere.yaml: no such parameter file"),
        (("params", "check", "wrong.yaml"), "wrong.yaml, line 1: serie: unknown key, did you mean 'series'?"),
        (("features", "show", "glcm_Contrats"), "did you mean 'glcm_Contrast'?"),
        (("features", "list", "gclm"), "no feature family 'gclm'"),
        (("select", "nowhere.csv", "--target", "y", "--out", "o"), "nowhere.csv"),
        (("redundancy", "nowhere.csv", "--out", "o"), "nowhere.csv"),
    ],
)
def test_refusals_are_one_message_and_exit_code_2(tmp_path, arguments, message):
    (tmp_path / "wrong.yaml").write_text("serie: {}\n")
    result = call(*arguments, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupt_is_one_message_and_exit_code_130(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(params_file, "tracers", interrupted)
    monkeypatch.setattr(sys, "argv", ["radiomics-pipeline", "params", "list"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
    assert capsys.readouterr().err.startswith("interrupted; give the same command again")


def test_check_says_what_is_there_and_what_would_fail(study, tmp_path):
    result = call("check", study, "--params", study / "pet.yaml", folder=tmp_path)
    assert result.returncode == 3
    assert "P05: MissingFile (read): P05/PET_mask.*: no such file" in result.stdout
    assert result.stdout.count(" 2 x 2 x 3 -> 2 x 2 x 3") == 23
    assert not list(tmp_path.iterdir())


def test_chosen_cases_are_extracted_alone(study, tmp_path):
    result = call("extract", study, "--params", study / "pet.yaml", "--out", tmp_path, "--case", "P03", "--case", "P01")
    assert result.returncode == 0, result.stderr
    with (tmp_path / "features.csv").open() as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["P01", "P03"]


def test_params_and_features_are_listed_and_shown():
    assert "fdg" in call("params", "list").stdout
    assert "# FDG PET/CT" in call("params", "show", "fdg").stdout
    assert "min_filled" in call("params", "show", "fdg", "--effective").stdout
    assert "fdg: in order" in call("params", "check", "fdg").stdout
    assert call("features", "list").stdout.count("\n") >= 111
    shown = call("features", "show", "PET_original_glcm_Contrast").stdout
    assert "ACUI" in shown
    assert "definition" in shown


def test_from_python_the_same_numbers_come_out(ran, study):
    import radiomics_pipeline

    _, out = ran
    row = radiomics_pipeline.extract(study / "P00/PET_image.nii.gz", study / "P00/PET_mask.nii.gz", study / "pet.yaml")
    with (out / "features.csv").open() as file:
        first = next(csv.DictReader(file))
    assert list(row) == [name.removeprefix("PET_") for name in list(first)[4:]]
    np.testing.assert_array_equal(list(row.values()), [float(v) for v in list(first.values())[4:]])
