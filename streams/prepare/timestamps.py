"""Timestamps as articles have them, to RFC 3339 in UTC. Nothing is guessed, nothing depends on today."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8})"
    r"(?:(?:[Tt]|\s+)(\d\d(?::?\d\d(?::?\d\d(?:[.,]\d{1,12})?)?)?)\s*(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_RFC_2822 = re.compile(
    r"(?:[A-Za-z]{3},\s*)?\d{1,2}\s+[A-Za-z]{3}\s+\d{4}\s+\d\d:\d\d(?::\d\d)?"
    r"(?:\s+(?:[+-]\d{4}|UT|UTC|GMT|Z|[ECMP][SD]T))?(?:\s*\([A-Za-z ]{1,40}\))?",
    re.ASCII,
)
_LEAP_SECOND = re.compile(r"^(\d\d:?\d\d:?)60")


def to_utc(raw: str) -> tuple[str | None, str | None]:
    """Return the time in UTC, e.g. `2024-11-08T10:00:00Z`, and the reason for a warning; None where there is none.

    Reasons: `not_a_timestamp` (the time is then None), `no_time_zone` (taken as UTC), `no_time` (midnight UTC).
    """
    text = raw.strip()
    try:
        if found := _ISO.fullmatch(text):
            return _iso(found[1], found[2], found[3])
        if _RFC_2822.fullmatch(text):
            moment = parsedate_to_datetime(text)
            return _format(moment), (None if moment.tzinfo else "no_time_zone")
    except (ValueError, OverflowError):
        pass
    return None, "not_a_timestamp"


def _iso(date: str, time: str | None, zone: str | None) -> tuple[str, str | None]:
    if time is None:
        return _format(datetime.fromisoformat(date)), "no_time"
    time, leap = _LEAP_SECOND.subn(r"\g<1>59", time)
    time = time.replace(":", "")  # the basic form goes with every date below
    offset = "" if zone is None else "+00" if zone.upper() in {"Z", "UTC", "GMT"} else zone.replace(":", "")
    moment = datetime.fromisoformat(f"{date.replace('-', '')}T{time}{offset}")
    moment += timedelta(seconds=leap)
    return _format(moment), (None if zone else "no_time_zone")


def _format(moment: datetime) -> str:
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return utc.replace(tzinfo=None).isoformat() + "Z"
