"""The folds on a Dask cluster: processes of their own give the same files, and what is missing is named."""

import sys

import pytest

from radiomics_pipeline.batch.executors import on_dask
from radiomics_pipeline.batch.selection.study import select_study
from radiomics_pipeline.cli.select import select
from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.io.tables import write_features
from radiomics_pipeline.params.selection import PlanParams, SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from tests.selection.studies import study

PARAMS = SelectionParams(
    validation=ValidationParams(folds=3, repeats=1, inner_folds=3),
    plans=("mrmr>ridge", PlanParams(name="trees", learner="forest", settings={"trees": 20})),
    combination=None,
)


@pytest.fixture
def files(tmp_path):
    table, outcome, _ = study(columns=8)
    write_features(tmp_path / "features.csv", table)
    lines = [f"{case},{int(event)}" for case, event in zip(table.case, outcome.event, strict=True)]
    (tmp_path / "outcomes.csv").write_text("\n".join(["patient_id,died", *lines]))
    return tmp_path


def selected(files, name, params, n_jobs):
    select_study(
        files / "features.csv",
        columns=OutcomeColumns(target="died"),
        outcomes=files / "outcomes.csv",
        out=files / name,
        params=params,
        n_jobs=n_jobs,
    )
    return {path.relative_to(files / name): path for path in (files / name).rglob("*") if path.is_file()}


@pytest.mark.slow
def test_processes_of_a_cluster_write_the_same_tables_and_the_same_model(files):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    here = selected(files, "here", PARAMS, 1)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        on_dask(cluster.scheduler_address),
    ):
        there = selected(files, "there", PARAMS, -1)
    assert here.keys() == there.keys()
    compared = {path.name for path in here} - {"tried.csv", "select.json"}  # which hold the time
    assert compared >= {"performance.csv", "predictions.csv", "model.skops", "model.yaml"}
    for path in here:
        if path.name in compared:
            assert here[path].read_bytes() == there[path].read_bytes(), path


@pytest.mark.parametrize("module", ["dask.distributed", "distributed"])
def test_dask_that_is_not_installed_is_named_with_its_extra(monkeypatch, module):
    if module == "distributed":
        pytest.importorskip("dask", reason="Dask is not installed")
        monkeypatch.delitem(sys.modules, "dask.distributed", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ParamsError, match=r"pip install 'radiomics_pipeline\[dask\]'"), on_dask("tcp://127.0.0.1:9"):
        pass


def test_a_cluster_and_a_number_of_processes_do_not_go_together(files):
    with pytest.raises(ParamsError, match="--dask takes all workers of the cluster; leave --jobs out"):
        select(files / "features.csv", files / "out", target="died", jobs=2, dask="tcp://127.0.0.1:9")
    assert not (files / "out").exists()
