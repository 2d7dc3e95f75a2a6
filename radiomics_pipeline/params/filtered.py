"""Filtered images of a series, and what is measured on them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import TOKEN, Section
from radiomics_pipeline.params.levels import Aggregation, Discretise


class Filtered(Section):
    """One filter, or with `each` several of one kind, and the features of its response."""

    filter: str = Field(description="the filter; see 'filters list'")
    settings: dict[str, Any] = Field({}, description="its settings; see 'filters show NAME'")
    each: dict[str, tuple[Any, ...]] = Field(
        {}, description="settings with several values: one image for each, or for each combination of them"
    )
    name: str | None = Field(
        None, pattern=f"^{TOKEN}$", description="what columns call the image; null: made of the filter's settings"
    )
    families: Literal["all"] | tuple[str, ...] = Field(
        "all", description="feature families; all: those that see intensities"
    )
    discretise: Discretise | None = Field(
        None, description="grey levels of the response, which has no unit; null: 32 between minimum and maximum"
    )
    aggregation: Aggregation | None = Field(None, description="null: that of the series")

    @model_validator(mode="before")
    @classmethod
    def _no_range(cls, data: Any) -> Any:
        if isinstance(data, dict) and "resegment" in data:
            raise ValueError(
                "a filtered image has no unit and no range of its own; voxels are chosen by the image before the "
                "filter (resegment of the series)"
            )
        return data

    @model_validator(mode="after")
    def _one_name_one_image(self) -> Filtered:
        empty = sorted(name for name, values in self.each.items() if not values)
        if empty:
            raise ValueError(f"each.{empty[0]} names no value")
        both = sorted(set(self.each) & set(self.settings))
        if both:
            raise ValueError(f"{both[0]} stands in settings and in each; give it once")
        if self.each and self.name is not None:
            raise ValueError("`each` makes several images, which one name cannot call; leave `name` out")
        return self
