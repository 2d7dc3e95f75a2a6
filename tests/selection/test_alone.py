import dataclasses
import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2, mannwhitneyu, rankdata, spearmanr
from sklearn.metrics import roc_auc_score
from sksurv.metrics import concordance_index_censored
from statsmodels.duration.hazard_regression import PHReg

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.selection.alone import rank_alone
from radiomics_pipeline.stats.firth import firth_logistic
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import table_of

TIMES = ("survival", "competing")
KINDS = ("binary", "continuous", "multiclass", "ordinal", *TIMES)


def study(kind, seed=1, n=150, *, patients=None):
    """Columns: 0 goes with the outcome, 1 only through the first adjusting one, 2 has gaps, 3 is constant, 4 is noise.

    Adjusting columns: the first goes with the outcome, the second does not.
    """
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(n, 5)), 1)
    adjust = rng.normal(size=(n, 2))
    values[:, 1] = adjust[:, 0] + 0.2 * rng.normal(size=n)
    values[::7, 2] = np.nan
    values[:, 3] = 4.0
    risk = 1.5 * values[:, 0] + 1.5 * adjust[:, 0]
    noisy = risk + rng.logistic(size=n)
    time = np.ceil(100 * rng.exponential(size=n) * np.exp(-risk))
    parts = np.digitize(noisy, [-1.5, 1.5])
    outcome = {
        "binary": lambda: Outcome.binary((noisy > 0).astype(float)),
        "continuous": lambda: Outcome.continuous(noisy),
        "multiclass": lambda: Outcome.multiclass([f"class {k}" for k in parts]),
        "ordinal": lambda: Outcome.ordinal([str(k) for k in parts]),
        "survival": lambda: Outcome.survival(time, (np.arange(n) % 3 > 0).astype(float)),
        "competing": lambda: Outcome.competing(time, (np.arange(n) % 3).astype(float)),
    }[kind]()
    names = None if patients is None else tuple(f"p{i % patients}" for i in range(n))
    return table_of(values, patient=names), outcome, adjust


@pytest.mark.parametrize("kind", KINDS)
def test_the_column_that_goes_with_the_outcome_is_found_alone_and_given_the_others(kind):
    table, outcome, adjust = study(kind)
    real, through, gaps, constant, noise = rank_alone(table, outcome, adjust, permutations=99)
    assert max(real.p, real.q, real.effect_p, real.partial_p) < 0.02
    assert real.p_max_t <= 0.03
    assert through.p < 0.01
    assert through.partial_p > 0.01
    assert noise.p_max_t > 0.05
    assert (gaps.n, gaps.partial_n) == (128, 128)
    assert np.isnan([constant.p, constant.q, constant.effect_p, constant.p_max_t, constant.partial_p]).all()
    assert "constant" in constant.note
    assert real.note == ""
    assert real.direction == {"multiclass": ""}.get(kind, "higher")
    assert np.isnan(real.information) == (kind in ("continuous", *TIMES))
    if kind != "multiclass":
        assert real.lower < real.value < real.upper
        assert real.effect_lower < real.effect < real.effect_upper


def test_binary_rows_equal_their_references():
    table, outcome, adjust = study("binary")
    rows = rank_alone(table, outcome, adjust)
    for c in (0, 1, 2, 4):
        there = ~np.isnan(table.values[:, c])
        x, y, row = table.values[there, c], outcome.event[there], rows[c]
        assert row.value == pytest.approx(roc_auc_score(y, x), abs=1e-12)
        assert row.p == pytest.approx(mannwhitneyu(x[y], x[~y], method="asymptotic").pvalue, abs=1e-12)
        z = x / x.std(ddof=1)
        alone = sm.Logit(y, sm.add_constant(z)).fit(disp=0, tol=1e-12)
        assert (row.coefficient, row.standard_error) == pytest.approx((alone.params[1], alone.bse[1]), abs=1e-8)
        assert (row.effect_lower, row.effect_upper) == pytest.approx(tuple(np.exp(alone.conf_int()[1])), rel=1e-7)
        share = y.mean()
        empty = len(y) * (share * np.log(share) + (1 - share) * np.log(1 - share))
        assert row.effect_p == pytest.approx(chi2.sf(2 * (alone.llf - empty), 1), abs=1e-10)
        given = sm.Logit(y, sm.add_constant(np.column_stack([z, adjust[there]]))).fit(disp=0, tol=1e-12)
        assert row.partial_effect == pytest.approx(np.exp(given.params[1]), rel=1e-7)
    assert rows[0].events == outcome.event.sum()


