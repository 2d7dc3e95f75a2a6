import itertools
import math

import numpy as np
import pytest
import statsmodels.api as sm
from pydantic import ValidationError
from sklearn.metrics import roc_auc_score
from statsmodels.duration.hazard_regression import PHReg

from radiomics_pipeline.errors import OutcomeError, ParamsError
from radiomics_pipeline.params.combination import CombinationParams
from radiomics_pipeline.selection.combine.dominance import contributions_of, dominance
from radiomics_pipeline.selection.validation.folds import Fold, deal
from radiomics_pipeline.types.outcome import Outcome

# mpg, cyl, vs, am of the 32 cars of Henderson and Velleman, Biometrics 1981;37:391 (R's mtcars)
CARS = """21 6 0 1|21 6 0 1|22.8 4 1 1|21.4 6 1 0|18.7 8 0 0|18.1 6 1 0|14.3 8 0 0|24.4 4 1 0|22.8 4 1 0|19.2 6 1 0|
17.8 6 1 0|16.4 8 0 0|17.3 8 0 0|15.2 8 0 0|10.4 8 0 0|10.4 8 0 0|14.7 8 0 0|32.4 4 1 1|30.4 4 1 1|33.9 4 1 1|
21.5 4 1 0|15.5 8 0 0|15.2 8 0 0|13.3 8 0 0|19.2 8 0 0|27.3 4 1 1|26 4 0 1|30.4 4 1 1|15.8 8 0 1|19.7 6 0 1|
15 8 0 1|21.4 4 1 1"""


def splits(outcome, k=5):
    place = deal(outcome.strata, np.arange(len(outcome)), k, np.random.default_rng(0))
    return [Fold(1, i + 1, np.flatnonzero(place != i), np.flatnonzero(place == i)) for i in range(k)]


def names(k):
    return [f"f{i}" for i in range(k)]


def slow_dominance(worth, k):
    """General contributions by the definition: mean over orders of entry."""
    total = np.zeros(k)
    for order in itertools.permutations(range(k)):
        before = frozenset()
        for i in order:
            total[i] += worth[before | {i}] - worth[before]
            before |= {i}
    return total / math.factorial(k)


def test_published_figures_of_the_motor_cars():
    """R package domir, README: domir(mpg ~ am + vs + cyl) with R2."""
    cars = np.array([[float(v) for v in row.split()] for row in CARS.replace("\n", "").split("|")])
    y, x = cars[:, 0], cars[:, [3, 2, 1]]
    fold = Fold(1, 1, np.arange(32), np.arange(32))
    params = CombinationParams(candidates=3, largest=3, ridge=0, bootstrap=0)
    found = dominance(x, Outcome.continuous(y), [fold], ["am", "vs", "cyl"], params=params)
    general = {r.name: r.general for r in found.rows}
    assert general == pytest.approx({"am": 0.1774892, "vs": 0.2027032, "cyl": 0.3817849}, abs=5e-8)
    assert [r.name for r in found.rows] == ["cyl", "vs", "am"]
    assert found.rows[0].share == pytest.approx(0.5010450, abs=5e-8)
    by_size = {(r.name, r.others): r.contribution for r in found.by_size}
    published = {
        "am": (0.3597989, 0.1389842, 0.033684441),
        "vs": (0.4409477, 0.1641982, 0.002963748),
        "cyl": (0.7261800, 0.3432799, 0.075894823),
    }
    for name, values in published.items():
        assert [by_size[name, s] for s in range(3)] == pytest.approx(values, abs=5e-8)
    complete = {(r.first, r.second): r.complete for r in found.pairs}
    assert complete["cyl", "am"] == complete["cyl", "vs"] == 1
    assert complete["am", "vs"] == complete["vs", "am"] == complete["am", "cyl"] == complete["vs", "cyl"] == 0


@pytest.mark.parametrize("measure", ["mcfadden", "nagelkerke", "cox-snell"])
def test_logistic_contributions_equal_statsmodels_over_all_subsets(measure):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(90, 4))
    x[:, 1] += x[:, 0]
    y = (x[:, 0] + 0.7 * x[:, 2] + rng.logistic(size=90) > 0).astype(float)
    empty = sm.Logit(y, np.ones((90, 1))).fit(disp=0).llf
    worth = {}
    for size in range(5):
        for inside in itertools.combinations(range(4), size):
            full = sm.Logit(y, sm.add_constant(x[:, list(inside)])).fit(disp=0, tol=1e-12).llf if size else empty
            share = 1 - math.exp(2 * (empty - full) / 90)
            of = {"mcfadden": 1 - full / empty, "cox-snell": share}
            worth[frozenset(inside)] = of.get(measure, share / (1 - math.exp(2 * empty / 90)))
    params = CombinationParams(candidates=4, ridge=0, bootstrap=0, measure=measure)
    fold = Fold(1, 1, np.arange(90), np.arange(90))
    found = dominance(x, Outcome.binary(y), [fold], names(4), params=params)
    general = {r.name: r.general for r in found.rows}
    slow = slow_dominance(worth, 4)
    assert [general[f"f{i}"] for i in range(4)] == pytest.approx(slow, abs=1e-9)
    held_out = {r.name: r.held_out for r in found.rows}
    if measure == "mcfadden":  # tested on the rows trained on, it is the same number
        assert held_out == pytest.approx(general, abs=1e-9)
    else:
        assert sum(held_out.values()) == pytest.approx(sum(slow), abs=1e-9)


