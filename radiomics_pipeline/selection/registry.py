"""What a row of a table of methods holds: selectors in steps/table.py, learners in learners/table.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.params.base import Section
from radiomics_pipeline.types.outcome import Kind


@dataclass(frozen=True)
class Method:
    """A selector or a learner that a plan can name.

    kinds : of outcomes that it serves
    params : its settings, all with defaults that need no tuning
    build : (settings, kind of outcome, seed) -> unfitted estimator
    grid : settings to try where a plan asks for tuning inside the inner folds, by name of the setting
    """

    name: str
    kinds: tuple[Kind, ...]
    params: type[Section]
    build: Callable[[Any, Kind, int], Any]
    doc: str
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def make(self, settings: Mapping[str, Any], kind: Kind, seed: int) -> Any:
        """The unfitted estimator; ParamsError where a setting is unknown or the kind of outcome is not served."""
        if kind not in self.kinds:
            raise ParamsError(f"{self.name} serves {', '.join(self.kinds)} outcomes, this one is {kind}")
        try:
            checked = self.params(**settings)
        except ValidationError as e:
            first = e.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            hint = did_you_mean(where, self.params.model_fields) if first["type"] == "extra_forbidden" else ""
            known = ", ".join(self.params.model_fields) or "no settings"
            raise ParamsError(f"{self.name}: {where}: {first['msg']}{hint}; it has {known}") from None
        return self.build(checked, kind, seed)


def method_named(name: str, table: tuple[Method, ...]) -> Method:
    """The row of that name; ParamsError with the nearest name where there is none."""
    for row in table:
        if row.name == name:
            return row
    names = [row.name for row in table]
    raise ParamsError(f"unknown method {name!r}{did_you_mean(name, names)}; there are {', '.join(names)}")
