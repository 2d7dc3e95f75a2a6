import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.feature_selection import f_classif, f_regression, mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.registry import method_named
from radiomics_pipeline.selection.steps.blocks import Blocks
from radiomics_pipeline.selection.steps.calibrated_stability import CalibratedStability
from radiomics_pipeline.selection.steps.elimination import Elimination
from radiomics_pipeline.selection.steps.mrmr import Mrmr
from radiomics_pipeline.selection.steps.penalised_choice import PenalisedChoice
from radiomics_pipeline.selection.steps.relevance import MEASURES, binned, evidence, information, relevance
from radiomics_pipeline.selection.steps.screen import Screen
from radiomics_pipeline.selection.steps.shadow import Shadow
from radiomics_pipeline.selection.steps.stability import Stability
from radiomics_pipeline.selection.steps.table import SELECTORS
from radiomics_pipeline.selection.steps.target import Target, martingale_residuals, read_target
from radiomics_pipeline.stats.cox import cox_lrt, cox_robust_p
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.mannwhitney import clustered_p, mannwhitney_p
from tests.selection.selector_studies import KINDS, lesions, planted

QUICK = {"stability": {"pairs": 10}, "stabl": {"pairs": 10}, "shadow": {"rounds": 20}}


def made(name, kind, **settings):
    return method_named(name, SELECTORS).make(QUICK.get(name, {}) | settings, kind, 3)


@parametrize_with_checks(
    [
        Screen(),
        Mrmr(),
        Stability(pairs=3),
        CalibratedStability(pairs=3, steps=4),
        PenalisedChoice(),
        Elimination(),
        Shadow(rounds=12, trees=4),
        Blocks(),
    ]
)
def test_every_selector_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [m.name for m in SELECTORS])
def test_planted_features_are_chosen_for_every_kind_of_outcome(name, kind):
    X, y = planted(kind, n=200, columns=40, effect=2.0)
    found = made(name, kind).fit(X, y)
    assert {0, 1, 2} <= set(found.order_[:5].tolist())
    assert not found.nothing_found_
    assert found.support_[found.order_].all()
    assert found.support_.sum() == len(found.order_)
    np.testing.assert_array_equal(found.transform(X), X[:, np.sort(found.order_)])


@pytest.mark.parametrize("name", [m.name for m in SELECTORS])
def test_the_same_seed_gives_the_same_choice_and_the_input_stays_as_it_was(name):
    X, y = planted("binary", n=60, columns=30)
    kept = X.copy()
    X.flags.writeable = y.flags.writeable = False
    one, two = made(name, "binary").fit(X, y), made(name, "binary").fit(X, y)
    np.testing.assert_array_equal(one.scores_, two.scores_)
    np.testing.assert_array_equal(one.order_, two.order_)
    np.testing.assert_array_equal(X, kept)


@pytest.mark.parametrize("name", [m.name for m in SELECTORS])
def test_a_limit_above_the_number_of_columns_and_constant_columns_do_no_harm(name):
    X, y = planted("binary", n=60, columns=6)
    X[:, 4] = 2.0
    settings = {"keep_each": 50} if name == "blocks" else {"keep": 50}
    found = made(name, "binary", **settings).fit(X, y)
    assert 1 <= found.support_.sum() <= 6
    if name in ("screen", "mrmr", "elimination"):
        assert {0, 1, 2, 3, 5} <= set(found.order_.tolist())


@pytest.mark.parametrize("name", [m.name for m in SELECTORS])
def test_columns_that_are_all_constant_keep_one_that_is_flagged(name):
    y = np.arange(40) % 2
    found = made(name, "binary").fit(np.ones((40, 3)), y)
    assert found.nothing_found_
    assert found.order_.tolist() == [0]


@pytest.mark.parametrize("name", [m.name for m in SELECTORS])
def test_settings_come_through_the_method_and_wrong_ones_are_refused(name):
    with pytest.raises(ParamsError, match="kep"):
        made(name, "binary", kep=3)
    assert made(name, "survival").kind == "survival"
    assert clone(made(name, "binary")).get_params().keys() == made(name, "binary").get_params().keys()


@pytest.mark.parametrize("measure", ["auc", "mann-whitney"])
def test_areas_and_rank_sums_of_two_classes_equal_the_reference(measure):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(50, 4)), rng.integers(0, 3, 50)])
    y = rng.permutation(np.arange(50) % 3 == 0)
    score, p = evidence(X, y.astype(int), measure)
    twin = [stats.mannwhitneyu(X[y, c], X[~y, c], method="asymptotic") for c in range(5)]
    np.testing.assert_allclose(p, [t.pvalue for t in twin], rtol=1e-10)
    np.testing.assert_allclose(p, mannwhitney_p(auc_delong(X, y)), rtol=1e-10)
    if measure == "auc":
        areas = np.array([roc_auc_score(y, X[:, c]) for c in range(5)])
        np.testing.assert_allclose(score, np.maximum(areas, 1 - areas), rtol=1e-12)
    else:
        twin = [stats.mannwhitneyu(X[y, c], X[~y, c], method="asymptotic", use_continuity=False) for c in range(5)]
        np.testing.assert_allclose(2 * stats.norm.sf(score), [t.pvalue for t in twin], rtol=1e-10)


