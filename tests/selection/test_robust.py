import numpy as np
import pandas as pd
import pingouin
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.params.steps import RobustParams
from radiomics_pipeline.selection.steps.robust import KeepRobust, Repeats
from radiomics_pipeline.stats.icc import intraclass_correlation


@parametrize_with_checks([KeepRobust()])
def test_the_robustness_filter_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


def measured(n=60, columns=8, repeats=2, seed=0):
    """X, and repeats whose noise grows from column to column."""
    rng = np.random.default_rng(seed)
    truth, noise = rng.normal(size=(n, columns)), np.linspace(0.05, 1.5, columns)
    return truth + noise * rng.normal(size=(n, columns)), truth + noise * rng.normal(size=(repeats, n, columns))


@pytest.mark.parametrize("bound", ["lower", "value"])
@pytest.mark.parametrize("form", ["1,1", "2,1", "3,1"])
def test_columns_reach_the_threshold_by_the_intraclass_correlation_of_the_training_rows(form, bound):
    x, again = measured()
    rows = np.arange(0, 60, 2)
    step = KeepRobust(again, icc=form, bound=bound).fit(x[rows], row=rows.astype(float))
    stack = np.stack([x[rows], again[0, rows], again[1, rows]], axis=1)
    found = intraclass_correlation(stack, form)
    judged = found.lower if bound == "lower" else found.value
    np.testing.assert_array_equal(step.get_support(), judged >= 0.75)
    assert 0 < len(step.dropped_) < 8
    np.testing.assert_array_equal(step.dropped_, np.flatnonzero(~step.get_support()))
    assert step.subjects_.tolist() == [30] * 8
    np.testing.assert_array_equal(step.transform(x), x[:, step.get_support()])


def test_the_correlation_is_that_of_pingouin(monkeypatch):
    monkeypatch.setitem(pingouin.options, "round.column.CI95", None)
    x, again = measured()
    step = KeepRobust(again).fit(x)
    table = pd.DataFrame(
        {
            "s": np.tile(np.arange(60), 3),
            "r": np.repeat(np.arange(3), 60),
            "v": np.concatenate([x[:, 3], again[0, :, 3], again[1, :, 3]]),
        }
    )
    reference = pingouin.intraclass_corr(table, "s", "r", "v").iloc[1]
    assert step.icc_[3] == pytest.approx(reference["ICC"], abs=1e-10)
    assert step.lower_[3] == pytest.approx(reference["CI95"][0], abs=1e-10)


def test_repeats_of_test_rows_change_nothing():
    x, again = measured()
    rows = np.random.default_rng(0).permutation(60)[:40]
    one = KeepRobust(again).fit(x[rows], row=rows)
    other = again.copy()
    other[:, np.setdiff1d(np.arange(60), rows)] = 1e6
    two = KeepRobust(other).fit(x[rows], row=rows)
    np.testing.assert_array_equal(one.lower_, two.lower_)
    order = np.random.default_rng(1).permutation(40)
    moved = KeepRobust(again).fit(x[rows][order], row=rows[order])
    np.testing.assert_allclose(moved.lower_, one.lower_, rtol=1e-10)


def test_each_row_is_paired_with_its_own_repeats():
    x, again = measured()
    rows = np.arange(60)
    wrong = KeepRobust(again, bound="value", unmeasured="drop").fit(x, row=rows)
    assert wrong.icc_[0] > 0.95
    with pytest.raises(TableError, match="no column is measured alike"):
        KeepRobust(again, bound="value").fit(x, row=rows[::-1])


def test_rows_and_repeats_without_measurement_are_left_out():
    x, again = measured(repeats=3)
    again[:, 20:] = np.nan
    again[2] = np.nan
    x[3, 1] = np.nan
    step = KeepRobust(again).fit(x)
    assert step.subjects_.tolist() == [20, 19] + [20] * 6
    plain = KeepRobust(again[:2, :20]).fit(x[:20])
    np.testing.assert_allclose(step.lower_, plain.lower_, rtol=1e-12)


@pytest.mark.parametrize("unmeasured", ["keep", "drop"])
def test_unmeasured_columns_are_kept_or_dropped_as_asked(unmeasured):
    x, again = measured()
    again[:, 2:, 1] = np.nan
    x[:, 2] = again[:, :, 2] = 4.0
    step = KeepRobust(again, unmeasured=unmeasured).fit(x)
    assert np.isnan(step.icc_[[1, 2]]).all()
    assert step.get_support()[[0, 1, 2]].tolist() == [True, unmeasured == "keep", unmeasured == "keep"]


def test_without_repeats_every_column_is_kept():
    x, again = measured()
    assert KeepRobust().fit(x, row=np.arange(60)).get_support().all()
    again[:] = np.nan
    assert KeepRobust(again).fit(x).get_support().all()
    with pytest.raises(TableError, match="no column"):
        KeepRobust(again, unmeasured="drop").fit(x)


def test_copies_for_folds_share_the_repeats_and_give_the_same():
    x, again = measured()
    step = KeepRobust(Repeats(again))
    copy = clone(step)
    assert copy.repeats is step.repeats
    assert np.shares_memory(copy.repeats.values, again)
    with pytest.raises(ValueError, match="read-only"):
        copy.repeats.values[0] = 0
    np.testing.assert_array_equal(copy.fit(x).lower_, KeepRobust(again).fit(x).lower_)
    some = np.array([0, 5])
    fewer = KeepRobust(Repeats(again).columns(some)).fit(x[:, some])
    np.testing.assert_allclose(fewer.lower_, copy.lower_[some], rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "row", "message"),
    [
        ({"icc": "4,1"}, None, "4,1"),
        ({"bound": "upper"}, None, "upper"),
        ({"unmeasured": "guess"}, None, "guess"),
        ({}, np.arange(59), "one position"),
        ({}, np.arange(60) + 0.5, "one position"),
        ({}, np.arange(60) + 1, "one position"),
        ({}, np.where(np.arange(60) == 3, np.nan, np.arange(60)), "one position"),
    ],
)
def test_settings_and_rows_that_cannot_be_used_are_refused(settings, row, message):
    x, again = measured()
    with pytest.raises(ParamsError, match=message):
        KeepRobust(again, **settings).fit(x, row=row)


def test_repeats_of_another_shape_are_refused():
    x, again = measured()
    with pytest.raises(ParamsError, match="8 columns, X has 7"):
        KeepRobust(again).fit(x[:, :7])
    with pytest.raises(ParamsError, match="60 rows, X has 50"):
        KeepRobust(again).fit(x[:50])
    with pytest.raises(ParamsError, match="2 dimensions"):
        KeepRobust(again[0]).fit(x)


def test_settings_of_a_plan_are_the_steps_own_defaults():
    assert KeepRobust(**RobustParams().model_dump()).get_params() == KeepRobust().get_params()
