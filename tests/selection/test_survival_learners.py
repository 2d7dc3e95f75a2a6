import time as clock
import warnings

import numpy as np
import pytest
import skops.io as skops
from lifelines import NelsonAalenFitter
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sksurv.ensemble import ExtraSurvivalTrees, RandomSurvivalForest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.learners import cox
from radiomics_pipeline.selection.learners.baseline_hazard import as_y, read_times
from radiomics_pipeline.selection.learners.cause_specific import CauseSpecific
from radiomics_pipeline.selection.learners.cox import CoxRidge
from radiomics_pipeline.selection.learners.cox_path import RiskSets, cox_paths
from radiomics_pipeline.selection.learners.penalised import PenalisedCox
from radiomics_pipeline.selection.learners.survival_boosting import BoostedCox, BoostedTimes, log_normal
from radiomics_pipeline.selection.learners.survival_forest import SurvivalForest, coarse_times
from radiomics_pipeline.selection.learners.survival_table import SURVIVAL_LEARNERS
from radiomics_pipeline.selection.registry import method_named
from radiomics_pipeline.stats.competing import cumulative_incidence
from radiomics_pipeline.stats.deviance import cox_loss
from radiomics_pipeline.stats.hazard import breslow, incidences, nelson_aalen
from radiomics_pipeline.types.outcome import Outcome

SURVIVAL = [row for row in SURVIVAL_LEARNERS if "survival" in row.kinds]
TIMES = np.array([0.05, 0.3, 1.0, 2.0, 50.0])


def uncensored(estimator):
    """The learner for scikit-learn's checks, whose y are numbers: they become times, all of them events."""
    base = type(estimator)

    def fit(self, X, y=None, groups=None):
        if y is not None and not np.asarray(y).dtype.names:
            numbers = np.real(np.asarray(y)).astype(np.float64).ravel()
            y = as_y(numbers - numbers.min() + 1, np.ones(len(numbers), bool))
        return base.fit(self, X, y, groups)

    name = f"{base.__name__}OfNumbers"
    if name not in globals():  # there, pickle finds it
        globals()[name] = type(name, (base,), {"fit": fit, "__init__": base.__init__, "__module__": __name__})
    return globals()[name](**estimator.get_params(deep=False))


def study(n=120, p=6, seed=0, *, effect=1.0, causes=1, whole=False):
    """Scaled columns, of which the first hastens the event of interest and the second the competing one."""
    rng = np.random.default_rng(seed)
    x = StandardScaler().fit_transform(rng.normal(size=(n, p)))
    times = [rng.exponential(size=n) * np.exp(-effect * x[:, 0])]
    times += [rng.exponential(size=n) * np.exp(-effect * x[:, 1]) for _ in range(causes - 1)]
    lost = 2.0 * rng.exponential(size=n)
    first = np.min(times, axis=0)
    cause = np.where(lost < first, 0, np.argmin(times, axis=0) + 1)
    time = np.minimum(first, lost)
    time = np.ceil(5 * time) if whole else time
    return x, (Outcome.competing(time, cause) if causes > 1 else Outcome.survival(time, cause)).y


def quick(row, kind="survival", seed=0):
    settings = {"trees": 30} if "trees" in row.params.model_fields else {}
    return row.make(settings, kind, seed)


def names(rows):
    return [row.name for row in rows]


@parametrize_with_checks(
    [
        uncensored(e)
        for e in (
            CoxRidge(),
            PenalisedCox(),
            SurvivalForest(trees=10),
            SurvivalForest("random", trees=10),
            BoostedCox(),
            BoostedTimes(),
            CauseSpecific(),
        )
    ]
)
def test_survival_learners_pass_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([uncensored(SurvivalForest())])
def test_forests_as_large_as_usual_pass_them_too(estimator, check):
    check(estimator)


@pytest.mark.parametrize("row", SURVIVAL_LEARNERS, ids=names(SURVIVAL_LEARNERS))
def test_a_learner_survives_being_saved_without_pickle(row):
    x, y = study(60, causes=2)
    kind = "survival" if "survival" in row.kinds else "competing"
    model = quick(row, kind).fit(x, y if kind == "competing" else y[["event", "time"]])
    data = skops.dumps(model)
    again = skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    np.testing.assert_array_equal(model.predict(x), again.predict(x))
    np.testing.assert_array_equal(model.predict_survival(x, TIMES), again.predict_survival(x, TIMES))