def test_several_classes_use_kruskal_and_wallis_and_the_mean_area_of_pairs():
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(size=(60, 3)), rng.integers(0, 4, 60)])
    y = rng.integers(0, 3, 60)
    score, p = evidence(X, y, "mann-whitney")
    twin = [stats.kruskal(*[X[y == k, c] for k in range(3)]) for c in range(4)]
    np.testing.assert_allclose(score**2, [t.statistic for t in twin], rtol=1e-10)
    np.testing.assert_allclose(p, [t.pvalue for t in twin], rtol=1e-9)
    area = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        rows = (y == a) | (y == b)
        one = roc_auc_score(y[rows] == b, X[rows, 0])
        area.append(max(one, 1 - one))
    assert relevance(X, y, "auc")[0] == pytest.approx(np.mean(area))


def test_spearman_f_and_information_equal_scipy_and_scikit_learn():
    rng = np.random.default_rng(2)
    X, number, code = rng.normal(size=(80, 4)), rng.normal(size=80), rng.integers(0, 3, 80)
    X[:, 1] += number
    twin = [stats.spearmanr(X[:, c], number) for c in range(4)]
    score, p = evidence(X, number, "spearman")
    np.testing.assert_allclose(score, [abs(t.statistic) for t in twin], rtol=1e-12)
    np.testing.assert_allclose(p, [t.pvalue for t in twin], rtol=1e-8)
    for y, reference in ((code, f_classif), (number, f_regression)):
        score, p = evidence(X, y, "f")
        np.testing.assert_allclose(score, reference(X, y)[0], rtol=1e-9)
        np.testing.assert_allclose(p, reference(X, y)[1], rtol=1e-8)
    codes = binned(X)
    found, degrees = information(codes, code)
    np.testing.assert_allclose(found, [mutual_info_score(codes[:, c], code) for c in range(4)], rtol=1e-10)
    np.testing.assert_allclose(found, mutual_info_classif(codes, code, discrete_features=True), rtol=1e-10)
    _, p = evidence(X, code, "information")
    twin = [
        stats.chi2_contingency(
            [[((codes[:, c] == i) & (code == k)).sum() for k in range(3)] for i in np.unique(codes[:, c])],
            lambda_="log-likelihood",
            correction=False,
        )
        for c in range(4)
    ]
    np.testing.assert_allclose(p, [t.pvalue for t in twin], rtol=1e-8)
    np.testing.assert_array_equal(degrees, [t.dof for t in twin])


def test_cox_scores_are_likelihood_ratios_and_the_null_model_gives_martingale_residuals():
    X, y = planted("survival", n=80, columns=5)
    score, p = evidence(X, y, "cox")
    np.testing.assert_allclose(p, cox_lrt(X, y["time"], y["event"]).p)
    np.testing.assert_allclose(stats.chi2.sf(score, 1), p, rtol=1e-10)
    time, event = np.array([2.0, 1.0, 2.0, 3.0]), np.array([True, True, False, True])
    # hazard: 1/4 at 1, 1/3 at 2, 1 at 3
    expected = [1 - (1 / 4 + 1 / 3), 1 - 1 / 4, -(1 / 4 + 1 / 3), 1 - (1 / 4 + 1 / 3 + 1)]
    np.testing.assert_allclose(martingale_residuals(time, event), expected)
    assert (np.argsort(-relevance(X, y, "concordance"))[:3] < 3).all()


def test_competing_events_count_as_censored_where_the_score_is_of_one_cause():
    X, y = planted("competing", n=80, columns=5)
    as_one = np.empty(80, dtype=[("event", "?"), ("time", "<f8")])
    as_one["event"], as_one["time"] = y["cause"] == 1, y["time"]
    for measure in ("cox", "spearman"):
        np.testing.assert_array_equal(relevance(X, y, measure), relevance(X, as_one, measure))
    as_one["time"] = np.where(y["cause"] > 1, y["time"].max() + 1, y["time"])
    np.testing.assert_array_equal(relevance(X, y, "concordance"), relevance(X, as_one, "concordance"))


def test_rows_of_one_patient_are_not_taken_as_independent():
    X, y, patient = lesions()
    np.testing.assert_allclose(evidence(X, y, "auc", patient)[1], clustered_p(X, y == 1, patient), rtol=1e-8)
    alone, together = evidence(X, y, "auc")[1], evidence(X, y, "auc", patient)[1]
    assert np.median(together) > 0.2
    assert np.median(alone) < 0.1
    time = np.random.default_rng(0).exponential(size=20)[patient]
    survival = np.empty(len(y), dtype=[("event", "?"), ("time", "<f8")])
    survival["event"], survival["time"] = y == 1, time
    expected = cox_robust_p(X, time, y == 1, patient)
    np.testing.assert_allclose(evidence(X, survival, "cox", patient)[1], expected)
    assert Screen(max_q=0.05).fit(X, y, patient=patient).nothing_found_
    assert Screen(max_q=0.05).fit(X, y).support_.sum() > 3


