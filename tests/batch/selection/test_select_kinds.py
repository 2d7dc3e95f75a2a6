"""Every kind of outcome and every further input, from files to files: all tables, without a number that nobody has."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from radiomics_pipeline.batch.selection.inputs import Beside
from radiomics_pipeline.batch.selection.predict import predict_table
from radiomics_pipeline.errors import OutcomeError, ParamsError, TableError
from radiomics_pipeline.io.delimited import write_rows
from radiomics_pipeline.io.model_file import load_model
from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.stats.competing import incidence_at
from radiomics_pipeline.stats.kaplan_meier import survival_at
from tests.batch.selection.small_files import COLUMNS, NAMES, QUICK, Study, column, quick, rows, run, unexplained

KINDS = tuple(COLUMNS)
DECIDED = ("binary", "survival", "competing")
PLANS = {"multiclass": ("clinical+ridge", "clinical"), "ordinal": ("clinical+ordinal", "clinical")}
ONE = QUICK.model_copy(update={"plans": ("lasso",)})
ALWAYS = {"univariate", "redundancy", "ranking", "performance", "metrics", "predictions", "comparisons", "sample_size"}
DOMINANCE = {"combinations", "dominance", "dominance_by_size", "dominance_pairs", "subsets"}
TABLES = {
    "binary": ALWAYS | DOMINANCE | {"calibration", "decision_curve", "risk_groups", "readers"},
    "survival": ALWAYS | DOMINANCE | {"calibration", "decision_curve", "risk_groups", "readers", "hazards"},
    "competing": ALWAYS | {"calibration", "decision_curve", "risk_groups", "readers", "hazards"},
    "continuous": ALWAYS | DOMINANCE,
    "multiclass": ALWAYS,
    "ordinal": ALWAYS,
}
BLANK = {
    ("predictions.csv", "roi"),
    ("predictions.csv", "label"),
    ("predictions.csv", "fold_name"),
    ("ranking.csv", "members"),
    ("combinations.csv", "members"),
    ("subsets.csv", "chosen"),  # by the plan best-subset, which is not run
    ("univariate.csv", "p_max_t"),  # no permutations were asked for
    ("risk_groups.csv", "cut_p"),  # of a searched cut
    ("readers.csv", "nri_events"),  # of readers that give probabilities
    ("readers.csv", "nri_nonevents"),
    ("readers.csv", "idi"),
}
BLANK_OF = {
    "binary": {("calibration.csv", "horizon"), ("decision_curve.csv", "horizon"), ("risk_groups.csv", "horizon")}
    | {("risk_groups.csv", name) for name in ("median", "median_lower", "median_upper")},
    "survival": {("univariate.csv", "information")},
    "competing": {("univariate.csv", "information"), ("risk_groups.csv", "median_upper")},
    "continuous": {("univariate.csv", "information"), ("sample_size.csv", "required_events")}
    | {("sample_size.csv", "events")},
    "multiclass": {("ranking.csv", name) for name in ("alone_lower", "alone_upper", "selection_frequency")}
    | {("univariate.csv", name) for name in ("lower", "upper", "direction", "coefficient", "standard_error")}
    | {("univariate.csv", f"{name}_{end}") for name in ("effect", "partial") for end in ("lower", "upper")},
    "ordinal": {("univariate.csv", name) for name in ("coefficient", "standard_error")}
    | {("univariate.csv", f"partial_{end}") for end in ("lower", "upper")}
    | {("ranking.csv", "selection_frequency")},  # chosen by the plan lasso, which serves other kinds
}


def plans_for(kind, params=QUICK):
    return params.model_copy(update={"plans": PLANS.get(kind, ("clinical+lasso", "lasso", "volume", "clinical"))})


def new_table(folder, study):
    """Features with the clinical columns, as `predict` takes them."""
    lines = rows(study.features(folder / "new.csv"))
    known = {row["patient"]: row for row in rows(study.answers(folder / "new_outcomes.csv"))}
    cells = [(*row.values(), known[row["patient"]]["age"], known[row["patient"]]["sex"]) for row in lines]
    write_rows(folder / "both.csv", (*lines[0], "age", "sex"), cells)
    return folder / "both.csv"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_ends_in_all_its_tables_and_a_model_that_predicts(tmp_path, kind):
    readers = ("expert", "index") if kind in DECIDED else ()
    params = plans_for(kind).model_copy(update={"combination": CombinationParams(importance_repeats=2)})
    out, summary = run(tmp_path, kind, params=params, readers=readers)
    assert TABLES[kind] <= {path.stem for path in out.glob("*.csv")}
    first = summary.performance[0]
    assert first.default
    assert first.lower <= first.mean <= first.upper
    assert first.mean > max(row.mean for row in summary.performance if row.plan in ("volume", "clinical"))
    allowed = BLANK | BLANK_OF[kind]
    found = [text for text in unexplained(out, allowed) if ": note has" not in text]
    assert [text for text in found if "risk_groups.csv: cut_" not in text] == []

    new = Study(n=30, seed=9, first=900)
    predict_table(out / "model", new_table(tmp_path, new), tmp_path / "p.csv")
    score = column(tmp_path / "p.csv", "score")
    assert len(score) == 30
    assert np.isfinite(score).all()
    if kind in DECIDED:
        assert set(column(tmp_path / "p.csv", "group")) <= {1, 2}
    if kind == "binary":
        assert roc_auc_score(new.outcomes["died"], score) > 0.7
    elif kind in ("multiclass", "ordinal"):
        shares = [float(v) for row in rows(tmp_path / "p.csv") for k, v in row.items() if k.startswith("probability_")]
        np.testing.assert_allclose(np.reshape(shares, (30, 3)).sum(axis=1), 1)
    else:
        later = new.outcomes["score"] if kind == "continuous" else -new.outcomes["days"]
        assert np.corrcoef(np.argsort(np.argsort(later)), score)[0, 1] > 0.3


def test_competing_events_are_judged_by_cumulative_incidence_and_cause_specific_models(tmp_path):
    study = Study(n=90, seed=2)
    out, _ = run(tmp_path, "competing", study=study, params=quick(horizon=40).model_copy(update={"plans": ("lasso",)}))
    model, card = load_model(out / "model")
    assert (card.kind, card.horizon) == ("competing", 40.0)
    survival = model.predict_survival if hasattr(model, "predict_survival") else model.steps[-1][1].predict_survival
    assert survival is not None
    predicted = {row["patient"]: row for row in rows(out / "predictions.csv")}
    time, cause = study.outcomes["days"], study.outcomes["cause"]
    groups = [row for row in rows(out / "calibration.csv") if row["part"] == "group"]
    assert len(groups) > 1
    share = np.array([1 - float(predicted[p]["survival"]) for p in study.ids])
    (ratio,) = [row for row in rows(out / "calibration.csv") if row["part"] == "expected_observed"]
    seen = incidence_at(time, cause, np.zeros(90, int), 40.0).survival[0]
    assert float(ratio["value"]) == pytest.approx(share.mean() / (1 - seen))
    naive = survival_at(time, cause == 1, np.zeros(90, int), 40.0).survival[0]
    assert abs(naive - seen) > 0.02  # what would come of taking the other causes as censored


@pytest.mark.parametrize("horizon", [5.0, 60.0, 250.0])
def test_risk_groups_have_their_survival_at_any_horizon(tmp_path, horizon):
    out, _ = run(tmp_path, "survival", study=Study(n=90, seed=2), params=quick(horizon=horizon, repeats=2))
    found = rows(out / "risk_groups.csv")
    assert [row["repeat"] for row in found] == ["0", "0", "1", "1", "2", "2"]
    free = [float(row["event_free"] or "nan") for row in found]
    for row, value in zip(found, free, strict=True):
        assert float(row["horizon"]) == horizon
        assert 0 <= value <= 1 or "followed up to" in row["note"]
    for low, high in zip(free[::2], free[1::2], strict=True):
        assert not low < high
    model = load_model(out / "model")[1]
    assert model.horizon == horizon


def test_a_horizon_beyond_all_follow_up_is_refused(tmp_path):
    with pytest.raises(OutcomeError, match="the horizon 3000 lies beyond the longest follow-up"):
        run(tmp_path, "survival", params=quick(horizon=3000))


@pytest.mark.parametrize(
    "settings",
    [
        {"scheme": "temporal", "date": "year", "date_share": 0.6},
        {"scheme": "external"},
    ],
)
@pytest.mark.parametrize("cut", ["quantiles", "maxstat"])
def test_a_single_split_has_risk_groups_by_cuts_of_its_training_rows(tmp_path, settings, cut):
    study = Study(n=120, seed=3)
    beside = None
    if settings["scheme"] == "external":
        new = Study(n=60, seed=4, first=500)
        beside = Beside(
            external=new.features(tmp_path / "new.csv"), external_outcomes=new.answers(tmp_path / "new_outcomes.csv")
        )
    params = quick(**settings, horizon=30).model_copy(update={"plans": ("lasso",), "group_cut": cut})
    out, _ = run(tmp_path, "survival", study=study, params=params, beside=beside)
    low, high = rows(out / "risk_groups.csv")
    assert float(low["n"]) + float(high["n"]) == (60 if beside else 48)
    assert low["cut_upper"] == high["cut_lower"]
    assert float(low["event_free"]) > float(high["event_free"])
    assert float(high["ratio"]) > 2
    assert float(low["p"]) < 0.01
    assert "descriptive" not in low["note"]
    assert (float(low["cut_p"]) < 0.01) if cut == "maxstat" else low["cut_p"] == ""
    assert load_model(out / "model")[1].cutpoints == (float(low["cut_upper"]),)


def test_tested_outcomes_move_no_cut_of_a_single_split(tmp_path):
    params = quick(scheme="temporal", date="year", date_share=0.6).model_copy(
        update={"plans": ("lasso",), "group_cut": "maxstat"}
    )
    study, cuts = Study(n=90, seed=3), set()
    for k, order in enumerate((slice(None), slice(None, None, -1))):
        days = study.outcomes["days"].copy()
        days[60:] = days[60:][order]
        out, _ = run(tmp_path / str(k), "survival", study=study, params=params, answers={"days": days})
        cuts.add(rows(out / "risk_groups.csv")[0]["cut_upper"])
    assert len(cuts) == 1


def test_a_searched_cut_makes_two_groups():
    with pytest.raises(ValueError, match="maxstat makes two risk groups, not 3"):
        type(QUICK)(groups=3, group_cut="maxstat")


def again(folder, study, spread):
    """A second reader, whose values differ by `spread` (of each feature)."""
    rng = np.random.default_rng(3)
    values = study.values + np.asarray(spread) * rng.normal(size=study.values.shape)
    cells = [(c, p, "B", *row) for c, p, row in zip(study.case, study.patient, values.tolist(), strict=True)]
    write_rows(folder / "again.csv", ("case", "patient", "reader", *NAMES), cells)
    return Beside(repeated=folder / "again.csv")


def test_a_feature_that_a_second_reader_does_not_find_again_is_dropped_inside_the_folds(tmp_path):
    study = Study(n=60)
    chosen, auc = {}, {}
    for name, first in (("stable", 0.05), ("unstable", 5.0)):
        (tmp_path / name).mkdir()
        beside = again(tmp_path / name, study, [first, *[0.05] * 5])
        out, summary = run(tmp_path / name, study=study, params=ONE, beside=beside)
        ranked = {row["feature"]: float(row["selection_frequency"]) for row in rows(out / "ranking.csv")}
        chosen[name], auc[name] = ranked[NAMES[0]], summary.performance[0].mean
    assert chosen == {"stable": 1.0, "unstable": 0.0}
    assert auc["stable"] > 0.75
    assert auc["unstable"] < 0.65


def test_a_block_is_an_input_of_its_own(tmp_path):
    study, rng = Study(n=60), np.random.default_rng(1)
    died = study.outcomes["died"]
    genes = [(p, float(3 * d + rng.normal()), float(rng.normal())) for p, d in zip(study.ids, died, strict=True)]
    write_rows(tmp_path / "genes.csv", ("patient", "g1", "g2"), genes)
    params = QUICK.model_copy(update={"plans": ("omics+lasso", "omics", "lasso")})
    out, summary = run(tmp_path, study=study, params=params, beside=Beside(blocks={"omics": tmp_path / "genes.csv"}))
    mean = {row.plan: row.mean for row in summary.performance}
    assert min(mean["omics"], mean["omics+lasso"]) > mean["lasso"]
    assert {"g1", "g2"} <= {row["feature"] for row in rows(out / "univariate.csv")}
    write_rows(tmp_path / "genes.csv", ("patient", "g1"), [("nobody", 1)])
    with pytest.raises(TableError, match=r"genes\.csv: no row of it is in the feature table"):
        run(tmp_path, study=study, params=params, beside=Beside(blocks={"omics": tmp_path / "genes.csv"}))


def test_experts_and_indices_are_compared_with_the_model_by_delong(tmp_path):
    study = Study(n=60)
    index = NAMES[0]  # a feature, and an index that is read without a model
    out, _ = run(tmp_path, study=study, readers=("expert", index))
    expert, conventional = rows(out / "readers.csv")
    assert (expert["reader"], conventional["reader"]) == ("expert", index)
    died = study.outcomes["died"]
    assert float(expert["reader_value"]) == pytest.approx(roc_auc_score(died, study.outcomes["expert"]))
    assert float(conventional["reader_value"]) == pytest.approx(roc_auc_score(died, study.values[:, 0]))
    for row in (expert, conventional):
        assert row["test"] == "DeLong"
        assert 0 <= float(row["p"]) <= float(row["p_holm"]) <= 1
        assert float(row["difference"]) == pytest.approx(float(row["plan_value"]) - float(row["reader_value"]))
        assert float(row["lower"]) < float(row["difference"]) < float(row["upper"])
    assert index in {row["feature"] for row in rows(out / "univariate.csv")}
    assert "expert" not in {row["feature"] for row in rows(out / "univariate.csv")}


@pytest.mark.parametrize(
    ("kind", "readers", "error", "message"),
    [
        ("ordinal", ("expert",), ParamsError, "with a binary or timed outcome; this one is ordinal, leave expert"),
        ("continuous", ("expert",), ParamsError, "this one is continuous"),
        ("binary", ("nobody",), TableError, "no column 'nobody'"),
        ("binary", ("sex",), TableError, "'sex' holds .*; a score to compare is a number"),
    ],
)
def test_readers_that_cannot_be_compared_are_refused(tmp_path, kind, readers, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path, kind, params=plans_for(kind), readers=readers, clinical=("age",))


def test_clinical_texts_are_categories_and_names_are_refused(tmp_path):
    study = Study(n=60)
    died = study.outcomes["died"]
    stage = np.where(died == 1, "III", np.where(np.arange(60) % 2, "I", "II")).tolist()
    stage[0] = ""
    params = QUICK.model_copy(update={"plans": ("clinical",)})
    out, summary = run(tmp_path, study=study, params=params, answers={"sex": stage})
    assert summary.performance[0].mean > 0.95
    assert any("clinical column sex: a category of 3 texts (I, II, III)" in note for note in summary.notes)
    assert load_model(out / "model")[1].clinical_texts == {"sex": ("I", "II", "III")}
    with pytest.raises(TableError, match="'sex' has 60 different texts in 60 rows"):
        run(tmp_path, study=study, params=params, answers={"sex": study.ids})


def tables(out):
    return {path.name: path.read_bytes() for path in out.glob("*.csv") if path.name != "tried.csv"}  # which has dates


def lines(out):
    """Of every table its lines in no order; clusters are numbered as their features stand in the file."""
    tables = {path.name: rows(path) for path in out.glob("*.csv") if path.name != "tried.csv"}
    return {
        name: sorted(tuple((k, v) for k, v in row.items() if k != "cluster") for row in found)
        for name, found in tables.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("binary", {"permutations": 5, "bootstrap": 4}),
        ("survival", {"scheme": "temporal", "date": "year", "date_share": 0.6}),
        ("competing", {"scheme": "leave-one-centre-out", "centre": "site"}),
    ],
)
def test_processes_change_no_byte_and_the_order_of_columns_no_number(tmp_path, kind, settings):
    params = quick(**settings).model_copy(
        update={"combination": CombinationParams(importance_repeats=2), "plans": ("clinical+lasso", "volume")}
    )
    one, two, shuffled = (
        run(tmp_path / name, kind, params=params, n_jobs=jobs, order=order)[0]
        for name, jobs, order in (("one", 1, None), ("two", 2, None), ("shuffled", 1, (3, 5, 0, 4, 1, 2)))
    )
    assert tables(one) == tables(two)
    assert lines(one) == lines(shuffled)