def test_cox_contributions_equal_statsmodels_over_all_subsets():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(80, 3))
    times = np.ceil(8 * rng.exponential(size=80) * np.exp(-x[:, 0]))
    event = rng.random(80) < 0.7
    worth = {frozenset(): 0.0}
    for size in (1, 2, 3):
        for inside in itertools.combinations(range(3), size):
            model = PHReg(times, x[:, list(inside)], status=event.astype(int), ties="efron")
            fitted = model.fit(disp=0, tol=1e-12)
            gain = fitted.llf - model.loglike(np.zeros(size))
            worth[frozenset(inside)] = 1 - math.exp(-2 * gain / event.sum())
    params = CombinationParams(candidates=3, largest=3, ridge=0, bootstrap=0)
    fold = Fold(1, 1, np.arange(80), np.arange(80))
    found = dominance(x, Outcome.survival(times, event), [fold], names(3), params=params)
    general = {r.name: r.general for r in found.rows}
    assert found.rows[0].measure == "events"
    assert [general[f"f{i}"] for i in range(3)] == pytest.approx(slow_dominance(worth, 3), abs=1e-9)


def test_contributions_of_a_known_game():
    # a glove each: the first two hold the same hand, the third the other
    worth = np.array([0, 0, 0, 0, 0, 1, 1, 1], float)
    found = contributions_of(worth)
    np.testing.assert_allclose(found.general, [1 / 6, 1 / 6, 4 / 6])
    np.testing.assert_allclose(found.conditional[:, 2], [0, 1, 1])
    assert found.complete[2, 0]
    assert not found.complete[0, 1]
    with pytest.raises(ParamsError, match="all combinations"):
        contributions_of(worth[:7])


def planted(n=200, p=40, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    first, second = (5, 9) if p > 9 else (0, 2)
    return x, Outcome.binary((2.2 * x[:, first] * x[:, second] + rng.logistic(size=n) > 0).astype(float))


def test_a_planted_interaction_is_found_and_shared_by_two_features_useless_alone():
    x, outcome = planted()
    for c in (5, 9):
        assert abs(roc_auc_score(outcome.event, x[:, c]) - 0.5) < 0.09
    params = CombinationParams(candidates=6, interactions=True, bootstrap=24)
    found = dominance(x, outcome, splits(outcome), names(40), params=params)
    rows = {r.name: r for r in found.rows}
    assert {found.rows[0].name, found.rows[1].name} == {"f5", "f9"}
    for name in ("f5", "f9"):
        row = rows[name]
        assert row.candidate == 1
        assert row.alone < 0.03
        assert row.last > 0.15
        assert row.general > 0.07
        assert row.held_out > 0.05
        assert row.held_out_lower > 0
    assert rows["f5"].general == pytest.approx(rows["f9"].general, rel=0.15)
    others = [r for r in found.rows if r.name not in ("f5", "f9")]
    assert max(r.held_out for r in others) < 0.05
    without = dominance(x, outcome, splits(outcome), names(40), params=CombinationParams(candidates=6, bootstrap=0))
    assert all(r.held_out < 0.05 for r in without.rows)


def test_contributions_add_up_to_what_all_candidates_explain():
    x, outcome = planted(120, 12)
    params = CombinationParams(candidates=5, bootstrap=0)
    found = dominance(x, outcome, splits(outcome), names(12), params=params)
    assert sum(r.general for r in found.rows) == pytest.approx(np.mean([p.fit[-1] for p in found.parts]))
    lost = sum(p.loss[0] - p.loss[-1] for p in found.parts) / sum(p.loss[0] for p in found.parts)
    assert sum(r.held_out for r in found.rows) == pytest.approx(lost)
    assert sum(r.share for r in found.rows) == pytest.approx(1)
    assert all(r.candidate > 0 for r in found.rows)


def test_candidates_come_from_training_rows_alone():
    """Outcomes of the rows left out do not touch what the fold chose or fitted."""
    x, outcome = planted(100, 30)
    fold = splits(outcome)[0]
    flipped = outcome.value.copy()
    flipped[fold.test] = 1 - flipped[fold.test]
    params = CombinationParams(candidates=4, bootstrap=0)
    first = dominance(x, outcome, [fold], names(30), params=params).parts[0]
    second = dominance(x, Outcome.binary(flipped), [fold], names(30), params=params).parts[0]
    np.testing.assert_array_equal(first.players, second.players)
    np.testing.assert_array_equal(first.fit, second.fit)
    assert not np.allclose(first.loss, second.loss)


def test_on_noise_the_held_out_contributions_are_none():
    held_out, fit = [], []
    for seed in range(30):
        rng = np.random.default_rng([3, seed])
        x = rng.normal(size=(60, 50))
        outcome = Outcome.binary(np.arange(60) % 2)
        params = CombinationParams(candidates=3, largest=3, bootstrap=0)
        found = dominance(x, outcome, splits(outcome, 4), names(50), params=params)
        held_out.append(sum(r.held_out for r in found.rows))
        fit.append(sum(r.general for r in found.rows))
    assert np.mean(held_out) < 0
    assert np.mean(fit) > 0.1  # what training rows show after candidates were chosen: why held_out stands beside it


def test_blocks_are_players_and_name_their_columns():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(150, 12))
    outcome = Outcome.binary((1.5 * x[:, 0] + x[:, 6] + rng.logistic(size=150) > 0).astype(float))
    blocks = {"volume": [0], "shape": range(1, 6), "texture": range(6, 12)}
    params = CombinationParams(per_block=2, bootstrap=20)
    found = dominance(x, outcome, splits(outcome), names(12), params=params, blocks=blocks)
    rows = {r.name: r for r in found.rows}
    assert [r.name for r in found.rows] == ["volume", "texture", "shape"]
    assert rows["volume"].members == "f0"
    assert "f6" in rows["texture"].members.split("; ")
    assert all(r.kind == "block" and r.candidate == 1 for r in found.rows)
    assert rows["volume"].held_out_lower > 0 > rows["shape"].held_out_lower
    with pytest.raises(ParamsError, match="blocks"):
        dominance(x, outcome, splits(outcome), names(12), blocks={"only": [1]})
    with pytest.raises(ParamsError, match="no columns"):
        dominance(x, outcome, splits(outcome), names(12), blocks={"a": [1], "b": []})