def test_clustered_p_of_several_classes_is_uniform_on_noise_and_small_on_signal():
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(60), 2)
    y = rng.integers(0, 3, 60)[patient]
    X = rng.normal(size=(60, 400))[patient] + 0.3 * rng.normal(size=(120, 400))
    X[:, 0] += 2 * y
    p = evidence(X, y, "mann-whitney", patient)[1]
    assert p[0] < 1e-4
    assert 0.02 < (p[1:] < 0.05).mean() < 0.09


def test_every_measure_leaves_constant_columns_undefined_and_refuses_other_outcomes():
    for measure in MEASURES:
        for kind in KINDS:
            X, y = planted(kind, n=60, columns=4)
            X[:, 1] = 3.0
            target = read_target(y, kind, 60)
            if kind in measure.kinds:
                score, p = evidence(X, target, measure.name)
                assert np.isnan(score).tolist() == np.isnan(p).tolist() == [False, True, False, False]
            else:
                with pytest.raises(ParamsError, match="does not serve"):
                    evidence(X, target, measure.name)
    with pytest.raises(ParamsError, match="did you mean 'auc'"):
        Screen(measure="acu").fit(X[:, [0]], np.arange(60) % 2)


def test_a_false_discovery_rate_keeps_the_planted_columns_and_at_least_as_many_as_asked():
    X, y = planted("binary", n=200, columns=300)
    found = Screen(keep=None, max_q=0.05).fit(X, y)
    assert {0, 1, 2} <= set(found.order_.tolist())
    assert len(found.order_) < 8
    assert (found.q_[found.order_] <= 0.05).all()
    assert Screen(keep=2, max_q=0.05).fit(X, y).support_.sum() == 2
    noise = Screen(max_q=1e-6, min_keep=4).fit(X[:, 3:], y)
    assert noise.nothing_found_
    assert len(noise.order_) == noise.support_.sum() == 4
    with pytest.raises(ParamsError, match="neither"):
        Screen(keep=None).fit(X, y)
    with pytest.raises(ParamsError, match="keep is 0"):
        Screen(keep=0).fit(X, y)


def test_outcomes_that_nothing_can_be_chosen_for_are_refused():
    X = np.random.default_rng(0).normal(size=(10, 3))
    y = np.zeros(10, dtype=[("event", "?"), ("time", "<f8")])
    with pytest.raises(OutcomeError, match="none of 10 rows"):
        Screen().fit(X, y)
    with pytest.raises(OutcomeError, match="1 classes"):
        Screen(kind="binary").fit(X, np.ones(10))
    with pytest.raises(OutcomeError, match="3 classes"):
        Screen(kind="binary").fit(X, np.arange(10) % 3)
    with pytest.raises(OutcomeError, match="needs y with the fields"):
        Screen(kind="survival").fit(X, np.arange(10.0))
    with pytest.raises(OutcomeError, match="has times"):
        Screen(kind="binary").fit(X, y)
    with pytest.raises(ParamsError, match="kind 'bin'"):
        Screen(kind="bin").fit(X, np.arange(10) % 2)


def test_the_kind_of_y_is_read_from_its_values_where_none_is_given():
    assert read_target(np.arange(6) % 2, "auto", 6).kind == "binary"
    assert read_target(np.arange(6.0) % 3, "auto", 6).kind == "continuous"
    assert read_target(np.arange(6) % 3, "auto", 6).kind == "multiclass"
    assert read_target(np.array(["b", "a", "b"]), "auto", 3).value.tolist() == [1, 0, 1]
    assert isinstance(read_target(np.arange(6) % 3, "ordinal", 6), Target)


@pytest.mark.parametrize("name", ["screen", "mrmr", "lasso", "stability", "elimination"])
def test_selection_inside_the_folds_is_honest_on_noise_and_before_them_is_not(name):
    inside, before = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(50, 400)), rng.permutation(np.arange(50) % 2)
        keep = {"false_positives": 8.0, "threshold": 0.6, "pairs": 5} if name == "stability" else {"keep": 8}
        selector, folds = made(name, "binary", **keep), StratifiedKFold(5, shuffle=True, random_state=seed)
        inside += [cross_val_score(make_pipeline(selector, LogisticRegression()), X, y, cv=folds, scoring="roc_auc")]
        chosen = clone(selector).fit(X, y).transform(X)
        before += [cross_val_score(LogisticRegression(), chosen, y, cv=folds, scoring="roc_auc")]
    assert abs(np.mean(inside) - 0.5) < 0.09
    assert np.mean(before) > 0.62
