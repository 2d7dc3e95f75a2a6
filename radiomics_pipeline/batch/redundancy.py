"""Redundancy of a feature table, from file to file."""

from __future__ import annotations

from pathlib import Path

from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.tables import read_features, write_redundancy
from radiomics_pipeline.params.selection import RedundancyParams
from radiomics_pipeline.types.ranking import Redundancy


def redundancy_study(
    table: Path, *, out: Path, id_column: str = "", ignore: tuple[str, ...] = (), params: RedundancyParams | None = None
) -> tuple[Redundancy, tuple[str, ...]]:
    """Cluster the features of a table, write redundancy.csv into `out`; the clusters, and all that was left out.

    ignore : columns of numbers that are no features, such as an outcome

    Raises TableError where the table cannot be read.
    """
    from radiomics_pipeline.selection.redundancy import find_redundancy

    source = read_text_table(Path(table))
    for name in ignore:
        source.column(name)
    file = read_features(source, id_column=id_column, not_features=ignore)
    found = find_redundancy(file.table, params or RedundancyParams())
    write_redundancy(Path(out) / "redundancy.csv", found)
    return found, (*file.notes, *found.notes)
