import csv
import subprocess
import sys

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from radiomics_pipeline.batch.executors import on_dask
from radiomics_pipeline.batch.selection.study import FILES, check_columns, select_study
from radiomics_pipeline.cli.redundancy import redundancy
from radiomics_pipeline.cli.select import select
from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.io.tables import write_features
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from tests.selection.studies import study

QUICK = SelectionParams(
    validation=ValidationParams(folds=3, repeats=1, inner_folds=3), plans=("clinical", "lasso", "average")
)
OWN = QUICK.model_copy(update={"plans": ("lasso",)})


@pytest.fixture
def files(tmp_path):
    table, outcome, clinical = study(columns=8)
    write_features(tmp_path / "features.csv", table)
    lines = ["patient_id;died;age;sex;other"]
    for i, case in enumerate(table.case):
        lines.append(f"{case};{int(outcome.event[i])};{clinical.values[i, 0]:g};{'fm'[int(clinical.values[i, 1])]};9,5")
    (tmp_path / "outcomes.csv").write_text("\n".join(lines))
    return tmp_path


def commands():
    app = typer.Typer()
    app.command("select")(select)
    app.command("redundancy")(redundancy)
    return app


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_select_writes_all_tables_and_says_what_it_left_out(files):
    result = CliRunner().invoke(
        commands(),
        f"select {files}/features.csv --outcomes {files}/outcomes.csv --target died --clinical age,sex "
        f"--out {files}/out --folds 3 --repeats 1 --seed 3 --jobs 1",
        catch_exceptions=False,
    )
    assert result.exit_code == 0
    asked_for = {"permutation.csv", "bootstrap.csv", "readers.csv", "declared.csv"}
    of_times = {"hazards.csv"}
    others = {"select.json", "selection.png", "tried.csv", "model", "signature"}
    assert {p.name for p in (files / "out").iterdir()} == {*FILES, *others} - asked_for - of_times
    assert "1 other columns of outcomes.csv are ignored: other" in result.output
    assert rows(files / "out" / "performance.csv")[0]["plan"] == "clinical"
    assert rows(files / "out" / "ranking.csv")[0]["feature"] == "f000"


def test_one_and_two_jobs_write_the_same_bytes(files):
    for jobs in (1, 2):
        select_study(
            files / "features.csv",
            columns=OutcomeColumns(target="died", clinical=("age", "sex")),
            outcomes=files / "outcomes.csv",
            out=files / f"out{jobs}",
            params=QUICK,
            n_jobs=jobs,
        )
    written = [name for name in FILES if (files / "out1" / name).exists()]
    assert len(written) > 15
    for name in written:
        assert (files / "out1" / name).read_bytes() == (files / "out2" / name).read_bytes(), name


def test_clinical_columns_may_come_from_the_parameters(files):
    summary = select_study(
        files / "features.csv",
        columns=OutcomeColumns(target="died"),
        outcomes=files / "outcomes.csv",
        out=files / "out",
        params=QUICK.model_copy(update={"clinical": ("age",)}),
    )
    assert "clinical" in [row.plan for row in summary.performance]
    assert (summary.rows, summary.patients, summary.features) == (60, 60, 8)


def test_a_table_that_holds_its_outcome_needs_no_outcomes_file(files):
    lines = ["ID,Target,x,y,centre"]
    rng = np.random.default_rng(0)
    lines += [f"{i},{i % 2},{i % 2 + rng.normal():.4f},{rng.normal():.4f},north" for i in range(40)]
    (files / "own.csv").write_text("\n".join(lines))
    summary = select_study(
        files / "own.csv", columns=OutcomeColumns(target="Target", id="ID"), out=files / "out", params=OWN
    )
    assert [row["feature"] for row in rows(files / "out" / "univariate.csv")] == ["x", "y"]
    assert any("centre" in note for note in summary.notes)


def test_a_refusal_writes_nothing(files):
    with pytest.raises(OutcomeError):
        select_study(
            files / "features.csv",
            columns=OutcomeColumns(target="age"),
            outcomes=files / "outcomes.csv",
            out=files / "out",
        )
    assert not (files / "out").exists()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (OutcomeColumns(target="dead"), "no column 'dead'"),
        (OutcomeColumns(target="died", clinical=("grade",)), "no column 'grade'"),
        (OutcomeColumns(target="age"), "neither 0 nor 1"),
        (OutcomeColumns(target="died", id="key"), "no column 'key'"),
    ],
)
def test_an_outcomes_file_can_be_refused_before_there_are_features(files, columns, message):
    check_columns(files / "outcomes.csv", OutcomeColumns(target="died"), QUICK)
    with pytest.raises(TableError, match=message):
        check_columns(files / "outcomes.csv", columns, QUICK)


def test_redundancy_writes_one_row_a_feature(files):
    result = CliRunner().invoke(
        commands(),
        f"redundancy {files}/features.csv --out {files}/out --threshold 0.8 --ignore f007",
        catch_exceptions=False,
    )
    assert "7 features, 7 kept" in result.output
    found = rows(files / "out" / "redundancy.csv")
    assert list(found[0]) == ["feature", "cluster", "kept", "representative", "rho", "reason"]
    assert [r["kept"] for r in found] == ["true"] * 7


def test_the_commands_load_no_heavy_library_before_they_run():
    code = (
        "import sys, radiomics_pipeline.cli.select, radiomics_pipeline.cli.redundancy;"
        "print([m for m in ('numpy', 'sklearn', 'sksurv', 'statsmodels', 'pandas', 'numba') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_workers_of_a_dask_scheduler_give_the_same_bytes(files):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    asked = (
        f"select {files}/features.csv --outcomes {files}/outcomes.csv --target died --clinical age "
        "--plans clinical,lasso --folds 3 --repeats 1 --seed 3"
    )
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        for name, where in (("dask", f"--dask {cluster.scheduler_address}"), ("here", "--jobs 1")):
            CliRunner().invoke(commands(), f"{asked} --out {files}/{name} {where}", catch_exceptions=False)
    written = sorted(path.name for path in (files / "here").glob("*.csv"))
    assert "performance.csv" in written
    for name in set(written) - {"tried.csv"}:  # which holds the time
        assert (files / "dask" / name).read_bytes() == (files / "here" / name).read_bytes(), name


@pytest.mark.slow  # it is waited for
def test_a_scheduler_that_is_not_there_is_named(files):
    pytest.importorskip("distributed", reason="Dask is not installed")
    with (
        pytest.raises(ParamsError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:9'"),
        on_dask("tcp://127.0.0.1:9"),
    ):
        pass
