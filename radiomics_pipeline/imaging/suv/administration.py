"""When the radiopharmaceutical was administered: by the header, or by the case table."""

from __future__ import annotations

from datetime import datetime, timedelta

from radiomics_pipeline.errors import SuvError
from radiomics_pipeline.imaging.suv.times import CLOCK_SLACK_S, DAY_S, time_of_day
from radiomics_pipeline.imaging.suv.work import Work


def administered_at(work: Work, reference: datetime) -> tuple[datetime, str, str] | None:
    """Time of administration, token and words of the rule; None where header and table say nothing.

    A time of day alone is on the day of `reference`, or the day before where that lies after it.
    """
    a, table = work.acquisition, work.patient.injected
    found: tuple[datetime, str, str] | None = None
    if a.administered is not None:
        found = a.administered, "datetime", "RadiopharmaceuticalStartDateTime (0018,1078)"
    elif a.administered_time is not None:
        zone = a.administered_time.tzinfo
        day = (reference.astimezone(zone) if zone and reference.tzinfo else reference).date()
        moment = datetime.combine(day, a.administered_time)
        tag = "RadiopharmaceuticalStartTime (0018,1072)"
        found = moment, "time", f"{tag}, on the day of the reference time"
        if moment > reference:
            found = moment - timedelta(days=1), "time-before-midnight", f"{tag}, on the day before: over midnight"
    if table is None:
        return found
    table = table.replace(tzinfo=reference.tzinfo) if table.tzinfo is None else table
    if reference.tzinfo is None and table.tzinfo is not None:
        raise SuvError(
            f"{work.name}: the case table's injected has a UTC offset, the header's times have none; write both alike"
        )
    if found is None:
        return table, "case-table", "of the case table, as the header has none"
    if abs((found[0] - table).total_seconds()) <= CLOCK_SLACK_S:
        return found
    both = [time_of_day(moment, reference) for moment in (found[0], table)]
    work.warn(f"administration: the header says {both[0]}, the case table {both[1]}, which is used")
    return table, "case-table", "of the case table against the header"


def administration_time(work: Work, reference: datetime) -> datetime:
    """Time of administration; MissingMetadata where nothing says it."""
    a = work.acquisition
    found = administered_at(work, reference)
    if found is None:
        both = "RadiopharmaceuticalStartDateTime (0018,1078) and RadiopharmaceuticalStartTime (0018,1072)"
        raise work.lacks(f"{both} are missing", "<SERIES>_injected")
    moment, token, words = found
    if a.administered is not None and a.administered_time is not None and token == "datetime":
        apart = (datetime.combine(a.administered.date(), a.administered_time) - a.administered).total_seconds() % DAY_S
        if min(apart, DAY_S - apart) > CLOCK_SLACK_S:
            work.warn("RadiopharmaceuticalStartTime (0018,1072) says another time than (0018,1078), which is used")
    shown = time_of_day(moment, reference)
    work.note("administration", f"{shown}, {words}", administration_rule=token, t_adm=shown)
    return moment
