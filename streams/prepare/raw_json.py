"""Raw JSON that may be broken in every way JSON can be: parsed with the standard library, repaired, reported.

Repairs, each with a warning that names the top-level field: repeated keys (the last wins), NaN and infinities (null),
lone surrogates (U+FFFD), integers beyond Python's limit of 4,300 digits (a string of the digits).
"""

import json
from typing import Any

from pydantic import JsonValue

from schemas import DeadLetterReason, Warning_
from streams.errors import ArticleRejected

_SHOWN = 1000
_WHOLE = "body"


class _NotANumber(str):
    """A literal such as `NaN` or `1e400`, until the repair makes it null."""

    __slots__ = ()


class _TooManyDigits(str):
    """An integer that Python refuses to parse, until the repair makes it a plain string."""

    __slots__ = ()


class _Repeated(dict[str, Any]):
    """An object with repeated keys; `dropped` holds the (key, value) pairs that lost."""

    dropped: list[tuple[str, Any]]


def shown(value: JsonValue) -> JsonValue:
    """Return the value as a warning can show it: null where its JSON is longer than 1,000 characters."""
    try:
        return value if len(json.dumps(value, ensure_ascii=False)) <= _SHOWN else None
    except ValueError:  # an integer of too many digits for str()
        return None


def parse(text: str, max_depth: int) -> tuple[dict[str, JsonValue], list[Warning_]]:
    """Return the object, in the order of its keys, and what was repaired: a warning per field and reason at most.

    Args:
        text: the whole body.
        max_depth: levels of nesting that are allowed; the object itself is the first.

    Raises:
        ArticleRejected: BROKEN_JSON, TOO_DEEP or JSON_NOT_OBJECT.
    """
    try:
        value = json.loads(
            text,
            strict=False,
            object_pairs_hook=_pairs,
            parse_constant=_NotANumber,
            parse_float=_float,
            parse_int=_int,
        )
    except RecursionError:
        raise _too_deep(max_depth) from None
    except json.JSONDecodeError as error:
        message = f"The JSON does not parse: {error.msg} at line {error.lineno}, column {error.colno}."
        raise ArticleRejected(DeadLetterReason.BROKEN_JSON, message) from None
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
        raise ArticleRejected(DeadLetterReason.JSON_NOT_OBJECT, f"The JSON is {kind}, not an object.")
    return _Repair(max_depth).fields(value)


def _too_deep(max_depth: int) -> ArticleRejected:
    return ArticleRejected(DeadLetterReason.TOO_DEEP, f"The JSON nests deeper than {max_depth} levels.")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    repeated = _Repeated()
    repeated.dropped = []
    for key, value in pairs:
        if key in repeated:
            repeated.dropped.append((key, repeated[key]))
        repeated[key] = value
    return repeated


def _float(literal: str) -> float | _NotANumber:
    number = float(literal)
    return _NotANumber(literal) if number in (float("inf"), float("-inf")) else number


def _int(literal: str) -> int | _TooManyDigits:
    try:
        return int(literal)
    except ValueError:
        return _TooManyDigits(literal)


class _Repair:
    """One pass over the parsed value that puts everything right and notes it under the top-level field at hand."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth
        self._field = _WHOLE
        self._notes: dict[tuple[str, str], JsonValue] = {}

    def fields(self, value: dict[str, Any]) -> tuple[dict[str, JsonValue], list[Warning_]]:
        if isinstance(value, _Repeated):
            for key, lost in value.dropped:
                self._field = _encodable(key)
                self._note("duplicate_key", shown(_Repair(self._max_depth).value(lost, 2)))
        result: dict[str, JsonValue] = {}
        for key, content in value.items():
            self._field = _encodable(key)
            name = self._text(key)
            if name in result:
                self._note("duplicate_key", shown(result[name]))
            result[name] = self.value(content, 2)
        warnings = [Warning_(field=f, reason=r, value=v) for (f, r), v in self._notes.items()]
        return result, warnings

    def value(self, value: Any, depth: int) -> JsonValue:  # noqa: ANN401 - whatever JSON holds
        """Return the repaired value; `depth` is the level of a container in this place."""
        if isinstance(value, str):
            if isinstance(value, _NotANumber):
                self._note("not_a_number", shown(str(value)))
                return None
            if isinstance(value, _TooManyDigits):
                self._note("too_many_digits", None)
                return str(value)
            return self._text(value)
        if isinstance(value, (dict, list)) and depth > self._max_depth:
            raise _too_deep(self._max_depth)
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return self._object(value, depth)
        return value  # type: ignore[no-any-return]  # int, float, bool or None is all that is left

    def _object(self, value: dict[str, Any], depth: int) -> JsonValue:
        if isinstance(value, _Repeated):
            self._note("duplicate_key", shown(_Repair(self._max_depth).value(value.dropped[0][1], depth + 1)))
        result: dict[str, JsonValue] = {}
        for key, content in value.items():
            name = self._text(key)
            if name in result:
                self._note("duplicate_key", shown(result[name]))
            result[name] = self.value(content, depth + 1)
        return result

    def _text(self, text: str) -> str:
        repaired = _encodable(text)
        if repaired is not text:
            self._note("lone_surrogate", None)
        return repaired

    def _note(self, reason: str, value: JsonValue) -> None:
        self._notes.setdefault((self._field, reason), value)


def _encodable(text: str) -> str:
    """Return the text with U+FFFD for lone surrogates; the very same object where it has none."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text
