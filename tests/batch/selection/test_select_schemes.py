"""Every way to split a table, from files to files: what it gives, and what it refuses before anything is fitted."""

from dataclasses import replace

import numpy as np
import pytest

from radiomics_pipeline.batch.selection.inputs import Beside
from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.io.delimited import write_rows
from radiomics_pipeline.params.steps import HarmoniseParams
from radiomics_pipeline.selection.validation import evaluate as scoring
from tests.batch.selection.small_files import QUICK, Study, column, quick, rows, run

CENTRES = quick(scheme="leave-one-centre-out", centre="site")
EXTERNAL = quick(scheme="external")
MODEL_ONLY = ("lasso",)


def combat(params, **settings):
    return params.model_copy(update={"harmonise": HarmoniseParams(method="combat", **settings), "plans": MODEL_ONLY})


def temporal(**settings):
    return quick(scheme="temporal", **settings)


@pytest.fixture
def no_fit(monkeypatch):
    """Any fit of a plan fails the test."""

    def never(*args, **kwargs):
        raise AssertionError("a plan was fitted")

    monkeypatch.setattr(scoring, "fit_fresh", never)


def test_every_centre_is_tested_by_plans_that_did_not_see_it(tmp_path):
    out, summary = run(tmp_path, params=CENTRES)
    tested = {(row["fold"], row["fold_name"]) for row in rows(out / "predictions.csv")}
    assert tested == {("1", "A"), ("2", "B"), ("3", "C")}
    assert [row.n_folds for row in summary.performance] == [3, 3]
    assert len(rows(out / "predictions.csv")) == 2 * 60
    assert len(rows(out / "risk_groups.csv")) == 2


def test_a_planted_offset_of_centres_is_taken_out_by_combat_inside_the_folds(tmp_path):
    study = Study(n=90, seed=4, offsets=(0.0, 4.0, 8.0))
    raw = quick(folds=3).model_copy(update={"plans": MODEL_ONLY})
    auc = {}
    for name, params in (("raw", raw), ("combat", combat(raw))):
        _, summary = run(tmp_path / name, study=study, params=params, centre="site")
        auc[name] = summary.performance[0].mean
    assert auc["combat"] > auc["raw"] + 0.1


def test_centres_left_out_are_predicted_as_they_are_where_the_parameters_say_so(tmp_path):
    out, summary = run(tmp_path, params=combat(CENTRES, unseen="mean"))
    assert summary.performance[0].n_folds == 3
    assert np.isfinite(column(out / "predictions.csv", "prediction")).all()


def test_a_training_part_of_one_centre_is_told(tmp_path):
    one_left = {"site": ["A"] * 30 + ["B"] * 30}
    _, summary = run(tmp_path, params=combat(CENTRES, unseen="mean"), answers=one_left)
    assert sum("2 of 2 training parts hold one centre, where ComBat changes nothing" in n for n in summary.notes) == 1


@pytest.mark.parametrize(
    ("params", "columns", "told"),
    [
        (QUICK, {"date": "year", "centre": "site"}, ["the dates (year) are", "the centres (site) are"]),
        (combat(QUICK), {"centre": "site"}, []),
        (CENTRES, {"date": "year"}, ["the dates (year) are"]),
        (temporal(date="year", date_cut="2013"), {}, []),
    ],
)
def test_columns_that_serve_nothing_are_told(tmp_path, params, columns, told):
    _, summary = run(tmp_path, params=params.model_copy(update={"plans": MODEL_ONLY}), **columns)
    found = [note for note in summary.notes if "not used: they serve" in note]
    assert [note.split(" not used")[0] for note in found] == told


@pytest.mark.parametrize(
    ("params", "columns", "answers", "message"),
    [
        (combat(CENTRES), {}, {}, r"fold 1 of repeat 1 \(A\) tests 20 rows of 'A'.*unseen: mean"),
        (
            combat(CENTRES, reference="A", unseen="reference"),
            {},
            {},
            "trains on no row of the reference centre 'A'",
        ),
        (
            combat(temporal(date="year", date_cut="2018")),
            {"centre": "site"},
            {"site": ["A", "B"] * 28 + ["Z"] * 4},
            r"\(later\) tests 4 rows of 'Z'",
        ),
        (combat(QUICK), {"centre": "site"}, {"site": ["A"] * 59 + ["Z"]}, "tests 1 rows of 'Z'"),
        (combat(QUICK), {}, {}, "the column of the centres is not named; give --centre"),
    ],
)
def test_centres_that_cannot_be_harmonised_are_refused_before_any_fit(
    tmp_path, no_fit, params, columns, answers, message
):
    with pytest.raises(ParamsError, match=message):
        run(tmp_path, params=params, answers=answers, **columns)
    assert not (tmp_path / "out").exists()


