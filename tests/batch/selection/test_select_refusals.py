"""What is refused before anything is fitted, and what a reader is told of a study that looks strange."""

import numpy as np
import pytest

from radiomics_pipeline.batch.selection.inputs import FOLLOW_UP
from radiomics_pipeline.batch.selection.predict import predict_table
from radiomics_pipeline.batch.selection.study import MANIFEST, check_folder, select_study
from radiomics_pipeline.errors import OutcomeError, ParamsError, StudyError, TableError
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.selection import analysis
from radiomics_pipeline.selection.validation.guards import refuse_made_rows
from tests.batch.selection.small_files import QUICK
from tests.selection.studies import table_of

ONE = QUICK.model_copy(update={"plans": ("lasso",), "final": False})


def write(folder, **columns):
    """A table of 40 rows: three features, an outcome, and what is given."""
    rng = np.random.default_rng(0)
    values = {"case": [f"p{i:02d}" for i in range(40)], "a": rng.normal(size=40), "b": rng.normal(size=40)}
    values |= {"c": rng.normal(size=40), "died": np.arange(40) % 2, **columns}
    lines = [",".join(values), *(",".join(str(v) for v in row) for row in zip(*values.values(), strict=True))]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return folder / "t.csv"


def select(folder, *, params=ONE, clinical=(), out="out", **columns):
    names = OutcomeColumns("died", clinical=clinical)
    return select_study(write(folder, **columns), columns=names, out=folder / out, params=params)


def test_a_table_that_results_would_write_over_is_refused(tmp_path):
    (tmp_path / "metrics.csv").write_text("")
    with pytest.raises(ParamsError, match=r"metrics.csv would be written over"):
        check_folder(tmp_path, [tmp_path / "metrics.csv"])
    check_folder(tmp_path / "new", [tmp_path / "metrics.csv"])
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_take_results_is_refused_before_anything_is_computed(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ParamsError, match="no folder; choose another"):
        check_folder(tmp_path / "file", [])
    with pytest.raises(ParamsError, match="no folder; choose another"):
        check_folder(tmp_path / "file" / "below", [])
    (tmp_path / "performance.csv").mkdir()
    (tmp_path / "model").write_text("")
    with pytest.raises(ParamsError, match=r"performance.csv, model stands in the way"):
        check_folder(tmp_path, [])


def test_predictions_do_not_replace_their_table(tmp_path):
    table = write(tmp_path)
    with pytest.raises(TableError, match=r"t.csv would be written over by its predictions"):
        predict_table(tmp_path / "model", table, table)


def test_a_run_that_ends_early_leaves_no_manifest_of_an_older_one(tmp_path, monkeypatch):
    select(tmp_path)
    assert (tmp_path / "out" / MANIFEST).is_file()

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("radiomics_pipeline.batch.selection.study.write_selection", full)
    with pytest.raises(OSError, match="No space left"):
        select(tmp_path)
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_a_process_that_dies_is_said_to_have(tmp_path, monkeypatch):
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    def killed(*_args, **_options):
        raise TerminatedWorkerError("SIGKILL(-9)")

    monkeypatch.setattr(analysis, "select_features", killed)
    with pytest.raises(StudyError, match="a process died while plans were fitted"):
        select(tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_clinical_column_that_tells_the_outcome_is_named(tmp_path):
    twin = ["yes" if i % 2 else "no" for i in range(40)]
    kind = [f"{'late' if i % 2 else 'early'}{i % 4}" for i in range(40)]
    found = select(tmp_path, clinical=("twin", "kind"), twin=twin, kind=kind)
    assert any("tell the outcome without error: twin, kind" in note for note in found.notes)
    fine = select(tmp_path, clinical=("age",), age=np.random.default_rng(1).integers(40, 80, 40))
    assert not any("without error" in note for note in fine.notes)


@pytest.mark.parametrize(
    ("age", "message"),
    [
        ([*range(40, 79), "63y"], r"'age' holds 39 different numbers, and '63y'; correct these texts"),
        (["old"] * 40, r"'age' holds 'old' alone, which tells no rows apart"),
        ([61] * 39 + [""], r"'age' holds 61 alone, which tells no rows apart"),
        ([""] * 40, r"'age' has no value in any row"),
        ([*range(40, 79), 1e200], r"'age' holds 1e\+200; correct it"),
    ],
)
def test_clinical_columns_that_are_neither_numbers_nor_a_category_are_refused(tmp_path, age, message):
    with pytest.raises(TableError, match=message):
        select(tmp_path, clinical=("age",), age=age)


def test_columns_that_may_tell_the_outcome_are_named_where_the_table_holds_it(tmp_path):
    found = select(tmp_path, days=np.arange(40))
    assert any("all its 4 other columns of numbers are taken for features" in note for note in found.notes)
    assert any("days may tell the outcome: leave them out of the table" in note for note in found.notes)
    for name in ("OS_months", "time_days", "event", "follow-up", "Status", "survival_class"):
        assert bool(FOLLOW_UP.fullmatch(name)) == (name != "survival_class"), name
    assert not FOLLOW_UP.fullmatch("PET_original_intensity_Mean")


def test_a_key_that_no_file_has_is_refused(tmp_path):
    with pytest.raises(TableError, match=r"no column 'nosuch' in t\.csv"):
        select_study(write(tmp_path), columns=OutcomeColumns("died", id="nosuch"), out=tmp_path / "out", params=ONE)


def test_what_a_plan_refuses_names_the_plan(tmp_path):
    few = np.zeros(40, int)
    few[:4] = 1
    params = ONE.model_copy(
        update={"plans": ("mrmr>ridge",), "validation": ONE.validation.model_copy(update={"folds": 3})}
    )
    with pytest.raises(OutcomeError, match="plan 'mrmr>ridge': "):
        select(tmp_path, params=params, died=few)


@pytest.mark.parametrize("how", ["a number", "a jitter", "few columns"])
def test_copies_of_patients_are_seen_beside_columns_that_differ(how):
    rng = np.random.default_rng(2)
    values = rng.normal(size=(40, 12))
    copies = values[:10] * (1 + 1e-7 * rng.normal(size=(10, 12)) * (how == "a jitter"))
    values = np.vstack([values, copies])
    if how == "a number":
        values[:, 0] = np.arange(50)
    if how == "few columns":
        values[40:, :4] = rng.normal(size=(10, 4))
    with pytest.raises(TableError, match="20 of 50 rows equal rows of other patients"):
        refuse_made_rows(table_of(values))
    assert refuse_made_rows(table_of(values[:40])) == ()
