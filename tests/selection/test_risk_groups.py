from dataclasses import astuple
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter, CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import median_survival_times
from scipy.stats import chi2_contingency
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import proportion_confint

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.selection.outcomes.fates import fates_of
from radiomics_pipeline.selection.outcomes.out_of_fold import out_of_fold, patient_draws
from radiomics_pipeline.selection.outcomes.risk_groups import Cutpoints, risk_group_rows, training_cutpoints
from radiomics_pipeline.selection.outcomes.searched_cut import fate_scores, searched_cut
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.oof_studies import oof_of
from tests.selection.studies import study


def timed(n=120, effect=1.0, seed=0, groups=3):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    time = np.round(rng.exponential(size=n) * np.exp(-effect * group), 2) + 0.01
    lost = np.round(2 * rng.exponential(size=n), 2) + 0.01
    return Outcome.survival(np.minimum(time, lost), (time <= lost).astype(float)), group


def test_the_fates_of_timed_groups_are_those_of_lifelines():
    outcome, group = timed(seed=7)
    time, event = outcome.time, outcome.event
    fates = fates_of(outcome, group, 3, 0.2)
    for k in range(3):
        own = group == k
        curve = KaplanMeierFitter().fit(time[own], event[own])
        bounds = curve.confidence_interval_.loc[:0.2].iloc[-1]
        assert fates.event_free[k] == pytest.approx([curve.predict(0.2), *bounds], abs=1e-12)
        lower, upper = median_survival_times(curve.confidence_interval_).iloc[0]
        wanted = [v if np.isfinite(v) else np.nan for v in (curve.median_survival_time_, lower, upper)]
        assert fates.median[k] == pytest.approx(wanted, nan_ok=True)
        assert (fates.n[k], fates.events[k]) == (own.sum(), event[own].sum())
    for k in (1, 2):
        pair = np.isin(group, (0, k))
        frame = pd.DataFrame({"t": time[pair], "e": event[pair], "g": group[pair] == k}, dtype=float)
        found = CoxPHFitter().fit(frame, "t", "e", fit_options={"precision": 1e-10}).summary.iloc[0]
        wanted = found[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]]
        assert fates.ratio[k] == pytest.approx(wanted, rel=1e-6)
    assert fates.p == pytest.approx(multivariate_logrank_test(time, group, event).p_value)
    assert (fates.test, fates.measure) == ("log-rank", "hazard ratio")


def test_the_fates_of_binary_groups_are_those_of_statsmodels():
    rng = np.random.default_rng(1)
    group = rng.integers(0, 2, 90)
    outcome = Outcome.binary((rng.random(90) < 0.3 + 0.2 * group).astype(float))
    fates = fates_of(outcome, group, 2, np.nan)
    counts = np.array([[(outcome.event[group == k] == e).sum() for e in (True, False)] for k in (1, 0)])
    for k in (0, 1):
        free, n = counts[1 - k, 1], counts[1 - k].sum()
        assert fates.event_free[k] == pytest.approx([free / n, *proportion_confint(free, n, method="wilson")])
    table = Table2x2(counts)
    assert fates.ratio[1] == pytest.approx([table.oddsratio, *table.oddsratio_confint()], rel=1e-8)
    assert fates.measure == "odds ratio"
    assert fates.p == pytest.approx(chi2_contingency(counts, correction=False).pvalue)
    assert np.isnan(fates.median).all()


def test_competing_events_are_counted_by_aalen_and_johansen():
    rng = np.random.default_rng(2)
    time, cause = rng.exponential(size=200), rng.integers(0, 3, 200)
    outcome, group = Outcome.competing(time, cause), np.arange(200) % 2
    fates = fates_of(outcome, group, 2, 0.8)
    assert fates.measure == "cause-specific hazard ratio"
    for k in (0, 1):
        own = group == k
        curve = AalenJohansenFitter(calculate_variance=False).fit(time[own], cause[own], event_of_interest=1)
        assert fates.event_free[k, 0] == pytest.approx(1 - float(curve.predict(0.8)))
        assert fates.event_free[k, 1] < fates.event_free[k, 0] < fates.event_free[k, 2]
        assert fates.events[k] == (cause[own] == 1).sum()
    assert fates.test == "log-rank, cause-specific"


