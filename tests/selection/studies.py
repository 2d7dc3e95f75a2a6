"""Small made-up studies; the first feature goes with the outcome."""

import numpy as np

from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.table import FeatureTable


def table_of(values, columns=None, patient=None):
    n = len(values)
    case = tuple(f"case{i:03d}" for i in range(n))
    blank = ("",) * n
    names = columns or tuple(f"f{c:03d}" for c in range(values.shape[1]))
    return FeatureTable(case, patient or case, blank, blank, names, values)


def study(n=60, columns=30, effect=1.5, seed=0, kind="binary"):
    """Feature table, outcome and clinical variables (age, sex, site) of n patients."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, columns))
    risk = effect * values[:, 0]
    age = np.round(60 + 8 * rng.normal(size=n) + 2 * values[:, 1])
    sites = ("A", "B", "C")
    clinical = Clinical(
        ("age", "sex", "site"),
        np.column_stack([age, rng.integers(0, 2, n), rng.integers(0, 3, n)]),
        (None, ("f", "m"), sites),
    )
    if kind == "binary":
        outcome = Outcome.binary((risk + rng.logistic(size=n) > 0).astype(float), "target")
    else:
        time, censored = rng.exponential(size=n) * np.exp(-risk), 2 * rng.exponential(size=n)
        outcome = Outcome.survival(np.minimum(time, censored), (time <= censored).astype(float))
    return table_of(values), outcome, clinical
