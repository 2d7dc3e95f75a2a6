from dataclasses import replace

import numpy as np
import pytest

from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.analysis import select_features
from radiomics_pipeline.stats.multiplicity import benjamini_hochberg
from radiomics_pipeline.stats.proportional_hazards import proportional_hazards
from radiomics_pipeline.types.outcome import Outcome
from tests.selection.studies import study, table_of

QUICK = SelectionParams(
    validation=ValidationParams(folds=3, repeats=2, inner_folds=3), plans=("ridge",), combination=None, final=False
)


def fading(n=150, seed=2):
    """The first feature's effect turns around halfway; the second's stays; then noise, and a copy of the first."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    time = rng.exponential(size=n) * np.exp(-1.2 * x[:, 0] - 0.8 * x[:, 1])
    late = time > np.median(time)
    time[late] = np.median(time) + rng.exponential(size=late.sum()) * np.exp(1.2 * x[late, 0] - 0.8 * x[late, 1])
    x[:, 5] = x[:, 0] + 0.01 * rng.normal(size=n)
    return table_of(x), Outcome.survival(time, (rng.random(n) < 0.8).astype(float))


def test_a_ratio_that_changes_is_found_and_one_that_does_not_is_not():
    table, outcome = fading()
    found = select_features(table, outcome, None, QUICK).ranking
    rows = {row.feature: row for row in found.hazards}
    assert [row.feature for row in found.hazards] == [*(r.feature for r in found.redundancy.rows if r.kept), "ridge"]
    assert len({"f000", "f005"} & set(rows)) == 1  # one of the cluster
    turned = rows.get("f000") or rows["f005"]
    assert turned.q < 0.001
    assert turned.correlation < 0
    assert turned.note == "not proportional: the log hazard ratio falls with time"
    assert rows["f001"].q > 0.05
    assert rows["f001"].note == ""
    assert any("not proportional" in note and "1 of 5 features" in note for note in found.notes)


def test_rows_equal_the_test_of_each_column_with_q_over_the_features():
    table, outcome = fading()
    values = table.values.copy()
    values[::9, 2] = np.nan
    found = select_features(replace(table, values=values), outcome, None, QUICK).ranking.hazards
    features = [row for row in found if row.kind == "feature"]
    for row in features:
        column = values[:, table.columns.index(row.feature)]
        there = ~np.isnan(column)
        alone = proportional_hazards(column[there][:, None], outcome.time[there], outcome.event[there])
        assert (row.chi2, row.p) == pytest.approx((alone.statistic[0], alone.p[0]), rel=1e-9)
        assert (row.n, row.events) == (there.sum(), outcome.event[there].sum())
    expected = benjamini_hochberg(np.array([row.p for row in features]))
    assert [row.q for row in features] == pytest.approx(list(expected))
    assert next(row.n for row in features if row.feature == "f002") == 133


def test_the_plan_is_judged_by_the_survival_foretold_to_rows_left_out():
    table, outcome = fading()
    found = select_features(table, outcome, None, QUICK).ranking
    row = found.hazards[-1]
    assert (row.feature, row.kind, row.n) == ("ridge", "plan", 150)
    scores = {case: [] for case in table.case}
    for p in found.predictions:
        scores[p.case].append(np.log(-np.log(p.survival)))
    mean = np.array([np.mean(scores[case]) for case in table.case])
    expected = proportional_hazards(mean[:, None], outcome.time, outcome.event)
    assert (row.chi2, row.p) == pytest.approx((expected.statistic[0], expected.p[0]), rel=1e-9)
    assert np.isnan(row.q)
    assert "descriptive" in row.note


def test_of_patients_with_several_rows_the_first_is_taken():
    table, outcome = fading()
    several = replace(table, patient=tuple(f"p{i // 2}" for i in range(150)))
    rows = {r.feature: r for r in select_features(several, outcome, None, QUICK).ranking.hazards}
    first = np.arange(0, 150, 2)
    alone = proportional_hazards(table.values[first, 1:2], outcome.time[first], outcome.event[first])
    assert rows["f001"].p == pytest.approx(alone.p[0], rel=1e-9)
    assert rows["f001"].n == rows["ridge"].n == 75
    assert "first row of each patient" in rows["f001"].note


def test_competing_events_are_censored_and_other_outcomes_have_no_hazards():
    table, outcome = fading()
    causes = np.where(outcome.event, np.where(np.arange(150) % 3 == 0, 2, 1), 0).astype(float)
    rows = {
        r.feature: r
        for r in select_features(table, Outcome.competing(outcome.time, causes), None, QUICK).ranking.hazards
    }
    alone = proportional_hazards(table.values[:, 1:2], outcome.time, causes == 1)
    assert rows["f001"].p == pytest.approx(alone.p[0], rel=1e-9)
    assert rows["f001"].events == (causes == 1).sum()
    table, outcome, _ = study(60, 5)
    assert select_features(table, outcome, None, QUICK).ranking.hazards == ()


@pytest.mark.slow
def test_the_number_of_processes_does_not_matter():
    table, outcome = fading(n=90)
    one, two = (select_features(table, outcome, None, QUICK, n_jobs=n).ranking.hazards for n in (1, 2))
    assert repr(one) == repr(two)