def test_several_causes_that_lack_one_are_still_counted():
    cause = np.array([0, 1, 3, 3, 1, 0, 1, 3, 2, 0])
    outcome = Outcome.competing(np.arange(1.0, 11), cause)
    fates = fates_of(outcome, np.array([0] * 8 + [1] * 2), 2, 8.0)
    curve = AalenJohansenFitter(calculate_variance=False).fit(np.arange(1.0, 9), cause[:8], event_of_interest=1)
    assert fates.event_free[0, 0] == pytest.approx(1 - float(curve.predict(8.0)))
    assert fates.event_free[1, 0] == 1.0
    assert fates.events.tolist() == [3, 0]


def test_a_group_not_followed_to_the_horizon_has_no_share_and_says_so():
    outcome = Outcome.survival([1, 2, 3, 4, 5, 6], [1, 0, 0, 1, 1, 0])
    fates = fates_of(outcome, np.array([0, 0, 0, 1, 1, 1]), 2, 5.0)
    assert np.isnan(fates.event_free[0]).all()
    assert "followed up to 3 only" in fates.reasons[0]
    assert np.isfinite(fates.event_free[1, 0])
    everyone = Outcome.survival([1, 2, 3, 4], [1, 1, 1, 1])
    assert fates_of(everyone, np.array([0, 0, 1, 1]), 2, 5.0).event_free[:, 0].tolist() == [0.0, 0.0]


def test_an_empty_group_and_one_without_events_have_reasons_in_place_of_numbers():
    outcome = Outcome.survival([1, 2, 3, 4], [1, 1, 0, 0])
    fates = fates_of(outcome, np.array([0, 0, 1, 1]), 3, 2.5)
    assert fates.reasons[2] == "no row falls into this group"
    assert np.isnan(fates.event_free[2]).all()
    assert fates.ratio[1, 0] == 0.0
    assert np.isnan(fates.ratio[1, 1:]).all()
    assert "no interval" in fates.reasons[1]