def test_resampling_draws_anew_what_would_leave_a_centre_untrained(tmp_path):
    study = Study(seed=3)
    params = combat(quick(bootstrap=12, permutations=9)).model_copy(update={"plans": ("lda",)})
    site = np.where(np.arange(60) % 15 == 1, "rare", "A").tolist()
    out, _ = run(tmp_path, study=study, params=params, centre="site", answers={"site": site})
    (auc, *_) = rows(out / "bootstrap.csv")
    assert auc["draws"] == "12"
    assert rows(out / "permutation.csv")[0]["permutations"] == "9"


@pytest.mark.parametrize(
    ("settings", "trained"),
    [
        ({"date": "year", "date_cut": "2013"}, 36),
        ({"date": "seen", "date_cut": "2013"}, 36),
        ({"date": "seen", "date_cut": "2013-01"}, 36),
        ({"date": "seen", "date_cut": "2013-01-01"}, 36),
        ({"date": "year", "date_share": 0.6}, 36),
        ({"date": "seen", "date_share": 0.6}, 36),
    ],
)
def test_earlier_patients_train_and_later_ones_are_tested(tmp_path, settings, trained):
    out, summary = run(tmp_path, params=temporal(**settings))
    assert f"temporal split: {trained} earlier rows trained on, {60 - trained} later ones tested" in summary.notes
    tested = {row["patient"] for row in rows(out / "predictions.csv")}
    assert tested == {f"p{i:04d}" for i in range(trained, 60)}
    row = summary.performance[0]
    assert row.lower < row.mean < row.upper


@pytest.mark.parametrize(
    ("settings", "answers", "error", "message"),
    [
        ({"date": "year", "date_cut": "2040"}, {}, ParamsError, r"60 rows are earlier and 0 later.*\(2001 to 2020\)"),
        ({"date": "year", "date_cut": "2013-01-01"}, {}, ParamsError, "60 rows are earlier and 0 later"),
        ({"date": "seen", "date_cut": "2040-01-01"}, {}, ParamsError, r"0 later.*\(2001-.* to 2020-"),
        ({"date": "seen", "date_cut": "spring"}, {}, ParamsError, "'spring' is neither a number nor a date"),
        ({"date": "year", "date_cut": "2013"}, {"year": ["2010"] * 59 + [""]}, TableError, "no year in row 60"),
        (
            {"date": "year", "date_cut": "2018"},
            {"died": [i % 2 if i < 45 else 0 for i in range(60)]},
            OutcomeError,
            r"the later part \(9 rows\) cannot be scored: all rows are of one class",
        ),
        (
            {"date": "year", "date_cut": "2018"},
            {"died": [i % 2 if i > 50 else 0 for i in range(60)]},
            OutcomeError,
            r"the earlier part \(51 rows\) holds too few class 1",
        ),
    ],
)
def test_temporal_splits_that_cannot_be_are_refused_before_any_fit(tmp_path, no_fit, settings, answers, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path, params=temporal(**settings), answers=answers)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([i % 2 if i < 45 else 0 for i in range(60)], r"the later part \(9 rows\) cannot be scored: no row has the ev"),
        ([i % 2 if i > 50 else 0 for i in range(60)], r"the earlier part \(51 rows\) holds too few events"),
    ],
)
def test_one_side_of_time_without_events_is_refused(tmp_path, no_fit, event, message):
    params = temporal(date="year", date_cut="2018")
    with pytest.raises(OutcomeError, match=message):
        run(tmp_path, "survival", params=params, answers={"event": event})


def other(folder, *, joined=False, n=40, first=500, names=None, each=1, **answers):
    """Another study; its outcomes in a file of their own, or in the table itself."""
    study = Study(n=n, each=each, seed=5, first=first)
    folder.mkdir(parents=True, exist_ok=True)
    told = study.answers(folder / "new_outcomes.csv", **answers)
    table = study.features(folder / "new.csv") if names is None else study.features(folder / "new.csv", names)
    if not joined:
        return Beside(external=table, external_outcomes=told)
    known = {row["patient"]: row for row in rows(told)}
    lines = [{**row, **known[row["patient"]]} for row in rows(table)]
    write_rows(table, tuple(lines[0]), [tuple(line.values()) for line in lines])
    return Beside(external=table)


