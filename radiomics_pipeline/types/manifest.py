"""What a run was: enough to say later how a table came about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunManifest:
    """Contents of run.json.

    command : what was asked for, without the machine's paths
    versions : of this package, Python and the libraries that make numbers
    params_digest : SHA-256 of the effective parameters
    cases : what became of each case: "ok", "partial" or "failed"
    inputs : SHA-256 of each file read, by case and path in the study folder
    seed : of everything random
    notes : what was left out, and why
    started, seconds : when, in UTC, and how long it took
    """

    command: str
    versions: dict[str, str]
    params_digest: str
    cases: dict[str, str]
    inputs: dict[str, dict[str, str]]
    seed: int
    notes: tuple[str, ...] = ()
    started: str = ""
    seconds: float = 0.0
