"""The known fields of a raw article, checked and cleaned; what cannot be used becomes null with a warning."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from schemas import Warning_
from streams.prepare.cleaning import clean_line
from streams.prepare.raw_json import shown
from streams.prepare.timestamps import to_utc

KNOWN = ("id", "url", "title", "text", "html", "language", "published_at", "fetched_at", "source", "author")
_MAX_LENGTH = 10_000
"""A longer id, title or name is none."""


@dataclass(slots=True)
class Fields:
    """The fields of one raw article, read one by one; `warnings` collects what was wrong with them, in that order."""

    raw: Mapping[str, JsonValue]
    warnings: list[Warning_] = field(default_factory=list)

    def warn(self, name: str, reason: str, value: JsonValue = None) -> None:
        """Add a warning about a field."""
        self.warnings.append(Warning_(field=name, reason=reason, value=shown(value)))

    def body(self, name: str) -> str | None:
        """Return a text of any length as it is, None where it is missing or blank."""
        value = self.raw.get(name)
        if value is None or isinstance(value, str):
            return value if value and not value.isspace() else None
        self.warn(name, "not_a_string", value)
        return None

    def line(self, name: str) -> str | None:
        """Return a cleaned single line, None where it is missing, blank or not a string."""
        value = self._short(name, self.raw.get(name))
        return self.cleaned(name, value) if value else None

    def cleaned(self, name: str, value: str) -> str | None:
        """Return the value cleaned to a single line, None where nothing is left of it."""
        line, controls = clean_line(value)
        if controls:
            self.warn(name, "control_characters")
        return line or None

    def identifier(self) -> str | None:
        """Return the given id; a whole number becomes its digits."""
        value = self.raw.get("id")
        if isinstance(value, int) and not isinstance(value, bool):
            self.warn("id", "not_a_string", value)
            return str(value)
        return self._address("id", value)

    def address(self) -> str | None:
        """Return the URL as given, without the spaces around it."""
        return self._address("url", self.raw.get("url"))

    def time(self, name: str) -> str | None:
        """Return a timestamp in UTC, None where it is missing, blank or none."""
        value = self.raw.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        moment, reason = to_utc(value) if isinstance(value, str) else (None, "not_a_timestamp")
        if reason:
            self.warn(name, reason, value)
        return moment

    def _address(self, name: str, value: JsonValue) -> str | None:
        text = self._short(name, value)
        if text is None:
            return None
        # Identifiers are compared by other systems: nothing inside changes but what no identifier holds.
        kept = "".join(c for c in text if c > "\x1f" and not "\x7f" <= c <= "\x9f").strip()
        if kept != text.strip():
            self.warn(name, "control_characters")
        return kept or None

    def _short(self, name: str, value: JsonValue) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            self.warn(name, "not_a_string", value)
            return None
        if len(value) > _MAX_LENGTH:
            self.warn(name, "too_long")
            return None
        return value
