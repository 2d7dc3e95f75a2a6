"""How plans are tested on rows that they have not seen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from radiomics_pipeline.params.base import Section

Scheme = Literal["cross-validation", "leave-one-centre-out", "temporal", "external"]


class ValidationParams(Section):
    """Splits, metrics and tests of one analysis."""

    scheme: Scheme = Field(
        "cross-validation",
        description="how rows are split: repeated nested cross-validation, each centre left out in turn, earlier "
        "against later patients, or a table of its own to test on",
    )
    folds: int = Field(5, ge=2, description="outer folds")
    repeats: int = Field(5, ge=1, description="how often the outer folds are drawn anew")
    inner_folds: int = Field(5, ge=2, description="folds inside a training part that choose penalties and the like")
    centre: str = Field("", description="column of the centres, for leave-one-centre-out; or --centre")
    date: str = Field("", description="column of the dates or years, for a temporal split; or --date")
    date_cut: str = Field("", description="first date (or year) of the later part, which is tested")
    date_share: float | None = Field(
        None, gt=0, lt=1, description="instead of a date: share of the patients, the earliest, that is trained on"
    )
    horizon: float | None = Field(
        None,
        gt=0,
        description="time up to which survival is judged; empty: the median time of the events trained on, or the time "
        "at which a fifth of the rows is still followed without an event, whichever comes first",
    )
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.1, 0.2, 0.3, 0.5), description="probabilities of the event from which one would treat, for the net benefit"
    )
    cut: Literal["prevalence", "inner"] = Field(
        "prevalence",
        description="probability from which a row counts as positive: the training part's prevalence, or the value of "
        "the best balanced accuracy in inner folds of the training part (refits the plan in each)",
    )
    permutations: int = Field(
        0,
        ge=0,
        description="permuted outcomes to which the whole plan is refitted, and permuted features for what radiomics "
        "adds to each baseline; 0: no test",
    )
    bootstrap: int = Field(0, ge=0, description="bootstrap samples for optimism and .632+; 0: none")

    @model_validator(mode="after")
    def _choices_go_together(self) -> ValidationParams:
        if self.scheme == "temporal" and bool(self.date_cut) == (self.date_share is not None):
            raise ValueError("a temporal split needs either `date_cut` or `date_share`")
        if len(set(self.thresholds)) < len(self.thresholds):
            raise ValueError("thresholds: each may be named once")
        return self