def test_members_of_a_cluster_are_booked_to_their_representative():
    x, outcome = planted(100, 8)
    x[:, 1] = x[:, 0] + 0.01 * x[:, 1]
    own = np.arange(8)
    own[1] = 0
    params = CombinationParams(candidates=8, bootstrap=0)
    plain = {r.name: r.general for r in dominance(x, outcome, splits(outcome), names(8), params=params).rows}
    booked = dominance(x, outcome, splits(outcome), names(8), params=params, representative=own)
    rows = {r.name: r.general for r in booked.rows}
    assert "f1" not in rows
    assert rows["f0"] == pytest.approx(plain["f0"] + plain["f1"])


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_number_of_processes_and_copies_share_a_fold():
    x, outcome = planted(80, 6)
    x, outcome = np.repeat(x, 2, axis=0), outcome.rows(np.repeat(np.arange(80), 2))
    patient = np.repeat(np.arange(80), 2).astype(str)
    place = deal(outcome.strata, patient, 4, np.random.default_rng(0))
    folds = [Fold(1, i + 1, np.flatnonzero(place != i), np.flatnonzero(place == i)) for i in range(4)]
    params = CombinationParams(candidates=3, largest=3, bootstrap=20)
    one, two = (dominance(x, outcome, folds, names(6), params=params, patient=patient, n_jobs=j) for j in (1, 2))
    assert one.rows == two.rows
    assert np.isfinite(one.rows[0].lower)


def test_what_is_not_served_is_refused():
    x, outcome = planted(60, 5)
    with pytest.raises(ParamsError, match="multiclass"):
        dominance(x, Outcome.multiclass(["a", "b", "c"] * 20), splits(outcome), names(5))
    with pytest.raises(ParamsError, match="measure 'r2'"):
        dominance(x, outcome, splits(outcome), names(5), params=CombinationParams(measure="r2"))
    one_class = np.flatnonzero(outcome.event)
    with pytest.raises(OutcomeError, match="none of 1 folds"):
        dominance(x, outcome, [Fold(1, 1, one_class, one_class)], names(5))
    with pytest.raises(ValidationError, match="candidates"):
        CombinationParams(candidates=11)
    with pytest.raises(ValidationError, match="exceeds"):
        CombinationParams(candidates=3, largest=4)


def test_too_few_resamples_give_no_interval_and_say_so():
    x, outcome = planted(60, 5)
    params = CombinationParams(candidates=2, largest=2, bootstrap=5)
    found = dominance(x, outcome, splits(outcome), names(5), params=params)
    assert np.isnan(found.rows[0].lower)
    assert any("fewer than 20" in note for note in found.notes)