@pytest.mark.parametrize("row", SURVIVAL, ids=names(SURVIVAL))
def test_every_learner_ranks_and_its_curves_fall_from_one_within_zero_and_one(row):
    x, y = study(300)
    model = quick(row).fit(x[:150], y[:150])
    risk = model.predict(x[150:])
    assert concordance_index_censored(y["event"][150:], y["time"][150:], risk)[0] > 0.65
    curves = model.predict_survival(x[150:], np.concatenate([[0.0], TIMES]))
    assert curves.shape == (150, 6)
    assert (curves[:, 0] == 1).all()
    assert (np.diff(curves, axis=1) <= 1e-12).all()
    assert curves.min() >= 0
    # higher risk, lower curve
    assert np.corrcoef(risk, curves[:, 3])[0, 1] < -0.8


@pytest.mark.parametrize("row", SURVIVAL, ids=names(SURVIVAL))
def test_the_mean_curve_of_training_rows_follows_kaplan_meier(row):
    x, y = study(300)
    curves = quick(row).fit(x, y).predict_survival(x, TIMES[:4])
    truth = cumulative_incidence(y["time"], y["event"])
    at = np.searchsorted(truth.times, TIMES[:4], side="right") - 1
    np.testing.assert_allclose(curves.mean(axis=0), 1 - truth.incidence[0, at], atol=0.07)


@pytest.mark.parametrize("row", SURVIVAL_LEARNERS, ids=names(SURVIVAL_LEARNERS))
def test_where_events_compete_curves_are_one_less_the_incidence(row):
    x, y = study(400, causes=2)
    model = quick(row, "competing").fit(x, y)
    found = model.predict_cumulative_incidence(x, TIMES[:4])
    np.testing.assert_allclose(model.predict_survival(x, TIMES[:4]), 1 - found)
    truth = cumulative_incidence(y["time"], y["cause"])
    at = np.searchsorted(truth.times, TIMES[:4], side="right") - 1
    np.testing.assert_allclose(found.mean(axis=0), truth.incidence[0, at], atol=0.07)
    assert (np.diff(found, axis=1) >= -1e-12).all()


@pytest.mark.parametrize("row", SURVIVAL, ids=names(SURVIVAL))
def test_a_competing_event_counts_as_censored_for_the_risk(row):
    x, y = study(100, causes=2)
    three = quick(row, "competing").fit(x, y).predict(x)
    np.testing.assert_array_equal(three, quick(row).fit(x, y[["event", "time"]]).predict(x))


@pytest.mark.parametrize("row", SURVIVAL_LEARNERS, ids=names(SURVIVAL_LEARNERS))
@pytest.mark.parametrize("case", ["ties", "censored", "wide", "five events", "constant"])
def test_hard_tables_work(row, case):
    x, y = study(80, 5, causes=2, whole=case == "ties")
    if case == "censored":
        y["event"] &= np.arange(80) % 4 == 0
    if case == "five events":
        y["event"] &= np.cumsum(y["event"]) <= 5
    y["cause"] = np.where(y["event"], 1, np.where(y["cause"] > 1, y["cause"], 0))
    if case == "wide":
        x = np.random.default_rng(1).normal(size=(80, 300))
    if case == "constant":
        x = np.ones((80, 3))
    kind = "survival" if "survival" in row.kinds else "competing"
    given = y if kind == "competing" else y[["event", "time"]]
    model = quick(row, kind).fit(x, given)
    risk, curves = model.predict(x), model.predict_survival(x, TIMES)
    assert np.isfinite(risk).all()
    assert np.isfinite(curves).all()
    if case == "constant":
        assert np.ptp(risk) < 1e-9
        assert np.ptp(curves, axis=0).max() < 1e-9


