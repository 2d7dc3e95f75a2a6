"""Redundancy of a feature table, from file to file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.manifest_file import file_digests, now, versions, write_manifest
from radiomics_pipeline.io.params_file import digest_params
from radiomics_pipeline.io.tables import read_features, write_redundancy
from radiomics_pipeline.params.selection import RedundancyParams
from radiomics_pipeline.types.manifest import RunManifest
from radiomics_pipeline.types.ranking import Redundancy


@dataclass(frozen=True)
class RedundancySummary:
    """Clusters of a table's features, and everything that was left out (`notes`)."""

    found: Redundancy
    notes: tuple[str, ...]
    manifest: RunManifest


def redundancy_study(
    table: Path, *, out: Path, id_column: str = "", ignore: tuple[str, ...] = (), params: RedundancyParams | None = None
) -> RedundancySummary:
    """Cluster the features of a table; write redundancy.csv and redundancy.json into `out`.

    ignore : columns of numbers that are no features, such as an outcome

    Raises TableError where the table cannot be read.
    """
    from radiomics_pipeline.selection.steps.redundancy import find_redundancy

    clock, started = time.perf_counter(), now()
    params = params or RedundancyParams()
    source = read_text_table(table)
    for name in ignore:
        source.column(name)
    file = read_features(source, id_column=id_column, not_features=ignore)
    found = find_redundancy(file.table, params)
    notes = (*file.notes, *found.notes)
    write_redundancy(out / "redundancy.csv", found)
    manifest = RunManifest(
        command="redundancy",
        options={"id": id_column, "ignore": list(ignore)},
        versions=versions(),
        params=params.model_dump(mode="json"),
        params_digest=digest_params(params),
        cases={},
        inputs={"tables": file_digests(table)},
        notes=notes,
        started=started,
        seconds=time.perf_counter() - clock,
    )
    write_manifest(manifest, out / "redundancy.json")
    return RedundancySummary(found, notes, manifest)
