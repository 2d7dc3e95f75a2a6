"""The picture of a selection: which features carry the outcome, and how well it is foretold."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

from radiomics_pipeline.types.performance import PerformanceRow
from radiomics_pipeline.types.ranking import RankingRow

MOST_FEATURES = 12
_INK, _ACCENT, _SOFT, _GRID = "#1f2a37", "#0b6e99", "#9aa7b4", "#e3e8ed"
_METRICS = {
    "auc": ("AUC", 0.5),
    "c_index": ("Harrell's C", 0.5),
    "somers_d": ("Somers' D", 0.0),
    "spearman": ("Spearman's rho", 0.0),
    "r2": ("R2", 0.0),
    "auc_pairs": ("AUC of pairs", 0.5),
}
"""What a metric is called, and its value by chance."""


def draw_selection(
    ranking: Sequence[RankingRow],
    performance: Sequence[PerformanceRow],
    title: str,
    path: Path,
    alone_metric: str = "auc",
) -> None:
    """Draw the first clusters of a ranking and the plans' scores into a PNG file.

    Left: how often the folds selected each cluster. Middle: its feature alone, with the 95 % interval.
    Right: every plan out of fold, with the corrected 95 % interval, the default one starred. Dotted: chance.
    alone_metric : of the features alone
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = list(ranking[:MOST_FEATURES])
    metric, chance = _METRICS[performance[0].metric]
    single, by_chance = _METRICS[alone_metric]
    figure = Figure(figsize=(13, 1.9 + 0.34 * max(len(rows), len(performance))), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    often, alone, plans = figure.subplots(1, 3, width_ratios=[1.1, 1, 1.2])
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=_INK, fontweight="bold")
    places = list(range(len(rows)))
    shares = [0.0 if isnan(row.selection_frequency) else row.selection_frequency for row in rows]
    often.barh(places, shares, color=_ACCENT, height=0.62)
    often.set_yticks(places, [_label(row) for row in rows])
    often.set_xlim(0, 1)
    often.set_title("selected, share of fits", loc="left", fontsize=10, color=_INK)
    _intervals(alone, [(row.alone, row.alone_lower, row.alone_upper) for row in rows], _ACCENT, by_chance)
    alone.set_yticks(places, [""] * len(rows))
    alone.set_title(f"alone: {single}, 95 % interval", loc="left", fontsize=10, color=_INK)
    _intervals(plans, [(row.mean, row.lower, row.upper) for row in performance], _INK, chance)
    plans.set_yticks(range(len(performance)), [row.plan + " *" * row.default for row in performance])
    for place, row in enumerate(performance):
        plans.annotate(
            f"{row.mean:.2f}", (row.mean, place), (0, 6), textcoords="offset points", ha="center", fontsize=8
        )
    plans.set_title(f"together, out of fold: {metric}  (* the default)", loc="left", fontsize=10, color=_INK)
    for axes, count in ((often, len(rows)), (alone, len(rows)), (plans, len(performance))):
        axes.set_ylim(count - 0.5, -0.5)
        axes.tick_params(length=0, labelsize=8.5, colors=_INK)
        axes.grid(axis="x", color=_GRID)
        axes.set_axisbelow(True)
        for side in axes.spines.values():
            side.set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def _intervals(axes: Any, values: Sequence[tuple[float, float, float]], colour: str, chance: float) -> None:
    """Points with intervals, one a line, and the line of chance."""
    axes.axvline(chance, color=_SOFT, linestyle=":", linewidth=1.2)
    for place, (value, lower, upper) in enumerate(values):
        axes.plot([lower, upper], [place, place], color=_SOFT, linewidth=2.2, solid_capstyle="round")
        axes.plot([value], [place], "o", color=colour, markersize=6)
    axes.set_xlim(0 if chance else -1, 1.02)


def _label(row: RankingRow) -> str:
    """A column's name and how many columns its cluster holds."""
    others = row.members.count(";") + 1 if row.members else 0
    return row.feature.replace("_original_", " ").replace("_", " ") + (f"  (+{others})" if others else "")
