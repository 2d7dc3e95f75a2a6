"""The strict model that every section of a parameter file is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

TOKEN = r"[A-Za-z0-9][A-Za-z0-9.+-]*"
"""What a series or a setting may be called, as it becomes a part of column names (types.columns.PART)."""


class Section(BaseModel):
    """Frozen; unknown keys are refused (the loader adds "did you mean" and the line)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, data: Any) -> Any:
        for name, value in data.items() if isinstance(data, dict) else ():
            if isinstance(value, bool) and name in cls.model_fields and cls.model_fields[name].annotation is not bool:
                raise ValueError(f"{name} is {str(value).lower()}; true and false are no values for it")
        return data