def test_another_study_is_tested_alike_wherever_its_outcomes_stand(tmp_path):
    found = {}
    for joined in (False, True):
        where = tmp_path / str(joined)
        out, summary = run(where, params=EXTERNAL, beside=other(where, joined=joined))
        assert summary.patients == 100
        found[joined] = (out / "predictions.csv").read_bytes()
        assert {row["patient"] for row in rows(out / "predictions.csv")} == {f"p{i:04d}" for i in range(500, 540)}
        assert summary.performance[0].lower < summary.performance[0].mean
    assert found[False] == found[True]


def test_the_outcomes_of_the_other_study_change_no_prediction_and_no_cut(tmp_path):
    study = Study(n=40, seed=5, first=500)
    flipped = (1 - study.outcomes["died"]).tolist()
    made = {}
    for name, answers in (("true", {}), ("flipped", {"died": flipped})):
        out, _ = run(tmp_path / name, params=EXTERNAL, beside=other(tmp_path / name, **answers))
        predicted = column(out / "predictions.csv", "prediction")
        made[name] = (predicted.tolist(), column(out / "risk_groups.csv", "cut_upper").tolist())
        made[name] += ((out / "univariate.csv").read_bytes(), (out / "ranking.csv").read_bytes())
    assert made["true"] == made["flipped"]


@pytest.mark.parametrize(
    ("beside", "error", "message"),
    [
        ({"first": 50}, TableError, "p0050, .* and 2 more stand in the training table, too"),
        ({"names": ("PET_uptake_Max", "f1", "f2")}, TableError, "3 features of the training table are absent: f3, f4"),
        ({"sex": ["M"] * 40}, TableError, "no text of the clinical column 'sex' is known .* here M, there f, m"),
        ({"age": ["old"] * 40}, TableError, "'age' holds texts, such as"),
        ({"died": [0] * 40}, OutcomeError, r"new\.csv: outcome 'died': all 40 rows are 0"),
        ({"died": ["x"] * 40}, OutcomeError, "outcome 'died' holds 'x'"),
    ],
)
def test_another_study_that_does_not_fit_is_refused_before_any_fit(tmp_path, no_fit, beside, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path, params=EXTERNAL, beside=other(tmp_path, **beside))


def test_another_study_without_a_known_centre_is_refused_or_left_as_it_is(tmp_path, no_fit):
    beside = other(tmp_path, site=["Z"] * 40)
    with pytest.raises(ParamsError, match=r"\(external\) tests 40 rows of 'Z'"):
        run(tmp_path, params=combat(EXTERNAL), beside=beside, centre="site")


def test_another_study_of_new_centres_is_predicted_where_the_parameters_say_so(tmp_path):
    params = combat(EXTERNAL, unseen="mean")
    out, _ = run(tmp_path, params=params, beside=other(tmp_path, site=["Z"] * 40), centre="site")
    assert np.isfinite(column(out / "predictions.csv", "prediction")).all()


def test_texts_that_only_one_side_has_are_named_and_count_as_none(tmp_path):
    beside = other(tmp_path, sex=["diverse", "", *["m"] * 38])
    out, summary = run(tmp_path, params=EXTERNAL, beside=beside)
    said = "clinical column sex: 1 rows hold diverse, of which the training table has no row; taken as none of f, m"
    assert any(said in note for note in summary.notes)
    assert np.isfinite(column(out / "predictions.csv", "prediction")).all()


def test_another_study_in_another_unit_of_time_is_asked_for_it_and_moves_no_horizon(tmp_path):
    params = EXTERNAL.model_copy(update={"plans": ("volume",), "final": False})
    kinds = {"kind": "survival", "params": params}
    same, summary = run(tmp_path / "a", **kinds, beside=other(tmp_path / "a"))
    assert not any("is it the same unit" in note for note in summary.notes)
    days = np.array(Study(n=40, seed=5, first=500).outcomes["days"])
    months, summary = run(tmp_path / "b", **kinds, beside=other(tmp_path / "b", days=np.round(days / 30.4, 4)))
    assert any("those of the training table" in note and "is it the same unit?" in note for note in summary.notes)
    assert (same / "sample_size.csv").read_bytes() == (months / "sample_size.csv").read_bytes()


