"""What responses share, and that sharing changes nothing."""

from itertools import product

import numpy as np
import pytest

from radiomics_pipeline.imaging.filters import separable
from radiomics_pipeline.imaging.filters.memory import STEPS, Memory
from radiomics_pipeline.imaging.filters.table import filter_named, settings_of

IMAGE = np.random.default_rng(0).normal(size=(11, 12, 13))
SEVERAL = {
    "wavelet": [{"wavelet": "db2", "subband": "".join(band), "level": 2} for band in product("LH", repeat=3)],
    "laws": [{"kernels": kernels, "pooling": "max"} for kernels in ("L5E5E5", "L5E5S5", "E5E5E5")],
    "simoncelli": [{"level": level} for level in (1, 2, 3)],
    "riesz": [{"order": order, "sigma_mm": 2.0} for order in ((1, 0, 0), (0, 1, 0), (1, 1, 0))],
}


@pytest.mark.parametrize("name", SEVERAL)
def test_responses_that_share_steps_are_the_same_to_the_last_digit(name):
    row, memory = filter_named(name), Memory()
    for settings in SEVERAL[name]:
        params = settings_of(row, settings)
        alone = row.respond(IMAGE, (2.0, 2.0, 2.0), params)
        assert np.array_equal(row.respond(IMAGE, (2.0, 2.0, 2.0), params, memory), alone)


def test_eight_subbands_need_fourteen_convolutions(monkeypatch):
    counted = []
    once = separable.weigh_along
    monkeypatch.setattr(separable, "weigh_along", lambda *a: counted.append(1) or once(*a))
    row, memory = filter_named("wavelet"), Memory()
    for band in product("LH", repeat=3):
        row.respond(IMAGE, (1.0,) * 3, settings_of(row, {"wavelet": "coif1", "subband": "".join(band)}), memory)
    assert len(counted) == 2 + 4 + 8


def test_another_image_is_not_taken_for_the_last_one():
    memory = Memory()
    assert memory.once(IMAGE, ("sum",), IMAGE.sum) == IMAGE.sum()
    assert memory.once(IMAGE + 1, ("sum",), lambda: 7) == 7


def test_only_the_last_results_of_one_way_are_kept():
    memory, made = Memory(), []

    def go(path):
        memory.once(IMAGE, path, lambda: made.append(path) or path)

    way = [tuple("abcdef"[: n + 1]) for n in range(STEPS + 1)]
    for path in [*way, way[-1], way[-2]]:
        go(path)
    assert made == way
    go(("b",))
    go(way[-1])
    assert made == [*way, ("b",), way[-1]]
