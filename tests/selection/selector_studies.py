"""Made-up columns and outcomes for the selectors: columns 0, 1 and 2 go with the outcome."""

import numpy as np

from radiomics_pipeline.types.outcome import Outcome

KINDS = ("binary", "continuous", "multiclass", "ordinal", "survival", "competing")


def outcome_of(linear, kind, rng):
    """An outcome of that kind that goes with `linear`."""
    n = len(linear)
    noisy = linear + rng.logistic(size=n)
    if kind == "binary":
        return Outcome.binary((noisy > 0).astype(float))
    if kind == "continuous":
        return Outcome.continuous(linear + rng.normal(size=n))
    if kind in ("multiclass", "ordinal"):
        codes = np.digitize(noisy, [-1.2, 1.2])
        texts = [("low", "mid", "top")[c] for c in codes]
        return Outcome.ordinal(texts, ("low", "mid", "top")) if kind == "ordinal" else Outcome.multiclass(texts)
    time, censored = rng.exponential(size=n) * np.exp(-linear), 2 * rng.exponential(size=n)
    event = (time <= censored).astype(float)
    if kind == "survival":
        return Outcome.survival(np.minimum(time, censored), event)
    other = rng.exponential(size=n)
    cause = np.where(other < np.minimum(time, censored), 2.0, event)
    return Outcome.competing(np.minimum(np.minimum(time, censored), other), cause)


def planted(kind="binary", n=160, columns=60, effect=1.5, seed=0):
    """X and y; effect 0: noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, columns))
    return X, outcome_of(effect * (X[:, 0] + X[:, 1] - X[:, 2]), kind, rng).y


def lesions(columns=40, patients=20, each=6, seed=0):
    """Noise where rows of a patient are alike, the binary outcome too: X, y, patient."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), each)
    X = rng.normal(size=(patients, columns))[patient] + 0.1 * rng.normal(size=(patients * each, columns))
    y = np.arange(patients)[patient] % 2
    return X, y, patient