def test_a_small_other_study_may_hold_all_texts_of_the_training_table(tmp_path):
    stages = ["I", "II", "III", "IV"]
    beside = other(tmp_path, n=6, sex=[*stages, "I", "II"], died=[0, 1] * 3)
    out, _ = run(tmp_path, params=EXTERNAL, beside=beside, answers={"sex": stages * 15})
    assert len(rows(out / "predictions.csv")) == 12


@pytest.mark.parametrize(
    ("params", "beside", "message"),
    [
        (EXTERNAL, Beside(), "needs a second table to test on; give --test"),
        (QUICK, "external", "which would train on its rows, too; choose external"),
        (QUICK, "outcomes", "new_outcomes.csv holds outcomes of an external table; give --test, too"),
    ],
)
def test_an_external_table_goes_with_its_scheme(tmp_path, no_fit, params, beside, message):
    if beside == "external":
        beside = other(tmp_path)
    elif beside == "outcomes":
        beside = replace(other(tmp_path), external=None)
    with pytest.raises(ParamsError, match=message):
        run(tmp_path, params=params, beside=beside)


def test_what_was_done_to_a_further_table_by_outcomes_is_refused(tmp_path, no_fit):
    beside = other(tmp_path / "there")
    (tmp_path / "there" / "run.json").write_text('{"options": {"history": ["outcome: t tests"]}}')
    with pytest.raises(TableError, match="the table has been through 't tests'"):
        run(tmp_path, params=EXTERNAL, beside=beside)


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_rows_of_one_patient_never_part(tmp_path, kind):
    out, summary = run(tmp_path, kind, study=Study(n=40, each=3, seed=2), params=quick(repeats=2))
    assert (summary.rows, summary.patients) == (120, 40)
    folds = {}
    for row in rows(out / "predictions.csv"):
        folds.setdefault((row["plan"], row["repeat"], row["patient"]), set()).add(row["fold"])
    assert len(folds) == 2 * 2 * 40
    assert all(len(where) == 1 for where in folds.values())
    assert "several rows of a patient" in rows(out / "risk_groups.csv")[0]["note"]
    assert any("120 rows of 40 patients" in note for note in summary.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "each", "settings"),
    [
        ("binary", 1, {}),
        ("binary", 2, {}),
        ("survival", 1, {}),
        ("competing", 1, {}),
        ("continuous", 1, {}),
        ("binary", 1, {"scheme": "leave-one-centre-out", "centre": "site"}),
        ("survival", 1, {"scheme": "leave-one-centre-out", "centre": "site"}),
        ("binary", 1, {"scheme": "temporal", "date": "year", "date_share": 0.6}),
        ("survival", 2, {"scheme": "temporal", "date": "seen", "date_share": 0.6}),
        ("binary", 1, {"scheme": "external"}),
        ("survival", 1, {"scheme": "external"}),
    ],
)
def test_permutations_and_bootstrap_go_with_every_scheme(tmp_path, kind, each, settings):
    params = quick(permutations=19, bootstrap=8, **settings).model_copy(update={"plans": MODEL_ONLY})
    beside = other(tmp_path, each=each) if settings.get("scheme") == "external" else None
    out, _ = run(tmp_path, kind, study=Study(n=60, each=each, seed=1), params=params, beside=beside)
    (row,) = rows(out / "permutation.csv")
    assert float(row["p"]) == 0.05  # none of 19 reaches a planted effect
    assert abs(float(row["null_mean"]) - (0.0 if kind == "continuous" else 0.5)) < 0.15
    drawn = rows(out / "bootstrap.csv")
    assert drawn[0]["draws"] == "8"
    assert float(drawn[0]["lower"]) <= float(drawn[0]["corrected"]) <= float(drawn[0]["upper"])


def test_few_patients_a_centre_are_too_few_to_permute(tmp_path):
    site = [f"s{i // 2:02d}" for i in range(12)]
    params = quick(scheme="leave-one-centre-out", centre="site", permutations=9).model_copy(
        update={"plans": MODEL_ONLY}
    )
    died = [0, 1] * 6
    with pytest.raises(OutcomeError, match="12 patients can be exchanged in about 64 ways only"):
        run(tmp_path, study=Study(n=12, seed=1), params=params, answers={"site": site, "died": died})
