import numpy as np
import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.stats.bootstrap632 import no_information_brier, optimism, plus_632


def efron_tibshirani(err, err1, gamma):
    """Equations (24) to (32) of the paper, for an error."""
    err632 = 0.368 * err + 0.632 * err1
    bounded = min(err1, gamma)
    rate = (bounded - err) / (gamma - err) if err1 > err and gamma > err else 0.0
    return (
        err632
        if rate == 0 and err1 <= gamma
        else (0.368 * err + 0.632 * bounded + (bounded - err) * 0.368 * 0.632 * rate / (1 - 0.368 * rate))
    )


@pytest.mark.parametrize(
    ("err", "err1", "gamma"),
    [(0.0, 0.5, 0.5), (0.1, 0.3, 0.5), (0.1, 0.6, 0.5), (0.2, 0.15, 0.5), (0.0, 0.2, 0.45), (0.3, 0.32, 0.4)],
)
def test_the_estimate_is_that_of_efron_and_tibshirani(err, err1, gamma):
    found = plus_632(err, np.array([err1 - 0.05, err1 + 0.05]), gamma, "lower")
    assert found.estimate == pytest.approx(efron_tibshirani(err, err1, gamma))
    assert found.plain == pytest.approx(0.368 * err + 0.632 * err1)
    turned = plus_632(1 - err, np.array([1 - err1]), 1 - gamma, "higher")
    assert turned.estimate == pytest.approx(1 - found.estimate)
    assert turned.weight == pytest.approx(found.weight)


def test_complete_overfitting_gives_the_rows_left_out_all_the_weight():
    found = plus_632(1.0, np.full(5, 0.5), 0.5, "higher")
    assert (found.overfitting, found.weight, found.estimate) == (1.0, 1.0, 0.5)
    assert found.plain == pytest.approx(0.684)


def test_rows_left_out_worse_than_chance_count_as_chance():
    found = plus_632(0.9, np.full(3, 0.4), 0.5, "higher")
    assert (found.out_of_bag, found.estimate) == (0.5, 0.5)


def test_an_apparent_value_worse_than_chance_gets_the_plain_weight():
    found = plus_632(0.4, np.array([0.45]), 0.5, "higher")
    assert found.weight == 0.632
    assert found.overfitting == 0


def test_draws_without_a_score_are_left_out_and_counted():
    found = plus_632(0.9, np.array([0.7, np.nan, 0.8]), 0.5, "higher")
    assert found == plus_632(0.9, np.array([0.7, 0.8]), 0.5, "higher").__class__(
        **{**vars(found), "note": "1 of 3 draws have no score"}
    )
    assert found.n_draws == 2
    nothing = plus_632(0.9, np.array([np.nan]), 0.5, "higher")
    assert np.isnan(nothing.estimate)
    assert nothing.note
    assert np.isnan(plus_632(np.nan, np.array([0.7]), 0.5, "higher").estimate)
    with pytest.raises(ParamsError, match="neither"):
        plus_632(1.0, np.array([0.9]), 0.0, "one")


def test_optimism_is_the_mean_excess_and_moves_the_interval():
    rng = np.random.default_rng(1)
    own, everyone = rng.normal(0.9, 0.02, 200), rng.normal(0.8, 0.02, 200)
    found = optimism(0.88, own, everyone)
    assert found.optimism == pytest.approx((own - everyone).mean())
    assert found.corrected == pytest.approx(0.88 - found.optimism)
    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(own, (0.025, 0.975)) - found.optimism))
    own[0], everyone[1] = np.nan, np.nan
    less = optimism(0.88, own, everyone)
    assert less.n_draws == 198
    assert "2 of 200" in less.note
    assert np.isnan(optimism(0.88, own[:1], everyone[:1]).corrected)
    one = optimism(0.88, np.array([0.9]), np.array([0.8]))
    assert one.corrected == pytest.approx(0.78)
    assert np.isnan(one.lower)
    with pytest.raises(ParamsError, match="both a draw"):
        optimism(0.8, own, own[:3])


def test_the_brier_score_without_information_is_the_mean_over_all_pairs():
    rng = np.random.default_rng(2)
    p, event = rng.random(25), rng.random(25) < 0.3
    assert no_information_brier(p, event) == pytest.approx(((p[:, None] - event[None, :]) ** 2).mean())
    table, codes = rng.dirichlet(np.ones(3), 25), np.arange(25) % 3
    pairs = ((table[:, None, :] - np.eye(3)[codes][None, :, :]) ** 2).sum(axis=2).mean()
    assert no_information_brier(table, codes) == pytest.approx(pairs)
    # never better than the base rate
    assert no_information_brier(p, event) >= event.mean() * (1 - event.mean())


def test_one_nearest_neighbour_on_noise_comes_out_at_chance():
    rng = np.random.default_rng(7)
    estimates = []
    for _ in range(20):
        x, y = rng.normal(size=(40, 5)), rng.permutation(np.arange(40) < 20)
        distance = ((x[:, None] - x[None]) ** 2).sum(axis=2)
        out = []
        for _ in range(30):
            rows = rng.integers(0, 40, 40)
            left = np.setdiff1d(np.arange(40), rows)
            out.append((y[rows][distance[np.ix_(left, rows)].argmin(axis=1)] != y[left]).mean())
        estimates.append(plus_632(0.0, np.array(out), 0.5, "lower").estimate)
    assert np.mean(estimates) == pytest.approx(0.48, abs=0.05)  # .632 would say 0.32