@pytest.mark.parametrize("kind", TIMES)
def test_rows_of_a_time_equal_their_references_with_other_causes_censored(kind):
    table, outcome, _ = study(kind)
    rows = rank_alone(table, outcome)
    for c in (0, 1, 2, 4):
        there = ~np.isnan(table.values[:, c])
        x, row = table.values[there, c], rows[c]
        time, event = outcome.time[there], outcome.event[there]
        never = np.where(outcome.value[there] > 1, time.max() + 1, time)  # after a competing event
        assert row.value == pytest.approx(concordance_index_censored(event, never, x)[0], abs=1e-12)
        fit = PHReg(time, x / x.std(ddof=1), status=event.astype(int), ties="efron").fit(tol=1e-12)
        assert row.effect == pytest.approx(np.exp(fit.params[0]), rel=1e-8)
        assert row.effect_upper == pytest.approx(np.exp(fit.conf_int()[0, 1]), rel=1e-7)
        assert row.p == row.effect_p
        assert row.events == event.sum()
    assert rows[0].test == ("Cox likelihood ratio" if kind == "survival" else "cause-specific Cox likelihood ratio")


def test_a_number_is_ranked_by_spearman_with_the_slope_beside_it():
    table, outcome, _ = study("continuous")
    row = rank_alone(table, outcome)[0]
    x = table.values[:, 0]
    expected = spearmanr(x, outcome.value)
    assert (row.value, row.p) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-12)
    line = sm.OLS(outcome.value, sm.add_constant(x / x.std(ddof=1))).fit()
    assert (row.effect_lower, row.effect_upper) == pytest.approx(tuple(line.conf_int()[1]), rel=1e-9)


def test_partial_effect_of_an_ordered_class_is_the_partial_correlation_of_ranks():
    table, outcome, adjust = study("ordinal")
    row = rank_alone(table, outcome, adjust)[0]
    x, y = rankdata(table.values[:, 0]), rankdata(outcome.value)
    others = sm.add_constant(rankdata(adjust, axis=0))
    left = [v - others @ np.linalg.lstsq(others, v)[0] for v in (x, y)]
    assert row.partial_effect == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-9)
    full = sm.OLS(y, np.column_stack([x, others])).fit()
    assert row.partial_p == pytest.approx(full.pvalues[0], abs=1e-10)


def test_a_feature_is_not_adjusted_for_itself():
    table, outcome, adjust = study("binary")
    both = table_of(np.column_stack([1000 * adjust[:, 0], adjust[:, 1], table.values[:, 0]]))
    volume, other, _ = rank_alone(both, outcome, adjust)
    expected = rank_alone(table_of(adjust[:, :1]), outcome, adjust[:, 1:])[0]
    assert volume.partial_p == pytest.approx(expected.partial_p, abs=1e-10)
    assert "one of the adjusting columns" in volume.note
    assert "one of the adjusting columns" in other.note
    alone = rank_alone(both, outcome, adjust[:, :1])[0]
    assert np.isnan(alone.partial_p)
    assert "adjusting column itself" in alone.note


def test_missing_adjusting_cells_leave_rows_out_of_the_adjusted_model_only():
    table, outcome, adjust = study("binary")
    adjust[:10, 0] = np.nan
    row = rank_alone(table, outcome, adjust)[0]
    assert (row.n, row.partial_n) == (150, 140)
    keep = np.arange(10, 150)
    assert row.partial_p == pytest.approx(
        rank_alone(table.rows(keep), outcome.rows(keep), adjust[keep])[0].partial_p, abs=1e-12
    )


