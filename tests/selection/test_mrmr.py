import time

import numpy as np
import pytest
from scipy.stats import kruskal, spearmanr
from sklearn.metrics import mutual_info_score

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.steps.mrmr import LEAST_REDUNDANCY, Mrmr
from radiomics_pipeline.selection.steps.relevance import binned
from tests.selection.selector_studies import KINDS, planted


def slow_mrmr(X, y, keep, form, of_outcome, of_pair):
    """From the definition, one pair at a time."""
    relevant = [of_outcome(X[:, c], y) for c in range(X.shape[1])]
    chosen = []
    while len(chosen) < keep:
        best, best_value = -1, -np.inf
        for c in range(X.shape[1]):
            if c in chosen:
                continue
            redundant = np.mean([of_pair(X[:, c], X[:, s]) for s in chosen]) if chosen else 0.0
            value = relevant[c] - redundant
            if form == "quotient" and chosen:
                value = relevant[c] / max(redundant, LEAST_REDUNDANCY)
            if value > best_value:
                best, best_value = c, value
        chosen.append(best)
    return chosen


def rank_correlation(x, y):
    return abs(spearmanr(x, y).statistic)


def cleaned_information(x, y):
    chance = (len(set(x)) - 1) * (len(set(y)) - 1) / (2 * len(x))
    return mutual_info_score(x, y) - chance


def correlated(kind, seed, n=60, columns=25):
    """Columns that repeat each other in threes."""
    X, y = planted(kind, n=n, columns=columns, seed=seed)
    X[:, 5:10] = X[:, :5] + 0.4 * X[:, 5:10]
    return X, y


@pytest.mark.parametrize("form", ["difference", "quotient"])
@pytest.mark.parametrize("kind", ["binary", "continuous", "ordinal"])
def test_ranks_choose_as_the_slow_twin_does(form, kind):
    for seed in range(3):
        X, y = correlated(kind, seed)
        expected = slow_mrmr(X, y, 12, form, rank_correlation, rank_correlation)
        assert Mrmr(12, form, kind=kind).fit(X, y).order_.tolist() == expected


def test_several_classes_choose_as_the_slow_twin_does():
    X, y = correlated("multiclass", 0)

    def share(x, y):
        return np.sqrt(kruskal(*[x[y == k] for k in range(3)]).statistic / (len(x) - 1))

    assert Mrmr(12).fit(X, y).order_.tolist() == slow_mrmr(X, y, 12, "difference", share, rank_correlation)


@pytest.mark.parametrize("form", ["difference", "quotient"])
def test_information_chooses_as_the_slow_twin_does(form):
    X, y = correlated("binary", 1)
    codes = binned(X)
    expected = slow_mrmr(codes, y, 8, form, cleaned_information, cleaned_information)
    assert Mrmr(8, form, "information").fit(X, y).order_.tolist() == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_of_a_relevant_column_waits_for_the_others(kind):
    X, y = planted(kind, n=200, columns=12, effect=2.0)
    X = np.column_stack([X, X[:, 0], np.exp(X[:, 0])])
    order = Mrmr(14, kind=kind).fit(X, y).order_.tolist()
    assert {0, 1, 2} <= {0 if c >= 12 else c for c in order[:3]}
    assert sorted(order) == list(range(14))


def test_a_planted_offset_of_ranks_does_not_change_the_choice():
    X, y = correlated("binary", 2)
    np.testing.assert_array_equal(Mrmr(10).fit(X, y).order_, Mrmr(10).fit(np.exp(X) * 3, y).order_)


def test_times_are_not_served_by_information_and_wrong_settings_are_refused():
    X, y = planted("survival", n=40, columns=5)
    with pytest.raises(ParamsError, match="information does not serve survival"):
        Mrmr(measure="information").fit(X, y)
    with pytest.raises(ParamsError, match="form 'ratio'"):
        Mrmr(form="ratio").fit(X, y)
    with pytest.raises(ParamsError, match="measure 'f'"):
        Mrmr(measure="f").fit(X, y)


def test_a_thousand_columns_take_less_than_a_second():
    X, y = planted("binary", n=200, columns=1000)
    start = time.process_time()
    Mrmr(20).fit(X, y)
    Mrmr(20, measure="information").fit(X, y)
    assert time.process_time() - start < 1.0
