"""What a command did: enough to say later how a table came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RunManifest:
    """Contents of run.json (of `extract` and `run`), select.json and redundancy.json.

    command : its name; options : what was asked for, without the machine's paths
    versions : of this package, Python and the libraries that make numbers
    params, params_digest : the effective parameters and their SHA-256
    cases : what became of each case: "ok", "partial" or "failed"; empty where no case was extracted
    inputs : SHA-256 of each file read: of cases by role and path in the study folder, of tables under "tables"
    notes : what was left out or chosen
    started, seconds : when, in UTC, and how long it took
    """

    command: str
    options: Mapping[str, object]
    versions: Mapping[str, str]
    params: Mapping[str, object]
    params_digest: str
    cases: Mapping[str, str]
    inputs: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...]
    started: str
    seconds: float