def test_rows_of_one_patient_give_no_interval_of_shares_and_a_robust_p():
    outcome, group = timed(groups=2)
    alone, clustered = (fates_of(outcome, group, 2, 0.5, p) for p in (None, np.arange(120) // 3))
    assert clustered.event_free[:, 0] == pytest.approx(alone.event_free[:, 0])
    assert np.isnan(clustered.event_free[:, 1:]).all()
    assert "robust" in clustered.test
    assert 0 < clustered.p < 1
    assert clustered.ratio[1, 0] == pytest.approx(alone.ratio[1, 0])
    # rows doubled within their patients leave the robust interval as it is, the naive one shrinks
    twice = outcome.rows(np.repeat(np.arange(120), 2))
    doubled = fates_of(twice, np.repeat(group, 2), 2, 0.5, np.repeat(np.arange(120), 2))
    once = fates_of(outcome, group, 2, 0.5, np.arange(120))
    assert doubled.ratio[1] == pytest.approx(once.ratio[1], rel=0.02)


def test_quantile_cuts_part_the_training_scores_evenly_and_ignore_the_outcome():
    scores = np.arange(12.0)
    one, other = (Outcome.binary(np.roll([0, 1] * 6, k)) for k in (0, 1))
    cuts = training_cutpoints(scores, one, 3)
    assert np.bincount(cuts.group(scores)).tolist() == [4, 4, 4]
    assert training_cutpoints(scores, other, 3).cuts.tolist() == cuts.cuts.tolist()
    assert np.isnan(cuts.p)
    assert set(training_cutpoints(np.ones(12), one, 2).group(np.ones(12))) == {0}


@pytest.mark.parametrize(
    ("scores", "options"),
    [
        ([], {}),
        ([1.0, np.nan], {}),
        ([1.0, 2.0], {"groups": 1}),
        ([1.0, 2.0], {"method": "best"}),
        ([1.0, 2.0], {"groups": 3, "method": "maximally selected"}),
    ],
)
def test_cuts_that_cannot_be_made_are_refused(scores, options):
    outcome = Outcome.binary([0, 1]) if len(scores) else Outcome.binary([0, 1]).rows(np.array([], int))
    with pytest.raises(ParamsError):
        training_cutpoints(np.array(scores), outcome, **options)


def test_a_folds_cuts_come_from_the_other_folds_alone():
    outcome, _ = timed(n=50)
    rng = np.random.default_rng(3)
    scores = rng.normal(size=50)
    fold = np.arange(50) % 5 + 1
    shifted = scores.copy()
    shifted[fold == 1] += 100  # moves its own rows up, not its own cut
    rows = risk_group_rows(oof_of(outcome, shifted, fold), horizon=0.5)
    cuts = [np.median(shifted[fold != k]) for k in range(1, 6)]
    assert cuts[0] == np.median(scores[fold != 1])
    assert rows[0].cut_upper == pytest.approx(np.mean(cuts))
    high = sum((shifted[fold == k] > cuts[k - 1]).sum() for k in range(1, 6))
    assert [r.n for r in rows] == [50 - high, high]
    assert [r.group for r in rows] == [1, 2]
    assert (rows[0].cut_lower, rows[1].cut_upper) == (-np.inf, np.inf)
    assert "descriptive" in rows[0].note


def test_repeats_are_averaged_and_p_is_twice_the_median():
    outcome, group = timed(n=90)
    rng = np.random.default_rng(4)
    scores = group + rng.normal(size=(3, 90))
    rows = risk_group_rows(oof_of(outcome, scores), groups=3, horizon=0.5)
    assert [(r.repeat, r.group) for r in rows] == [(k, g) for k in range(4) for g in (1, 2, 3)]
    for g in range(3):
        single = [rows[3 * k + g] for k in (1, 2, 3)]
        assert rows[g].event_free == pytest.approx(np.mean([r.event_free for r in single]))
        assert rows[g].ratio == pytest.approx(np.exp(np.mean([np.log(r.ratio) for r in single])))
        assert rows[g].p == pytest.approx(min(1, 2 * np.median([r.p for r in single])))
        assert sum(r.n for r in rows if r.repeat == 1) == 90
    assert astuple(rows[3])[:1] == ("plan",)
    assert rows[3].p == rows[4].p == rows[5].p


def test_given_cuts_are_used_and_a_single_test_part_without_them_says_so():
    outcome, group = timed(n=60, groups=2)
    single = oof_of(outcome, group, np.ones(60, int))
    (row,) = risk_group_rows(single, horizon=0.5)
    assert "give cuts" in row.note
    assert np.isnan(row.p)
    rows = risk_group_rows(single, horizon=0.5, given=Cutpoints(np.array([0.5]), "given"))
    assert [r.n for r in rows] == [(group == 0).sum(), (group == 1).sum()]
    assert rows[0].p == pytest.approx(fates_of(outcome, group, 2, 0.5).p)
    assert "descriptive" not in rows[0].note
    assert rows[0].method == "given"
    folds = {(1, k): Cutpoints(np.array([0.5]), "given") for k in range(1, 6)}
    assert risk_group_rows(oof_of(outcome, group), horizon=0.5, given=folds)[0].n == rows[0].n
    with pytest.raises(ParamsError, match="folds"):
        risk_group_rows(oof_of(outcome, group), horizon=0.5, given={(1, 1): folds[1, 1]})


def test_other_kinds_have_no_risk_groups():
    outcome = Outcome.continuous(np.arange(10.0))
    assert risk_group_rows(oof_of(outcome, np.arange(10.0))) == ()


@pytest.mark.parametrize("method", ["quantiles", "maximally selected"])
def test_noise_gives_no_risk_groups_and_a_strong_score_does(method):
    p, strong = [], []
    for seed in range(60):
        rng = np.random.default_rng([5, seed])
        outcome, group = timed(n=60, effect=1.0, seed=seed)
        p.append(risk_group_rows(oof_of(outcome, rng.normal(size=60)), method=method, horizon=0.5)[0].p)
        if seed < 5:
            outcome, group = timed(n=60, effect=1.5, seed=seed)
            score = group + 0.1 * rng.normal(size=60)
            strong.append(risk_group_rows(oof_of(outcome, score), method=method, horizon=0.5)[0])
    assert np.mean(np.array(p) < 0.05) < 0.15  # 60 draws: 3.5 standard errors above 0.05
    assert max(r.p for r in strong) < 0.01
    if method != "quantiles":
        assert max(r.cut_p for r in strong) < 0.01


def test_the_searched_cut_is_the_best_of_all_by_hand_and_its_p_that_of_all_arrangements():
    scores, event = np.array([1.0, 2, 3, 4, 5, 6]), [0, 0, 1, 0, 1, 1]
    found = searched_cut(scores, Outcome.binary(event))
    cut, p = found.cut, found.p
    fates = np.array(event, float)

    def largest(y):
        sums = [abs(y[:k].sum() - k / 2) / (y.var(ddof=1) * k * (6 - k) / 6) ** 0.5 for k in range(1, 6)]
        return max(sums), int(np.argmax(np.round(sums, 12)))

    top, place = largest(fates)
    assert cut == scores[place]
    everything = [largest(np.array(y, float))[0] for y in set(permutations(event))]
    exact = np.mean(np.array(everything) >= top - 1e-12)
    assert p == pytest.approx(exact, abs=3.5 * (exact * (1 - exact) / 999) ** 0.5)


def test_the_statistic_of_a_cut_is_the_log_rank_test_of_its_groups():
    rng = np.random.default_rng(8)
    time, event, high = rng.exponential(size=2000), rng.random(2000) < 0.7, np.arange(2000) >= 900
    time = np.where(high, time / 1.2, time)
    outcome = Outcome.survival(time, event.astype(float))
    found = searched_cut(high.astype(float), outcome)
    wanted = multivariate_logrank_test(time, high, event).test_statistic
    assert found.statistic**2 == pytest.approx(wanted, rel=0.02)  # permutation variance, not the hypergeometric one
    assert fate_scores(outcome).sum() == pytest.approx(0, abs=1e-9)


def test_scores_that_are_all_the_same_have_no_searched_cut():
    outcome = Outcome.binary([0, 1] * 10)
    found = searched_cut(np.ones(20), outcome)
    assert np.isnan([found.cut, found.p]).all()
    cuts = training_cutpoints(np.ones(20), outcome, 2, "maximally selected")
    assert set(cuts.group(np.arange(20.0))) == {0}
    rows = risk_group_rows(oof_of(outcome, np.arange(20.0), np.ones(20, int)), given=cuts)
    assert "no cut in the training rows: no two scores differ" in rows[0].note
    assert [r.n for r in rows] == [20, 0]


def test_the_searched_p_holds_its_level():
    p = []
    for seed in range(200):
        rng = np.random.default_rng([9, seed])
        outcome, _ = timed(n=40, seed=seed)
        p.append(searched_cut(rng.normal(size=40), outcome).p)
    assert abs(np.mean(np.array(p) <= 0.05) - 0.05) < 3.5 * (0.05 * 0.95 / 200) ** 0.5


def test_a_whole_plan_on_noise_finds_no_risk_groups_more_often_than_chance():
    p = []
    for seed in range(30):
        table, outcome, _ = study(n=60, columns=5, effect=0.0, seed=seed)
        folds = draw_folds(table, outcome, folds=5, repeats=1, seed=seed)
        found = evaluate(LogisticRegression(), table, outcome, folds, plan="logistic")
        p.append(risk_group_rows(out_of_fold(found, table, outcome))[0].p)
    assert np.mean(np.array(p) < 0.05) < 0.19  # 3.5 standard errors above 0.05


def test_predictions_are_aligned_to_the_tables_rows():
    table, outcome, _ = study(n=40, columns=5)
    folds = draw_folds(table, outcome, folds=4, repeats=2, seed=0)
    found = evaluate(LogisticRegression(), table, outcome, folds, plan="logistic")
    aligned = out_of_fold(found, table, outcome)
    assert aligned.prediction.shape == (2, 40)
    for row in found.predictions:
        at = row.repeat - 1, table.case.index(row.case)
        assert aligned.prediction[at] == row.prediction
        assert aligned.fold[at] == row.fold
    assert not aligned.clustered
    with pytest.raises(TableError, match="not in the table"):
        out_of_fold(found, table.rows(np.arange(39)), outcome.rows(np.arange(39)))
    turned = Outcome.binary(1 - outcome.value)
    with pytest.raises(TableError, match="was"):
        out_of_fold(found, table, turned)


def test_bootstrap_samples_hold_whole_patients_and_do_not_follow_the_order_of_rows():
    patient = np.array(["b", "a", "b", "c"], dtype=object)
    for rows in patient_draws(patient, 20, 0):
        assert (rows == 0).sum() == (rows == 2).sum()
        assert len({(r, k) for k, r in enumerate(patient[rows])}) == len(rows)
    swapped = [3, 2, 1, 0]
    for one, two in zip(patient_draws(patient, 5, 1), patient_draws(patient[swapped], 5, 1), strict=True):
        assert sorted(patient[one]) == sorted(patient[swapped][two])
