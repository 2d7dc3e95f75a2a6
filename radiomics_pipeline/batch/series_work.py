"""One series of a case: its image and its regions, opened when they are first asked for."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING

import numpy as np

from radiomics_pipeline.batch.delineate import delineate
from radiomics_pipeline.batch.inputs import SeriesInput
from radiomics_pipeline.batch.record import SuvLine
from radiomics_pipeline.batch.study import SeriesFiles
from radiomics_pipeline.errors import BadMask, MissingFile, MissingMetadata, OtherFrame, some
from radiomics_pipeline.extraction.context import context_of
from radiomics_pipeline.extraction.gated import gated_columns, gated_values
from radiomics_pipeline.extraction.plan import SeriesPlan
from radiomics_pipeline.extraction.result import RegionFacts, stage
from radiomics_pipeline.imaging.body import body_surface_m2
from radiomics_pipeline.imaging.quality import acquisition_warnings, region_warnings
from radiomics_pipeline.imaging.regions import printable, region_of, wanted_regions
from radiomics_pipeline.imaging.suv import PatientOverrides
from radiomics_pipeline.imaging.transfer import transfer
from radiomics_pipeline.io.dicom.facts import facts_of
from radiomics_pipeline.io.dicom.headers import parse, quiet
from radiomics_pipeline.io.dicom.privacy import Identity
from radiomics_pipeline.io.dicom.scan import is_dicom
from radiomics_pipeline.io.gates import read_gates
from radiomics_pipeline.io.images import Image, open_image
from radiomics_pipeline.io.mask_files import find_mask, open_mask
from radiomics_pipeline.params.extraction import Label, SeriesParams
from radiomics_pipeline.types import Region
from radiomics_pipeline.types.context import Context
from radiomics_pipeline.types.facts import Facts, facts_of_table
from radiomics_pipeline.types.masks import Masks

if TYPE_CHECKING:
    from radiomics_pipeline.params.segmentation import Segmentation
    from radiomics_pipeline.params.transfer import MaskFrom


@dataclass(frozen=True)
class Drawn:
    """A region that is wanted.

    shown : what messages call it
    make : gives it, or several that are delineated in it, each with notes; or raises CaseError
    """

    shown: str
    make: Callable[[], list[tuple[Region, tuple[str, ...]]]]


class SeriesWork:
    """Image, masks, regions and context of one series; each is opened once, and its error comes whenever asked for."""

    def __init__(
        self,
        files: SeriesFiles,
        given: SeriesInput,
        plan: SeriesPlan,
        others: Callable[[str], SeriesWork | None],
        case: str = "",
    ) -> None:
        """`others` gives another series of the case by its name, None where there is none."""
        self.files, self.given, self.plan, self.others, self.case = files, given, plan, others, case

    @property
    def _name(self) -> str:
        return self.files.series or "image"

    @cached_property
    def image(self) -> Image:
        """The image in the unit of the parameters."""
        given, files = self.given.image, self.files
        with stage("read"):
            return open_image(given.files, given.name, self.plan.source, patient=overrides(files))

    @cached_property
    def masks(self) -> Masks | None:
        """What the mask's file holds; None where there is no such file."""
        source = self.plan.source
        with stage("read"):
            if self.given.mask:
                return open_mask(self.given.mask.files, self.image, source)
            if self.image.series is None or not self.given.further:
                return None
            try:
                return find_mask(self.given.further, self.image, source, self.files.without_mask)
            except MissingFile:
                if source.section.mask_from:
                    return None
                raise

    @cached_property
    def context(self) -> Context:
        """Reference regions, and the image as a whole."""
        given, section = self.given.references, self.plan.source.section
        with stage("read"):
            references = open_mask(given.files, self.image, self.plan.source) if given else None
        inside = any(reference.file == "mask" for reference in section.references.values())
        return context_of(self.image.volume, section, self.masks if inside else None, references)

    @property
    def space(self) -> str:
        """Key of the space of its coordinates, where the headers name one; in memory only."""
        series = self.image.series
        return series.frame_of_reference_uid if series else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What holds for all of its regions."""
        found = self.image.conversion
        told = [f"{found.unit}: {text}" for text in (*found.warnings, found.missing) if text] if found else []
        ranges = self.plan.source.section.acquisition
        refused = getattr(self.__dict__.get("masks"), "refused", None)
        if refused and self.plan.source.section.roi == "all":
            told.append(f"left out, as they enclose no area: {some(map(printable, refused))}")
        return (*self.image.notes, *told, *acquisition_warnings(self.facts, ranges))

    @cached_property
    def facts(self) -> Facts:
        """What is known of the acquisition."""
        series, found = self.image.series, self.image.conversion
        if series is None:
            return facts_of_table(self.files.facts, self.image.volume.grid)
        figures = found.figures if found else {}
        uptake, dose = _number(figures.get("uptake_s")), _number(figures.get("dose_bq"))
        return facts_of(
            series.headers,
            series.grid,
            uptake_time_min=None if uptake is None else uptake / 60,
            dose_mbq=None if dose is None else dose / 1e6,
            weight_kg=_number(figures.get("weight_kg")),
            height_m=_number(figures.get("height_m")),
            table=self.files.facts,
            gated=series.gates is not None,
        )

    @cached_property
    def identity(self) -> Identity:
        """What must not leave: of the patient and of who cared for them."""
        given = [part for part in (self.given.image, self.given.mask, self.given.references) if part]
        files = [*(part.files[0] for part in given), *self.given.further]
        with quiet():
            found = [Identity.of([parse(file)]) for file in files if is_dicom(file.data)]
        return reduce(Identity.together, found, Identity())

    @property
    def frame(self) -> str:
        """Key of the image that places belong to: of its bytes, so that it tells of nobody."""
        digest = hashlib.sha256()
        for file in self.given.image.files:
            digest.update(hashlib.sha256(file.data).digest())
        return digest.hexdigest()[:16]

    @cached_property
    def gated(self) -> tuple[dict[str, float], dict[str, str]]:
        """Volumes and ejection fraction by column, and why some are NaN; none without masks of gates."""
        if not self.gates_wanted:
            return {}, {}
        if self.given.gates is None:
            columns = [spec.column for spec in gated_columns(self.plan.prefix).values()]
            reason = f"the case has no masks of gates ({self._name}_gates)"
            return dict.fromkeys(columns, math.nan), dict.fromkeys(columns, reason)
        with stage("gates"):
            return gated_values(*read_gates(self.given.gates.files[0]), self.plan.prefix)

    @property
    def gates_wanted(self) -> bool:
        """Whether the parameters ask for volumes of gates."""
        section = self.plan.source.section
        return isinstance(section, SeriesParams) and section.gated

    def remarks(self, facts: RegionFacts) -> tuple[str, ...]:
        """What speaks against textures of a region."""
        return region_warnings(facts.outline_ml, facts.intensity_voxels, self.plan.source.section.acquisition)

    @property
    def suv_line(self) -> SuvLine | None:
        """The line of suv.csv; None where nothing was converted, or the image could not be opened."""
        image = self.__dict__.get("image")
        if image is None or image.conversion is None:
            return None
        return SuvLine(self.files.series, {name: _cell(value) for name, value in image.conversion.row().items()})

    @property
    def body_surface_m2(self) -> float | None:
        """Of the patient, where weight and height are known."""
        facts = self.facts if "image" in self.__dict__ else None
        if facts is None or facts.weight_kg is None or facts.height_m is None:
            return None
        return body_surface_m2(facts.weight_kg, facts.height_m)

    @cached_property
    def regions(self) -> list[Drawn]:
        """The regions that the parameters want, in order; CaseError where it cannot be said which."""
        section = self.plan.source.section
        everywhere = section.segment is not None and section.segment.search == "image"
        if section.mask_from and self.masks is None and not everywhere:
            areas = self._transferred(section.mask_from)
            if not section.segment:
                return areas
            return [Drawn(area.shown, partial(self._found_within, section.segment, area)) for area in areas]
        if section.segment:
            return self._delineated(section.segment)
        return [Drawn(name or str(number), partial(self._as_drawn, name, number)) for name, number in self._wanted()]

    def _wanted(self) -> list[tuple[str, int]]:
        """Name and number of each area of the mask that is a region."""
        if self.masks is None:
            raise MissingFile(self.files.without_mask or f"{self._name}: no mask")
        source = self.plan.source
        roi = self.files.roi or (None if self.files.label else source.section.roi)
        with stage("region"):
            return wanted_regions(self.masks, _label(self.files) if self.files.label else source.label, roi)

    def _as_drawn(self, name: str, number: int) -> list[tuple[Region, tuple[str, ...]]]:
        region = self._drawn(name, number)
        return [(region, tuple(getattr(self.masks, "notes", ())))]

    def _drawn(self, name: str, number: int) -> Region:
        assert self.masks is not None
        with stage("region"):
            return region_of(self.masks, name, number)

    def _transferred(self, wanted: MaskFrom) -> list[Drawn]:
        """The regions of another series, brought to this one's voxels."""
        other = self.others(wanted.series)
        if other is None:
            raise MissingFile(
                f"{self._name}: its mask comes from series {wanted.series} (mask_from), which the case does not have"
            )
        if other.space and self.space and other.space != self.space:
            raise OtherFrame(
                f"{self._name}: the mask of {wanted.series} lies in another frame of reference; register the two first"
            )
        return [Drawn(drawn.shown, partial(self._brought, drawn, wanted)) for drawn in other.regions]

    def _brought(self, drawn: Drawn, wanted: MaskFrom) -> list[tuple[Region, tuple[str, ...]]]:
        found = []
        for region, notes in drawn.make():
            with stage("region"):
                mask, facts = transfer(region.morphology, region.grid, self.image.volume.grid, wanted)
                told = (
                    f"mask of {wanted.series} ({facts.method}): {facts.volume_before_ml:.4g} ml there, "
                    f"{facts.volume_after_ml:.4g} ml here"
                )
                brought = Region(mask, mask, self.image.volume.grid, region.name, region.label)
                found.append((brought, (*notes, told, *facts.notes)))
        return found

    def _delineated(self, wanted: Segmentation) -> list[Drawn]:
        """Regions found in the mask's areas, or in the whole image."""
        if self.masks is None or wanted.search == "image":
            return [Drawn("", partial(self._found, wanted))]
        return [
            Drawn(name or str(number), partial(self._found, wanted, name, number)) for name, number in self._wanted()
        ]

    def _found_within(self, wanted: Segmentation, area: Drawn) -> list[tuple[Region, tuple[str, ...]]]:
        """Regions found in those of another series."""
        found = []
        for search, notes in area.make():
            with stage("segment"):
                lesions = delineate(self.image, wanted, search, self.context, case=self.case)
            found += [(region, (*notes, *told)) for region, told in lesions]
        return found

    def _found(self, wanted: Segmentation, name: str = "", number: int = 0) -> list[tuple[Region, tuple[str, ...]]]:
        search = self._drawn(name, number) if number else None
        seeds = None
        if search is None and self.masks is not None:
            seeds = np.any([self.masks.mask(entry.number) for entry in self.masks.entries], axis=0)
        with stage("segment"):
            return delineate(self.image, wanted, search, self.context, seeds=seeds, case=self.case)


