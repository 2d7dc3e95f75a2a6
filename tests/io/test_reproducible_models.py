"""A model file depends on the model alone: not on process, hash seed, or which of equal values are one object."""

import os
import pickle
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from skops.io import dumps, loads

from radiomics_pipeline.io.skops_bytes import reproducible
from radiomics_pipeline.selection.plans import LEARNERS, Plan, named_plan
from radiomics_pipeline.selection.steps.table import SELECTORS
from radiomics_pipeline.selection.steps.usable import DropUnusable
from radiomics_pipeline.types.outcome import KINDS
from tests.io.model_files import chained, data
from tests.io.test_model_file import saved_and_loaded

SAVES = """
import sys, hashlib
from pathlib import Path
from radiomics_pipeline.selection.plans import Plan, named_plan
from tests.io.test_model_file import saved_and_loaded
kind, folder = sys.argv[1], Path(sys.argv[2])
for text in sys.argv[3:]:
    saved_and_loaded(named_plan(text), kind, folder)
    for path in sorted(folder.iterdir()):
        print(text, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
"""
"""Which hold numpy's global generator: scikit-learn's regressor asks for it though it draws nothing."""


def digests(kind, plans, folder, hash_seed):
    """Of every file of these plans, fitted and saved in a process of its own."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SAVES, kind, str(folder), *plans],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=Path(__file__).parents[2],
    )
    return found.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "plans"),
    [("binary", ("lasso", "xgboost", "mrmr>ridge")), ("survival", ("ridge", "extra-trees", "stability>xgboost"))],
)
def test_two_processes_write_the_same_bytes(tmp_path, kind, plans):
    one, two = (digests(kind, plans, tmp_path / seed, seed) for seed in ("1", "2"))
    assert one == two
    assert len(one) >= 2 * len(plans)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_write_the_same_bytes_of_every_learner(tmp_path, kind):
    plans = [row.name for row in LEARNERS if kind in row.kinds]
    one, two = (digests(kind, plans, tmp_path / seed, seed) for seed in ("1", "2"))
    assert one == two


def test_a_gaussian_process_does_not_hold_the_global_generator(tmp_path):
    np.random.seed(1)  # noqa: NPY002 -- the generator that must not matter
    saved_and_loaded(named_plan("gaussian-process"), "continuous", tmp_path / "one")
    np.random.seed(2)  # noqa: NPY002
    saved_and_loaded(named_plan("gaussian-process"), "continuous", tmp_path / "two")
    one, two = ((tmp_path / folder / "model.skops").read_bytes() for folder in ("one", "two"))
    assert one == two


def test_equal_numbers_and_texts_may_be_one_object_or_several():
    text = "0.8"
    number = float(text)
    one, two = DropUnusable(number, number), DropUnusable(float(text), float(text))
    assert one.min_filled is one.max_same
    assert two.min_filled is not two.max_same
    assert reproducible(dumps(one)) == reproducible(dumps(two))
    model = chained().fit(*data())
    assert reproducible(dumps(model)) == reproducible(dumps(pickle.loads(pickle.dumps(model))))


def test_an_object_that_two_steps_share_is_still_shared():
    shared = DropUnusable(0.7)
    one, two = loads(reproducible(dumps([shared, shared])), trusted=[f"{DropUnusable.__module__}.DropUnusable"])
    assert one is two
    one, two = loads(
        reproducible(dumps([DropUnusable(0.7), DropUnusable(0.7)])),
        trusted=[f"{DropUnusable.__module__}.DropUnusable"],
    )
    assert one is not two


def test_bytes_between_the_fields_of_rows_are_zeros():
    kind = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 16})
    raw = bytearray(b"\xff" * 48)
    rows = np.frombuffer(raw, kind).copy()
    rows["a"], rows["b"] = [1, 2, 3], [0.5, -1.0, np.nan]
    other = np.zeros(3, kind)
    for name in ("a", "b"):
        other[name] = rows[name]
    first, second = reproducible(dumps(rows)), reproducible(dumps(other))
    assert first == second
    back = loads(first, trusted=["numpy.dtype"])
    for name in ("a", "b"):
        np.testing.assert_array_equal(back[name], rows[name])


def test_the_archive_has_no_date_of_today_and_names_its_files_by_number():
    archive = zipfile.ZipFile(BytesIO(reproducible(dumps(chained().fit(*data())))))
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    *arrays, schema = archive.namelist()
    assert schema == "schema.json"
    assert [name.partition(".")[0] for name in arrays] == [f"{i + 1:06d}" for i in range(len(arrays))]


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_every_selector_comes_back_from_its_file_for_every_kind_it_serves(tmp_path, kind):
    learner = "ordinal" if kind == "ordinal" else "ridge"
    for row in SELECTORS:
        if kind in row.kinds:
            plan = Plan(row.name, ("radiomics",), learner, select=row.name)
            fitted, back = saved_and_loaded(plan, kind, tmp_path)
            np.testing.assert_array_equal(back, fitted, err_msg=row.name)


def tuned_plans(kind, how):
    """Every learner with something to try, each with two of its settings left open at most."""
    for row in LEARNERS:
        if kind in row.kinds and row.grid:
            by_hand = {name: values[0] for name, values in list(row.grid.items())[2:]}
            yield Plan(row.name, ("radiomics",), row.name, settings=by_hand, tune=how)


@pytest.mark.parametrize("how", ["grid", "optuna"])
def test_a_tuned_learner_comes_back_from_its_file(tmp_path, how):
    if how == "optuna":
        pytest.importorskip("optuna", reason="Optuna is not installed")
    plan = Plan("near", ("radiomics",), "knn", tune=how)
    fitted, back = saved_and_loaded(plan, "binary", tmp_path)
    np.testing.assert_array_equal(back, fitted)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_every_tuned_learner_comes_back_from_its_file(tmp_path, kind):
    for plan in tuned_plans(kind, "grid"):
        fitted, back = saved_and_loaded(plan, kind, tmp_path)
        np.testing.assert_array_equal(back, fitted, err_msg=plan.name)