@pytest.mark.parametrize("row", SURVIVAL_LEARNERS, ids=names(SURVIVAL_LEARNERS))
def test_the_same_seed_gives_the_same_model(row):
    x, y = study(60, causes=2)
    kind = "survival" if "survival" in row.kinds else "competing"
    given = y if kind == "competing" else y[["event", "time"]]
    one, two = quick(row, kind, 3), quick(row, kind, 3)
    groups = np.repeat(np.arange(30), 2)
    a = one.fit(x, given, groups=groups)
    b = clone(two).fit(x, given, groups=groups)
    np.testing.assert_array_equal(a.predict(x), b.predict(x))
    np.testing.assert_array_equal(a.predict_survival(x, TIMES), b.predict_survival(x, TIMES))


@pytest.mark.parametrize("row", SURVIVAL, ids=names(SURVIVAL))
def test_the_unit_of_time_does_not_matter(row):
    x, y = study(80)
    days = y.copy()
    days["time"] = 365.25 * y["time"]
    one, two = quick(row).fit(x, y), quick(row).fit(x, days)
    np.testing.assert_allclose(one.predict(x), two.predict(x), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(
        one.predict_survival(x, TIMES + 1e-6), two.predict_survival(x, (TIMES + 1e-6) * 365.25), atol=2e-3
    )


def test_what_is_no_time_to_an_event_is_refused():
    x, y = study(40)
    with pytest.raises(OutcomeError, match="structured array"):
        CoxRidge().fit(x, y["time"])
    with pytest.raises(ValueError, match="requires y"):
        CoxRidge().fit(x, None)
    none = y.copy()
    none["event"] = False
    with pytest.raises(OutcomeError, match="none of 40"):
        SurvivalForest().fit(x, none)
    late = y.copy()
    late["time"][:2] = 0, np.nan
    with pytest.raises(OutcomeError, match="2 of 40 times"):
        BoostedCox().fit(x, late)
    wrong = study(40, causes=2)[1]
    wrong["cause"][wrong["event"]] = 2
    with pytest.raises(OutcomeError, match="not cause 1"):
        read_times(wrong, 40)
    one = y.copy()
    one["event"] = np.arange(40) == 0
    with pytest.raises(OutcomeError, match="too few for inner folds"):
        CoxRidge().fit(x, one)


# Cox under a ridge


@pytest.mark.parametrize("whole", [False, True])
def test_ridge_coefficients_equal_scikit_survival_at_the_same_penalty(whole):
    x, y = study(90, 8, whole=whole)
    model = CoxRidge().fit(x, y)
    twin = CoxPHSurvivalAnalysis(alpha=model.penalty_, ties="efron", tol=1e-13, n_iter=200).fit(x, y)
    np.testing.assert_allclose(model.coef_, twin.coef_, atol=1e-9)


def test_more_columns_than_rows_solve_the_same_equations_and_are_quick():
    rng = np.random.default_rng(0)
    x, (_, y) = rng.normal(size=(60, 200)), study(60)
    model = CoxRidge(penalty=40.0).fit(x, y)
    twin = CoxPHSurvivalAnalysis(alpha=40.0, ties="efron", tol=1e-13, n_iter=500).fit(x, y)
    np.testing.assert_allclose(model.coef_, twin.coef_, atol=1e-9)
    x, (_, y) = rng.normal(size=(200, 4000)), study(200)
    start = clock.process_time()
    CoxRidge().fit(x, y)
    assert clock.process_time() - start < 5


def test_subsets_solved_together_equal_each_solved_alone():
    x, y = study(70, 4, whole=True)
    members = np.random.default_rng(1).random((70, 3)) < 0.7
    sets = RiskSets(y["time"], y["event"], members)
    together = cox_paths(x[sets.order], sets, np.array([30.0, 3.0]), 1e-14)
    for s in range(3):
        for k, penalty in enumerate((30.0, 3.0)):
            rows = members[:, s]
            twin = CoxPHSurvivalAnalysis(alpha=penalty, ties="efron", tol=1e-13, n_iter=200).fit(x[rows], y[rows])
            np.testing.assert_allclose(together[k, :, s], twin.coef_, atol=1e-8)


def test_without_ties_the_loss_is_the_partial_likelihood():
    x, y = study(50, 3)
    sets = RiskSets(y["time"], y["event"], np.ones((50, 1), bool))
    eta = x @ [0.5, -1.0, 2.0]
    whole = cox_loss(eta[None, :], y["time"], y["event"])
    assert sets.loss(eta[sets.order][:, None]) == pytest.approx(whole, rel=1e-12)


def test_the_penalty_is_that_of_the_smallest_deviance_of_rows_left_out(monkeypatch):
    x, y = study(60, 4)
    places = []
    original = cox.deal

    def spy(*arguments):
        places.append(original(*arguments))
        return places[-1]

    monkeypatch.setattr(cox, "deal", spy)
    monkeypatch.setattr(cox, "ROUGH", 1e-12)
    model = CoxRidge(steps=5, inner_folds=3, repeats=2).fit(x, y)
    penalties = cox.penalty_row(x - x.mean(axis=0), 5)
    loss = np.zeros(5)
    for place in places:
        for fold in range(3):
            train = place != fold
            for k, penalty in enumerate(penalties):
                twin = CoxPHSurvivalAnalysis(alpha=penalty, ties="efron", tol=1e-12, n_iter=300).fit(x[train], y[train])
                eta = (x @ twin.coef_)[None, :]
                inside = cox_loss(eta[:, train], y["time"][train], y["event"][train])
                loss[k] += (cox_loss(eta, y["time"], y["event"]) - inside)[0] / 2
    np.testing.assert_allclose(model.loss_, loss, rtol=1e-6)
    assert model.penalty_ == pytest.approx(penalties[np.argmin(loss)])


def test_inner_folds_keep_a_patients_rows_together():
    x, y = study(90)
    groups = np.repeat(np.arange(30), 3)
    alone, together = CoxRidge().fit(x, y), CoxRidge().fit(x, y, groups=groups)
    assert not np.array_equal(alone.loss_, together.loss_)
    # copies of one patient tell a model nothing new: with rows dealt apart it would believe itself
    copies, times = np.repeat(x[:30], 3, axis=0), np.repeat(y[:30], 3)
    assert CoxRidge().fit(copies, times, groups=groups).penalty_ > CoxRidge().fit(copies, times).penalty_


def test_on_noise_a_strong_penalty_is_chosen():
    rng = np.random.default_rng(4)
    spread = []
    for seed in range(20):
        x = rng.normal(size=(60, 100))
        y = as_y(rng.exponential(size=60), rng.random(60) < 0.5)
        spread.append(CoxRidge(seed=seed).fit(x, y).predict(x).std())
    assert np.median(spread) < 0.35


# Baselines and incidences


def test_the_baseline_equals_lifelines():
    x, y = study(70, 3, whole=True)
    time, event = y["time"], y["event"]
    flat = nelson_aalen(time, event)
    twin = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(time, event).cumulative_hazard_
    np.testing.assert_allclose(flat.of(np.zeros(1), flat.times)[0], twin.loc[flat.times].to_numpy()[:, 0], rtol=1e-12)
    risk = x @ [1.0, -0.5, 0.2]
    twin = CoxPHSurvivalAnalysis(ties="breslow", tol=1e-12, n_iter=200).fit(x, y)
    own = breslow(twin.predict(x), time, event)
    at = twin.cum_baseline_hazard_
    np.testing.assert_allclose(own.of(np.zeros(1), at.x)[0], at.y, rtol=1e-10)
    whole = breslow(risk, time, event)
    expected = np.array([whole.of(risk[[i]], time[[i]])[0, 0] for i in range(len(time))])
    assert expected.sum() == pytest.approx(event.sum())
    np.testing.assert_allclose(breslow(risk + 800, time, event).of(risk + 800, time), whole.of(risk, time), rtol=1e-9)


def test_incidences_of_all_causes_and_survival_sum_to_one():
    rng = np.random.default_rng(0)
    hazards = np.cumsum(rng.random((3, 4, 10)) * (rng.random((3, 1, 10)) < 0.4), axis=2)
    found = incidences(hazards)
    np.testing.assert_allclose(found.sum(axis=0), 1 - np.exp(-hazards.sum(axis=0)), rtol=1e-12)
    one = incidences(hazards[:1])
    np.testing.assert_allclose(one[0], 1 - np.exp(-hazards[0]), rtol=1e-12)


# Forests and boosted trees


@pytest.mark.parametrize(("splits", "estimator"), [("best", RandomSurvivalForest), ("random", ExtraSurvivalTrees)])
def test_a_forest_is_scikit_survivals(splits, estimator):
    x, y = study(80)
    model = SurvivalForest(splits, trees=8, least=4, times=0, seed=5).fit(x, y)
    twin = estimator(
        n_estimators=8, min_samples_leaf=4, min_samples_split=8, max_features="sqrt", bootstrap=True,
        random_state=5,
    ).fit(x, y)  # fmt: skip
    np.testing.assert_array_equal(model.predict(x), twin.predict(x))
    functions = twin.predict_survival_function(x)
    np.testing.assert_allclose(
        model.predict_survival(x, TIMES[1:4]), [[f(t) for t in TIMES[1:4]] for f in functions], atol=1e-12
    )


def test_coarse_times_keep_the_order_of_events_and_who_is_at_risk():
    rng = np.random.default_rng(0)
    time, event = rng.exponential(size=400), rng.random(400) < 0.6
    coarse = coarse_times(time, event, 20)
    assert len(np.unique(coarse[event])) == 20
    order = np.argsort(time[event])
    assert (np.diff(coarse[event][order]) >= 0).all()
    assert (coarse[~event] <= time[~event]).all()
    assert (coarse[event] >= time[event]).all()
    for cut in np.unique(coarse[event]):
        assert ((coarse >= cut) & ~event).sum() == ((time >= cut) & ~event).sum()
    assert coarse_times(time, event, 0) is time
    x, y = study(200)
    fine, rough = (SurvivalForest(trees=60, times=t).fit(x, y).predict(x) for t in (0, 50))
    assert np.corrcoef(fine, rough)[0, 1] > 0.97


def test_boosted_cox_learns_the_hazard_of_a_column_with_two_values():
    rng = np.random.default_rng(0)
    x = (np.arange(600) % 2).astype(float)[:, None]
    time, lost = rng.exponential(size=600) * np.exp(-1.2 * x[:, 0]), 2 * rng.exponential(size=600)
    y = as_y(np.minimum(time, lost), time <= lost)
    model = BoostedCox(rounds=400, learning_rate=0.1, ridge=0, rows=1, columns=1).fit(x, y)
    twin = CoxPHSurvivalAnalysis(ties="breslow").fit(x, y)
    assert np.diff(model.predict([[0.0], [1.0]]))[0] == pytest.approx(twin.coef_[0], abs=2e-3)
    np.testing.assert_allclose(
        model.predict_survival([[0.0], [1.0]], TIMES[:4]),
        [[f(t) for t in TIMES[:4]] for f in twin.predict_survival_function(np.array([[0.0], [1.0]]))],
        atol=5e-3,
    )
    assert model.selected_.tolist() == [0]


def test_boosted_times_without_trees_that_split_are_the_log_normal_of_all_rows():
    rng = np.random.default_rng(1)
    time, lost = np.exp(2 + 0.7 * rng.normal(size=800)), np.exp(2.3 + 0.8 * rng.normal(size=800))
    y = as_y(np.minimum(time, lost), time <= lost)
    place, spread = log_normal(y["time"], y["event"])
    assert (place, spread) == (pytest.approx(2, abs=0.1), pytest.approx(0.7, abs=0.06))
    model = BoostedTimes().fit(np.ones((800, 1)), y)
    assert np.abs(model.predict(np.ones((1, 1)))).max() < 0.02
    known = cumulative_incidence(y["time"], y["event"])
    at = np.array([4.0, 7.0, 12.0])
    truth = 1 - known.incidence[0, np.searchsorted(known.times, at, side="right") - 1]
    np.testing.assert_allclose(model.predict_survival(np.ones((1, 1)), at)[0], truth, atol=0.04)


def test_a_missing_cell_is_allowed_where_trees_are_boosted():
    x, y = study(80)
    x[::7, 0] = np.nan
    for model in (BoostedCox(), BoostedTimes()):
        assert np.isfinite(model.fit(x, y).predict(x)).all()


# Competing events


def test_cause_specific_models_are_those_of_each_cause():
    x, y = study(150, causes=2)
    model = CauseSpecific().fit(x, y)
    for code, own in zip((1, 2), model.models_, strict=True):
        twin = CoxRidge().fit(x, as_y(y["time"], y["cause"] == code))
        np.testing.assert_array_equal(own.coef_, twin.coef_)
    np.testing.assert_array_equal(model.predict(x), model.models_[0].predict(x))
    both = [model.predict_cumulative_incidence(x, TIMES, cause=c) for c in (1, 2)]
    assert (both[0] + both[1] <= 1 + 1e-12).all()


def test_a_column_that_hastens_the_competing_event_lowers_the_incidence():
    """What the model of the event of interest alone cannot know, and a cause-specific one does."""
    x, y = study(800, 2, causes=2)
    low, high = np.array([[0.0, -1.5]]), np.array([[0.0, 1.5]])
    model = CauseSpecific().fit(x, y)
    gap = model.predict_cumulative_incidence(low, [1.5]) - model.predict_cumulative_incidence(high, [1.5])
    rng = np.random.default_rng(0)

    def share(b):
        a, c = rng.exponential(size=200_000), rng.exponential(size=200_000) * np.exp(-b)
        return ((a < c) & (a <= 1.5)).mean()

    assert gap[0, 0] == pytest.approx(share(-1.5) - share(1.5), abs=0.07)
    alone = CoxRidge().fit(x, y)
    missed = alone.predict_cumulative_incidence(low, [1.5]) - alone.predict_cumulative_incidence(high, [1.5])
    assert abs(missed[0, 0]) < 0.3 * gap[0, 0]


def test_a_competing_cause_with_few_events_gets_a_hazard_without_columns_and_an_unknown_cause_is_refused():
    x, y = study(100, causes=2)
    few = np.flatnonzero(y["cause"] == 2)[3:]
    y["cause"][few] = 0
    model = CauseSpecific().fit(x, y)
    assert not hasattr(model.models_[1], "coef_")
    assert np.isfinite(model.predict_survival(x, TIMES)).all()
    with pytest.raises(ParamsError, match="cause 3"):
        model.predict_cumulative_incidence(x, TIMES, cause=3)


@pytest.mark.parametrize("base", [SurvivalForest(trees=20), BoostedCox(), BoostedTimes(), PenalisedCox()])
def test_any_learner_can_be_made_cause_specific(base):
    x, y = study(120, causes=2)
    model = CauseSpecific(base).fit(x, y)
    assert np.corrcoef(model.predict(x), x[:, 0])[0, 1] > 0.5
    truth = cumulative_incidence(y["time"], y["cause"])
    at = np.searchsorted(truth.times, 1.0, side="right") - 1
    assert model.predict_cumulative_incidence(x, [1.0]).mean() == pytest.approx(truth.incidence[0, at], abs=0.06)


def test_rows_of_the_table_refuse_settings_they_do_not_have():
    row = method_named("ridge", SURVIVAL_LEARNERS)
    with pytest.raises(ParamsError, match="step"):
        row.make({"step": 3}, "survival", 0)
    with pytest.raises(ParamsError, match="this one is binary"):
        row.make({}, "binary", 0)
    nets = [quick(method_named(name, SURVIVAL_LEARNERS)) for name in ("lasso", "elastic-net")]
    assert [n.l1_ratios for n in nets] == [(1.0,), (0.2, 0.5, 0.8, 1.0)]


@pytest.mark.slow
@pytest.mark.parametrize("row", SURVIVAL, ids=names(SURVIVAL))
def test_on_noise_held_out_concordance_is_one_half(row):
    found = []
    for seed in range(60):
        rng = np.random.default_rng([20261122, seed])
        x = rng.normal(size=(60, 200))
        y = as_y(rng.exponential(size=60), rng.random(60) < 0.6)
        risk = quick(row, seed=seed).fit(x[:40], y[:40]).predict(x[40:])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(concordance_index_censored(y["event"][40:], y["time"][40:], risk)[0])
    assert abs(np.mean(found) - 0.5) < 3.5 * np.std(found, ddof=1) / np.sqrt(len(found)) + 1e-9
