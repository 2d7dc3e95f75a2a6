"""Tables at the edge of what times to an event can be, through every learner and their average."""

import numpy as np
import pytest
from scipy.stats import fisher_exact, spearmanr

from radiomics_pipeline.errors import OutcomeError
from radiomics_pipeline.selection.learners.average import AverageSurvival
from radiomics_pipeline.selection.learners.baseline_hazard import as_y
from radiomics_pipeline.selection.learners.survival_forest import SurvivalForest, told_apart
from radiomics_pipeline.selection.learners.survival_table import SURVIVAL_LEARNERS
from radiomics_pipeline.types.outcome import Outcome

ROWS = [(row, kind) for row in SURVIVAL_LEARNERS for kind in row.kinds]


def study(case="", n=80, p=5, seed=0):
    """The first column hastens the event; `case` says what is odd."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    time, event = rng.exponential(size=n) * np.exp(-x[:, 0]), rng.random(n) < 0.6
    if case == "one event time":
        time = np.where(event, 1.0, 1000.0)
    elif case == "one time":
        time[:] = 1
        event = x[:, 0] > 0.2
    elif case == "censored first":
        event = time > np.quantile(time, 0.9)
    elif case == "events first":
        event = time < np.quantile(time, 0.1)
    elif case == "two events":
        event = np.arange(n) < 2
    elif case == "no censoring, perfect":
        x[:, 0], event = -np.log(time), np.ones(n, bool)
    elif case == "an outlier":
        x[0] = 1e6
    elif case == "eight rows":
        x, time, event = x[:8], time[:8], np.ones(8, bool)
    elif case == "twin columns":
        x = np.repeat(x[:, :2], 3, axis=1)
    return x, time, event


def checked(model, x, y, time):
    model.fit(x, y)
    risk = model.predict(x)
    curves = model.predict_survival(x, np.r_[0, np.quantile(time, [0.01, 0.3, 0.6, 0.99]), 3 * time.max()])
    assert np.isfinite(risk).all()
    assert np.isfinite(curves).all()
    assert (curves[:, 0] == 1).all()
    assert curves.min() >= 0
    assert (np.diff(curves, axis=1) <= 1e-9).all()
    return risk


CASES = (
    "one event time",
    "one time",
    "censored first",
    "events first",
    "two events",
    "no censoring, perfect",
    "an outlier",
    "eight rows",
    "twin columns",
)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("row", "kind"), ROWS, ids=[f"{row.name}-{kind}" for row, kind in ROWS])
def test_odd_tables_give_finite_risks_and_falling_curves(row, kind, case):
    x, time, event = study(case)
    y = as_y(time, event)
    if kind == "competing":
        other = np.where(event, 1, np.where(np.arange(len(time)) % 2, 2, 0))
        if not (other == 2).any():
            other[-2:] = 2
        y = Outcome.competing(time, other).y
    checked(row.make({"trees": 20} if "trees" in row.params.model_fields else {}, kind, 0), x, y, time)


@pytest.mark.parametrize("case", CASES)
def test_their_average_takes_odd_tables_too(case):
    x, time, event = study(case)
    checked(AverageSurvival(20), x, as_y(time, event), time)


def test_the_average_reads_competing_events_and_its_curves_are_one_less_the_incidence():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 4))
    own, other = rng.exponential(size=300) * np.exp(-x[:, 0]), rng.exponential(size=300)
    y = Outcome.competing(np.minimum(own, other), np.where(own < other, 1, 2)).y
    model = AverageSurvival(20).fit(x, y)
    assert spearmanr(model.predict(x), x[:, 0]).statistic > 0.8
    # nobody is censored: the share with the event of interest is known
    end = model.predict_survival(x, [y["time"].max()]).mean()
    assert 1 - end == pytest.approx(y["event"].mean(), abs=0.04)


def test_with_one_time_a_forest_splits_by_who_had_the_event():
    x, time, event = study("one time", n=200)
    model = SurvivalForest(trees=40).fit(x, as_y(time, event))
    assert spearmanr(model.predict(x), x[:, 0]).statistic > 0.7
    cut = model.predict(x) > np.median(model.predict(x))
    assert fisher_exact([[event[cut].sum(), (~event)[cut].sum()], [event[~cut].sum(), (~event)[~cut].sum()]])[1] < 1e-6
    after = model.predict_survival(x, [0.5, 1.0])
    assert (after[:, 0] == 1).all()
    assert after[:, 1].mean() == pytest.approx(1 - event.mean(), abs=0.03)


def test_where_all_have_the_event_at_one_time_a_forest_says_so():
    with pytest.raises(OutcomeError, match="all 30 rows have the event at the same time"):
        SurvivalForest().fit(np.random.default_rng(0).normal(size=(30, 2)), as_y(np.full(30, 2.0), np.ones(30, bool)))
    time = np.array([1.0, 2.0])
    assert told_apart(time, np.array([True, True])) is time
