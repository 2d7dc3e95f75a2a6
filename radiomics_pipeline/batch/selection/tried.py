"""Every plan that was ever tried in a folder: who tries many and reports one reports chance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from radiomics_pipeline.errors import TableError
from radiomics_pipeline.io.delimited import read_text_table, write_rows
from radiomics_pipeline.types.ranking import Ranking

HEADER = ("started", "analysis", "tables", "outcome", "plan", "default", "metric", "mean", "lower", "upper", "n_folds")
MANY = 20
"""Plans from which the best one's score is mostly that of chance."""


def log_tried(
    path: Path, found: Ranking, digests: Mapping[str, str], params_digest: str, started: str
) -> tuple[str, ...]:
    """Add the plans of an analysis to the log of its folder, once however often it is repeated; notes on their number.

    A log that cannot be read is not overwritten.

    analysis, tables : digests of the parameters and of the files
    """
    earlier, notes = _earlier(path)
    tables = hashlib.sha256(json.dumps(sorted(digests.values())).encode()).hexdigest()[:12]
    outcome = " and ".join(found.outcome_names)
    about = (started, params_digest[:12], tables, outcome)
    rows = [
        (*about, r.plan, str(r.default).lower(), r.metric, r.mean, r.lower, r.upper, r.n_folds)
        for r in found.performance
    ]
    known = {tuple(row[1:5]) for row in earlier}
    write_rows(path, HEADER, [*earlier, *(row for row in rows if tuple(row[1:5]) not in known)])
    tried = {tuple(row[1:5]) for row in (*earlier, *rows) if row[2] == tables and row[3] == outcome}
    if len(tried) <= len(rows) and len(tried) < MANY:
        return notes
    warning = "; the best of so many is flattered, report the default plan" if len(tried) >= MANY else ""
    return (
        *notes,
        f"{len(tried)} plans have been tried on these tables in this folder (tried.csv){warning}",
    )


def _earlier(path: Path) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """The rows of the log so far, and a note where it cannot be read; such a log is kept under another name."""
    if not path.is_file():
        return [], ()
    try:
        table = read_text_table(path)
        if table.columns == HEADER:
            return [tuple(row) for row in table.rows], ()
        reason = "its columns are others"
    except TableError as e:
        reason = str(e)
    aside = _free_name(path)
    path.rename(aside)
    return [], (
        f"{path.name}: the log of earlier plans cannot be read ({reason}); it is kept as {aside.name}, uncounted",
    )


def _free_name(path: Path) -> Path:
    """A name beside the log that no file has."""
    number = 1
    while (aside := path.with_name(f"{path.stem}-unreadable-{number}{path.suffix}")).exists():
        number += 1
    return aside
