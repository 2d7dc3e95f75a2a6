from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_selection import RFE
from sklearn.linear_model import Ridge

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.steps.elimination import Elimination, ridge_weights
from radiomics_pipeline.selection.steps.l1_paths import standardised
from radiomics_pipeline.selection.steps.target import read_target
from tests.selection.selector_studies import KINDS, planted


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("columns", [15, 60])
@pytest.mark.parametrize("kind", ["binary", "continuous", "ordinal"])
def test_the_choice_and_the_ranking_are_those_of_scikit_learn(kind, columns, step):
    X, y = planted(kind, n=40, columns=columns)
    found = Elimination(keep=5, step=step, penalty=3.0, kind=kind).fit(X, y)
    twin = RFE(Ridge(alpha=3.0), n_features_to_select=5, step=step).fit(standardised(X), y)
    np.testing.assert_array_equal(found.support_, twin.support_)
    np.testing.assert_array_equal(found.ranking_, twin.ranking_)


@pytest.mark.parametrize("kind", ["multiclass", "survival"])
def test_other_outcomes_are_those_of_scikit_learn_on_their_numbers(kind):
    X, y = planted(kind, n=60, columns=30)
    numbers = read_target(y, kind, 60).numbers()
    found = Elimination(keep=4, step=1, penalty=3.0, kind=kind).fit(X, y)
    twin = RFE(Ridge(alpha=3.0), n_features_to_select=4, step=1).fit(standardised(X), numbers)
    np.testing.assert_array_equal(found.ranking_, twin.ranking_)


@pytest.mark.parametrize("columns", [10, 80])
def test_weights_are_squared_coefficients_of_ridge_with_few_rows_or_many(columns):
    X, y = planted("multiclass", n=40, columns=columns)
    Z, numbers = standardised(X), read_target(y, "auto", 40).numbers()
    twin = Ridge(alpha=2.0).fit(Z, numbers).coef_
    np.testing.assert_allclose(ridge_weights(Z, numbers, 2.0), (twin**2).sum(axis=0), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_leaves_in_every_round_and_planted_columns_stay(kind):
    X, y = planted(kind, n=200, columns=100, effect=2.0)
    found = Elimination(keep=6, step=0.3, kind=kind).fit(X, y)
    assert {0, 1, 2} == set(found.order_[:3].tolist())
    assert found.support_.sum() == 6
    sizes = [100]
    while sizes[-1] > 6:
        sizes.append(max(6, sizes[-1] - int(0.3 * sizes[-1])))
    assert np.bincount(found.ranking_)[1:].tolist() == [
        6,
        *[a - b for a, b in pairwise(sizes)][::-1],
    ]
    assert sorted(found.scores_) == pytest.approx((np.arange(100) / 100).tolist())
    assert np.argmax(found.scores_) == found.order_[0]


def test_wrong_steps_and_penalties_are_refused():
    X, y = planted("binary", n=40, columns=4)
    for settings, message in (({"step": 0.0}, "step is 0"), ({"step": 2.5}, "step is 2.5"), ({"penalty": -1.0}, "-1")):
        with pytest.raises(ParamsError, match=message):
            Elimination(**settings).fit(X, y)
