"""The polar map as a picture: the wall place by place, and the 17 segments with a number each.

Seen from the apex: anterior at the top, septum at the left, inferior at the bottom, lateral at the right
(Cerqueira 2002, doi:10.1161/hc0402.102975).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from radiomics_pipeline.types.polar_map import SEGMENTS, WallMap

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

_INK, _LINE, _MISSING = "#1f2a37", "#ffffff", "#d9dde2"
SEQUENTIAL, DIVERGING = "viridis", "PuOr_r"
"""Colour maps that colour-blind readers can tell apart: of amounts, and of what has a middle."""
LEVELS = ((6, 60, 3.0, 4.0), (6, 60, 2.0, 3.0), (4, 45, 1.0, 2.0), (1, 0, 0.0, 1.0))
"""Rings of the segments, basal first: number of segments, where the first begins (degrees), inner and outer radius."""
WALLS = (("anterior", 90), ("septal", 180), ("inferior", 270), ("lateral", 0))


def draw_segments(
    values: Sequence[float],
    path: Path,
    *,
    title: str,
    unit: str = "",
    centre: float | None = None,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw any 17 values, such as ratios, scores or a model's contributions, into a PNG file.

    values : of segments 1 to 17, NaN where there is none (grey)
    unit : what the colour bar says
    centre : the value that has the middle colour, such as 0 of contributions; None: colours of an amount
    limits : the values at both ends of the colours; None: those of the values, about the centre where there is one
    """
    numbers = _seventeen(values)
    figure = _figure(5.4)
    axes = _disc(figure, 111, 4.0)
    colours, scale = _colours(numbers, centre, limits)
    _fill_segments(axes, numbers, colours, scale)
    _bar(figure, axes, colours, scale, unit)
    _save(figure, title, path)


def draw_map(
    wall: WallMap,
    values: Sequence[float],
    path: Path,
    *,
    title: str,
    unit: str = "",
    of_segments: str = "ratio to normal",
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw a map beside 17 values of its segments into a PNG file.

    values : of segments 1 to 17, such as ratios; `of_segments` says what they are
    unit : of the map; empty: its own
    limits : the values at both ends of the colours of the segments; None: 0 and the highest
    """
    numbers = _seventeen(values)
    figure = _figure(10.4)
    axes = _disc(figure, 121, float(wall.values.shape[0]))
    colours, scale = _colours(wall.values, None, (0.0, _highest(wall.values)))
    _fill_map(axes, wall, colours, scale)
    _bar(figure, axes, colours, scale, unit or wall.unit or "intensity")
    axes = _disc(figure, 122, 4.0)
    colours, scale = _colours(numbers, None, limits or (0.0, _highest(numbers)))
    _fill_segments(axes, numbers, colours, scale)
    _bar(figure, axes, colours, scale, of_segments)
    _save(figure, title, path)


def _seventeen(values: Sequence[float]) -> np.ndarray:
    numbers = np.asarray(values, float)
    if numbers.shape != (len(SEGMENTS),):
        raise ValueError(f"{numbers.size} values; the left ventricle has {len(SEGMENTS)} segments")
    return numbers


def _highest(values: np.ndarray) -> float:
    found = values[np.isfinite(values)]
    return float(found.max()) if found.size and found.max() > 0 else 1.0


def _figure(width: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 5.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _disc(figure: Figure, place: int, radius: float) -> Any:
    """Axes with angle 0 at the right, running counterclockwise, and the names of the walls around."""
    axes = figure.add_subplot(place, projection="polar")
    axes.set_ylim(0, radius)
    axes.set_axis_off()
    for name, degrees in WALLS:
        turned = {180: 90, 0: -90}.get(degrees, 0)
        axes.text(
            math.radians(degrees), radius * 1.09, name, ha="center", va="center", rotation=turned, color=_INK, size=11
        )
    return axes


def _colours(
    values: np.ndarray, centre: float | None, limits: tuple[float, float] | None
) -> tuple[Colormap, Normalize]:
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    found = values[np.isfinite(values)]
    low, high = limits or ((float(found.min()), float(found.max())) if found.size else (0.0, 1.0))
    if centre is not None and limits is None:
        reach = max(high - centre, centre - low)
        low, high = centre - reach, centre + reach
    if not high > low:
        low, high = low - 0.5, high + 0.5
    return colormaps[SEQUENTIAL if centre is None else DIVERGING], Normalize(low, high, clip=True)


def _fill_segments(axes: Any, values: np.ndarray, colours: Colormap, scale: Normalize) -> None:
    number = 0
    for count, first, inner, outer in LEVELS:
        width = 2 * math.pi / count
        for i in range(count):
            value, start = float(values[number]), math.radians(first) + i * width
            number += 1
            fill = colours(scale(value)) if math.isfinite(value) else _MISSING
            axes.bar(
                start,
                outer - inner,
                width,
                inner,
                align="edge",
                color=fill,
                edgecolor=_LINE,
                linewidth=1.5 if count > 1 else 0,
            )
            radius = (inner + outer) / 2 if count > 1 else 0.0
            ink = _readable(fill)
            axes.text(start + width / 2, radius, _text(value, values), ha="center", va="center", color=ink, size=11.5)


def _readable(fill: Any) -> str:
    """Black or white, whichever can be read on a colour."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(fill)
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#ffffff"


def _text(value: float, among: np.ndarray) -> str:
    if not math.isfinite(value):
        return "–"
    found = among[np.isfinite(among)]
    if np.array_equal(found, np.rint(found)):
        return f"{value:.0f}"
    largest = float(np.abs(found).max())
    digits = 0 if largest >= 100 else 1 if largest >= 10 else 2 if largest >= 0.1 else 3
    return f"{value:.{digits}f}".replace("-", "−")


def _fill_map(axes: Any, wall: WallMap, colours: Colormap, scale: Normalize) -> None:
    """The map with its segments' borders; rings of equal width, the apex in the middle."""
    rings, angles = wall.values.shape
    shown = colours.with_extremes(bad=_MISSING)
    edges = np.linspace(0, 2 * math.pi, angles + 1)
    axes.pcolormesh(edges, np.arange(rings + 1), np.ma.masked_invalid(wall.values), cmap=shown, norm=scale)
    outer = float(rings)
    for (count, first, _, _), numbers in zip(LEVELS, ((0, 6), (6, 12), (12, 16), (16, 17)), strict=True):
        inner = outer - float(wall.segments[slice(*numbers)].sum() / angles)
        around = np.linspace(0, 2 * math.pi, 361)
        axes.plot(around, np.full(361, outer), color=_LINE, linewidth=0.8)
        for i in range(count if count > 1 else 0):
            at = math.radians(first) + i * 2 * math.pi / count
            axes.plot([at, at], [inner, outer], color=_LINE, linewidth=0.8)
        outer = inner


def _bar(figure: Figure, axes: Any, colours: Colormap, scale: Normalize, unit: str) -> None:
    from matplotlib.cm import ScalarMappable

    bar = figure.colorbar(
        ScalarMappable(scale, colours), ax=axes, orientation="horizontal", shrink=0.6, pad=0.08, aspect=28
    )
    bar.set_label(unit, color=_INK, size=11)
    bar.ax.tick_params(colors=_INK, labelsize=9.5)


def _save(figure: Figure, title: str, path: Path) -> None:
    figure.suptitle(title, x=0.02, ha="left", fontsize=13, color=_INK, fontweight="bold")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})
