"""The key by which rows of an outcomes file and of a feature table belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.io.delimited import TextTable
from radiomics_pipeline.types.table import FeatureTable


def matched_key(table: FeatureTable, source: TextTable, wanted: str) -> tuple[str, tuple[str, ...]]:
    """The key column of the outcomes file, and the table's column that it is matched with."""
    if not wanted:
        found = named_key(source)
        return found, table.case if found == "case" else table.patient
    cells = set(source.column(wanted))
    if wanted == "case" or table.case == table.patient:
        return wanted, table.case
    if wanted in ("patient", "patient_id"):
        return wanted, table.patient
    cases, patients = (sum(name in cells for name in names) for names in (table.case, table.patient))
    if cases and patients and table.case != table.patient:
        raise TableError(
            f"{source.name}: {wanted!r} fits {cases} cases and {patients} patients of the feature table; rename the "
            "column to case or to patient to say which is meant"
        )
    return wanted, table.case if cases else table.patient


def named_key(source: TextTable) -> str:
    """The key column of an outcomes file whose user named none."""
    if "case" in source.columns:
        return "case"
    found = [c for c in ("patient", "patient_id") if c in source.columns]
    if len(found) == 1:
        return found[0]
    raise TableError(
        f"{source.name}: {'both ' + ' and '.join(found) if found else 'no case, patient or patient_id column'}; "
        f"name the key by --id. Columns: {', '.join(source.columns[:10])}"
    )


def near_keys(theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    """A note on keys of both files that only a typist makes different: by case, punctuation or leading zeros."""
    here, there = set(theirs), set(ours)
    plain = {_plain(key): key for key in sorted(there - here)}
    pairs = [(key, plain[_plain(key)]) for key in dict.fromkeys(theirs) if key not in there and _plain(key) in plain]
    if not pairs:
        return []
    shown = some([f"{key!r} here, {other!r} there" for key, other in pairs], 3)
    return [
        f"{len(pairs)} keys differ from those of the feature table only in case, punctuation or leading zeros, and are "
        f"not matched: {shown}; write them alike"
    ]


def _plain(key: str) -> str:
    whole = re.sub(r"\.0+$", "", key.casefold())  # as a spreadsheet writes a whole number
    numbers = re.sub(r"\d+", lambda found: str(int(found[0])), whole)
    return re.sub(r"[\W_]+", "", numbers)
