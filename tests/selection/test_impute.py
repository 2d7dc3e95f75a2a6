import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.params.steps import ImputeParams
from radiomics_pipeline.selection.steps.impute import Impute


@parametrize_with_checks([Impute(), Impute(indicator=True)])
def test_imputation_passes_scikit_learns_own_checks(estimator, check):
    check(estimator)


def gappy(n=40, columns=5, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    x[rng.random((n, columns)) < 0.2] = np.nan
    x[:, 0] = np.arange(n)
    return x


def test_gaps_take_the_median_of_the_training_rows():
    x, new = gappy(), gappy(seed=1) + 5
    ours, theirs = Impute().fit(x), SimpleImputer(strategy="median").fit(x)
    np.testing.assert_array_equal(ours.transform(x), theirs.transform(x))
    np.testing.assert_array_equal(ours.transform(new), theirs.transform(new))


def test_a_column_without_training_values_is_zero_in_all_rows():
    x, new = gappy(), gappy(seed=1)
    x[:, 2] = np.nan
    step = Impute(indicator=True).fit(x)
    assert step.empty_.tolist() == [False, False, True, False, False]
    assert (step.transform(new)[:, 2] == 0).all()
    assert 2 not in step.indicated_


def test_indicators_are_named_and_made_where_training_rows_have_gaps():
    x = pd.DataFrame(gappy(), columns=list("abcde"))
    step = Impute(indicator=True).fit(x)
    names = step.get_feature_names_out()
    assert names.tolist() == [*"abcde", "missing_b", "missing_c", "missing_d", "missing_e"]
    out = step.transform(x)
    np.testing.assert_array_equal(out[:, 5:], x[list("bcde")].isna().to_numpy(float))
    new = x.assign(a=np.nan)
    np.testing.assert_array_equal(step.transform(new)[:, 0], np.full(40, 19.5))
    assert Impute(indicator=True).fit(gappy()).get_feature_names_out(["0", "1", "2", "3", "4"])[5] == "missing_1"


def test_refusal_names_columns_and_rows_in_training_and_later():
    x = np.ones((4, 3))
    x[2, 1] = np.nan
    with pytest.raises(TableError, match=r"1 cells have no value, in columns x1; rows 2 "):
        Impute("refuse").fit(x)
    frame = pd.DataFrame(x, columns=["age", "MTV", "TLG"])
    step = Impute("refuse").fit(frame.dropna())
    with pytest.raises(TableError, match="MTV"):
        step.transform(frame)
    with pytest.raises(ParamsError, match="mean"):
        Impute("mean").fit(x)


def test_settings_of_a_plan_are_the_steps_own_defaults():
    assert Impute(**ImputeParams().model_dump()).get_params() == Impute().get_params()
