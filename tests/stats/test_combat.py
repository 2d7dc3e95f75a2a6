import builtins
import contextlib
import io
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuroCombat import neuroCombat, neuroCombatFromTraining

from radiomics_pipeline.stats.combat import apply_combat, fit_combat

reference_module = sys.modules["neuroCombat.neuroCombat"]
NAMES = np.array(list("abcdefgh"))


@pytest.fixture(autouse=True)
def numpy_2(monkeypatch):
    """neuroCombat 0.2.12 on NumPy 2: np.int is gone, and an array of one number no longer becomes an int."""
    monkeypatch.setattr(np, "int", int, raising=False)
    monkeypatch.setattr(reference_module, "int", lambda v: builtins.int(np.asarray(v).item()), raising=False)


def centres(n=60, columns=30, k=3, seed=0):
    """Rows of k centres with shifts and scales of their own, columns in units of their own; codes of the centres."""
    rng = np.random.default_rng(seed)
    batch = rng.integers(0, k, n)
    batch[: 2 * k] = np.repeat(np.arange(k), 2)
    noise = rng.normal(size=(n, columns)) * rng.lognormal(0, 0.3, size=(k, columns))[batch]
    level, unit = 50 + 10 * rng.normal(size=columns), rng.lognormal(size=columns)
    return level + unit * (noise + rng.normal(size=(k, columns))[batch]), batch


def by_neurocombat(x, batch, new, reference=None, **settings):
    """Harmonised training rows, and new rows of the same centres."""
    covars = pd.DataFrame({"centre": NAMES[batch]})
    ref = None if reference is None else str(NAMES[reference])
    with contextlib.redirect_stdout(io.StringIO()):
        found = neuroCombat(x.T, covars, "centre", ref_batch=ref, **settings)
        codes = np.asarray(found["estimates"]["batches"]).astype(str)  # names, or with a reference their positions
        later = neuroCombatFromTraining(new.T, codes[batch], found["estimates"])
    return found["data"].T, later["data"].T


SETTINGS = [
    {"parametric": parametric, "mean_only": mean_only} for parametric in (True, False) for mean_only in (True, False)
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(("n", "columns", "k", "reference"), [(60, 30, 3, None), (200, 100, 4, None), (60, 30, 3, 1)])
def test_training_and_new_rows_equal_neurocombat_iterated_to_the_end(monkeypatch, settings, n, columns, k, reference):
    monkeypatch.setattr(reference_module.it_sol, "__defaults__", (1e-12,))
    x, batch = centres(n, columns, k)
    new = x + np.random.default_rng(9).normal(size=x.shape)
    learned = fit_combat(x, batch, reference=reference, **settings)
    for ours, theirs in zip(
        (apply_combat(x, batch, learned), apply_combat(new, batch, learned)),
        by_neurocombat(x, batch, new, reference, **settings),
        strict=True,
    ):
        np.testing.assert_allclose(ours / x.std(axis=0), theirs / x.std(axis=0), rtol=0, atol=1e-9)


def test_neurocombat_as_it_comes_stops_earlier_and_differs_by_less_than_its_own_tolerance():
    x, batch = centres()
    ours = apply_combat(x, batch, fit_combat(x, batch))
    theirs, _ = by_neurocombat(x, batch, x, parametric=True)
    np.testing.assert_allclose(ours / x.std(axis=0), theirs / x.std(axis=0), rtol=0, atol=2e-5)


def test_the_rows_of_a_reference_batch_stay_to_the_last_digit():
    x, batch = centres()
    learned = fit_combat(x, batch, reference=2)
    assert (learned.shift[2] == 0).all()
    assert (learned.scale[2] == 1).all()
    np.testing.assert_allclose(apply_combat(x, batch, learned)[batch == 2], x[batch == 2], rtol=1e-14)


def test_shifts_and_scales_of_batches_are_taken_out():
    x, batch = centres(n=3000, columns=40)
    out = apply_combat(x, batch, fit_combat(x, batch))

    def differences(values):
        parts = [values[batch == b] / x.std(axis=0) for b in range(3)]
        means, spreads = np.stack([p.mean(axis=0) for p in parts]), np.stack([p.std(axis=0) for p in parts])
        return np.ptp(means, axis=0).max(), (np.ptp(spreads, axis=0) / spreads.mean(axis=0)).max()

    assert min(differences(x)) > 0.5
    assert max(differences(out)) < 0.06


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_batch_of_one_row_keeps_its_scale_and_the_result_is_finite(settings):
    x, batch = centres()
    batch[0] = 3
    learned = fit_combat(x, batch, **settings)
    assert (learned.scale[3] == 1).all()
    assert learned.shift[3].any()
    assert np.isfinite(apply_combat(x, batch, learned)).all()


@pytest.mark.parametrize("settings", SETTINGS)
def test_columns_that_do_not_vary_are_left_and_tell_nothing_about_others(settings):
    x, batch = centres()
    level = np.column_stack([x, np.full(60, 3.0), batch.astype(float)])
    out = apply_combat(level, batch, fit_combat(level, batch, **settings))
    np.testing.assert_array_equal(out[:, 30:], level[:, 30:])
    np.testing.assert_allclose(out[:, :30], apply_combat(x, batch, fit_combat(x, batch, **settings)), rtol=1e-12)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("level", [1, 5, 29, 30])
def test_columns_without_spread_in_one_batch_stay_finite(settings, level):
    x, batch = centres()
    x[batch == 1, :level] = 7.0
    assert np.isfinite(apply_combat(x, batch, fit_combat(x, batch, **settings))).all()


@pytest.mark.parametrize("settings", SETTINGS)
def test_equal_columns_and_a_single_column_are_finite(settings):
    x, batch = centres()
    same = np.repeat(x[:, :1], 5, axis=1)
    out = apply_combat(same, batch, fit_combat(same, batch, **settings))
    assert np.isfinite(out).all()
    one = apply_combat(x[:, :1], batch, fit_combat(x[:, :1], batch, **settings))
    means = [one[batch == b].mean() for b in range(3)]
    np.testing.assert_allclose(means, x[:, 0].mean(), rtol=1e-10)


def test_one_batch_and_rows_of_no_batch_stay_as_they_are():
    x, batch = centres()
    np.testing.assert_array_equal(apply_combat(x, np.zeros(60, int), fit_combat(x, np.zeros(60, int))), x)
    unknown = np.where(np.arange(60) < 5, -1, batch)
    out = apply_combat(x, unknown, fit_combat(x, batch))
    np.testing.assert_array_equal(out[:5], x[:5])
    assert (out[5:] != x[5:]).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(SETTINGS))
def test_units_order_of_rows_and_columns_and_names_of_batches_change_nothing(seed, settings):
    x, batch = centres(n=40, columns=12, seed=seed)
    rng = np.random.default_rng(seed)
    out = apply_combat(x, batch, fit_combat(x, batch, **settings))
    rows, columns, names = rng.permutation(40), rng.permutation(12), rng.permutation(3)
    unit, level = 10.0 ** rng.integers(-5, 6, 12), rng.normal(size=12)
    moved = ((x + level) * unit)[rows][:, columns]
    codes = names[batch][rows]
    again = apply_combat(moved, codes, fit_combat(moved, codes, **settings))
    np.testing.assert_allclose(again / unit[columns], (out + level)[rows][:, columns], rtol=1e-7)