def test_separation_gives_firths_odds_ratio_with_a_profile_interval():
    y = np.arange(40) >= 20
    x = np.arange(40.0)
    rows = rank_alone(table_of(np.column_stack([x, -x, np.cos(x)])), Outcome.binary(y.astype(float)))
    row, reverse, other = rows
    fit, unit = firth_logistic(x[:, None], y), x.std(ddof=1)
    ends = tuple(np.exp(unit * np.array([fit.coefficients[1], fit.lower[1], fit.upper[1]])))
    assert (row.effect, row.effect_lower, row.effect_upper) == pytest.approx(ends, rel=1e-6)
    assert 1 < row.effect_lower < row.effect < row.effect_upper < np.inf
    assert row.standard_error == pytest.approx(unit * fit.standard_errors[1], rel=1e-6)
    assert row.effect_p == pytest.approx(fit.p[1], rel=1e-6)
    assert reverse.effect == pytest.approx(1 / row.effect, rel=1e-6)
    assert row.note == "separation: Firth's odds ratio"
    assert row.effect_test == "Firth penalised likelihood ratio"
    assert (other.effect_test, other.note) == ("logistic likelihood ratio", "")


def adjusted_by_firth(row, x, beside, y):
    """Whether the adjusted effect is Firth's of this column beside the others."""
    fit, unit = firth_logistic(np.column_stack([x, beside]), y), x.std(ddof=1)
    ends = tuple(np.exp(unit * np.array([fit.coefficients[1], fit.lower[1], fit.upper[1]])))
    found = (row.partial_effect, row.partial_lower, row.partial_upper)
    assert found == pytest.approx(ends, rel=1e-5)
    assert row.partial_p == pytest.approx(fit.p[1], rel=1e-6)
    assert row.partial_n == len(x)


def test_separation_given_other_columns_gives_firths_odds_ratio():
    y = np.arange(40) >= 20
    beside = np.random.default_rng(0).normal(size=(40, 1))
    table, outcome = table_of(np.arange(40.0)[:, None]), Outcome.binary(y.astype(float))
    row = rank_alone(table, outcome, beside)[0]
    adjusted_by_firth(row, np.arange(40.0), beside, y)
    assert row.note.endswith("adjusted: separation: Firth's odds ratio")
    # the adjusting column separates: what the feature adds has a number as well
    other = rank_alone(table_of(np.cos(np.arange(40.0))[:, None]), outcome, y[:, None] + beside / 50)[0]
    adjusted_by_firth(other, np.cos(np.arange(40.0)), y[:, None] + beside / 50, y)
    assert other.note == "adjusted: separation: Firth's odds ratio"


def test_separation_of_patients_with_several_rows_has_no_end():
    y = np.arange(40) >= 20
    beside = np.random.default_rng(0).normal(size=(40, 1))
    table = table_of(np.arange(40.0)[:, None], patient=tuple(f"p{i // 2}" for i in range(40)))
    row = rank_alone(table, Outcome.binary(y.astype(float)), beside)[0]
    assert row.partial_effect == np.inf
    assert "no end" in row.note


def test_few_rows_that_have_the_adjusting_columns_give_firths_odds_ratio_of_these():
    rng = np.random.default_rng(5)
    x, beside, y = rng.normal(size=(60, 2)), rng.normal(size=(60, 2)), np.arange(60) < 12
    beside[:3, 1] = np.nan
    beside[:, 0] = x[:, 1]
    x[0, 0] = np.nan
    first, second = rank_alone(table_of(x), Outcome.binary(y.astype(float)), beside)
    adjusted_by_firth(first, x[3:, 0], beside[3:], y[3:])
    adjusted_by_firth(second, x[3:, 1], beside[3:, 1:], y[3:])
    assert first.note == "adjusted: fewer than 10 rows of one class: Firth's odds ratio"
    assert first.effect_test == "logistic likelihood ratio"
    whole = rank_alone(table_of(x), Outcome.binary(y.astype(float)), rng.normal(size=(60, 1)))
    assert [row.note for row in whole] == ["", ""]


