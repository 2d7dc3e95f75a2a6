import numpy as np
import pytest
import statsmodels.api as sm

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.reclassification import idi, nri_categorical, nri_continuous

# Pencina et al., Stat Med 2008;27:157, table II: Framingham, without and with HDL, risks below 6 %, to 20 %, above.
EVENTS = np.array([[39, 15, 0], [4, 87, 14], [0, 3, 21]])
OTHERS = np.array([[1959, 142, 0], [148, 703, 31], [1, 25, 72]])
# R's mtcars: engine, transmission, gears, weight (Henderson and Velleman, Biometrics 1981;37:391).
ENGINE = "00110101111000000111100001010001"
TRANSMISSION = "11100000000000000111000001111111"
GEARS = "44433334444333333444333334555554"
WEIGHT = (
    "2.62 2.875 2.32 3.215 3.44 3.46 3.57 3.19 3.15 3.44 3.44 4.07 3.73 3.78 5.25 5.424 5.345 2.2 1.615 1.835 2.465 "
    "3.52 3.435 3.84 3.845 1.935 2.14 1.513 3.17 2.77 3.57 2.78"
)


def framingham():
    middle = np.array([0.03, 0.1, 0.3])
    cells = [(b, a, 1, EVENTS[b, a]) for b in range(3) for a in range(3)]
    cells += [(b, a, 0, OTHERS[b, a]) for b in range(3) for a in range(3)]
    before, after, event, count = np.array(cells).T
    return middle[np.repeat(before, count)], middle[np.repeat(after, count)], np.repeat(event, count)


def cars():
    engine, transmission, gears = (np.array(list(text), float) for text in (ENGINE, TRANSMISSION, GEARS))
    small = np.column_stack([np.ones(32), transmission, gears])
    large = np.column_stack([small, np.array(WEIGHT.split(), float)])
    return *(sm.Logit(engine, x).fit(disp=0, tol=1e-12).predict() for x in (small, large)), engine


def random_pair(seed, n=80):
    rng = np.random.default_rng(seed)
    event = rng.random(n) < 0.3
    return np.round(rng.random(n), 1), np.round(rng.random(n), 1), event


def test_the_framingham_example_of_pencina_is_reproduced():
    found = nri_categorical(*framingham(), np.array([0.06, 0.2]))
    assert (found.events_table == EVENTS).all()
    assert (found.others_table == OTHERS).all()
    assert found.events == pytest.approx(22 / 183)
    assert found.others == pytest.approx(1 / 3081)
    assert found.total == pytest.approx(0.121, abs=5e-4)
    assert found.weighted == pytest.approx(23 / 3264)


def test_a_published_output_of_predictabel_is_reproduced():
    before, after, event = cars()
    assert nri_categorical(before, after, event, np.array([0.2, 0.4])).total == pytest.approx(0.754, abs=5e-4)
    assert nri_continuous(before, after, event).total == pytest.approx(1.413, abs=5e-4)
    assert idi(before, after, event).total == pytest.approx(0.532, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_components_are_those_counted_row_by_row(seed):
    before, after, event = random_pair(seed)
    counts = {(e, way): 0 for e in (True, False) for way in (-1, 0, 1)}
    for b, a, e in zip(before, after, event, strict=True):
        counts[bool(e), int(a > b + 1e-12) - int(a < b - 1e-12)] += 1
    found, m, n = nri_continuous(before, after, event), event.sum(), (~event).sum()
    assert (found.events_up, found.events_down) == pytest.approx((counts[True, 1] / m, counts[True, -1] / m))
    assert (found.others_up, found.others_down) == pytest.approx((counts[False, 1] / n, counts[False, -1] / n))
    assert found.total == pytest.approx(found.events + found.others)
    both = idi(before, after, event)
    slopes = [v[event].mean() - v[~event].mean() for v in (before, after)]
    assert both.total == pytest.approx(slopes[1] - slopes[0])
    assert both.total == pytest.approx(both.events - both.others)


@pytest.mark.parametrize("seed", range(3))
def test_the_way_back_has_the_opposite_sign_and_no_way_is_zero(seed):
    before, after, event = random_pair(seed)
    cuts = np.array([0.25, 0.65])
    there, back = nri_categorical(before, after, event, cuts), nri_categorical(after, before, event, cuts)
    assert there.total == pytest.approx(-back.total)
    assert (there.events_table == back.events_table.T).all()
    assert nri_continuous(before, before + 1e-14, event).total == 0
    assert idi(before, before, event).total == 0


def test_a_useless_miscalibrated_model_seems_better_by_nri_which_is_why_there_is_no_p():
    # all risks right and equal, against the same ones stretched by noise: nothing is gained, and moves abound
    rng = np.random.default_rng(1)
    event = rng.random(20_000) < 0.1
    before = np.full(20_000, 0.1)
    after = np.clip(before * rng.choice([0.4, 1.1], 20_000), 0, 1)
    found = nri_continuous(before, after, event)
    assert abs(found.events) < 0.05
    shifted = nri_continuous(before, np.full(20_000, 0.2), event)
    assert (shifted.events, shifted.others) == (1, -1)
    assert not any(name == "p" or "p_value" in name for name in vars(found))


def test_a_probability_at_a_cut_belongs_to_the_class_above():
    found = nri_categorical(np.array([0.1, 0.1]), np.array([0.2, 0.1]), np.array([1, 0]), np.array([0.2]))
    assert found.events_up == 1
    assert found.others == 0


def test_a_single_class_has_no_reclassification():
    for found in (
        nri_continuous(np.array([0.1, 0.2]), np.array([0.2, 0.1]), np.array([1, 1])),
        nri_categorical(np.array([0.1, 0.2]), np.array([0.2, 0.1]), np.array([0, 0]), np.array([0.15])),
        idi(np.array([0.1, 0.2]), np.array([0.2, 0.1]), np.array([0, 0])),
    ):
        assert np.isnan(found.total)
        assert "one class" in found.note


def test_cuts_and_probabilities_that_cannot_be_are_refused():
    p, event = np.array([0.1, 0.2]), np.array([0, 1])
    for cuts in ([], [0.3, 0.2], [0.0, 0.5], [1.0]):
        with pytest.raises(ParamsError, match="rising"):
            nri_categorical(p, p, event, np.array(cuts))
    with pytest.raises(TableError, match="within 0 and 1"):
        idi(p, p * 10, event)