def _number(value: float | str | None) -> float | None:
    """A figure that is a number, None for what was not needed."""
    return value if isinstance(value, float) and not math.isnan(value) else None


def _cell(value: float | str) -> str:
    """A figure as suv.csv writes it: the shortest number that reads back the same, nothing for NaN."""
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else repr(value)


def overrides(files: SeriesFiles) -> PatientOverrides:
    """What the table of cases says of the patient and the injection."""
    facts = files.facts
    injected = None
    if text := facts.get("injected"):
        try:
            injected = datetime.fromisoformat(text)
            if ":" not in text:
                raise ValueError
        except ValueError:
            raise MissingMetadata(
                f"{files.place}: injected is {text!r}; write date and time as 2026-01-31 10:35:00"
            ) from None
    number = {name: float(facts[name]) for name in ("weight_kg", "height_m", "dose_mbq") if name in facts}
    return PatientOverrides(
        weight_kg=number.get("weight_kg"),
        height_m=number.get("height_m"),
        sex=facts.get("sex", ""),
        dose_bq=number["dose_mbq"] * 1e6 if "dose_mbq" in number else None,
        injected=injected,
    )


def _label(files: SeriesFiles) -> Label:
    text = files.label
    if text.lower() == "all":
        return "all"
    whole = re.fullmatch(r"(\d+)(\.0*)?", text)
    if not whole or int(whole[1]) < 1:
        raise BadMask(f"{files.place}: label {text!r} is neither a whole number from 1 nor 'all'")
    return int(whole[1])
