import time

import numpy as np
import pytest
from scipy.stats import binomtest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.steps.shadow import Shadow, hits_needed
from tests.selection.selector_studies import KINDS, lesions, planted


def test_the_hits_needed_are_those_of_the_binomial_test():
    for rounds, columns, alpha in ((20, 50, 0.05), (25, 1000, 0.05), (30, 10, 0.2)):
        needed = hits_needed(rounds, columns, alpha)
        assert binomtest(needed, rounds, alternative="greater").pvalue * columns <= alpha
        assert binomtest(needed - 1, rounds, alternative="greater").pvalue * columns > alpha
    with pytest.raises(ParamsError, match="use 15 rounds"):
        hits_needed(14, 1000, 0.05)
    assert hits_needed(15, 1000, 0.05) == 15


@pytest.mark.parametrize("kind", KINDS)
def test_all_relevant_columns_are_kept_also_those_that_repeat_each_other(kind):
    X, y = planted(kind, n=200, columns=30, effect=2.0)
    X[:, 29] = X[:, 0] + 0.05 * X[:, 29]
    found = Shadow(rounds=20, kind=kind).fit(X, y)
    assert {0, 1, 2, 29} <= set(found.order_.tolist())
    assert found.support_.sum() <= 6
    assert (found.hits_[found.order_] >= found.needed_).all()


def test_columns_that_only_work_together_are_found():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 8))
    y = ((X[:, 0] > 0) ^ (X[:, 1] > 0)).astype(int)
    found = Shadow(rounds=15, trees=200, depth=6).fit(X, y)
    assert {0, 1} == set(found.order_.tolist())


def test_noise_keeps_one_column_and_says_that_nothing_was_found():
    found = [Shadow(rounds=20).fit(*planted("binary", n=60, columns=60, effect=0.0, seed=s)) for s in range(8)]
    assert sum(f.nothing_found_ for f in found) >= 7
    assert all(len(f.order_) == 1 for f in found if f.nothing_found_)
    assert all(f.rounds_ < 20 for f in found if f.nothing_found_)


def test_shadows_of_patients_with_several_rows_stay_as_alike_as_their_columns():
    rows, patients = [], []
    for seed in range(3):
        X, y, patient = lesions(columns=30, patients=14, each=8, seed=seed)
        rows.append(Shadow(rounds=14).fit(X, y))
        patients.append(Shadow(rounds=14).fit(X, y, patient=patient))
    assert sum(int(f.support_.sum()) for f in patients) < sum(int(f.support_.sum()) for f in rows)
    assert sum(f.hits_.sum() for f in patients) < sum(f.hits_.sum() for f in rows)


def test_the_seed_decides():
    X, y = planted("binary", n=60, columns=20, effect=0.5)
    one, two, other = (Shadow(rounds=12, seed=s).fit(X, y).scores_ for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_a_thousand_columns_take_less_than_five_seconds(kind):
    X, y = planted(kind, n=200, columns=1000)
    start = time.process_time()
    Shadow().fit(X, y)
    assert time.process_time() - start < 5.0
