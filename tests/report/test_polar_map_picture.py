"""Pictures of the polar map: what lies where, and in which colour."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from radiomics_pipeline.imaging.polar_map import polar_map
from radiomics_pipeline.report.polar_map import draw_map, draw_segments
from tests.hearts import heart, settings


def pixels(path) -> np.ndarray:
    """Red, green and blue of a PNG, float [row, column, 3]."""
    from matplotlib.image import imread

    return imread(path)[..., :3]


def where(image: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Middle (to the right, upwards) of the pixels that differ between two pictures, from the picture's disc."""
    rows, columns = np.nonzero(np.abs(image - reference).max(axis=2) > 0.2)
    disc = np.nonzero((reference.max(axis=2) - reference.min(axis=2))[:460] > 0.2)
    return float(columns.mean() - np.median(disc[1])), float(np.median(disc[0]) - rows.mean())


@pytest.mark.parametrize(
    ("segment", "degrees", "ring"),
    [
        *((1, 90, 3.5), (2, 150, 3.5), (3, 210, 3.5), (4, 270, 3.5), (5, 330, 3.5), (6, 30, 3.5)),
        *((7, 90, 2.5), (8, 150, 2.5), (10, 270, 2.5), (12, 30, 2.5)),
        *((13, 90, 1.5), (14, 180, 1.5), (15, 270, 1.5), (16, 0, 1.5)),
    ],
)
def test_each_segment_lies_where_it_belongs(tmp_path, segment, degrees, ring):
    drawn = []
    for value in (0.2, 0.9):
        values = np.full(17, 0.2)
        values[segment - 1] = value
        draw_segments(values, tmp_path / "map.png", title="", limits=(0, 1))
        drawn.append(pixels(tmp_path / "map.png"))
    right, up = where(drawn[1], drawn[0])
    assert math.degrees(math.atan2(up, right)) % 360 == pytest.approx(degrees, abs=9) or (degrees == 0 and right > 0)
    assert math.hypot(right, up) == pytest.approx(ring / 4 * 210, abs=22)


def test_the_apex_lies_in_the_middle(tmp_path):
    drawn = []
    for value in (0.2, 0.9):
        draw_segments([0.2] * 16 + [value], tmp_path / "map.png", title="", limits=(0, 1))
        drawn.append(pixels(tmp_path / "map.png"))
    assert math.hypot(*where(drawn[1], drawn[0])) < 12


def test_the_continuous_map_shows_a_defect_where_it_is(tmp_path):
    params = settings()
    drawn = []
    for depth in (0.0, 0.8):
        volume, wall = heart(lambda angle, height, d=depth: 1 - d * ((angle > 240) & (angle < 300)), blur_mm=6)
        draw_map(polar_map(volume, wall, params), [1.0] * 17, tmp_path / "map.png", title="")
        drawn.append(pixels(tmp_path / "map.png"))
    rows, columns = np.nonzero(np.abs(drawn[1] - drawn[0])[:, :560].max(axis=2) > 0.2)
    assert rows.mean() > 320  # below the middle
    assert abs(columns.mean() - 285) < 25


def test_the_same_values_are_the_same_bytes_and_no_value_is_grey(tmp_path):
    values = np.linspace(-1, 1, 17)
    for name in ("one", "two"):
        draw_segments(values, tmp_path / f"{name}.png", title="Contributions", unit="log odds", centre=0)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    draw_segments([math.nan] * 17, tmp_path / "none.png", title="")
    image = pixels(tmp_path / "none.png")
    assert np.ptp(image[270, 300]) < 0.05


def test_contributions_have_the_middle_colour_at_0(tmp_path):
    draw_segments([0.0] * 8 + [3.0] + [0.0] * 8, tmp_path / "map.png", title="", centre=0)
    image = pixels(tmp_path / "map.png")
    assert image[80:95, 285:310].min() > 0.9 or np.ptp(image[72, 270]) < 0.06


def test_seventeen_values_are_needed(tmp_path):
    with pytest.raises(ValueError, match="17 segments"):
        draw_segments([1.0] * 16, tmp_path / "map.png", title="")


def test_no_state_of_pyplot_is_used(tmp_path):
    code = (
        "import sys; from pathlib import Path; from radiomics_pipeline.report.polar_map import draw_segments; "
        f"draw_segments(range(17), Path({str(tmp_path / 'a.png')!r}), title='a'); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