def test_few_rows_of_one_class_give_firths_odds_ratio_where_a_column_has_few_only():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 2))
    y = (np.arange(60) < 12).astype(float)
    x[:3, 1] = np.nan
    enough, few = rank_alone(table_of(x), Outcome.binary(y))
    assert enough.effect_test == "logistic likelihood ratio"
    fit = firth_logistic(x[3:, 1:], y[3:])
    assert few.coefficient == pytest.approx(fit.coefficients[1] * x[3:, 1].std(ddof=1), rel=1e-6)
    assert few.effect_p == pytest.approx(fit.p[1], rel=1e-6)
    assert "fewer than 10 rows of one class" in few.note
    twice = tuple(f"p{i // 2}" for i in range(60))
    assert {r.effect_test for r in rank_alone(table_of(x, patient=twice), Outcome.binary(y))} == {
        "logistic robust score"
    }


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_one_patient_are_not_taken_for_independent(kind):
    table, outcome, adjust = study(kind, patients=75)
    rows = rank_alone(table, outcome, adjust, permutations=20)
    assert all("patient" in row.test or "robust" in row.test for row in rows)
    assert all("robust" in row.effect_test or "patient" in row.effect_test for row in rows)
    assert rows[0].p < 0.05
    assert rows[0].partial_p < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_rows_repeated_for_their_patients_change_neither_index_nor_p(kind):
    table, outcome, adjust = study(kind, patients=75)
    twice = np.repeat(np.arange(150), 2)
    doubled = table_of(table.values[twice], patient=tuple(table.patient[i] for i in twice))
    once, many = rank_alone(table, outcome, adjust), rank_alone(doubled, outcome.rows(twice), adjust[twice])
    names = ["value", "p"] + (["partial_p", "effect", "standard_error"] if kind in ("binary", "continuous") else [])
    for row, other in zip(once, many, strict=True):
        # effects are per standard deviation, which divides by rows less one
        for name in names:
            assert getattr(other, name) == pytest.approx(getattr(row, name), rel=0.02, nan_ok=True)
        assert other.p == pytest.approx(row.p, rel=1e-8, nan_ok=True)


def test_infinite_cells_are_missing_and_said():
    table, outcome, _ = study("binary")
    values = table.values.copy()
    values[:4, 0] = np.inf
    row = rank_alone(table_of(values), outcome)[0]
    assert row.n == 146
    assert "4 infinite cells" in row.note


def test_adjusting_columns_that_do_not_fit_are_refused():
    table, outcome, adjust = study("binary")
    with pytest.raises(ParamsError, match="shape"):
        rank_alone(table, outcome, adjust[:50])
    with pytest.raises(ParamsError, match="infinite"):
        rank_alone(table, outcome, np.where(adjust > 2, np.inf, adjust))
    with pytest.raises(OutcomeError, match="exchanged"):
        rank_alone(table_of(np.ones((4, 1))), Outcome.binary(np.array([0, 1, 0, 1])), permutations=10)


def test_order_of_the_columns_does_not_matter_and_nothing_hangs_on_the_other_columns():
    table, outcome, adjust = study("survival")
    rows = rank_alone(table, outcome, adjust)
    turned = rank_alone(table_of(table.values[:, ::-1], columns=table.columns[::-1]), outcome, adjust)[::-1]
    for row, other in zip(rows, turned, strict=True):
        np.testing.assert_equal(dataclasses.asdict(other), dataclasses.asdict(row))


@pytest.mark.parametrize("kind", KINDS)
def test_tiny_tables_give_numbers_or_none_but_no_warning(kind):
    table, outcome, adjust = study(kind, n=12)
    values = table.values.copy()
    values[:, 4] = np.nan
    values[1:, 3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = rank_alone(table_of(values), outcome, np.column_stack([adjust, adjust[:, 0] ** 2]))
    assert np.isnan([rows[4].value, rows[4].p, rows[4].effect, rows[3].p, rows[3].partial_p]).all()
    assert rows[4].n == 0
