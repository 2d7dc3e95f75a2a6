"""The strict model that every section of a parameter file is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Frozen; unknown keys are refused (the loader adds "did you mean" and the line)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
